package sqlite

import (
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/store/row"
)

// eraseChanges destroys the keys of what a commit erases, and blanks what an
// older version wrote beside them in the clear. What is sealed stays where it
// is: nothing opens it any more.
func eraseChanges(c *conn, changes *payment.Changes) error {
	blanks := []string{
		`UPDATE item SET metadata = '' WHERE tenant_id = ? AND payment_id = ? AND metadata <> ''`,
		`UPDATE facet SET body = x'' WHERE tenant_id = ? AND payment_id = ? AND length(body) > 0`,
	}
	for _, e := range row.Erasures(changes) {
		if _, err := destroyKey(c, e); err != nil { // one that was destroyed before is no worse
			return err
		}
		for _, blank := range blanks {
			if _, err := c.exec(blank, ident(e.Tenant), e.ID[:]); err != nil {
				return err
			}
		}
	}
	return nil
}

// forgetNames takes a person's name out of refunds that an older version wrote in
// the clear.
func forgetNames(c *conn, person row.Owner) error {
	const query = `SELECT id, detail FROM refund INDEXED BY refund_by_payment WHERE tenant_id = ?1 AND persons IS NULL
		AND payment_id IN (SELECT payment_id FROM event INDEXED BY event_by_person WHERE tenant_id = ?1 AND person_id = ?2)`
	type open struct {
		id     payment.RefundID
		detail string
	}
	var refunds []open
	if err := c.query(query, []any{ident(person.Tenant), person.ID[:]}, func(r *cells) error {
		refunds = append(refunds, open{r.uuid(), r.text()})
		return nil
	}); err != nil {
		return err
	}
	for _, r := range refunds {
		forgotten, isNamed, err := row.ForgetName(r.detail, person)
		if err == nil && isNamed {
			_, err = c.exec(`UPDATE refund SET detail = ? WHERE tenant_id = ? AND id = ?`, forgotten, ident(person.Tenant),
				r.id[:])
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// destroyKey destroys an owner's key, or makes sure that there never is one. It
// reports whether it had not been destroyed before.
func destroyKey(c *conn, e row.Erasure) (isDestroyed bool, err error) {
	const destroy = `INSERT INTO personal_key (tenant_id, owner_id, key, erased_at) VALUES (?, ?, x'', ?)
		ON CONFLICT (tenant_id, owner_id) DO UPDATE SET key = x'', erased_at = excluded.erased_at WHERE erased_at = 0`
	c.ring.Destroy([]row.Erasure{e})
	changed, err := c.exec(destroy, ident(e.Tenant), e.ID[:], row.Micros(e.At))
	return changed == 1, err
}
