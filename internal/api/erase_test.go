package api_test

import (
	"strings"
	"testing"
)

// What is personal about a payment is erased once nothing about it is open, and
// only once. It can be refunded still, without words.
func TestErasePayment(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		of := w.call(t, "POST", "/v1/payments", `{"amount": 1000, "currency": "EUR", "payer": "anna-77",
			"description": "anna-77", "metadata": {"who": "anna-77"}, "reference": "order-1"}`).want(t, 201).string(t, "id")
		path := "/v1/payments/" + of
		refund := w.call(t, "POST", "/v1/refunds", `{"payment": "`+of+`", "amount": 100, "currency": "EUR",
			"note": "anna-77", "not_before": "`+later(w)+`"}`).want(t, 201).string(t, "id")
		w.call(t, "POST", path+"/erase", "").wantCode(t, 409, "payment_open")
		w.call(t, "POST", "/v1/refunds/"+refund+"/cancel", `{"message": "anna-77"}`).want(t, 200)
		key := "Idempotency-Key: once"
		erased := w.call(t, "POST", path+"/erase", "", key).want(t, 200)
		for _, got := range []answer{
			erased, w.call(t, "POST", path+"/erase", "", key).want(t, 200), w.call(t, "POST", path+"/erase", "").want(t, 200),
			w.call(t, "GET", path, "").want(t, 200), w.call(t, "GET", "/v1/payments", "").want(t, 200),
			w.call(t, "GET", "/v1/refunds/"+refund, "").want(t, 200), w.call(t, "GET", "/v1/refunds", "").want(t, 200),
			w.operate(t, "POST", path+"/erase", "").want(t, 200),
		} {
			if strings.Contains(got.text, "anna-77") {
				t.Errorf("it is shown still: %s", got.text)
			}
		}
		if now := w.call(t, "GET", path, ""); now.text != erased.text || erased.string(t, "erased_at") == "" ||
			erased.string(t, "reference") != "order-1" {
			t.Errorf("erased as %s, and is %s", erased.text, now.text)
		}
		if feed := w.call(t, "GET", "/v1/events?limit=100", "").want(t, 200); !strings.Contains(feed.text, `"payment.erased"`) {
			t.Errorf("the feed does not tell: %s", feed.text)
		}
		preview := w.call(t, "POST", "/v1/refunds/preview", refundOf(of, 100)).want(t, 200)
		if strings.Contains(preview.text, "payment_erased") {
			t.Errorf("previewed as %s", preview.text)
		}
		w.call(t, "POST", "/v1/refunds", `{"payment": "`+of+`", "amount": 100, "currency": "EUR", "message": "m"}`).
			wantCode(t, 409, "payment_erased")
		w.call(t, "POST", "/v1/refunds", refundOf(of, 100)).want(t, 201)
		w.call(t, "POST", "/v1/payments/pay_06e40bvx550000000000000009/erase", "").wantCode(t, 404, "not_found")
	})
}
