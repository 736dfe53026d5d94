package sqlite

import (
	"context"

	"github.com/refundry/refundry/internal/payment"
)

// TakeNumbers implements [dialect.Counter].
func (s *Store) TakeNumbers(_ context.Context, tenant payment.TenantID, name string, count int64) (first int64, err error) {
	err = s.write(func(c *conn) error {
		const query = `INSERT INTO running_number (tenant_id, name, next) VALUES (?1, ?2, 1 + ?3)
			ON CONFLICT (tenant_id, name) DO UPDATE SET next = next + ?3 RETURNING next - ?3`
		return c.query(query, []any{ident(tenant), name, count}, func(r *cells) error {
			first = r.int()
			return nil
		})
	})
	return first, err
}
