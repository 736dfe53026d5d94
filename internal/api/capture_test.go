package api_test

import (
	"fmt"
	"strings"
	"testing"
)

// hold records an authorized payment of 1000 and returns its path.
func (w *world) hold(t *testing.T, members string) string {
	t.Helper()
	return "/v1/payments/" + w.call(t, "POST", "/v1/payments",
		`{"amount": 1000, "currency": "EUR", "status": "authorized"`+members+`}`).want(t, 201).string(t, "id")
}

// Captures of an authorized payment are recorded until one is final or nothing is
// left; what cannot be captured is refused with what can.
func TestCapturesAreRecorded(t *testing.T) {
	t.Parallel()
	w := setup(t)
	of := w.hold(t, "")
	capture := func(members string, headers ...string) answer {
		return w.call(t, "POST", of+"/capture", "{"+members+"}", headers...)
	}
	more := capture(`"amount": 1001, "currency": "EUR"`).wantCode(t, 409, "capturable_amount_exceeded")
	if more.number(t, "capturable") != 1000 || more.string(t, "currency") != "EUR" || more.body["refundable"] != nil {
		t.Errorf("got %s", more.text)
	}
	capture(`"amount": 300, "currency": "USD"`).wantCode(t, 422, "currency_mismatch")
	if got := w.call(t, "GET", of, "").want(t, 200); got.number(t, "captured") != 0 || got.body["captures"] != nil {
		t.Errorf("what was refused is recorded: %s", got.text)
	}
	first := capture(`"amount": 300, "currency": "EUR"`, "Idempotency-Key: a").want(t, 200)
	again := capture(`"amount": 300, "currency": "EUR"`, "Idempotency-Key: a").want(t, 200)
	if again.text != first.text || again.header.Get("Idempotent-Replayed") != "true" {
		t.Errorf("again it is %s, at first %s", again.text, first.text)
	}
	capture(`"amount": 300, "currency": "EUR", "final": true`, "Idempotency-Key: a").wantCode(t, 422, "idempotency_key_reused")
	last := capture(`"amount": 500, "currency": "EUR", "final": true`).want(t, 200)
	if last.number(t, "captured") != 800 || last.number(t, "refundable") != 800 || strings.Count(last.text, `"status":"settled"`) != 2 ||
		!strings.Contains(last.text, `"amount":300,"status":"settled","is_final":false`) ||
		!strings.Contains(last.text, `"amount":500,"status":"settled","is_final":true`) {
		t.Errorf("got %s", last.text)
	}
	capture(`"amount": 1, "currency": "EUR"`).wantCode(t, 409, "wrong_status")
	w.call(t, "POST", of+"/cancel", "").wantCode(t, 409, "wrong_status")
	listed := w.call(t, "GET", "/v1/payments?limit=1", "").want(t, 200)
	if !strings.Contains(listed.text, `"is_final":true`) {
		t.Errorf("a list shows no captures: %s", listed.text)
	}
}

// An authorization that was given up is canceled once, and nothing is captured of it.
func TestCancelsAreRecorded(t *testing.T) {
	t.Parallel()
	w := setup(t)
	of := w.hold(t, "")
	gone := w.call(t, "POST", of+"/cancel", "", "Idempotency-Key: a").want(t, 200)
	if gone.string(t, "status") != "canceled" || gone.number(t, "captured") != 0 {
		t.Errorf("got %s", gone.text)
	}
	if again := w.call(t, "POST", of+"/cancel", "", "Idempotency-Key: a").want(t, 200); again.text != gone.text {
		t.Errorf("again it is %s", again.text)
	}
	w.call(t, "POST", of+"/cancel", "").wantCode(t, 409, "wrong_status")
	w.call(t, "POST", of+"/capture", `{"amount": 1, "currency": "EUR"}`).wantCode(t, 409, "wrong_status")
	if events := w.call(t, "GET", "/v1/events", "").want(t, 200); strings.Count(events.text, `"payment.canceled"`) != 1 {
		t.Errorf("it is told otherwise than once: %s", events.text)
	}
}

// A payment is of the connector that it names, if there is one; whether its
// refunds are cut by captures follows from that, for imports too.
func TestConnectorsArePaymentsOwn(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.call(t, "POST", "/v1/payments", `{"amount": 1, "currency": "EUR", "connector": "nobody"}`).wantCode(t, 422, "invalid_request")
	body := `{"amount": 1000, "currency": "EUR"%s}`
	plain := w.call(t, "POST", "/v1/payments", fmt.Sprintf(body, ""), "Idempotency-Key: a").want(t, 201)
	named := w.call(t, "POST", "/v1/payments", fmt.Sprintf(body, `, "connector": "sandbox"`), "Idempotency-Key: a").want(t, 201)
	if plain.text != named.text || plain.string(t, "connector") != "sandbox" {
		t.Errorf("the first connector, named: %s", named.text)
	}
	w.call(t, "POST", "/v1/payments", fmt.Sprintf(body, `, "connector": "sandbox_captures"`), "Idempotency-Key: a").
		wantCode(t, 422, "idempotency_key_reused")
	for _, of := range []string{w.hold(t, `, "connector": "sandbox_captures"`), "/v1/payments/" + w.imported(t, "sandbox_captures")} {
		for _, amount := range []int{300, 700} {
			w.call(t, "POST", of+"/capture", fmt.Sprintf(`{"amount": %d, "currency": "EUR"}`, amount)).want(t, 200)
		}
		id := strings.TrimPrefix(of, "/v1/payments/")
		opened := w.call(t, "POST", "/v1/refunds", fmt.Sprintf(`{"payment": %q, "full": true}`, id)).want(t, 201)
		if others, _ := opened.body["group_refunds"].([]any); len(others) != 1 || opened.number(t, "amount") != 300 {
			t.Errorf("a refund over two captures: %s", opened.text)
		}
	}
}

// A case is named by its processor: two processors may call theirs alike.
func TestCasesAreTheConnectors(t *testing.T) {
	t.Parallel()
	w := setup(t)
	seen := map[string]bool{}
	for _, connector := range []string{"sandbox", "sandbox_captures", "sandbox"} {
		of := w.call(t, "POST", "/v1/payments", fmt.Sprintf(`{"amount": 100, "currency": "EUR", "connector": %q}`, connector)).
			want(t, 201).string(t, "id")
		got := w.operate(t, "POST", "/v1/disputes", fmt.Sprintf(`{"payment": %q, "amount": 100, "processor_ref": "case-1"}`, of))
		if isNew := !seen[connector]; isNew != (got.status == 201) {
			t.Errorf("at %s: %d %s", connector, got.status, got.text)
		}
		seen[connector] = true
	}
}

// imported imports an authorized payment of 1000 of a connector.
func (w *world) imported(t *testing.T, connector string) string {
	t.Helper()
	line := w.operate(t, "POST", "/v1/payments/import",
		fmt.Sprintf(`{"amount": 1000, "currency": "EUR", "status": "authorized", "connector": %q}`, connector)).want(t, 200)
	return line.string(t, "id")
}
