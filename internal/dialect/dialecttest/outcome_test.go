package dialecttest_test

import (
	"fmt"
	"testing"

	"github.com/refundry/refundry/internal/dialect/dialecttest"
)

// outcomes has, by the digits that provoke it, what every door shows of a
// refund in the end, in its provider's words.
var outcomes = []struct {
	amount   int64
	what     string
	shown    map[string]string
	refunded int64 // of the payment, in the engine's books
	disputed int64
}{
	{9001, "declined", map[string]string{
		"smartglocal": "declined", "pike": "declined", "ping": "DECLINED", "chip": "false", "primer": "FAILED", "api": "declined",
	}, 0, 0},
	{9002, "failed", map[string]string{
		"smartglocal": "error", "pike": "error", "ping": "FAILED", "chip": "false", "primer": "FAILED", "api": "failed",
	}, 0, 0},
	{9003, "stays pending", map[string]string{
		"smartglocal": "in_progress", "pike": "in_progress", "ping": "PENDING", "chip": "pending_refund", "primer": "PENDING",
		"api": "pending",
	}, 0, 0},
	{9004, "slow", succeeded, 9004, 0},
	{9005, "timeout, money moved", succeeded, 9005, 0},
	{9006, "timeout, nothing arrived", succeeded, 9006, 0},
	// Where a provider promises finality nothing more is said; the engine knows.
	{9007, "returned later", map[string]string{
		"smartglocal": "error", "pike": "error", "ping": "COMPLETED", "chip": "false", "primer": "SETTLED", "api": "returned",
	}, 0, 0},
	{9008, "noisy", succeeded, 9008, 0},
	{9009, "a chargeback meanwhile", succeeded, 9009, whole},
}

// succeeded is how each door says that the payer has the money.
var succeeded = map[string]string{
	"smartglocal": "accepted", "pike": "accepted", "ping": "COMPLETED", "chip": "true", "primer": "SETTLED", "api": "succeeded",
}

// Whatever happens outside, every door says it in its provider's words, and
// the books are the same behind all of them.
func TestOutcomes(t *testing.T) {
	dialecttest.OnBoth(t, func(t *testing.T, w *dialecttest.World) {
		w.Set("ping.refunds_view", "all")
		named := map[string]string{}
		for _, outcome := range outcomes {
			for _, d := range doors {
				at := d.name + " " + outcome.what
				named[at] = d.pay(w)
				got := d.refund(w, named[at], fmt.Sprint(outcome.amount))
				isNo := d.name == "chip" && (outcome.amount == 9001 || outcome.amount == 9002)
				if want := 200; got.Status/100*100 != want && !isNo || isNo && d.code(got) != "__all__ purchase_refund_error" {
					t.Errorf("%s: %d %s", at, got.Status, got.Raw)
				}
			}
		}
		for range 3 { // past every inquiry of the first minute, as time goes on
			w.Advance("20s")
		}
		for _, outcome := range outcomes {
			for _, d := range doors {
				at := d.name + " " + outcome.what
				var read, after dialecttest.Answered
				w.Meanwhile(at+": "+outcome.shown[d.name], func() bool {
					read, after = d.read(w, named[at]), totals(w, d, named[at])
					all := d.refunds(read)
					isShown := false
					for _, shown := range all {
						isShown = isShown || shown.status == outcome.shown[d.name]
					}
					return isShown && minor(after.At("refunded")) == outcome.refunded &&
						minor(after.At("disputed")) == outcome.disputed
				})
			}
		}
		w.Clean()
	})
}
