package sqlite

import (
	"context"

	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/store/row"
)

// Events implements [payment.Feed].
func (s *Store) Events(_ context.Context, tenant payment.TenantID, after payment.Cursor, limit int,
) ([]payment.FeedEvent, error) {
	var events []payment.FeedEvent
	err := s.read(func(c *conn) error {
		const query = `SELECT ` + eventColumns + ` FROM event WHERE tenant_id = ?1 AND (commit_number, number) > (?2, ?3)
			ORDER BY commit_number, number LIMIT ?4`
		at := after.Index
		if after.Commit == 0 {
			at = -1
		}
		return c.query(query, []any{ident(tenant), after.Commit, at, limit}, func(r *cells) error {
			events = append(events, scanEvent(r))
			return nil
		})
	})
	return events, err
}

const eventColumns = `commit_number, number, tenant_id, kind, payment_id, subject_id, version, at, actor, door, request,
	detail`

func scanEvent(r *cells) payment.FeedEvent {
	return payment.FeedEvent{
		Cursor: payment.Cursor{Commit: r.int(), Index: int(r.int())},
		Event: payment.Event{
			Tenant: r.uuid(), Kind: payment.EventKind(r.text()), Payment: r.uuid(), Subject: r.uuid(), Version: r.int(),
			At: row.Time(r.int()), Actor: r.text(), Door: payment.Door(r.text()), Request: r.text(), Detail: r.text(),
		},
	}
}
