package processor_test

import (
	"context"
	"testing"
	"time"

	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/processor"
)

// Wherever the process dies around a call, the refund ends, with one attempt
// and one movement of money.
func TestDeathAroundACall(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name    string
		at      func(payment.Command) bool
		after   bool
		times   int
		message string
		end     payment.RefundStatus
		moved   int
	}{
		{"before the attempt is written", isStart, false, 1, "", payment.RefundSucceeded, 1},
		{"with the attempt written, before the call", isStart, true, 1, "", payment.RefundSucceeded, 1},
		{"twice with the attempt written", isStart, true, 2, "", payment.RefundSucceeded, 1},
		{"after the call, before its outcome is written", isRecord, false, 1, "", payment.RefundSucceeded, 1},
		{"again and again before the outcome is written", isRecord, false, 5, "", payment.RefundSucceeded, 1},
		{"with the outcome written", isRecord, true, 1, "", payment.RefundSucceeded, 1},
		{"after a no", isRecord, false, 1, "refundry:DECLINED", payment.RefundDeclined, 0},
		{"after a call without an answer", isRecord, false, 1, "refundry:TIMEOUT_DONE", payment.RefundSucceeded, 1},
		{"after a call that never arrived", isRecord, false, 2, "refundry:TIMEOUT_LOST", payment.RefundSucceeded, 1},
		{"before a success is known that comes back", isRecord, false, 3, "refundry:RETURNED", payment.RefundReturned, 1},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			w := start(t, wanted{engine: func(e processor.Engine) processor.Engine {
				return &dying{Engine: e, at: row.at, after: row.after, times: row.times}
			}})
			r := w.refund(w.pay(1000).ID, 600, row.message)
			w.untilStatus(r.ID, row.end, 500*time.Millisecond)
			view, _ := w.see(r.ID)
			if moved := w.moved(r.ID); moved != row.moved {
				t.Errorf("money moved %d times, want %d", moved, row.moved)
			}
			if len(view.Attempts) != 1 {
				t.Errorf("%d attempts", len(view.Attempts))
			}
			w.checkBooks(view)
		})
	}
}

// An attempt is committed before a byte leaves: what the company sees, the
// store has.
func TestAttemptIsWrittenFirst(t *testing.T) {
	t.Parallel()
	seen := make(chan bool, 1)
	var w *world
	began := make(chan struct{})
	firm := &company{refunds: func(ctx context.Context, _ int, request processor.Request) (payment.Outcome, error) {
		<-began
		view, err := w.store.ViewOfRefund(ctx, request.Tenant, request.Refund.ID)
		seen <- err == nil && len(view.Attempts) == 1 && view.Attempts[0].ID == request.Attempt &&
			view.Attempts[0].Outcome == payment.AttemptOpen
		return payment.Outcome{Kind: payment.AttemptSucceeded}, nil
	}}
	w = start(t, wanted{processor: firm})
	close(began)
	r := w.refund(w.pay(1000).ID, 600, "")
	w.untilStatus(r.ID, payment.RefundSucceeded, 0)
	if !<-seen {
		t.Error("the attempt was not in the store when it left")
	}
}
