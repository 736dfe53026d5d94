package paintest_test

import (
	"fmt"
	"net/http"
	"slices"
	"testing"

	"github.com/refundry/refundry/internal/dialect/dialecttest"
	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/payment"
)

// A refund whose answer is lost is tried again as what it was, by us and by the
// caller: one refund, one attempt, one movement. Only a no allows another.
func TestPain02RetryAfterATimeoutPaysTwice(t *testing.T) {
	onBoth(t, func(t *testing.T, s shop) {
		for _, outcome := range []string{"TIMEOUT_DONE", "TIMEOUT_LOST"} {
			of := s.pay(10_000, "EUR")
			s.plan(of, outcome, "SUCCEEDED")
			key := []string{"Idempotency-Key", "return-" + outcome}
			first := s.must(outcome, s.ask(of, euros(10_000), key...), 201)
			id := text(first.At("id"))
			dialecttest.Eventually(t, "the outcome is unknown", func() bool {
				return slices.Contains(s.kinds(id), "refund.unknown")
			})
			again := s.must("the caller again", s.ask(of, euros(10_000), key...), 201)
			if again.Raw != first.Raw || again.Header.Get("Idempotent-Replayed") != "true" {
				t.Errorf("%s: %s, at first %s", outcome, again, first)
			}
			s.refused("a retry before its end", s.ask(of, euros(10_000, `"retry_of":"`+id+`"`)), 409, "wrong_status")
			s.becomes(id, "succeeded")
			s.refused("a retry of a success", s.ask(of, euros(10_000, `"retry_of":"`+id+`"`)), 409, "wrong_status")
			if times, attempts := s.moved(id); times != 1 || attempts != 1 {
				t.Errorf("%s: money moved %d times in %d attempts, want once in one", outcome, times, attempts)
			}
			s.totals(of, 10_000, 0, 0)
		}
		of := s.pay(10_000, "EUR")
		s.plan(of, "DECLINED", "SUCCEEDED")
		no := s.refund(of, `"full":true`)
		s.becomes(no, "declined")
		retry := s.must("retry", s.API(http.MethodPost, "/v1/refunds/"+no+"/retry", "{}", "Idempotency-Key", "again"), 201)
		retried := s.becomes(text(retry.At("id")), "succeeded")
		if number(retried.At("amount")) != 10_000 || retried.At("retry_of") != no {
			t.Errorf("the retry is not what it retries: %s", retried)
		}
	})
}

// Silence is neither a failure nor a success: the amount stays reserved until
// the outcome is found, and time alone never ends a refund.
func TestPain03UnknownIsTakenForFailure(t *testing.T) {
	onBoth(t, func(t *testing.T, s shop) {
		of := s.pay(20_000, "EUR")
		s.plan(of, "TIMEOUT_DONE", "PENDING")
		silent := s.refund(of, euros(5_000))
		s.becomes(silent, "succeeded")
		s.tells(silent, "refund.created", "refund.submitted", "refund.unknown", "refund.succeeded")
		if causes := s.causes(of, silent); !slices.Equal(causes, []string{"refund.created", "refund.succeeded"}) {
			t.Errorf("the books were moved by %v: the reservation has not stood", causes)
		}
		if times, _ := s.moved(silent); times != 1 {
			t.Errorf("money moved %d times", times)
		}
		slow := s.refund(of, euros(6_000))
		s.arrives(slow)
		var now answered
		s.Advance("200h")
		dialecttest.Eventually(t, "a person must look", func() bool {
			now = s.read("/v1/refunds/" + slow)
			return now.At("needs_review") == true
		})
		s.Advance("2000h")
		if now = s.read("/v1/refunds/" + slow); now.At("status") != "pending" {
			t.Errorf("time has ended it: %s", now)
		}
		s.totals(of, 5_000, 6_000, 9_000)
		s.refused("what is reserved", s.ask(of, euros(9_001)), 409, "refundable_amount_exceeded")
	})
}

// Money that came back after a success is told, booked and refundable again.
func TestPain04SuccessThatLaterFails(t *testing.T) {
	s := open(t)
	s.Tell("api")
	of := s.pay(10_000, "EUR")
	s.plan(of, "RETURNED", "SUCCEEDED")
	id := s.refund(of, euros(10_000))
	bounced := s.becomes(id, "returned")
	if bounced.At("failure.code") != "account_closed" || bounced.At("failure.processor_code") != "AC04" {
		t.Errorf("it is not said why: %s", bounced)
	}
	s.tells(id, "refund.created", "refund.submitted", "refund.succeeded", "refund.returned")
	told := s.Receiver.Await(t, "/api", 1, "the return is told", func(h dialecttest.Webhook) bool {
		return h.At("type") == "refund.returned"
	})
	if told.At("data.refund.id") != id || told.At("data.refund.status") != "returned" {
		t.Errorf("it is told as %s", told.Raw)
	}
	entries := list(s.read("/v1/payments/" + of + "/ledger").At("entries"))
	last := entries[len(entries)-1]
	if dialecttest.At(last, "cause") != "refund.returned" ||
		dialecttest.At(last, "postings.0.credit") != "merchant:main:payable" ||
		dialecttest.At(last, "postings.0.debit") != "processor:sandbox:receivable" {
		t.Errorf("the books do not have the money back: %v", last)
	}
	s.totals(of, 0, 0, 10_000)
	again := s.becomes(s.refund(of, `"full":true,"retry_of":"`+id+`"`), "succeeded")
	if again.At("retry_of") != id {
		t.Errorf("got %s", again)
	}
	s.totals(of, 10_000, 0, 0)
	s.Clean()
}

// Refunds that came to nothing count nowhere: however many there were, exactly
// what was taken can go back, and the books say so.
func TestPain05BooksAreWrongAfterTheBounce(t *testing.T) {
	onBoth(t, func(t *testing.T, s shop) {
		of := s.pay(10_000, "EUR")
		s.plan(of, "RETURNED", "DECLINED", "RETURNED", "FAILED", "SUCCEEDED")
		for _, end := range []string{"returned", "declined", "returned", "failed"} {
			id := s.refund(of, `"full":true`)
			s.becomes(id, end)
			s.totals(of, 0, 0, 10_000)
			if kinds := s.kinds(id); kinds[len(kinds)-1] != "refund."+end {
				t.Errorf("%s is told as %v", end, kinds)
			}
		}
		canceled := s.refund(of, `"full":true,"not_before":"`+s.later()+`"`)
		s.must("cancel", s.API(http.MethodPost, "/v1/refunds/"+canceled+"/cancel", "{}"), 200)
		s.tells(canceled, "refund.created", "refund.canceled")
		s.becomes(s.refund(of, euros(4_000)), "succeeded")
		s.becomes(s.refund(of, `"full":true`), "succeeded")
		s.totals(of, 10_000, 0, 0)
		s.refused("once more", s.ask(of, euros(1)), 409, "refundable_amount_exceeded")
		for _, account := range []string{"refunds:in_flight", "merchant:main:payable", "processor:sandbox:receivable"} {
			if balance := s.balance(account); balance != 0 {
				t.Errorf("all was taken and all went back, and %s has %d", account, balance)
			}
		}
	})
}

// What is on its way is neither done nor failed, at every door and in the
// books, and says why it waits.
func TestPain06PendingIsShownAsAnOutcome(t *testing.T) {
	s := open(t)
	of := s.pay(10_000, "EUR")
	s.plan(of, "PENDING", "SLOW")
	id := s.refund(of, euros(3_000))
	s.arrives(id)
	s.Advance("48h")
	now := s.read("/v1/refunds/" + id)
	if now.At("pending_reason") != "processor" || now.At("submitted_at") == nil || now.At("ended_at") != nil {
		t.Errorf("got %s", now)
	}
	s.tells(id, "refund.created", "refund.submitted", "refund.pending")
	if causes := s.causes(of, id); !slices.Equal(causes, []string{"refund.created"}) {
		t.Errorf("the books were moved by %v", causes)
	}
	s.totals(of, 0, 3_000, 7_000)
	if got := s.primer(http.MethodGet, "/"+s.named(of, "primer"), ""); got.At("transactions.last.processorStatus") != "PENDING" {
		t.Errorf("Primer's door shows %s", got)
	}
	session := s.smartGlocal("session/status", `{"session_id":"`+s.named(of, "smartglocal")+`"}`)
	if got := session.At("session.acquiring_payments.0.refunds.0.status"); got != "in_progress" {
		t.Errorf("Smart Glocal's door shows %s", session)
	}
	slow := s.refund(of, euros(1_000))
	s.becomes(slow, "succeeded")
	s.tells(slow, "refund.created", "refund.submitted", "refund.pending", "refund.succeeded")
	s.Set("policy.undo_seconds", int64(3600))
	waits := s.must("undo", s.ask(of, euros(1)), 201)
	if waits.At("status") != "scheduled" || waits.At("pending_reason") != "scheduled" {
		t.Errorf("in its undo window it is %s", waits)
	}
}

// What was not captured is voided and never refunded, what cannot be refunded
// yet is scheduled, and a part stays a part.
func TestPain14VoidOrRefundBeforeSettlement(t *testing.T) {
	s := open(t)
	held := s.must("payment", s.primer(http.MethodPost, "",
		`{"orderId":"order-1","currencyCode":"EUR","amount":20000,"paymentMethodToken":"a-token"}`), 200)
	of := text(s.read("/v1/payments").At("payments.0.id"))
	s.refused("of an authorization", s.ask(of, euros(1)), 409, "wrong_status")
	s.must("void", s.primer(http.MethodPost, "/"+text(held.At("id"))+"/cancel", ""), 200)
	if is := s.read("/v1/payments/" + of); is.At("status") != "canceled" || number(is.At("captured")) != 0 {
		t.Errorf("the authorization was not given up: %s", is)
	}
	s.Set("policy.earliest_hours", int64(24))
	of = s.pay(10_000, "EUR")
	early := s.refused("before it is settled", s.ask(of, euros(1_000)), 409, "too_early")
	from := text(early.At("from"))
	id := s.refund(of, euros(1_000, fmt.Sprintf(`"not_before":%q`, from)))
	s.Advance("23h")
	if waits := s.read("/v1/refunds/" + id); waits.At("status") != "scheduled" || waits.At("submitted_at") != nil {
		t.Errorf("it has left too early: %s", waits)
	}
	s.Advance("1h")
	if sent := s.becomes(id, "succeeded"); sent.At("executed_as") != "refund" {
		t.Errorf("it is not said as what it was carried out: %s", sent)
	}
	s.totals(of, 1_000, 0, 9_000)
	d := newDesk(t)
	made := d.do(payment.CreatePayment{
		Meta: d.meta(), Status: payment.PaymentCaptured, Connector: "con", Amount: money.Of(5_000, "EUR"),
	})
	whole := d.do(payment.OpenRefund{Meta: d.meta(), Payment: made.View.Payment.ID, Ask: payment.Ask{How: payment.AskRemaining}})
	voided := d.leaves(whole.Refund, payment.Outcome{Kind: payment.AttemptSucceeded, ExecutedAs: "void"})
	if voided.ExecutedAs != "void" {
		t.Errorf("a void is not remembered: %q", voided.ExecutedAs)
	}
}

// Every failure can be rehearsed: by plan, in order, over any door, with a
// clock that goes as far as the story needs.
func TestPain25FailuresCannotBeRehearsed(t *testing.T) {
	s := open(t)
	of := s.pay(20_000, "EUR")
	s.plan(of, "DECLINED", "FAILED", "TIMEOUT_DONE", "TIMEOUT_LOST", "RETURNED", "NOISY", "PENDING")
	for n, want := range []struct {
		status string
		moved  int64
	}{{"declined", 0}, {"failed", 0}, {"succeeded", 1}, {"succeeded", 1}, {"returned", 1}, {"succeeded", 1}, {"pending", 0}} {
		got := s.primer(http.MethodPost, "/"+s.named(of, "primer")+"/refund", fmt.Sprintf(`{"amount":%d}`, 1_001+n))
		if got.Status != 200 {
			t.Fatalf("refund %d: %d %s", n, got.Status, got.Raw)
		}
		id := text(s.read("/v1/payments/" + of).At("refunds.last.id"))
		s.waits(fmt.Sprintf("refund %d is %s", n, want.status), func() bool {
			now := s.read("/v1/refunds/" + id)
			return now.At("status") == want.status && now.At("submitted_at") != nil
		})
		dialecttest.Eventually(t, "the processor has it", func() bool { _, attempts := s.moved(id); return attempts == 1 })
		if times, _ := s.moved(id); times != want.moved {
			t.Errorf("refund %d: money moved %d times, want %d", n, times, want.moved)
		}
	}
	for amount, status := range map[int64]string{9001: "declined", 9002: "failed", 9007: "returned"} {
		s.becomes(s.refund(s.pay(20_000, "EUR"), euros(amount)), status)
	}
	clash := s.pay(20_000, "EUR")
	s.becomes(s.refund(clash, euros(1_000, `"message":"refundry:CHARGEBACK"`)), "succeeded")
	if disputed := number(s.read("/v1/payments/" + clash).At("disputed")); disputed != 20_000 {
		t.Errorf("no chargeback came meanwhile: %d", disputed)
	}
}
