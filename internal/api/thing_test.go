package api_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/webhook"
)

// makers make the things that examples are about, by what stands for their ids.
var makers = map[string]func(t *testing.T, w *world) string{
	"$DECLINED":   makeDeclined,
	"$REVIEWED":   makeReviewed,
	"$PAYMENT":    makePayment,
	"$AUTHORIZED": makeAuthorized,
	"$SCHEDULED":  makeScheduled,
	"$WAITING":    makeWaiting,
	"$DISPUTE":    makeDispute,
	"$ENDPOINT":   makeEndpoint,
	"$DELIVERY":   makeDelivery,
	"$KEY":        makeKey,
	"$BATCH":      makeBatch,
	"$TENANT":     makeTenant,
	"$READY":      makeReady,
	"$RUNNING":    makeRunning,
	"$PAUSED":     makePaused,
	"$DONE":       makeDone,
	"$PERSON":     makePerson,
}

func makePayment(t *testing.T, w *world) string {
	t.Helper()
	return w.call(t, "POST", "/v1/payments", `{
		"amount": 8900, "currency": "EUR", "reference": "order-1001", "items": [
		{"name": "Wool hat", "quantity": 2, "unit_amount": 2450, "tax_rate": "19", "tax": 782},
		{"name": "Silk tie", "unit_amount": 4000}]}`).want(t, 201).string(t, "id")
}

// makeAuthorized makes a payment of which nothing was captured.
func makeAuthorized(t *testing.T, w *world) string {
	t.Helper()
	return w.call(t, "POST", "/v1/payments", `{"amount": 8900, "currency": "EUR", "status": "authorized", "reference": "order-1002"}`).
		want(t, 201).string(t, "id")
}

// makeScheduled makes a refund that has not left.
func makeScheduled(t *testing.T, w *world) string {
	t.Helper()
	return w.call(t, "POST", "/v1/refunds", fmt.Sprintf(`{"payment": %q, "amount": 2450, "currency": "EUR", "not_before": %q}`,
		makePayment(t, w), w.now().Add(time.Hour).Format(time.RFC3339))).want(t, 201).string(t, "id")
}

// makeWaiting makes a refund that waits for approval, which another key has
// asked for.
func makeWaiting(t *testing.T, w *world) string {
	t.Helper()
	w.operate(t, "PATCH", "/v1/settings", `{"policy.approval_above": 1}`).want(t, 200)
	id := w.operate(t, "POST", "/v1/refunds", fmt.Sprintf(`{"payment": %q, "amount": 2450, "currency": "EUR"}`,
		makePayment(t, w))).want(t, 201).string(t, "id")
	w.operate(t, "PATCH", "/v1/settings", `{"policy.approval_above": null}`).want(t, 200)
	return id
}

// makePerson makes a person known: one on whose behalf a payment was made.
func makePerson(t *testing.T, w *world) string {
	t.Helper()
	w.call(t, "POST", "/v1/payments", `{"amount": 8900, "currency": "EUR"}`, "Refundry-User: anna@shop.example").want(t, 201)
	list := w.call(t, "GET", "/v1/audit?kind=payment&user=anna@shop.example&limit=1", "").want(t, 200)
	entries, _ := list.body["entries"].([]any)
	if len(entries) == 0 {
		t.Fatalf("the person is not in the trail: %s", list.text)
	}
	entry, _ := entries[0].(map[string]any)
	return fmt.Sprint(entry["person"])
}

func makeDispute(t *testing.T, w *world) string {
	t.Helper()
	dispute, _ := w.operate(t, "POST", "/v1/disputes", fmt.Sprintf(`{"payment": %q, "amount": 4000}`, makePayment(t, w))).
		want(t, 201).body["dispute"].(map[string]any)
	return fmt.Sprint(dispute["id"])
}

func makeEndpoint(t *testing.T, w *world) string {
	t.Helper()
	return w.call(t, "POST", "/v1/endpoints", fmt.Sprintf(`{"url": %q, "kinds": ["dispute.won"]}`, w.hear)).
		want(t, 201).string(t, "id")
}

// makeDelivery makes a delivery that has ended.
func makeDelivery(t *testing.T, w *world) string {
	t.Helper()
	id := w.call(t, "POST", "/v1/endpoints/"+makeEndpoint(t, w)+"/test", "").want(t, 202).string(t, "id")
	if w.store == nil { // somebody runs jobs
		eventually(t, "the delivery ends", func() bool {
			return w.call(t, "GET", "/v1/deliveries/"+id, "").want(t, 200).string(t, "status") != "open"
		})
		return id
	}
	var of payment.DeliveryID
	if err := of.Parse(id); err != nil {
		t.Fatal(err)
	}
	delivery, err := w.store.Delivery(t.Context(), w.tenant, of)
	if err != nil {
		t.Fatal(err)
	}
	delivery.Status, delivery.Attempts, delivery.FirstAt, delivery.EndedAt = webhook.StatusDelivered, 1, w.now(), w.now()
	delivery.Body = []byte(`{"type": "endpoint.tried"}`)
	if err := w.store.Attempted(t.Context(), []webhook.Result{{
		Delivery: delivery, Attempt: webhook.Attempt{Number: 1, At: w.now(), Took: 42 * time.Millisecond, StatusCode: 204},
	}}); err != nil {
		t.Fatal(err)
	}
	return id
}

func makeKey(t *testing.T, w *world) string {
	t.Helper()
	return w.operate(t, "POST", "/v1/keys", `{"name": "till"}`).want(t, 201).string(t, "id")
}

func makeTenant(t *testing.T, w *world) string {
	t.Helper()
	return send(t, w.operator, "POST", "/v1/tenants", fmt.Sprintf(`{"name": "till %d"}`, w.tills.Add(1))).want(t, 201).string(t, "id")
}

// fill puts fresh things in the place of what stands for them, and returns
// their ids.
func (w *world) fill(t *testing.T, text string) (filled string, ids map[string]string) {
	t.Helper()
	ids = map[string]string{}
	for _, variable := range slices.Sorted(maps.Keys(makers)) {
		if strings.Contains(text, variable) {
			ids[variable] = makers[variable](t, w)
			text = strings.ReplaceAll(text, variable, ids[variable])
		}
	}
	return text, ids
}

// eventually ends the test if something does not become true.
func eventually(t *testing.T, what string, isSo func() bool) {
	t.Helper()
	deadline, tick := time.NewTimer(30*time.Second), time.NewTicker(5*time.Millisecond)
	defer deadline.Stop()
	defer tick.Stop()
	for !isSo() {
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatalf("never: %s", what)
		}
	}
}
