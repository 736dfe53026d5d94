package sandbox

import (
	"context"

	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/processor"
)

// Captures is the sandbox as a company that refunds captures, one at a time. It
// has the same record, plans and clock.
type Captures struct{ *Sandbox }

// Capabilities implements [processor.Processor].
func (c Captures) Capabilities() processor.Capabilities {
	can := c.Sandbox.Capabilities()
	can.RefundsCaptures = true
	return can
}

// Refund implements [processor.Processor]. What names no capture comes to
// nothing, whatever is planned: such a company would not know which to refund.
func (c Captures) Refund(ctx context.Context, request processor.Request) (payment.Outcome, error) {
	if request.Refund.Capture.IsZero() {
		return payment.Outcome{Kind: payment.AttemptFailed, Failure: payment.Failure{
			Code: "capture_required", Message: "the processor refunds captures, and the refund names none", ProcessorCode: "30",
		}}, nil
	}
	return c.Sandbox.Refund(ctx, request)
}
