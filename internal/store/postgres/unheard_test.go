package postgres_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"net/url"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/refundry/refundry/internal/auth"
	"github.com/refundry/refundry/internal/engine"
	"github.com/refundry/refundry/internal/fault"
	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/pgtest"
	"github.com/refundry/refundry/internal/setting"
	"github.com/refundry/refundry/internal/store/postgres"
	"github.com/refundry/refundry/internal/store/storetest"
)

// line is a bad line to the server: it can break at a word.
type line struct {
	server   string
	word     string       // of what is asked
	broken   atomic.Int64 // how often it broke
	onAsk    atomic.Int64 // how often yet: what has the word in it is not passed on
	onAnswer atomic.Int64 // how often yet: the next answer to a COMMIT is not passed on
	wires    sync.WaitGroup

	mutex  sync.Mutex
	isGone bool
	ends   []net.Conn
}

// commits is how COMMIT looks on the line.
const commits = "commit\x00"

// openLine returns a line to the shared server and the folder of its near end.
func openLine(t *testing.T, word string) (*line, string) {
	t.Helper()
	l := &line{server: pgtest.Shared(t).Socket(), word: word}
	folder := t.TempDir()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "unix", filepath.Join(folder, filepath.Base(l.server)))
	if err != nil {
		t.Fatal(err)
	}
	l.wires.Go(func() {
		for {
			near, err := listener.Accept()
			if err != nil {
				return
			}
			l.wires.Go(func() { l.carry(near) })
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		l.wires.Wait()
	})
	return l, folder
}

func (l *line) carry(near net.Conn) {
	far, err := net.Dial("unix", l.server)
	l.mutex.Lock()
	isGone := l.isGone
	l.ends = append(l.ends, near)
	l.mutex.Unlock()
	if err != nil || isGone {
		_ = near.Close()
		if err == nil {
			_ = far.Close()
		}
		return
	}
	l.wires.Go(func() { l.pass(far, near, l.word, &l.onAsk) })
	l.pass(near, far, "COMMIT\x00", &l.onAnswer)
}

// cut breaks the line for good.
func (l *line) cut() {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.isGone = true
	for _, near := range l.ends {
		_ = near.Close()
	}
}

// pass carries bytes one way until either end closes, or until the line
// breaks: at a word, if it is to break there.
func (l *line) pass(to, from net.Conn, word string, breaks *atomic.Int64) {
	defer func() { _, _ = to.Close(), from.Close() }()
	buffer := make([]byte, 64<<10)
	for {
		n, err := from.Read(buffer)
		if bytes.Contains(buffer[:n], []byte(word)) && breaks.Add(-1) >= 0 {
			l.broken.Add(1)
			return
		}
		if _, writeErr := to.Write(buffer[:n]); err != nil || writeErr != nil {
			return
		}
	}
}

// openBehind opens a store behind a line that can break at a word.
func openBehind(t *testing.T, word string) (*postgres.Store, *line) {
	t.Helper()
	database := pgtest.Database(t)
	if err := postgres.Migrate(t.Context(), database); err != nil {
		t.Fatal(err)
	}
	l, folder := openLine(t, word)
	address, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	query := address.Query()
	query.Set("host", folder)
	address.RawQuery = query.Encode()
	store, err := postgres.Open(t.Context(), postgres.Config{
		URL: address.String(), Now: storetest.NewClock().Now, NewID: storetest.IDs(), Lease: time.Minute,
		Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return store, l
}

// newTenant is a change that makes a tenant.
func newTenant(id payment.TenantID) auth.Change {
	return auth.Change{
		Tenant: &payment.Tenant{ID: id, Name: id.String()}, Of: id,
		Events: []payment.Event{{Tenant: id, Kind: auth.EventTenantCreated, Subject: id}},
	}
}

// A change of settings whose COMMIT or its answer is lost is made once.
func TestChangeUnheard(t *testing.T) {
	t.Parallel()
	for name, breakAt := range map[string]func(*line) *atomic.Int64{
		"asked":    func(l *line) *atomic.Int64 { return &l.onAsk },
		"answered": func(l *line) *atomic.Int64 { return &l.onAnswer },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store, l := openBehind(t, commits)
			id := payment.TenantID(storetest.IDs()())
			change := newTenant(id)
			for version := range int64(3) {
				breakAt(l).Store(1)
				if err := store.Change(t.Context(), change); err != nil {
					t.Fatal(err)
				}
				tenant, err := store.Tenant(t.Context(), id)
				if err != nil || tenant.Version != version+1 || l.broken.Load() != version+1 {
					t.Fatalf("version %d after %d breaks: %v", tenant.Version, l.broken.Load(), err)
				}
				events, err := store.Events(t.Context(), id, payment.Cursor{}, 100)
				if err != nil || int64(len(events)) != version+1 {
					t.Fatalf("%d events: %v", len(events), err)
				}
				tenant.Settings = setting.Values{"a": version}
				change = auth.Change{Tenant: &tenant, Of: id, Events: change.Events}
			}
		})
	}
}

// Where the line breaks each time, nobody claims to know.
func TestChangeFateUnknown(t *testing.T) {
	t.Parallel()
	store, l := openBehind(t, commits)
	id := payment.TenantID(storetest.IDs()())
	l.onAsk.Store(2)
	if err := store.Change(t.Context(), newTenant(id)); !errors.Is(err, engine.ErrFateUnknown) {
		t.Errorf("error %v", err)
	}
}

// A COMMIT whose answer is lost on the line is not made again, and its
// commands have their answers.
func TestCommitUnheard(t *testing.T) {
	t.Parallel()
	store, l := openBehind(t, commits)
	e := engine.New(engine.Config{
		Store: store, Router: nobody{}, Starter: nobody{}, NewID: storetest.IDs(), Lanes: 1,
		Log: slog.New(slog.DiscardHandler), Metrics: nobody{},
	})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		e.Run(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		<-done
	})
	tenant := payment.TenantID(storetest.IDs()())
	for n := range 3 {
		l.onAnswer.Store(1)
		answer, err := e.Do(t.Context(), payment.CreatePayment{
			Meta: payment.Meta{Tenant: tenant, Actor: "key:test", Door: payment.DoorAPI}, Status: payment.PaymentCaptured,
			Connector: "sandbox", Amount: money.Of(1000, "EUR"),
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := store.View(t.Context(), tenant, answer.View.Payment.ID); err != nil {
			t.Error(err)
		}
		events, err := store.Events(t.Context(), tenant, payment.Cursor{}, 100)
		if err != nil || len(events) != n+1 || l.broken.Load() != int64(n+1) {
			t.Errorf("%d events after %d breaks: %v", len(events), l.broken.Load(), err)
		}
	}
}

// A line that is gone is no bug of ours: the caller may come again.
func TestLineGone(t *testing.T) {
	t.Parallel()
	store, l := openBehind(t, "FROM tenant WHERE")
	id := payment.TenantID(storetest.IDs()())
	if err := store.Change(t.Context(), newTenant(id)); err != nil {
		t.Fatal(err)
	}
	l.onAsk.Store(1)
	if _, err := store.Tenant(t.Context(), id); fault.CodeOf(err) != fault.Unavailable {
		t.Errorf("as it breaks: %v", err)
	}
	if _, err := store.Tenant(t.Context(), id); err != nil || l.broken.Load() != 1 {
		t.Errorf("when it is whole again: %v", err)
	}
	l.cut()
	if _, err := store.Tenant(t.Context(), id); fault.CodeOf(err) != fault.Unavailable {
		t.Errorf("after it broke: %v", err)
	}
}

// nobody neither routes nor starts anything.
type nobody struct{}

func (nobody) Route(payment.Telling, *payment.Tenant) []engine.Route { return nil }
func (nobody) Reserve(payment.Task) (claim [16]byte, ok bool)        { return claim, false }
func (nobody) Start(context.Context, []payment.Task)                 {}
func (nobody) Release(payment.Task)                                  {}
func (nobody) Committed(int, time.Duration)                          {}
func (nobody) LostRace()                                             {}
