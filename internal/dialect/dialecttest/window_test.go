package dialecttest_test

import (
	"testing"

	"github.com/refundry/refundry/internal/dialect/dialecttest"
)

// untimely is how each door says that a payment is too young or too old.
var untimely = map[string]said{
	"smartglocal": {400, "invalid_request", 0}, "pike": {400, "invalid_request", 0}, "ping": policyNo["ping"],
	"chip": policyNo["chip"], "primer": policyNo["primer"],
}

// saysNo fails the test unless a door refuses a refund as it should, and
// nothing was given.
func saysNo(w *dialecttest.World, what string, d door, named string, got dialecttest.Answered, want said) {
	w.T.Helper()
	if got.Status != want.status || d.code(got) != want.code {
		w.T.Errorf("%s at %s: %d %s, want %d %s", what, d.name, got.Status, got.Raw, want.status, want.code)
	}
	if after := totals(w, d, named); minor(after.At("reserved"))+minor(after.At("refunded")) != 0 {
		w.T.Errorf("%s at %s: something was given: %s", what, d.name, after.Raw)
	}
}

// A payment is refunded after a policy's first hours and within its last days,
// whichever door asks, and not before or later.
func TestTheWindowHoldsAtEveryDoor(t *testing.T) {
	dialecttest.OnBoth(t, func(t *testing.T, w *dialecttest.World) {
		named := map[string]string{}
		for _, d := range doors {
			named[d.name] = d.pay(w)
		}
		no := func(d door, own string) said {
			if d.name == "api" {
				return said{409, own, 0}
			}
			return untimely[d.name]
		}
		w.Set("policy.earliest_hours", int64(24))
		for _, d := range doors {
			saysNo(w, "too early", d, named[d.name], d.refund(w, named[d.name], "5000"), no(d, "too_early"))
		}
		w.Advance("49h")
		w.Set("policy.window_days", int64(2))
		for _, d := range doors {
			saysNo(w, "too late", d, named[d.name], d.refund(w, named[d.name], "5000"), no(d, "refund_window_closed"))
		}
		w.Set("policy.window_days", int64(3))
		for _, d := range doors {
			if got := d.refund(w, named[d.name], "5000"); got.Status/100 != 2 {
				t.Errorf("in time at %s: %d %s", d.name, got.Status, got.Raw)
			}
		}
		w.Clean()
	})
}
