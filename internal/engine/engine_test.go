package engine_test

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/refundry/refundry/internal/engine"
	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/store/sqlite"
)

func newID() [16]byte { return uuid.Must(uuid.NewV7()) }

type nobody struct{}

func (nobody) Route(payment.Telling, *payment.Tenant) []engine.Route { return nil }
func (nobody) Reserve(payment.Task) (claim [16]byte, ok bool)        { return claim, false }
func (nobody) Start(context.Context, []payment.Task)                 {}
func (nobody) Release(payment.Task)                                  {}
func (nobody) Committed(int, time.Duration)                          {}
func (nobody) LostRace()                                             {}

// broken is a real store with a bad line between.
type broken struct {
	engine.Store

	calls atomic.Int64
	// before and after may break the n-th commit (1, 2, …), before it is made
	// or after.
	before, after func(n int64) error
}

func (b *broken) Commit(ctx context.Context, batch [16]byte, needs []payment.Need, decide func(*payment.Book) error) error {
	n := b.calls.Add(1)
	if err := b.before(n); err != nil {
		book := payment.NewBook(time.Now(), newID)
		_ = decide(book) // it was decided, and then the line broke
		return err
	}
	if err := b.Store.Commit(ctx, batch, needs, decide); err != nil {
		return err
	}
	return b.after(n)
}

func run(t *testing.T, before, after func(n int64) error) (*engine.Engine, *sqlite.Store) {
	t.Helper()
	store, err := sqlite.Open(sqlite.Config{
		Path: filepath.Join(t.TempDir(), "refundry.db"), Now: time.Now, Machine: time.Now, NewID: newID, Lease: time.Minute,
		Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	e := engine.New(engine.Config{
		Store: &broken{Store: store, before: before, after: after}, Router: nobody{}, Starter: nobody{}, NewID: newID,
		Lanes: 1, Log: slog.New(slog.DiscardHandler), Metrics: nobody{},
	})
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		e.Run(ctx)
	}()
	t.Cleanup(func() {
		stop()
		<-done
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return e, store
}

func fine(int64) error { return nil }

// create makes a payment of a tenant.
func create(tenant payment.TenantID) payment.CreatePayment {
	return payment.CreatePayment{
		Meta: payment.Meta{Tenant: tenant, Actor: "key:test", Door: payment.DoorAPI}, Status: payment.PaymentCaptured,
		Connector: "sandbox", Amount: money.Of(1000, "EUR"),
	}
}

// count returns how many payments were created.
func count(t *testing.T, store *sqlite.Store, tenant payment.TenantID) int {
	t.Helper()
	events, err := store.Events(t.Context(), tenant, payment.Cursor{}, 100)
	if err != nil {
		t.Fatal(err)
	}
	return len(events)
}

var errLine = errors.New("the line broke")

// A COMMIT whose answer nobody heard was done once: that run's answer stands.
func TestCommitThatWasDoneUnheard(t *testing.T) {
	t.Parallel()
	e, store := run(t, fine, func(int64) error { return errors.Join(engine.ErrUncertain, errLine) })
	var tenant payment.TenantID = newID()
	answer, err := e.Do(t.Context(), create(tenant))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.View(t.Context(), tenant, answer.View.Payment.ID); err != nil {
		t.Errorf("what was answered is not there: %v", err)
	}
	if n := count(t, store, tenant); n != 1 {
		t.Errorf("it was done %d times", n)
	}
}

// A COMMIT that was never made, for all anybody heard, is made again, once.
func TestCommitThatWasNotDone(t *testing.T) {
	t.Parallel()
	e, store := run(t, func(n int64) error {
		if n == 1 {
			return errors.Join(engine.ErrUncertain, errLine)
		}
		return nil
	}, fine)
	var tenant payment.TenantID = newID()
	answer, err := e.Do(t.Context(), create(tenant))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.View(t.Context(), tenant, answer.View.Payment.ID); err != nil || count(t, store, tenant) != 1 {
		t.Errorf("%v, done %d times", err, count(t, store, tenant))
	}
}

// bug is a command with a bug in it.
type bug struct{ payment.CreatePayment }

// Apply implements [payment.Command].
func (bug) Apply(*payment.Book) (payment.Answer, error) { panic("a bug") }

// One command's bug costs no other command its answer.
func TestCulpritIsAlone(t *testing.T) {
	t.Parallel()
	gate := make(chan struct{})
	e, store := run(t, func(n int64) error {
		if n == 1 {
			<-gate // meanwhile the others wait together
		}
		return nil
	}, fine)
	var tenant payment.TenantID = newID()
	results := make(chan error, 20)
	ask := func(command payment.Command) {
		go func() {
			_, err := e.Do(context.Background(), command)
			results <- err
		}()
	}
	ask(create(tenant))
	for range 10 {
		ask(create(tenant))
	}
	ask(bug{create(tenant)})
	close(gate)
	failed := 0
	for range 12 {
		if err := <-results; err != nil {
			failed++
		}
	}
	if failed != 1 || count(t, store, tenant) != 11 {
		t.Errorf("%d failed, %d were done", failed, count(t, store, tenant))
	}
}

// A lost race is run again, and a caller who has gone leaves nothing behind.
func TestLostRace(t *testing.T) {
	t.Parallel()
	e, store := run(t, func(n int64) error {
		if n <= 2 {
			return engine.ErrLostRace
		}
		return nil
	}, fine)
	var tenant payment.TenantID = newID()
	if _, err := e.Do(t.Context(), create(tenant)); err != nil {
		t.Fatal(err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := e.Do(gone, create(tenant)); err == nil {
		t.Error("a caller who has gone was answered")
	}
	if n := count(t, store, tenant); n != 1 {
		t.Errorf("%d were done", n)
	}
}
