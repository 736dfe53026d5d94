package sqlite

import (
	"context"

	"github.com/refundry/refundry/internal/ledger"
	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/store/row"
)

// Entries implements [payment.Books].
func (s *Store) Entries(_ context.Context, tenant payment.TenantID, id payment.PaymentID) (entries []ledger.Entry, err error) {
	err = s.read(func(c *conn) error {
		entries, err = listEntries(c, tenant, id)
		return err
	})
	return entries, err
}

// listEntries reads every entry about a payment, in the order of its versions.
func listEntries(c *conn, tenant payment.TenantID, id payment.PaymentID) ([]ledger.Entry, error) {
	const query = `SELECT subject_id, version, cause, at, debit, credit, amount, currency FROM posting
		WHERE tenant_id = ?1 AND subject_id IN (SELECT ?2
			UNION ALL SELECT id FROM refund INDEXED BY refund_by_payment WHERE tenant_id = ?1 AND payment_id = ?2
			UNION ALL SELECT id FROM dispute INDEXED BY dispute_by_payment WHERE tenant_id = ?1 AND payment_id = ?2)
		ORDER BY version, subject_id, number`
	var entries []ledger.Entry
	err := c.query(query, []any{ident(tenant), ident(id)}, func(r *cells) error {
		entry := ledger.Entry{Subject: r.uuid(), Version: r.int(), Cause: ledger.Cause(r.text()), At: row.Time(r.int())}
		entries = ledger.Append(entries, entry, scanPosting(r))
		return nil
	})
	return entries, err
}

// Balances implements [payment.Books].
func (s *Store) Balances(_ context.Context, tenant payment.TenantID) (ledger.Balances, error) {
	balances := ledger.Balances{}
	err := s.read(func(c *conn) error {
		const query = `SELECT debit, credit, sum(amount), currency FROM posting WHERE tenant_id = ?
			GROUP BY debit, credit, currency`
		return c.query(query, []any{ident(tenant)}, func(r *cells) error {
			posting := ledger.Posting{Debit: ledger.Account(r.text()), Credit: ledger.Account(r.text())}
			posting.Amount.Minor, posting.Amount.Currency = money.Minor(r.int()), money.Currency(r.text())
			balances.Post(posting)
			return nil
		})
	})
	return balances, err
}
