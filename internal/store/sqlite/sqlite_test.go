package sqlite_test

import (
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/refundry/refundry/internal/store/sqlite"
	"github.com/refundry/refundry/internal/store/storetest"
)

func TestStore(t *testing.T) {
	t.Parallel()

	storetest.Run(t, func(t *testing.T, config storetest.Config) storetest.Store {
		t.Helper()
		store, err := sqlite.Open(sqlite.Config{
			Path: filepath.Join(t.TempDir(), "refundry.db"), Now: config.Clock.Now, Machine: time.Now,
			NewID: config.NewID, Lease: config.Lease, Log: slog.New(slog.DiscardHandler),
		})
		if err != nil {
			t.Fatal(err)
		}
		return store
	})
}
