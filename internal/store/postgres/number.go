package postgres

import (
	"context"

	"github.com/refundry/refundry/internal/payment"
)

// TakeNumbers implements [dialect.Counter].
func (s *Store) TakeNumbers(ctx context.Context, tenant payment.TenantID, name string, count int64) (first int64, err error) {
	err = s.pool.QueryRow(ctx, `INSERT INTO running_number AS n (tenant_id, name, next) VALUES ($1, $2, 1 + $3)
		ON CONFLICT (tenant_id, name) DO UPDATE SET next = n.next + $3 RETURNING next - $3`,
		pgUUID(tenant), name, count).Scan(&first)
	return first, unavailable(err)
}
