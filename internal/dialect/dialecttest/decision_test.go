package dialecttest_test

import (
	"testing"

	"github.com/refundry/refundry/internal/dialect/dialecttest"
)

// stopped is how each door shows a refund that somebody has stopped before it
// left: its end without money.
var stopped = map[string]string{
	"smartglocal": "declined", "pike": "declined", "ping": "DECLINED", "chip": "false", "primer": "FAILED", "api": "canceled",
}

// stops has the ways in which a refund that waits is stopped.
var stops = []struct {
	what    string
	setting string
	value   int64
	stop    func(w *dialecttest.World, refund string)
	failure string
}{
	{"rejected", "policy.approval_above", 4999, func(w *dialecttest.World, refund string) {
		mustBe(w, "reject", w.Operate("POST", "/v1/refunds/"+refund+"/reject", "{}"), 200)
	}, "rejected"},
	{"not approved in time", "policy.approval_above", 4999, func(w *dialecttest.World, _ string) { w.Advance("2h") }, "approval_expired"},
	{"canceled in its undo window", "policy.undo_seconds", 3600, func(w *dialecttest.World, refund string) {
		mustBe(w, "cancel", w.Operate("POST", "/v1/refunds/"+refund+"/cancel", "{}"), 200)
	}, "canceled"},
}

// A refund that waits and is stopped is that door's end without money, is told
// to its clients, and what it had reserved can be refunded again.
func TestWhatIsStoppedIsOverAtEveryDoor(t *testing.T) {
	dialecttest.OnBoth(t, func(t *testing.T, w *dialecttest.World) {
		w.Set("ping.refunds_view", "all")
		w.Set("policy.approval_expires_hours", int64(1))
		w.Tell("smartglocal", "pike", "chip", "primer", "api")
		for _, stop := range stops {
			for _, d := range doors {
				at := stop.what + " at " + d.name
				w.Set(stop.setting, stop.value)
				named := d.pay(w)
				if got := d.refund(w, named, "5000"); got.Status/100 != 2 {
					t.Errorf("%s: %d %s", at, got.Status, got.Raw)
					continue
				}
				refund := text(totals(w, d, named).At("refunds.0.id"))
				before := told(w, d)
				stop.stop(w, refund)
				w.Set(stop.setting, nil)
				dialecttest.Eventually(t, at+": it is over", func() bool {
					for _, shown := range d.refunds(d.read(w, named)) {
						if shown.status == stopped[d.name] {
							return minor(totals(w, d, named).At("reserved")) == 0
						}
					}
					return false
				})
				if got := w.API("GET", "/v1/refunds/"+refund, ""); got.At("failure.code") != stop.failure {
					t.Errorf("%s: %s", at, got.Raw)
				}
				if d.name != "ping" { // its callbacks go where the payment says
					dialecttest.Eventually(t, at+": it is told", func() bool { return told(w, d) > before })
				}
				if got := d.refund(w, named, ""); d.name != "ping" && d.name != "api" && got.Status/100 != 2 {
					t.Errorf("%s: all of it, afterwards: %d %s", at, got.Status, got.Raw)
				}
			}
		}
		w.Clean()
	})
}

// told returns how many webhooks came of refunds that are over.
func told(w *dialecttest.World, d door) int {
	count := 0
	for _, came := range w.Receiver.List("/" + d.name) {
		isEnd := map[string]bool{
			"smartglocal": came.At("type") == "payment_refunded", "pike": came.At("type") == "payment_refunded",
			"chip":   came.At("event_type") == "purchase.refund_failure",
			"primer": came.At("eventType") == "PAYMENT.REFUND", "api": came.At("type") == "refund.canceled",
		}
		if isEnd[d.name] {
			count++
		}
	}
	return count
}

// beyond is how each door says that more is asked for than is left, or that
// another refund runs where it lets only one run at a time.
var beyond = map[string]said{
	"smartglocal": {400, "invalid_request", 0}, "pike": {400, "invalid_request", 0}, "ping": {403, "refund_in_progress", 0},
	"chip": {400, "__all__ purchase_refund_wrong_status", 0}, "primer": {422, "UnprocessableRefundAmount", 0},
	"api": {409, "refundable_amount_exceeded", 0},
}

// What waits for approval is reserved: at no door can it be refunded once more,
// and what is left can.
func TestWhatWaitsIsReservedAtEveryDoor(t *testing.T) {
	dialecttest.OnBoth(t, func(t *testing.T, w *dialecttest.World) {
		w.Set("policy.approval_above", int64(12_000))
		w.Set("smartglocal.parallel_refunds", true)
		w.Set("pike.parallel_refunds", true)
		for _, d := range doors {
			named := d.pay(w)
			if got := d.refund(w, named, "15000"); got.Status/100 != 2 {
				t.Errorf("%s: %d %s", d.name, got.Status, got.Raw)
				continue
			}
			got, want := d.refund(w, named, "5001"), beyond[d.name]
			after := totals(w, d, named)
			if got.Status != want.status || d.code(got) != want.code || minor(after.At("reserved")) != 15_000 || minor(after.At("refunded")) != 0 {
				t.Errorf("%s: %d %s, %s", d.name, got.Status, got.Raw, after.Raw)
			}
			if isAlone := d.name == "ping" || d.name == "chip"; isAlone {
				continue
			}
			if got := d.refund(w, named, "5000"); got.Status/100 != 2 {
				t.Errorf("what is left, at %s: %d %s", d.name, got.Status, got.Raw)
			}
		}
		w.Clean()
	})
}
