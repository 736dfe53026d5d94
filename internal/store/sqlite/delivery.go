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
	detail, status, attempts, first_at, ended_at, body, personal,
	CASE WHEN personal IS NOT NULL THEN ` + deliveryKey + ` END`

// deliveryKey is the key of who owns what a delivery says, see [row.OwnerOf].
const deliveryKey = `(SELECT key FROM personal_key k WHERE k.tenant_id = delivery.tenant_id AND k.owner_id =
	CASE delivery.payment_id WHEN zeroblob(16) THEN delivery.subject_id ELSE delivery.payment_id END)`

func scanDelivery(r *cells) (d webhook.Delivery, err error) {
	d = webhook.Delivery{
		Tenant: r.uuid(), ID: r.uuid(), Endpoint: r.uuid(), Door: payment.Door(r.text()), URL: r.text(),
		Event: webhook.Event{
			Kind: payment.EventKind(r.text()), Word: r.text(), Payment: r.uuid(), Subject: r.uuid(), Version: r.int(),
			At: row.Time(r.int()), Detail: r.text(),
		},
		Status: webhook.Status(r.text()), Attempts: int(r.int()), FirstAt: row.Time(r.int()), EndedAt: row.Time(r.int()),
	}
	open, sealed, key := r.maybe(), r.maybe(), r.key()
	d.Body, err = key.OpenDelivery(d.ID, open, sealed)
	return d, err
}

// Delivery implements [webhook.Store].
func (s *Store) Delivery(_ context.Context, tenant payment.TenantID, id payment.DeliveryID,
) (found webhook.Delivery, err error) {
	err = s.read(func(c *conn) error {
		const query = `SELECT ` + deliveryColumns + ` FROM delivery WHERE tenant_id = ? AND id = ?`
		return c.query(query, []any{ident(tenant), ident(id)}, func(r *cells) (err error) {
			found, err = scanDelivery(r)
			return err
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
	owner := row.OwnerOf(d.Tenant, d.Event.Payment, d.Event.Subject)
	if err := loadPersonalKey(c, owner); err != nil {
		return err
	}
	body, sealed := c.ring.Delivery(owner, d.ID, d.Body)
	const move = `UPDATE delivery SET status = ?, url = ?, attempts = max(attempts, ?), ended_at = ?, body = coalesce(body, ?),
			personal = coalesce(personal, ?), first_at = CASE WHEN first_at = 0 THEN ? ELSE first_at END
		WHERE tenant_id = ? AND id = ? AND status = 'open'`
	if _, err := c.exec(move, string(d.Status), d.URL, d.Attempts, row.Micros(d.EndedAt), maybeBytes(body),
		maybeBytes(sealed), row.Micros(d.FirstAt), ident(d.Tenant), ident(d.ID)); err != nil {
		return err
	}
	if a.Number == 0 {
		return nil // it ended without an attempt
	}
	const log = `INSERT INTO delivery_attempt (tenant_id, delivery_id, number, at, took, status_code, error, answer, personal)
		SELECT ?1, ?2, 1 + coalesce(max(number), 0), ?3, ?4, ?5, ?6, ?7, ?8 FROM delivery_attempt
		WHERE tenant_id = ?1 AND delivery_id = ?2`
	answer, sealed := c.ring.Answer(owner, d.ID, a.Answer)
	if _, err := c.exec(log, ident(d.Tenant), ident(d.ID), row.Micros(a.At), a.Took.Microseconds(), a.StatusCode, a.Error,
		answer, maybeBytes(sealed)); err != nil {
		return err
	}
	return c.ring.Err()
}

// loadPersonalKey reads a key into the connection's ring.
func loadPersonalKey(c *conn, owner row.Owner) error {
	const query = `SELECT key FROM personal_key WHERE tenant_id = ? AND owner_id = ?`
	return c.query(query, []any{ident(owner.Tenant), owner.ID[:]}, func(r *cells) error {
		c.ring.Put(owner, r.key())
		return nil
	})
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
			d, err := scanDelivery(r)
			all = append(all, d)
			return err
		})
	})
	return all, err
}

// Heard implements [webhook.Memory].
func (s *Store) Heard(_ context.Context, tenant payment.TenantID, endpoint payment.EndpointID, events []payment.Event,
) (heard []webhook.Heard, err error) {
	const query = `SELECT payment_id, subject_id, kind, version, word FROM delivery INDEXED BY delivery_by_event
		WHERE tenant_id = ? AND endpoint_id = ? AND payment_id = ? AND version = ? AND status IN ('open', 'delivered')`
	err = s.snapshot(func(c *conn) error {
		for _, at := range row.Moments(events) {
			args := []any{ident(tenant), ident(endpoint), ident(at.Payment), at.Version}
			if err := c.query(query, args, func(r *cells) error {
				heard = append(heard, webhook.Heard{
					Payment: r.uuid(), Subject: r.uuid(), Kind: payment.EventKind(r.text()), Version: r.int(), Word: r.text(),
				})
				return nil
			}); err != nil {
				return err
			}
		}
		return nil
	})
	return heard, err
}

// Attempts implements [webhook.Store].
func (s *Store) Attempts(_ context.Context, tenant payment.TenantID, id payment.DeliveryID) ([]webhook.Attempt, error) {
	var all []webhook.Attempt
	err := s.read(func(c *conn) error {
		const query = `SELECT a.number, a.at, a.took, a.status_code, a.error, a.answer, a.personal, ` + deliveryKey + `
			FROM delivery_attempt a JOIN delivery ON delivery.tenant_id = a.tenant_id AND delivery.id = a.delivery_id
			WHERE a.tenant_id = ? AND a.delivery_id = ? ORDER BY a.number`
		return c.query(query, []any{ident(tenant), ident(id)}, func(r *cells) (err error) {
			attempt := webhook.Attempt{
				Number: int(r.int()), At: row.Time(r.int()), Took: time.Duration(r.int()) * time.Microsecond,
				StatusCode: int(r.int()), Error: r.text(),
			}
			open, sealed, key := r.text(), r.maybe(), r.key()
			attempt.Answer, err = key.OpenAnswer(id, open, sealed)
			all = append(all, attempt)
			return err
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
			d, err := scanDelivery(r)
			reopened = &d
			return err
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
