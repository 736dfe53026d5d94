package chip_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/refundry/refundry/internal/dialect/chip"
	"github.com/refundry/refundry/internal/dialect/dialecttest"
	"github.com/refundry/refundry/internal/payment"
)

// dispute lets an operator open a dispute of a purchase, and returns its id.
func (s shop) dispute(id, more string) string {
	s.T.Helper()
	got := must(s.T, s.Operate(http.MethodPost, "/v1/disputes", `{"payment":"`+own(s.T, id)+`"`+more+`}`), 201)
	if id, ok := got.At("id").(string); ok {
		return id
	}
	return text(got.At("dispute.id"))
}

func (s shop) move(dispute, to string) {
	s.T.Helper()
	must(s.T, s.Operate(http.MethodPost, "/v1/disputes/"+dispute+"/move", `{"to":"`+to+`"}`), 200)
}

// A chargeback takes what is left; reversed, it gives the purchase its earlier
// status and amounts back.
func TestChargebacks(t *testing.T) {
	s := setup(t)
	s.hook("/hook")
	id := s.paid(5900)
	must(t, s.refund(id, `{"amount":900}`), 200)
	inquiry := s.dispute(id, `,"kind":"inquiry","amount":10`)
	is(t, "an inquiry", s.purchase(id), "refunded", "all", 5000)
	s.move(inquiry, "won")
	dispute := s.dispute(id, "")
	got := s.purchase(id)
	is(t, "charged back", got, "chargeback", "none", 0)
	if got.At("can_chargeback") != false || got.At("can_reverse_chargeback") != false || number(got.At("payment.amount")) != 5900 {
		t.Errorf("charged back: %s", got.Raw)
	}
	refuses(t, "a refund", s.refund(id, `{"amount":1}`), 400, "__all__ purchase_refund_wrong_status")
	back := s.told("/hook", "payment.charged_back", 1)
	for member, want := range map[string]string{
		"type": "payment", "status": "charged_back", "payment.amount": "5000", "payment.is_outgoing": "false",
		"payment.payment_type": "purchase", "related_to.type": "purchase", "related_to.id": id,
		"payment.description": "Chargeback: " + text(got.At("reference_generated")),
	} {
		if text(back.At(member)) != want {
			t.Errorf("%s is %v, want %s", member, back.At(member), want)
		}
	}
	s.move(dispute, "challenged")
	is(t, "challenged", s.purchase(id), "chargeback", "none", 0)
	s.move(dispute, "won")
	is(t, "reversed", s.purchase(id), "refunded", "all", 5000)
	reversed := s.told("/hook", "payment.chargeback_reversed", 1)
	if reversed.At("id") != back.At("id") || reversed.At("status") != "success" || number(reversed.At("payment.amount")) != 5000 {
		t.Errorf("told: %s", reversed.Raw)
	}
	must(t, s.refund(id, ""), 200)
	if got := steps(s.purchase(id)); got != "created paid refunded chargeback refunded refunded" {
		t.Errorf("history: %s", got)
	}
	lost := s.paid(5900)
	s.move(s.dispute(lost, ""), "lost")
	is(t, "lost", s.purchase(lost), "chargeback", "none", 0)
	refuses(t, "a refund", s.refund(lost, ""), 400, "__all__ purchase_refund_wrong_status")
	s.toldOf("/hook", "payment.charged_back", lost)
	s.told("/hook", "payment.refunded", 2)
	if got := s.eventsOf("/hook", id); got != "purchase.created purchase.paid payment.refunded payment.charged_back "+
		"payment.chargeback_reversed payment.refunded" {
		t.Errorf("told: %s", got)
	}
}

// A chargeback that opens while a refund is pending is shown and told of when
// the refund has ended, however it ends.
func TestChargebackWhilePending(t *testing.T) {
	s := setup(t)
	s.Set("chip.refund_sync_timeout", int64(100))
	s.hook("/hook")
	for _, end := range []string{"succeeds", "is canceled"} {
		id := s.paid(30000)
		if end == "succeeds" {
			s.plan(id, "SLOW")
		} else {
			s.Set("policy.approval_above", int64(1))
		}
		is(t, end, must(t, s.refund(id, `{"amount":1000}`), 200), "pending_refund", "none", 30000)
		s.Set("policy.approval_above", int64(0))
		disputes := []string{s.dispute(id, `,"amount":400`), s.dispute(id, `,"amount":600`)}
		is(t, end, s.purchase(id), "pending_refund", "none", 30000)
		if end == "succeeds" {
			s.Advance("5s")
		} else {
			refund := text(s.API(http.MethodGet, "/v1/payments/"+own(t, id), "").At("refunds.0.id"))
			must(t, s.API(http.MethodPost, "/v1/refunds/"+refund+"/cancel", "{}"), 200)
		}
		is(t, end, s.becomes(id, "chargeback"), "chargeback", "none", 0)
		for _, dispute := range disputes {
			s.move(dispute, "won")
		}
		dialecttest.Eventually(t, end+": both are reversed", func() bool {
			return strings.Count(s.eventsOf("/hook", id), "chargeback_reversed") == 2
		})
		told := map[int64]int{}
		for _, came := range s.Receiver.List("/hook") {
			if came.At("event_type") == "payment.charged_back" && came.At("related_to.id") == id {
				told[number(came.At("payment.amount"))]++
				if came.At("status") != "charged_back" {
					t.Errorf("told: %s", came.Raw)
				}
			}
		}
		if len(told) != 2 || told[400] != 1 || told[600] != 1 {
			t.Errorf("%s: told of %v", end, told)
		}
	}
}

// A chargeback that is hidden by one refund, and then by another door's, is
// told of when none runs any more, and once.
func TestChargebackHiddenByTwoRefunds(t *testing.T) {
	s := setup(t)
	s.hook("/hook")
	s.Set("policy.approval_above", int64(1))
	id := s.paid(30000)
	waits := func(body string) string {
		return text(must(t, s.API(http.MethodPost, "/v1/refunds", body), 201).At("id"))
	}
	refund := `{"payment":"` + own(t, id) + `","currency":"MYR","amount":1000}`
	first := waits(refund)
	s.dispute(id, `,"amount":400`)
	second := waits(refund)
	for n, refund := range []string{first, second} {
		if came := s.eventsOf("/hook", id); strings.Contains(came, "charged_back") {
			t.Errorf("%d refunds have ended, and it is told of: %s", n, came)
		}
		must(t, s.API(http.MethodPost, "/v1/refunds/"+refund+"/cancel", "{}"), 200)
	}
	if told := s.toldOf("/hook", "payment.charged_back", id); number(told.At("payment.amount")) != 400 {
		t.Errorf("told: %s", told.Raw)
	}
	s.Clean()
}

// A chargeback that leaves no room for a refund that waits cancels it: both are told.
func TestChargebackCancelsARefund(t *testing.T) {
	s := setup(t)
	s.hook("/hook")
	s.Set("policy.approval_above", int64(1))
	id := s.paid(5900)
	is(t, "it waits", must(t, s.refund(id, `{"amount":1000}`), 200), "pending_refund", "none", 5900)
	s.dispute(id, `,"amount":5900,"is_fact":true,"processor_ref":"case-1"`)
	is(t, "charged back", s.becomes(id, "chargeback"), "chargeback", "none", 0)
	s.toldOf("/hook", "purchase.refund_failure", id)
	if told := s.toldOf("/hook", "payment.charged_back", id); number(told.At("payment.amount")) != 5900 {
		t.Errorf("told: %s", told.Raw)
	}
	s.Clean()
}

// A chargeback that opened and was reversed while a refund ran is told of
// never; the refund's end is.
func TestChargebackReversedWhilePending(t *testing.T) {
	s := setup(t)
	s.hook("/hook")
	s.Set("policy.approval_above", int64(1))
	id := s.paid(5900)
	is(t, "it waits", must(t, s.refund(id, `{"amount":1000}`), 200), "pending_refund", "none", 5900)
	s.move(s.dispute(id, `,"amount":400`), "won")
	refund := text(s.API(http.MethodGet, "/v1/payments/"+own(t, id), "").At("refunds.0.id"))
	must(t, s.API(http.MethodPost, "/v1/refunds/"+refund+"/cancel", "{}"), 200)
	s.toldOf("/hook", "purchase.refund_failure", id)
	is(t, "afterwards", s.purchase(id), "paid", "all", 5900)
	s.move(s.dispute(id, `,"amount":600`), "won")
	if told := s.toldOf("/hook", "payment.chargeback_reversed", id); number(told.At("payment.amount")) != 600 {
		t.Errorf("told: %s", told.Raw)
	}
	if got := s.eventsOf("/hook", id); got != "purchase.created purchase.paid purchase.pending_refund purchase.refund_failure "+
		"payment.charged_back payment.chargeback_reversed" {
		t.Errorf("told: %s", got)
	}
}

// Whether a reversal is told follows from when refunds ran: each runs from one
// version to another.
func TestReversalsOfWhatWasNeverTold(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		refunds     [][2]int64
		opened, won int64
		isUntold    bool
	}{
		"no refund ever":                     {nil, 2, 3, false},
		"a refund ended before":              {[][2]int64{{2, 3}}, 4, 5, false},
		"one runs all the time":              {[][2]int64{{2, 9}}, 3, 4, true},
		"one ended in between":               {[][2]int64{{2, 4}}, 3, 5, false},
		"one began after it opened":          {[][2]int64{{3, 9}}, 2, 4, false},
		"one took over from another":         {[][2]int64{{2, 5}, {4, 9}}, 3, 6, true},
		"it was quiet between two":           {[][2]int64{{2, 4}, {5, 9}}, 3, 6, false},
		"one ended, and runs beside another": {[][2]int64{{2, 9}, {4, 5}}, 3, 6, true},
	} {
		var refunds []payment.Refund
		for _, ran := range test.refunds {
			refunds = append(refunds, payment.Refund{History: payment.History[payment.RefundStatus]{
				{Status: payment.RefundPending, Version: ran[0]}, {Status: payment.RefundSucceeded, Version: ran[1]},
			}})
		}
		dispute := payment.Dispute{ID: payment.DisputeID{1}, History: payment.History[payment.DisputeStatus]{
			{Status: payment.DisputeOpen, Version: test.opened}, {Status: payment.DisputeWon, Version: test.won},
		}}
		if got := chip.IsUntold(test.won, refunds, dispute); got != test.isUntold {
			t.Errorf("%s: %t", name, got)
		}
	}
}
