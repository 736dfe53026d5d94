package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/refundry/refundry/internal/ledger"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/store/row"
)

// Entries implements [payment.Books].
func (s *Store) Entries(ctx context.Context, tenant payment.TenantID, id payment.PaymentID) ([]ledger.Entry, error) {
	entries, err := listEntries(ctx, s.pool, tenant, id)
	return entries, unavailable(err)
}

// listEntries reads every entry about a payment, in the order of its versions.
func listEntries(ctx context.Context, db querier, tenant payment.TenantID, id payment.PaymentID) ([]ledger.Entry, error) {
	rows, err := db.Query(ctx, `SELECT subject_id, version, cause, at, debit, credit, amount, currency FROM posting
		WHERE tenant_id = $1 AND subject_id IN (SELECT $2::uuid
			UNION ALL SELECT id FROM refund WHERE tenant_id = $1 AND payment_id = $2
			UNION ALL SELECT id FROM dispute WHERE tenant_id = $1 AND payment_id = $2)
		ORDER BY version, subject_id, number`, pgUUID(tenant), pgUUID(id))
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

// Balances implements [payment.Books].
func (s *Store) Balances(ctx context.Context, tenant payment.TenantID) (ledger.Balances, error) {
	rows, err := s.pool.Query(ctx, `SELECT debit, credit, sum(amount)::bigint, currency FROM posting
		WHERE tenant_id = $1 GROUP BY debit, credit, currency`, pgUUID(tenant))
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
