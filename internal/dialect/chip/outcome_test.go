package chip_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/refundry/refundry/internal/dialect/dialecttest"
)

// newest is the newest attempt of a purchase.
func newest(got dialecttest.Answered) string {
	at := func(member string) string { return text(got.At("transaction_data.attempts.0." + member)) }
	return fmt.Sprint(at("type"), " ", at("successful"), " ", at("extra.amount"), " ", at("error.code"))
}

// Whatever the sandbox does to a refund, it is answered, shown and told in the
// provider's words.
func TestOutcomes(t *testing.T) {
	for _, c := range []struct {
		price    int
		answer   string // "payment", "pending" or "declined"
		until    string // the status that it comes to
		left     int64
		newest   string // attempt
		steps    string // of the history
		told     string // after purchase.paid
		advances bool
	}{
		{5900, "payment", "refunded", 0, "refund true 5900 <nil>", "refunded", "payment.refunded", false},
		{9001, "declined", "paid", 9001, "refund false 9001 general_transaction_error", "", "", false},
		{9002, "declined", "paid", 9002, "refund false 9002 acquirer_internal_error", "", "", false},
		{9003, "pending", "pending_refund", 9003, "execute true <nil> <nil>", "pending_refund", "purchase.pending_refund", true},
		{9004, "pending", "refunded", 0, "refund true 9004 <nil>", "pending_refund refunded", "purchase.pending_refund payment.refunded", true},
		{9005, "pending", "refunded", 0, "refund true 9005 <nil>", "pending_refund refunded", "purchase.pending_refund payment.refunded", true},
		{9006, "pending", "refunded", 0, "refund true 9006 <nil>", "pending_refund refunded", "purchase.pending_refund payment.refunded", true},
		{9007, "payment", "paid", 9007, "refund false 9007 general_transaction_error", "refunded paid", "payment.refunded purchase.refund_failure", true},
		{9008, "payment", "refunded", 0, "refund true 9008 <nil>", "refunded", "payment.refunded", true},
		{9009, "pending", "chargeback", 0, "refund true 9009 <nil>", "pending_refund refunded chargeback",
			"purchase.pending_refund payment.refunded payment.charged_back", true},
	} {
		t.Run(fmt.Sprint(c.price), func(t *testing.T) {
			s := setup(t)
			if c.answer == "pending" {
				s.Set("chip.refund_sync_timeout", int64(100))
			}
			s.hook("/hook")
			id := s.paid(c.price)
			got := s.refund(id, "")
			switch c.answer {
			case "payment":
				if must(t, got, 200); got.At("type") != "payment" || got.At("status") != "success" || number(got.At("payment.amount")) != int64(c.price) {
					t.Errorf("answer: %s", got.Raw)
				}
			case "pending":
				is(t, "answer", must(t, got, 200), "pending_refund", "none", int64(c.price))
				if attempts(got) != "execute" || number(got.At("payment.amount")) != int64(c.price) {
					t.Errorf("answer: %s", got.Raw)
				}
			case "declined":
				refuses(t, "answer", got, 400, "__all__ purchase_refund_error")
			}
			for range 4 {
				if c.advances {
					s.Advance("20s")
				}
			}
			s.Meanwhile("it is "+c.until, func() bool {
				got = s.purchase(id)
				return got.At("status") == c.until
			})
			if number(got.At("refundable_amount")) != c.left || newest(got) != c.newest || steps(got) != strings.TrimSpace("created paid "+c.steps) {
				t.Errorf("shown: %v left, %s, %s: %s", got.At("refundable_amount"), newest(got), steps(got), got.Raw)
			}
			want := strings.TrimSpace("purchase.created purchase.paid " + c.told)
			dialecttest.Eventually(t, "told "+want, func() bool { return len(s.Receiver.List("/hook")) == len(strings.Fields(want)) })
			if heard := s.events("/hook"); heard != want && (c.price != 9009 || !sameEvents(heard, want)) {
				t.Errorf("told: %s, want %s", heard, want)
			}
			s.Clean()
		})
	}
}

// sameEvents reports whether two lists have the same events.
func sameEvents(a, b string) bool {
	for _, event := range strings.Fields(a) {
		if strings.Count(a, event) != strings.Count(b, event) {
			return false
		}
	}
	return len(a) == len(b)
}

// A refund waits two seconds for its outcome if nothing else is set, and no
// longer than it takes.
func TestPatience(t *testing.T) {
	s := setup(t)
	const most = 20 * time.Second // what setup lets refunds wait
	began := time.Now()
	must(t, s.refund(s.paid(5900), ""), 200)
	if took := time.Since(began); took >= most {
		t.Errorf("what is done is answered after %s", took)
	}
	s.Set("chip.refund_sync_timeout", nil)
	id := s.paid(9003)
	began = time.Now()
	is(t, "slow", must(t, s.refund(id, ""), 200), "pending_refund", "none", 9003)
	if took := time.Since(began); took < 1900*time.Millisecond || took >= most {
		t.Errorf("what takes longer is answered after %s", took)
	}
}

// What came back can be refunded again, in parts beside others too; a failed
// refund leaves the status that was before.
func TestAfterFailures(t *testing.T) {
	s := setup(t)
	s.Set("chip.refund_mode", "pending")
	s.hook("/hook")
	id := s.paid(30000)
	must(t, s.refund(id, `{"amount":1000}`), 200)
	s.becomes(id, "refunded")
	must(t, s.refund(id, `{"amount":9002}`), 200)
	failed := s.told("/hook", "purchase.refund_failure", 1)
	if failed.At("status") != "refunded" || number(failed.At("refundable_amount")) != 29000 || failed.At("refund_availability") != "all" ||
		failed.At("transaction_data.attempts.0.successful") != false || failed.At("id") != id {
		t.Errorf("told: %s", failed.Raw)
	}
	first := failed.At("status_history.3.related_object.id")
	if last := failed.At("status_history.last.related_object.id"); first == nil || last != first {
		t.Errorf("history: %v, %v", first, last)
	}
	must(t, s.refund(id, `{"amount":9007}`), 200)
	s.told("/hook", "payment.refunded", 2)
	s.Advance("10s")
	returned := s.told("/hook", "purchase.refund_failure", 2)
	if returned.At("status") != "refunded" || number(returned.At("refundable_amount")) != 29000 {
		t.Errorf("told: %s", returned.Raw)
	}
	if got := attempts(s.purchase(id)); got != "refund refund refund refund execute" {
		t.Errorf("attempts: %s", got)
	}
	if got := steps(s.purchase(id)); got != "created paid pending_refund refunded pending_refund refunded pending_refund refunded refunded" {
		t.Errorf("history: %s", got)
	}
	must(t, s.refund(id, ""), 200)
	is(t, "the rest", s.becomes(id, "refunded"), "refunded", "none", 0)
	s.Clean()
}
