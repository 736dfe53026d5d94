package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/refundry/refundry/internal/ledger"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/store/row"
)

// queuePostings writes postings with the number of the commit that is being
// sealed.
func queuePostings(pipe *pgx.Batch, entries []payment.EntryChange) {
	type posting struct {
		payment.EntryChange

		number int64
	}
	var postings []posting
	for _, change := range entries {
		for n := range change.Entry.Postings {
			postings = append(postings, posting{change, int64(n)})
		}
	}
	if len(postings) == 0 {
		return
	}
	pipe.Queue(`INSERT INTO posting (tenant_id, subject_id, version, number, payment_id, cause, debit, credit, amount,
			currency, at, commit_number)
		SELECT *, (SELECT max(number) FROM commit_row) FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[],
			$5::uuid[], $6::text[], $7::text[], $8::text[], $9::bigint[], $10::text[], $11::bigint[])`,
		ids(postings, func(p posting) [16]byte { return p.Tenant }),
		ids(postings, func(p posting) [16]byte { return p.Entry.Subject }),
		col(postings, func(p posting) int64 { return p.Entry.Version }),
		col(postings, func(p posting) int64 { return p.number }),
		ids(postings, func(p posting) [16]byte { return p.Payment }),
		col(postings, func(p posting) string { return string(p.Entry.Cause) }),
		col(postings, func(p posting) string { return string(p.Entry.Postings[p.number].Debit) }),
		col(postings, func(p posting) string { return string(p.Entry.Postings[p.number].Credit) }),
		col(postings, func(p posting) int64 { return int64(p.Entry.Postings[p.number].Amount.Minor) }),
		col(postings, func(p posting) string { return string(p.Entry.Postings[p.number].Amount.Currency) }),
		col(postings, func(p posting) int64 { return row.Micros(p.Entry.At) }))
}

// Entries implements [payment.Books].
func (s *Store) Entries(ctx context.Context, tenant payment.TenantID, id payment.PaymentID) ([]ledger.Entry, error) {
	entries, err := listEntries(ctx, s.pool, tenant, id)
	return entries, unavailable(err)
}

// aboutPayment are the subjects of everything about a payment.
const aboutPayment = `subject_id IN (SELECT $2::uuid
	UNION ALL SELECT id FROM refund WHERE tenant_id = $1 AND payment_id = $2
	UNION ALL SELECT id FROM dispute WHERE tenant_id = $1 AND payment_id = $2)`

// listEntries reads every entry about a payment, in the order of its versions.
func listEntries(ctx context.Context, db querier, tenant payment.TenantID, id payment.PaymentID) ([]ledger.Entry, error) {
	rows, err := db.Query(ctx, `SELECT subject_id, version, cause, at, debit, credit, amount, currency FROM posting
		WHERE tenant_id = $1 AND `+aboutPayment+` ORDER BY version, subject_id, number`, pgUUID(tenant), pgUUID(id))
	if err != nil {
		return nil, err
	}
	var entries []ledger.Entry
	var entry ledger.Entry
	var posting ledger.Posting
	var at int64
	_, err = pgx.ForEachRow(rows, []any{
		&entry.Subject, &entry.Version, &entry.Cause, &at, &posting.Debit, &posting.Credit, &posting.Amount.Minor,
		&posting.Amount.Currency,
	}, func() error {
		entry.At = row.Time(at)
		entries = ledger.Append(entries, entry, posting)
		return nil
	})
	return entries, err
}

// ListEntries implements [payment.Books]. It walks through the books in their
// order, or picks a payment's few entries; whole entries are joined to those
// that have a posting as the filter wants it.
func (s *Store) ListEntries(ctx context.Context, tenant payment.TenantID, f payment.EntryFilter,
) ([]payment.BookedEntry, error) {
	q := &question{args: []any{pgUUID(tenant), pgUUID(f.Payment)}}
	q.add(`SELECT p.commit_number, p.version, p.subject_id, p.payment_id, p.cause, p.at, p.debit, p.credit, p.amount, p.currency
		FROM (SELECT DISTINCT commit_number, version, subject_id FROM posting WHERE tenant_id = $1`)
	if f.Payment.IsZero() {
		q.add(` AND $2::uuid IS NOT NULL`)
	} else {
		q.add(` AND ` + aboutPayment)
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
	q.add(` AND (commit_number, version, subject_id) > (?, ?, ?)`, f.After.Commit, f.After.Version,
		pgUUID(payment.PaymentID(f.After.Subject)))
	q.add(` ORDER BY commit_number, version, subject_id LIMIT ?) page
		JOIN posting p ON p.tenant_id = $1 AND p.subject_id = page.subject_id AND p.version = page.version
		ORDER BY p.commit_number, p.version, p.subject_id, p.number`, f.Limit)
	rows, err := s.pool.Query(ctx, q.text.String(), q.args...)
	if err != nil {
		return nil, unavailable(err)
	}
	var entries []payment.BookedEntry
	var entry payment.BookedEntry
	var posting ledger.Posting
	var at int64
	_, err = pgx.ForEachRow(rows, []any{
		&entry.Commit, &entry.Version, &entry.Subject, raw(&entry.Payment), &entry.Cause, &at, &posting.Debit,
		&posting.Credit, &posting.Amount.Minor, &posting.Amount.Currency,
	}, func() error {
		entry.At = row.Time(at)
		entries = row.Book(entries, entry, posting)
		return nil
	})
	return entries, unavailable(err)
}

// Balances implements [payment.Books]. It sums all postings of the tenant: what
// is summed by the database grows with the books, what it answers does not.
func (s *Store) Balances(ctx context.Context, tenant payment.TenantID, at time.Time) (ledger.Balances, error) {
	q := &question{}
	q.add(`SELECT debit, credit, sum(amount)::bigint, currency FROM posting WHERE tenant_id = ?`, pgUUID(tenant))
	if !at.IsZero() {
		q.add(` AND at <= ?`, row.Micros(at))
	}
	q.add(` GROUP BY debit, credit, currency`)
	rows, err := s.pool.Query(ctx, q.text.String(), q.args...)
	if err != nil {
		return nil, unavailable(err)
	}
	balances := ledger.Balances{}
	var posting ledger.Posting
	_, err = pgx.ForEachRow(rows, []any{
		&posting.Debit, &posting.Credit, &posting.Amount.Minor, &posting.Amount.Currency,
	}, func() error {
		balances.Post(posting)
		return nil
	})
	return balances, unavailable(err)
}
