package processor

import (
	"context"

	"github.com/refundry/refundry/internal/payment"
)

// Receive records what a processor tells by itself. An error means that it has
// to be told again; what would be refused again is only logged.
func (c *Carrier) Receive(ctx context.Context, notice Notice) error {
	var err error
	if notice.Dispute != nil {
		_, err = c.config.Engine.Do(ctx, disputed(notice))
	} else {
		_, err = c.learn(ctx, payment.RecordOutcome{
			Meta: meta(notice.Tenant, notice.Connector), Payment: notice.Payment, Refund: notice.Refund,
			Attempt: notice.Attempt, Connector: notice.Connector, Outcome: notice.Outcome,
			Next: c.config.Now().Add(inquiries[0].pause),
		})
	}
	if isRefusal(err) {
		c.config.Log.WarnContext(ctx, "processor's notice refused", "payment_id", notice.Payment,
			"refund_id", notice.Refund, "attempt_id", notice.Attempt, "tenant_id", notice.Tenant,
			"processor", notice.Connector, "error", err)
		return nil
	}
	return err
}

// disputed is the command that writes a dispute down.
func disputed(notice Notice) payment.OpenDispute {
	dispute := notice.Dispute
	return payment.OpenDispute{
		Meta: meta(notice.Tenant, notice.Connector), Payment: notice.Payment, Kind: dispute.Kind,
		Amount: dispute.Amount, IsFact: true, Connector: notice.Connector, ProcessorRef: dispute.ProcessorRef,
		Reason: dispute.Reason,
	}
}

// learn records a fact that may come in any order: money that came back had
// gone before, also where nobody has heard of that yet.
func (c *Carrier) learn(ctx context.Context, fact payment.RecordOutcome, finish ...payment.TaskRef,
) (payment.Answer, error) {
	if fact.Outcome.Kind != payment.AttemptReturned {
		return c.tell(ctx, fact, finish...)
	}
	answer, err := c.tell(ctx, fact)
	if err != nil {
		return answer, err
	}
	if answer.Unchanged && answer.Refund.Status.IsRunning() {
		went := fact
		went.Outcome.Kind, went.Outcome.Failure = payment.AttemptSucceeded, payment.Failure{}
		if answer, err = c.tell(ctx, went); err != nil {
			return answer, err
		}
	}
	return c.tell(ctx, fact, finish...)
}
