package api_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// set changes settings of the tenant.
func (w *world) set(t *testing.T, settings string) {
	t.Helper()
	w.operate(t, "PATCH", "/v1/settings", settings).want(t, 200)
}

// codesIn returns the codes of an answer's refusals.
func codesIn(t *testing.T, a answer) (codes []string) {
	t.Helper()
	refusals, ok := a.body["refusals"].([]any)
	if !ok {
		t.Fatalf("no refusals in %s", a.text)
	}
	for _, refusal := range refusals {
		codes = append(codes, fmt.Sprint(refusal.(map[string]any)["code"]))
	}
	return codes
}

// What refundability says is what a refund is answered, at its edges.
func TestRefundabilityIsWhatRefundsGet(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		of := w.capture(t, "10000")
		w.set(t, `{"policy.maximum_amount": 4000, "policy.daily_amount_user": 5000, "policy.window_days": 30}`)
		w.call(t, "POST", "/v1/refunds", refundOf(of, 3000), "Refundry-User: anna").want(t, 201)
		path := "/v1/payments/" + of + "/refundability"
		for user, most := range map[string]int64{"anna": 2000, "ben": 4000} {
			got := w.call(t, "GET", path, "", "Refundry-User: "+user).want(t, 200)
			if got.number(t, "max") != most || got.number(t, "min") != 1 || len(codesIn(t, got)) > 0 {
				t.Errorf("%s may refund %s, want %d", user, got.text, most)
			}
			w.call(t, "POST", "/v1/refunds", refundOf(of, most+1), "Refundry-User: "+user).want(t, 403)
			if got.string(t, "latest_at") == "" {
				t.Error("it is not said until when")
			}
		}
		w.call(t, "POST", "/v1/refunds", refundOf(of, 2000), "Refundry-User: anna").want(t, 201)
		spent := w.call(t, "GET", path, "", "Refundry-User: anna").want(t, 200)
		if diff := cmp.Diff([]string{"velocity_exceeded"}, codesIn(t, spent)); diff != "" || spent.number(t, "max") != 0 {
			t.Errorf("anna's day is over: %s", spent.text)
		}
		w.set(t, `{"policy.halted": true, "policy.earliest_hours": 48}`)
		halted := w.call(t, "GET", path, "").want(t, 200)
		if diff := cmp.Diff([]string{"refunds_halted", "too_early"}, codesIn(t, halted)); diff != "" {
			t.Errorf("both rules say no (-want +got):\n%s", diff)
		}
		if halted.string(t, "earliest_at") == "" {
			t.Error("it is not said from when")
		}
	})
}

// A dispute shows in the same answer, with what is lost twice.
func TestRefundabilityHasTheExposure(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		of := w.capture(t, "1000")
		w.call(t, "POST", "/v1/refunds", `{"payment": "`+of+`", "amount": 700, "currency": "EUR", "not_before": "`+later(w)+`"}`).
			want(t, 201)
		w.operate(t, "POST", "/v1/disputes", `{"payment": "`+of+`", "amount": 300}`).want(t, 201)
		got := w.call(t, "GET", "/v1/payments/"+of+"/refundability", "").want(t, 200)
		if !strings.Contains(got.text, `"is_disputed":true,"exposure":{"captured":1000,"refunded":0,"reserved":700,"disputed":300,`+
			`"total":1000,"double_loss":0}`) {
			t.Errorf("got %s", got.text)
		}
		if diff := cmp.Diff([]string{"refundable_amount_exceeded"}, codesIn(t, got)); diff != "" {
			t.Errorf("nothing is left (-want +got):\n%s", diff)
		}
	})
}
