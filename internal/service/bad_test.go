package service_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// Whatever a refund is asked for with, the answer is the protocol's own, and
// a refused one has no effect.
func TestBadRefunds(t *testing.T) {
	t.Parallel()
	w := start(t, "")
	request, _ := example(t, "smartglocal", "session-init-payment-request")
	session := w.paid("smartglocal", request)
	other := start(t, "")
	foreign := other.paid("smartglocal", request)
	amount := func(value string) string {
		return `{"session_id":"` + session + `","amount_details":{"amount":` + value + `,"currency":"usd"}}`
	}
	details := func(value string) string { return `{"session_id":"` + session + `","amount_details":` + value + `}` }
	for _, body := range []string{
		`{`, ``, `null`, `1`, `"x"`, `[1]`, `{"session_id":1}`, `{"session_id":null}`, `{}`, `[]`,
		`{"session_id":"` + foreign + `"}`, `{"session_id":"ps_1"}`, `{"session_id":"pm_1"}`, `{"session_id":"ps_x"}`,
		`{"session_id":"` + session + `","session_id":"` + session + `"}`, `{"session_id":"\u0000"}`,
		amount("0"), amount("-1"), amount("null"), amount(`""`), amount(`"100"`), amount("1e2"), amount("10.5"),
		amount("9223372036854775807"), amount("9223372036854775808"), amount("10001"), amount("true"), amount("[]"),
		details("{}"), details("[]"), details(`{"amount":1}`), details(`{"currency":"usd"}`), details(`"x"`),
		details(`{"amount":1,"currency":"eur"}`), details(`{"amount":1,"currency":"xxx"}`),
		details(`{"amount":1,"currency":1}`),
		`{"session_id":"` + session + `","metadata":"` + strings.Repeat("x", 17<<10) + `"}`,
		`{"session_id":"` + session + `","metadata":"card 4242 4242 4242 4242"}`,
	} {
		status, answer := w.signed("smartglocal", "session/refund", body)
		if status != http.StatusBadRequest || at(answer, "error.code") != "invalid_request" {
			t.Errorf("%.80s: %d %v", body, status, answer)
		}
		if strings.Contains(fmt.Sprint(answer), "4242") {
			t.Errorf("%.80s: it is repeated", body)
		}
	}
	huge := `{"session_id":"` + session + `","x":"` + strings.Repeat("x", 257<<10) + `"}`
	if status, _ := w.signed("smartglocal", "session/refund", huge); status != http.StatusRequestEntityTooLarge {
		t.Errorf("a huge body: %d", status)
	}
	unknown, _ := w.signed("smartglocal", "token", "{}")
	if unknown != http.StatusNotFound {
		t.Errorf("an unknown method: %d", unknown)
	}
	_, now := w.signed("smartglocal", "session/status", `{"session_id":"`+session+`"}`)
	if list := at(now, "session.acquiring_payments.0.refunds").([]any); len(list) != 0 {
		t.Errorf("a refused refund has an effect: %v", list)
	}
	if status, _ := w.signed("smartglocal", "session/refund/", amount("1")); status != http.StatusOK {
		t.Errorf("a trailing slash: %d", status)
	}
	w.clean()
}

// Rules and switches of refunds, each in the words of the protocol.
func TestRefundRules(t *testing.T) {
	onBoth(t, func(t *testing.T, database string) {
		w := start(t, database)
		request, _ := example(t, "pike", "session-init-payment-request")
		refund := func(session, more string, header ...string) (int, any) {
			status, answer := w.signed("pike", "session/refund", `{"session_id":"`+session+`"`+more+`}`, header...)
			return status, at(answer, "error.code")
		}
		part := func(amount int) string {
			return fmt.Sprintf(`,"amount_details":{"amount":%d,"currency":"rub"}`, amount)
		}
		expect := func(what string, status int, code any, wantStatus int, wantCode any) {
			t.Helper()
			if status != wantStatus || code != wantCode {
				t.Errorf("%s: %d %v, want %d %v", what, status, code, wantStatus, wantCode)
			}
		}
		session := w.paid("pike", request)
		status, code := refund(session, part(9003)) // stays pending
		expect("the first", status, code, 200, nil)
		status, code = refund(session, part(10))
		expect("one beside it", status, code, 400, "invalid_request")
		w.set("pike.parallel_refunds", true)
		eventually(t, "the switch is seen", func() bool {
			status, _ := refund(session, part(10))
			return status == http.StatusOK
		})
		w.set("pike.parallel_refunds", false)

		session = w.paid("pike", request)
		status, code = refund(session, part(100), "X-PARTNER-IDEMPOTENCY-KEY", "once")
		expect("with a key", status, code, 200, nil)
		status, code = refund(session, part(100), "X-PARTNER-IDEMPOTENCY-KEY", "once")
		expect("the key again", status, code, 400, "idempotency_key_already_exists")
		status, code = refund(session, `,"amount_details":{}`, "X-PARTNER-IDEMPOTENCY-KEY", "once")
		expect("the key with a malformed body", status, code, 400, "idempotency_key_already_exists")
		status, code = refund(session, part(100), "X-PARTNER-IDEMPOTENCY-KEY", "")
		expect("an empty key", status, code, 400, "invalid_request")
		w.refundTold("pike", session)
		status, code = refund(session, part(99999), "X-PARTNER-IDEMPOTENCY-KEY", "freed")
		expect("too much, with a key", status, code, 400, "invalid_request")
		status, code = refund(session, part(100), "X-PARTNER-IDEMPOTENCY-KEY", "freed")
		expect("a key that a refusal has freed", status, code, 200, nil)
		eventually(t, "it ends", func() bool {
			_, now := w.signed("pike", "session/status", `{"session_id":"`+session+`"}`)
			return at(now, "session.status") == "accepted"
		})
		status, code = refund(session, "")
		expect("everything after a part", status, code, 400, "invalid_request")
		w.set("pike.full_refund_after_partial", "remainder")
		eventually(t, "the rest is given back", func() bool {
			status, _ := refund(session, "")
			return status == http.StatusOK
		})
		eventually(t, "all is given back", func() bool {
			_, now := w.api(http.MethodGet, "/v1/payments/"+paymentOf(session), nil)
			return now["refunded"] == 10000.0
		})
		w.clean()
	})
}

// Webhooks come again on the documented schedule, with the same bytes, and are
// given up after the last.
func TestWebhookSchedule(t *testing.T) {
	t.Parallel()
	w := start(t, "")
	request, _ := example(t, "smartglocal", "session-init-payment-request")
	w.receiver.answers(func(came webhook) int {
		if came.path == "/smartglocal" {
			return http.StatusInternalServerError
		}
		return http.StatusOK
	})
	session := w.paid("smartglocal", request)
	w.signed("smartglocal", "session/refund", `{"session_id":"`+session+`"}`)
	for n, gap := range []string{"0s", "15s", "30s", "60s", "120s", "240s", "480s", "855s"} {
		if n > 0 {
			w.advance(gap)
		}
		eventually(t, fmt.Sprintf("attempt %d", n+1), func() bool { return len(w.receiver.list("/smartglocal")) >= n+1 })
	}
	first := w.receiver.list("/smartglocal")[0]
	for _, again := range w.receiver.list("/smartglocal")[1:8] {
		if string(again.raw) != string(first.raw) || again.header.Get("X-Partner-Sign") != first.header.Get("X-Partner-Sign") {
			t.Error("an attempt has other bytes than the first")
		}
	}
	eventually(t, "the first is given up and the next goes out", func() bool {
		list := w.receiver.list("/smartglocal")
		return list[len(list)-1].body["type"] == "payment_refunded"
	})
	_, answer := w.operate(http.MethodGet, "/v1/deliveries?status=given_up", nil)
	if got := at(answer, "deliveries.0.attempts"); got != 8.0 {
		t.Errorf("given up after %v attempts", got)
	}
}

// A payment that was made elsewhere is refunded under the id it has there, and
// a payment made here at every door.
func TestPaymentsMadeElsewhere(t *testing.T) {
	t.Parallel()
	w := start(t, "")
	_, answer := w.operate(http.MethodPost, "/v1/payments/import", object{
		"amount": 10000, "currency": "USD", "home": "smartglocal", "session": "ps_3230", "payment_id": "pm_2705",
		"captured_at": "2024-05-27T02:03:04.125Z", "created_at": "2024-05-27T02:03:00Z", "country": "US",
		"metadata": object{"order": 1}, "method": object{"type": "card", "brand": "visa", "last4": "4242"},
		"document": object{"customer": object{"reference": "buyer-77"}, "bin": "424242"},
	})
	if answer["id"] == nil {
		t.Fatalf("import: %v", answer)
	}
	full, _ := example(t, "smartglocal", "refund-request-full")
	status, answer := w.signed("smartglocal", "session/refund", full)
	if status != http.StatusOK || at(answer, "session.id") != "ps_3230" ||
		at(answer, "session.acquiring_payments.0.id") != "pm_2705" {
		t.Fatalf("refund: %d %v", status, answer)
	}
	told := w.refundTold("smartglocal", "ps_3230")
	if at(told.body, "session.acquiring_payments.0.refunds.0.status") != "accepted" {
		t.Errorf("told: %v", told.body)
	}
	for _, came := range w.receiver.list("/smartglocal") {
		if came.body["type"] == "payment_finished" {
			t.Error("an imported payment is told of as if it were new")
		}
	}
	_, paid := w.api(http.MethodPost, "/v1/payments", object{"amount": 500, "currency": "EUR"})
	session := "ps_" + decimalOf(t, paid["id"].(string))
	status, answer = w.signed("pike", "session/refund",
		`{"session_id":"`+session+`","amount_details":{"amount":200,"currency":"EUR"}}`)
	if status != http.StatusOK || at(answer, "session.acquiring_payments.0.refunds.0.amount_details.currency") != "eur" {
		t.Errorf("refund of a payment made at the own API: %d %v", status, answer)
	}
	w.refundTold("pike", session)
	w.clean()
}
