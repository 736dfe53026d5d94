package postgres

import (
	"context"
	"time"
)

// Time returns the database's time, which all replicas go by.
func (s *Store) Time(ctx context.Context) (time.Time, error) {
	var at time.Time
	err := s.pool.QueryRow(ctx, `SELECT clock_timestamp()`).Scan(&at)
	return at.UTC(), unavailable(err)
}
