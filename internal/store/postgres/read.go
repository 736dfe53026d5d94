package postgres

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/refundry/refundry/internal/id"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/store/row"
)

const (
	paymentColumns = `p.tenant_id, p.id, order_id, order_status, home, connector, reference, amount, currency, status,
		captured, refunded, reserved, disputed, excess, listed, returned, item_count, failures, expires_at, history,
		detail, version, created_at, updated_at, personal, (SELECT key FROM personal_key k
			WHERE k.tenant_id = p.tenant_id AND k.owner_id = p.id) AS key`
	orderColumns = `o.tenant_id, o.id, o.home, o.status, o.currency, o.amount, o.metadata, o.version, o.created_at,
		o.updated_at, o.personal,
		(SELECT key FROM personal_key k WHERE k.tenant_id = o.tenant_id AND k.owner_id = o.id) AS key,
		coalesce((SELECT erased_at FROM personal_key k WHERE k.tenant_id = o.tenant_id AND k.owner_id = o.id), 0) AS erased_at`
	refundColumns = `tenant_id, r.id, r.payment_id, r.amount, r.currency, r.status, r.source, r.door, r.actor,
		r.reference, r.connector, r.submitted_at, r.history, r.detail, r.version, r.created_at, r.updated_at, r.personal,
		CASE WHEN r.personal IS NOT NULL THEN (SELECT key FROM personal_key k
			WHERE k.tenant_id = r.tenant_id AND k.owner_id = r.payment_id) END,
		CASE WHEN r.persons <> '[]' THEN (SELECT string_agg(uuid_send(owner_id) || key, '') FROM personal_key k
			WHERE k.tenant_id = r.tenant_id AND k.erased_at = 0
				AND k.owner_id IN (SELECT value::uuid FROM jsonb_array_elements_text(r.persons::jsonb))) END`
	attemptColumns = `refund_id, id, number, connector, outcome, started_at, ended_at`
	disputeColumns = `tenant_id, id, payment_id, kind, amount, currency, status, history, connector, processor_ref,
		reason, double_loss, version, created_at, updated_at`
	keyColumns = `k.tenant_id, k.hash, k.fingerprint, k.subject_id, k.payment_id, k.version, k.created_at`
)

// scanner is one row.
type scanner interface{ Scan(into ...any) error }

// each scans all rows.
func each[T any](rows pgx.Rows, scan func(scanner) (T, error), use func(T)) error {
	defer rows.Close()
	for rows.Next() {
		value, err := scan(rows)
		if err != nil {
			return err
		}
		use(value)
	}
	return rows.Err()
}

// raw lets an id of any kind be scanned.
func raw[K id.Kind](i *id.ID[K]) *[16]byte { return (*[16]byte)(i) }

func scanPayment(r scanner) (payment.Payment, error) { return paymentInto(nil)(r) }

// paymentInto scans payments, and gives their keys to a ring.
func paymentInto(ring *row.Ring) func(scanner) (payment.Payment, error) {
	return func(r scanner) (payment.Payment, error) {
		var p payment.Payment
		var order pgtype.UUID
		var history, detail string
		var expires, created, updated int64
		var sealed, key []byte
		if err := r.Scan(raw(&p.Tenant), raw(&p.ID), &order, &p.OrderStatus, &p.Home, &p.Connector, &p.Reference,
			&p.Amount.Minor, &p.Amount.Currency, &p.Status, &p.Captured, &p.Refunded, &p.Reserved, &p.Disputed, &p.Excess,
			&p.Listed, &p.Returned, &p.ItemCount, &p.Failures, &expires, &history, &detail, &p.Version,
			&created, &updated, &sealed, &key); err != nil {
			return p, err
		}
		if order.Valid {
			p.Order = order.Bytes
		}
		p.ExpiresAt, p.CreatedAt, p.UpdatedAt = row.Time(expires), row.Time(created), row.Time(updated)
		var err error
		if p.History, err = row.ParseHistory[payment.PaymentStatus](history); err != nil {
			return p, err
		}
		if !p.ErasedAt().IsZero() {
			key = []byte{} // a statement that waited for the lock may have read it as it was before
		}
		ring.Put(row.Owner{Tenant: p.Tenant, ID: p.ID}, key)
		return p, row.ParsePaymentDetail(detail, key, sealed, &p)
	}
}

func scanOrder(r scanner) (payment.Order, error) { return orderInto(nil)(r) }

// orderInto scans orders, behind the columns that it is given more, and gives
// their keys to a ring.
func orderInto(ring *row.Ring, more ...any) func(scanner) (payment.Order, error) {
	return func(r scanner) (payment.Order, error) {
		var o payment.Order
		var created, updated, erased int64
		var sealed []byte
		var key row.PersonalKey
		if err := r.Scan(append(slices.Clip(more), raw(&o.Tenant), raw(&o.ID), &o.Home, &o.Status, &o.Currency, &o.Amount,
			&o.Metadata, &o.Version, &created, &updated, &sealed, (*[]byte)(&key), &erased)...); err != nil {
			return o, err
		}
		o.CreatedAt, o.UpdatedAt, o.ErasedAt = row.Time(created), row.Time(updated), row.Time(erased)
		ring.Put(row.Owner{Tenant: o.Tenant, ID: o.ID}, key)
		return o, key.OpenOrder(&o, sealed)
	}
}

func scanRefund(s scanner) (payment.Refund, error) {
	var r payment.Refund
	var history, detail string
	var submitted, created, updated int64
	var sealed, key, joined []byte
	if err := s.Scan(raw(&r.Tenant), raw(&r.ID), raw(&r.Payment), &r.Amount.Minor, &r.Amount.Currency, &r.Status,
		&r.Source, &r.Door, &r.Actor, &r.Reference, &r.Connector, &submitted, &history, &detail, &r.Version, &created,
		&updated, &sealed, &key, &joined); err != nil {
		return r, err
	}
	r.SubmittedAt, r.CreatedAt, r.UpdatedAt = row.Time(submitted), row.Time(created), row.Time(updated)
	persons, err := row.ParsePersonKeys(joined)
	if err != nil {
		return r, err
	}
	if r.History, err = row.ParseHistory[payment.RefundStatus](history); err != nil {
		return r, err
	}
	return r, row.ParseRefundDetail(detail, key, sealed, persons, &r)
}

func scanAttempt(r scanner) (payment.Attempt, error) {
	var a payment.Attempt
	var started, ended int64
	err := r.Scan(raw(&a.Refund), raw(&a.ID), &a.Number, &a.Connector, &a.Outcome, &started, &ended)
	a.StartedAt, a.EndedAt = row.Time(started), row.Time(ended)
	return a, err
}

func scanKey(r scanner) (payment.KeyRecord, error) {
	var k payment.KeyRecord
	var at int64
	err := r.Scan(raw(&k.Tenant), (*[16]byte)(&k.Hash), (*[16]byte)(&k.Fingerprint), &k.Subject, raw(&k.Payment), &k.Version, &at)
	k.At = row.Time(at)
	return k, err
}

// byPayment is the views of a question, by tenant and payment.
type byPayment = map[[2][16]byte]*payment.View

func readOrders(rows pgx.Rows, views byPayment) error {
	var of [16]byte
	return each(rows, orderInto(nil, &of), func(o payment.Order) { views[[2][16]byte{o.Tenant, of}].Order = o })
}

func readCaptures(rows pgx.Rows, views byPayment) error {
	var tenant, of [16]byte
	return each(rows, func(r scanner) (c payment.Capture, err error) {
		var history string
		if err = r.Scan(&tenant, &of, raw(&c.ID), &c.Amount, &c.IsFinal, &c.Status, &history, &c.Reserved,
			&c.Refunded); err != nil {
			return c, err
		}
		c.History, err = row.ParseHistory[payment.CaptureStatus](history)
		return c, err
	}, func(c payment.Capture) {
		view := views[[2][16]byte{tenant, of}]
		view.Captures = append(view.Captures, c)
	})
}

func readItems(rows pgx.Rows, views byPayment) error {
	var tenant, of [16]byte
	return each(rows, func(r scanner) (i row.Item, err error) {
		var tags string
		reserved, refunded := &i.Totals.Reserved, &i.Totals.Refunded
		var sealed []byte
		var key row.PersonalKey
		if err = r.Scan(&tenant, &of, &i.Position, &i.Name, &i.Quantity, &i.UnitAmount, &i.TaxRate, &i.Tax, &i.Total,
			&i.Merchant, &i.Metadata, &tags, &i.Since, &i.Until, &i.CameBack, &reserved.Quantity,
			&reserved.Amount, &reserved.Tax, &refunded.Quantity, &refunded.Amount, &refunded.Tax, &sealed, (*[]byte)(&key),
		); err != nil {
			return i, err
		}
		if err = key.OpenItem(of, &i.Item, sealed); err != nil {
			return i, err
		}
		i.Tags, err = row.ParseTexts[string](tags)
		return i, err
	}, func(i row.Item) {
		view := views[[2][16]byte{tenant, of}]
		i.Totals.Position = i.Position
		view.Items, view.LineTotals = append(view.Items, i.Item), append(view.LineTotals, i.Totals)
	})
}

func readRefunds(rows pgx.Rows, views byPayment) error {
	return each(rows, scanRefund, func(r payment.Refund) {
		view := views[[2][16]byte{r.Tenant, r.Payment}]
		view.Refunds = append(view.Refunds, r)
	})
}

func scanDispute(r scanner) (d payment.Dispute, err error) {
	var history string
	var created, updated int64
	if err = r.Scan(raw(&d.Tenant), raw(&d.ID), raw(&d.Payment), &d.Kind, &d.Amount.Minor, &d.Amount.Currency,
		&d.Status, &history, &d.Connector, &d.ProcessorRef, &d.Reason, &d.DoubleLoss, &d.Version, &created, &updated,
	); err != nil {
		return d, err
	}
	d.CreatedAt, d.UpdatedAt = row.Time(created), row.Time(updated)
	d.History, err = row.ParseHistory[payment.DisputeStatus](history)
	return d, err
}

func readDisputes(rows pgx.Rows, views byPayment) error {
	return each(rows, scanDispute, func(d payment.Dispute) {
		view := views[[2][16]byte{d.Tenant, d.Payment}]
		view.Disputes = append(view.Disputes, d)
	})
}

func readFacets(rows pgx.Rows, views byPayment) error {
	var tenant, of [16]byte
	return each(rows, facetBehind(&tenant, &of), func(f payment.Facet) {
		if view := views[[2][16]byte{tenant, of}]; len(f.Body) > 0 {
			view.Facets = append(view.Facets, f)
		}
	})
}

// facetColumns is what of a facet is read. One without a body was erased.
const facetColumns = `subject_id, door, version, body, personal, (SELECT key FROM personal_key k
	WHERE k.tenant_id = facet.tenant_id AND k.owner_id = facet.payment_id)`

// facetBehind scans facetColumns behind the columns that it is given.
func facetBehind(columns ...any) func(scanner) (payment.Facet, error) {
	return func(r scanner) (f payment.Facet, err error) {
		var sealed []byte
		var key row.PersonalKey
		if err = r.Scan(append(slices.Clip(columns), &f.Subject, &f.Door, &f.Version, &f.Body, &sealed,
			(*[]byte)(&key))...); err != nil {
			return f, err
		}
		return f, key.OpenFacet(&f, sealed)
	}
}

// View implements [payment.Reader].
func (s *Store) View(ctx context.Context, tenant payment.TenantID, id payment.PaymentID) (payment.View, error) {
	return s.view(ctx, tenant, id, payment.PartAll)
}

// view reads a payment and some of its parts, with refunds that are named and
// their attempts.
func (s *Store) view(ctx context.Context, tenant payment.TenantID, id payment.PaymentID, parts payment.Parts,
	named ...payment.RefundID,
) (payment.View, error) {
	var seen func() (payment.View, error)
	err := s.glance(ctx, func(pipe *pgx.Batch) { seen = queueView(pipe, tenant, id, parts, named...) })
	if err != nil {
		return payment.View{}, err
	}
	return seen()
}

// Needed implements [payment.Reader].
func (s *Store) Needed(ctx context.Context, need payment.Need, tenant *payment.Tenant, now time.Time,
) (view payment.View, err error) {
	err = s.snapshot(ctx, func(tx pgx.Tx) error {
		view.Payment, err = scanPayment(tx.QueryRow(ctx, `SELECT `+paymentColumns+` FROM payment p
			WHERE tenant_id = $1 AND id = $2`, pgUUID(need.Tenant), pgUUID(need.Payment)))
		if errors.Is(err, pgx.ErrNoRows) {
			return payment.NoSuch("payment")
		}
		if err != nil {
			return err
		}
		view.Parts = need.Widen(view.Payment)
		parts := &partsWanted{}
		var named []payment.RefundID
		if !need.Refund.IsZero() {
			named = append(named, need.Refund)
		}
		parts.add(&view, named)
		parts.since(&view, need.Since(tenant, now))
		return parts.load(ctx, tx)
	})
	return view, err
}

// queueView queues what reads a payment and some of its parts, with refunds that
// are named and their attempts. What it returns has them when the pipeline has run.
func queueView(pipe *pgx.Batch, tenant payment.TenantID, id payment.PaymentID, parts payment.Parts,
	named ...payment.RefundID,
) (seen func() (payment.View, error)) {
	view := &payment.View{Payment: payment.Payment{Tenant: tenant, ID: id}, Parts: parts}
	wanted := &partsWanted{}
	wanted.add(view, named)
	isThere := false
	pipe.Queue(`SELECT `+paymentColumns+` FROM payment p WHERE tenant_id = $1 AND id = $2`, pgUUID(tenant), pgUUID(id)).
		Query(func(rows pgx.Rows) error {
			return each(rows, scanPayment, func(p payment.Payment) { view.Payment, isThere = p, true })
		})
	wanted.queue(pipe)
	return func() (payment.View, error) {
		if !isThere {
			return payment.View{}, payment.NoSuch("payment")
		}
		return *view, nil
	}
}

// ViewOfRefund implements [payment.Reader].
func (s *Store) ViewOfRefund(ctx context.Context, tenant payment.TenantID, id payment.RefundID) (payment.View, error) {
	return s.viewOf(ctx, tenant, paymentOfRefund, id, "refund", payment.PartAll, id)
}

const paymentOfRefund = `SELECT payment_id FROM refund WHERE tenant_id = $1 AND id = $2`

// Refund implements [payment.Reader].
func (s *Store) Refund(ctx context.Context, tenant payment.TenantID, id payment.RefundID) (payment.View, error) {
	return s.viewOf(ctx, tenant, paymentOfRefund, id, "refund", payment.PartNone, id)
}

// ViewOfDispute implements [payment.Reader].
func (s *Store) ViewOfDispute(ctx context.Context, tenant payment.TenantID, id payment.DisputeID,
) (payment.View, error) {
	return s.viewOf(ctx, tenant, `SELECT payment_id FROM dispute WHERE tenant_id = $1 AND id = $2`, id, "dispute",
		payment.PartAll)
}

func (s *Store) viewOf(ctx context.Context, tenant payment.TenantID, query string, id [16]byte, noun string,
	parts payment.Parts, named ...payment.RefundID,
) (view payment.View, err error) {
	var of payment.PaymentID // which never changes
	err = s.pool.QueryRow(ctx, query, pgUUID(tenant), pgUUID(id)).Scan(raw(&of))
	if errors.Is(err, pgx.ErrNoRows) {
		return view, payment.NoSuch(noun)
	}
	if err != nil {
		return view, unavailable(err)
	}
	return s.view(ctx, tenant, of, parts, named...)
}

// Order implements [payment.Reader].
func (s *Store) Order(ctx context.Context, tenant payment.TenantID, id payment.OrderID,
) (order payment.Order, facets []payment.Facet, err error) {
	err = s.snapshot(ctx, func(tx pgx.Tx) (err error) {
		order, err = scanOrder(tx.QueryRow(ctx, `SELECT `+orderColumns+` FROM payment_order o
			WHERE tenant_id = $1 AND id = $2`, pgUUID(tenant), pgUUID(id)))
		if errors.Is(err, pgx.ErrNoRows) {
			return payment.NoSuch("order")
		}
		if err != nil {
			return err
		}
		rows, err := tx.Query(ctx, `SELECT `+facetColumns+` FROM facet
			WHERE tenant_id = $1 AND payment_id = $2 ORDER BY version`, pgUUID(tenant), pgUUID(id))
		if err != nil {
			return err
		}
		return each(rows, facetBehind(), func(f payment.Facet) {
			if len(f.Body) > 0 {
				facets = append(facets, f)
			}
		})
	})
	return order, facets, err
}

// Find implements [payment.Reader].
func (s *Store) Find(ctx context.Context, tenant payment.TenantID, alias payment.Alias,
) (subject [16]byte, found bool, err error) {
	err = s.pool.QueryRow(ctx, `SELECT subject_id FROM alias WHERE tenant_id = $1 AND kind = $2 AND value = $3`,
		pgUUID(tenant), alias.Kind, alias.Value).Scan(&subject)
	if errors.Is(err, pgx.ErrNoRows) {
		return subject, false, nil
	}
	return subject, err == nil, unavailable(err)
}

// Key implements [payment.Reader].
func (s *Store) Key(ctx context.Context, tenant payment.TenantID, hash payment.KeyHash) (*payment.KeyRecord, error) {
	record, err := scanKey(s.pool.QueryRow(ctx, `SELECT `+keyColumns+` FROM idempotency_key k
		WHERE k.tenant_id = $1 AND k.hash = $2`, pgUUID(tenant), pgUUID(hash)))
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil //nolint:nilnil // the contract of payment.Reader
	}
	if err != nil {
		return nil, unavailable(err)
	}
	return &record, nil
}

// pgUUID is one id as an argument.
func pgUUID[T ~[16]byte](id T) pgtype.UUID { return pgtype.UUID{Bytes: id, Valid: true} }
