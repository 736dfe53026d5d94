package sqlite_test

import (
	"database/sql"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/refundry/refundry/internal/store/migrations"
	"github.com/refundry/refundry/internal/store/sqlite"
	"github.com/refundry/refundry/internal/store/storetest"
)

func TestStore(t *testing.T) {
	t.Parallel()
	storetest.Run(t, open)
}

func TestLedgerMigration(t *testing.T) {
	t.Parallel()
	text, err := migrations.SQLite.ReadFile("sqlite/00010_ledger.sql")
	if err != nil {
		t.Fatal(err)
	}
	storetest.MigratesLedger(t, open, string(text))
}

func TestTotalsMigration(t *testing.T) {
	t.Parallel()
	text, err := migrations.SQLite.ReadFile("sqlite/00014_totals.sql")
	if err != nil {
		t.Fatal(err)
	}
	storetest.MigratesTotals(t, open, string(text))
}

func open(t *testing.T, config storetest.Config) storetest.Store {
	t.Helper()
	path := filepath.Join(t.TempDir(), "refundry.db")
	*config.Exec = func(statement string) error { return exec(path, statement) }
	*config.Kept = func() []byte { return kept(t, path) }
	store, err := sqlite.Open(sqlite.Config{
		Path: path, Now: config.Clock.Now, Machine: time.Now,
		NewID: config.NewID, Lease: config.Lease, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	return store
}

// kept returns every byte of the file and its WAL.
func kept(t *testing.T, path string) []byte {
	t.Helper()
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	wal, err := os.ReadFile(path + "-wal")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return append(file, wal...)
}

// exec changes rows behind the store's back.
func exec(path, statement string) error {
	db, err := sql.Open("sqlite", path+"?_pragma=busy_timeout(5000)")
	if err != nil {
		return err
	}
	_, err = db.Exec(statement)
	return errors.Join(err, db.Close())
}
