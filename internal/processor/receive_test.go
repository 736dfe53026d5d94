package processor_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/refundry/refundry/internal/fault"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/processor"
)

// Facts come late, twice and in any order. Each is recorded once, and what
// says less than is known changes nothing.
func TestLateFacts(t *testing.T) {
	t.Parallel()
	const (
		pending, succeeded = payment.AttemptPending, payment.AttemptSucceeded
		declined, returned = payment.AttemptDeclined, payment.AttemptReturned
	)
	for _, row := range []struct {
		name  string
		first payment.AttemptOutcome // what the call was answered
		told  []payment.AttemptOutcome
		life  []payment.RefundStatus
		sums  payment.Totals
		also  int // refunds that were adopted
	}{
		{
			"a success, twice", pending, []payment.AttemptOutcome{succeeded, succeeded},
			[]payment.RefundStatus{payment.RefundPending, payment.RefundSucceeded}, payment.Totals{Refunded: 400}, 0,
		},
		{
			"pending after the success", pending, []payment.AttemptOutcome{succeeded, pending},
			[]payment.RefundStatus{payment.RefundPending, payment.RefundSucceeded}, payment.Totals{Refunded: 400}, 0,
		},
		{
			"the return before the success", pending, []payment.AttemptOutcome{returned, succeeded},
			[]payment.RefundStatus{payment.RefundPending, payment.RefundSucceeded, payment.RefundReturned}, payment.Totals{Returned: 400}, 0,
		},
		{
			"a return, twice", succeeded, []payment.AttemptOutcome{returned, returned, succeeded},
			[]payment.RefundStatus{payment.RefundPending, payment.RefundSucceeded, payment.RefundReturned}, payment.Totals{Returned: 400}, 0,
		},
		{
			"a no after the success", succeeded, []payment.AttemptOutcome{declined},
			[]payment.RefundStatus{payment.RefundPending, payment.RefundSucceeded, payment.RefundReturned}, payment.Totals{Returned: 400}, 0,
		},
		{
			"a success after the no", declined, []payment.AttemptOutcome{succeeded, succeeded},
			[]payment.RefundStatus{payment.RefundPending, payment.RefundDeclined}, payment.Totals{Refunded: 400}, 1,
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			w := start(t, wanted{processor: &company{refunds: always(payment.Outcome{Kind: row.first, ProcessorRef: "r"}, nil)}})
			r := w.refund(w.pay(1000).ID, 400, "")
			w.until("the first answer is known", 0, func() bool {
				view, _ := w.see(r.ID)
				return len(view.Attempts) == 1 && view.Attempts[0].Outcome == row.first
			})
			view, _ := w.see(r.ID)
			for _, kind := range row.told {
				w.receive(processor.Notice{
					Tenant: w.tenant, Connector: connector, Payment: r.Payment, Refund: r.ID, Attempt: view.Attempts[0].ID,
					Outcome: payment.Outcome{Kind: kind, ProcessorRef: "r"},
				})
			}
			view, now := w.see(r.ID)
			row.sums.Captured = 1000
			if got := lived(now); !slices.Equal(got, row.life) {
				t.Errorf("it lived %v, want %v", got, row.life)
			}
			if view.Payment.Totals != row.sums || len(view.Refunds) != 1+row.also {
				t.Errorf("totals %+v, %d refunds", view.Payment.Totals, len(view.Refunds))
			}
			w.checkBooks(view)
		})
	}
}

// A dispute is opened once however often it is told, and stops what has not left.
func TestDisputeNotice(t *testing.T) {
	t.Parallel()
	w := start(t, wanted{processor: &company{refunds: always(payment.Outcome{Kind: payment.AttemptNotSent}, nil)}})
	r := w.refund(w.pay(1000).ID, 400, "")
	w.until("it was not sent", 0, func() bool {
		view, now := w.see(r.ID)
		return len(view.Attempts) == 1 && !now.IsSubmitted()
	})
	for range 2 {
		w.receive(processor.Notice{Tenant: w.tenant, Connector: connector, Payment: r.Payment, Dispute: &processor.DisputeNotice{
			ProcessorRef: "case_1", Kind: payment.DisputeChargeback, Amount: 1000, Reason: "fraudulent",
		}})
	}
	view, now := w.see(r.ID)
	if len(view.Disputes) != 1 || view.Payment.Disputed != 1000 || view.Payment.Excess != 0 {
		t.Errorf("%d disputes, totals %+v", len(view.Disputes), view.Payment.Totals)
	}
	if now.Status != payment.RefundCanceled || now.Failure.Code != "disputed" {
		t.Errorf("the refund is %s: %+v", now.Status, now.Failure)
	}
	w.checkBooks(view)
}

// What can never be recorded is not asked for again; what may be later is.
func TestNoticeIsToldAgain(t *testing.T) {
	t.Parallel()
	w := start(t, wanted{
		processor: &company{refunds: always(payment.Outcome{Kind: payment.AttemptPending}, nil)},
		engine: func(e processor.Engine) processor.Engine {
			return &dying{Engine: e, times: 1, at: func(command payment.Command) bool {
				record, ok := command.(payment.RecordOutcome)
				return ok && record.Outcome.Kind == payment.AttemptSucceeded
			}}
		},
	})
	r := w.refund(w.pay(1000).ID, 400, "")
	w.until("the company has it", 0, func() bool {
		_, now := w.see(r.ID)
		return now.PendingReason == payment.PendingProcessor && w.isQuiet(payment.TaskSubmitRefund)
	})
	view, _ := w.see(r.ID)
	notice := processor.Notice{
		Tenant: w.tenant, Connector: connector, Payment: r.Payment, Refund: r.ID, Attempt: view.Attempts[0].ID, Outcome: done,
	}
	if err := w.carrier.Receive(t.Context(), notice); !errors.Is(err, errDied) {
		t.Errorf("not told again after %v", err)
	}
	w.receive(notice)
	if _, now := w.see(r.ID); now.Status != payment.RefundSucceeded {
		t.Errorf("it is %s", now.Status)
	}
	strange := notice
	strange.Attempt = newID()
	w.receive(strange)
	strange.Payment = newID()
	w.receive(strange)
	foreign := notice
	foreign.Tenant = newID()
	w.receive(foreign)
}

// The sandbox tells until it was heard.
func TestSandboxTellsUntilItIsHeard(t *testing.T) {
	t.Parallel()
	deaf := make(chan struct{}, 2)
	deaf <- struct{}{}
	deaf <- struct{}{}
	w := start(t, wanted{tells: func(hear receive) receive {
		return func(ctx context.Context, notice processor.Notice) error {
			select {
			case <-deaf:
				return fault.New(fault.Unavailable, "not now")
			default:
				return hear(ctx, notice)
			}
		}
	}})
	r := w.refund(w.pay(1000).ID, 400, "refundry:RETURNED")
	w.untilStatus(r.ID, payment.RefundReturned, 500*time.Millisecond)
}
