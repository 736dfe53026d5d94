package chip_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// Each form of a refund's body means exactly what section 5.1 says.
func TestRefundBodies(t *testing.T) {
	s := setup(t)
	for _, form := range []struct {
		body, code string // no code: it is taken
		amount     int64
	}{
		{"", "", 5900},
		{" \r\n\t ", "", 5900},
		{"{}", "", 5900},
		{" { } ", "", 5900},
		{"null", "", 5900},
		{"[]", "", 5900},
		{`{"client_name":"Woo"}`, "", 5900},
		{`{"amount":120}`, "", 120},
		{`{"amount":120,"unknown":1}`, "", 120},
		{`{"amount":100.0}`, "", 100},
		{`{"amount":"100"}`, "", 100},
		{`{"amount":"100.00"}`, "", 100},
		{`{"amount":1e2}`, "", 100},
		{`{"amount":1}`, "", 1},
		{`{"amount":5900}`, "", 5900},
		{`{"amount":null}`, "amount null", 0},
		{`{"amount":10.5}`, "amount invalid", 0},
		{`{"amount":"10.5"}`, "amount invalid", 0},
		{`{"amount":""}`, "amount invalid", 0},
		{`{"amount":"1e2"}`, "amount invalid", 0},
		{`{"amount":"all"}`, "amount invalid", 0},
		{`{"amount":true}`, "amount invalid", 0},
		{`{"amount":[]}`, "amount invalid", 0},
		{`{"amount":{}}`, "amount invalid", 0},
		{`{"amount":1e-2}`, "amount invalid", 0},
		{`{"amount":1e999999999}`, "amount invalid", 0},
		{`{"amount":0}`, "amount min_value", 0},
		{`{"amount":-1}`, "amount min_value", 0},
		{`{"amount":"-1"}`, "amount min_value", 0},
		{`{"amount":-1e99}`, "amount min_value", 0},
		{`{"amount":5901}`, "amount max_value", 0},
		{`{"amount":9223372036854775807}`, "amount max_value", 0},
		{`{"amount":99999999999999999999}`, "amount max_value", 0},
		{`{"amount":1e99}`, "amount max_value", 0},
		{`{"amout":120}`, "amount required", 0},
		{`{"client_name":"Woo","amout":120}`, "amount required", 0},
		{`{"amount":120`, "__all__ parse_error", 0},
		{`{"amount":120}{}`, "__all__ parse_error", 0},
		{`{"amount":120,"amount":1}`, "__all__ parse_error", 0},
		{"amount=120", "__all__ parse_error", 0},
		{"120", "__all__ parse_error", 0},
		{`"120"`, "__all__ parse_error", 0},
		{"[120]", "__all__ parse_error", 0},
		{"true", "__all__ parse_error", 0},
		{"\xef\xbb\xbf{}", "__all__ parse_error", 0},
	} {
		id := s.paid(5900)
		before := s.purchase(id)
		got := s.refund(id, form.body, "Content-Type", "application/x-www-form-urlencoded")
		if form.code != "" {
			refuses(t, form.body, got, 400, form.code)
			if after := s.purchase(id); after.Raw != before.Raw {
				t.Errorf("%q changed something: %s", form.body, after.Raw)
			}
			continue
		}
		if got.Status != 200 || got.At("type") != "payment" || number(got.At("payment.amount")) != form.amount || got.At("amount") != nil {
			t.Errorf("%q: %d %s", form.body, got.Status, got.Raw)
		}
		availability := map[bool]string{true: "none", false: "all"}[form.amount == 5900]
		is(t, form.body, s.purchase(id), "refunded", availability, 5900-form.amount)
	}
	s.Set("chip.strict_refund_body", false)
	if got := s.refund(s.paid(5900), `{"amout":120}`); got.Status != 200 || number(got.At("payment.amount")) != 5900 {
		t.Errorf("by the switch: %s", got)
	}
	s.Clean()
}

// An amount that is left out after a partial refund is the rest.
func TestTheRestAfterAPart(t *testing.T) {
	onBoth(t, func(t *testing.T, s shop) {
		id := s.paid(5900)
		for _, part := range []int64{1000, 900} {
			if got := must(t, s.refund(id, fmt.Sprintf(`{"amount":%d}`, part)), 200); number(got.At("payment.amount")) != part {
				t.Errorf("a part: %s", got.Raw)
			}
		}
		is(t, "parts", s.purchase(id), "refunded", "all", 4000)
		rest := must(t, s.refund(id, ""), 200)
		if number(rest.At("payment.amount")) != 4000 || rest.At("type") != "payment" {
			t.Errorf("the rest: %s", rest.Raw)
		}
		is(t, "the rest", s.purchase(id), "refunded", "none", 0)
		if got := s.refund(id, ""); got.At("__all__.0.message") != "This Purchase was already fully refunded." {
			t.Errorf("again: %s", got.Raw)
		}
		s.Clean()
	})
}

// The first check that fails, in the order of section 5.2, is the answer.
func TestRefundChecksAreInOrder(t *testing.T) {
	s := setup(t)
	s.Set("chip.refund_sync_timeout", int64(0))
	pending, charged, whole := s.paid(9003), s.paid(5900), s.paid(5900)
	must(t, s.refund(pending, `{"amount":9003}`), 200)
	must(t, s.Operate(http.MethodPost, "/v1/disputes", `{"payment":"`+own(t, charged)+`","amount":100}`), 201)
	must(t, s.refund(whole, ""), 200)
	s.becomes(whole, "refunded")
	s.Set("chip.refund_availability", "none")
	never := s.paid(5900)
	s.Set("chip.refund_availability", "full_only")
	fullOnly := s.paid(5900)
	s.Set("chip.refund_availability", "partial_only")
	partialOnly := s.paid(5900)
	s.Set("policy.maximum_amount", int64(50))
	for _, c := range []struct{ what, id, body, code string }{
		{"body before status", s.create(), `{"amount":0}`, "amount min_value"},
		{"status", s.create(), `{"amount":9999999}`, "__all__ purchase_refund_wrong_status"},
		{"pending before amount", pending, `{"amount":9999999}`, "__all__ purchase_refund_wrong_status"},
		{"chargeback before amount", charged, `{"amount":9999999}`, "__all__ purchase_refund_wrong_status"},
		{"nothing left before amount", whole, `{"amount":9999999}`, "__all__ purchase_refund_not_possible"},
		{"availability none before amount", never, `{"amount":9999999}`, "__all__ purchase_refund_not_possible"},
		{"full_only before amount", fullOnly, `{"amount":9999999}`, "__all__ purchase_refund_not_possible"},
		{"full_only, a part", fullOnly, `{"amount":1}`, "__all__ purchase_refund_not_possible"},
		{"partial_only, the whole", partialOnly, ``, "__all__ purchase_refund_not_possible"},
		{"partial_only, as much", partialOnly, `{"amount":5900}`, "__all__ purchase_refund_not_possible"},
		{"a policy", s.allOf(5900), `{"amount":51}`, "__all__ purchase_refund_not_possible"},
	} {
		refuses(t, c.what, s.refund(c.id, c.body), 400, c.code)
	}
	if got := s.refund(s.allOf(5900), `{"amount":5901}`); got.At("amount.0.message") != "Ensure this value is less than or equal to 5900." {
		t.Errorf("amount before policies: %s", got.Raw)
	}
	must(t, s.refund(partialOnly, `{"amount":50}`), 200)
}

// allOf makes a paid purchase that can be refunded in any way.
func (s shop) allOf(price int) string {
	s.T.Helper()
	s.Set("chip.refund_availability", "all")
	return s.paid(price)
}

// Each availability is shown as it was when the payer paid, and obeyed.
func TestAvailabilities(t *testing.T) {
	s := setup(t)
	for word, takes := range map[string]struct{ part, whole bool }{
		"all": {true, true}, "full_only": {false, true}, "pis_all": {false, true}, "partial_only": {true, false},
		"pis_partial": {true, false}, "none": {false, false},
	} {
		s.Set("chip.refund_availability", word)
		part, whole := s.paid(5900), s.paid(5900)
		s.Set("chip.refund_availability", "all") // what was paid stays as it was
		amount := int64(5900)
		if word == "none" {
			amount = 0
		}
		is(t, word, s.purchase(part), "paid", word, amount)
		if got := s.refund(part, `{"amount":1}`); (got.Status == 200) != takes.part {
			t.Errorf("%s, a part: %d %s", word, got.Status, got.Raw)
		}
		if got := s.refund(whole, ""); (got.Status == 200) != takes.whole {
			t.Errorf("%s, the whole: %d %s", word, got.Status, got.Raw)
		}
	}
	s.Set("chip.availability_after_partial", "partial_only")
	id := s.paid(5900)
	must(t, s.refund(id, `{"amount":900}`), 200)
	is(t, "after a part", s.purchase(id), "refunded", "partial_only", 5000)
	refuses(t, "the rest", s.refund(id, ""), 400, "__all__ purchase_refund_not_possible")
	must(t, s.refund(id, `{"amount":4999}`), 200)
}

// A tenant may want every refund to be answered as pending, whatever comes of it.
func TestPendingMode(t *testing.T) {
	s := setup(t)
	s.Set("chip.refund_mode", "pending")
	s.hook("/hook")
	id := s.paid(5900)
	for range 3 {
		got := must(t, s.refund(id, `{"amount":100}`), 200)
		if got.At("type") != "purchase" || got.At("status") != "pending_refund" || got.At("id") != id {
			t.Errorf("pending: %s", got.Raw)
		}
		s.becomes(id, "refunded")
	}
	s.told("/hook", "payment.refunded", 3)
	if got := s.events("/hook"); !strings.HasSuffix(got, strings.Repeat(" purchase.pending_refund payment.refunded", 3)) {
		t.Errorf("told: %s", got)
	}
	if got := steps(s.purchase(id)); got != "created paid"+strings.Repeat(" pending_refund refunded", 3) {
		t.Errorf("history: %s", got)
	}
}

// A refund may have a fee, which is shown and changes no amount.
func TestRefundFee(t *testing.T) {
	s := setup(t)
	s.Set("chip.refund_fee", int64(30))
	id := s.paid(5900)
	got := must(t, s.refund(id, `{"amount":1000}`, headerKey, "a"), 200)
	for member, want := range map[string]int64{
		"fee_amount": 30, "payment.fee_amount": 30, "payment.net_amount": 970, "payment.amount": 1000, "payment.pending_amount": 0,
	} {
		if number(got.At(member)) != want {
			t.Errorf("%s is %s, want %d", member, got.At(member), want)
		}
	}
	after := s.purchase(id)
	is(t, "afterwards", after, "refunded", "all", 4900)
	if number(after.At("transaction_data.attempts.0.fee_amount")) != 30 {
		t.Errorf("the attempt: %s", after.Raw)
	}
	if got := must(t, s.refund(id, `{"amount":10}`), 200); number(got.At("payment.net_amount")) != 0 {
		t.Errorf("a fee is never more than its refund: %s", got.Raw)
	}
	s.Set("chip.refund_fee", int64(700))
	if again := must(t, s.refund(id, `{"amount":1000}`, headerKey, "a"), 200); again.Raw != got.Raw {
		t.Errorf("another fee for the same refund: %s", again.Raw)
	}
	must(t, s.API(http.MethodPost, "/v1/refunds", `{"payment":"`+own(t, id)+`","currency":"MYR","amount":900}`), 201)
	is(t, "another door's is done", s.becomes(id, "refunded"), "refunded", "all", 3990)
	after = s.purchase(id)
	for n, want := range []int64{0, 10, 30} {
		if fee := after.At(fmt.Sprintf("transaction_data.attempts.%d.fee_amount", n)); number(fee) != want {
			t.Errorf("attempt %d has a fee of %s: %s", n, fee, after.Raw)
		}
	}
}

// A purchase can be refunded for as long as its merchant wants.
func TestRefundWindow(t *testing.T) {
	s := setup(t)
	s.Set("chip.refund_window_days", int64(30))
	id := s.paid(5900)
	s.Advance("719h")
	must(t, s.refund(id, `{"amount":100}`), 200)
	s.Advance("2h")
	refuses(t, "too late", s.refund(id, `{"amount":100}`), 400, "__all__ purchase_refund_not_possible")
}

// A policy's no is said in the provider's words.
func TestPolicies(t *testing.T) {
	s := setup(t)
	id := s.paid(5900)
	s.Set("policy.partial_refunds", false)
	refuses(t, "a part", s.refund(id, `{"amount":100}`), 400, "__all__ purchase_refund_not_possible")
	s.Set("policy.partial_refunds", true)
	s.Set("policy.duplicate_minutes", int64(5))
	must(t, s.refund(id, `{"amount":100}`), 200)
	refuses(t, "the same again", s.refund(id, `{"amount":100}`), 400, "__all__ purchase_refund_not_possible")
	must(t, s.refund(id, `{"amount":100}`, "Idempotency-Key", "a"), 200)
	s.Set("policy.approval_above", int64(1000))
	s.hook("/hook")
	waiting := must(t, s.refund(id, `{"amount":2000}`), 200)
	is(t, "it waits for approval", waiting, "pending_refund", "none", 5700)
	refund := s.API(http.MethodGet, "/v1/payments/"+own(t, id), "").At("refunds.last.id")
	must(t, s.API(http.MethodPost, "/v1/refunds/"+text(refund)+"/cancel", "{}"), 200)
	rejected := s.told("/hook", "purchase.refund_failure", 1)
	if rejected.At("status") != "refunded" || rejected.At("transaction_data.attempts.0.error.code") != "general_transaction_error" ||
		number(rejected.At("refundable_amount")) != 5700 {
		t.Errorf("told: %s", rejected.Raw)
	}
}
