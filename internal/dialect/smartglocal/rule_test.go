package smartglocal_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/refundry/refundry/internal/dialect/smartglocal"
	"github.com/refundry/refundry/internal/payment"
)

const brand = smartglocal.SmartGlocal

// Where several checks fail, the first of section 5.2 is the answer.
func TestRefundChecksAreInOrder(t *testing.T) {
	t.Parallel()
	w := setup(t, brand)
	running, waiting, taken := w.elsewhere(nil), w.begin(brand), w.elsewhere(inAmerica)
	w.call(brand, "session/refund", of(running))
	w.do(payment.OpenDispute{Meta: w.meta(), Payment: w.paymentOf(taken), Kind: payment.DisputeChargeback, Amount: 100})
	w.set("smartglocal.next_day_refund_countries", []string{"US"})
	w.set("smartglocal.partial_refunds_enabled", false)
	used := []string{"X-PARTNER-IDEMPOTENCY-KEY", "used"}
	w.call(brand, "session/refund", of(w.elsewhere(nil)), used...)

	nobody := "ps_" + payment.PaymentID(w.newID()).Decimal()
	ask := func(session, more string) string { return `{"session_id":"` + session + `"` + more + `}` }
	amount := func(value string) string { return `,"amount_details":{"amount":` + value + `,"currency":"usd"}` }
	blank, foreign := `,"amount_details":{}`, `,"amount_details":{"amount":5,"currency":"eur"}`
	for _, test := range []struct {
		body, code, description string
		status                  int
		header                  []string
	}{
		{`{"session_id":7,"amount_details":[]}`, "idempotency_key_already_exists", "already in progress or processed", 400, used},
		{ask(nobody, blank), "idempotency_key_already_exists", "already in progress or processed", 400, used},
		{`{"session_id":7,"amount_details":[]}`, "invalid_request", "session_id must be a string", 400, nil},
		{ask(nobody, blank), "invalid_request", "unknown session_id", 400, nil},
		{ask("ps_3230", blank), "invalid_request", "unknown session_id", 400, nil},
		{ask(running, blank), "invalid_request", "another refund of the session is in progress", 400, nil},
		{ask(waiting, blank), "invalid_request", "session has no payment that can be refunded now", 400, nil},
		{ask(taken, blank), "invalid_request", badAmount, 400, nil},
		{ask(taken, `,"amount_details":{"amount":0,"currency":"eur"}`), "invalid_request", badAmount, 400, nil},
		{ask(taken, foreign), "invalid_request", "amount_details.currency differs from the payment's", 400, nil},
		{ask(taken, `,"amount_details":{"amount":5,"currency":"xyz"}`), "invalid_request",
			"amount_details.currency differs from the payment's", 400, nil},
		{ask(taken, amount("5")), "authorization_error", "partial refunds are not enabled for this project", 403, nil},
		{ask(taken, amount("10000")), "invalid_request", "the payment cannot be refunded yet", 400, nil},
		{ask(taken, ""), "invalid_request", "the payment cannot be refunded yet", 400, nil},
	} {
		got := w.call(brand, "session/refund", test.body, test.header...)
		got.expect(t, test.body, test.status, test.code)
		if got.at("error.description") != test.description {
			t.Errorf("%s: %s, want %q", test.body, got.text, test.description)
		}
	}
	w.set("smartglocal.next_day_refund_countries", []string{})
	for body, description := range map[string]string{
		ask(taken, ""):              "amount_details is required after a partial refund",
		ask(taken, amount("10000")): "amount_details.amount is greater than the refundable amount",
		ask(taken, amount("99999")): "amount_details.amount is greater than the refundable amount",
	} {
		if got := w.call(brand, "session/refund", body); got.at("error.description") != description {
			t.Errorf("%s: %s, want %q", body, got.text, description)
		}
	}
}

const badAmount = "amount_details must have amount, an integer of at least 1, and currency"

// inAmerica makes a payment of Smart Glocal's from a country.
func inAmerica(c *payment.CreatePayment) { c.Country, c.Door = "US", brand.Door() }

// A payment from some countries waits for the next UTC day; every payment for
// no longer than the window.
func TestNextDayAndWindow(t *testing.T) {
	t.Parallel()
	w := setup(t, brand)
	w.set("smartglocal.next_day_refund_countries", []string{"US"})
	w.set("smartglocal.refund_window_days", int64(3))
	american, other := w.elsewhere(inAmerica), w.elsewhere(func(c *payment.CreatePayment) { c.Door = brand.Door() })
	ask := func(session string) reply { return w.call(brand, "session/refund", partOf(brand, session, 1)) }

	ask(other).says(t, "a country that nobody knows", "in_progress", "succeeded")
	w.pass(12*time.Hour - time.Microsecond)
	ask(american).expect(t, "the same day", 400, "invalid_request")
	w.pass(time.Microsecond)
	ask(american).says(t, "from midnight on", "in_progress", "succeeded")
	w.end(w.paymentOf(american), payment.AttemptSucceeded)
	w.pass(60*time.Hour + time.Second)
	ask(american).expect(t, "after the window", 400, "invalid_request")
}

// Less than the whole payment needs a switch; an explicit whole does not.
func TestPartialRefundsAreASwitch(t *testing.T) {
	t.Parallel()
	w := setup(t, smartglocal.SmartGlocal, smartglocal.Pike)
	w.set("smartglocal.partial_refunds_enabled", false)
	for range 2 {
		w.call(brand, "session/refund", partOf(brand, w.paid(brand), 9999)).expect(t, "a part", 403, "authorization_error")
		w.call(brand, "session/refund", partOf(brand, w.paid(brand), 10000)).says(t, "the whole", "in_progress", "succeeded")
		w.call(brand, "session/refund", of(w.paid(brand))).says(t, "everything", "in_progress", "succeeded")
	}
	pike := w.paid(smartglocal.Pike)
	w.call(smartglocal.Pike, "session/refund", partOf(smartglocal.Pike, pike, 1)).says(t, "Pike's", "in_progress", "succeeded")
}

// Everything, after a part, is refused, or is the rest.
func TestFullAfterPartial(t *testing.T) {
	t.Parallel()
	w := setup(t, brand)
	session := w.paid(brand)
	w.call(brand, "session/refund", partOf(brand, session, 4000))
	w.end(w.paymentOf(session), payment.AttemptSucceeded)
	w.call(brand, "session/refund", of(session)).expect(t, "by default", 400, "invalid_request")
	w.call(brand, "session/refund", `{"session_id":"`+session+`","amount_details":null}`).
		expect(t, "null is absent", 400, "invalid_request")

	w.set("smartglocal.full_refund_after_partial", "remainder")
	rest := w.call(brand, "session/refund", of(session))
	if got := rest.at("session.acquiring_payments.0.refunds.1.amount_details.amount"); got != 6000.0 {
		t.Errorf("the rest is %v: %s", got, rest.text)
	}
	w.end(w.paymentOf(session), payment.AttemptSucceeded)
	none := w.call(brand, "session/refund", of(session))
	none.expect(t, "nothing is left", 400, "invalid_request")
	if none.at("error.description") != "session has no payment that can be refunded now" {
		t.Errorf("nothing is left: %s", none.text)
	}

	w.set("smartglocal.require_amount_details", true)
	w.call(brand, "session/refund", of(w.paid(brand))).expect(t, "without an amount", 400, "invalid_request")
	whole := w.paid(brand)
	w.call(brand, "session/refund", partOf(brand, whole, 10000)).says(t, "with one", "in_progress", "succeeded")
}

// Refunds run beside each other only if that is allowed, and never past the payment.
func TestParallelRefundsAreASwitch(t *testing.T) {
	t.Parallel()
	w := setup(t, brand)
	session := w.paid(brand)
	ask := func(amount int) reply { return w.call(brand, "session/refund", partOf(brand, session, amount)) }
	ask(6000).says(t, "the first", "in_progress", "succeeded")
	ask(1).expect(t, "one beside it", 400, "invalid_request")
	w.set("smartglocal.parallel_refunds", true)
	ask(4001).expect(t, "more than is left", 400, "invalid_request")
	ask(4000).says(t, "what is left", "in_progress", "succeeded")
	ask(1).expect(t, "one more", 400, "invalid_request")
}

// A policy's no is the provider's "not enabled".
func TestPoliciesForbid(t *testing.T) {
	t.Parallel()
	for name, value := range map[string]any{
		"policy.maximum_amount": int64(50), "policy.refund_during_dispute": false, "policy.partial_refunds": false,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := setup(t, brand)
			w.set(name, value)
			session := w.paid(brand)
			if name == "policy.refund_during_dispute" {
				w.do(payment.OpenDispute{
					Meta: w.meta(), Payment: w.paymentOf(session), Kind: payment.DisputeChargeback, Amount: 1,
				})
			}
			w.call(brand, "session/refund", partOf(brand, session, 100)).expect(t, name, 403, "authorization_error")
		})
	}
}

// A refund that waits for approval or for its time runs, here.
func TestRefundsThatHaveNotLeftAreInProgress(t *testing.T) {
	t.Parallel()
	for name, value := range map[string]int64{"policy.approval_above": 50, "policy.undo_seconds": 60} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := setup(t, brand)
			w.set(name, value)
			session := w.paid(brand)
			got := w.call(brand, "session/refund", partOf(brand, session, 100))
			got.says(t, name, "in_progress", "succeeded")
			if got.at("session.acquiring_payments.0.refunds.0.status") != "in_progress" {
				t.Errorf("%s", got.text)
			}
		})
	}
}

// A repeat of a key is refused, in one scope per project and method over both
// versions, until a refusal frees it.
func TestKeysAreRefused(t *testing.T) {
	t.Parallel()
	w := setup(t, smartglocal.SmartGlocal, smartglocal.Pike)
	w.set("smartglocal.parallel_refunds", true)
	session := w.paid(brand)
	key := func(value string) []string { return []string{"X-PARTNER-IDEMPOTENCY-KEY", value} }
	ask := func(version, method string, amount int, header []string) reply {
		return w.callAs(version, string(brand), method, partOf(brand, session, amount), header...)
	}
	if got := ask("v1", "session/refund", 1, key("a")); got.status != 200 {
		t.Fatal(got.text)
	}
	for _, version := range []string{"v1", "v2"} {
		ask(version, "session/refund", 1, key("a")).expect(t, "the same", 400, "idempotency_key_already_exists")
		ask(version, "session/refund", 2, key("a")).expect(t, "another body", 400, "idempotency_key_already_exists")
	}
	ask("v1", "session/cancel", 1, key("a")).expect(t, "another method", 400, "invalid_request")
	ask("v1", "session/refund", 99999, key("b")).expect(t, "a refusal", 400, "invalid_request")
	if got := ask("v1", "session/refund", 1, key("b")); got.status != 200 {
		t.Errorf("a refusal frees the key: %s", got.text)
	}
	if got := ask("v1", "session/status", 1, key("a")); got.status != 200 {
		t.Errorf("status ignores keys: %s", got.text)
	}
	pike := w.paid(smartglocal.Pike)
	if got := w.call(smartglocal.Pike, "session/refund", of(pike), key("a")...); got.status != 200 {
		t.Errorf("another project's key: %s", got.text)
	}
	long := fmt.Sprintf("%0255d", 7)
	if got := ask("v1", "session/refund", 1, key(long)); got.status != 200 {
		t.Errorf("255 characters: %s", got.text)
	}
	for _, bad := range []string{"", long + "7", "a b", "schlüssel", "a\tb"} {
		ask("v1", "session/refund", 1, key(bad)).expect(t, "a bad key", 400, "invalid_request")
	}
	ask("v1", "session/refund", 1, append(key("x"), key("y")...)).expect(t, "two keys", 400, "invalid_request")
}

// session/start and session/start/payment are one method, so also for keys.
func TestKeysOfOneMethodWithTwoNames(t *testing.T) {
	t.Parallel()
	w := setup(t, brand)
	begin := func(method string) reply {
		made := w.call(brand, "session/create", initBody(brand))
		return w.call(brand, method, of(made.at("session.id").(string)), "X-PARTNER-IDEMPOTENCY-KEY", "k")
	}
	begin("session/start").says(t, "the first", "in_progress", "in_progress")
	begin("session/start/payment").expect(t, "the second", 400, "idempotency_key_already_exists")
}

// A refund of a session that was made here asks the store nothing.
func TestRefundReadsNothing(t *testing.T) {
	t.Parallel()
	w := setup(t, brand)
	session := w.paid(brand)
	before := w.reader.count.Load()
	w.call(brand, "session/refund", of(session), "X-PARTNER-IDEMPOTENCY-KEY", "k").
		says(t, "refund", "in_progress", "succeeded")
	if after := w.reader.count.Load(); after != before {
		t.Errorf("it asks %d times", after-before)
	}
}
