package sqlite

import (
	"context"
	"time"

	"github.com/refundry/refundry/internal/fault"
	"github.com/refundry/refundry/internal/job"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/store/row"
	"github.com/refundry/refundry/internal/webhook"
)

const deliveryColumns = `tenant_id, id, endpoint_id, door, url, kind, word, payment_id, subject_id, version, event_at,
	detail, status, attempts, first_at, ended_at, body`

func scanDelivery(r *cells) webhook.Delivery {
	return webhook.Delivery{
		Tenant: r.uuid(), ID: r.uuid(), Endpoint: r.uuid(), Door: payment.Door(r.text()), URL: r.text(),
		Event: webhook.Event{
			Kind: payment.EventKind(r.text()), Word: r.text(), Payment: r.uuid(), Subject: r.uuid(), Version: r.int(),
			At: row.Time(r.int()), Detail: r.text(),
		},
		Status: webhook.Status(r.text()), Attempts: int(r.int()), FirstAt: row.Time(r.int()), EndedAt: row.Time(r.int()),
		Body: r.maybe(),
	}
}

// Delivery implements [webhook.Store].
func (s *Store) Delivery(_ context.Context, tenant payment.TenantID, id payment.DeliveryID,
) (found webhook.Delivery, err error) {
	err = s.read(func(c *conn) error {
		const query = `SELECT ` + deliveryColumns + ` FROM delivery WHERE tenant_id = ? AND id = ?`
		return c.query(query, []any{ident(tenant), ident(id)}, func(r *cells) error {
			found = scanDelivery(r)
			return nil
		})
	})
	if err == nil && found.ID.IsZero() {
		err = fault.New(fault.NotFound, "no such delivery")
	}
	return found, err
}

// Attempted implements [webhook.Store].
func (s *Store) Attempted(_ context.Context, results []webhook.Result) error {
	return s.write(func(c *conn) error {
		for _, result := range results {
			if err := putAttempt(c, result.Delivery, result.Attempt); err != nil {
				return err
			}
			if err := endJob(c, job.Ending{TaskRef: result.Job, Again: result.Again}); err != nil {
				return err
			}
		}
		return putHealth(c, webhook.Tallies(results))
	})
}

// putAttempt logs an attempt under the next free number, and moves its
// delivery if that is still open.
func putAttempt(c *conn, d webhook.Delivery, a webhook.Attempt) error {
	const move = `UPDATE delivery SET status = ?, attempts = max(attempts, ?), ended_at = ?, body = coalesce(body, ?),
			first_at = CASE WHEN first_at = 0 THEN ? ELSE first_at END
		WHERE tenant_id = ? AND id = ? AND status = 'open'`
	if _, err := c.exec(move, string(d.Status), d.Attempts, row.Micros(d.EndedAt), maybeBytes(d.Body),
		row.Micros(d.FirstAt), ident(d.Tenant), ident(d.ID)); err != nil {
		return err
	}
	if a.Number == 0 {
		return nil // it ended without an attempt
	}
	const log = `INSERT INTO delivery_attempt (tenant_id, delivery_id, number, at, took, status_code, error, answer)
		SELECT ?1, ?2, 1 + coalesce(max(number), 0), ?3, ?4, ?5, ?6, ?7 FROM delivery_attempt
		WHERE tenant_id = ?1 AND delivery_id = ?2`
	_, err := c.exec(log, ident(d.Tenant), ident(d.ID), row.Micros(a.At), a.Took.Microseconds(), a.StatusCode, a.Error,
		a.Answer)
	return err
}

// maybeBytes is bytes as an argument; none are NULL.
func maybeBytes(bytes []byte) any {
	if bytes == nil {
		return nil
	}
	return bytes
}

// Deliveries implements [webhook.Store].
func (s *Store) Deliveries(_ context.Context, tenant payment.TenantID, filter webhook.Filter,
) ([]webhook.Delivery, error) {
	var all []webhook.Delivery
	err := s.read(func(c *conn) error {
		const query = `SELECT ` + deliveryColumns + ` FROM delivery WHERE tenant_id = ?1
				AND (?2 IS NULL OR payment_id = ?2) AND (?3 IS NULL OR endpoint_id = ?3)
				AND (?4 = '' OR status = ?4) AND (?5 IS NULL OR id < ?5) AND (?7 IS NULL OR id >= ?7)
			ORDER BY id DESC LIMIT ?6`
		return c.query(query, []any{
			ident(tenant), nullable(filter.Payment), nullable(filter.Endpoint), string(filter.Status),
			nullable(filter.Before), filter.Limit, nullable(filter.Since),
		}, func(r *cells) error {
			all = append(all, scanDelivery(r))
			return nil
		})
	})
	return all, err
}

// Attempts implements [webhook.Store].
func (s *Store) Attempts(_ context.Context, tenant payment.TenantID, id payment.DeliveryID) ([]webhook.Attempt, error) {
	var all []webhook.Attempt
	err := s.read(func(c *conn) error {
		const query = `SELECT number, at, took, status_code, error, answer FROM delivery_attempt
			WHERE tenant_id = ? AND delivery_id = ? ORDER BY number`
		return c.query(query, []any{ident(tenant), ident(id)}, func(r *cells) error {
			all = append(all, webhook.Attempt{
				Number: int(r.int()), At: row.Time(r.int()), Took: time.Duration(r.int()) * time.Microsecond,
				StatusCode: int(r.int()), Error: r.text(), Answer: r.text(),
			})
			return nil
		})
	})
	return all, err
}

// Resend implements [webhook.Store].
func (s *Store) Resend(_ context.Context, tenant payment.TenantID, id payment.DeliveryID) error {
	if _, err := s.Delivery(background, tenant, id); err != nil {
		return err
	}
	return s.write(func(c *conn) error {
		var reopened *webhook.Delivery
		const open = `UPDATE delivery SET status = 'open', ended_at = 0, first_at = 0, attempts = 0
			WHERE tenant_id = ? AND id = ? AND status <> 'open' RETURNING ` + deliveryColumns
		if err := c.query(open, []any{ident(tenant), ident(id)}, func(r *cells) error {
			d := scanDelivery(r)
			reopened = &d
			return nil
		}); err != nil {
			return err
		}
		if reopened == nil {
			return fault.New(fault.Conflict, "the delivery has not ended yet")
		}
		return s.saveJobs(c, &payment.Changes{Tasks: []payment.Task{{
			Tenant: tenant, Kind: payment.TaskDeliverWebhook, Subject: id, Payment: reopened.Event.Payment,
			Queue: webhook.EndpointQueue(reopened.Endpoint), DueAt: s.config.Now(),
		}}})
	})
}
