package webhook_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/webhook"
)

// answering is a receiver that answers all alike.
func answering(t *testing.T, status int, header ...string) (url string, count *atomic.Int64) {
	t.Helper()
	count = &atomic.Int64{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		count.Add(1)
	}))
	t.Cleanup(server.Close)
	return server.URL, count
}

// A receiver that wants to be left alone is, for as long as it says and no
// longer than a day; one that asks for less than the schedule gets the schedule.
func TestRetryAfterPutsTheNextAttemptOff(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]time.Duration{
		"3600": time.Hour, "99999999999": 24 * time.Hour, "1": 10 * time.Second, "-5": 10 * time.Second,
		"soon": 10 * time.Second, "": 10 * time.Second,
	} {
		for obeys, want := range map[bool]time.Duration{true: want, false: 10 * time.Second} {
			w := setup(t, plan{voice: voice{obeys: obeys, gaps: []time.Duration{0, 10 * time.Second}}})
			url, _ := answering(t, http.StatusTooManyRequests, "Retry-After", header)
			tenant, _ := w.tenant(t, url)
			w.refund(t, tenant, w.capture(t, tenant), 100)
			w.attempts(t, tenant, 1)
			w.advance(want - time.Microsecond)
			if w.isDue(t) {
				t.Errorf("Retry-After: %s, obeyed %t: it is due before %s", header, obeys, want)
			}
			w.advance(time.Microsecond)
			w.attempts(t, tenant, 2)
		}
	}
}

// A receiver that says it is gone is not told any more.
func TestGoneDisablesTheEndpoint(t *testing.T) {
	t.Parallel()
	w := setup(t, plan{voice: voice{obeys: true, gaps: []time.Duration{0, time.Hour}}})
	url, count := answering(t, http.StatusGone)
	tenant, _ := w.tenant(t, url)
	of := w.capture(t, tenant)
	w.refund(t, tenant, of, 100)
	delivery, _ := w.attempts(t, tenant, 1)
	if delivery.Status != webhook.StatusGivenUp {
		t.Errorf("the delivery is %s", delivery.Status)
	}
	endpoints, err := w.store.Endpoints(t.Context(), tenant)
	if err != nil || len(endpoints) != 1 || !endpoints[0].Disabled {
		t.Errorf("the endpoints are %+v, %v", endpoints, err)
	}
	w.refund(t, tenant, of, 100)
	w.nothingLeft(t)
	if got := count.Load(); got != 1 {
		t.Errorf("it was told %d times", got)
	}
}

// With a key pair every attempt can be verified by who has no secret.
func TestEd25519SignsBesideTheSecrets(t *testing.T) {
	t.Parallel()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	header := webhook.SignStandard(webhook.StandardKeys{
		Secrets: [][]byte{[]byte("the new one"), []byte("the old one")}, Private: private,
	}, webhook.Letter{Delivery: payment.DeliveryID{7}, Sent: began, Body: []byte(`{}`)})
	signatures := strings.Split(header.Get("Webhook-Signature"), " ")
	if len(signatures) != 3 || !strings.HasPrefix(signatures[0], "v1,") || !strings.HasPrefix(signatures[1], "v1,") {
		t.Fatalf("signed %v", signatures)
	}
	raw, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(signatures[2], "v1a,"))
	signed := slices.Concat([]byte(header.Get("Webhook-Id")+"."+header.Get("Webhook-Timestamp")+"."), []byte(`{}`))
	if err != nil || !ed25519.Verify(public, signed, raw) || ed25519.Verify(public, append(signed, ' '), raw) {
		t.Errorf("v1a is %s", signatures[2])
	}
}
