package webhook_test

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"pgregory.net/rapid"

	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/webhook"
)

func TestStandardWebhooksLibraryVerifies(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		key := rapid.SliceOfN(rapid.Byte(), 24, 64).Draw(t, "key")
		body := rapid.SliceOf(rapid.Byte()).Draw(t, "body")
		header := webhook.SignStandard(webhook.StandardKeys{Secrets: [][]byte{key}}, webhook.Letter{
			Delivery: payment.DeliveryID{1, 2, 3}, Sent: time.Now(), Body: body,
		})
		oracle, err := standardwebhooks.NewWebhook("whsec_" + base64.StdEncoding.EncodeToString(key))
		if err != nil {
			t.Fatal(err)
		}
		if err := oracle.Verify(body, header); err != nil {
			t.Errorf("refused: %v", err)
		}
		if oracle.Verify(append(body, ' '), header) == nil {
			t.Error("another body is verified")
		}
	})
}

// What arrives is verified by the library that receivers use, tolerance and all,
// wherever the test clock stands.
func TestWebhookArrivesVerifiable(t *testing.T) {
	t.Parallel()
	w, r := setup(t, plan{}), newReceiver(t)
	tenant, _ := w.tenant(t, r.url)
	w.refund(t, tenant, w.capture(t, tenant), 100)
	got := r.next(t)
	got.status <- 204
	oracle, err := standardwebhooks.NewWebhook(secret)
	if err != nil {
		t.Fatal(err)
	}
	if err := oracle.Verify([]byte(got.body), got.header); err != nil {
		t.Error(err)
	}
	if id := got.header.Get("webhook-id"); id != w.deliveries(t, tenant)[0].ID.String() {
		t.Errorf("webhook-id %s is not the delivery's", id)
	}
	if kind := got.header.Get("Content-Type"); !strings.HasPrefix(kind, "application/json") {
		t.Errorf("content type %s", kind)
	}
	if d, _ := w.attempts(t, tenant, 1); d.Status != webhook.StatusDelivered || d.EndedAt != w.now() {
		t.Errorf("delivery %+v", d)
	}
}

func TestStandardScheduleIsAsSuggested(t *testing.T) {
	t.Parallel()
	pauses := []time.Duration{
		0, 5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour,
		10 * time.Hour, 14 * time.Hour, 20 * time.Hour, 24 * time.Hour,
	}
	if len(webhook.StandardSchedule) != len(pauses) {
		t.Fatalf("%d attempts, suggested %d", len(webhook.StandardSchedule), len(pauses))
	}
	var at time.Duration
	for i, pause := range pauses {
		if at += pause; webhook.StandardSchedule[i] != at {
			t.Errorf("attempt %d after %s, suggested %s", i+1, webhook.StandardSchedule[i], at)
		}
	}
}
