package api_test

import (
	"fmt"
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

// Who is erased is named nowhere in refunds that they asked for, and is still
// the same person: they cannot approve what they have asked for.
func TestErasedPersonIsNotNamed(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.set(t, `{"policy.approval_above": 500}`)
		asked := w.call(t, "POST", "/v1/refunds", fmt.Sprintf(`{"payment": %q, "amount": 600, "currency": "EUR"}`, w.capture(t, "1000")),
			"Refundry-User: "+anna).want(t, 201)
		path, person := "/v1/refunds/"+asked.string(t, "id"), asked.string(t, "person")
		if asked.string(t, "user") != anna || !strings.HasPrefix(person, "per_") {
			t.Errorf("asked for by %s", asked.text)
		}
		erased := w.operate(t, "POST", "/v1/audit/erase-person", fmt.Sprintf(`{"user": %q}`, anna)).want(t, 200)
		if erased.string(t, "person") != person {
			t.Errorf("%s was erased, %s asked", erased.text, person)
		}
		for _, read := range []string{path, "/v1/refunds", "/v1/payments/" + asked.string(t, "payment")} {
			if got := w.call(t, "GET", read, "").want(t, 200).text; strings.Contains(got, anna) {
				t.Errorf("%s still names the person: %s", read, got)
			}
		}
		if got := w.call(t, "GET", path, "").string(t, "person"); got != person {
			t.Errorf("it was asked for by %s", got)
		}
		other := w.operate(t, "POST", "/v1/keys", `{"name": "other", "scopes": ["refunds:approve"]}`).want(t, 201).string(t, "key")
		send(t, w.server, "POST", path+"/approve", "", "Authorization: Bearer "+other, "Refundry-User: "+anna).wantCode(t, 403, "self_approval")
		send(t, w.server, "POST", path+"/approve", "", "Authorization: Bearer "+other, "Refundry-User: bob").want(t, 200)
	})
}
