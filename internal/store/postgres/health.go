package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/refundry/refundry/internal/auth"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/store/row"
	"github.com/refundry/refundry/internal/webhook"
)

// health adds what attempts say of endpoints to what is known of them.
// They may come in any order: a success that comes late leaves an endpoint
// failing since its last failure behind it, which may not have been the first.
func (w *writer) health(tallies []webhook.Tally) {
	if len(tallies) == 0 {
		return
	}
	w.pipe.Queue(`INSERT INTO endpoint_health AS known (tenant_id, endpoint_id, failing_since, failed_at, succeeded_at,
			status_code, error, enabled_at)
		SELECT *, 0 FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[], $5::bigint[], $6::int[], $7::text[])
		ON CONFLICT (tenant_id, endpoint_id) DO UPDATE SET
			failing_since = (SELECT coalesce(min(at), 0)
				FROM (VALUES (known.failing_since), (known.failed_at), (excluded.failing_since), (excluded.failed_at)) AS c (at)
				WHERE at > greatest(known.succeeded_at, excluded.succeeded_at, known.enabled_at)),
			status_code = CASE WHEN excluded.failed_at > known.failed_at THEN excluded.status_code ELSE known.status_code END,
			error = CASE WHEN excluded.failed_at > known.failed_at THEN excluded.error ELSE known.error END,
			failed_at = greatest(known.failed_at, excluded.failed_at),
			succeeded_at = greatest(known.succeeded_at, excluded.succeeded_at)`,
		ids(tallies, func(t webhook.Tally) [16]byte { return t.Tenant }),
		ids(tallies, func(t webhook.Tally) [16]byte { return t.Endpoint }),
		col(tallies, func(t webhook.Tally) int64 { return row.Micros(t.Health.FailingSince) }),
		col(tallies, func(t webhook.Tally) int64 { return row.Micros(t.Health.FailedAt) }),
		col(tallies, func(t webhook.Tally) int64 { return row.Micros(t.Health.SucceededAt) }),
		col(tallies, func(t webhook.Tally) int { return t.Health.StatusCode }),
		col(tallies, func(t webhook.Tally) string { return t.Health.Error }))
}

// checkHealth refuses a change that is about an endpoint that does not fail any
// more. Whoever records attempts meanwhile waits for the change's end.
func checkHealth(ctx context.Context, tx pgx.Tx, change auth.Change) error {
	failing := change.Failing
	if failing.Since.IsZero() {
		return nil
	}
	var found int
	err := tx.QueryRow(ctx, `SELECT 1 FROM endpoint_health
		WHERE tenant_id = $1 AND endpoint_id = $2 AND failing_since BETWEEN 1 AND $3 FOR UPDATE`,
		pgUUID(change.Of), pgUUID(failing.Endpoint), row.Micros(failing.Since)).Scan(&found)
	if errors.Is(err, pgx.ErrNoRows) {
		return auth.ErrRecovered
	}
	return err
}

// begin lets the health of an endpoint that is enabled begin anew.
func (w *writer) begin(endpoint payment.EndpointID, of payment.TenantID, now time.Time) {
	if endpoint.IsZero() {
		return
	}
	w.pipe.Queue(`INSERT INTO endpoint_health (tenant_id, endpoint_id, failing_since, failed_at, succeeded_at,
			enabled_at, status_code, error) VALUES ($1, $2, 0, 0, 0, $3, 0, '')
		ON CONFLICT (tenant_id, endpoint_id) DO UPDATE SET failing_since = 0, enabled_at = excluded.enabled_at`,
		pgUUID(of), pgUUID(endpoint), row.Micros(now))
}

// move lets the health of an endpoint begin anew that is about to get another URL.
func (w *writer) move(e auth.Endpoint, now time.Time) {
	w.pipe.Queue(`INSERT INTO endpoint_health (tenant_id, endpoint_id, failing_since, failed_at, succeeded_at,
			enabled_at, status_code, error)
		SELECT tenant_id, id, 0, 0, 0, $4::bigint, 0, '' FROM endpoint WHERE tenant_id = $1 AND id = $2 AND url <> $3
		ON CONFLICT (tenant_id, endpoint_id) DO UPDATE SET failing_since = 0, enabled_at = excluded.enabled_at`,
		pgUUID(e.Tenant), pgUUID(e.ID), e.URL, row.Micros(now))
}

// Health implements [webhook.Store].
func (s *Store) Health(ctx context.Context, tenant payment.TenantID, endpoint payment.EndpointID,
) (webhook.Health, error) {
	var health webhook.Health
	var failingSince, failedAt, succeededAt, nextAt int64
	err := s.pool.QueryRow(ctx, `SELECT coalesce(failing_since, 0), coalesce(failed_at, 0), coalesce(status_code, 0),
			coalesce(error, ''), coalesce(succeeded_at, 0), waiting, next_at
		FROM (SELECT count(*) AS waiting, coalesce(min(due_at), 0) AS next_at FROM (SELECT due_at FROM job
			WHERE queue = $3 AND claim IS NULL AND buried_at = 0 AND tenant_id = $1 ORDER BY due_at LIMIT $4) AS w) AS j
		LEFT JOIN endpoint_health ON tenant_id = $1 AND endpoint_id = $2`,
		pgUUID(tenant), pgUUID(endpoint), webhook.EndpointQueue(endpoint), webhook.WaitingMax).
		Scan(&failingSince, &failedAt, &health.StatusCode, &health.Error, &succeededAt, &health.Waiting, &nextAt)
	health.FailingSince, health.FailedAt, health.SucceededAt = row.Time(failingSince), row.Time(failedAt), row.Time(succeededAt)
	health.NextAt = row.Time(nextAt)
	return health, unavailable(err)
}
