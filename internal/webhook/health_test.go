package webhook_test

import (
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/refundry/refundry/internal/auth"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/webhook"
)

const day = 24 * time.Hour

// hopeful is a voice that waits for days, and tries every day.
func hopeful(days int) voice {
	gaps := []time.Duration{0}
	for i := 1; i < 30; i++ {
		gaps = append(gaps, time.Duration(i)*day)
	}
	return voice{gaps: gaps, patience: time.Duration(days) * day, anyOrder: true}
}

// wantDisabled fails the test unless the tenant's endpoint is so.
func (w *world) wantDisabled(t *testing.T, tenant payment.TenantID, reason payment.DisabledFor) {
	t.Helper()
	endpoints, err := w.store.Endpoints(t.Context(), tenant)
	if err != nil || len(endpoints) != 1 {
		t.Fatalf("endpoints %+v: %v", endpoints, err)
	}
	if endpoints[0].Disabled != (reason != "") || endpoints[0].DisabledFor != reason {
		t.Errorf("disabled %t for %q, want %q", endpoints[0].Disabled, endpoints[0].DisabledFor, reason)
	}
}

// tellAll makes one attempt of everything that is due.
func (w *world) tellAll(t *testing.T) {
	t.Helper()
	for _, j := range w.claim(t, lease) {
		if _, err := w.teller.Handle(t.Context(), j); err != nil {
			t.Fatal(err)
		}
	}
}

// An endpoint to which nothing can be delivered for days is disabled, not a
// moment earlier.
func TestEndpointThatFailsForTooLongIsDisabled(t *testing.T) {
	t.Parallel()
	w := setup(t, plan{voice: hopeful(2), runsNo: true})
	url, _ := answering(t, http.StatusInternalServerError)
	tenant, _ := w.tenant(t, url)
	of := w.capture(t, tenant)
	w.refund(t, tenant, of, 100)
	w.tellAll(t)
	w.advance(2*day - time.Microsecond)
	w.tellAll(t)
	w.wantDisabled(t, tenant, "")
	w.advance(time.Microsecond)
	w.refund(t, tenant, of, 100)
	w.tellAll(t)
	w.wantDisabled(t, tenant, payment.DisabledFailing)
	w.advance(2 * day)
	w.tellAll(t)
	for _, d := range w.deliveries(t, tenant) {
		if d.Status != webhook.StatusCanceled {
			t.Errorf("delivery %+v", d)
		}
	}
}

// Whatever arrives meanwhile, the days begin anew. Without patience they never end.
func TestEndpointThatIsReachedNowAndThenIsNotDisabled(t *testing.T) {
	t.Parallel()
	for days, status := range map[int]int{2: http.StatusOK, 0: http.StatusInternalServerError} {
		w := setup(t, plan{voice: hopeful(days), runsNo: true})
		var answer atomic.Int64
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(int(answer.Load()))
		}))
		t.Cleanup(server.Close)
		tenant, _ := w.tenant(t, server.URL)
		of := w.capture(t, tenant)
		for _, status := range []int{http.StatusInternalServerError, status, http.StatusInternalServerError} {
			answer.Store(int64(status))
			w.refund(t, tenant, of, 100)
			w.tellAll(t)
			w.advance(day)
		}
		w.wantDisabled(t, tenant, "")
		w.tellAll(t)
		w.wantDisabled(t, tenant, "")
	}
}

// Of two replicas that see at once that an endpoint fails for too long, one
// disables it. One that sees it late, when it was enabled again, does not.
func TestEndpointIsDisabledOnce(t *testing.T) {
	t.Parallel()
	w := setup(t, plan{voice: hopeful(2), runsNo: true})
	url, _ := answering(t, http.StatusInternalServerError)
	tenant, endpoints := w.tenant(t, url)
	w.refund(t, tenant, w.capture(t, tenant), 100)
	w.tellAll(t)
	health, err := w.store.Health(t.Context(), tenant, endpoints[0])
	if err != nil || !health.FailingSince.Equal(began) {
		t.Fatalf("health %+v: %v", health, err)
	}
	disable := func() {
		disabling := payment.Disabling{Reason: payment.DisabledFailing, URL: url, Since: health.FailingSince}
		if err := w.auth.DisableEndpoint(t.Context(), by, tenant, endpoints[0], disabling); err != nil {
			t.Error(err)
		}
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		disable()
	}()
	disable()
	<-done
	changes := 0
	events, err := w.store.Events(t.Context(), tenant, payment.Cursor{}, 100)
	if err != nil {
		t.Fatal(err)
	}
	for _, event := range events {
		if event.Kind == auth.EventEndpointChanged {
			changes++
		}
	}
	if changes != 1 {
		t.Errorf("it was disabled %d times", changes)
	}
	if _, err := w.auth.ChangeEndpoint(t.Context(), by, tenant, endpoints[0], func(e *auth.Endpoint) error {
		e.Disabled = false
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	disable()
	w.wantDisabled(t, tenant, "")
}
