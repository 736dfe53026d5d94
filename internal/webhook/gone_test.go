package webhook_test

import (
	"testing"
	"time"

	"github.com/refundry/refundry/internal/auth"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/webhook"
)

func TestRemovedEndpointCancelsItsDeliveries(t *testing.T) {
	t.Parallel()
	w, r := setup(t, plan{voice: retrying()}), newReceiver(t)
	tenant, endpoints := w.tenant(t, r.url)
	of := w.capture(t, tenant)
	w.refund(t, tenant, of, 100)
	w.refund(t, tenant, of, 100) // waits for the first
	r.answers(t, 500)
	eventually(t, func() bool { return w.deliveries(t, tenant)[1].Attempts == 1 })
	if err := w.auth.RemoveEndpoint(t.Context(), auth.By{Actor: "operator:test"}, tenant, endpoints[0]); err != nil {
		t.Fatal(err)
	}
	w.advance(retried)
	w.nothingLeft(t)
	for _, d := range w.deliveries(t, tenant) {
		if d.Status != webhook.StatusCanceled || d.EndedAt != w.now() {
			t.Errorf("delivery %+v", d)
		}
	}
	r.none(t)
}

func TestDisabledEndpointCancelsItsDeliveries(t *testing.T) {
	t.Parallel()
	w, r := setup(t, plan{voice: retrying()}), newReceiver(t)
	tenant, _ := w.tenant(t, r.url)
	w.refund(t, tenant, w.capture(t, tenant), 100)
	r.answers(t, 500)
	w.attempts(t, tenant, 1)
	endpoints, err := w.store.Endpoints(t.Context(), tenant)
	if err != nil {
		t.Fatal(err)
	}
	endpoints[0].Disabled = true
	if err := w.store.Change(t.Context(), auth.Change{Of: tenant, Endpoints: endpoints}); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() bool { // what is remembered is soon forgotten
		tenant, err := w.auth.Tenant(t.Context(), tenant)
		return err == nil && tenant.Endpoints[0].Disabled
	})
	w.advance(retried)
	w.nothingLeft(t)
	if d, _ := w.attempts(t, tenant, 1); d.Status != webhook.StatusCanceled {
		t.Errorf("delivery %+v", d)
	}
	r.none(t)
}

func TestEndpointNewerThanWhatIsRememberedIsTold(t *testing.T) {
	t.Parallel()
	old := func(tenant *payment.Tenant) *payment.Tenant {
		return &payment.Tenant{ID: tenant.ID, Name: tenant.Name, Settings: tenant.Settings}
	}
	w, r := setup(t, plan{rememberedFor: old}), newReceiver(t)
	tenant, _ := w.tenant(t, r.url)
	w.refund(t, tenant, w.capture(t, tenant), 100)
	r.answers(t, 200)
	if d, _ := w.attempts(t, tenant, 1); d.Status != webhook.StatusDelivered {
		t.Errorf("delivery %+v", d)
	}
}

func TestCallStartsOnlyWithTimeLeftOnTheLease(t *testing.T) {
	t.Parallel()
	v := retrying()
	v.timeout = time.Minute
	w, r := setup(t, plan{runsNo: true, voice: v, leaseLeft: time.Minute}), newReceiver(t)
	tenant, _ := w.tenant(t, r.url)
	w.refund(t, tenant, w.capture(t, tenant), 100)
	jobs := w.claim(t, lease)
	verdict, err := w.teller.Handle(t.Context(), jobs[0])
	if err != nil {
		t.Fatal(err)
	}
	wantAgain(t, verdict, w.now())
	r.none(t)
}
