package sqlite_test

import (
	"bytes"
	"database/sql"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/pressly/goose/v3"

	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/store/migrations"
	"github.com/refundry/refundry/internal/store/sqlite"
	"github.com/refundry/refundry/internal/store/storetest"
)

// file is a store of its own, whose file can be looked into.
type file struct {
	path  string
	store *sqlite.Store
	newID func() [16]byte
	meta  payment.Meta
}

func openFile(t *testing.T) *file {
	t.Helper()
	f := &file{path: filepath.Join(t.TempDir(), "refundry.db"), newID: storetest.IDs()}
	f.meta = payment.Meta{Tenant: f.newID(), Actor: "key:test", Door: payment.DoorAPI}
	f.open(t)
	return f
}

func (f *file) open(t *testing.T) {
	t.Helper()
	var err error
	if f.store, err = sqlite.Open(sqlite.Config{
		Path: f.path, Now: time.Now, Machine: time.Now, NewID: f.newID, Lease: time.Minute,
		Log: slog.New(slog.DiscardHandler),
	}); err != nil {
		t.Fatal(err)
	}
}

// do commits commands together.
func (f *file) do(t *testing.T, commands ...payment.Command) (answers []payment.Answer) {
	t.Helper()
	var needs []payment.Need
	for _, command := range commands {
		needs = append(needs, command.Need())
	}
	err := f.store.Commit(t.Context(), f.newID(), needs, func(book *payment.Book) error {
		for _, command := range commands {
			answer, err := command.Apply(book)
			if err != nil {
				return err
			}
			answers = append(answers, answer)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return answers
}

// keys reads the personal keys that are there.
func (f *file) keys(t *testing.T) (keys [][]byte) {
	t.Helper()
	db, err := sql.Open("sqlite", f.path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	rows, err := db.QueryContext(t.Context(), `SELECT key FROM personal_key WHERE erased_at = 0`)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var key []byte
		if err := rows.Scan(&key); err != nil {
			t.Fatal(err)
		}
		keys = append(keys, key)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return keys
}

// Keys that were destroyed are neither in the file nor in its WAL, wherever
// the pages of their table were split and moved, while the process goes on.
func TestDestroyedKeysAreGone(t *testing.T) {
	t.Parallel()
	f := openFile(t)
	defer func() { _ = f.store.Close() }()
	var made []payment.PaymentID
	for range 20 {
		var commands []payment.Command
		for range 50 {
			made = append(made, f.newID())
			id := &made[len(made)-1]
			id[0] = byte(len(made) * 37) // anywhere in the table: pages are split
			commands = append(commands, payment.CreatePayment{
				Meta: f.meta, ID: *id, Status: payment.PaymentCaptured, Connector: "sandbox", Amount: money.Of(100, "EUR"), Payer: "p",
			})
		}
		f.do(t, commands...)
	}
	keys := f.keys(t)
	if len(keys) != len(made) || !bytes.Contains(kept(t, f.path), keys[0]) {
		t.Fatalf("%d keys of %d payments", len(keys), len(made))
	}
	for _, id := range made {
		f.do(t, payment.ErasePayment{Meta: f.meta, Payment: id})
	}
	deadline := time.NewTimer(30 * time.Second)
	defer deadline.Stop()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if wal, err := os.Stat(f.path + "-wal"); err == nil && wal.Size() == 0 {
			break
		}
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatal("the WAL is never emptied")
		}
	}
	all, left := kept(t, f.path), 0
	for _, key := range keys {
		if bytes.Contains(all, key[:32]) || bytes.Contains(all, key[32:]) {
			left++
		}
	}
	if left > 0 {
		t.Errorf("%d of %d keys are still there", left, len(keys))
	}
}

// What a version without keys has written gets keys, and can be written on.
func TestMigrationGivesKeys(t *testing.T) {
	t.Parallel()
	f := openFile(t)
	order := f.do(t, payment.OpenOrder{Meta: f.meta, Currency: "EUR"})[0].Order
	p := f.do(t, payment.CreatePayment{
		Meta: f.meta, Order: order.ID, Status: payment.PaymentCaptured, Connector: "sandbox", Amount: money.Of(100, "EUR"),
	})[0].View.Payment
	if err := f.store.Close(); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", f.path)
	if err != nil {
		t.Fatal(err)
	}
	folder, err := fs.Sub(migrations.SQLite, "sqlite")
	if err != nil {
		t.Fatal(err)
	}
	provider, err := goose.NewProvider(goose.DialectSQLite3, db, folder)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := provider.DownTo(t.Context(), 8); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if keys := f.keys(t); len(keys) != 0 {
		t.Fatalf("%d keys before", len(keys))
	}
	f.open(t)
	defer func() { _ = f.store.Close() }()
	if keys := f.keys(t); len(keys) != 2 || bytes.Equal(keys[0], keys[1]) {
		t.Fatalf("%d keys", len(keys))
	}
	f.do(t, payment.OpenRefund{
		Meta: f.meta, Payment: p.ID, Ask: payment.Ask{How: payment.AskAmount, Amount: 10}, Currency: "EUR", Note: "n",
	})
	if view, err := f.store.View(t.Context(), f.meta.Tenant, p.ID); err != nil || view.Refunds[0].Note != "n" {
		t.Errorf("read as %+v: %v", view, err)
	}
}
