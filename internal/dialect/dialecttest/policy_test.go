package dialecttest_test

import (
	"testing"

	"github.com/refundry/refundry/internal/dialect/dialecttest"
)

// policyNo is how each door says that a policy of the tenant forbids a refund.
var policyNo = map[string]said{
	"smartglocal": {403, "authorization_error", 0}, "pike": {403, "authorization_error", 0},
	"ping": {403, "refund_threshold_exceeded", 0}, "chip": {400, "__all__ purchase_refund_not_possible", 0},
	"primer": {400, "InvalidPaymentStatus", 0},
}

// policies has the policies that forbid, what each is set to, and its own
// code at our own API. The refund that is asked for is of 5000 of 20000.
var policies = []struct {
	setting string
	value   any
	code    string
}{
	{"policy.maximum_amount", int64(4999), "maximum_amount_exceeded"},
	{"policy.partial_refunds", false, "partial_refunds_disabled"},
	{"policy.halted", true, "refunds_halted"},
	{"policy.halted_connectors", []string{"sandbox"}, "refunds_halted"},
	{"policy.daily_amount_tenant", int64(4999), "velocity_exceeded"},
}

// What a policy forbids is forbidden at every door, in that door's words, and
// nothing is reserved.
func TestAPolicyForbidsAtEveryDoor(t *testing.T) {
	dialecttest.OnBoth(t, func(t *testing.T, w *dialecttest.World) {
		for _, policy := range policies {
			named := map[string]string{}
			for _, d := range doors {
				named[d.name] = d.pay(w)
			}
			w.Set(policy.setting, policy.value)
			for _, d := range doors {
				want := policyNo[d.name]
				if d.name == "api" {
					want = said{403, policy.code, 0}
				}
				got := d.refund(w, named[d.name], "5000")
				if got.Status != want.status || d.code(got) != want.code {
					t.Errorf("%s at %s: %d %s, want %d %s", policy.setting, d.name, got.Status, got.Raw, want.status, want.code)
				}
				if after := totals(w, d, named[d.name]); minor(after.At("reserved"))+minor(after.At("refunded")) != 0 {
					t.Errorf("%s at %s: something was given: %s", policy.setting, d.name, after.Raw)
				}
			}
			w.Set(policy.setting, nil)
		}
	})
}

// waits is how each door shows a refund that has not left: it waits for
// approval, or can still be undone.
var waits = map[string]string{
	"smartglocal": "in_progress", "pike": "in_progress", "ping": "PENDING", "chip": "pending_refund", "primer": "PENDING",
}

// A refund that waits for approval, or in its undo window, is that door's
// pending, is reserved, and goes on when it may.
func TestWhatWaitsIsPendingAtEveryDoor(t *testing.T) {
	dialecttest.OnBoth(t, func(t *testing.T, w *dialecttest.World) {
		w.Set("ping.refunds_view", "all")
		for _, policy := range []struct {
			setting string
			value   int64
			status  string
			goesOn  func(refund string)
		}{
			{"policy.approval_above", 4999, "awaiting_approval", func(refund string) {
				mustBe(w, "approve", w.Operate("POST", "/v1/refunds/"+refund+"/approve", "{}"), 200)
			}},
			{"policy.undo_seconds", 3600, "scheduled", func(string) { w.Advance("61m") }},
		} {
			for _, d := range doors {
				w.Set(policy.setting, policy.value)
				named := d.pay(w)
				if got := d.refund(w, named, "5000"); got.Status/100 != 2 {
					t.Errorf("%s at %s: %d %s", policy.setting, d.name, got.Status, got.Raw)
					continue
				}
				want := waits[d.name]
				if d.name == "api" {
					want = policy.status
				}
				shows := func(want string) bool {
					for _, shown := range d.refunds(d.read(w, named)) {
						if shown.status == want {
							return true
						}
					}
					return false
				}
				waiting := totals(w, d, named)
				if !shows(want) || minor(waiting.At("reserved")) != 5000 || waiting.At("refunds.0.status") != policy.status {
					t.Errorf("%s at %s: shown %v, %s", policy.setting, d.name, d.refunds(d.read(w, named)), waiting.Raw)
				}
				policy.goesOn(text(waiting.At("refunds.0.id")))
				w.Set(policy.setting, nil)
				dialecttest.Eventually(t, policy.setting+" at "+d.name+": it went on", func() bool { return shows(succeeded[d.name]) })
			}
		}
		w.Clean()
	})
}
