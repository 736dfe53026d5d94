package sqlite_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/refundry/refundry/internal/auth"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/store/sqlite"
	"github.com/refundry/refundry/internal/store/storetest"
)

// remembering is luck that somebody has written down.
type remembering struct{ drawn bytes.Buffer }

func (r *remembering) Read(to []byte) (int, error) {
	return io.TeeReader(rand.Reader, &r.drawn).Read(to)
}

// The keys of persons who were erased are nowhere in the file or its WAL, not
// even in pieces that were left behind when pages were split or given back.
func TestErasedKeysAreGone(t *testing.T) {
	t.Parallel()

	const persons = 400 // many pages of keys
	path := filepath.Join(t.TempDir(), "refundry.db")
	luck, clock, newID := &remembering{}, storetest.NewClock(), storetest.IDs()
	store, err := sqlite.Open(sqlite.Config{
		Path: path, Now: clock.Now, Machine: time.Now, NewID: newID, Lease: time.Minute, Random: luck,
		Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	}()
	tenant := payment.Tenant{ID: newID(), Name: "shop"}
	change := auth.Change{Tenant: &tenant, Of: tenant.ID}
	for i := range persons { // one by one, so that pages are split
		change.Events = []payment.Event{{Tenant: tenant.ID, Kind: auth.EventSettingsChanged, User: person(i)}}
		if err := store.Change(t.Context(), change); err != nil {
			t.Fatal(err)
		}
		change.Tenant = nil
	}
	const keyBytes, piece = 64, 16
	keys := luck.drawn.Bytes()
	left := func() (pieces int) {
		kept := readAll(t, path) + readAll(t, path+"-wal")
		for at := 0; at < len(keys); at += piece {
			if bytes.Contains([]byte(kept), keys[at:at+piece]) {
				pieces++
			}
		}
		return pieces
	}
	if len(keys) != persons*keyBytes || left() != persons*keyBytes/piece {
		t.Fatalf("%d bytes drawn, %d pieces found before", len(keys), left())
	}
	for i := range persons {
		event := payment.Event{
			Tenant: tenant.ID, Kind: payment.EventPersonErased, At: clock.Now(),
			Subject: payment.PersonOf(tenant.ID, person((i*7)%persons)),
		}
		if err := store.ErasePerson(t.Context(), event); err != nil {
			t.Fatal(err)
		}
	}
	if pieces := left(); pieces > 0 {
		t.Errorf("%d pieces of destroyed keys are left", pieces)
	}
}

func person(number int) string { return fmt.Sprint("person", number) }

func readAll(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return string(text)
}
