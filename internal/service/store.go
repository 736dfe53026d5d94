package service

import (
	"context"
	"log/slog"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/refundry/refundry/internal/audit"
	"github.com/refundry/refundry/internal/auth"
	"github.com/refundry/refundry/internal/batch"
	"github.com/refundry/refundry/internal/dialect"
	"github.com/refundry/refundry/internal/engine"
	"github.com/refundry/refundry/internal/job"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/store/postgres"
	"github.com/refundry/refundry/internal/store/sqlite"
	"github.com/refundry/refundry/internal/verify"
	"github.com/refundry/refundry/internal/waiter"
	"github.com/refundry/refundry/internal/webhook"
)

// store is everything that a store does.
type store interface {
	engine.Store
	job.Store
	auth.Store
	auth.UseStore
	webhook.Store
	payment.Reader
	payment.Feed
	payment.Books
	payment.Lists
	verify.Store
	audit.Store
	waiter.Store
	batch.Store
	dialect.Counter
	payment.Counting
	Close() error
}

// sqliteFile is the name of the SQLite file in the data folder.
const sqliteFile = "refundry.db"

// openStore opens the store and brings its tables up to date.
func openStore(ctx context.Context, config Config, now func() time.Time) (store, error) {
	if config.Database == "" {
		return sqlite.Open(sqlite.Config{
			Path: filepath.Join(config.Data, sqliteFile), Now: now, Machine: config.Machine, NewID: config.NewID,
			Lease: config.Lease, Log: config.Log,
		})
	}
	if err := postgres.Migrate(ctx, config.Database); err != nil {
		return nil, err
	}
	return postgres.Open(ctx, postgres.Config{
		URL: config.Database, Now: now, NewID: config.NewID, Lease: config.Lease, Log: config.Log,
	})
}

// skew is how far the store's time is ahead of this machine's. All replicas
// go by the database's time.
type skew struct {
	machine func() time.Time
	ahead   atomic.Int64 // nanoseconds
}

const skewPause = 10 * time.Second

func (s *skew) now() time.Time { return s.machine().Add(time.Duration(s.ahead.Load())) }

// follow asks the store for its time, if it has one of its own.
func (s *skew) follow(ctx context.Context, of store) error {
	timed, ok := of.(interface {
		Time(ctx context.Context) (time.Time, error)
	})
	if !ok {
		return nil
	}
	asked := s.machine()
	at, err := timed.Time(ctx)
	if err != nil {
		return err
	}
	heard := s.machine()
	s.ahead.Store(int64(at.Sub(asked.Add(heard.Sub(asked) / 2))))
	return nil
}

// run follows the store's time until ctx ends.
func (s *skew) run(ctx context.Context, of store, log *slog.Logger) {
	ticker := time.NewTicker(skewPause)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			if err := s.follow(ctx, of); err != nil && ctx.Err() == nil {
				log.WarnContext(ctx, "database time not read", "error", err)
			}
		}
	}
}
