package postgres

import (
	"context"
	"errors"
	"fmt"
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
	detail, status, attempts, first_at, ended_at, body`

func scanDelivery(r scanner) (d webhook.Delivery, err error) {
	var eventAt, firstAt, endedAt int64
	err = r.Scan(raw(&d.Tenant), raw(&d.ID), raw(&d.Endpoint), &d.Door, &d.URL, &d.Event.Kind, &d.Event.Word,
		raw(&d.Event.Payment), &d.Event.Subject, &d.Event.Version, &eventAt,
		&d.Event.Detail, &d.Status, &d.Attempts, &firstAt, &endedAt, &d.Body)
	d.Event.At, d.FirstAt, d.EndedAt = row.Time(eventAt), row.Time(firstAt), row.Time(endedAt)
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
		w := &writer{}
		queuePlans(&w.pipe)
		w.moveDeliveries(oneOfEachDelivery(results))
		w.logAttempts(results)
		w.health(webhook.Tallies(results))
		w.end(col(results, func(r webhook.Result) job.Ending { return job.Ending{TaskRef: r.Job, Again: r.Again} }))
		return tx.SendBatch(ctx, &w.pipe).Close()
	})
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
	w.pipe.Queue(`UPDATE delivery SET status = d.status, attempts = greatest(delivery.attempts, d.attempts),
			ended_at = d.ended_at, body = coalesce(delivery.body, d.body),
			first_at = CASE WHEN delivery.first_at = 0 THEN d.first_at ELSE delivery.first_at END
		FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::int[], $5::bigint[], $6::bytea[], $7::bigint[])
			AS d (tenant_id, id, status, attempts, ended_at, body, first_at)
		WHERE delivery.tenant_id = d.tenant_id AND delivery.id = d.id AND delivery.status = 'open'`,
		ids(deliveries, func(d webhook.Delivery) [16]byte { return d.Tenant }),
		ids(deliveries, func(d webhook.Delivery) [16]byte { return d.ID }),
		col(deliveries, func(d webhook.Delivery) string { return string(d.Status) }),
		col(deliveries, func(d webhook.Delivery) int { return d.Attempts }),
		col(deliveries, func(d webhook.Delivery) int64 { return row.Micros(d.EndedAt) }),
		col(deliveries, func(d webhook.Delivery) []byte { return d.Body }),
		col(deliveries, func(d webhook.Delivery) int64 { return row.Micros(d.FirstAt) }))
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
	w.pipe.Queue(`INSERT INTO delivery_attempt (tenant_id, delivery_id, number, at, took, status_code, error, answer)
		SELECT a.tenant_id, a.id, row_number() OVER (PARTITION BY a.tenant_id, a.id)
			+ (SELECT coalesce(max(number), 0) FROM delivery_attempt
				WHERE tenant_id = a.tenant_id AND delivery_id = a.id), at, took, status_code, error, answer
		FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[], $5::int[], $6::text[], $7::text[])
			AS a (tenant_id, id, at, took, status_code, error, answer)`,
		ids(made, func(r webhook.Result) [16]byte { return r.Delivery.Tenant }),
		ids(made, func(r webhook.Result) [16]byte { return r.Delivery.ID }),
		col(made, func(r webhook.Result) int64 { return row.Micros(r.Attempt.At) }),
		col(made, func(r webhook.Result) int64 { return r.Attempt.Took.Microseconds() }),
		col(made, func(r webhook.Result) int { return r.Attempt.StatusCode }),
		col(made, func(r webhook.Result) string { return r.Attempt.Error }),
		col(made, func(r webhook.Result) string { return r.Attempt.Answer }))
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

// maybeUUID is an id as an argument; zero is NULL.
func maybeUUID[T ~[16]byte](id T) pgtype.UUID { return pgtype.UUID{Bytes: id, Valid: id != T{}} }

// Attempts implements [webhook.Store].
func (s *Store) Attempts(ctx context.Context, tenant payment.TenantID, id payment.DeliveryID) ([]webhook.Attempt, error) {
	rows, err := s.pool.Query(ctx, `SELECT number, at, took, status_code, error, answer FROM delivery_attempt
		WHERE tenant_id = $1 AND delivery_id = $2 ORDER BY number`, pgUUID(tenant), pgUUID(id))
	if err != nil {
		return nil, unavailable(err)
	}
	var all []webhook.Attempt
	err = each(rows, func(r scanner) (a webhook.Attempt, err error) {
		var at, took int64
		err = r.Scan(&a.Number, &at, &took, &a.StatusCode, &a.Error, &a.Answer)
		a.At, a.Took = row.Time(at), time.Duration(took)*time.Microsecond
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
