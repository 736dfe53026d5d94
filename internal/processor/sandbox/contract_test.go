package sandbox_test

import (
	"testing"

	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/processor"
	"github.com/refundry/refundry/internal/processor/processortest"
	"github.com/refundry/refundry/internal/processor/sandbox"
)

// The sandbox keeps the contract of every adapter, in both of its ways.
func TestContract(t *testing.T) {
	onBoth(t, map[string]func(*testing.T, open){
		"as every adapter": func(t *testing.T, open open) {
			s := open(t)
			keepsContract(t, s, s, payment.CaptureID{})
		},
		"as one that refunds captures": func(t *testing.T, open open) {
			s := open(t)
			keepsContract(t, s, sandbox.Captures{Sandbox: s}, newID())
		},
	})
}

// keepsContract runs the contract with refunds that name a capture, if it is one.
func keepsContract(t *testing.T, s *sandbox.Sandbox, as processor.Processor, capture payment.CaptureID) {
	t.Helper()
	tenant := payment.TenantID(newID())
	processortest.Run(t, func(*testing.T) processortest.Subject {
		return processortest.Subject{
			Processor: as,
			Request: func() processor.Request {
				request := ask(tenant, 1000, "")
				request.Refund.Capture = capture
				return request
			},
			Moved: func(attempt payment.AttemptID) int {
				movements, err := s.Movements(t.Context(), tenant, payment.RefundID{})
				if err != nil {
					t.Error(err)
				}
				for _, movement := range movements {
					if movement.Attempt == attempt {
						return movement.Count
					}
				}
				return 0
			},
		}
	})
}

// Where captures are refunded, what names none comes to nothing, whatever is
// asked for otherwise.
func TestARefundThatNamesNoCapture(t *testing.T) {
	onBoth(t, map[string]func(*testing.T, open){
		"it fails": func(t *testing.T, open open) {
			s := open(t)
			at := sandbox.Captures{Sandbox: s}
			if !at.Capabilities().RefundsCaptures || s.Capabilities().RefundsCaptures {
				t.Error("one of the two refunds captures")
			}
			request := ask(newID(), 1000, "refundry:TIMEOUT_DONE")
			outcome, err := at.Refund(t.Context(), request)
			if err != nil || outcome.Kind != payment.AttemptFailed || outcome.Failure.Code != "capture_required" {
				t.Errorf("got %+v, %v", outcome, err)
			}
			if count := moved(t, s, request); count != 0 {
				t.Errorf("money moved %d times", count)
			}
		},
	})
}
