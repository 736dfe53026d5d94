package dialecttest_test

import (
	"testing"

	"github.com/refundry/refundry/internal/dialect/dialecttest"
)

// besideAnother is how each door says that another refund has not ended.
var besideAnother = map[string]said{
	"smartglocal": {400, "invalid_request", 0}, "pike": {400, "invalid_request", 0}, "ping": {403, "refund_in_progress", 0},
	"chip": {400, "__all__ purchase_refund_wrong_status", 0}, "primer": policyNo["primer"],
	"api": {409, "another_refund_pending", 0},
}

// besideADispute is how each door says that a dispute of the payment is open.
// Ping and CHIP refund nothing of a payment that a dispute has taken anything of.
var besideADispute = map[string]said{
	"smartglocal": policyNo["smartglocal"], "pike": policyNo["pike"], "ping": {403, "payment_disputed", 0},
	"chip": {400, "__all__ purchase_refund_wrong_status", 0}, "primer": policyNo["primer"], "api": {403, "dispute_open", 0},
}

// A policy that lets refunds go one at a time, or none beside a dispute, holds
// at every door, also where the door would let them.
func TestWhatRunsBesideARefundAtEveryDoor(t *testing.T) {
	dialecttest.OnBoth(t, func(t *testing.T, w *dialecttest.World) {
		for _, brand := range []string{"smartglocal", "pike"} {
			w.Set(brand+".parallel_refunds", true)
		}
		w.Set("primer.refund_during_dispute", "allow")
		w.Set("policy.one_refund_at_a_time", true)
		w.Set("policy.refund_during_dispute", false)
		for _, d := range doors {
			named := d.pay(w)
			if got := d.refund(w, named, "9003"); got.Status/100 != 2 { // it stays pending
				t.Errorf("%s: %d %s", d.name, got.Status, got.Raw)
			}
			if got, want := d.refund(w, named, "1000"), besideAnother[d.name]; got.Status != want.status || d.code(got) != want.code {
				t.Errorf("beside another at %s: %d %s, want %v", d.name, got.Status, got.Raw, want)
			}
			named = d.pay(w)
			mustBe(w, "dispute", w.Operate("POST", "/v1/disputes", `{"payment":"`+paymentOf(w, d, named).String()+`","amount":1000}`), 201)
			saysNo(w, "beside a dispute", d, named, d.refund(w, named, "1000"), besideADispute[d.name])
		}
		w.Clean()
	})
}

// The refunds of a connector that is not stopped go on.
func TestAnotherConnectorsStopIsNone(t *testing.T) {
	dialecttest.OnBoth(t, func(t *testing.T, w *dialecttest.World) {
		w.Set("policy.halted_connectors", []string{"elsewhere"})
		for _, d := range doors {
			if got := d.refund(w, d.pay(w), "5000"); got.Status/100 != 2 {
				t.Errorf("%s: %d %s", d.name, got.Status, got.Raw)
			}
		}
	})
}
