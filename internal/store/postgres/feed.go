package postgres

import (
	"context"

	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/store/row"
)

// Events implements [payment.Feed]. It is one statement, which sees one state:
// commits are numbered under a lock that ends with them, so a number that is
// visible has no invisible one before it.
func (s *Store) Events(ctx context.Context, tenant payment.TenantID, after payment.Cursor, limit int,
) ([]payment.FeedEvent, error) {
	at := after.Index
	if after.Commit == 0 {
		at = -1
	}
	rows, err := s.pool.Query(ctx, `SELECT commit_number, number, tenant_id, kind, payment_id, subject_id, version, at,
			actor, door, request, detail
		FROM event WHERE tenant_id = $1 AND (commit_number, number) > ($2, $3)
		ORDER BY commit_number, number LIMIT $4`, pgUUID(tenant), after.Commit, at, limit)
	if err != nil {
		return nil, unavailable(err)
	}
	var events []payment.FeedEvent
	err = each(rows, scanEvent, func(e payment.FeedEvent) { events = append(events, e) })
	return events, unavailable(err)
}

func scanEvent(r scanner) (e payment.FeedEvent, err error) {
	var at int64
	err = r.Scan(&e.Cursor.Commit, &e.Cursor.Index, raw(&e.Tenant), &e.Kind, raw(&e.Payment), &e.Subject, &e.Version,
		&at, &e.Actor, &e.Door, &e.Request, &e.Detail)
	e.At = row.Time(at)
	return e, err
}
