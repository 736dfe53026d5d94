package sqlite

import (
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/store/row"
)

// eraseChanges destroys the keys of what a commit erases, and blanks what an
// older version wrote beside them in the clear. What is sealed stays where it
// is: nothing opens it any more.
func eraseChanges(c *conn, changes *payment.Changes) error {
	erasures := row.Erasures(changes)
	const destroy = `UPDATE personal_key SET key = x'', erased_at = ? WHERE tenant_id = ? AND owner_id = ? AND erased_at = 0`
	blanks := []string{
		`UPDATE item SET metadata = '' WHERE tenant_id = ? AND payment_id = ? AND metadata <> ''`,
		`UPDATE facet SET body = x'' WHERE tenant_id = ? AND payment_id = ? AND length(body) > 0`,
	}
	for _, e := range erasures {
		if err := one(c.exec(destroy, row.Micros(e.At), ident(e.Tenant), e.ID[:])); err != nil {
			return err
		}
		for _, blank := range blanks {
			if _, err := c.exec(blank, ident(e.Tenant), e.ID[:]); err != nil {
				return err
			}
		}
	}
	c.ring.Destroy(erasures)
	return nil
}
