package postgres

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/store/row"
)

// question is a statement that has the conditions of a filter, and no others:
// each kind of question gets a plan of its own.
type question struct {
	text strings.Builder
	args []any
}

// add adds text in which each ? is the next of args.
func (q *question) add(text string, args ...any) {
	for _, arg := range args {
		q.args = append(q.args, arg)
		text = strings.Replace(text, "?", "$"+strconv.Itoa(len(q.args)), 1)
	}
	q.text.WriteString(text)
}

// page asks for rows from one time until another, the newest first, behind a place.
func (q *question) page(column string, from, until time.Time, after payment.Place, limit int) {
	if !from.IsZero() {
		q.add(` AND `+column+` >= ?`, row.Micros(from))
	}
	if start := row.Start(after, until); !start.At.IsZero() {
		q.add(` AND (`+column+`, id) < (?, ?)`, row.Micros(start.At), pgUUID(start.ID))
	}
	q.add(` ORDER BY `+column+` DESC, id DESC LIMIT ?`, limit)
}

// ask asks a question and scans all rows of the answer.
func ask[T any](ctx context.Context, db querier, q *question, scan func(scanner) (T, error)) ([]T, error) {
	rows, err := db.Query(ctx, q.text.String(), q.args...)
	if err != nil {
		return nil, err
	}
	var all []T
	err = each(rows, scan, func(value T) { all = append(all, value) })
	return all, err
}

// texts is a list of texts as an argument.
func texts[S ~string](list []S) []string { return col(list, func(s S) string { return string(s) }) }

// Payments implements [payment.Reader].
func (s *Store) Payments(ctx context.Context, tenant payment.TenantID, filter payment.PaymentFilter,
) (views []payment.View, err error) {
	q := &question{}
	q.add(`SELECT `+paymentColumns+` FROM payment p WHERE tenant_id = ?`, pgUUID(tenant))
	if !filter.Order.IsZero() {
		q.add(` AND order_id = ?`, pgUUID(filter.Order))
	}
	if filter.Reference != "" {
		q.add(` AND reference = ? AND reference <> '' AND length(reference) <= 255`, filter.Reference)
	}
	if filter.Home != "" {
		q.add(` AND home = ?`, string(filter.Home))
	}
	if len(filter.Statuses) > 0 {
		q.add(` AND status = ANY(?)`, texts(filter.Statuses))
	}
	q.page("created_at", filter.From, filter.Until, filter.After, filter.Limit)
	err = s.snapshot(ctx, func(tx pgx.Tx) error {
		payments, err := ask(ctx, tx, q, scanPayment)
		if err != nil {
			return err
		}
		wanted := &partsWanted{}
		views = make([]payment.View, len(payments))
		for i, p := range payments {
			views[i] = payment.View{Payment: p, Parts: filter.Parts}
			wanted.add(&views[i], nil)
		}
		return wanted.load(ctx, tx)
	})
	return views, err
}

// Orders implements [payment.Reader].
func (s *Store) Orders(ctx context.Context, tenant payment.TenantID, filter payment.OrderFilter,
) (views []payment.OrderView, err error) {
	q := &question{}
	q.add(`SELECT `+orderColumns+` FROM payment_order o WHERE tenant_id = ?`, pgUUID(tenant))
	if filter.Home != "" {
		q.add(` AND home = ?`, string(filter.Home))
	}
	if len(filter.Statuses) > 0 {
		q.add(` AND status = ANY(?)`, texts(filter.Statuses))
	}
	q.page("created_at", filter.From, filter.Until, filter.After, filter.Limit)
	err = s.snapshot(ctx, func(tx pgx.Tx) error {
		orders, err := ask(ctx, tx, q, scanOrder)
		if err != nil {
			return err
		}
		views = make([]payment.OrderView, len(orders))
		for i, order := range orders {
			views[i].Order = order
		}
		return loadOrderFacets(ctx, tx, views)
	})
	return views, err
}

// loadOrderFacets reads what doors keep of orders.
func loadOrderFacets(ctx context.Context, tx pgx.Tx, views []payment.OrderView) error {
	byOrder := make(map[[16]byte]*payment.OrderView, len(views))
	for i := range views {
		byOrder[views[i].Order.ID] = &views[i]
	}
	if len(views) == 0 {
		return nil
	}
	rows, err := tx.Query(ctx, `SELECT payment_id, `+facetColumns+wantPayments+
		`facet USING (tenant_id, payment_id) ORDER BY version`,
		ids(views, func(v payment.OrderView) [16]byte { return v.Order.Tenant }),
		ids(views, func(v payment.OrderView) [16]byte { return v.Order.ID }))
	if err != nil {
		return err
	}
	var of [16]byte
	return each(rows, facetBehind(&of), func(f payment.Facet) {
		if len(f.Body) > 0 {
			byOrder[of].Facets = append(byOrder[of].Facets, f)
		}
	})
}

const payoutColumns = `tenant_id, id, order_id, merchant, amount, currency, at`

func scanPayout(r scanner) (p payment.Payout, err error) {
	var at int64
	err = r.Scan(raw(&p.Tenant), raw(&p.ID), raw(&p.Order), &p.Merchant, &p.Amount.Minor, &p.Amount.Currency, &at)
	p.At = row.Time(at)
	return p, err
}

// Payouts implements [payment.Reader].
func (s *Store) Payouts(ctx context.Context, tenant payment.TenantID, filter payment.PayoutFilter,
) ([]payment.Payout, error) {
	q := &question{}
	q.add(`SELECT `+payoutColumns+` FROM payout WHERE tenant_id = ?`, pgUUID(tenant))
	if !filter.ID.IsZero() {
		q.add(` AND id = ?`, pgUUID(filter.ID))
	}
	if !filter.Order.IsZero() {
		q.add(` AND order_id = ?`, pgUUID(filter.Order))
	}
	q.page("at", filter.From, filter.Until, filter.After, filter.Limit)
	payouts, err := ask(ctx, s.pool, q, scanPayout)
	return payouts, unavailable(err)
}

const resourceColumns = `tenant_id, door, kind, id, body, created_at`

func scanResource(r scanner) (found payment.Resource, err error) {
	var created int64
	err = r.Scan(raw(&found.Tenant), &found.Door, &found.Kind, raw(&found.ID), &found.Body, &created)
	found.CreatedAt = row.Time(created)
	return found, err
}

// Resource implements [payment.Reader].
func (s *Store) Resource(ctx context.Context, tenant payment.TenantID, door payment.Door, kind payment.ResourceKind,
	id payment.ResourceID,
) (payment.Resource, error) {
	found, err := scanResource(s.pool.QueryRow(ctx, `SELECT `+resourceColumns+` FROM resource
		WHERE tenant_id = $1 AND door = $2 AND kind = $3 AND id = $4`, pgUUID(tenant), string(door), string(kind), pgUUID(id)))
	if errors.Is(err, pgx.ErrNoRows) {
		return payment.Resource{}, payment.NoSuch("resource")
	}
	return found, unavailable(err)
}

// Resources implements [payment.Reader].
func (s *Store) Resources(ctx context.Context, tenant payment.TenantID, door payment.Door, kind payment.ResourceKind,
	before payment.ResourceID, limit int,
) ([]payment.Resource, error) {
	q := &question{}
	q.add(`SELECT `+resourceColumns+` FROM resource WHERE tenant_id = ? AND door = ? AND kind = ?`,
		pgUUID(tenant), string(door), string(kind))
	if !before.IsZero() {
		q.add(` AND id < ?`, pgUUID(before))
	}
	q.add(` ORDER BY id DESC LIMIT ?`, limit)
	resources, err := ask(ctx, s.pool, q, scanResource)
	return resources, unavailable(err)
}

// Refunds returns refunds as they are now, whosever they are, in any order.
// Those that there are not are left out.
func (s *Store) Refunds(ctx context.Context, refs []payment.RefundRef) ([]payment.Refund, error) {
	if len(refs) == 0 {
		return nil, nil
	}
	q := &question{}
	q.add(`SELECT `+refundColumns+` FROM (SELECT DISTINCT * FROM unnest(?::uuid[], ?::uuid[]) AS asked (tenant_id, id)) want
		JOIN refund r USING (tenant_id, id)`,
		ids(refs, func(r payment.RefundRef) [16]byte { return r.Tenant }),
		ids(refs, func(r payment.RefundRef) [16]byte { return r.ID }))
	refunds, err := ask(ctx, s.pool, q, scanRefund)
	return refunds, unavailable(err)
}
