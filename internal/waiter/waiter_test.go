package waiter_test

import (
	"context"
	"encoding/binary"
	"log/slog"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/refundry/refundry/internal/engine"
	"github.com/refundry/refundry/internal/job"
	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/store/sqlite"
	"github.com/refundry/refundry/internal/waiter"
)

// world is a waiter over a real store and a real engine. Nobody runs jobs:
// tests say themselves what the outside world does.
type world struct {
	t      *testing.T
	store  *sqlite.Store
	engine *engine.Engine
	waiter *waiter.Waiter
	looks  atomic.Int64
	asked  chan struct{} // somebody's refund was looked for
	tenant payment.TenantID
}

// nobody runs no jobs, tells nobody and measures nothing.
type nobody struct{}

func (nobody) Reserve(payment.Task) (claim [16]byte, ok bool)               { return claim, false }
func (nobody) Start(context.Context, []payment.Task)                        {}
func (nobody) Release(payment.Task)                                         {}
func (nobody) Committed(int, time.Duration)                                 {}
func (nobody) LostRace()                                                    {}
func (nobody) Route(payment.Telling, *payment.Tenant) (none []engine.Route) { return none }

// Refunds implements [waiter.Store]: it counts how often the store is asked.
func (w *world) Refunds(ctx context.Context, refs []payment.RefundRef) ([]payment.Refund, error) {
	w.looks.Add(1)
	found, err := w.store.Refunds(ctx, refs)
	select {
	case w.asked <- struct{}{}:
	default:
	}
	return found, err
}

// View implements [waiter.Store].
func (w *world) View(ctx context.Context, tenant payment.TenantID, id payment.PaymentID) (payment.View, error) {
	return w.store.View(ctx, tenant, id)
}

func setup(t *testing.T) *world {
	t.Helper()
	var count atomic.Uint64
	newID := func() (id [16]byte) {
		binary.BigEndian.PutUint64(id[8:], count.Add(1))
		return id
	}
	w := &world{t: t, tenant: newID(), asked: make(chan struct{}, 1)}
	log := slog.New(slog.DiscardHandler)
	var err error
	if w.store, err = sqlite.Open(sqlite.Config{
		Path: filepath.Join(t.TempDir(), "refundry.db"), Now: time.Now, Machine: time.Now, NewID: newID,
		Lease: time.Minute, Log: log,
	}); err != nil {
		t.Fatal(err)
	}
	w.engine = engine.New(engine.Config{
		Store: w.store, Router: nobody{}, Starter: nobody{}, NewID: newID, Lanes: 1, Log: log, Metrics: nobody{},
	})
	w.waiter = waiter.New(waiter.Config{Engine: w.engine, Store: w, Now: time.Now, Log: log})
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { w.engine.Run(ctx) })
	running.Go(func() { w.waiter.Run(ctx) })
	t.Cleanup(func() {
		stop()
		running.Wait()
		if err := w.store.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

func (w *world) meta() payment.Meta {
	return payment.Meta{Tenant: w.tenant, Actor: "key:test", Door: "shop"}
}

func (w *world) do(command payment.Command) payment.Answer {
	w.t.Helper()
	answer, err := w.engine.Do(context.Background(), command)
	if err != nil {
		w.t.Fatal(err)
	}
	return answer
}

func (w *world) captured() payment.PaymentID {
	w.t.Helper()
	return w.do(payment.CreatePayment{
		Meta: w.meta(), Status: payment.PaymentCaptured, Connector: "con", Amount: money.Of(100_000, "EUR"),
	}).View.Payment.ID
}

// open opens a refund in the background and returns what it comes to.
func (w *world) open(ctx context.Context, of payment.PaymentID, patience time.Duration) <-chan payment.Answer {
	answers := make(chan payment.Answer, 1)
	go func() {
		answer, err := w.waiter.Open(ctx, payment.OpenRefund{Meta: w.meta(), Payment: of, Ask: payment.Ask{Amount: 100}}, patience)
		if err != nil {
			w.t.Error(err)
		}
		answers <- answer
	}()
	return answers
}

// running waits until a payment has a refund that runs, and somebody looks for it.
func (w *world) running(of payment.PaymentID) payment.Refund {
	w.t.Helper()
	for {
		<-w.asked
		view, err := w.store.View(context.Background(), w.tenant, of)
		if err != nil {
			w.t.Fatal(err)
		}
		if len(view.Refunds) > 0 {
			return view.Refunds[len(view.Refunds)-1]
		}
	}
}

// succeed lets a refund succeed, at this replica or at another one.
func (w *world) succeed(engine waiter.Engine, r payment.Refund) {
	w.t.Helper()
	started := w.do(payment.StartAttempt{Meta: w.meta(), Payment: r.Payment, Refund: r.ID, InquireAt: time.Now()})
	if _, err := engine.Do(context.Background(), payment.RecordOutcome{
		Meta: w.meta(), Payment: r.Payment, Refund: r.ID, Attempt: started.Attempt.ID, Connector: "con",
		Outcome: payment.Outcome{Kind: payment.AttemptSucceeded},
	}); err != nil {
		w.t.Fatal(err)
	}
}

func TestAnOutcomeInTimeIsTheAnswer(t *testing.T) {
	t.Parallel()
	w := setup(t)
	for where, engine := range map[string]waiter.Engine{"here": w.waiter.Listening(w.engine), "elsewhere": w.engine} {
		of := w.captured()
		answers := w.open(t.Context(), of, time.Minute)
		w.succeed(engine, w.running(of))
		answer := <-answers
		if answer.Refund.Status != payment.RefundSucceeded || answer.Refund.IsDeferred() ||
			answer.View.Payment.Refunded != 100 {
			t.Errorf("%s: answered %+v", where, answer.Refund)
		}
	}
}

func TestAnOutcomeThatTakesLongerIsDeferred(t *testing.T) {
	t.Parallel()
	w := setup(t)
	of := w.captured()
	answer := <-w.open(t.Context(), of, time.Millisecond)
	if answer.Refund.Status != payment.RefundPending || !answer.Refund.IsDeferred() {
		t.Errorf("answered %+v", answer.Refund)
	}
	of = w.captured()
	gone, leave := context.WithCancel(t.Context())
	answers := w.open(gone, of, time.Minute)
	w.running(of)
	leave()
	if answer := <-answers; !answer.Refund.IsDeferred() {
		t.Errorf("its caller has gone: %+v", answer.Refund)
	}
}

// A replica that dies while a caller waits has left a job behind, which defers
// the refund once, whoever else has.
func TestAJobDefersWhatNobodyWaitsFor(t *testing.T) {
	t.Parallel()
	w := setup(t)
	of := w.captured()
	r := w.do(payment.OpenRefund{
		Meta: w.meta(), Payment: of, Ask: payment.Ask{Amount: 100}, AnswerBy: time.Now().Add(-time.Second),
	}).Refund
	jobs, err := w.store.Claim(t.Context(), job.Claim{
		ID: [16]byte{1}, Now: time.Now(), Lease: time.Minute, InAll: 10, PerQueue: 10,
	})
	if err != nil {
		t.Fatal(err)
	}
	var deferrals int
	for _, j := range jobs {
		if j.Kind != payment.TaskDeferRefund {
			continue
		}
		deferrals++
		for range 2 {
			if _, err := w.waiter.Defer(t.Context(), j); err != nil {
				t.Fatal(err)
			}
		}
	}
	view, err := w.store.View(t.Context(), w.tenant, of)
	if err != nil {
		t.Fatal(err)
	}
	if refund, _ := view.Refund(r.ID); deferrals != 1 || !refund.IsDeferred() || view.Payment.Version != r.Version+1 {
		t.Errorf("%d jobs, %+v at version %d", deferrals, refund, view.Payment.Version)
	}
}

// However many wait, the store is asked for all of them together.
func TestManyCallersCostOneQuestion(t *testing.T) {
	t.Parallel()
	w := setup(t)
	const callers = 100
	var answers []<-chan payment.Answer
	began := time.Now()
	for range callers {
		answers = append(answers, w.open(t.Context(), w.captured(), 500*time.Millisecond))
	}
	for _, answer := range answers {
		<-answer
	}
	if looks, most := w.looks.Load(), int64(time.Since(began)/(50*time.Millisecond))+2; looks > most {
		t.Errorf("%d questions, want %d at most", looks, most)
	}
}
