package processor_test

import (
	"context"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/refundry/refundry/internal/clock"
	"github.com/refundry/refundry/internal/engine"
	"github.com/refundry/refundry/internal/job"
	"github.com/refundry/refundry/internal/ledger"
	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/processor"
	"github.com/refundry/refundry/internal/processor/sandbox"
	"github.com/refundry/refundry/internal/store/sqlite"
)

// world is a store, an engine, a job runner, a carrier and a sandbox, under a
// clock that stands still until a test moves it.
type world struct {
	t       *testing.T
	tenant  payment.TenantID
	clock   *clock.Clock
	store   *sqlite.Store
	engine  *engine.Engine
	carrier *processor.Carrier
	sandbox *sandbox.Sandbox
	runner  *job.Runner
	logged  *safeText
	*metrics
}

// safeText is a log that can be read while it is written.
type safeText struct {
	mutex sync.Mutex
	text  strings.Builder
}

func (s *safeText) Write(text []byte) (int, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.text.Write(text)
}

func (s *safeText) String() string {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.text.String()
}

// wanted is what a test wants to be different.
type wanted struct {
	processor processor.Processor                         // instead of the sandbox
	engine    func(processor.Engine) processor.Engine     // around the carrier's
	leaseLeft func(func(job.Job) time.Duration) leaseLeft // around the runner's
	carrier   func(*processor.Config)                     // last word on the carrier
	tells     func(receive) receive                       // around what the sandbox tells
	delay     time.Duration                               // of the sandbox
}

type (
	leaseLeft = func(job.Job) time.Duration
	receive   = func(context.Context, processor.Notice) error
)

const connector = "sandbox"

// lease is long: no test waits for its end.
const lease = 30 * time.Second

// unhurried is the sandbox with as much time for its answers as a lease allows: a
// busy machine must not make an unknown outcome of a slow one.
type unhurried struct{ *sandbox.Sandbox }

func (p unhurried) Capabilities() processor.Capabilities {
	can := p.Sandbox.Capabilities()
	can.Timeout = lease
	return can
}

func newID() [16]byte { return uuid.Must(uuid.NewV7()) }

func start(t *testing.T, s wanted) *world {
	t.Helper()
	began := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	w := &world{t: t, tenant: newID(), clock: clock.New(func() time.Time { return began }), metrics: &metrics{}, logged: &safeText{}}
	log := slog.New(slog.NewJSONHandler(w.logged, nil))
	var err error
	if w.store, err = sqlite.Open(sqlite.Config{
		Path: filepath.Join(t.TempDir(), "refundry.db"), Now: w.clock.Now, Machine: time.Now, NewID: newID, Lease: lease, Log: log,
	}); err != nil {
		t.Fatal(err)
	}
	if w.sandbox, err = sandbox.Open(t.Context(), sandbox.Config{
		Path: filepath.Join(t.TempDir(), "sandbox.db"), Clock: w.clock, Machine: time.Now, NewID: newID, Delay: s.delay, Log: log,
	}); err != nil {
		t.Fatal(err)
	}
	if s.processor == nil {
		s.processor = unhurried{w.sandbox}
	}
	late := &lateEngine{w}
	config := processor.Config{
		Engine: late, Reader: w.store, Lease: lease, Now: w.clock.Now, Machine: time.Now,
		Connectors: func(name string) (processor.Processor, bool) { return s.processor, name == connector },
		LeaseLeft:  func(j job.Job) time.Duration { return w.runner.LeaseLeft(j) },
		Luck:       func() float64 { return 0.5 }, Log: log, Metrics: w.metrics,
	}
	if s.engine != nil {
		config.Engine = s.engine(late)
	}
	if s.leaseLeft != nil {
		config.LeaseLeft = s.leaseLeft(config.LeaseLeft)
	}
	if s.carrier != nil {
		s.carrier(&config)
	}
	w.carrier = processor.NewCarrier(config)
	w.runner = job.New(job.Config{
		Store: w.store, Handlers: w.carrier.Handlers(), Places: job.Places{PerQueue: 16, InAll: 64}, Lease: lease,
		Now: w.clock.Now, NewID: newID, Luck: config.Luck, Log: log, Metrics: w.metrics,
	})
	w.engine = engine.New(engine.Config{
		Store: w.store, Router: nobody{}, Starter: w.runner, NewID: newID, Lanes: 1, Log: log, Metrics: w.metrics,
	})
	told := receive(w.carrier.Receive)
	if s.tells != nil {
		told = s.tells(told)
	}
	w.run(told)
	return w
}

// run runs everything until the test ends.
func (w *world) run(told receive) {
	working, stopWorking := context.WithCancel(context.Background())
	ctx, stop := context.WithCancel(context.Background())
	var inner, outer sync.WaitGroup
	inner.Go(func() { w.engine.Run(working) })
	outer.Go(func() { w.runner.Run(ctx) })
	outer.Go(func() { w.sandbox.Run(ctx, told) })
	w.t.Cleanup(func() {
		stop()
		outer.Wait()
		stopWorking()
		inner.Wait()
		if err := w.sandbox.Close(); err != nil {
			w.t.Error(err)
		}
		if err := w.store.Close(); err != nil {
			w.t.Error(err)
		}
	})
}

// lateEngine lets the carrier be made before the engine.
type lateEngine struct{ world *world }

func (l *lateEngine) Do(ctx context.Context, command payment.Command, finish ...payment.TaskRef) (payment.Answer, error) {
	return l.world.engine.Do(ctx, command, finish...)
}

// nobody is told anything.
type nobody struct{}

func (nobody) Route(payment.Telling, *payment.Tenant) []engine.Route { return nil }

// metrics counts calls of processors, and runs of jobs.
type metrics struct{ calls, ran atomic.Int64 }

func (m *metrics) Called(string, string, time.Duration)      { m.calls.Add(1) }
func (m *metrics) Ran(payment.TaskKind, time.Duration, bool) { m.ran.Add(1) }
func (*metrics) Committed(int, time.Duration)                {}
func (*metrics) LostRace()                                   {}

func (w *world) do(command payment.Command) payment.Answer {
	w.t.Helper()
	answer, err := w.engine.Do(w.t.Context(), command)
	if err != nil {
		w.t.Fatal(err)
	}
	return answer
}

func (w *world) meta() payment.Meta {
	return payment.Meta{Tenant: w.tenant, Actor: "key:test", Door: payment.DoorAPI}
}

// pay makes a captured payment.
func (w *world) pay(minor money.Minor) payment.Payment {
	w.t.Helper()
	return w.do(payment.CreatePayment{
		Meta: w.meta(), Status: payment.PaymentCaptured, Connector: connector, Amount: money.Of(minor, "EUR"),
	}).View.Payment
}

// refund asks for a refund.
func (w *world) refund(of payment.PaymentID, minor money.Minor, message string) payment.Refund {
	w.t.Helper()
	return w.do(payment.OpenRefund{
		Meta: w.meta(), Payment: of, Ask: payment.Ask{How: payment.AskAmount, Amount: minor}, Currency: "EUR", Message: message,
	}).Refund
}

// see reads a refund and its payment.
func (w *world) see(refund payment.RefundID) (payment.View, payment.Refund) {
	w.t.Helper()
	view, err := w.store.ViewOfRefund(w.t.Context(), w.tenant, refund)
	if err != nil {
		w.t.Fatal(err)
	}
	found, _ := view.Refund(refund)
	return view, found
}

// advance moves domain time.
func (w *world) advance(by time.Duration) {
	w.t.Helper()
	if _, err := w.sandbox.AdvanceClock(w.t.Context(), by); err != nil {
		w.t.Fatal(err)
	}
	w.runner.Poke()
}

// until waits until something is so. Meanwhile domain time goes on in steps.
func (w *world) until(what string, step time.Duration, isSo func() bool) {
	w.t.Helper()
	deadline, tick := time.NewTimer(20*time.Second), time.NewTicker(5*time.Millisecond)
	defer deadline.Stop()
	defer tick.Stop()
	for !isSo() {
		select {
		case <-tick.C:
			if step > 0 {
				w.advance(step)
			}
		case <-deadline.C:
			w.t.Fatalf("it took too long: %s", what)
		}
	}
}

// untilStatus waits until a refund has a status.
func (w *world) untilStatus(refund payment.RefundID, status payment.RefundStatus, step time.Duration) {
	w.t.Helper()
	w.until("the refund is "+string(status), step, func() bool {
		_, r := w.see(refund)
		return r.Status == status
	})
}

// isQuiet reports whether no job of some kinds is left.
func (w *world) isQuiet(kinds ...payment.TaskKind) bool {
	w.t.Helper()
	waiting, _, err := w.store.Count(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	for _, kind := range kinds {
		if waiting[kind] > 0 {
			return false
		}
	}
	return true
}

// moved returns how often money moved for a refund.
func (w *world) moved(refund payment.RefundID) int {
	w.t.Helper()
	movements, err := w.sandbox.Movements(w.t.Context(), w.tenant, refund)
	if err != nil {
		w.t.Fatal(err)
	}
	sum := 0
	for _, movement := range movements {
		sum += movement.Count
	}
	return sum
}

// lived returns the statuses that a refund went through.
func lived(r payment.Refund) []payment.RefundStatus {
	var statuses []payment.RefundStatus
	for _, mark := range r.History {
		if len(statuses) == 0 || statuses[len(statuses)-1] != mark.Status {
			statuses = append(statuses, mark.Status)
		}
	}
	return statuses
}

// checkBooks compares, for every version that a payment had, its totals with
// what the ledger had by then.
func (w *world) checkBooks(view payment.View) {
	w.t.Helper()
	entries, err := w.store.Entries(w.t.Context(), w.tenant, view.Payment.ID)
	if err != nil {
		w.t.Fatal(err)
	}
	if view.Recount() != view.Payment.Totals {
		w.t.Errorf("totals %+v, recounted %+v", view.Payment.Totals, view.Recount())
	}
	for version := int64(1); version <= view.Payment.Version; version++ {
		balances := ledger.Balances{}
		for _, entry := range entries {
			if entry.Version > version {
				continue
			}
			for _, posting := range entry.Postings {
				balances.Post(posting)
			}
		}
		then := view.AsOf(version).Payment.Totals
		for account, want := range map[ledger.Account]money.Minor{
			ledger.Receivable(connector): then.Captured - then.Refunded,
			ledger.InFlight:              -then.Reserved,
			ledger.Disputed:              -then.Disputed,
			ledger.Payable("main"):       then.Reserved + then.Refunded + then.Disputed - then.Captured,
		} {
			if got := balances.Of(account, "EUR"); got != want {
				w.t.Errorf("version %d: %s holds %d, the totals say %d", version, account, got, want)
			}
		}
	}
}

func euros(minor money.Minor) money.Amount { return money.Of(minor, "EUR") }

// receive lets the carrier hear a notice.
func (w *world) receive(notice processor.Notice) {
	w.t.Helper()
	if err := w.carrier.Receive(w.t.Context(), notice); err != nil {
		w.t.Fatal(err)
	}
}
