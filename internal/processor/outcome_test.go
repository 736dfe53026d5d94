package processor_test

import (
	"slices"
	"testing"
	"time"

	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/processor/sandbox"
)

// Whatever the outside does, a refund lives as the table says, with the totals
// and the ledger right at each step, and money moves as often as it should.
func TestOutcomes(t *testing.T) {
	t.Parallel()
	const (
		pending, unknown, succeeded = payment.RefundPending, payment.RefundUnknown, payment.RefundSucceeded
	)
	for _, row := range []struct {
		name     sandbox.Name
		amount   money.Minor
		life     []payment.RefundStatus
		moved    int
		attempts payment.AttemptOutcome // what the one attempt came to
		disputed money.Minor
		excess   money.Minor
	}{
		{sandbox.Succeeded, 1000, []payment.RefundStatus{pending, succeeded}, 1, payment.AttemptSucceeded, 0, 0},
		{sandbox.Declined, 9001, []payment.RefundStatus{pending, payment.RefundDeclined}, 0, payment.AttemptDeclined, 0, 0},
		{sandbox.Failed, 9002, []payment.RefundStatus{pending, payment.RefundFailed}, 0, payment.AttemptFailed, 0, 0},
		{sandbox.Pending, 9003, []payment.RefundStatus{pending}, 0, payment.AttemptPending, 0, 0},
		{sandbox.Slow, 9004, []payment.RefundStatus{pending, succeeded}, 1, payment.AttemptSucceeded, 0, 0},
		{sandbox.TimeoutDone, 9005, []payment.RefundStatus{pending, unknown, succeeded}, 1, payment.AttemptSucceeded, 0, 0},
		{sandbox.TimeoutLost, 9006, []payment.RefundStatus{pending, unknown, succeeded}, 1, payment.AttemptSucceeded, 0, 0},
		{
			sandbox.Returned, 9007, []payment.RefundStatus{pending, succeeded, payment.RefundReturned}, 1,
			payment.AttemptReturned, 0, 0,
		},
		{sandbox.Noisy, 9008, []payment.RefundStatus{pending, succeeded}, 1, payment.AttemptSucceeded, 0, 0},
		{sandbox.Chargeback, 9009, []payment.RefundStatus{pending, succeeded}, 1, payment.AttemptSucceeded, 20_000, 9009},
	} {
		t.Run(string(row.name), func(t *testing.T) {
			t.Parallel()
			w := start(t, wanted{})
			r := w.refund(w.pay(20_000).ID, row.amount, "")
			end := row.life[len(row.life)-1]
			w.until("it ends", 500*time.Millisecond, func() bool {
				_, now := w.see(r.ID)
				return now.Status == end && now.IsSubmitted() &&
					(end != pending || now.PendingReason == payment.PendingProcessor) && w.isQuiet(payment.TaskSubmitRefund)
			})
			w.until("the dispute is known", 0, func() bool {
				view, _ := w.see(r.ID)
				return view.Payment.Disputed == row.disputed
			})
			view, now := w.see(r.ID)
			if got := lived(now); !slices.Equal(got, row.life) {
				t.Errorf("it lived %v, want %v", got, row.life)
			}
			if moved := w.moved(r.ID); moved != row.moved {
				t.Errorf("money moved %d times, want %d", moved, row.moved)
			}
			if len(view.Attempts) != 1 || view.Attempts[0].Outcome != row.attempts {
				t.Errorf("attempts %+v, want one that is %s", view.Attempts, row.attempts)
			}
			if view.Payment.Disputed != row.disputed || view.Payment.Excess != row.excess {
				t.Errorf("disputed %d beyond %d, want %d beyond %d",
					view.Payment.Disputed, view.Payment.Excess, row.disputed, row.excess)
			}
			w.checkBooks(view)
		})
	}
}

// What is asked for decides: a plan before a text, a text of the refund before
// one of the payment, any text before the digits.
func TestChoice(t *testing.T) {
	t.Parallel()
	w := start(t, wanted{})
	paid := w.do(payment.CreatePayment{
		Meta: w.meta(), Status: payment.PaymentCaptured, Connector: connector, Amount: money.Of(100_000, "EUR"),
		Reference: "order 7", Description: "socks, refundry:FAILED", Metadata: `{"note":"refundry:NONSENSE"}`,
	}).View.Payment
	for _, row := range []struct {
		ask  payment.OpenRefund
		want payment.RefundStatus
	}{
		{payment.OpenRefund{}, payment.RefundFailed},
		{payment.OpenRefund{Ask: payment.Ask{Amount: 9001}}, payment.RefundFailed},
		{payment.OpenRefund{Note: "please refundry:DECLINED"}, payment.RefundDeclined},
		{payment.OpenRefund{Reason: "refundry:NOTHING refundry:DECLINED"}, payment.RefundDeclined},
		{payment.OpenRefund{Metadata: `{"a":{"b":"refundry:SUCCEEDED"}}`}, payment.RefundSucceeded},
		{payment.OpenRefund{Reference: "refundry:SUCCEEDED", Metadata: `{"a":"refundry:DECLINED"}`}, payment.RefundSucceeded},
	} {
		ask := row.ask
		ask.Meta, ask.Payment, ask.Currency = w.meta(), paid.ID, "EUR"
		if ask.Ask.Amount == 0 {
			ask.Ask.Amount = 100
		}
		w.untilStatus(w.do(ask).Refund.ID, row.want, 0)
	}
	if _, err := w.sandbox.AddPlan(t.Context(), w.tenant, sandbox.Plan{
		By: sandbox.MatchReference, To: "order 7", Outcomes: []sandbox.Name{sandbox.Declined, sandbox.Succeeded},
	}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []payment.RefundStatus{payment.RefundDeclined, payment.RefundSucceeded, payment.RefundSucceeded} {
		w.untilStatus(w.refund(paid.ID, 100, "refundry:FAILED").ID, want, 0)
	}
}

// With a delay a refund is pending first, for as long as was asked for.
func TestDelay(t *testing.T) {
	t.Parallel()
	w := start(t, wanted{delay: time.Hour})
	r := w.refund(w.pay(1000).ID, 1000, "")
	w.until("the processor has it", 0, func() bool {
		_, now := w.see(r.ID)
		return now.PendingReason == payment.PendingProcessor && now.ProcessorRef != ""
	})
	w.advance(59 * time.Minute)
	w.until("it was asked about", 0, func() bool { return w.calls.Load() >= 2 })
	if _, now := w.see(r.ID); now.Status != payment.RefundPending {
		t.Fatalf("it is %s before its time", now.Status)
	}
	w.advance(time.Minute)
	w.untilStatus(r.ID, payment.RefundSucceeded, 0)
	if moved := w.moved(r.ID); moved != 1 {
		t.Errorf("money moved %d times", moved)
	}
}
