package api_test

import (
	"strings"
	"testing"
)

// What only a front door understands of its endpoints goes to that door, and to
// no other.
func TestEndpointsOfPrimerHaveDetails(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		made := w.call(t, "POST", "/v1/endpoints", `{"door": "primer", "url": "https://shop.example/primer",
			"description": "Refunds", "types": ["PAYMENT.REFUND"]}`).want(t, 201)
		if !strings.Contains(made.text, `"detail":{"description":"Refunds","types":["PAYMENT.REFUND"]}`) {
			t.Errorf("got %s", made.text)
		}
		path := "/v1/endpoints/" + made.string(t, "id")
		w.call(t, "PATCH", path, `{"is_disabled": true}`).want(t, 200)
		if kept := w.call(t, "GET", path, "").want(t, 200); !strings.Contains(kept.text, `"types":["PAYMENT.REFUND"]`) {
			t.Errorf("a change of something else has changed it: %s", kept.text)
		}
		w.call(t, "PATCH", path, `{"types": ["payment.refund"]}`).wantCode(t, 422, "invalid_request")
		w.call(t, "PATCH", path, `{"types": ["PAYMENT.REFUND"], "description": "4242424242424242"}`).
			wantCode(t, 422, "card_number_refused")
		w.call(t, "POST", "/v1/endpoints", `{"url": "https://shop.example/x", "description": "x"}`).wantCode(t, 422, "invalid_request")
		w.call(t, "POST", "/v1/endpoints", `{"door": "chip", "url": "https://shop.example/x", "types": ["PAYMENT.REFUND"]}`).
			wantCode(t, 422, "invalid_request")
	})
}

// An endpoint says how its last deliveries went.
func TestEndpointsShowTheirHealth(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		path := "/v1/endpoints/" + w.call(t, "POST", "/v1/endpoints", `{"url": "`+w.hear+`", "kinds": ["dispute.won"]}`).
			want(t, 201).string(t, "id")
		if none := w.call(t, "GET", path, "").want(t, 200); !strings.Contains(none.text,
			`"health":{"deliveries":0,"delivered":0,"failing":0,"given_up":0}`) {
			t.Errorf("got %s", none.text)
		}
		w.call(t, "POST", path+"/test", "").want(t, 202)
		eventually(t, "the webhook arrives", func() bool {
			return strings.Contains(w.call(t, "GET", path, "").text,
				`"health":{"deliveries":1,"delivered":1,"failing":0,"given_up":0,"delivered_at":"`)
		})
	})
}
