package primer_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/refundry/refundry/internal/dialect/dialecttest"
)

// Whatever the processor does, it is said in Primer's words: pending until the
// end is known, settled for good, or failed with a reason, its amount free again.
func TestOutcomes(t *testing.T) {
	dialecttest.OnBoth(t, func(t *testing.T, plain *dialecttest.World) {
		w := as(plain)
		w.Tell("primer")
		outcomes := []struct {
			amount int
			status string
			why    any
			counts bool
		}{
			{9001, "FAILED", "ISSUER_DECLINED", false},
			{9002, "FAILED", "GATEWAY_REJECTED", false},
			{9003, "PENDING", nil, true},
			{9004, "SETTLED", nil, true},
			{9005, "SETTLED", nil, true},
			{9006, "SETTLED", nil, true},
			{9007, "SETTLED", nil, true}, // it came back later: success is final here
			{9008, "SETTLED", nil, true},
			{9009, "SETTLED", nil, true},
		}
		ids := map[int]string{}
		for _, outcome := range outcomes {
			id := w.settled(20000)
			ids[outcome.amount] = id
			got := w.post(refundOf(id), fmt.Sprintf(`{"amount":%d}`, outcome.amount))
			w.ok("asked", got, "SETTLED")
			w.sums("asked", got, 20000, outcome.amount)
			if got.At("transactions.1.processorStatus") != "PENDING" {
				t.Errorf("%d: %s", outcome.amount, got)
			}
		}
		for range 3 {
			w.Advance("20s")
		}
		for _, outcome := range outcomes {
			id := ids[outcome.amount]
			var got dialecttest.Answered
			w.Meanwhile(fmt.Sprint(outcome.amount, " is ", outcome.status), func() bool {
				got = w.get("/payments/" + id)
				return slices.Equal(statuses(got.Body), []string{outcome.status})
			})
			w.ok("in the end", got, "SETTLED")
			refunded, told := 0, []string{"PAYMENT.STATUS AUTHORIZED", "PAYMENT.STATUS SETTLED"}
			if outcome.counts {
				refunded = outcome.amount
			}
			w.sums("in the end", got, 20000, refunded)
			if got.At("transactions.1.processorStatusReason.type") != outcome.why || got.At("statusReason") != nil {
				t.Errorf("%d: %s", outcome.amount, got)
			}
			if outcome.amount == 9009 {
				continue // a dispute opens beside it
			}
			if outcome.status != "PENDING" {
				told = append([]string{"PAYMENT.REFUND SETTLED"}, told...)
			}
			w.tells(fmt.Sprint(outcome.amount), id, told...)
			left := 20000 - refunded
			w.refused("no more than is left", w.post(refundOf(id), fmt.Sprintf(`{"amount":%d}`, left+1)), 422, "UnprocessableRefundAmount")
			w.ok("what is left", w.post(refundOf(id), `{}`), "SETTLED")
		}
		w.chargeback(ids[9009])
		w.Clean()
	})
}

// chargeback looks at the payment that was charged back while its refund was
// on its way: nothing of it is left, and it is told.
func (w *world) chargeback(id string) {
	w.T.Helper()
	opened := w.disputeTold("DISPUTE.OPENED", id, nil)
	told := w.disputeTold("DISPUTE.STATUS", id, "OPEN")
	if opened.At("processorDisputeId") != told.At("processorDisputeId") || fmt.Sprint(told.At("amount")) != "20000" {
		w.T.Errorf("%s, %s", opened.Raw, told.Raw)
	}
	w.refused("while it is open", w.post(refundOf(id), `{"amount":1}`), 400, "InvalidPaymentStatus")
	w.Set("primer.refund_during_dispute", "allow")
	w.refused("nothing is left", w.post(refundOf(id), `{"amount":1}`), 409, "PaymentAlreadyRefunded")
}
