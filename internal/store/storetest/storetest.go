// Package storetest is the contract of a store: one suite, run on SQLite and
// on Postgres.
package storetest

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"log/slog"
	"maps"
	"sync"
	"testing"
	"time"

	"github.com/refundry/refundry/internal/audit"
	"github.com/refundry/refundry/internal/auth"
	"github.com/refundry/refundry/internal/batch"
	"github.com/refundry/refundry/internal/engine"
	"github.com/refundry/refundry/internal/job"
	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/verify"
	"github.com/refundry/refundry/internal/webhook"
)

// Store is everything that a store does.
type Store interface {
	engine.Store
	job.Store
	auth.Store
	auth.UseStore
	webhook.Store
	payment.Reader
	payment.Feed
	payment.Counting
	payment.Lists
	payment.Books
	verify.Store
	batch.Store
	audit.Store
	// Refunds returns the refunds that there are of those that are named, each
	// once and in any order.
	Refunds(ctx context.Context, refs []payment.RefundRef) ([]payment.Refund, error)
	Close() error
}

// Clock is a time that tests set.
type Clock struct {
	mutex sync.Mutex
	at    time.Time
}

// NewClock returns a clock that stands still.
func NewClock() *Clock { return &Clock{at: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)} }

// Now returns the clock's time.
func (c *Clock) Now() time.Time {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return c.at
}

// Advance moves the clock.
func (c *Clock) Advance(by time.Duration) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.at = c.at.Add(by)
}

// IDs returns a source of fresh ids in growing order.
func IDs() func() [16]byte {
	var mutex sync.Mutex
	var count uint64
	return func() [16]byte {
		mutex.Lock()
		defer mutex.Unlock()
		count++
		var id [16]byte
		binary.BigEndian.PutUint64(id[:8], uint64(time.Now().UnixMicro())<<8|count&0xff)
		_, _ = rand.Read(id[8:])
		return id
	}
}

// Config is what a store is opened with.
type Config struct {
	Clock *Clock
	NewID func() [16]byte
	Lease time.Duration
	Exec  *func(statement string) error // set by who opens the store: how tests change rows behind its back
	Kept  *func() []byte                // … how they see every byte that it keeps
}

// Open opens an empty store.
type Open func(t *testing.T, config Config) Store

// bundle is what each test works with.
type bundle struct {
	store  Store
	clock  *Clock
	newID  func() [16]byte
	engine *engine.Engine
	tenant payment.TenantID
	exec   func(statement string) error
	kept   func() []byte
}

// damage changes rows behind the store's back.
func (b *bundle) damage(t *testing.T, statement string) {
	t.Helper()
	if err := b.exec(statement); err != nil {
		t.Fatal(err)
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

func setup(t *testing.T, open Open) *bundle {
	t.Helper()
	b := &bundle{clock: NewClock(), newID: IDs()}
	b.store = open(t, Config{Clock: b.clock, NewID: b.newID, Lease: time.Minute, Exec: &b.exec, Kept: &b.kept})
	b.tenant = b.newID()
	b.engine = runEngine(t, b.store, b.newID)
	return b
}

// capturesConnector is that of a processor that refunds captures.
const capturesConnector = "sandbox_captures"

// runEngine runs an engine over a store until the test ends.
func runEngine(t *testing.T, store Store, newID func() [16]byte) *engine.Engine {
	t.Helper()
	e := engine.New(engine.Config{
		Store: store, Router: nobody{}, Starter: nobody{}, NewID: newID, Lanes: 2,
		Log: slog.New(slog.DiscardHandler), Metrics: nobody{},
		Connectors: payment.Connectors{capturesConnector: {RefundsCaptures: true}},
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
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

func (b *bundle) meta() payment.Meta {
	return payment.Meta{Tenant: b.tenant, Actor: "key:test", Door: payment.DoorAPI}
}

// captured is the command that makes a captured payment.
func (b *bundle) captured(minor money.Minor) payment.CreatePayment {
	return payment.CreatePayment{
		Meta: b.meta(), Status: payment.PaymentCaptured, Connector: "sandbox", Amount: money.Of(minor, "EUR"),
	}
}

// capture makes a captured payment.
func (b *bundle) capture(t *testing.T, minor money.Minor) payment.Payment {
	t.Helper()
	return b.do(t, b.captured(minor)).View.Payment
}

// do runs a command that is not refused.
func (b *bundle) do(t *testing.T, command payment.Command) payment.Answer {
	t.Helper()
	answer, err := b.engine.Do(t.Context(), command)
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

// view reads a payment of the bundle's tenant.
func (b *bundle) view(t *testing.T, id payment.PaymentID) payment.View {
	t.Helper()
	view, err := b.store.View(t.Context(), b.tenant, id)
	if err != nil {
		t.Fatal(err)
	}
	return view
}

// wantRule fails the test unless an error is a refusal by a rule.
func wantRule(t *testing.T, err error, rule payment.RuleName) {
	t.Helper()
	var refusal *payment.Refusal
	if !errors.As(err, &refusal) || refusal.Rule != rule {
		t.Errorf("error %v, want a refusal by %s", err, rule)
	}
}

// wantClean fails the test unless nothing is found that differs.
func (b *bundle) wantClean(t *testing.T) {
	t.Helper()
	result, err := verify.Run(t.Context(), b.store, func(int64) {})
	if err != nil || !result.IsClean() {
		t.Errorf("found %+v: %v", result.Findings, err)
	}
}

// wantFound fails the test unless something is found that differs.
func (b *bundle) wantFound(t *testing.T) {
	t.Helper()
	if result, err := verify.Run(t.Context(), b.store, func(int64) {}); err != nil || result.IsClean() {
		t.Errorf("it is not found: %v", err)
	}
}

// refund opens a refund.
func (b *bundle) refund(ctx context.Context, of payment.PaymentID, minor money.Minor) (payment.Answer, error) {
	return b.engine.Do(ctx, payment.OpenRefund{
		Meta: b.meta(), Payment: of, Ask: payment.Ask{How: payment.AskAmount, Amount: minor}, Currency: "EUR",
	})
}

// Run runs the contract.
func Run(t *testing.T, open Open) {
	t.Helper()
	tests := map[string]func(*testing.T, Open){
		"a refund is read as it was answered":       testRoundTrip,
		"refunds never exceed what was captured":    testNeverTooMuch,
		"the last cent has one winner":              testLastCent,
		"a repeated key in one batch is one refund": testConcurrentKey,
		"a job that came again often is not buried": testPatience,
		"the feed misses and repeats nothing":       testFeed,
		"damage behind the store's back is found":   testDamage,
		"the schema is the last wall":               testWall,
		"a lease that ended ends nothing":           testLease,
	}
	maps.Copy(tests, settingsTests)
	maps.Copy(tests, deliveryTests)
	maps.Copy(tests, healthTests)
	maps.Copy(tests, eventsTests)
	maps.Copy(tests, keptTests)
	maps.Copy(tests, totalsTests)
	maps.Copy(tests, listTests)
	maps.Copy(tests, hurryTests)
	maps.Copy(tests, policyTests)
	maps.Copy(tests, batchTests)
	maps.Copy(tests, refundListTests)
	maps.Copy(tests, ledgerTests)
	maps.Copy(tests, reportTests)
	maps.Copy(tests, auditTests)
	maps.Copy(tests, eraseTests)
	maps.Copy(tests, nameTests)
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open)
		})
	}
}

func testRoundTrip(t *testing.T, open Open) {
	b := setup(t, open)
	p := b.capture(t, 1000)
	answer, err := b.refund(t.Context(), p.ID, 400)
	if err != nil {
		t.Fatal(err)
	}
	view, err := b.store.View(t.Context(), b.tenant, p.ID)
	if err != nil {
		t.Fatal(err)
	}
	if view.Payment.Reserved != 400 || view.Payment.Totals.Refundable() != 600 || len(view.Refunds) != 1 {
		t.Errorf("totals %+v, %d refunds", view.Payment.Totals, len(view.Refunds))
	}
	if view.Recount() != view.Payment.Totals {
		t.Errorf("recounted %+v, written %+v", view.Recount(), view.Payment.Totals)
	}
	if view.Refunds[0].ID != answer.Refund.ID || view.Refunds[0].Status != payment.RefundPending {
		t.Errorf("read %+v, answered %+v", view.Refunds[0], answer.Refund)
	}
}

func testNeverTooMuch(t *testing.T, open Open) {
	b := setup(t, open)
	p := b.capture(t, 10_000)
	var wait sync.WaitGroup
	for i := range 200 {
		wait.Go(func() {
			_, err := b.refund(t.Context(), p.ID, money.Minor(1+i*37%200))
			var refusal *payment.Refusal
			if err != nil && !errors.As(err, &refusal) {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	view, err := b.store.View(t.Context(), b.tenant, p.ID)
	if err != nil {
		t.Fatal(err)
	}
	if view.Payment.Reserved > 10_000 || view.Recount() != view.Payment.Totals {
		t.Errorf("totals %+v, recounted %+v", view.Payment.Totals, view.Recount())
	}
}

func testLastCent(t *testing.T, open Open) {
	b := setup(t, open)
	p := b.capture(t, 1)
	var wait sync.WaitGroup
	won := make(chan struct{}, 50)
	for range 50 {
		wait.Go(func() {
			if _, err := b.refund(t.Context(), p.ID, 1); err == nil {
				won <- struct{}{}
			}
		})
	}
	wait.Wait()
	if len(won) != 1 {
		t.Errorf("%d winners", len(won))
	}
}

func testConcurrentKey(t *testing.T, open Open) {
	b := setup(t, open)
	p := b.capture(t, 1000)
	meta := b.meta()
	meta.Key = payment.Key{Hash: b.newID(), Fingerprint: b.newID()}
	var wait sync.WaitGroup
	made := make(chan payment.RefundID, 50)
	for range 50 {
		wait.Go(func() {
			answer, err := b.engine.Do(t.Context(), payment.OpenRefund{
				Meta: meta, Payment: p.ID, Ask: payment.Ask{How: payment.AskAmount, Amount: 10}, Currency: "EUR",
			})
			if err != nil {
				t.Error(err)
				return
			}
			if answer.Replayed == nil {
				made <- answer.Refund.ID
			}
		})
	}
	wait.Wait()
	if len(made) != 1 {
		t.Errorf("%d refunds made", len(made))
	}
}
