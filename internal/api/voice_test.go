package api_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/refundry/refundry/internal/api"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/webhook"
)

// A webhook says of a refund what the API answered at that version.
func TestWebhookIsAsTheAnswerWas(t *testing.T) {
	t.Parallel()
	w := setup(t)
	made := w.operate(t, "POST", "/v1/endpoints", `{"url": "https://shop.example/hear"}`).want(t, 201)
	of := w.capture(t, "1000")
	answered := w.call(t, "POST", "/v1/refunds", `{"payment": "`+of+`", "amount": 10, "currency": "EUR", "metadata": {"a": 1}}`).
		want(t, 201)
	w.call(t, "POST", "/v1/refunds/"+answered.string(t, "id")+"/cancel", "").want(t, 200)

	voice := api.New(api.Config{Auth: w.auth}).Voice()
	deliveries, err := w.store.Deliveries(t.Context(), w.tenant, webhook.Filter{Limit: 10})
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[payment.EventKind][]byte{}
	for _, delivery := range deliveries {
		view, err := w.store.View(t.Context(), w.tenant, delivery.Event.Payment)
		if err != nil {
			t.Fatal(err)
		}
		if kinds[delivery.Event.Kind], err = voice.Body(delivery.Event, view, &payment.Tenant{ID: w.tenant}); err != nil {
			t.Fatal(err)
		}
		if !voice.(webhook.Narrow).IsOfRefund(delivery.Event) {
			continue
		}
		if view, err = w.store.Refund(t.Context(), w.tenant, delivery.Event.Subject); err != nil {
			t.Fatal(err)
		}
		body, err := voice.Body(delivery.Event, view, &payment.Tenant{ID: w.tenant})
		if diff := cmp.Diff(string(kinds[delivery.Event.Kind]), string(body)); diff != "" || err != nil {
			t.Errorf("the refund alone is told otherwise: %v\n%s", err, diff)
		}
	}
	var told struct {
		Type string
		Data map[string]json.RawMessage
	}
	if err := json.Unmarshal(kinds[payment.EventRefundCreated], &told); err != nil {
		t.Fatal(err)
	}
	if told.Type != "refund.created" {
		t.Errorf("type %s", told.Type)
	}
	if diff := cmp.Diff(answered.text, string(told.Data["refund"])); diff != "" {
		t.Errorf("the webhook differs from the answer:\n%s", diff)
	}
	for _, kind := range []payment.EventKind{"payment.captured", "refund.canceled"} {
		if kinds[kind] == nil {
			t.Errorf("%s was not told", kind)
		}
	}
	verifies(t, w, voice, made.string(t, "secret"), deliveries[0], kinds[deliveries[0].Event.Kind])
}

// verifies checks a signature with the library that receivers use.
func verifies(t *testing.T, w *world, voice webhook.Voice, secret string, delivery webhook.Delivery, body []byte) {
	t.Helper()
	headers, _, err := voice.Sign(t.Context(), webhook.Letter{
		Tenant: w.tenant, Delivery: delivery.ID, Endpoint: delivery.Endpoint, Sent: w.now(), Body: body,
	})
	if err != nil {
		t.Fatal(err)
	}
	receiver, err := standardwebhooks.NewWebhook(secret)
	if err != nil {
		t.Fatal(err)
	}
	if err := receiver.VerifyIgnoringTimestamp(body, headers); err != nil {
		t.Error(err)
	}
}
