package storetest

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/refundry/refundry/internal/engine"
	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/payment"
)

var keptTests = map[string]func(*testing.T, Open){
	"a payment keeps what its doors need":           testPaymentKept,
	"running numbers are given to nobody twice":     testNumbers,
	"lines that others took the place of stay":      testItemsReplaced,
	"a refund's list takes the place of the lines":  testListSucceeds,
	"no list, an empty one and a filled one differ": testRefundList,
	"a refund keeps its capture and who waits":      testRefundCapture,
	"a refusal that a door counts changes no more":  testFailures,
	"a short id that is taken is another payment's": testShortTaken,
	"what moves between recipients is proven":       testRecipientsProven,
}

// line is a line item of one piece.
func line(name string, total money.Minor, merchant string) payment.Item {
	return payment.Item{
		Name: name, Quantity: 1, UnitAmount: total, Total: total, Tax: total / 5, TaxRate: "20", Merchant: merchant,
		Metadata: `{"of":"` + name + `"}`, Tags: []string{"x", name},
	}
}

// sell makes a captured payment with lines.
func (b *bundle) sell(t *testing.T, lines ...payment.Item) payment.View {
	t.Helper()
	var sum money.Minor
	for _, item := range lines {
		sum += item.Total
	}
	return b.do(t, payment.CreatePayment{
		Meta: b.meta(), Status: payment.PaymentCaptured, Connector: "sandbox", Amount: money.Of(sum, "EUR"), Items: lines,
	}).View
}

// openList opens a refund after which lines are to remain.
func (b *bundle) openList(t *testing.T, of payment.PaymentID, minor money.Minor, list []payment.Item) payment.Refund {
	t.Helper()
	return b.do(t, payment.OpenRefund{
		Meta: b.meta(), Payment: of, Ask: payment.Ask{How: payment.AskList, Amount: minor, List: list}, IsFinal: true,
	}).Refund
}

// leave lets a refund leave, and returns what records an outcome of it.
func (b *bundle) leave(t *testing.T, r payment.Refund) func(payment.AttemptOutcome) payment.View {
	t.Helper()
	attempt := b.do(t, payment.StartAttempt{Meta: b.meta(), Payment: r.Payment, Refund: r.ID, InquireAt: b.clock.Now()}).Attempt
	return func(kind payment.AttemptOutcome) payment.View {
		t.Helper()
		return b.do(t, payment.RecordOutcome{
			Meta: b.meta(), Payment: r.Payment, Refund: r.ID, Attempt: attempt.ID, Connector: "sandbox",
			Outcome: payment.Outcome{Kind: kind}, Next: b.clock.Now(),
		}).View
	}
}

func testPaymentKept(t *testing.T, open Open) {
	b := setup(t, open)
	made := b.do(t, payment.CreatePayment{
		Meta: b.meta(), Status: payment.PaymentCreated, Connector: "sandbox", Amount: money.Of(1000, "EUR"),
		Callback: "https://a.example/?q=é", Availability: payment.RefundsNone,
	}).View.Payment
	if len(made.ShortID) != 9 {
		t.Errorf("short id %q", made.ShortID)
	}
	wantSame(t, "made", b.view(t, made.ID).Payment, made)
	subject, found, err := b.store.Find(t.Context(), b.tenant, payment.Alias{Kind: payment.ShortAlias, Value: made.ShortID})
	if err != nil || !found || subject != made.ID {
		t.Errorf("the short id finds %x: %v", subject, err)
	}
	done := b.do(t, payment.CompletePayment{
		Meta: b.meta(), Payment: made.ID, To: payment.PaymentCaptured, Availability: payment.RefundsWholeOnly,
		Method: payment.Method{Type: "card", Brand: "visa", Last4: "4242"},
	}).View.Payment
	wantSame(t, "completed", b.view(t, made.ID).Payment, done)
	if done.Availability != payment.RefundsWholeOnly || done.Method.Last4 != "4242" || done.ShortID != made.ShortID {
		t.Errorf("completed as %+v", done)
	}
}

func testItemsReplaced(t *testing.T, open Open) {
	b := setup(t, open)
	first := b.sell(t, line("one", 600, "m-1"), line("two", 400, "m-2"))
	second := b.do(t, payment.ReplaceItems{
		Meta: b.meta(), Payment: first.Payment.ID, Parts: payment.PartAll,
		List: []payment.Item{line("three", 500, "m-1"), line("four", 300, "m-2"), line("five", 200, "m-3")},
	}).View
	third := b.do(t, payment.ReplaceItems{
		Meta: b.meta(), Payment: first.Payment.ID, Parts: payment.PartAll, List: []payment.Item{line("six", 1000, "")},
	}).View
	view := b.view(t, first.Payment.ID)
	wantSame(t, "lines", view.Items, third.Items)
	wantSame(t, "payment", view.Payment, third.Payment)
	if len(view.Items) != 6 || view.Payment.ItemCount != 6 || len(view.Current()) != 1 {
		t.Errorf("%d lines of %d, %d current", len(view.Items), view.Payment.ItemCount, len(view.Current()))
	}
	wantSame(t, "the second list", view.AsOf(second.Payment.Version).Items, second.Items)
	wantSame(t, "the first list", view.AsOf(first.Payment.Version).Items, first.Items)
	b.wantClean(t)
}

// The lines of a refund's list come when it succeeds, in a change of nothing
// but totals; those that its return brings back, too.
func testListSucceeds(t *testing.T, open Open) {
	b := setup(t, open)
	for name, made := range map[string]payment.View{
		"with lines":    b.sell(t, line("one", 600, "m-1"), line("two", 400, "m-2"), line("three", 300, "m-1")),
		"without lines": b.do(t, b.captured(1300)).View,
	} {
		list := []payment.Item{line("rest", 1000, made.Payment.Merchant)}
		if made.Payment.ItemCount > 0 {
			list = []payment.Item{line("rest", 600, "m-1"), line("two", 400, "m-2")}
		}
		refund := b.openList(t, made.Payment.ID, 300, list)
		record := b.leave(t, refund)
		for _, kind := range []payment.AttemptOutcome{payment.AttemptSucceeded, payment.AttemptReturned} {
			after, view := record(kind), b.view(t, refund.Payment)
			wantSame(t, name+", lines "+string(kind), view.Items, after.Items)
			wantSame(t, name+", payment "+string(kind), view.Payment, after.Payment)
		}
		view := b.view(t, refund.Payment)
		if then := view.AsOf(refund.Version); len(then.Items) != len(made.Items) || len(then.Current()) != len(made.Items) {
			t.Errorf("%s: the lines that were are %+v", name, then.Items)
		}
		if made.Payment.ItemCount > 0 && !view.Items[len(view.Items)-1].CameBack {
			t.Errorf("%s: nothing came back: %+v", name, view.Items)
		}
	}
	b.wantClean(t)
}

// wantRefund fails the test unless a refund is read as it was answered.
func (b *bundle) wantRefund(t *testing.T, want payment.Refund) payment.Refund {
	t.Helper()
	view, err := b.store.ViewOfRefund(t.Context(), b.tenant, want.ID)
	if err != nil {
		t.Fatal(err)
	}
	got, _ := view.Refund(want.ID)
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("refund (-want +got):\n%s", diff)
	}
	return got
}

func testRefundList(t *testing.T, open Open) {
	b := setup(t, open)
	none := b.wantRefund(t, b.do(t, payment.OpenRefund{
		Meta: b.meta(), Payment: b.sell(t, line("one", 1000, "m-1")).Payment.ID, Ask: payment.Ask{Amount: 300},
	}).Refund)
	if none.List != nil {
		t.Errorf("a refund without a list has %+v", none.List)
	}
	for name, list := range map[string][]payment.Item{
		"nothing": nil, "no line": {}, "one": {line("rest", 700, "m-1")},
		"two": {line("rest", 300, "m-1"), {Name: "ünï", Total: 400, Merchant: "m-1"}},
	} {
		minor := money.Minor(1000)
		for _, item := range list {
			minor -= item.Total
		}
		got := b.wantRefund(t, b.openList(t, b.sell(t, line("one", 1000, "m-1")).Payment.ID, minor, list))
		if got.List == nil || len(*got.List) != len(list) {
			t.Errorf("%s: a list of %d lines is read as %+v", name, len(list), got.List)
		}
	}
}

func testRefundCapture(t *testing.T, open Open) {
	b := setup(t, open)
	made := b.do(t, b.captured(1000)).View
	for _, id := range []payment.CaptureID{{}, made.Captures[0].ID} {
		for _, by := range []time.Time{{}, b.clock.Now().Add(1500 * time.Millisecond)} {
			got := b.wantRefund(t, b.do(t, payment.OpenRefund{
				Meta: b.meta(), Payment: made.Payment.ID, Ask: payment.Ask{Amount: 10, Capture: id}, AnswerBy: by,
			}).Refund)
			if got.Capture != id || !got.AnswerBy.Equal(by) {
				t.Errorf("of %s, waited for until %s", got.Capture, got.AnswerBy)
			}
		}
	}
}

func testFailures(t *testing.T, open Open) {
	const limit = 2
	b := setup(t, open)
	p := b.capture(t, 1000)
	before, told := b.view(t, p.ID), len(b.events(t))
	counts := []payment.Rule{{Name: payment.RuleExists}, {Name: payment.RuleFailures, Limit: limit}}
	for n, try := range []struct {
		rules    []payment.Rule
		refusal  payment.RuleName
		failures int64
	}{
		{nil, payment.RuleRefundable, 0},
		{counts, payment.RuleRefundable, 1},
		{counts, payment.RuleRefundable, limit},
		{counts, payment.RuleFailures, limit},
	} {
		b.clock.Advance(time.Second)
		_, err := b.engine.Do(t.Context(), payment.OpenRefund{
			Meta: b.meta(), Payment: p.ID, Ask: payment.Ask{Amount: 1001}, Rules: try.rules,
		})
		wantRule(t, err, try.refusal)
		after := b.view(t, p.ID)
		if after.Payment.Failures != try.failures {
			t.Errorf("try %d: %d failures, want %d", n, after.Payment.Failures, try.failures)
		}
		after.Payment.Failures = before.Payment.Failures
		wantSame(t, "the rest", after, before)
	}
	if events := b.events(t); len(events) != told {
		t.Errorf("%d events of refusals", len(events)-told)
	}
	refund, err := b.refund(t.Context(), p.ID, 400) // the version that was left alone still fits
	if err != nil {
		t.Fatal(err)
	}
	if b.leave(t, refund.Refund)(payment.AttemptDeclined); b.view(t, p.ID).Payment.Failures != limit+1 {
		t.Errorf("%d failures after a decline", b.view(t, p.ID).Payment.Failures)
	}
}

// clash is a new payment that wants a short id that is taken, and minds it
// only once: ids that clash by luck do not clash again.
type clash struct {
	payment.CreatePayment

	taken string
	tries *int
}

// Apply implements [payment.Command].
func (c clash) Apply(b *payment.Book) (payment.Answer, error) {
	if *c.tries++; *c.tries == 1 {
		c.CreatePayment.ShortID = c.taken
	}
	return c.CreatePayment.Apply(b)
}

// Running numbers are given to nobody twice, by tenant and name.
func testNumbers(t *testing.T, open Open) {
	b := setup(t, open)
	counter, ok := b.store.(interface {
		TakeNumbers(ctx context.Context, tenant payment.TenantID, name string, count int64) (first int64, err error)
	})
	if !ok {
		t.Fatal("the store does not count")
	}
	firsts := make([]int64, 20)
	var running sync.WaitGroup
	for i := range firsts {
		running.Go(func() {
			var err error
			if firsts[i], err = counter.TakeNumbers(t.Context(), b.tenant, "purchase", 10); err != nil {
				t.Error(err)
			}
		})
	}
	running.Wait()
	slices.Sort(firsts)
	for i, first := range firsts {
		if first != int64(1+10*i) {
			t.Fatalf("the blocks begin at %v", firsts)
		}
	}
	for _, other := range []struct {
		tenant payment.TenantID
		name   string
	}{{b.newID(), "purchase"}, {b.tenant, "refund"}} {
		if first, err := counter.TakeNumbers(t.Context(), other.tenant, other.name, 1); err != nil || first != 1 {
			t.Errorf("another one begins at %d: %v", first, err)
		}
	}
}

func testShortTaken(t *testing.T, open Open) {
	b := setup(t, open)
	first := b.capture(t, 1000)
	tries := 0
	second := b.do(t, clash{b.captured(1000), first.ShortID, &tries}).View.Payment
	if tries != 2 || second.ShortID == first.ShortID || second.ID == first.ID {
		t.Errorf("%s after %d tries", second.ShortID, tries)
	}
	if owner, _, err := b.store.Find(t.Context(), b.tenant, payment.Alias{Kind: payment.ShortAlias, Value: first.ShortID}); err != nil ||
		owner != first.ID {
		t.Errorf("the short id is %x's: %v", owner, err)
	}

	events := len(b.events(t))
	command := b.captured(1000)
	command.ShortID, command.ID = first.ShortID, b.newID()
	blind := command.Need()
	blind.Aliases = nil // nobody looked it up
	err := b.store.Commit(t.Context(), b.newID(), []payment.Need{blind}, func(book *payment.Book) error {
		_, err := command.Apply(book)
		return err
	})
	if !errors.Is(err, engine.ErrLostRace) {
		t.Errorf("error %v, want a lost race", err)
	}
	if _, err := b.store.View(t.Context(), b.tenant, command.ID); err == nil || len(b.events(t)) != events {
		t.Errorf("a race that was lost has left a payment: %v", err)
	}

	_, err = b.engine.Do(t.Context(), command) // looked up, it is no race
	wantRule(t, err, payment.RuleAlias)

	b.tenant = b.newID()
	command = b.captured(1000)
	command.ShortID = first.ShortID
	b.do(t, command) // another tenant's is free
}

// A refund whose list moves money between recipients writes an entry about its
// payment, of which only the refund's event tells: the chain proves it all the same.
func testRecipientsProven(t *testing.T, open Open) {
	b := setup(t, open)
	made := b.sell(t, line("one", 600, "m-1"), line("two", 400, "m-2"))
	refund := b.do(t, payment.OpenRefund{
		Meta: b.meta(), Payment: made.Payment.ID, Rules: []payment.Rule{{Name: payment.RuleRecipients, On: true}},
		Ask: payment.Ask{
			How: payment.AskList, Amount: 300, List: []payment.Item{line("one", 100, "m-1"), line("two", 600, "m-2")},
		},
	}).Refund
	b.leave(t, refund)(payment.AttemptSucceeded)
	b.wantClean(t)
	b.damage(t, `UPDATE posting SET amount = amount - 1 WHERE cause = 'payment.items_replaced'`)
	b.wantFound(t)
}
