package postgres

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/refundry/refundry/internal/engine"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/store/row"
)

// errVersion means that a locked row was not as it was read: a bug.
var errVersion = errors.New("a locked row has changed since it was read")

// save writes what a batch changed in one pipeline: rows of a table together,
// tables in one order everywhere. It returns the keys of the persons whom it
// names, which are asked for before: names are sealed under them.
func (c *commit) save(ctx context.Context, book *payment.Book, facts []row.Facts) (map[row.Owner]row.PersonalKey, error) {
	w, changes := &writer{ring: c.ring}, &book.Changes
	keys, err := c.personKeys(ctx, row.Persons(facts, row.PersonsNamed(changes)...))
	if err != nil {
		return nil, err
	}
	w.ring.PutPersons(keys)
	w.personalKeys(changes)
	w.orders(changes.Orders)
	w.payments(changes.Views)
	w.parts(changes.Views)
	w.keys(changes.Keys)
	w.aliases(changes.Aliases)
	w.facets(changes.Facets)
	w.resources(row.Resources(changes.Resources))
	w.removed(changes.Removed)
	w.payouts(changes.Payouts)
	w.deliveries(changes.Deliveries)
	w.finish(changes.Finished)
	w.jobs(changes.Tasks, c.store.config.Lease.Microseconds())
	w.hurry(row.Hurries(changes.Deliveries), row.Micros(book.Now))
	w.counters(row.Counters(changes.Counters))
	if err := w.ring.Err(); err != nil || w.pipe.Len() == 0 {
		return keys, err
	}
	return keys, c.send(ctx, &w.pipe)
}

// personKeys returns the keys of persons. A commit that names nobody asks for none.
func (c *commit) personKeys(ctx context.Context, persons []row.Owner) (map[row.Owner]row.PersonalKey, error) {
	w := &writer{}
	keys, err := w.persons(persons, c.store.config.Random)
	if err != nil || keys == nil {
		return nil, err
	}
	return keys, c.send(ctx, &w.pipe)
}

// writer queues statements.
type writer struct {
	pipe pgx.Batch
	ring *row.Ring // personal keys of what is being written
}

// exactly queues a statement that must change n rows; otherwise it fails with err.
func (w *writer) exactly(n int, err error, query string, args ...any) {
	w.pipe.Queue(query, args...).Exec(func(tag pgconn.CommandTag) error {
		if tag.RowsAffected() != int64(n) {
			return err
		}
		return nil
	})
}

func (w *writer) orders(changes []*payment.OrderChange) {
	var made, moved []*payment.OrderChange
	for _, change := range changes {
		if change.Read.Version == 0 {
			made = append(made, change)
		} else {
			moved = append(moved, change)
		}
	}
	if len(made) > 0 {
		w.pipe.Queue(`INSERT INTO payment_order (tenant_id, id, home, status, currency, amount, version, created_at,
				updated_at, personal, metadata)
			SELECT *, '' FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::bigint[],
				$8::bigint[], $9::bigint[], $10::bytea[])`,
			ids(made, func(o *payment.OrderChange) [16]byte { return o.Order.Tenant }),
			ids(made, func(o *payment.OrderChange) [16]byte { return o.Order.ID }),
			col(made, func(o *payment.OrderChange) string { return string(o.Order.Home) }),
			col(made, func(o *payment.OrderChange) string { return string(o.Order.Status) }),
			col(made, func(o *payment.OrderChange) string { return string(o.Order.Currency) }),
			col(made, func(o *payment.OrderChange) int64 { return int64(o.Order.Amount) }),
			col(made, func(o *payment.OrderChange) int64 { return o.Order.Version }),
			col(made, func(o *payment.OrderChange) int64 { return row.Micros(o.Order.CreatedAt) }),
			col(made, func(o *payment.OrderChange) int64 { return row.Micros(o.Order.UpdatedAt) }),
			col(made, func(o *payment.OrderChange) []byte { return w.ring.Order(o.Order) }))
	}
	for _, change := range moved {
		o := change.Order
		w.exactly(1, errVersion, `UPDATE payment_order SET status = $1, currency = $2, amount = $3, metadata = '',
			personal = $4, version = $5, updated_at = $6 WHERE tenant_id = $7 AND id = $8 AND version = $9`,
			string(o.Status), string(o.Currency), int64(o.Amount), w.ring.Order(o), o.Version, row.Micros(o.UpdatedAt),
			pgUUID(o.Tenant), pgUUID(o.ID), change.Read.Version)
	}
}

// payments writes payments: new ones, those of which only totals changed, and the others.
func (w *writer) payments(changes []*payment.ViewChange) {
	var made, counted, moved []*payment.ViewChange
	for _, change := range changes {
		p, read := change.View.Payment, change.Read.Payment
		switch {
		case read.Version == 0:
			made = append(made, change)
		case len(p.History) == len(read.History) && p.OrderStatus == read.OrderStatus:
			counted = append(counted, change)
		default:
			moved = append(moved, change)
		}
	}
	w.insertPayments(made)
	if len(counted) > 0 {
		w.exactly(len(counted), errVersion, `UPDATE payment p SET captured = c.captured, refunded = c.refunded,
				reserved = c.reserved, disputed = c.disputed, excess = c.excess, listed = c.listed, returned = c.returned,
				item_count = c.item_count, failures = c.failures, version = c.version, updated_at = c.updated_at
			FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[],
				$8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[], $14::bigint[])
				AS c (tenant_id, id, read, captured, refunded, reserved, disputed, excess, listed, returned, item_count,
					failures, version, updated_at)
			WHERE p.tenant_id = c.tenant_id AND p.id = c.id AND p.version = c.read`,
			ids(counted, func(v *payment.ViewChange) [16]byte { return v.View.Payment.Tenant }),
			ids(counted, func(v *payment.ViewChange) [16]byte { return v.View.Payment.ID }),
			col(counted, func(v *payment.ViewChange) int64 { return v.Read.Payment.Version }),
			col(counted, func(v *payment.ViewChange) int64 { return int64(v.View.Payment.Captured) }),
			col(counted, func(v *payment.ViewChange) int64 { return int64(v.View.Payment.Refunded) }),
			col(counted, func(v *payment.ViewChange) int64 { return int64(v.View.Payment.Reserved) }),
			col(counted, func(v *payment.ViewChange) int64 { return int64(v.View.Payment.Disputed) }),
			col(counted, func(v *payment.ViewChange) int64 { return int64(v.View.Payment.Excess) }),
			col(counted, func(v *payment.ViewChange) int64 { return int64(v.View.Payment.Listed) }),
			col(counted, func(v *payment.ViewChange) int64 { return int64(v.View.Payment.Returned) }),
			col(counted, func(v *payment.ViewChange) int64 { return int64(v.View.Payment.ItemCount) }),
			col(counted, func(v *payment.ViewChange) int64 { return v.View.Payment.Failures }),
			col(counted, func(v *payment.ViewChange) int64 { return v.View.Payment.Version }),
			col(counted, func(v *payment.ViewChange) int64 { return row.Micros(v.View.Payment.UpdatedAt) }))
	}
	for _, change := range moved {
		p := change.View.Payment
		w.exactly(1, errVersion, `UPDATE payment SET order_status = $1, status = $2, captured = $3, refunded = $4,
			reserved = $5, disputed = $6, excess = $7, item_count = $8, failures = $9, expires_at = $10, history = $11,
			detail = $12, version = $13, updated_at = $14, personal = $15, listed = $16, returned = $17
			WHERE tenant_id = $18 AND id = $19 AND version = $20`,
			string(p.OrderStatus), string(p.Status), int64(p.Captured), int64(p.Refunded), int64(p.Reserved),
			int64(p.Disputed), int64(p.Excess), p.ItemCount, p.Failures, row.Micros(p.ExpiresAt), row.History(p.History),
			row.PaymentDetail(p), p.Version, row.Micros(p.UpdatedAt), w.ring.Payment(p), int64(p.Listed),
			int64(p.Returned), pgUUID(p.Tenant), pgUUID(p.ID), change.Read.Payment.Version)
	}
}

func (w *writer) insertPayments(changes []*payment.ViewChange) {
	if len(changes) == 0 {
		return
	}
	made := col(changes, func(v *payment.ViewChange) payment.Payment { return v.View.Payment })
	w.pipe.Queue(`INSERT INTO payment (tenant_id, id, order_id, order_status, home, connector, reference, amount, currency,
			status, captured, refunded, reserved, disputed, excess, item_count, failures, expires_at, history, detail, version,
			created_at, updated_at, personal, listed, returned)
		SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[],
		$4::text[], $5::text[], $6::text[], $7::text[], $8::bigint[], $9::text[], $10::text[], $11::bigint[],
		$12::bigint[], $13::bigint[], $14::bigint[], $15::bigint[], $16::bigint[], $17::bigint[], $18::bigint[],
		$19::text[], $20::text[], $21::bigint[], $22::bigint[], $23::bigint[], $24::bytea[], $25::bigint[],
		$26::bigint[])`,
		ids(made, func(p payment.Payment) [16]byte { return p.Tenant }),
		ids(made, func(p payment.Payment) [16]byte { return p.ID }),
		maybeIDs(made, func(p payment.Payment) [16]byte { return p.Order }),
		col(made, func(p payment.Payment) string { return string(p.OrderStatus) }),
		col(made, func(p payment.Payment) string { return string(p.Home) }),
		col(made, func(p payment.Payment) string { return p.Connector }),
		col(made, func(p payment.Payment) string { return p.Reference }),
		col(made, func(p payment.Payment) int64 { return int64(p.Amount.Minor) }),
		col(made, func(p payment.Payment) string { return string(p.Amount.Currency) }),
		col(made, func(p payment.Payment) string { return string(p.Status) }),
		col(made, func(p payment.Payment) int64 { return int64(p.Captured) }),
		col(made, func(p payment.Payment) int64 { return int64(p.Refunded) }),
		col(made, func(p payment.Payment) int64 { return int64(p.Reserved) }),
		col(made, func(p payment.Payment) int64 { return int64(p.Disputed) }),
		col(made, func(p payment.Payment) int64 { return int64(p.Excess) }),
		col(made, func(p payment.Payment) int64 { return int64(p.ItemCount) }),
		col(made, func(p payment.Payment) int64 { return p.Failures }),
		col(made, func(p payment.Payment) int64 { return row.Micros(p.ExpiresAt) }),
		col(made, func(p payment.Payment) string { return row.History(p.History) }),
		col(made, row.PaymentDetail),
		col(made, func(p payment.Payment) int64 { return p.Version }),
		col(made, func(p payment.Payment) int64 { return row.Micros(p.CreatedAt) }),
		col(made, func(p payment.Payment) int64 { return row.Micros(p.UpdatedAt) }),
		col(made, w.ring.Payment),
		col(made, func(p payment.Payment) int64 { return int64(p.Listed) }),
		col(made, func(p payment.Payment) int64 { return int64(p.Returned) }))
}

// of is a row with the tenant and payment that it hangs on.
type of[T any] struct {
	tenant  payment.TenantID
	payment payment.PaymentID
	row     T
}

// parts writes what hangs on payments. New rows of all payments go together;
// a row is old if it was read.
func (w *writer) parts(changes []*payment.ViewChange) {
	var captures, settled []of[payment.Capture]
	var refunds []payment.Refund
	var changed []row.ChangedRefund
	var attempts, ended []of[payment.Attempt]
	var disputes []payment.Dispute
	for _, change := range changes {
		view, read := change.View, change.Read
		tenant, id := view.Payment.Tenant, view.Payment.ID
		came, moved := row.Captures(change)
		for _, capture := range came {
			captures = append(captures, of[payment.Capture]{tenant, id, capture})
		}
		for _, capture := range moved {
			settled = append(settled, of[payment.Capture]{tenant, id, capture})
		}
		opened, went := row.Refunds(change)
		refunds, changed = append(refunds, opened...), append(changed, went...)
		for _, attempt := range view.Attempts {
			at := slices.IndexFunc(read.Attempts, func(r payment.Attempt) bool { return r.ID == attempt.ID })
			switch {
			case at < 0:
				attempts = append(attempts, of[payment.Attempt]{tenant, id, attempt})
			case read.Attempts[at].Outcome != attempt.Outcome:
				ended = append(ended, of[payment.Attempt]{tenant, id, attempt})
			}
		}
		for _, dispute := range view.Disputes {
			before, existed := read.Dispute(dispute.ID)
			switch {
			case !existed:
				disputes = append(disputes, dispute)
			case before.Version != dispute.Version:
				w.updateDispute(before.Version, dispute)
			}
		}
	}
	w.insertCaptures(captures)
	w.updateCaptures(settled)
	w.items(changes)
	w.insertRefunds(refunds)
	w.updateRefunds(changed)
	w.insertAttempts(attempts)
	w.updateAttempts(ended)
	w.insertDisputes(disputes)
}

func (w *writer) keys(keys []*payment.KeyRecord) {
	if len(keys) == 0 {
		return
	}
	keys = slices.Clone(keys)
	slices.SortFunc(keys, func(a, b *payment.KeyRecord) int { return slices.Compare(a.Hash[:], b.Hash[:]) })
	w.exactly(len(keys), engine.ErrLostRace, `INSERT INTO idempotency_key (tenant_id, hash, fingerprint, subject_id,
			payment_id, version, created_at)
		SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::bigint[], $7::bigint[])
		ON CONFLICT DO NOTHING`,
		ids(keys, func(k *payment.KeyRecord) [16]byte { return k.Tenant }),
		ids(keys, func(k *payment.KeyRecord) [16]byte { return k.Hash }),
		ids(keys, func(k *payment.KeyRecord) [16]byte { return k.Fingerprint }),
		ids(keys, func(k *payment.KeyRecord) [16]byte { return k.Subject }),
		ids(keys, func(k *payment.KeyRecord) [16]byte { return k.Payment }),
		col(keys, func(k *payment.KeyRecord) int64 { return k.Version }),
		col(keys, func(k *payment.KeyRecord) int64 { return row.Micros(k.At) }))
}

func (w *writer) aliases(aliases []payment.AliasChange) {
	if len(aliases) == 0 {
		return
	}
	aliases = slices.Clone(aliases)
	slices.SortFunc(aliases, func(a, b payment.AliasChange) int {
		return cmp.Or(strings.Compare(a.Alias.Kind, b.Alias.Kind), strings.Compare(a.Alias.Value, b.Alias.Value))
	})
	w.exactly(len(aliases), engine.ErrLostRace, `INSERT INTO alias (tenant_id, kind, value, subject_id)
		SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::uuid[]) ON CONFLICT DO NOTHING`,
		ids(aliases, func(a payment.AliasChange) [16]byte { return a.Tenant }),
		col(aliases, func(a payment.AliasChange) string { return a.Alias.Kind }),
		col(aliases, func(a payment.AliasChange) string { return a.Alias.Value }),
		ids(aliases, func(a payment.AliasChange) [16]byte { return a.Subject }))
}

func (w *writer) facets(facets []payment.FacetChange) {
	if len(facets) == 0 {
		return
	}
	open, sealed := make([][]byte, len(facets)), make([][]byte, len(facets))
	for i, f := range facets {
		open[i], sealed[i] = w.ring.Facet(f)
	}
	w.pipe.Queue(`INSERT INTO facet (tenant_id, payment_id, subject_id, door, version, body, personal)
		SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::bigint[], $6::bytea[], $7::bytea[])`,
		ids(facets, func(f payment.FacetChange) [16]byte { return f.Tenant }),
		ids(facets, func(f payment.FacetChange) [16]byte { return f.Payment }),
		ids(facets, func(f payment.FacetChange) [16]byte { return f.Facet.Subject }),
		col(facets, func(f payment.FacetChange) string { return string(f.Facet.Door) }),
		col(facets, func(f payment.FacetChange) int64 { return f.Facet.Version }),
		open, sealed)
}

func (w *writer) deliveries(deliveries []payment.Delivery) {
	if len(deliveries) == 0 {
		return
	}
	w.pipe.Queue(`INSERT INTO delivery (tenant_id, id, endpoint_id, door, url, kind, payment_id, subject_id, version,
			event_at, word, detail, status, attempts, first_at, ended_at)
		SELECT *, 'open', 0, 0, 0 FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[],
			$7::uuid[], $8::uuid[], $9::bigint[], $10::bigint[], $11::text[], $12::text[])`,
		ids(deliveries, func(d payment.Delivery) [16]byte { return d.Event.Tenant }),
		ids(deliveries, func(d payment.Delivery) [16]byte { return d.ID }),
		ids(deliveries, func(d payment.Delivery) [16]byte { return d.Endpoint.ID }),
		col(deliveries, func(d payment.Delivery) string { return string(d.Endpoint.Door) }),
		col(deliveries, func(d payment.Delivery) string { return d.Endpoint.URL }),
		col(deliveries, func(d payment.Delivery) string { return string(d.Event.Kind) }),
		ids(deliveries, func(d payment.Delivery) [16]byte { return d.Event.Payment }),
		ids(deliveries, func(d payment.Delivery) [16]byte { return d.Event.Subject }),
		col(deliveries, func(d payment.Delivery) int64 { return d.Event.Version }),
		col(deliveries, func(d payment.Delivery) int64 { return row.Micros(d.Event.At) }),
		col(deliveries, func(d payment.Delivery) string { return d.Word }),
		col(deliveries, func(d payment.Delivery) string { return d.Event.Detail }))
}
