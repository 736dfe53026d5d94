package sqlite

import (
	"context"
	"time"

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

// aboutPayment are the subjects of everything about a payment.
const aboutPayment = `subject_id IN (SELECT ?2
	UNION ALL SELECT id FROM refund INDEXED BY refund_by_payment WHERE tenant_id = ?1 AND payment_id = ?2
	UNION ALL SELECT id FROM dispute INDEXED BY dispute_by_payment WHERE tenant_id = ?1 AND payment_id = ?2)`

// listEntries reads every entry about a payment, in the order of its versions.
func listEntries(c *conn, tenant payment.TenantID, id payment.PaymentID) ([]ledger.Entry, error) {
	const query = `SELECT subject_id, version, cause, at, debit, credit, amount, currency FROM posting
		WHERE tenant_id = ?1 AND ` + aboutPayment + ` ORDER BY version, subject_id, number`
	var entries []ledger.Entry
	err := c.query(query, []any{ident(tenant), ident(id)}, func(r *cells) error {
		entry := ledger.Entry{Subject: r.uuid(), Version: r.int(), Cause: ledger.Cause(r.text()), At: row.Time(r.int())}
		entries = ledger.Append(entries, entry, scanPosting(r))
		return nil
	})
	return entries, err
}

// ListEntries implements [payment.Books]. It walks through the books in their
// order, or picks a payment's few entries; whole entries are joined to those
// that have a posting as the filter wants it.
func (s *Store) ListEntries(_ context.Context, tenant payment.TenantID, f payment.EntryFilter,
) (entries []payment.BookedEntry, err error) {
	q := &question{args: []any{ident(tenant), ident(f.Payment)}}
	place := `commit_number, version, subject_id`
	if !f.Payment.IsZero() {
		place = `+commit_number, version, subject_id` // the plus keeps SQLite from walking through all books
	}
	q.add(`SELECT p.commit_number, p.version, p.subject_id, p.payment_id, p.cause, p.at, p.debit, p.credit, p.amount, p.currency
		FROM (SELECT DISTINCT commit_number, version, subject_id FROM posting`)
	if f.Payment.IsZero() {
		q.add(` INDEXED BY posting_by_commit WHERE tenant_id = ?1 AND ?2 IS NOT NULL`)
	} else {
		q.add(` NOT INDEXED WHERE tenant_id = ?1 AND ` + aboutPayment)
	}
	if f.Account != "" {
		q.add(` AND ? IN (debit, credit)`, string(f.Account))
	}
	if f.Cause != "" {
		q.add(` AND cause = ?`, string(f.Cause))
	}
	if f.Currency != "" {
		q.add(` AND currency = ?`, string(f.Currency))
	}
	if !f.From.IsZero() {
		q.add(` AND at >= ?`, row.Micros(f.From))
	}
	if !f.Until.IsZero() {
		q.add(` AND at <= ?`, row.Micros(f.Until))
	}
	q.add(` AND (`+place+`) > (?, ?, ?)`, f.After.Commit, f.After.Version, f.After.Subject[:])
	q.add(` ORDER BY `+place+` LIMIT ?) page
		CROSS JOIN posting p NOT INDEXED ON p.tenant_id = ?1 AND p.subject_id = page.subject_id AND p.version = page.version
		ORDER BY p.commit_number, p.version, p.subject_id, p.number`, f.Limit)
	err = s.read(func(c *conn) error {
		return c.query(q.text.String(), q.args, func(r *cells) error {
			entry := payment.BookedEntry{Commit: r.int()}
			entry.Version, entry.Subject, entry.Payment = r.int(), r.uuid(), r.uuid()
			entry.Cause, entry.At = ledger.Cause(r.text()), row.Time(r.int())
			entries = row.Book(entries, entry, scanPosting(r))
			return nil
		})
	})
	return entries, err
}

// Balances implements [payment.Books]. It sums all postings of the tenant: what
// is summed by the database grows with the books, what it answers does not.
func (s *Store) Balances(_ context.Context, tenant payment.TenantID, at time.Time) (ledger.Balances, error) {
	q := &question{}
	q.add(`SELECT debit, credit, sum(amount), currency FROM posting WHERE tenant_id = ?`, ident(tenant))
	if !at.IsZero() {
		q.add(` AND at <= ?`, row.Micros(at))
	}
	q.add(` GROUP BY debit, credit, currency`)
	balances := ledger.Balances{}
	err := s.read(func(c *conn) error {
		return c.query(q.text.String(), q.args, func(r *cells) error {
			posting := ledger.Posting{Debit: ledger.Account(r.text()), Credit: ledger.Account(r.text())}
			posting.Amount.Minor, posting.Amount.Currency = money.Minor(r.int()), money.Currency(r.text())
			balances.Post(posting)
			return nil
		})
	})
	return balances, err
}
