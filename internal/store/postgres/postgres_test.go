package postgres_test

import (
	"log/slog"
	"testing"

	"github.com/refundry/refundry/internal/pgtest"
	"github.com/refundry/refundry/internal/store/postgres"
	"github.com/refundry/refundry/internal/store/storetest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

func TestStore(t *testing.T) {
	t.Parallel()

	storetest.Run(t, func(t *testing.T, config storetest.Config) storetest.Store {
		t.Helper()
		url := pgtest.Database(t)
		if err := postgres.Migrate(t.Context(), url); err != nil {
			t.Fatal(err)
		}
		store, err := postgres.Open(t.Context(), postgres.Config{
			URL: url, Now: config.Clock.Now, NewID: config.NewID, Lease: config.Lease,
			Log: slog.New(slog.DiscardHandler),
		})
		if err != nil {
			t.Fatal(err)
		}
		return store
	})
}
