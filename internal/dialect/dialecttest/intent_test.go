package dialecttest_test

import (
	"testing"

	"github.com/refundry/refundry/internal/dialect/dialecttest"
)

// keyHeaders is where each door's callers name an intention.
var keyHeaders = map[string]string{
	"smartglocal": "X-PARTNER-IDEMPOTENCY-KEY", "pike": "X-PARTNER-IDEMPOTENCY-KEY", "ping": "Idempotency-Key",
	"chip": "Idempotency-Key", "primer": "X-Idempotency-Key", "api": "Idempotency-Key",
}

// repeated is how each door says that the same was asked for a moment ago.
var repeated = map[string]said{
	"smartglocal": policyNo["smartglocal"], "pike": policyNo["pike"],
	"chip": policyNo["chip"], "primer": policyNo["primer"], "api": {409, "duplicate_refund", 0},
}

// The same refund without a key of its own, shortly after the first, is taken
// for a mistake at every door; with a key of its own it is meant, and once the
// minutes are over it is too.
func TestAnEqualRefundIsAMistakeAtEveryDoor(t *testing.T) {
	dialecttest.OnBoth(t, func(t *testing.T, w *dialecttest.World) {
		w.Set("policy.duplicate_minutes", int64(10))
		for _, d := range doors {
			if d.name == "ping" {
				continue // see TestPingsListsAreAskedForOnce
			}
			named := d.pay(w)
			gave := func(want int64) {
				dialecttest.Eventually(t, d.name, func() bool { return minor(totals(w, d, named).At("refunded")) == want })
			}
			if got := d.refund(w, named, "5000"); got.Status/100 != 2 {
				t.Errorf("%s: %d %s", d.name, got.Status, got.Raw)
			}
			gave(5000)
			got, want := d.refund(w, named, "5000"), repeated[d.name]
			if got.Status != want.status || d.code(got) != want.code {
				t.Errorf("again at %s: %d %s, want %d %s", d.name, got.Status, got.Raw, want.status, want.code)
			}
			gave(5000)
			if got := d.refund(w, named, "5000", keyHeaders[d.name], "on-purpose"); got.Status/100 != 2 {
				t.Errorf("on purpose at %s: %d %s", d.name, got.Status, got.Raw)
			}
			gave(10000)
			w.Advance("11m")
			if got := d.refund(w, named, "5000"); got.Status/100 != 2 {
				t.Errorf("later at %s: %d %s", d.name, got.Status, got.Raw)
			}
			gave(15000)
		}
		w.Clean()
	})
}

// At Ping a refund names the list that will be, so that the same one does not
// fit any more once the first has ended.
func TestPingsListsAreAskedForOnce(t *testing.T) {
	dialecttest.OnBoth(t, func(t *testing.T, w *dialecttest.World) {
		w.Set("policy.duplicate_minutes", int64(10))
		named := ping.pay(w)
		again := func() dialecttest.Answered { return refundFor(w, ping, named, "other") }
		mustBe(w, "the first", again(), 200)
		dialecttest.Eventually(t, "it ends", func() bool { return minor(totals(w, ping, named).At("refunded")) == whole })
		if got := again(); got.Status != 403 || ping.code(got) != "payment_already_refunded" {
			t.Errorf("%d %s", got.Status, got.Raw)
		}
	})
}
