package smartglocal_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/refundry/refundry/internal/dialect/smartglocal"
	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/setting"
	"github.com/refundry/refundry/internal/webhook"
)

// last returns the newest webhook.
func (w *world) last(brand smartglocal.Brand) map[string]any {
	w.t.Helper()
	heard := w.hear(brand)
	if len(heard) == 0 {
		w.t.Fatal("nothing was told")
	}
	return heard[len(heard)-1]
}

// Each end of a refund has its word, and is told once; the first answer is in
// progress whatever comes of it.
func TestRefundEndsAreWords(t *testing.T) {
	t.Parallel()
	for _, brand := range smartglocal.Brands {
		for outcome, word := range map[payment.AttemptOutcome]string{
			payment.AttemptSucceeded: "accepted", payment.AttemptDeclined: "declined", payment.AttemptFailed: "error",
		} {
			t.Run(string(brand)+" "+string(outcome), func(t *testing.T) {
				t.Parallel()
				w := setup(t, brand)
				session := w.paid(brand)
				asked := w.call(brand, "session/refund", of(session))
				asked.says(t, "refund", "in_progress", "succeeded")
				if at(asked.body, "session.acquiring_payments.0.refunds.0.finished_at") != nil {
					t.Errorf("it has not finished: %s", asked.text)
				}
				w.pass(time.Second)
				w.end(w.paymentOf(session), outcome)
				w.call(brand, "session/status", of(session)).says(t, "status", "accepted", "succeeded")
				told := w.last(brand)
				if at(told, "session.status") != "accepted" || told["type"] != "payment_refunded" ||
					at(told, "session.acquiring_payments.0.refunds.0.status") != word ||
					at(told, "session.acquiring_payments.0.refunds.0.finished_at") == nil {
					t.Errorf("told: %v", told)
				}
				if got := types(w.hear(brand)); len(got) != 2 {
					t.Errorf("told: %v", got)
				}
				again := w.call(brand, "session/refund", of(session))
				if isFree := again.status == 200; isFree == (word == "accepted") {
					t.Errorf("the amount afterwards: %s", again.text)
				}
			})
		}
	}
}

// A refund whose outcome nobody knows runs; one whose money came back is an
// error, and is told again.
func TestUnknownAndReturnedRefunds(t *testing.T) {
	t.Parallel()
	w := setup(t, brand)
	session := w.paid(brand)
	w.call(brand, "session/refund", of(session))
	w.end(w.paymentOf(session), payment.AttemptUnknown)
	w.call(brand, "session/status", of(session)).says(t, "unknown", "in_progress", "succeeded")
	w.end(w.paymentOf(session), payment.AttemptSucceeded)
	w.end(w.paymentOf(session), payment.AttemptReturned)
	var words []any
	for _, told := range w.hear(brand)[1:] {
		words = append(words, at(told, "session.acquiring_payments.0.refunds.0.status"))
	}
	if !slices.Equal(words, []any{"accepted", "error"}) {
		t.Errorf("told: %v", words)
	}
}

// A merchant may not want to hear of refunds that came to nothing.
func TestFailedRefundsAreToldByASwitch(t *testing.T) {
	t.Parallel()
	w := setup(t, brand)
	w.set("smartglocal.webhook_on_failed_refund", false)
	session := w.paid(brand)
	for _, outcome := range []payment.AttemptOutcome{payment.AttemptDeclined, payment.AttemptFailed, payment.AttemptSucceeded} {
		w.call(brand, "session/refund", of(session))
		w.end(w.paymentOf(session), outcome)
	}
	if got := types(w.hear(brand)); !slices.Equal(got, []string{"payment_finished", "payment_refunded"}) {
		t.Errorf("told: %v", got)
	}
}

// A chargeback is a refund that is_chargeback, at once, and changes nothing
// else. Won, it is declined: its amount can be refunded again.
func TestChargebacks(t *testing.T) {
	t.Parallel()
	for _, brand := range smartglocal.Brands {
		t.Run(string(brand), func(t *testing.T) {
			t.Parallel()
			w := setup(t, brand)
			session := w.paid(brand)
			id := w.paymentOf(session)
			w.call(brand, "session/refund", partOf(brand, session, 3000))
			w.do(payment.OpenDispute{Meta: w.meta(), Payment: id, Kind: payment.DisputeInquiry, Amount: 50})
			dispute := w.do(payment.OpenDispute{Meta: w.meta(), Payment: id, Kind: payment.DisputeChargeback}).Dispute
			told := w.last(brand)
			shown := at(told, "session.acquiring_payments.0.refunds.1").(map[string]any)
			if shown["is_chargeback"] != true || shown["status"] != "accepted" || shown["finished_at"] == nil ||
				shown["id"] != "rf_"+dispute.ID.Decimal() || at(shown, "amount_details.amount") != 7000.0 {
				t.Errorf("told: %v", told)
			}
			if first := at(told, "session.acquiring_payments.0.refunds.0").(map[string]any); first["is_chargeback"] != nil {
				t.Errorf("a refund is no chargeback: %v", told)
			}
			if got := types(w.hear(brand)); len(got) != 2 {
				t.Errorf("told: %v", got)
			}
			w.end(id, payment.AttemptSucceeded)
			w.call(brand, "session/status", of(session)).says(t, "beside it", "accepted", "succeeded")
			w.call(brand, "session/refund", partOf(brand, session, 1)).expect(t, "nothing is left", 400, "invalid_request")

			before := len(w.hear(brand))
			w.do(payment.MoveDispute{Meta: w.meta(), Payment: id, Dispute: dispute.ID, To: payment.DisputeWon})
			now := w.call(brand, "session/status", of(session))
			if now.at("session.acquiring_payments.0.refunds.1.status") != "declined" || len(w.hear(brand)) != before {
				t.Errorf("won: %s", now.text)
			}
			w.call(brand, "session/refund", partOf(brand, session, 7000)).says(t, "free again", "in_progress", "succeeded")
		})
	}
}

// A chargeback of nothing is not told: there is nothing to show.
func TestChargebackOfNothing(t *testing.T) {
	t.Parallel()
	w := setup(t, brand)
	session := w.paid(brand)
	w.call(brand, "session/refund", of(session))
	w.do(payment.OpenDispute{
		Meta: w.meta(), Payment: w.paymentOf(session), Kind: payment.DisputeChargeback, IsFact: true,
		Connector: "sandbox", ProcessorRef: "case",
	})
	if got := types(w.hear(brand)); len(got) != 1 {
		t.Errorf("told: %v", got)
	}
}

// Merchants open chargebacks only where a switch lets them.
func TestMerchantsChargebacksAreASwitch(t *testing.T) {
	t.Parallel()
	w := setup(t, brand)
	session := w.paid(brand)
	w.call(brand, "session/chargeback", of(session)).expect(t, "by default", 403, "authorization_error")
	w.set("smartglocal.merchant_can_chargeback", true)
	w.call(brand, "session/chargeback", partOf(brand, session, 10001)).expect(t, "too much", 400, "invalid_request")
	w.call(brand, "session/chargeback", `{"session_id":"`+session+`","amount_details":{}}`).
		expect(t, "a blank amount", 400, "invalid_request")
	got := w.call(brand, "session/chargeback", partOf(brand, session, 400))
	got.says(t, "with the switch", "accepted", "succeeded")
	if got.at("session.acquiring_payments.0.refunds.0.is_chargeback") != true {
		t.Errorf("%s", got.text)
	}
}

// A webhook speaks the version of the call that made the session, or the one
// that a switch says; for a payment made elsewhere, of the refund's call.
func TestWebhooksSpeakTheVersionOfTheirSession(t *testing.T) {
	t.Parallel()
	w := setup(t, brand)
	speaks := func(what, list string) {
		t.Helper()
		told := w.last(brand)
		for _, name := range []string{"acquiring_payments", "payment_list"} {
			if isThere := at(told, "session."+name) != nil; isThere != (name == list) {
				t.Errorf("%s: %v", what, told)
			}
		}
	}
	v2 := func(method, body string) string {
		got := w.callAs("v2", string(brand), method, body)
		if got.status != 200 || got.at("session.acquiring_payments") != nil {
			t.Fatalf("%s: %s", method, got.text)
		}
		return got.at("session.id").(string)
	}
	session := v2("session/init/payment", initBody(brand))
	w.advance(session)
	speaks("init in v2", "payment_list")
	w.call(brand, "session/refund", of(session))
	w.end(w.paymentOf(session), payment.AttemptDeclined)
	speaks("refund in v1", "payment_list")
	w.set("smartglocal.webhook_api_version", "v1")
	speaks("always v1", "acquiring_payments")
	w.set("smartglocal.webhook_api_version", "auto")

	session = v2("session/create", "{}")
	w.call(brand, "session/start", strings.Replace(initBody(brand), "{", `{"session_id":"`+session+`",`, 1))
	w.advance(session)
	speaks("create in v2, start in v1", "payment_list")

	for version, list := range map[string]string{"v1": "acquiring_payments", "v2": "payment_list"} {
		session = w.elsewhere(nil)
		w.callAs(version, string(brand), "session/refund", of(session))
		w.end(w.paymentOf(session), payment.AttemptSucceeded)
		speaks("elsewhere", list)
	}
}

// What a payment is called elsewhere is shown where the brand shows it.
func TestTransactionInfo(t *testing.T) {
	t.Parallel()
	for brand, want := range map[smartglocal.Brand]map[string]any{
		smartglocal.SmartGlocal: {"rrn": "425307614918", "auth_code": "057441"},
		smartglocal.Pike:        {"fp_message_id": "A50581324524670W0000040011450701"},
	} {
		t.Run(string(brand), func(t *testing.T) {
			t.Parallel()
			w := setup(t, brand)
			session := w.paid(brand)
			const where = "session.acquiring_payments.0.transaction_info"
			same := func(what string, got any, isShown bool) {
				t.Helper()
				info, _ := got.(map[string]any)
				if !isShown && got != nil || isShown && (len(info) != len(want) || !holds(info, want)) {
					t.Errorf("%s: %v", what, got)
				}
			}
			same("payment_finished", at(w.last(brand), where), true)
			same("status", w.call(brand, "session/status", of(session)).at(where), true)
			same("refund", w.call(brand, "session/refund", of(session)).at(where), false)
			w.end(w.paymentOf(session), payment.AttemptSucceeded)
			same("payment_refunded", at(w.last(brand), where), brand == smartglocal.Pike)
			w.set("pike.emit_fp_message_id", false)
			if got := at(w.last(brand), where); got != nil {
				t.Errorf("switched off: %v", got)
			}
		})
	}
}

func holds(got, want map[string]any) bool {
	for name, value := range want {
		if got[name] != value {
			return false
		}
	}
	return true
}

// Nobody waits to hear that a payment was imported, captured long ago.
func TestImportedPaymentsAreNotToldAsNew(t *testing.T) {
	t.Parallel()
	w := setup(t, brand)
	w.elsewhere(func(c *payment.CreatePayment) { c.Door, c.IsImport = brand.Door(), true })
	if got := w.hear(brand); len(got) != 0 {
		t.Errorf("told: %v", got)
	}
}

// A refund that the processor made behind our back is told like any other.
func TestAdoptedRefundsAreTold(t *testing.T) {
	t.Parallel()
	w := setup(t, brand)
	session := w.paid(brand)
	w.do(payment.AdoptRefund{
		Meta: w.meta(), Payment: w.paymentOf(session), Connector: "sandbox", ProcessorRef: "theirs",
		Amount: money.Of(250, "USD"),
	})
	if told := w.last(brand); at(told, "session.acquiring_payments.0.refunds.0.status") != "accepted" {
		t.Errorf("told: %v", told)
	}
}

// The schedule is the documented one unless a readable one is set.
func TestSchedule(t *testing.T) {
	t.Parallel()
	w := setup(t)
	documented := []time.Duration{
		0, 15 * time.Second, 45 * time.Second, 105 * time.Second, 225 * time.Second, 465 * time.Second,
		945 * time.Second, 1800 * time.Second,
	}
	for _, test := range []struct {
		given []string
		want  []time.Duration
	}{
		{nil, documented},
		{[]string{"0s", "1m"}, []time.Duration{0, time.Minute}},
		{[]string{"0", "90"}, []time.Duration{0, 90 * time.Second}},
		{[]string{"1m", "0s"}, documented},
		{[]string{"soon"}, documented},
	} {
		values := setting.Values{}
		if test.given != nil {
			values["smartglocal.webhook_schedule"] = test.given
		}
		if got, timeout := w.voice(brand).Schedule(webhook.Event{}, values); !slices.Equal(got, test.want) || timeout != 10*time.Second {
			t.Errorf("%v: %v, %s", test.given, got, timeout)
		}
	}
	for status, want := range map[int]bool{200: true, 204: true, 299: true, 301: false, 404: false, 500: false, 0: false} {
		if w.voice(brand).Acknowledges(status) != want {
			t.Errorf("%d acknowledges: %t", status, !want)
		}
	}
}
