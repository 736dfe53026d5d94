package sqlite

import (
	"context"
	"slices"
	"time"

	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/store/row"
)

// filterRefunds adds which refunds are asked for, and by which index they are
// found: without statistics SQLite would often take another.
func (q *question) filterRefunds(tenant payment.TenantID, f payment.RefundFilter) {
	switch {
	case !f.Payment.IsZero():
		q.add(` FROM refund INDEXED BY refund_by_payment WHERE tenant_id = ? AND payment_id = ?`, ident(tenant), ident(f.Payment))
	case !f.Group.IsZero():
		q.add(` FROM refund INDEXED BY refund_by_group WHERE tenant_id = ?`, ident(tenant))
	case !f.Batch.IsZero():
		q.add(` FROM refund INDEXED BY refund_by_batch WHERE tenant_id = ?`, ident(tenant))
	case f.Reference != "":
		q.add(` FROM refund INDEXED BY refund_by_reference WHERE tenant_id = ?`, ident(tenant))
	case f.NeedsReview != nil && *f.NeedsReview:
		q.add(` FROM refund INDEXED BY refund_to_review WHERE tenant_id = ?`, ident(tenant))
	default:
		q.add(` FROM refund INDEXED BY refund_by_time WHERE tenant_id = ?`, ident(tenant))
	}
	if !f.Group.IsZero() {
		q.add(` AND group_id = ?`, ident(f.Group))
	}
	if !f.Batch.IsZero() {
		q.add(` AND batch_id = ?`, ident(f.Batch))
	}
	if f.Reference != "" {
		q.add(` AND reference = ? AND reference <> '' AND length(reference) <= 255`, f.Reference)
	}
	if f.NeedsReview != nil {
		q.add(map[bool]string{true: ` AND needs_review = 1`, false: ` AND needs_review = 0`}[*f.NeedsReview])
	}
	if len(f.Statuses) > 0 {
		q.add(` AND status IN (SELECT value FROM json_each(?))`, row.Texts(f.Statuses))
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
func (s *Store) ListRefunds(_ context.Context, tenant payment.TenantID, filter payment.RefundFilter,
) (refunds []payment.Refund, err error) {
	q := &question{}
	q.add(`SELECT ` + refundColumns)
	q.filterRefunds(tenant, filter)
	if to := filter.To; to != (payment.Place{}) {
		q.add(` AND (created_at, id) >= (?, ?)`, row.Micros(to.At), to.ID[:])
	}
	q.page("created_at", filter.From, filter.Until, filter.After, filter.Limit)
	err = s.read(func(c *conn) error {
		refunds, err = ask(c, q, scanRefund)
		return err
	})
	return refunds, err
}

// RefundsEnd implements [payment.Lists]. The index alone is looked at.
func (s *Store) RefundsEnd(_ context.Context, tenant payment.TenantID, filter payment.RefundFilter, places int,
) (end payment.Place, found bool, err error) {
	q := &question{}
	q.add(`SELECT created_at, id`)
	q.filterRefunds(tenant, payment.RefundFilter{Batch: filter.Batch})
	q.page("created_at", time.Time{}, filter.Until, filter.After, 1)
	q.add(` OFFSET ?`, places-1)
	err = s.read(func(c *conn) error {
		return c.query(q.text.String(), q.args, func(r *cells) error {
			end, found = payment.Place{At: row.Time(r.int()), ID: r.uuid()}, true
			return nil
		})
	})
	return end, found, err
}

// SumRefunds implements [payment.Lists].
func (s *Store) SumRefunds(_ context.Context, tenant payment.TenantID, filter payment.RefundFilter,
) (sums []payment.RefundSum, err error) {
	q := &question{}
	q.add(`SELECT currency, status, count(*), sum(amount)`)
	q.filterRefunds(tenant, filter)
	if !filter.From.IsZero() {
		q.add(` AND created_at >= ?`, row.Micros(filter.From))
	}
	if !filter.Until.IsZero() {
		q.add(` AND created_at <= ?`, row.Micros(filter.Until))
	}
	q.add(` GROUP BY currency, status ORDER BY currency, status`)
	err = s.read(func(c *conn) error {
		sums, err = ask(c, q, sure(func(r *cells) payment.RefundSum {
			return payment.RefundSum{
				Currency: money.Currency(r.text()), Status: payment.RefundStatus(r.text()), Count: r.int(), Minor: r.int(),
			}
		}))
		return err
	})
	return sums, err
}

// UsedReasons implements [payment.Lists].
func (s *Store) UsedReasons(_ context.Context, tenant payment.TenantID, reasons []string) (used []string, err error) {
	err = s.snapshot(func(c *conn) error {
		for _, reason := range reasons {
			const query = `SELECT 1 FROM refund INDEXED BY refund_by_reason
				WHERE tenant_id = ? AND reason = ? AND reason <> '' AND length(reason) <= 255 LIMIT 1`
			err := c.query(query, []any{ident(tenant), reason}, func(*cells) error {
				if !slices.Contains(used, reason) {
					used = append(used, reason)
				}
				return nil
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	return used, err
}

// ListDisputes implements [payment.Lists].
func (s *Store) ListDisputes(_ context.Context, tenant payment.TenantID, filter payment.DisputeFilter,
) (disputes []payment.Dispute, err error) {
	q := &question{}
	if filter.Payment.IsZero() {
		q.add(`SELECT `+disputeColumns+` FROM dispute INDEXED BY dispute_by_time WHERE tenant_id = ?`, ident(tenant))
	} else {
		q.add(`SELECT `+disputeColumns+` FROM dispute INDEXED BY dispute_by_payment WHERE tenant_id = ? AND payment_id = ?`,
			ident(tenant), ident(filter.Payment))
	}
	if len(filter.Kinds) > 0 {
		q.add(` AND kind IN (SELECT value FROM json_each(?))`, row.Texts(filter.Kinds))
	}
	if len(filter.Statuses) > 0 {
		q.add(` AND status IN (SELECT value FROM json_each(?))`, row.Texts(filter.Statuses))
	}
	if filter.IsDoubleLoss {
		q.add(` AND double_loss > 0 AND kind <> 'inquiry' AND status NOT IN ('won', 'canceled')`)
	}
	q.page("created_at", filter.From, filter.Until, filter.After, filter.Limit)
	err = s.read(func(c *conn) error {
		disputes, err = ask(c, q, scanDispute)
		return err
	})
	return disputes, err
}

// NamedPayments implements [payment.Lists].
func (s *Store) NamedPayments(_ context.Context, tenant payment.TenantID, named []payment.PaymentID,
) (payments []payment.Payment, err error) {
	err = s.snapshot(func(c *conn) error {
		asked := make(map[payment.PaymentID]bool, len(named))
		for _, id := range named {
			if asked[id] {
				continue
			}
			asked[id] = true
			found, ok, err := findPayment(c, tenant, id)
			if err != nil {
				return err
			}
			if ok {
				payments = append(payments, found)
			}
		}
		return nil
	})
	return payments, err
}
