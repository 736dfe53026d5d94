package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/refundry/refundry/internal/engine"
	"github.com/refundry/refundry/internal/fault"
	"github.com/refundry/refundry/internal/job"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/store/row"
	"github.com/refundry/refundry/internal/webhook"
)

const deliveryColumns = `tenant_id, id, endpoint_id, door, url, kind, word, payment_id, subject_id, version, event_at,
	detail, status, attempts, first_at, ended_at, body, personal,
	CASE WHEN personal IS NOT NULL THEN ` + deliveryKey + ` END`

// deliveryKey is the key of who owns what a delivery says, see [row.OwnerOf].
const deliveryKey = `(SELECT key FROM personal_key k WHERE k.tenant_id = delivery.tenant_id AND k.owner_id =
	CASE delivery.payment_id WHEN '00000000-0000-0000-0000-000000000000' THEN delivery.subject_id
		ELSE delivery.payment_id END)`

func scanDelivery(r scanner) (d webhook.Delivery, err error) {
	var eventAt, firstAt, endedAt int64
	var open, sealed []byte
	var key row.PersonalKey
	if err = r.Scan(raw(&d.Tenant), raw(&d.ID), raw(&d.Endpoint), &d.Door, &d.URL, &d.Event.Kind, &d.Event.Word,
		raw(&d.Event.Payment), &d.Event.Subject, &d.Event.Version, &eventAt, &d.Event.Detail, &d.Status, &d.Attempts,
		&firstAt, &endedAt, &open, &sealed, (*[]byte)(&key)); err != nil {
		return d, err
	}
	d.Event.At, d.FirstAt, d.EndedAt = row.Time(eventAt), row.Time(firstAt), row.Time(endedAt)
	d.Body, err = key.OpenDelivery(d.ID, open, sealed)
	return d, err
}

// Delivery implements [webhook.Store].
func (s *Store) Delivery(ctx context.Context, tenant payment.TenantID, id payment.DeliveryID) (webhook.Delivery, error) {
	found, err := scanDelivery(s.pool.QueryRow(ctx, `SELECT `+deliveryColumns+` FROM delivery
		WHERE tenant_id = $1 AND id = $2`, pgUUID(tenant), pgUUID(id)))
	if errors.Is(err, pgx.ErrNoRows) {
		return webhook.Delivery{}, fault.New(fault.NotFound, "no such delivery")
	}
	return found, unavailable(err)
}

// Attempted implements [webhook.Store].
func (s *Store) Attempted(ctx context.Context, results []webhook.Result) error {
	results = sortTasks(results, func(r webhook.Result) (payment.TenantID, [16]byte) {
		return r.Delivery.Tenant, r.Delivery.ID
	})
	return s.inTx(ctx, pgx.TxOptions{}, func(tx pgx.Tx) error {
		w := &writer{ring: row.NewRing(nil)}
		if err := loadPersonalKeys(ctx, tx, w.ring, results); err != nil {
			return err
		}
		w.moveDeliveries(oneOfEachDelivery(results))
		w.logAttempts(results)
		w.health(webhook.Tallies(results))
		w.end(col(results, func(r webhook.Result) job.Ending { return job.Ending{TaskRef: r.Job, Again: r.Again} }))
		if err := w.ring.Err(); err != nil {
			return err
		}
		return tx.SendBatch(ctx, &w.pipe).Close()
	})
}

// loadPersonalKeys reads the keys under which results are sealed.
func loadPersonalKeys(ctx context.Context, tx pgx.Tx, ring *row.Ring, results []webhook.Result) error {
	owners := col(results, func(r webhook.Result) row.Owner { return ownerOf(r.Delivery) })
	pipe := &pgx.Batch{}
	queuePlans(pipe)
	pipe.Queue(`SELECT k.tenant_id, k.owner_id, k.key
		FROM (SELECT DISTINCT * FROM unnest($1::uuid[], $2::uuid[]) AS asked (tenant_id, owner_id)) want
		JOIN personal_key k USING (tenant_id, owner_id)`,
		ids(owners, func(o row.Owner) [16]byte { return o.Tenant }),
		ids(owners, func(o row.Owner) [16]byte { return o.ID })).Query(func(rows pgx.Rows) error {
		var owner row.Owner
		var key []byte
		_, err := pgx.ForEachRow(rows, []any{raw(&owner.Tenant), &owner.ID, &key}, func() error {
			ring.Put(owner, slices.Clone(key))
			return nil
		})
		return err
	})
	return tx.SendBatch(ctx, pipe).Close()
}

func ownerOf(d webhook.Delivery) row.Owner {
	return row.OwnerOf(d.Tenant, d.Event.Payment, d.Event.Subject)
}

// oneOfEachDelivery returns what a delivery's results in one batch come to:
// the first that ends it, or else the last. They are sorted by delivery.
func oneOfEachDelivery(results []webhook.Result) []webhook.Delivery {
	var moved []webhook.Delivery
	for _, result := range results {
		next, last := result.Delivery, len(moved)-1
		switch {
		case last < 0 || moved[last].Tenant != next.Tenant || moved[last].ID != next.ID:
			moved = append(moved, next)
		case moved[last].Status == webhook.StatusOpen:
			moved[last] = next
		}
	}
	return moved
}

// moveDeliveries moves the deliveries that are still open.
func (w *writer) moveDeliveries(deliveries []webhook.Delivery) {
	bodies, sealed := make([][]byte, len(deliveries)), make([][]byte, len(deliveries))
	for i, d := range deliveries {
		bodies[i], sealed[i] = w.ring.Delivery(ownerOf(d), d.ID, d.Body)
	}
	w.pipe.Queue(`UPDATE delivery SET status = d.status, url = d.url, attempts = greatest(delivery.attempts, d.attempts),
			ended_at = d.ended_at, body = coalesce(delivery.body, d.body),
			personal = coalesce(delivery.personal, d.personal),
			first_at = CASE WHEN delivery.first_at = 0 THEN d.first_at ELSE delivery.first_at END
		FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::int[], $5::bigint[], $6::bytea[], $7::bigint[],
				$8::bytea[], $9::text[]) AS d (tenant_id, id, status, attempts, ended_at, body, first_at, personal, url)
		WHERE delivery.tenant_id = d.tenant_id AND delivery.id = d.id AND delivery.status = 'open'`,
		ids(deliveries, func(d webhook.Delivery) [16]byte { return d.Tenant }),
		ids(deliveries, func(d webhook.Delivery) [16]byte { return d.ID }),
		col(deliveries, func(d webhook.Delivery) string { return string(d.Status) }),
		col(deliveries, func(d webhook.Delivery) int { return d.Attempts }),
		col(deliveries, func(d webhook.Delivery) int64 { return row.Micros(d.EndedAt) }),
		bodies,
		col(deliveries, func(d webhook.Delivery) int64 { return row.Micros(d.FirstAt) }),
		sealed,
		col(deliveries, func(d webhook.Delivery) string { return d.URL }))
}

// logAttempts logs attempts under the next free numbers of their deliveries.
func (w *writer) logAttempts(results []webhook.Result) {
	var made []webhook.Result
	for _, result := range results {
		if result.Attempt.Number > 0 {
			made = append(made, result)
		}
	}
	if len(made) == 0 {
		return
	}
	answers, sealed := make([]string, len(made)), make([][]byte, len(made))
	for i, r := range made {
		answers[i], sealed[i] = w.ring.Answer(ownerOf(r.Delivery), r.Delivery.ID, r.Attempt.Answer)
	}
	w.pipe.Queue(`INSERT INTO delivery_attempt (tenant_id, delivery_id, number, at, took, status_code, error, answer,
			personal)
		SELECT a.tenant_id, a.id, row_number() OVER (PARTITION BY a.tenant_id, a.id)
			+ (SELECT coalesce(max(number), 0) FROM delivery_attempt
				WHERE tenant_id = a.tenant_id AND delivery_id = a.id), at, took, status_code, error, answer,
			personal
		FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[], $5::int[], $6::text[], $7::text[], $8::bytea[])
			AS a (tenant_id, id, at, took, status_code, error, answer, personal)`,
		ids(made, func(r webhook.Result) [16]byte { return r.Delivery.Tenant }),
		ids(made, func(r webhook.Result) [16]byte { return r.Delivery.ID }),
		col(made, func(r webhook.Result) int64 { return row.Micros(r.Attempt.At) }),
		col(made, func(r webhook.Result) int64 { return r.Attempt.Took.Microseconds() }),
		col(made, func(r webhook.Result) int { return r.Attempt.StatusCode }),
		col(made, func(r webhook.Result) string { return r.Attempt.Error }),
		answers, sealed)
}

// Deliveries implements [webhook.Store].
func (s *Store) Deliveries(ctx context.Context, tenant payment.TenantID, filter webhook.Filter,
) ([]webhook.Delivery, error) {
	rows, err := s.pool.Query(ctx, `SELECT `+deliveryColumns+` FROM delivery WHERE tenant_id = $1
			AND ($2::uuid IS NULL OR payment_id = $2) AND ($3::uuid IS NULL OR endpoint_id = $3)
			AND ($4 = '' OR status = $4) AND ($5::uuid IS NULL OR id < $5) AND ($7::uuid IS NULL OR id >= $7)
		ORDER BY id DESC LIMIT $6`,
		pgUUID(tenant), maybeUUID(filter.Payment), maybeUUID(filter.Endpoint), string(filter.Status),
		maybeUUID(filter.Before), filter.Limit, maybeUUID(filter.Since))
	if err != nil {
		return nil, unavailable(err)
	}
	var all []webhook.Delivery
	err = each(rows, scanDelivery, func(d webhook.Delivery) { all = append(all, d) })
	return all, unavailable(err)
}

// Heard implements [webhook.Memory]. OFFSET lets each moment be looked for by the
// index, whatever is believed of how many there are.
func (s *Store) Heard(ctx context.Context, tenant payment.TenantID, endpoint payment.EndpointID, events []payment.Event,
) ([]webhook.Heard, error) {
	moments := row.Moments(events)
	q := &question{}
	q.add(`SELECT d.* FROM unnest(?::uuid[], ?::bigint[]) AS at (payment_id, version), LATERAL (
			SELECT payment_id, subject_id, kind, version, word FROM delivery
			WHERE tenant_id = ? AND endpoint_id = ? AND payment_id = at.payment_id AND version = at.version
				AND status IN ('open', 'delivered') OFFSET 0) d`,
		ids(moments, func(m row.Moment) [16]byte { return m.Payment }),
		col(moments, func(m row.Moment) int64 { return m.Version }), pgUUID(tenant), pgUUID(endpoint))
	heard, err := ask(ctx, s.pool, q, func(r scanner) (h webhook.Heard, err error) {
		err = r.Scan(raw(&h.Payment), &h.Subject, &h.Kind, &h.Version, &h.Word)
		return h, err
	})
	return heard, unavailable(err)
}

// maybeUUID is an id as an argument; zero is NULL.
func maybeUUID[T ~[16]byte](id T) pgtype.UUID { return pgtype.UUID{Bytes: id, Valid: id != T{}} }

// Attempts implements [webhook.Store].
func (s *Store) Attempts(ctx context.Context, tenant payment.TenantID, id payment.DeliveryID) ([]webhook.Attempt, error) {
	rows, err := s.pool.Query(ctx, `SELECT a.number, a.at, a.took, a.status_code, a.error, a.answer, a.personal,
			`+deliveryKey+` AS key
		FROM delivery_attempt a JOIN delivery ON delivery.tenant_id = a.tenant_id AND delivery.id = a.delivery_id
		WHERE a.tenant_id = $1 AND a.delivery_id = $2 ORDER BY a.number`, pgUUID(tenant), pgUUID(id))
	if err != nil {
		return nil, unavailable(err)
	}
	var all []webhook.Attempt
	err = each(rows, func(r scanner) (a webhook.Attempt, err error) {
		var at, took int64
		var open string
		var sealed []byte
		var key row.PersonalKey
		if err = r.Scan(&a.Number, &at, &took, &a.StatusCode, &a.Error, &open, &sealed, (*[]byte)(&key)); err != nil {
			return a, err
		}
		a.At, a.Took = row.Time(at), time.Duration(took)*time.Microsecond
		a.Answer, err = key.OpenAnswer(id, open, sealed)
		return a, err
	}, func(a webhook.Attempt) { all = append(all, a) })
	return all, unavailable(err)
}

// Resend implements [webhook.Store].
func (s *Store) Resend(ctx context.Context, tenant payment.TenantID, id payment.DeliveryID) error {
	if _, err := s.Delivery(ctx, tenant, id); err != nil {
		return err
	}
	err := s.inTx(ctx, pgx.TxOptions{}, func(tx pgx.Tx) error {
		reopened, err := scanDelivery(tx.QueryRow(ctx, `UPDATE delivery
			SET status = 'open', ended_at = 0, first_at = 0, attempts = 0
			WHERE tenant_id = $1 AND id = $2 AND status <> 'open' RETURNING `+deliveryColumns, pgUUID(tenant), pgUUID(id)))
		if errors.Is(err, pgx.ErrNoRows) {
			return fault.New(fault.Conflict, "the delivery has not ended yet")
		}
		if err != nil {
			return err
		}
		w := &writer{}
		w.jobs([]payment.Task{{
			Tenant: tenant, Kind: payment.TaskDeliverWebhook, Subject: id, Payment: reopened.Event.Payment,
			Queue: webhook.EndpointQueue(reopened.Endpoint), DueAt: s.config.Now(),
		}}, s.config.Lease.Microseconds())
		return tx.SendBatch(ctx, &w.pipe).Close()
	})
	if errors.Is(err, engine.ErrUncertain) {
		return fmt.Errorf("%w: %w", engine.ErrFateUnknown, err)
	}
	return err
}
