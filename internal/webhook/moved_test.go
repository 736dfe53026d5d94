package webhook_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/refundry/refundry/internal/auth"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/webhook"
)

// move gives an endpoint another URL.
func (w *world) move(t *testing.T, tenant payment.TenantID, endpoint payment.EndpointID, url string) {
	t.Helper()
	if _, err := w.auth.ChangeEndpoint(t.Context(), by, tenant, endpoint, func(e *auth.Endpoint) error {
		e.URL = url
		return nil
	}); err != nil {
		t.Error(err)
	}
}

// An endpoint that has moved is told at its new place: what waits, and what is
// sent again. Its old one is not called any more.
func TestMovedEndpointIsToldAtItsNewPlace(t *testing.T) {
	t.Parallel()
	w := setup(t, plan{voice: hopeful(2), runsNo: true})
	old, oldCount := answering(t, http.StatusInternalServerError)
	next, nextCount := answering(t, http.StatusOK)
	tenant, endpoints := w.tenant(t, old)
	w.refund(t, tenant, w.capture(t, tenant), 100)
	w.tellAll(t)
	w.move(t, tenant, endpoints[0], next)
	w.advance(day)
	w.tellAll(t)
	d := w.deliveries(t, tenant)[0]
	if d.Status != webhook.StatusDelivered || d.URL != next {
		t.Errorf("%s at %s", d.Status, d.URL)
	}
	if err := w.store.Resend(t.Context(), tenant, d.ID); err != nil {
		t.Fatal(err)
	}
	w.tellAll(t)
	if oldCount.Load() != 1 || nextCount.Load() != 2 {
		t.Errorf("called %d times at the old place, %d at the new one", oldCount.Load(), nextCount.Load())
	}
}

// Whatever the old place answers while the endpoint moves says nothing about the new one.
func TestMovedEndpointIsNotDisabledForItsOldPlace(t *testing.T) {
	t.Parallel()
	for _, status := range []int{http.StatusGone, http.StatusInternalServerError} {
		v := hopeful(2)
		v.obeys = true
		w := setup(t, plan{voice: v, runsNo: true})
		next, count := answering(t, http.StatusOK)
		var tenant payment.TenantID
		var endpoints []payment.EndpointID
		moves := false
		old := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
			if moves { // while the attempt is on its way
				w.move(t, tenant, endpoints[0], next)
				rw.WriteHeader(status)
				return
			}
			rw.WriteHeader(http.StatusInternalServerError)
		}))
		t.Cleanup(old.Close)
		tenant, endpoints = w.tenant(t, old.URL)
		w.refund(t, tenant, w.capture(t, tenant), 100)
		w.tellAll(t)
		w.advance(2 * day)
		moves = true
		w.tellAll(t)
		w.wantDisabled(t, tenant, "")
		w.advance(day)
		w.tellAll(t)
		if d := w.deliveries(t, tenant)[0]; d.Status != webhook.StatusDelivered || count.Load() != 1 {
			t.Errorf("%d: %s, called %d times at the new place", status, d.Status, count.Load())
		}
	}
}

// A decision that was made about the old place comes too late.
func TestDisablingIsAboutTheURLThatWasCalled(t *testing.T) {
	t.Parallel()
	w := setup(t, plan{runsNo: true})
	tenant, endpoints := w.tenant(t, "https://a.example")
	for url, want := range map[string]payment.DisabledFor{"https://b.example": "", "https://a.example": payment.DisabledGone} {
		w.move(t, tenant, endpoints[0], "https://a.example")
		if _, err := w.auth.ChangeEndpoint(t.Context(), by, tenant, endpoints[0], func(e *auth.Endpoint) error {
			e.Disabled = false
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		disabling := payment.Disabling{Reason: payment.DisabledGone, URL: url, Since: time.Time{}}
		if err := w.auth.DisableEndpoint(t.Context(), by, tenant, endpoints[0], disabling); err != nil {
			t.Fatal(err)
		}
		w.wantDisabled(t, tenant, want)
	}
}
