package postgres_test

import (
	"errors"
	"log/slog"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/refundry/refundry/internal/pgtest"
	"github.com/refundry/refundry/internal/store/migrations"
	"github.com/refundry/refundry/internal/store/postgres"
	"github.com/refundry/refundry/internal/store/storetest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

func TestStore(t *testing.T) {
	t.Parallel()
	storetest.Run(t, open)
}

func TestLedgerMigration(t *testing.T) {
	t.Parallel()
	text, err := migrations.Postgres.ReadFile("postgres/00010_ledger.sql")
	if err != nil {
		t.Fatal(err)
	}
	storetest.MigratesLedger(t, open, string(text))
}

func TestTotalsMigration(t *testing.T) {
	t.Parallel()
	text, err := migrations.Postgres.ReadFile("postgres/00014_totals.sql")
	if err != nil {
		t.Fatal(err)
	}
	storetest.MigratesTotals(t, open, string(text))
}

func open(t *testing.T, config storetest.Config) storetest.Store {
	t.Helper()
	url := pgtest.Database(t)
	*config.Exec = func(statement string) error { return exec(t, url, statement) }
	*config.Kept = func() []byte { return pgtest.Dump(t, url) }
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
}

// exec changes rows behind the store's back.
func exec(t *testing.T, url, statement string) error {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		return err
	}
	_, err = conn.Exec(t.Context(), statement)
	return errors.Join(err, conn.Close(t.Context()))
}
