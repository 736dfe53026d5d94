package service_test

import (
	"fmt"
	"net/http"
	"testing"
)

// plan says what happens to the next refunds of a session's payment.
func (w *world) plan(session string, outcomes ...string) {
	w.t.Helper()
	status, answer := w.api(http.MethodPost, "/sandbox/plans",
		object{"match": object{"payment": session}, "outcomes": outcomes})
	if status != http.StatusCreated {
		w.t.Fatalf("plan: %d %v", status, answer)
	}
}

// Examples that need the outside world to behave in a certain way.
func TestExamplesOfOutcomes(t *testing.T) {
	t.Parallel()
	w := start(t, "")
	const brand = "smartglocal"
	request, _ := example(t, brand, "session-init-payment-request")
	part, _ := example(t, brand, "refund-request-partial")

	session := w.paid(brand, request)
	w.plan(session, "PENDING")
	w.signed(brand, "session/refund", withSession(part, session))
	ask, _ := example(t, brand, "session-status-request")
	_, answer := w.signed(brand, "session/status", withSession(ask, session))
	_, wanted := example(t, brand, "session-status-response-refunding")
	like(t, "refunding", answer, wanted)

	session = w.paid(brand, request)
	w.plan(session, "DECLINED")
	w.signed(brand, "session/refund", withSession(part, session))
	_, wanted = example(t, brand, "webhook-payment-refunded-declined")
	like(t, "declined", w.refundTold(brand, session).body, wanted)

	session = w.paid(brand, request)
	w.plan(session, "SUCCEEDED", "DECLINED")
	w.signed(brand, "session/refund", withSession(part, session))
	w.refundTold(brand, session)
	w.signed(brand, "session/refund",
		fmt.Sprintf(`{"session_id":"%s","amount_details":{"amount":9000,"currency":"usd"}}`, session))
	eventually(t, "the second ends", func() bool {
		_, answer = w.signed(brand, "session/status", withSession(ask, session))
		return at(answer, "session.status") == "accepted"
	})
	_, wanted = example(t, brand, "session-status-response-refunded")
	like(t, "refunded", answer, wanted)

	w.playSecondPartial(request)
}

// playSecondPartial refunds a payment in two parts, as the example has them.
func (w *world) playSecondPartial(request string) {
	const brand = "smartglocal"
	_, wanted := example(w.t, brand, "webhook-payment-refunded-second-partial")
	session := w.paid(brand, request)
	for n := range 2 {
		refund := at(wanted, fmt.Sprintf("session.acquiring_payments.0.refunds.%d", n)).(object)
		body := fmt.Sprintf(`{"session_id":"%s","amount_details":{"amount":%v,"currency":"usd"}`, session,
			at(refund, "amount_details.amount"))
		if refund["metadata"] != nil {
			body += `,"metadata":{"refundry_refund_id":"` + fmt.Sprint(at(refund, "metadata.refundry_refund_id")) + `"}`
		}
		if status, answer := w.signed(brand, "session/refund", body+"}"); status != http.StatusOK {
			w.t.Fatalf("part %d: %d %v", n+1, status, answer)
		}
		eventually(w.t, "the part is told", func() bool {
			_, now := w.signed(brand, "session/status", `{"session_id":"`+session+`"}`)
			return at(now, "session.status") == "accepted"
		})
	}
	var last webhook
	eventually(w.t, "both parts are told", func() bool {
		count := 0
		for _, came := range w.receiver.list("/" + brand) {
			if came.body["type"] == "payment_refunded" && at(came.body, "session.id") == session {
				count, last = count+1, came
			}
		}
		return count == 2
	})
	like(w.t, "second part", last.body, wanted)
}
