package batch_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/refundry/refundry/internal/batch"
	"github.com/refundry/refundry/internal/engine"
	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/setting"
)

// afresh gives the world another tenant.
func (w *world) afresh(t testing.TB, settings setting.Values) {
	t.Helper()
	w.tenant = newID()
	tenant := payment.Tenant{ID: w.tenant, Name: w.tenant.String(), Settings: settings}
	if err := w.store.Change(t.Context(), change(tenant)); err != nil {
		t.Fatal(err)
	}
}

// policies draws what a tenant's policies may be.
func policies(t *rapid.T) (settings setting.Values, isOrdered bool) {
	settings = setting.Values{}
	number := func(spec setting.Spec, choices ...int64) bool {
		n := rapid.SampledFrom(choices).Draw(t, spec.Name)
		if n > 0 {
			settings[spec.Name] = n
		}
		return n > 0
	}
	number(payment.PolicyMaximum.Spec, 0, 0, 250)
	number(payment.PolicyApprovalAbove.Spec, 0, 100)
	settings[payment.PolicyOneAtATime.Name] = rapid.SampledFrom([]bool{false, false, true}).Draw(t, "one at a time")
	settings[payment.PolicyPartial.Name] = rapid.SampledFrom([]bool{true, true, true, false}).Draw(t, "partial")
	for _, limit := range []bool{
		number(payment.PolicyDailyCountKey.Spec, 0, 0, 4), number(payment.PolicyDailyAmountTenant.Spec, 0, 0, 600),
	} {
		isOrdered = isOrdered || limit
	}
	return settings, isOrdered
}

// sell makes a payment that may be made of lines, or of captures that are
// refunded one by one.
func (w *world) sell(t testing.TB, kind string) payment.PaymentID {
	t.Helper()
	command := payment.CreatePayment{
		Meta: w.meta(), Status: payment.PaymentCaptured, Connector: "sandbox", Amount: money.Of(300, "EUR"),
	}
	switch kind {
	case "lines":
		command.Items = []payment.Item{
			{Position: 1, Name: "hat", Quantity: 3, UnitAmount: 70, Total: 210, Tax: 31, Merchant: "main"},
			{Position: 2, Name: "tie", Quantity: 1, UnitAmount: 90, Total: 90, Tax: 13, Merchant: "main"},
		}
	case "yen":
		command.Amount.Currency = "JPY"
	}
	answer, err := w.engine.Do(t.Context(), command)
	if err != nil {
		t.Fatal(err)
	}
	return answer.View.Payment.ID
}

// drawRow draws what a row asks for of a payment.
func drawRow(t *rapid.T, paid []payment.PaymentID, n int) string {
	of := paid[rapid.IntRange(0, len(paid)-1).Draw(t, "payment")]
	how := rapid.SampledFrom([]string{
		`"amount": 60, "currency": "EUR"`, `"amount": 130, "currency": "EUR"`, `"amount": 20, "currency": "JPY"`,
		`"amount": 300, "currency": "EUR"`, `"full": true`,
		`"items": [{"position": 1, "quantity": 1}]`, `"items": [{"position": 1, "quantity": 2}, {"position": 2, "quantity": 1}]`,
	}).Draw(t, "how")
	key := ""
	if rapid.Bool().Draw(t, "has a key") {
		key = fmt.Sprintf(`, "key": "k%d"`, n)
	}
	return fmt.Sprintf(`{"payment": %q, %s%s}`, of, how, key)
}

// A dry run says of every row what then happens to it, whatever the policies,
// the caps and the other rows are; and it changes nothing.
func TestDryRunsTellTheTruth(t *testing.T) {
	t.Parallel()
	w := setup(t)
	rapid.Check(t, func(r *rapid.T) {
		settings, isOrdered := policies(r)
		w.afresh(t, settings)
		paid := []payment.PaymentID{
			w.sell(t, "plain"), w.sell(t, "plain"), w.sell(t, "lines"), w.sell(t, "lines"), w.sell(t, "yen"), newID(),
		}
		var rows []string
		for n := range rapid.IntRange(1, 14).Draw(r, "rows") {
			rows = append(rows, drawRow(r, paid, n))
		}
		options := batch.Options{IsDryRun: true, PerSecond: rapid.SampledFrom([]int{1, 2, 0}).Draw(r, "per second")}
		for _, currency := range []money.Currency{"EUR", "JPY"} {
			if n := rapid.SampledFrom([]int{0, 0, 0, 150, 500}).Draw(r, string(currency)); n > 0 {
				options.Caps = append(options.Caps, money.Of(money.Minor(n), currency))
			}
		}
		dry := w.start(t, options, rows...)
		w.finish(t, dry)
		for _, id := range paid[:5] {
			if view, err := w.store.View(t.Context(), w.tenant, id); err != nil || len(view.Refunds) > 0 || view.Payment.Version != 1 {
				r.Fatalf("a dry run has changed %+v: %v", view, err)
			}
		}
		options.IsDryRun = false
		if isOrdered {
			options.PerSecond = 1 // which of two payments is the last of a day depends on who is faster
		}
		real := w.start(t, options, rows...)
		w.finish(t, real)
		then := w.rows(t, real)
		for i, said := range w.rows(t, dry) {
			compare(r, rows[i], said, then[i])
		}
	})
}

// compare fails the test unless a row became what a dry run has said.
func compare(t *rapid.T, asked string, said, then batch.Row) {
	t.Helper()
	if said.Status == batch.RowAllowed {
		said.Status = batch.RowRefunded
	}
	said.Reason.Refundable, then.Reason.Refundable = money.Amount{}, money.Amount{} // beside others that run at the same time
	if said.Status != then.Status || said.Amount != then.Amount || said.Reason.Rule != then.Reason.Rule ||
		said.Reason.Skip != then.Reason.Skip {
		t.Fatalf("row %d, %s:\na dry run said %s %s %+v\nit was          %s %s %+v",
			said.Number, asked, said.Status, said.Amount, said.Reason, then.Status, then.Amount, then.Reason)
	}
}

// badLuck breaks some of what passes, before it is done or after.
func badLuck(luck *rand.Rand, often int) func() (before, after error) {
	var mutex sync.Mutex
	return func() (error, error) {
		mutex.Lock()
		defer mutex.Unlock()
		switch luck.IntN(often) {
		case 0:
			return errDown, nil
		case 1:
			return nil, engine.ErrFateUnknown
		default:
			return nil, nil
		}
	}
}

// However often holders die, lose their leases and work beside each other, and
// whatever breaks: in the end every good row is one refund, every bad one is
// explained, and the batch is the sum of its rows.
func TestNothingIsLostAndNothingDoubled(t *testing.T) {
	t.Parallel()
	w := setup(t)
	rapid.Check(t, func(r *rapid.T) {
		w.afresh(t, nil)
		luck := rand.New(rand.NewPCG(rapid.Uint64().Draw(r, "luck"), 0))
		var rows []string
		good := 0
		paid := w.pay(t, 10_000, 10_000, 10_000, 10_000, 10_000)
		for n := range rapid.IntRange(1, 40).Draw(r, "rows") {
			switch luck.IntN(10) {
			case 0:
				rows = append(rows, row(newID(), 1))
			case 1:
				rows = append(rows, row(paid[n%5], 10_001))
			case 2:
				rows = append(rows, `{}`)
			default:
				good++
				rows = append(rows, row(paid[n%5], 1+money.Minor(n)))
			}
		}
		options := batch.Options{PausesOnFailure: rapid.Bool().Draw(r, "careful")}
		id := w.start(t, options, rows...)
		w.disturb(badLuck(luck, 6))
		var holders sync.WaitGroup
		for range 3 {
			holders.Go(func() {
				for range 6 {
					_, _ = w.clerk.Resume(t.Context(), w.meta(), id)
					_ = w.work(t, id)
				}
			})
		}
		holders.Wait()
		w.disturb(nil)
		for w.get(t, id).Status != batch.Done {
			_, err := w.clerk.Resume(t.Context(), w.meta(), id)
			if refusal, ok := errors.AsType[*payment.Refusal](err); err != nil && !ok {
				r.Fatal(refusal, err)
			}
			w.finish(t, id)
		}
		b := w.get(t, id)
		refunds := 0
		for _, of := range paid {
			view, err := w.store.View(t.Context(), w.tenant, of)
			if err != nil {
				r.Fatal(err)
			}
			refunds += len(view.Refunds)
		}
		if int(b.Counts.Refunded) != good || refunds != good || b.Counts.Waiting+b.Counts.Skipped > 0 {
			r.Fatalf("%d good rows, %d refunds, %+v", good, refunds, b.Counts)
		}
		for n, got := range w.rows(t, id) {
			isGood := !strings.Contains(rows[n], "10001") && rows[n] != `{}`
			if got.Status != batch.RowRefunded && got.Reason.Message == "" || !isGood && got.Status == batch.RowRefunded {
				r.Fatalf("row %d is %+v", got.Number, got)
			}
		}
	})
	w.verify(t)
}

// disturb lets bad luck have its way with the engine and the store; nil: no more.
func (w *world) disturb(luck func() (before, after error)) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.change = luck
	w.ask = nil
	if luck != nil {
		w.ask = func(payment.Command) (error, error) { return luck() }
	}
}
