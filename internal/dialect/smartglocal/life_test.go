package smartglocal_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/refundry/refundry/internal/dialect/smartglocal"
	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/payment"
)

// currencyOf is what the brand's payments are made in.
var currencyOf = map[smartglocal.Brand]string{smartglocal.SmartGlocal: "usd", smartglocal.Pike: "rub"}

const cardDetails = `{"type":"card","card":{"type":"bank_card","bank_card":{"number":"4242424242424242",` +
	`"expiration_month":"05","expiration_year":"25","security_code":"987"}}}`

// initBody asks for a payment of 10000.
func initBody(brand smartglocal.Brand) string {
	return `{"payment_details":` + cardDetails + `,"amount_details":{"amount":10000,"currency":"` + currencyOf[brand] +
		`"},"customer":{"reference":"buyer-77"},"payment_options":{"return_url":"https://m.example/?a=1&b=2"},` +
		`"metadata":"order&123"}`
}

func of(session string) string { return `{"session_id":"` + session + `"}` }

// partOf asks for a refund of a part.
func partOf(brand smartglocal.Brand, session string, amount int) string {
	return fmt.Sprintf(`{"session_id":%q,"amount_details":{"amount":%d,"currency":%q}}`, session, amount, currencyOf[brand])
}

// begin makes a payment through the front door and returns its session.
func (w *world) begin(brand smartglocal.Brand) string {
	w.t.Helper()
	made := w.call(brand, "session/init/payment", initBody(brand))
	session, ok := made.at("session.id").(string)
	if made.status != 200 || !ok {
		w.t.Fatalf("init: %d %s", made.status, made.text)
	}
	return session
}

// paymentOf returns the payment of a session that was made here.
func (w *world) paymentOf(session string) payment.PaymentID {
	w.t.Helper()
	var id payment.PaymentID
	if err := id.ParseDecimal(strings.TrimPrefix(session, "ps_")); err != nil {
		w.t.Fatal(err)
	}
	return id
}

// references are what the outside world calls a captured payment.
var references = []payment.Reference{
	{Kind: "rrn", Value: "425307614918"}, {Kind: "auth_code", Value: "057441"},
	{Kind: "fp_message_id", Value: "A50581324524670W0000040011450701"},
}

// advance carries a payment one step on.
func (w *world) advance(session string) {
	w.t.Helper()
	w.do(payment.AdvancePayment{Meta: w.meta(), Payment: w.paymentOf(session), References: references})
}

// paid makes a payment that is captured and returns its session.
func (w *world) paid(brand smartglocal.Brand) string {
	w.t.Helper()
	session := w.begin(brand)
	w.advance(session)
	return session
}

// end gives the newest refund of a payment its outcome.
func (w *world) end(id payment.PaymentID, outcome payment.AttemptOutcome) {
	w.t.Helper()
	view, err := w.store.View(w.t.Context(), w.tenant, id)
	if err != nil {
		w.t.Fatal(err)
	}
	refund := view.Refunds[len(view.Refunds)-1]
	attempt := refund.Attempt
	if refund.Status == payment.RefundPending && !refund.IsSubmitted() {
		attempt = w.do(payment.StartAttempt{Meta: w.meta(), Payment: id, Refund: refund.ID}).Attempt.ID
	}
	w.do(payment.RecordOutcome{
		Meta: w.meta(), Payment: id, Refund: refund.ID, Attempt: attempt, Connector: "sandbox",
		Outcome: payment.Outcome{Kind: outcome},
	})
}

// elsewhere records a payment of 10000 that was made at another door.
func (w *world) elsewhere(change func(*payment.CreatePayment)) string {
	w.t.Helper()
	command := payment.CreatePayment{
		Meta: w.meta(), Status: payment.PaymentCaptured, Amount: money.Of(10000, "USD"), Connector: "sandbox",
		Method: payment.Method{Type: "card", Brand: "visa", Last4: "4242"},
	}
	command.Door = payment.DoorAPI
	if change != nil {
		change(&command)
	}
	return "ps_" + w.do(command).View.Payment.ID.Decimal()
}

// expect fails the test unless a call was refused with this code.
func (r reply) expect(t *testing.T, what string, status int, code string) {
	t.Helper()
	if r.status != status || r.at("error.code") != code || r.body["status"] != "error" || r.body["session"] != nil {
		t.Errorf("%s: %d %s, want %d %s", what, r.status, r.text, status, code)
	}
}

// says fails the test unless a call was answered with a session in these statuses.
func (r reply) says(t *testing.T, what, session, paid string) {
	t.Helper()
	of := r.at("session.acquiring_payments.0.status")
	if of == nil {
		of = ""
	}
	if r.status != 200 || r.body["status"] != "ok" || r.at("session.status") != session || of != paid {
		t.Errorf("%s: %d %s, want %s, %s", what, r.status, r.text, session, paid)
	}
}
