package dialecttest_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/refundry/refundry/internal/dialect/dialecttest"
)

// overCaptures is how a door says that it answers with one refund, and that what
// is asked for would be several; it says how much one may be. The others show
// all of them.
var overCaptures = map[string]said{
	"ping": {422, "invalid_value", 0}, "chip": {400, "__all__ purchase_refund_not_possible", 0},
}

// capturedInParts records a payment whose processor refunds captures, and two
// captures of it.
func capturedInParts(w *dialecttest.World, first, second int) dialecttest.Answered {
	w.T.Helper()
	held := mustBe(w, "record", w.API(http.MethodPost, "/v1/payments",
		`{"amount":20000,"currency":"EUR","status":"authorized","connector":"sandbox_captures"}`), 201)
	var paid dialecttest.Answered
	for _, amount := range []int{first, second} {
		paid = mustBe(w, "capture", w.API(http.MethodPost, "/v1/payments/"+text(held.At("id"))+"/capture",
			fmt.Sprintf(`{"amount":%d,"currency":"EUR"}`, amount)), 200)
	}
	return paid
}

// What reaches over several captures is shown as what it becomes, or is refused
// where a door answers with one refund; what one capture has left is refunded at
// every door.
func TestARefundOverCapturesAtEveryDoor(t *testing.T) {
	dialecttest.OnBoth(t, func(t *testing.T, w *dialecttest.World) {
		for _, d := range doors {
			paid := capturedInParts(w, 12000, 8000)
			named, asks := d.names(paid), []string{"15000", "5000"}
			want := fmt.Sprint([]int64{12000, 3000, 5000})
			refund := func(amount string) dialecttest.Answered {
				before := minor(totals(w, own, text(paid.At("id"))).At("refunded"))
				got := d.refund(w, named, amount)
				if got.Status/100 == 2 {
					dialecttest.Eventually(t, d.name+" refunds "+amount, func() bool {
						now := totals(w, own, text(paid.At("id")))
						return minor(now.At("reserved")) == 0 && minor(now.At("refunded")) > before
					})
				}
				return got
			}
			if no, refuses := overCaptures[d.name]; refuses {
				if got := refund("15000"); got.Status != no.status || d.code(got) != no.code || !strings.Contains(got.Raw, "12000") {
					t.Errorf("%s: %d %s, want %v", d.name, got.Status, got.Raw, no)
				}
				asks, want = []string{"12000", "8000"}, fmt.Sprint([]int64{12000, 8000})
			}
			for _, amount := range asks {
				if got := refund(amount); got.Status/100 != 2 {
					t.Errorf("%s of %s: %d %s", amount, d.name, got.Status, got.Raw)
				}
			}
			var shown []int64
			for _, refund := range d.refunds(d.read(w, named)) {
				shown = append(shown, refund.amount)
			}
			if left := minor(totals(w, own, text(paid.At("id"))).At("refundable")); fmt.Sprint(shown) != want || left != 0 {
				t.Errorf("%s shows %v, want %s; %d is left", d.name, shown, want, left)
			}
		}
		w.Clean()
	})
}
