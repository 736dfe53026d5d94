package processor

import (
	"context"
	"errors"
	"time"

	"github.com/refundry/refundry/internal/job"
	"github.com/refundry/refundry/internal/payment"
)

// ErrNotFound means that the processor does not know an attempt. That is no
// confirmed no: the attempt may still be on its way.
var ErrNotFound = errors.New("the processor does not know the attempt")

// inquire asks what became of an attempt that has no final answer.
func (c *Carrier) inquire(ctx context.Context, j job.Job) (job.Verdict, error) {
	view, err := c.config.Reader.ViewOfRefund(ctx, j.Tenant, j.Subject)
	if err != nil {
		return ended(err)
	}
	refund, _ := view.Refund(j.Subject)
	attempt, open := openAttempt(view, refund)
	if !open {
		return job.Done(), nil
	}
	to, ok := c.connector(refund.Connector)
	if !ok {
		return c.flag(ctx, j, refund, "no connector of that name")
	}
	pause, ok := inquireAfter(c.config.Now().Sub(attempt.StartedAt))
	if !ok {
		return c.flag(ctx, j, refund, "no answer for a week")
	}
	done, ok := c.mayCall(j, to)
	if !ok {
		return c.later(j, to), nil
	}
	outcome, known := c.find(ctx, to, done, attempt, c.request(view, refund, attempt))
	if !known {
		return c.flag(ctx, j, refund, "the processor does not know the attempt, and a resend might pay twice")
	}
	answer, err := c.tellOutcome(ctx, j, to, refund, attempt, outcome)
	if err == nil && answer.Unchanged && answer.Refund.Status.IsRunning() {
		return job.Again(c.config.Now().Add(pause)), nil
	}
	return ended(err)
}

// tellOutcome records an outcome. The job ends in its commit unless nothing
// changed, for then it must ask again.
func (c *Carrier) tellOutcome(ctx context.Context, j job.Job, to *connector, refund payment.Refund,
	attempt payment.Attempt, outcome payment.Outcome,
) (payment.Answer, error) {
	isSame := outcome.Kind == attempt.Outcome || outcome.Kind == payment.AttemptUnknown
	if isSame && !outcome.Kind.IsResolved() {
		return payment.Answer{Refund: refund, Unchanged: true}, nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordPatience)
	defer cancel()
	return c.config.Engine.Do(ctx, payment.RecordOutcome{
		Meta: meta(j.Tenant, to.name), Payment: refund.Payment, Refund: refund.ID, Attempt: attempt.ID,
		Connector: to.name, Outcome: outcome, Next: c.next(refund, attempt, outcome),
	}, j.Ref())
}

// openAttempt returns the attempt of a running refund whose end is not known.
func openAttempt(view payment.View, refund payment.Refund) (payment.Attempt, bool) {
	if !refund.Status.IsRunning() {
		return payment.Attempt{}, false
	}
	for _, attempt := range view.Attempts {
		if attempt.Refund == refund.ID && attempt.ID == refund.Attempt {
			return attempt, !attempt.Outcome.IsResolved()
		}
	}
	return payment.Attempt{}, false
}

// find asks for an attempt, or sends the same one again where that cannot pay
// twice. It returns false where only a person can find out.
func (c *Carrier) find(ctx context.Context, to *connector, done func(error), attempt payment.Attempt, request Request,
) (outcome payment.Outcome, known bool) {
	can := to.Capabilities()
	isSafe := can.Idempotency == IdempotencyKey &&
		(can.KeyLifetime == 0 || c.config.Now().Sub(attempt.StartedAt) < can.KeyLifetime)
	inquirer, ok := to.Processor.(Inquirer)
	if !ok {
		if !isSafe {
			done(nil)
			return payment.Outcome{}, false
		}
		return c.refund(ctx, to, done, request), true
	}
	isMissing := false
	outcome = c.call(ctx, to, done, request, func(ctx context.Context, request Request) (payment.Outcome, error) {
		found, err := inquirer.Inquire(ctx, request)
		if isMissing = errors.Is(err, ErrNotFound); isMissing {
			return payment.Outcome{Kind: payment.AttemptUnknown}, nil
		}
		return found, err
	})
	timeout, _ := c.callTime(to)
	if !isMissing || c.config.Now().Sub(attempt.StartedAt) < max(can.Settling, timeout) {
		return outcome, true // it may still be on its way
	}
	if !isSafe {
		return payment.Outcome{}, false
	}
	done, err := to.breaker.Allow()
	if err != nil {
		return outcome, true
	}
	return c.refund(ctx, to, done, request), true
}

// take lets a processor that takes payments say how one goes on.
func (c *Carrier) take(ctx context.Context, j job.Job) (job.Verdict, error) {
	view, err := c.config.Reader.View(ctx, j.Tenant, j.Payment)
	if err != nil {
		return ended(err)
	}
	to, ok := c.connector(view.Payment.Connector)
	if !ok {
		return job.Done(), nil
	}
	taker, ok := to.Processor.(Taker)
	if !ok {
		return job.Done(), nil
	}
	end, references, err := taker.Take(ctx, view.Payment)
	if err != nil {
		return job.Verdict{}, err
	}
	return ended(c.tell(ctx, payment.AdvancePayment{
		Meta: meta(j.Tenant, to.name), Payment: j.Payment, End: end, References: references,
	}, j.Ref()))
}

// expire ends a payment that nobody acted on in time.
func (c *Carrier) expire(ctx context.Context, j job.Job) (job.Verdict, error) {
	view, err := c.config.Reader.View(ctx, j.Tenant, j.Payment)
	if err != nil {
		return ended(err)
	}
	if expires := view.Payment.ExpiresAt; expires.IsZero() {
		return job.Done(), nil
	} else if expires.After(c.config.Now()) {
		return job.Again(expires), nil
	}
	return ended(c.tell(ctx, payment.ExpirePayment{Meta: clockMeta(j.Tenant), Payment: j.Payment}, j.Ref()))
}

// Receive records what a processor tells by itself. An error means that it has
// to be told again.
func (c *Carrier) Receive(ctx context.Context, notice Notice) error {
	var command payment.Command
	if dispute := notice.Dispute; dispute != nil {
		command = payment.OpenDispute{
			Meta: meta(notice.Tenant, notice.Connector), Payment: notice.Payment, Kind: dispute.Kind,
			Amount: dispute.Amount, IsFact: true, Connector: notice.Connector, ProcessorRef: dispute.ProcessorRef,
			Reason: dispute.Reason,
		}
	} else {
		command = payment.RecordOutcome{
			Meta: meta(notice.Tenant, notice.Connector), Payment: notice.Payment, Refund: notice.Refund,
			Attempt: notice.Attempt, Connector: notice.Connector, Outcome: notice.Outcome,
			Next: c.config.Now().Add(time.Second),
		}
	}
	answer, err := c.config.Engine.Do(ctx, command)
	if err == nil && notice.Outcome.Kind == payment.AttemptReturned && answer.Refund.Status.IsRunning() {
		return c.catchUp(ctx, command)
	}
	if isRefusal(err) {
		c.config.Log.WarnContext(ctx, "processor's notice refused", "payment_id", notice.Payment,
			"tenant_id", notice.Tenant, "processor", notice.Connector, "error", err)
		return nil // told again, it would be refused again
	}
	return err
}

// catchUp records a return whose success nobody has recorded yet: first that,
// then the return.
func (c *Carrier) catchUp(ctx context.Context, command payment.Command) error {
	returned, ok := command.(payment.RecordOutcome)
	if !ok {
		return nil
	}
	succeeded := returned
	succeeded.Outcome.Kind, succeeded.Outcome.Failure = payment.AttemptSucceeded, payment.Failure{}
	if _, err := c.config.Engine.Do(ctx, succeeded); err != nil {
		return err
	}
	_, err := c.config.Engine.Do(ctx, returned)
	return err
}
