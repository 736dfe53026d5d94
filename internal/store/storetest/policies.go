package storetest

import (
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/refundry/refundry/internal/auth"
	"github.com/refundry/refundry/internal/engine"
	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/setting"
)

var policyTests = map[string]func(*testing.T, Open){
	"a day's limits hold however many ask at once":     testVelocity,
	"what did not happen is given back to its day":     testVelocityGivesBack,
	"a counter that was not read holds its limit":      testCounterUnread,
	"counters of long ago are forgotten":               testCountersPruned,
	"a counter that began anew gives back what it has": testCounterBeganAnew,
	"counters are a tenant's own":                      testCountersOfTenants,
	"a change of policy holds from the next commit on": testHaltedAtOnce,
	"within the undo window a cancel always wins":      testUndo,
	"refunds of a group are kept as they were opened":  testGroupKept,
	"a group is canceled whole, or not at all":         testGroupCanceled,
	"what people and time say of a refund is kept":     testReviewKept,
	"a dispute keeps what may be lost twice":           testDoubleLossKept,
}

// set changes settings of the bundle's tenant.
func (b *bundle) set(t *testing.T, settings setting.Values) {
	t.Helper()
	tenant, err := b.store.Tenant(t.Context(), b.tenant)
	if err != nil {
		b.join(t, settings)
		return
	}
	tenant.Settings = settings
	b.change(t, auth.Change{Tenant: &tenant})
}

// counted returns what a counter of today has counted.
func (b *bundle) counted(t *testing.T, kind payment.CounterKind, name string, currency money.Currency) int64 {
	t.Helper()
	counters, err := b.store.Counters(t.Context(), b.tenant, []payment.CounterID{{
		Tenant: b.tenant, Kind: kind, Name: name, Day: b.clock.Now().Truncate(24 * time.Hour), Currency: currency,
	}})
	if err != nil || len(counters) != 1 {
		t.Fatalf("%d counters: %v", len(counters), err)
	}
	return counters[0].Value
}

// testVelocity lets many refunds of many payments be opened at once, by two
// engines, as by two replicas.
func testVelocity(t *testing.T, open Open) {
	b := setup(t, open)
	const limit, most, asked = 12, 300, 60
	b.join(t, setting.Values{
		payment.PolicyDailyCountTenant.Name: int64(limit), payment.PolicyDailyAmountKey.Name: int64(most),
	})
	engines := []*engine.Engine{b.engine, b.beside(t, nobody{})}
	var payments []payment.PaymentID
	for range asked {
		payments = append(payments, b.capture(t, 1000).ID)
	}
	var opened, given atomic.Int64
	var wait sync.WaitGroup
	for i, id := range payments {
		amount := money.Minor(20 + i%3*10)
		wait.Go(func() {
			_, err := engines[i%2].Do(t.Context(), payment.OpenRefund{Meta: b.meta(), Payment: id, Ask: payment.Ask{Amount: amount}})
			if err != nil {
				wantRule(t, err, payment.RuleVelocity)
				return
			}
			opened.Add(1)
			given.Add(int64(amount))
		})
	}
	wait.Wait()
	if opened.Load() > limit || given.Load() > most || given.Load() < most-40 && opened.Load() < limit {
		t.Errorf("%d refunds of %d minor units were opened", opened.Load(), given.Load())
	}
	if count := b.counted(t, payment.CountOfTenant, "", ""); count != opened.Load() {
		t.Errorf("%d were counted, %d opened", count, opened.Load())
	}
	if sum := b.counted(t, payment.AmountOfKey, b.meta().Actor, "EUR"); sum != given.Load() {
		t.Errorf("%d were counted, %d given", sum, given.Load())
	}
	b.wantClean(t)
}

func testVelocityGivesBack(t *testing.T, open Open) {
	b := setup(t, open)
	b.join(t, setting.Values{payment.PolicyDailyCountTenant.Name: int64(2), payment.PolicyDailyAmountTenant.Name: int64(500)})
	p := b.capture(t, 1000)
	var refunds []payment.Refund
	for range 2 {
		answer, err := b.refund(t.Context(), p.ID, 100)
		if err != nil {
			t.Fatal(err)
		}
		refunds = append(refunds, answer.Refund)
	}
	if _, err := b.refund(t.Context(), p.ID, 100); true {
		wantRule(t, err, payment.RuleVelocity)
	}
	b.clock.Advance(24 * time.Hour)
	b.leave(t, refunds[0])(payment.AttemptDeclined)
	b.do(t, payment.CancelRefund{Meta: b.meta(), Payment: p.ID, Refund: refunds[1].ID, Code: "canceled"})
	if count := b.counted(t, payment.CountOfTenant, "", ""); count != 0 {
		t.Errorf("%d were counted on the day on which they ended", count)
	}
	b.clock.Advance(-24 * time.Hour)
	if count, sum := b.counted(t, payment.CountOfTenant, "", ""), b.counted(t, payment.AmountOfTenant, "", "EUR"); count != 0 || sum != 0 {
		t.Errorf("%d of %d are counted on the day on which they were opened", count, sum)
	}
	if _, err := b.refund(t.Context(), p.ID, 100); err != nil {
		t.Error(err)
	}
}

// testCounterUnread makes a payment and refunds it in one batch: nobody could
// read the counters that its tenant has full.
func testCounterUnread(t *testing.T, open Open) {
	b := setup(t, open)
	b.join(t, setting.Values{payment.PolicyDailyCountTenant.Name: int64(1)})
	if _, err := b.refund(t.Context(), b.capture(t, 1000).ID, 100); err != nil {
		t.Fatal(err)
	}
	create := b.captured(500)
	create.ID = b.newID()
	refund := payment.OpenRefund{Meta: b.meta(), Payment: create.ID, Ask: payment.Ask{Amount: 100}}
	err := b.store.Commit(t.Context(), b.newID(), []payment.Need{create.Need(), refund.Need()}, func(book *payment.Book) error {
		_, first := create.Apply(book)
		_, second := refund.Apply(book)
		return errors.Join(first, second)
	})
	if !errors.Is(err, engine.ErrLostRace) {
		t.Errorf("the batch has not lost its race: %v", err)
	}
	if count := b.counted(t, payment.CountOfTenant, "", ""); count != 1 {
		t.Errorf("%d were counted", count)
	}
}

// testCounterBeganAnew gives back more than a counter has, as after an update
// that counts otherwise: what became of the refund is written down all the same.
func testCounterBeganAnew(t *testing.T, open Open) {
	b := setup(t, open)
	b.join(t, setting.Values{payment.PolicyDailyAmountKey.Name: int64(900)})
	p := b.capture(t, 1000)
	old, err := b.refund(t.Context(), p.ID, 300)
	if err != nil {
		t.Fatal(err)
	}
	if pruned, err := b.store.Prune(t.Context(), b.clock.Now().Add(48*time.Hour), 100); err != nil || pruned != 1 {
		t.Fatalf("%d were pruned: %v", pruned, err)
	}
	if _, err := b.refund(t.Context(), p.ID, 100); err != nil {
		t.Fatal(err)
	}
	b.leave(t, old.Refund)(payment.AttemptDeclined)
	if sum := b.counted(t, payment.AmountOfKey, b.meta().Actor, "EUR"); sum != 0 {
		t.Errorf("%d are counted", sum)
	}
}

func testCountersPruned(t *testing.T, open Open) {
	b := setup(t, open)
	b.join(t, setting.Values{payment.PolicyDailyCountKey.Name: int64(9)})
	p := b.capture(t, 1000)
	old, err := b.refund(t.Context(), p.ID, 100)
	if err != nil {
		t.Fatal(err)
	}
	b.clock.Advance(48 * time.Hour)
	if _, err := b.refund(t.Context(), p.ID, 100); err != nil {
		t.Fatal(err)
	}
	pruned, err := b.store.Prune(t.Context(), b.clock.Now().Add(-24*time.Hour), 100)
	if err != nil || pruned != 1 || b.counted(t, payment.CountOfKey, b.meta().Actor, "") != 1 {
		t.Errorf("%d were pruned: %v", pruned, err)
	}
	b.do(t, payment.CancelRefund{Meta: b.meta(), Payment: p.ID, Refund: old.Refund.ID, Code: "canceled"})
	b.clock.Advance(-48 * time.Hour)
	if count := b.counted(t, payment.CountOfKey, b.meta().Actor, ""); count != 0 {
		t.Errorf("%d are counted again", count)
	}
}

func testCountersOfTenants(t *testing.T, open Open) {
	b := setup(t, open)
	b.join(t, setting.Values{payment.PolicyDailyCountTenant.Name: int64(5)})
	if _, err := b.refund(t.Context(), b.capture(t, 1000).ID, 100); err != nil {
		t.Fatal(err)
	}
	mine := payment.CounterID{Tenant: b.tenant, Kind: payment.CountOfTenant, Day: b.clock.Now().Truncate(24 * time.Hour)}
	counters, err := b.store.Counters(t.Context(), b.newID(), []payment.CounterID{mine})
	if err != nil || len(counters) != 0 {
		t.Errorf("another tenant reads %+v: %v", counters, err)
	}
	counters, err = b.store.Counters(t.Context(), b.tenant, []payment.CounterID{mine, mine})
	if err != nil || len(counters) != 1 || counters[0].Value != 1 {
		t.Errorf("the tenant reads %+v: %v", counters, err)
	}
}

func testHaltedAtOnce(t *testing.T, open Open) {
	b := setup(t, open)
	b.join(t, nil)
	p := b.capture(t, 1000)
	waiting, err := b.refund(t.Context(), p.ID, 100)
	if err != nil {
		t.Fatal(err)
	}
	b.set(t, setting.Values{payment.PolicyHalted.Name: true})
	if _, err := b.refund(t.Context(), p.ID, 100); true {
		wantRule(t, err, payment.RuleHalted)
	}
	leave := payment.StartAttempt{Meta: b.meta(), Payment: p.ID, Refund: waiting.Refund.ID, InquireAt: b.clock.Now()}
	if _, err := b.engine.Do(t.Context(), leave); true {
		wantRule(t, err, payment.RuleHalted)
	}
	held := b.do(t, payment.HoldRefund{Meta: b.meta(), Payment: p.ID, Refund: waiting.Refund.ID})
	if got := b.wantRefund(t, held.Refund); got.PendingReason != payment.PendingHalted {
		t.Errorf("it waits for %q", got.PendingReason)
	}
	b.set(t, nil)
	b.do(t, leave)
}

// testUndo lets starters and one who cancels meet, within the window and at
// its end.
func testUndo(t *testing.T, open Open) {
	b := setup(t, open)
	b.join(t, setting.Values{payment.PolicyUndoSeconds.Name: int64(60)})
	for range 20 {
		p := b.capture(t, 1000)
		answer, err := b.refund(t.Context(), p.ID, 1000)
		if err != nil {
			t.Fatal(err)
		}
		id := answer.Refund.ID
		var wait sync.WaitGroup
		for range 4 {
			wait.Go(func() {
				_, err := b.engine.Do(t.Context(), payment.StartRefund{Meta: b.meta(), Payment: p.ID, Refund: id})
				wantRule(t, err, payment.RuleStatus)
				_, err = b.engine.Do(t.Context(), payment.StartAttempt{Meta: b.meta(), Payment: p.ID, Refund: id, InquireAt: b.clock.Now()})
				wantRule(t, err, payment.RuleStatus)
			})
		}
		wait.Go(func() {
			if _, err := b.engine.Do(t.Context(), payment.CancelRefund{Meta: b.meta(), Payment: p.ID, Refund: id, Code: "canceled"}); err != nil {
				t.Errorf("it cannot be canceled: %v", err)
			}
		})
		wait.Wait()
		if view := b.view(t, p.ID); view.Refunds[0].Status != payment.RefundCanceled || view.Payment.Reserved != 0 || len(view.Attempts) > 0 {
			t.Errorf("it is %s, %d reserved", view.Refunds[0].Status, view.Payment.Reserved)
		}
	}
}

// wantRefunds fails the test unless a payment is read with its refunds as it was answered.
func (b *bundle) wantRefunds(t *testing.T, want []payment.Refund) payment.View {
	t.Helper()
	view := b.view(t, want[0].Payment)
	for _, refund := range want {
		got := b.wantRefund(t, refund)
		if got.Digest() != refund.Digest() {
			t.Error("what was read has another digest than what was answered")
		}
	}
	return view
}

func testGroupKept(t *testing.T, open Open) {
	b := setup(t, open)
	b.join(t, setting.Values{
		payment.PolicyApprovalAbove.Name: int64(1), payment.PolicyApprovalExpires.Name: int64(24),
		payment.PolicyDailyCountUser.Name: int64(9), payment.PolicyDailyAmountTenant.Name: int64(9000),
	})
	made := b.do(t, payment.CreatePayment{
		Meta: b.meta(), Status: payment.PaymentAuthorized, Connector: capturesConnector, Amount: money.Of(1000, "EUR"),
		Items: []payment.Item{line("one", 400, "m-1"), line("two", 600, "m-2")},
	}).View
	for _, minor := range []money.Minor{300, 700} {
		b.do(t, payment.CapturePayment{Meta: b.meta(), Payment: made.Payment.ID, Amount: minor, IsAtOnce: true})
	}
	if !b.view(t, made.Payment.ID).Payment.PerCapture {
		t.Fatal("the payment does not know that its processor refunds captures")
	}
	meta := b.meta()
	meta.User = "ünï"
	meta.Key = payment.Key{Hash: b.newID(), Fingerprint: b.newID()}
	open1 := payment.OpenRefund{
		Meta: meta, Payment: made.Payment.ID, Ask: payment.Ask{How: payment.AskItems, Items: []payment.ItemAsk{{Position: 1, Quantity: 1}}},
		Reason: "r", Note: "n", Message: "m", Reference: "ref", OrderReference: "o", Metadata: `{"a": 1}`,
	}
	shown := payment.Preview(b.view(t, made.Payment.ID), &payment.Tenant{ID: b.tenant, Settings: b.read(t).Settings}, open1, b.clock.Now())
	open1.Expect = shown.Digest
	answer := b.do(t, open1)
	if len(answer.Refunds) != 2 || answer.Refund.Counted.By == nil {
		t.Fatalf("%d refunds, counted by %v", len(answer.Refunds), answer.Refund.Counted.By)
	}
	view := b.wantRefunds(t, answer.Refunds)
	if replayed := b.do(t, open1).Replayed; replayed == nil || len(view.AsOf(replayed.Version).Group(replayed.Subject)) != 2 {
		t.Errorf("the key stands for %+v", replayed)
	}
	meta = b.meta()
	meta.Actor, meta.User = "operator:x", "ann"
	approved := b.do(t, payment.ApproveRefund{
		Meta: meta, Payment: made.Payment.ID, Refund: answer.Refunds[1].ID, Digest: view.Refunds[1].Digest(),
	})
	if len(approved.Refunds) != 2 || approved.Refunds[0].Status != payment.RefundPending {
		t.Errorf("%d are %s", len(approved.Refunds), approved.Refunds[0].Status)
	}
	b.wantRefunds(t, approved.Refunds)
	b.wantClean(t)
}

// testGroupCanceled cancels a group while one of it may leave: all are canceled
// in one commit and none leaves, or one has left and none is canceled.
func testGroupCanceled(t *testing.T, open Open) {
	b := setup(t, open)
	b.join(t, nil)
	for round := range 20 {
		made := b.do(t, payment.CreatePayment{
			Meta: b.meta(), Status: payment.PaymentAuthorized, Connector: capturesConnector, Amount: money.Of(1000, "EUR"),
		}).View.Payment.ID
		for _, minor := range []money.Minor{300, 700} {
			b.do(t, payment.CapturePayment{Meta: b.meta(), Payment: made, Amount: minor, IsAtOnce: true})
		}
		opened := b.do(t, payment.OpenRefund{Meta: b.meta(), Payment: made, Ask: payment.Ask{How: payment.AskWhole}}).Refunds
		var leaves, cancels error
		var wait sync.WaitGroup
		wait.Go(func() {
			_, leaves = b.engine.Do(t.Context(), payment.StartAttempt{
				Meta: b.meta(), Payment: made, Refund: opened[1].ID, InquireAt: b.clock.Now(),
			})
		})
		if round%2 == 0 {
			wait.Wait() // it has left before
		}
		wait.Go(func() {
			_, cancels = b.engine.Do(t.Context(), payment.CancelRefund{
				Meta: b.meta(), Payment: made, Refund: opened[0].ID, Code: "canceled", Group: true,
			})
		})
		wait.Wait()
		if (leaves == nil) == (cancels == nil) {
			t.Fatalf("leaving: %v, canceling: %v", leaves, cancels)
		}
		var refusal *payment.Refusal
		if errors.As(cancels, &refusal) && !slices.Equal(refusal.Refunds, []payment.RefundID{opened[1].ID}) {
			t.Errorf("the refusal names %v", refusal.Refunds)
		}
		for _, r := range b.view(t, made).Refunds {
			if (r.Status == payment.RefundCanceled) != (cancels == nil) {
				t.Errorf("canceling: %v, one is %s", cancels, r.Status)
			}
		}
	}
	b.wantClean(t)
}

func testReviewKept(t *testing.T, open Open) {
	b := setup(t, open)
	b.join(t, setting.Values{payment.PolicyStuckHours.Name: int64(1)})
	p := b.capture(t, 1000)
	answer, err := b.refund(t.Context(), p.ID, 1000)
	if err != nil {
		t.Fatal(err)
	}
	id := answer.Refund.ID
	started := b.do(t, payment.StartAttempt{
		Meta: b.meta(), Payment: p.ID, Refund: id, InquireAt: b.clock.Now(), Expected: 90 * time.Minute,
	})
	if got := b.wantRefund(t, started.Refund); got.ExpectedBy.IsZero() {
		t.Error("nobody expects it")
	}
	b.clock.Advance(4 * time.Hour)
	stuck := b.do(t, payment.WatchRefund{Meta: b.meta(), Payment: p.ID, Refund: id})
	if got := b.wantRefund(t, stuck.Refund); !got.IsStuck() {
		t.Error("it is not stuck")
	}
	b.do(t, payment.FlagRefund{Meta: b.meta(), Payment: p.ID, Refund: id})
	meta := b.meta()
	meta.Actor, meta.User = "operator:x", "ann"
	settled := b.do(t, payment.SettleRefund{
		Meta: meta, Payment: p.ID, Refund: id, To: payment.RefundSucceeded, Evidence: "line 3 of the \"statement\"",
	})
	got := b.wantRefund(t, settled.Refund)
	if got.Evidence[0].User != "ann" || b.view(t, p.ID).Payment.Refunded != 1000 {
		t.Errorf("%+v", got.Evidence)
	}
	if then, _ := got.AsOf(stuck.Refund.Version); !then.IsStuck() || len(then.Evidence) > 0 {
		t.Errorf("it is remembered as %+v", then)
	}
	b.wantClean(t)
}

func testDoubleLossKept(t *testing.T, open Open) {
	b := setup(t, open)
	p := b.capture(t, 1000)
	answer, err := b.refund(t.Context(), p.ID, 300)
	if err != nil {
		t.Fatal(err)
	}
	b.leave(t, answer.Refund)(payment.AttemptSucceeded)
	opened := b.do(t, payment.OpenDispute{
		Meta: b.meta(), Payment: p.ID, Kind: payment.DisputeChargeback, Amount: 900, IsFact: true, Connector: "sandbox", ProcessorRef: "d1",
	})
	view := b.view(t, p.ID)
	if diff := cmp.Diff(opened.View.Disputes, view.Disputes, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("disputes (-want +got):\n%s", diff)
	}
	if view.Disputes[0].DoubleLoss != 200 || view.Exposure().DoubleLoss != 200 {
		t.Errorf("%d may be lost twice, %+v", view.Disputes[0].DoubleLoss, view.Exposure())
	}
	var kinds []payment.EventKind
	for _, event := range b.events(t) {
		if event.Subject == view.Disputes[0].ID {
			kinds = append(kinds, event.Kind)
		}
	}
	if len(kinds) != 2 || kinds[1] != payment.EventDisputeDoubleLoss {
		t.Errorf("it is told as %v", kinds)
	}
	b.wantClean(t)
}
