package chip_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/refundry/refundry/internal/dialect/dialecttest"
)

// held makes a purchase of 5900 whose payer has paid, and that is not captured.
func (s shop) held(edits ...string) string {
	s.T.Helper()
	return s.pay(s.create(append(edits, "skip_capture", "true")...))
}

// act does something to a purchase.
func (s shop) act(id, action, body string, header ...string) dialecttest.Answered {
	s.T.Helper()
	return s.post("purchases/"+id+"/"+action+"/", body, header...)
}

// attempts lists what was tried, newest first.
func attempts(got dialecttest.Answered) string {
	var list []string
	all, _ := got.At("transaction_data.attempts").([]any)
	for _, attempt := range all {
		list = append(list, text(dialecttest.At(attempt, "type")))
	}
	return strings.Join(list, " ")
}

// What is held is captured, whole or in part; the rest is released.
func TestCapture(t *testing.T) {
	s := setup(t)
	s.hook("/hook")
	id := s.held()
	held := s.purchase(id)
	is(t, "held", held, "hold", "none", 0)
	if held.At("payment") != nil || attempts(held) != "authorize" {
		t.Errorf("held: %s", held.Raw)
	}
	refuses(t, "a refund of it", s.refund(id, ""), 400, "__all__ purchase_refund_wrong_status")
	refuses(t, "cancel", s.act(id, "cancel", ""), 400, "__all__ purchase_cancel_wrong_status")
	refuses(t, "too much", s.act(id, "capture", `{"amount":5901}`), 400, "amount max_value")
	if got := s.act(id, "capture", `{"amount":9223372036854775807}`); got.At("amount.0.message") != "Ensure this value is less than or equal to 5900." {
		t.Errorf("far too much: %s", got.Raw)
	}
	for body, code := range map[string]string{
		`{"amount":0}`: "amount min_value", `{"amount":null}`: "amount null", `{"amount":"?"}`: "amount invalid", `7`: "__all__ parse_error",
	} {
		refuses(t, body, s.act(id, "capture", body), 400, code)
	}
	part := must(t, s.act(id, "capture", `{"amount":4000}`), 200)
	is(t, "captured", part, "paid", "all", 4000)
	if number(part.At("payment.amount")) != 4000 || number(part.At("purchase.total")) != 5900 || attempts(part) != "capture authorize" ||
		steps(part) != "created hold paid" {
		t.Errorf("captured: %s", part.Raw)
	}
	refuses(t, "once more", s.act(id, "capture", ""), 400, "__all__ purchase_capture_wrong_status")
	refuses(t, "more than was captured", s.refund(id, `{"amount":4001}`), 400, "amount max_value")
	must(t, s.refund(id, ""), 200)
	is(t, "refunded", s.purchase(id), "refunded", "none", 0)

	for _, body := range []string{"", "{}", "[]"} {
		is(t, "the whole", must(t, s.act(s.held(), "capture", body), 200), "paid", "all", 5900)
	}
	refuses(t, "nothing held", s.act(s.create(), "capture", ""), 400, "__all__ purchase_capture_wrong_status")
	refuses(t, "nobody", s.act("4a0f6f3e-2d53-4f53-8c0a-0c3f7f1f9d02", "capture", `{"amount":"?"}`), 404, "__all__ not_found")

	s.toldOf("/hook", "payment.refunded", id)
	s.toldOf("/hook", "purchase.paid", id)
	if captured := s.toldOf("/hook", "purchase.captured", id); captured.At("status") != "paid" {
		t.Errorf("told: %s", captured.Raw)
	}
	if hold := s.toldOf("/hook", "purchase.hold", id); hold.At("status") != "hold" {
		t.Errorf("told: %s", hold.Raw)
	}
}

// What is held is released, what nobody has paid is canceled, and neither again.
func TestReleaseAndCancel(t *testing.T) {
	s := setup(t)
	s.hook("/hook")
	held, created := s.held(), s.create()
	refuses(t, "release", s.act(created, "release", ""), 400, "__all__ purchase_release_wrong_status")
	released := must(t, s.act(held, "release", ""), 200)
	is(t, "released", released, "released", "none", 0)
	if attempts(released) != "release authorize" || released.At("payment") != nil {
		t.Errorf("released: %s", released.Raw)
	}
	refuses(t, "again", s.act(held, "release", ""), 400, "__all__ purchase_release_wrong_status")
	refuses(t, "capture", s.act(held, "capture", ""), 400, "__all__ purchase_capture_wrong_status")
	cancelled := must(t, s.act(created, "cancel", ""), 200)
	is(t, "cancelled", cancelled, "cancelled", "none", 0)
	refuses(t, "again", s.act(created, "cancel", ""), 400, "__all__ purchase_cancel_wrong_status")
	refuses(t, "a refund", s.refund(created, ""), 400, "__all__ purchase_refund_wrong_status")
	refuses(t, "paid", s.act(s.paid(500), "cancel", ""), 400, "__all__ purchase_cancel_wrong_status")
	s.told("/hook", "purchase.released", 1)
	s.told("/hook", "purchase.cancelled", 1)
}

// What was paid outside is paid, and cannot be refunded here.
func TestMarkAsPaid(t *testing.T) {
	s := setup(t)
	id := s.create()
	for body, code := range map[string]string{
		`{"paid_on":-1}`: "paid_on min_value", `{"paid_on":"?"}`: "paid_on invalid", `{"paid_on":99999999999}`: "paid_on max_value",
	} {
		refuses(t, body, s.act(id, "mark_as_paid", body), 400, code)
	}
	marked := must(t, s.act(id, "mark_as_paid", ""), 200)
	is(t, "marked", marked, "paid", "none", 0)
	if marked.At("marked_as_paid") != true || marked.At("payment.payment_type") != "custom" || number(marked.At("payment.amount")) != 5900 ||
		attempts(marked) != "" {
		t.Errorf("marked: %s", marked.Raw)
	}
	refuses(t, "again", s.act(id, "mark_as_paid", ""), 400, "__all__ purchase_mark_as_paid_wrong_status")
	refuses(t, "a refund", s.refund(id, ""), 400, "__all__ purchase_refund_not_possible")
	refuses(t, "a part", s.refund(id, `{"amount":1}`), 400, "__all__ purchase_refund_not_possible")
}

// A purchase is charged with the card of another whose payer allowed it.
func TestCharge(t *testing.T) {
	s := setup(t)
	token := s.pay(s.create("force_recurring", "true"))
	if got := s.purchase(token); got.At("is_recurring_token") != true || got.At("recurring_token") != nil {
		t.Errorf("the token: %s", got.Raw)
	}
	id, without := s.create("success_callback", `"`+s.Receiver.URL+`/callback"`), s.paid(500)
	for _, body := range []string{
		"", "{}", `{"recurring_token":null}`, `{"recurring_token":"nobody"}`, `{"recurring_token":"` + without + `"}`,
		`{"recurring_token":"4a0f6f3e-2d53-4f53-8c0a-0c3f7f1f9d02"}`,
	} {
		refuses(t, body, s.act(id, "charge", body), 400, "__all__ invalid_recurring_token")
	}
	body := `{"recurring_token":"` + token + `"}`
	charged := must(t, s.act(id, "charge", body), 200)
	is(t, "charged", charged, "paid", "all", 5900)
	if charged.At("recurring_token") != token || charged.At("is_recurring_token") != false || attempts(charged) != "recurring_execute" ||
		charged.At("transaction_data.attempts.0.client_ip") != "" || charged.At("transaction_data.payment_method") != "visa" {
		t.Errorf("charged: %s", charged.Raw)
	}
	refuses(t, "again", s.act(id, "charge", body), 400, "__all__ purchase_charge_wrong_status")
	refuses(t, "nobody", s.act("4a0f6f3e-2d53-4f53-8c0a-0c3f7f1f9d02", "charge", body), 404, "__all__ not_found")
	is(t, "held", must(t, s.act(s.create("skip_capture", "true"), "charge", body), 200), "hold", "none", 0)
	if told := s.told("/callback", "purchase.paid", 1); told.At("id") != id {
		t.Errorf("told: %s", told.Raw)
	}
	must(t, s.refund(id, ""), 200)
}

// Payments of other doors are paid, captured and given up there.
func TestForeignPaymentsAreNotActedOn(t *testing.T) {
	s := setup(t)
	foreign := uuidOf(t, must(t, s.API(http.MethodPost, "/v1/payments", `{"amount":5900,"currency":"MYR","status":"authorized"}`), 201))
	is(t, "held elsewhere", s.purchase(foreign), "hold", "none", 0)
	for _, action := range []string{"capture", "release", "cancel", "mark_as_paid"} {
		refuses(t, action, s.act(foreign, action, ""), 400, "__all__ purchase_"+action+"_wrong_status")
	}
}
