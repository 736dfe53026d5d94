package batch_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/refundry/refundry/internal/batch"
	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/setting"
)

// The row that would pass a cap is skipped, and so are all after it in its
// currency, whatever they ask for; no currency without a cap is refunded.
func TestCaps(t *testing.T) {
	t.Parallel()
	for _, dry := range []bool{false, true} {
		t.Run(fmt.Sprintf("dry run %t", dry), func(t *testing.T) {
			t.Parallel()
			w := setup(t)
			paid := w.pay(t, 100, 100, 100, 300, 100)
			full := func(of payment.PaymentID) string { return fmt.Sprintf(`{"payment": %q, "full": true}`, of) }
			id := w.start(t, batch.Options{IsDryRun: dry, Caps: []money.Amount{money.Of(310, "EUR"), money.Of(50, "JPY")}},
				row(paid[0], 101), // refused: it takes nothing of the cap
				full(paid[0]), row(paid[1], 100), full(paid[1]),
				full(paid[2]), full(paid[3]), row(paid[4], 1), full(payment.PaymentID(newID())),
			)
			b := w.finish(t, id)
			want := "refused refunded refunded refused refunded skipped skipped refused"
			if dry {
				want = strings.ReplaceAll(want, "refunded", "allowed")
			}
			if got := w.statuses(t, id); got != want {
				t.Errorf("\n%s, want\n%s", got, want)
			}
			if !slices.Equal(b.Full, []money.Currency{"EUR"}) || !slices.Equal(b.Sums, []money.Amount{money.Of(300, "EUR")}) {
				t.Errorf("full %v, sums %v", b.Full, b.Sums)
			}
			if got := w.rows(t, id)[5].Reason; got.Skip != batch.SkipCap || got.Message == "" {
				t.Errorf("%+v", got)
			}
			w.check(t, id)
			other := w.start(t, batch.Options{IsDryRun: dry, Caps: []money.Amount{money.Of(50, "JPY")}}, row(paid[4], 1))
			w.finish(t, other)
			if got := w.statuses(t, other); got != "skipped" {
				t.Errorf("a currency without a cap: %s", got)
			}
		})
	}
}

// However a cap cuts through a window, and whatever is refused on the way, it
// is used up to the last row that fits in the order of the rows.
func TestCapsAreUsedUp(t *testing.T) {
	t.Parallel()
	w := setup(t)
	paid := w.pay(t, slices.Repeat([]money.Minor{10}, 60)...)
	var rows []string
	for i, of := range paid {
		amount := money.Minor(10)
		if i%3 == 0 {
			amount = 11 // refused, when it is asked for
		}
		rows = append(rows, row(of, amount))
	}
	id := w.start(t, batch.Options{Caps: []money.Amount{money.Of(305, "EUR")}}, rows...)
	b := w.finish(t, id)
	if b.Counts.Refunded != 30 || b.Counts.Refused != 16 || b.Counts.Skipped != 14 {
		t.Errorf("%+v", b.Counts)
	}
	w.check(t, id)
}

// A payment that moves between the look at a cap and the refund is looked at again.
func TestGuardedRows(t *testing.T) {
	t.Parallel()
	w := setup(t)
	paid := w.pay(t, 100)
	id := w.start(t, batch.Options{Caps: []money.Amount{money.Of(70, "EUR")}}, fmt.Sprintf(`{"payment": %q, "full": true}`, paid[0]))
	if w.finish(t, id); w.statuses(t, id) != "skipped" {
		t.Fatalf("%s", w.statuses(t, id))
	}
	id = w.start(t, batch.Options{Caps: []money.Amount{money.Of(100, "EUR")}}, fmt.Sprintf(`{"payment": %q, "full": true}`, paid[0]))
	w.ask = func(payment.Command) (error, error) {
		w.mutex.Lock()
		w.ask = nil
		w.mutex.Unlock()
		_, err := w.engine.Do(t.Context(), payment.OpenRefund{
			Meta: w.meta(), Payment: paid[0], Ask: payment.Ask{Amount: 40}, Currency: "EUR",
		})
		return err, nil
	}
	if err := w.work(t, id); err == nil {
		t.Error("it is opened for another amount than was looked at")
	}
	w.finish(t, id)
	if got := w.rows(t, id)[0]; got.Status != batch.RowRefunded || got.Amount.Minor != 60 {
		t.Errorf("%+v", got)
	}
	w.check(t, id)
}

// What a row asks for is looked at as the rows of its payment before it leave
// it, under caps too.
func TestCapsKeepTheOrder(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.set(t, setting.Values{payment.PolicyMaximum.Name: int64(250)})
	paid := w.pay(t, 300)
	id := w.start(t, batch.Options{Caps: []money.Amount{money.Of(300, "EUR")}},
		row(paid[0], 60), fmt.Sprintf(`{"payment": %q, "full": true}`, paid[0]))
	w.finish(t, id)
	if got, want := w.statuses(t, id), "refunded refunded"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	w.check(t, id)
}

// A dry run counts towards what a day may see, in every window.
func TestDryRunsCount(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.set(t, setting.Values{payment.PolicyDailyCountTenant.Name: int64(3), payment.PolicyDailyAmountKey.Name: int64(251)})
	paid := w.pay(t, 100, 100, 100, 100, 100)
	for _, perSecond := range []int{0, 1} {
		id := w.start(t, batch.Options{IsDryRun: true, PerSecond: perSecond},
			row(paid[0], 100), row(paid[1], 100), row(paid[2], 52), row(paid[3], 50), row(paid[4], 1))
		w.finish(t, id)
		if got, want := w.statuses(t, id), "allowed allowed refused allowed refused"; got != want {
			t.Errorf("%d a second: %s, want %s", perSecond, got, want)
		}
	}
}
