package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/store/row"
)

// refundColumnsAlone are refundColumns where no other table stands beside.
const refundColumnsAlone = `r.` + refundColumns

// filterRefunds adds which refunds are asked for.
func (q *question) filterRefunds(tenant payment.TenantID, f payment.RefundFilter) {
	q.add(` FROM refund r WHERE tenant_id = ?`, pgUUID(tenant))
	if !f.Payment.IsZero() {
		q.add(` AND payment_id = ?`, pgUUID(f.Payment))
	}
	if !f.Group.IsZero() {
		q.add(` AND group_id = ?`, pgUUID(f.Group))
	}
	if !f.Batch.IsZero() {
		q.add(` AND batch_id = ?`, pgUUID(f.Batch))
	}
	if f.Reference != "" {
		q.add(` AND reference = ? AND reference <> '' AND length(reference) <= 255`, f.Reference)
	}
	if f.NeedsReview != nil {
		q.add(map[bool]string{true: ` AND needs_review`, false: ` AND NOT needs_review`}[*f.NeedsReview])
	}
	if len(f.Statuses) > 0 {
		q.add(` AND status = ANY(?)`, texts(f.Statuses))
	}
	for _, column := range []struct{ is, value string }{
		{"reason", f.Reason}, {"door", string(f.Door)}, {"source", string(f.Source)}, {"currency", string(f.Currency)},
	} {
		if column.value != "" {
			q.add(` AND `+column.is+` = ?`, column.value)
		}
	}
	if f.Least > 0 {
		q.add(` AND amount >= ?`, int64(f.Least))
	}
	if f.Most > 0 {
		q.add(` AND amount <= ?`, int64(f.Most))
	}
}

// ListRefunds implements [payment.Lists].
func (s *Store) ListRefunds(ctx context.Context, tenant payment.TenantID, filter payment.RefundFilter,
) ([]payment.Refund, error) {
	q := &question{}
	q.add(`SELECT ` + refundColumnsAlone)
	q.filterRefunds(tenant, filter)
	if to := filter.To; to != (payment.Place{}) {
		q.add(` AND (created_at, id) >= (?, ?)`, row.Micros(to.At), pgUUID(to.ID))
	}
	q.page("created_at", filter.From, filter.Until, filter.After, filter.Limit)
	refunds, err := ask(ctx, s.pool, q, scanRefund)
	return refunds, unavailable(err)
}

// RefundsEnd implements [payment.Lists]. The index alone is looked at.
func (s *Store) RefundsEnd(ctx context.Context, tenant payment.TenantID, filter payment.RefundFilter, places int,
) (end payment.Place, found bool, err error) {
	q := &question{}
	q.add(`SELECT created_at, id`)
	q.filterRefunds(tenant, payment.RefundFilter{Batch: filter.Batch})
	q.page("created_at", time.Time{}, filter.Until, filter.After, 1)
	q.add(` OFFSET ?`, places-1)
	ends, err := ask(ctx, s.pool, q, func(r scanner) (place payment.Place, err error) {
		var at int64
		err = r.Scan(&at, &place.ID)
		place.At = row.Time(at)
		return place, err
	})
	if err != nil || len(ends) == 0 {
		return payment.Place{}, false, unavailable(err)
	}
	return ends[0], true, nil
}

// SumRefunds implements [payment.Lists].
func (s *Store) SumRefunds(ctx context.Context, tenant payment.TenantID, filter payment.RefundFilter,
) ([]payment.RefundSum, error) {
	q := &question{}
	q.add(`SELECT currency, status, count(*), sum(amount)::bigint`)
	q.filterRefunds(tenant, filter)
	if !filter.From.IsZero() {
		q.add(` AND created_at >= ?`, row.Micros(filter.From))
	}
	if !filter.Until.IsZero() {
		q.add(` AND created_at <= ?`, row.Micros(filter.Until))
	}
	q.add(` GROUP BY currency, status ORDER BY currency, status`)
	sums, err := ask(ctx, s.pool, q, func(r scanner) (sum payment.RefundSum, err error) {
		return sum, r.Scan(&sum.Currency, &sum.Status, &sum.Count, &sum.Minor)
	})
	return sums, unavailable(err)
}

// UsedReasons implements [payment.Lists].
func (s *Store) UsedReasons(ctx context.Context, tenant payment.TenantID, reasons []string) ([]string, error) {
	rows, err := s.pool.Query(ctx, `SELECT reason FROM (SELECT DISTINCT unnest($2::text[]) AS reason) asked
		WHERE EXISTS (SELECT FROM refund r
			WHERE tenant_id = $1 AND r.reason = asked.reason AND r.reason <> '' AND length(r.reason) <= 255)
		ORDER BY array_position($2::text[], reason)`, pgUUID(tenant), reasons)
	if err != nil {
		return nil, unavailable(err)
	}
	used, err := pgx.CollectRows(rows, pgx.RowTo[string])
	return used, unavailable(err)
}

// ListDisputes implements [payment.Lists].
func (s *Store) ListDisputes(ctx context.Context, tenant payment.TenantID, filter payment.DisputeFilter,
) ([]payment.Dispute, error) {
	q := &question{}
	q.add(`SELECT `+disputeColumns+` FROM dispute WHERE tenant_id = ?`, pgUUID(tenant))
	if !filter.Payment.IsZero() {
		q.add(` AND payment_id = ?`, pgUUID(filter.Payment))
	}
	if len(filter.Kinds) > 0 {
		q.add(` AND kind = ANY(?)`, texts(filter.Kinds))
	}
	if len(filter.Statuses) > 0 {
		q.add(` AND status = ANY(?)`, texts(filter.Statuses))
	}
	if filter.IsDoubleLoss {
		q.add(` AND double_loss > 0 AND kind <> 'inquiry' AND status NOT IN ('won', 'canceled')`)
	}
	q.page("created_at", filter.From, filter.Until, filter.After, filter.Limit)
	disputes, err := ask(ctx, s.pool, q, scanDispute)
	return disputes, unavailable(err)
}

// NamedPayments implements [payment.Lists].
func (s *Store) NamedPayments(ctx context.Context, tenant payment.TenantID, named []payment.PaymentID,
) ([]payment.Payment, error) {
	q := &question{}
	q.add(`SELECT `+paymentColumns+` FROM payment p WHERE tenant_id = ? AND id = ANY(?)`, pgUUID(tenant),
		ids(named, func(id payment.PaymentID) [16]byte { return id }))
	payments, err := ask(ctx, s.pool, q, scanPayment)
	return payments, unavailable(err)
}
