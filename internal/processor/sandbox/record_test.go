package sandbox_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/refundry/refundry/internal/clock"
	"github.com/refundry/refundry/internal/fault"
	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/pgtest"
	"github.com/refundry/refundry/internal/processor"
	"github.com/refundry/refundry/internal/processor/sandbox"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

func newID() [16]byte { return uuid.Must(uuid.NewV7()) }

// began is when all clocks of these tests start.
var began = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// open opens a sandbox over one record; each call is one more replica or one
// more start.
type open func(t *testing.T) *sandbox.Sandbox

func opening(config sandbox.Config) open {
	return func(t *testing.T) *sandbox.Sandbox {
		t.Helper()
		own := config // replicas are opened at the same time
		own.Clock = clock.New(func() time.Time { return began })
		own.Machine, own.NewID, own.Log = time.Now, newID, slog.New(slog.DiscardHandler)
		s, err := sandbox.Open(t.Context(), own)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() }) // some tests close it themselves
		return s
	}
}

// onBoth runs claims on both kinds of record, each on an empty one.
func onBoth(t *testing.T, claims map[string]func(*testing.T, open)) {
	t.Helper()
	t.Parallel()
	for kind, fresh := range map[string]func(*testing.T) open{
		"sqlite": func(t *testing.T) open {
			t.Helper()
			return opening(sandbox.Config{Path: filepath.Join(t.TempDir(), "sandbox.db")})
		},
		"postgres": func(t *testing.T) open {
			t.Helper()
			return opening(sandbox.Config{URL: pgtest.Database(t)})
		},
	} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			for name, claim := range claims {
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					claim(t, fresh(t))
				})
			}
		})
	}
}

// ask is a request with a fresh attempt.
func ask(tenant payment.TenantID, minor money.Minor, message string) processor.Request {
	of := payment.PaymentID(newID())
	return processor.Request{
		Tenant: tenant, Connector: "sandbox", Attempt: newID(),
		Refund:  payment.Refund{Tenant: tenant, ID: newID(), Payment: of, Amount: money.Of(minor, "EUR"), Message: message},
		Payment: payment.Payment{Tenant: tenant, ID: of, Amount: money.Of(50_000, "EUR"), Totals: payment.Totals{Captured: 50_000}},
	}
}

func send(t *testing.T, s *sandbox.Sandbox, request processor.Request) payment.AttemptOutcome {
	t.Helper()
	outcome, err := s.Refund(t.Context(), request)
	if err != nil {
		return payment.AttemptUnknown
	}
	return outcome.Kind
}

func moved(t *testing.T, s *sandbox.Sandbox, request processor.Request) int {
	t.Helper()
	movements, err := s.Movements(t.Context(), request.Tenant, request.Refund.ID)
	if err != nil {
		t.Fatal(err)
	}
	sum := 0
	for _, movement := range movements {
		if movement.Refund != request.Refund.ID {
			t.Errorf("a movement of %s", movement.Refund)
		}
		sum += movement.Count
	}
	return sum
}

// The record is what the outside world knows, alike on both databases.
func TestRecord(t *testing.T) {
	onBoth(t, map[string]func(*testing.T, open){
		"an attempt that was lost arrives once":      testLostOnce,
		"nothing is forgotten":                       testNothingIsForgotten,
		"a plan has one outcome for one attempt":     testPlan,
		"a plan is for what it matches":              testMatch,
		"attempts at the same time share no outcome": testPlanRace,
		"the clock goes forward, for all":            testClock,
		"a name is remembered once":                  testRemember,
		"what is due is told once it is due":         testNotices,
		"what was not heard is told again":           testToldAgain,
		"replicas open it together":                  testOpenTogether,
	})
}

func testLostOnce(t *testing.T, open open) {
	a, b := open(t), open(t)
	request := ask(newID(), 9006, "")
	if kind := send(t, a, request); kind != payment.AttemptUnknown {
		t.Fatalf("it is %s", kind)
	}
	if _, err := b.Inquire(t.Context(), request); !errors.Is(err, processor.ErrNotFound) {
		t.Errorf("it is known: %v", err)
	}
	if count := moved(t, a, request); count != 0 {
		t.Errorf("money moved %d times", count)
	}
	var calls sync.WaitGroup
	for n := range 10 {
		calls.Go(func() {
			if kind := send(t, []*sandbox.Sandbox{a, b}[n%2], request); kind != payment.AttemptSucceeded {
				t.Errorf("it is %s", kind)
			}
		})
	}
	calls.Wait()
	if count := moved(t, b, request); count != 1 {
		t.Errorf("money moved %d times", count)
	}
}

func testNothingIsForgotten(t *testing.T, open open) {
	before := open(t)
	tenant := payment.TenantID(newID())
	done, slow := ask(tenant, 9005, ""), ask(tenant, 9004, "")
	planned := ask(tenant, 777, "")
	addPlan(t, before, tenant, sandbox.MatchAmount, "777", sandbox.Declined, sandbox.Failed)
	send(t, before, done)
	send(t, before, slow)
	send(t, before, planned)
	if _, err := before.AdvanceClock(t.Context(), time.Hour); err != nil {
		t.Fatal(err)
	}
	if err := before.Close(); err != nil {
		t.Fatal(err)
	}
	after := open(t)
	if outcome, err := after.Inquire(t.Context(), done); err != nil || outcome.Kind != payment.AttemptSucceeded {
		t.Errorf("%+v, %v", outcome, err)
	}
	if outcome, err := after.Inquire(t.Context(), slow); err != nil || outcome.Kind != payment.AttemptSucceeded {
		t.Errorf("the clock or the refund was forgotten: %+v, %v", outcome, err)
	}
	if kind := send(t, after, planned); kind != payment.AttemptDeclined {
		t.Errorf("the same attempt is now %s", kind)
	}
	planned.Attempt = newID()
	if kind := send(t, after, planned); kind != payment.AttemptFailed {
		t.Errorf("the next attempt is %s", kind)
	}
	if moved(t, after, done) != 1 || moved(t, after, slow) != 1 || moved(t, after, planned) != 0 {
		t.Error("money moved otherwise than it should")
	}
}

func addPlan(t *testing.T, s *sandbox.Sandbox, tenant payment.TenantID, by sandbox.MatchBy, to string, names ...sandbox.Name) {
	t.Helper()
	if _, err := s.AddPlan(t.Context(), tenant, sandbox.Plan{By: by, To: to, Outcomes: names}); err != nil {
		t.Fatal(err)
	}
}

func testPlan(t *testing.T, open open) {
	s := open(t)
	tenant := payment.TenantID(newID())
	addPlan(t, s, tenant, sandbox.MatchAmount, "500", sandbox.Pending, sandbox.Declined, sandbox.Succeeded)
	first := ask(tenant, 500, "refundry:FAILED")
	for range 3 { // a resend and a question are no new attempts
		if kind := send(t, s, first); kind != payment.AttemptPending {
			t.Errorf("it is %s", kind)
		}
		if outcome, err := s.Inquire(t.Context(), first); err != nil || outcome.Kind != payment.AttemptPending {
			t.Errorf("%+v, %v", outcome, err)
		}
	}
	for _, want := range []payment.AttemptOutcome{
		payment.AttemptDeclined, payment.AttemptSucceeded, payment.AttemptSucceeded,
	} {
		if kind := send(t, s, ask(tenant, 500, "")); kind != want {
			t.Errorf("it is %s, want %s", kind, want)
		}
	}
	addPlan(t, s, tenant, sandbox.MatchAmount, "500", sandbox.Failed)
	if kind := send(t, s, ask(tenant, 500, "")); kind != payment.AttemptFailed {
		t.Errorf("the newer plan is not followed: %s", kind)
	}
}

func testMatch(t *testing.T, open open) {
	s := open(t)
	tenant := payment.TenantID(newID())
	byPayment, byRefund, byOrder := ask(tenant, 100, ""), ask(tenant, 100, ""), ask(tenant, 100, "")
	byRefund.Refund.Reference, byOrder.Payment.Reference = "refund 7", "order 7"
	addPlan(t, s, tenant, sandbox.MatchPayment, byPayment.Payment.ID.String(), sandbox.Declined)
	addPlan(t, s, tenant, sandbox.MatchReference, "refund 7", sandbox.Failed)
	addPlan(t, s, tenant, sandbox.MatchReference, "order 7", sandbox.Pending)
	foreign := ask(newID(), 100, "")
	foreign.Refund.Reference = "refund 7"
	for _, row := range []struct {
		name    string
		request processor.Request
		want    payment.AttemptOutcome
	}{
		{"its payment", byPayment, payment.AttemptDeclined},
		{"its reference", byRefund, payment.AttemptFailed},
		{"its payment's reference", byOrder, payment.AttemptPending},
		{"nothing", ask(tenant, 100, ""), payment.AttemptSucceeded},
		{"another tenant's", foreign, payment.AttemptSucceeded},
	} {
		if kind := send(t, s, row.request); kind != row.want {
			t.Errorf("%s: it is %s, want %s", row.name, kind, row.want)
		}
	}
	if movements, err := s.Movements(t.Context(), foreign.Tenant, payment.RefundID{}); err != nil || len(movements) != 1 {
		t.Errorf("another tenant sees %d movements: %v", len(movements), err)
	}
}

func testPlanRace(t *testing.T, open open) {
	a, b := open(t), open(t)
	tenant := payment.TenantID(newID())
	names := make([]sandbox.Name, 0, 20)
	for range 10 {
		names = append(names, sandbox.Declined)
	}
	addPlan(t, a, tenant, sandbox.MatchAmount, "500", append(names, sandbox.Succeeded)...)
	var calls sync.WaitGroup
	kinds := make(chan payment.AttemptOutcome, 20)
	for n := range cap(kinds) {
		calls.Go(func() { kinds <- send(t, []*sandbox.Sandbox{a, b}[n%2], ask(tenant, 500, "")) })
	}
	calls.Wait()
	close(kinds)
	count := map[payment.AttemptOutcome]int{}
	for kind := range kinds {
		count[kind]++
	}
	if count[payment.AttemptDeclined] != 10 || count[payment.AttemptSucceeded] != 10 {
		t.Errorf("the plan's ten were given as %v", count)
	}
}

func testClock(t *testing.T, open open) {
	a, b := open(t), open(t)
	now, err := a.AdvanceClock(t.Context(), 72*time.Hour)
	if err != nil || !now.Equal(began.Add(72*time.Hour)) {
		t.Fatalf("%s, %v", now, err)
	}
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { b.Run(ctx, func(context.Context, processor.Notice) error { return nil }) })
	slow := ask(newID(), 9004, "")
	send(t, a, slow)
	if _, err := a.AdvanceClock(t.Context(), time.Hour); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the other replica follows", func() bool {
		outcome, err := b.Inquire(t.Context(), slow)
		return err == nil && outcome.Kind == payment.AttemptSucceeded
	})
	stop()
	running.Wait()
	if _, err := b.AdvanceClock(t.Context(), -time.Second); fault.CodeOf(err) != fault.Invalid {
		t.Errorf("it went back: %v", err)
	}
	if _, err := b.SetClock(t.Context(), began.Add(72*time.Hour)); fault.CodeOf(err) != fault.Invalid {
		t.Errorf("it went back: %v", err)
	}
	if _, err := b.AdvanceClock(t.Context(), 1<<62); fault.CodeOf(err) != fault.Invalid {
		t.Errorf("it went past all time: %v", err)
	}
	to := began.Add(1000 * time.Hour)
	if now, err := b.SetClock(t.Context(), to); err != nil || !now.Equal(to) {
		t.Errorf("%s, %v", now, err)
	}
	if now, err := a.SetClock(t.Context(), to); err != nil || !now.Equal(to) {
		t.Errorf("%s, %v: the first replica had not heard of it", now, err)
	}
	var moves sync.WaitGroup
	for n := range 10 {
		moves.Go(func() {
			if _, err := []*sandbox.Sandbox{a, b}[n%2].AdvanceClock(t.Context(), time.Minute); err != nil {
				t.Error(err)
			}
		})
	}
	moves.Wait()
	if now, err := open(t).AdvanceClock(t.Context(), 0); err != nil || !now.Equal(to.Add(10*time.Minute)) {
		t.Errorf("after ten moves at the same time it is %s, %v", now, err)
	}
}

func testRemember(t *testing.T, open open) {
	a, b := open(t), open(t)
	if kept, err := a.Recall(t.Context(), "demo"); err != nil || kept != nil {
		t.Errorf("%q, %v", kept, err)
	}
	first, err := a.RememberOnce(t.Context(), "demo", []byte{0, 1, 255})
	if err != nil {
		t.Fatal(err)
	}
	second, err := b.RememberOnce(t.Context(), "demo", []byte("other"))
	if err != nil || !bytes.Equal(first, second) || !bytes.Equal(first, []byte{0, 1, 255}) {
		t.Errorf("%q and %q, %v", first, second, err)
	}
	if err := b.Remember(t.Context(), "demo", []byte("new")); err != nil {
		t.Fatal(err)
	}
	if kept, err := a.Recall(t.Context(), "demo"); err != nil || string(kept) != "new" {
		t.Errorf("%q, %v", kept, err)
	}
}

// hearing runs a sandbox and keeps what it tells.
func hearing(t *testing.T, s *sandbox.Sandbox, answer func(n int) error) (heard func() []processor.Notice) {
	t.Helper()
	var mutex sync.Mutex
	var notices []processor.Notice
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		s.Run(ctx, func(_ context.Context, notice processor.Notice) error {
			mutex.Lock()
			defer mutex.Unlock()
			notices = append(notices, notice)
			return answer(len(notices))
		})
	})
	t.Cleanup(func() {
		stop()
		running.Wait()
	})
	return func() []processor.Notice {
		mutex.Lock()
		defer mutex.Unlock()
		return slices.Clone(notices)
	}
}

func eventually(t *testing.T, what string, isSo func() bool) {
	t.Helper()
	deadline, tick := time.NewTimer(15*time.Second), time.NewTicker(5*time.Millisecond)
	defer deadline.Stop()
	defer tick.Stop()
	for !isSo() {
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatalf("it took too long: %s", what)
		}
	}
}

func testNotices(t *testing.T, open open) {
	a, b := open(t), open(t)
	well := func(int) error { return nil }
	first, second := hearing(t, a, well), hearing(t, b, well)
	all := func() []processor.Notice { return append(first(), second()...) }
	tenant := payment.TenantID(newID())
	noisy, returned, chargeback := ask(tenant, 9008, ""), ask(tenant, 9007, ""), ask(tenant, 9009, "")
	of := func(request processor.Request) (kinds []payment.AttemptOutcome, disputes int) {
		for _, notice := range all() {
			if notice.Payment != request.Payment.ID || notice.Tenant != tenant || notice.Connector != "sandbox" {
				continue
			}
			if notice.Dispute != nil {
				disputes++
				if notice.Dispute.Amount != 50_000 || notice.Dispute.ProcessorRef == "" {
					t.Errorf("dispute %+v", notice.Dispute)
				}
				continue
			}
			kinds = append(kinds, notice.Outcome.Kind)
		}
		slices.Sort(kinds)
		return kinds, disputes
	}
	for _, request := range []processor.Request{noisy, returned, chargeback} {
		send(t, a, request)
	}
	eventually(t, "what is due is told", func() bool {
		kinds, _ := of(noisy)
		_, disputes := of(chargeback)
		return len(kinds) == 4 && disputes == 1
	})
	if kinds, _ := of(returned); len(kinds) > 0 {
		t.Errorf("told before it is due: %v", kinds)
	}
	if _, err := b.AdvanceClock(t.Context(), time.Second); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the rest is told", func() bool {
		kinds, _ := of(returned)
		also, _ := of(chargeback)
		return slices.Equal(kinds, []payment.AttemptOutcome{payment.AttemptReturned}) &&
			slices.Equal(also, []payment.AttemptOutcome{payment.AttemptSucceeded})
	})
	if heard := all(); len(heard) != 7 {
		t.Errorf("%d notices, want 7: two replicas told the same", len(heard))
	}
	for _, request := range []processor.Request{noisy, returned, chargeback} {
		if count := moved(t, a, request); count != 1 {
			t.Errorf("money moved %d times", count)
		}
	}
}

func testToldAgain(t *testing.T, open open) {
	s := open(t)
	heard := hearing(t, s, func(n int) error {
		if n < 3 {
			return errors.New("not now")
		}
		return nil
	})
	send(t, s, ask(newID(), 9004, ""))
	if _, err := s.AdvanceClock(t.Context(), 3*time.Second); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it was told again", func() bool { return len(heard()) == 3 })
}

func testOpenTogether(t *testing.T, open open) {
	var opens sync.WaitGroup
	for range 4 {
		opens.Go(func() { open(t) })
	}
	opens.Wait()
}
