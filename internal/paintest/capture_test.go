package paintest_test

import (
	"fmt"
	"net/http"
	"slices"
	"testing"

	"github.com/refundry/refundry/internal/dialect/dialecttest"
)

// A refund gives back the capture that it names and no other; where a processor
// refunds captures, one that reaches over several becomes one for each.
func TestPain13MultiCaptureRefundsGoAstray(t *testing.T) {
	onBoth(t, func(t *testing.T, s shop) {
		ofNamedCaptures(t, s)
		s.endpoint("/pieces", `"kinds":["refund.created","refund.succeeded","refund.declined","refund.canceled"]`)
		of := s.inParts(1_000, 3_200, 800)
		declined := overSeveralCaptures(t, s, of)
		canceledTogether(t, s, of)
		retriedAlone(t, s, of, declined)
	})
}

func ofNamedCaptures(t *testing.T, s shop) {
	t.Helper()
	made := s.must("payment", s.primer(http.MethodPost, "",
		`{"orderId":"order-1","currencyCode":"EUR","amount":20000,"paymentMethodToken":"a-token"}`), 200)
	path := "/" + text(made.At("id"))
	s.must("a part", s.primer(http.MethodPost, path+"/capture", `{"amount":12000,"final":false}`), 200)
	s.must("the rest", s.primer(http.MethodPost, path+"/capture", ""), 200)
	of := text(s.read("/v1/payments").At("payments.0.id"))
	s.left(of, 12_000, 8_000)
	named := func(n int) string { return fmt.Sprintf(`"capture":%q`, s.capture(of, n)) }
	s.refused("more than it has", s.ask(of, euros(12_001, named(0))), 409, "refundable_amount_exceeded")
	first := s.must("all of the first", s.ask(of, euros(12_000, named(0))), 201)
	if first.At("capture") != s.capture(of, 0) {
		t.Errorf("it is of another capture: %s", first)
	}
	s.left(of, 0, 8_000)
	s.refused("once more", s.ask(of, euros(1, named(0))), 409, "refundable_amount_exceeded")
	s.refund(of, `"full":true,`+named(1))
	s.left(of, 0, 0)
	if left := number(s.read("/v1/payments/" + of).At("refundable")); left != 0 {
		t.Errorf("%d can never be given back", left)
	}
}

// inParts records a payment whose processor refunds captures, and what was
// captured of it, and returns its id. What its text lets the sandbox do to a
// payment does not matter: of what is recorded nobody asks it.
func (s shop) inParts(amounts ...int64) string {
	s.T.Helper()
	of := s.pay(10_000, "EUR", `"status":"authorized","connector":"sandbox_captures","description":"refundry:PAYMENT_DECLINED"`)
	for _, amount := range amounts {
		s.must("capture", s.API(http.MethodPost, "/v1/payments/"+of+"/capture", "{"+euros(amount)+"}"), 200)
	}
	return of
}

// capture returns the id of a payment's n-th capture.
func (s shop) capture(of string, n int) string {
	s.T.Helper()
	return text(s.read("/v1/payments/" + of).At(fmt.Sprintf("captures.%d.id", n)))
}

// left fails the test unless this is left of a payment's captures.
func (s shop) left(of string, want ...int64) {
	s.T.Helper()
	is := s.read("/v1/payments/" + of + "/refundability")
	var left []int64
	for _, capture := range list(is.At("captures")) {
		left = append(left, number(dialecttest.At(capture, "refundable")))
	}
	if !slices.Equal(left, want) {
		s.T.Errorf("%v are left of captures, want %v; the answer is %s", left, want, is)
	}
}

// overSeveralCaptures asks for more than one capture has: each piece has an
// outcome of its own, and is told by itself. It returns the one that is declined.
func overSeveralCaptures(t *testing.T, s shop, of string) (declined string) {
	t.Helper()
	s.must("plan", s.API(http.MethodPost, "/sandbox/plans", `{"match":{"amount":3200},"outcomes":["DECLINED"]}`), 201)
	asks := euros(4_500)
	previewed := s.must("preview", s.API(http.MethodPost, "/v1/refunds/preview", `{"payment":"`+of+`",`+asks+`}`), 200)
	amounts, outcomes := []int64{1_000, 3_200, 300}, []string{"succeeded", "declined", "succeeded"}
	opened := s.must("refund", s.ask(of, asks+fmt.Sprintf(`,"preview_token":%q`, previewed.At("preview_token"))), 201)
	ids := []string{text(opened.At("id"))}
	for _, other := range list(opened.At("group_refunds")) {
		ids = append(ids, text(other))
	}
	if len(ids) != 3 || len(list(previewed.At("refunds"))) != 3 {
		t.Fatalf("%s was opened, %s was previewed", opened, previewed)
	}
	for n, id := range ids {
		now := s.becomes(id, outcomes[n])
		shown := func(member string) any { return previewed.At(fmt.Sprintf("refunds.%d.%s", n, member)) }
		if number(now.At("amount")) != amounts[n] || now.At("capture") != s.capture(of, n) || now.At("group") != opened.At("group") ||
			number(shown("amount")) != amounts[n] || shown("capture") != now.At("capture") {
			t.Errorf("piece %d is %s; previewed was %s", n, now, previewed)
		}
		s.Receiver.Await(t, "/pieces", 1, "each piece is told", func(came dialecttest.Webhook) bool {
			return came.At("type") == "refund."+outcomes[n] && came.At("data.refund.id") == id &&
				came.At("data.refund.group") == opened.At("group")
		})
		moved := int64(1)
		if outcomes[n] == "declined" {
			moved = 0
		}
		if times, attempts := s.moved(id); times != moved || attempts != 1 {
			t.Errorf("money moved %d times in %d attempts for piece %d", times, attempts, n)
		}
	}
	s.totals(of, 1_300, 0, 3_700)
	s.left(of, 0, 3_200, 500)
	s.grouped(opened.At("group"), ids...)
	s.refused("more than captures have", s.ask(of, euros(3_701)), 409, "refundable_amount_exceeded")
	return ids[1]
}

// grouped fails the test unless a group has these refunds.
func (s shop) grouped(group any, want ...string) {
	s.T.Helper()
	var ids []string
	for _, refund := range list(s.read("/v1/refunds?group=" + text(group)).At("refunds")) {
		ids = append(ids, text(dialecttest.At(refund, "id")))
	}
	slices.Sort(ids)
	if want = slices.Sorted(slices.Values(want)); !slices.Equal(ids, want) {
		s.T.Errorf("the group has %v, want %v", ids, want)
	}
}

// canceledTogether takes back what came free, whichever piece is named.
func canceledTogether(t *testing.T, s shop, of string) {
	t.Helper()
	opened := s.must("what came free", s.ask(of, fmt.Sprintf(`"full":true,"not_before":%q`, s.later())), 201)
	first, other := text(opened.At("id")), text(opened.At("group_refunds.0"))
	s.grouped(opened.At("group"), first, other)
	s.left(of, 0, 0, 0)
	canceled := s.must("cancel", s.API(http.MethodPost, "/v1/refunds/"+other+"/cancel", `{"group":true}`), 200)
	if canceled.At("id") != other || canceled.At("group_refunds.0") != first {
		t.Errorf("not all of it is canceled: %s", canceled)
	}
	for _, id := range []string{first, other} {
		s.becomes(id, "canceled")
		s.Receiver.Await(t, "/pieces", 1, "each is told", func(came dialecttest.Webhook) bool {
			return came.At("type") == "refund.canceled" && came.At("data.refund.id") == id
		})
	}
	s.left(of, 0, 3_200, 500)
}

// retriedAlone asks once more for the piece that was declined: it is of the same
// capture, and of no group.
func retriedAlone(t *testing.T, s shop, of, declined string) {
	t.Helper()
	s.must("plan", s.API(http.MethodPost, "/sandbox/plans", `{"match":{"amount":3200},"outcomes":["SUCCEEDED"]}`), 201)
	retried := s.must("retry", s.API(http.MethodPost, "/v1/refunds/"+declined+"/retry", "{}"), 201)
	if retried.At("capture") != s.capture(of, 1) || retried.At("group") != nil || retried.At("retry_of") != declined {
		t.Errorf("it is retried as %s", retried)
	}
	s.becomes(text(retried.At("id")), "succeeded")
	s.totals(of, 4_500, 0, 500)
	s.left(of, 0, 0, 500)
}
