package sqlite

import (
	"context"

	"github.com/refundry/refundry/internal/auth"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/store/row"
	"github.com/refundry/refundry/internal/webhook"
)

// putHealth adds what attempts say of endpoints to what is known of them.
// They may come in any order: a success that comes late leaves an endpoint
// failing since its last failure behind it, which may not have been the first.
func putHealth(c *conn, tallies []webhook.Tally) error {
	const put = `INSERT INTO endpoint_health AS known (tenant_id, endpoint_id, failing_since, failed_at, succeeded_at,
			enabled_at, status_code, error) VALUES (?, ?, ?, ?, ?, 0, ?, ?)
		ON CONFLICT (tenant_id, endpoint_id) DO UPDATE SET
			failing_since = (SELECT coalesce(min(at), 0)
				FROM (SELECT known.failing_since AS at UNION ALL SELECT known.failed_at
					UNION ALL SELECT excluded.failing_since UNION ALL SELECT excluded.failed_at)
				WHERE at > max(known.succeeded_at, excluded.succeeded_at, known.enabled_at)),
			status_code = CASE WHEN excluded.failed_at > known.failed_at THEN excluded.status_code ELSE known.status_code END,
			error = CASE WHEN excluded.failed_at > known.failed_at THEN excluded.error ELSE known.error END,
			failed_at = max(known.failed_at, excluded.failed_at),
			succeeded_at = max(known.succeeded_at, excluded.succeeded_at)`
	for _, t := range tallies {
		h := t.Health
		if _, err := c.exec(put, ident(t.Tenant), ident(t.Endpoint), row.Micros(h.FailingSince), row.Micros(h.FailedAt),
			row.Micros(h.SucceededAt), h.StatusCode, h.Error); err != nil {
			return err
		}
	}
	return nil
}

// checkHealth refuses a change that is about an endpoint that does not fail any
// more, and lets the health of one that is enabled begin anew.
func (s *Store) checkHealth(c *conn, change auth.Change) error {
	if failing := change.Failing; !failing.Since.IsZero() {
		isFailing := false
		const find = `SELECT 1 FROM endpoint_health WHERE tenant_id = ? AND endpoint_id = ? AND failing_since BETWEEN 1 AND ?`
		if err := c.query(find, []any{ident(change.Of), ident(failing.Endpoint), row.Micros(failing.Since)},
			func(*cells) error {
				isFailing = true
				return nil
			}); err != nil {
			return err
		}
		if !isFailing {
			return auth.ErrRecovered
		}
	}
	if change.Enabled.IsZero() {
		return nil
	}
	return s.begin(c, change.Of, change.Enabled)
}

// begin lets an endpoint's health begin anew.
func (s *Store) begin(c *conn, tenant payment.TenantID, endpoint payment.EndpointID) error {
	const begin = `INSERT INTO endpoint_health (tenant_id, endpoint_id, failing_since, failed_at, succeeded_at,
			enabled_at, status_code, error) VALUES (?, ?, 0, 0, 0, ?, 0, '')
		ON CONFLICT (tenant_id, endpoint_id) DO UPDATE SET failing_since = 0, enabled_at = excluded.enabled_at`
	_, err := c.exec(begin, ident(tenant), ident(endpoint), row.Micros(s.config.Now()))
	return err
}

// move lets the health of an endpoint begin anew that is about to get another URL.
func (s *Store) move(c *conn, e auth.Endpoint) error {
	moves := false
	const find = `SELECT 1 FROM endpoint WHERE tenant_id = ? AND id = ? AND url <> ?`
	if err := c.query(find, []any{ident(e.Tenant), ident(e.ID), e.URL}, func(*cells) error {
		moves = true
		return nil
	}); err != nil || !moves {
		return err
	}
	return s.begin(c, e.Tenant, e.ID)
}

// Health implements [webhook.Store].
func (s *Store) Health(_ context.Context, tenant payment.TenantID, endpoint payment.EndpointID,
) (health webhook.Health, err error) {
	err = s.read(func(c *conn) error {
		const find = `SELECT failing_since, failed_at, status_code, error, succeeded_at FROM endpoint_health
			WHERE tenant_id = ? AND endpoint_id = ?`
		if err := c.query(find, []any{ident(tenant), ident(endpoint)}, func(r *cells) error {
			health = webhook.Health{
				FailingSince: row.Time(r.int()), FailedAt: row.Time(r.int()), StatusCode: int(r.int()), Error: r.text(),
				SucceededAt: row.Time(r.int()),
			}
			return nil
		}); err != nil {
			return err
		}
		const wait = `SELECT count(*), coalesce(min(due_at), 0) FROM (SELECT due_at FROM job
			WHERE queue = ? AND claim IS NULL AND buried_at = 0 AND tenant_id = ? ORDER BY due_at LIMIT ?)`
		return c.query(wait, []any{webhook.EndpointQueue(endpoint), ident(tenant), webhook.WaitingMax}, func(r *cells) error {
			health.Waiting, health.NextAt = int(r.int()), row.Time(r.int())
			return nil
		})
	})
	return health, err
}
