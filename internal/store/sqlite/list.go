package sqlite

import (
	"context"
	"strings"
	"time"

	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/store/row"
)

// question is a statement that has the conditions of a filter, and no others:
// each kind of question gets a plan of its own.
type question struct {
	text strings.Builder
	args []any
}

func (q *question) add(text string, args ...any) {
	q.text.WriteString(text)
	q.args = append(q.args, args...)
}

// page asks for rows from one time until another, the newest first, behind a place.
func (q *question) page(column string, from, until time.Time, after payment.Place, limit int) {
	if !from.IsZero() {
		q.add(` AND `+column+` >= ?`, row.Micros(from))
	}
	if start := row.Start(after, until); !start.At.IsZero() {
		q.add(` AND (`+column+`, id) < (?, ?)`, row.Micros(start.At), start.ID[:])
	}
	q.add(` ORDER BY `+column+` DESC, id DESC LIMIT ?`, limit)
}

// ask asks a question and scans all rows of the answer.
func ask[T any](c *conn, q *question, scan func(*cells) (T, error)) ([]T, error) {
	var all []T
	err := c.query(q.text.String(), q.args, func(r *cells) error {
		value, err := scan(r)
		all = append(all, value)
		return err
	})
	return all, err
}

// sure is a scan that cannot fail but by the cells themselves.
func sure[T any](scan func(*cells) T) func(*cells) (T, error) {
	return func(r *cells) (T, error) { return scan(r), nil }
}

// Payments implements [payment.Reader].
func (s *Store) Payments(_ context.Context, tenant payment.TenantID, filter payment.PaymentFilter,
) (views []payment.View, err error) {
	q := &question{}
	// The index is named: without statistics SQLite would rather walk through
	// all of a tenant's payments than sort an order's few.
	by := "payment_by_time"
	switch {
	case !filter.Order.IsZero():
		by = "payment_by_order"
	case filter.Reference != "":
		by = "payment_by_reference"
	}
	q.add(`SELECT `+paymentColumns+` FROM payment INDEXED BY `+by+` WHERE tenant_id = ?`, ident(tenant))
	if !filter.Order.IsZero() {
		q.add(` AND order_id = ?`, ident(filter.Order))
	}
	if filter.Reference != "" {
		q.add(` AND reference = ? AND reference <> '' AND length(reference) <= 255`, filter.Reference)
	}
	if filter.Home != "" {
		q.add(` AND home = ?`, string(filter.Home))
	}
	if len(filter.Statuses) > 0 {
		q.add(` AND status IN (SELECT value FROM json_each(?))`, row.Texts(filter.Statuses))
	}
	q.page("created_at", filter.From, filter.Until, filter.After, filter.Limit)
	err = s.snapshot(func(c *conn) error {
		payments, err := ask(c, q, scanPayment)
		if err != nil {
			return err
		}
		views = make([]payment.View, len(payments))
		for i, p := range payments {
			views[i] = payment.View{Payment: p, Parts: filter.Parts}
			if err := loadParts(c, &views[i]); err != nil {
				return err
			}
		}
		return nil
	})
	return views, err
}

// Orders implements [payment.Reader].
func (s *Store) Orders(_ context.Context, tenant payment.TenantID, filter payment.OrderFilter,
) (views []payment.OrderView, err error) {
	q := &question{}
	q.add(`SELECT `+orderColumns+` FROM payment_order WHERE tenant_id = ?`, ident(tenant))
	if filter.Home != "" {
		q.add(` AND home = ?`, string(filter.Home))
	}
	if len(filter.Statuses) > 0 {
		q.add(` AND status IN (SELECT value FROM json_each(?))`, row.Texts(filter.Statuses))
	}
	q.page("created_at", filter.From, filter.Until, filter.After, filter.Limit)
	err = s.snapshot(func(c *conn) error {
		orders, err := ask(c, q, scanOrder)
		if err != nil {
			return err
		}
		views = make([]payment.OrderView, len(orders))
		for i, order := range orders {
			views[i].Order = order
			if views[i].Facets, err = listFacets(c, tenant, order.ID); err != nil {
				return err
			}
		}
		return nil
	})
	return views, err
}

const payoutColumns = `tenant_id, id, order_id, merchant, amount, currency, at`

func scanPayout(r *cells) payment.Payout {
	return payment.Payout{
		Tenant: r.uuid(), ID: r.uuid(), Order: r.uuid(), Merchant: r.text(),
		Amount: row.Amount(r.int(), r.text()), At: row.Time(r.int()),
	}
}

// Payouts implements [payment.Reader].
func (s *Store) Payouts(_ context.Context, tenant payment.TenantID, filter payment.PayoutFilter,
) (payouts []payment.Payout, err error) {
	q := &question{}
	switch {
	case !filter.ID.IsZero():
		q.add(`SELECT `+payoutColumns+` FROM payout WHERE tenant_id = ? AND id = ?`, ident(tenant), ident(filter.ID))
	case !filter.Order.IsZero():
		q.add(`SELECT `+payoutColumns+` FROM payout INDEXED BY payout_by_order WHERE tenant_id = ?`, ident(tenant))
	default:
		q.add(`SELECT `+payoutColumns+` FROM payout INDEXED BY payout_by_time WHERE tenant_id = ?`, ident(tenant))
	}
	if !filter.Order.IsZero() {
		q.add(` AND order_id = ?`, ident(filter.Order))
	}
	q.page("at", filter.From, filter.Until, filter.After, filter.Limit)
	err = s.read(func(c *conn) error {
		payouts, err = ask(c, q, sure(scanPayout))
		return err
	})
	return payouts, err
}

const resourceColumns = `tenant_id, door, kind, id, body, created_at`

func scanResource(r *cells) payment.Resource {
	return payment.Resource{
		Tenant: r.uuid(), Door: payment.Door(r.text()), Kind: payment.ResourceKind(r.text()), ID: r.uuid(),
		Body: r.bytes(), CreatedAt: row.Time(r.int()),
	}
}

// Resource implements [payment.Reader].
func (s *Store) Resource(_ context.Context, tenant payment.TenantID, door payment.Door, kind payment.ResourceKind,
	id payment.ResourceID,
) (found payment.Resource, err error) {
	err = s.read(func(c *conn) error {
		const query = `SELECT ` + resourceColumns + ` FROM resource
			WHERE tenant_id = ? AND door = ? AND kind = ? AND id = ?`
		return c.query(query, []any{ident(tenant), string(door), string(kind), ident(id)}, func(r *cells) error {
			found = scanResource(r)
			return nil
		})
	})
	if err == nil && found.Tenant.IsZero() {
		err = payment.NoSuch("resource")
	}
	return found, err
}

// Resources implements [payment.Reader].
func (s *Store) Resources(_ context.Context, tenant payment.TenantID, door payment.Door, kind payment.ResourceKind,
	before payment.ResourceID, limit int,
) (resources []payment.Resource, err error) {
	q := &question{}
	q.add(`SELECT `+resourceColumns+` FROM resource WHERE tenant_id = ? AND door = ? AND kind = ?`,
		ident(tenant), string(door), string(kind))
	if !before.IsZero() {
		q.add(` AND id < ?`, ident(before))
	}
	q.add(` ORDER BY id DESC LIMIT ?`, limit)
	err = s.read(func(c *conn) error {
		resources, err = ask(c, q, sure(scanResource))
		return err
	})
	return resources, err
}

// Refunds returns refunds as they are now, whosever they are, in any order.
// Those that there are not are left out.
func (s *Store) Refunds(_ context.Context, refs []payment.RefundRef) (refunds []payment.Refund, err error) {
	err = s.snapshot(func(c *conn) error {
		asked := make(map[payment.RefundRef]bool, len(refs))
		for _, ref := range refs {
			if asked[ref] {
				continue
			}
			asked[ref] = true
			refund, found, err := findRefund(c, ref.Tenant, ref.ID)
			if err != nil {
				return err
			}
			if found {
				refunds = append(refunds, refund)
			}
		}
		return nil
	})
	return refunds, err
}
