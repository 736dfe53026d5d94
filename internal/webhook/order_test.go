package webhook_test

import (
	"slices"
	"testing"
	"time"

	"github.com/refundry/refundry/internal/webhook"
)

func TestNextOfAThreadWaitsForTheFirst(t *testing.T) {
	t.Parallel()
	w := setup(t, plan{voice: voice{gaps: []time.Duration{0, time.Second}}})
	slow, quick := newReceiver(t), newReceiver(t)
	tenant, _ := w.tenant(t, slow.url, quick.url)
	of := w.capture(t, tenant)
	for range 3 {
		w.refund(t, tenant, of, 100)
	}

	first := slow.next(t)
	var told []string
	for range 3 {
		told = append(told, quick.answers(t, 200)) // another endpoint has a thread of its own
	}
	slow.none(t)
	if !slices.IsSorted(told) || told[0] != first.body { // their versions differ in one digit
		t.Errorf("told out of order: %v", told)
	}

	first.status <- 500
	w.attempt(t, slow.url, webhook.StatusOpen)
	slow.none(t) // the first will be tried again
	w.advance(time.Second)
	if again := slow.answers(t, 500); again != first.body {
		t.Fatalf("told %s before %s was given up", again, first.body)
	}
	if next := slow.answers(t, 200); next != told[1] {
		t.Errorf("told %s, want %s", next, told[1])
	}
	if next := slow.answers(t, 200); next != told[2] {
		t.Errorf("told %s, want %s", next, told[2])
	}
	w.nothingLeft(t)
}

// attempt waits until a delivery to a URL that was attempted has a status.
func (w *world) attempt(t *testing.T, url string, status webhook.Status) {
	t.Helper()
	tenants, err := w.store.Tenants(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, func() bool {
		return slices.ContainsFunc(w.deliveries(t, tenants[0].ID), func(d webhook.Delivery) bool {
			return d.URL == url && d.Attempts > 0 && d.Status == status
		})
	})
}

func TestSlowReceiverHoldsUpNobodyElse(t *testing.T) {
	t.Parallel()
	const places, events = 2, 20
	w := setup(t, plan{places: places, voice: voice{anyOrder: true}})
	slow, quick := newReceiver(t), newReceiver(t)
	tenant, _ := w.tenant(t, slow.url, quick.url)
	for range events {
		w.refund(t, tenant, w.capture(t, tenant), 100)
	}
	for range events {
		quick.answers(t, 200)
	}
	held := []*call{slow.next(t), slow.next(t)}
	slow.none(t) // it has no more places, and needs none of the others'
	for _, c := range held {
		c.status <- 200
	}
	for range events - places {
		slow.answers(t, 200)
	}
	w.nothingLeft(t)
}
