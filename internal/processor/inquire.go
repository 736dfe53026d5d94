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

// inquire asks what became of an attempt that has no final answer. Its place
// on the schedule follows from the attempt's age alone, so it does not matter
// who asks, or how often somebody died while asking.
func (c *Carrier) inquire(ctx context.Context, j job.Job) (job.Verdict, error) {
	view, err := c.config.Reader.Refund(ctx, j.Tenant, j.Subject)
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
	done, ok := c.mayCall(j, to)
	if !ok {
		return c.later(j, to), nil
	}
	outcome, ok := c.find(ctx, j, to, done, attempt, request(view, refund, attempt))
	if !ok {
		return c.flag(ctx, j, refund, "nobody can be asked, and a resend might pay twice")
	}
	if saysMore(outcome.Kind, attempt.Outcome) {
		_, err := c.learn(ctx, c.fact(to, refund, attempt, outcome), j.Ref())
		return ended(err)
	}
	pause, ok := inquireAfter(c.config.Now().Sub(attempt.StartedAt))
	if !ok {
		return c.flag(ctx, j, refund, "no final answer for a week")
	}
	return job.Again(c.config.Now().Add(pause)), nil
}

// saysMore reports whether an outcome says more than is known. That a resend
// was not sent says nothing about what was sent before.
func saysMore(outcome, known payment.AttemptOutcome) bool {
	switch outcome {
	case payment.AttemptSucceeded, payment.AttemptDeclined, payment.AttemptFailed, payment.AttemptReturned:
		return true
	case payment.AttemptPending:
		return known != payment.AttemptPending
	case payment.AttemptOpen, payment.AttemptUnknown, payment.AttemptNotSent:
		return false
	default:
		return false
	}
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
func (c *Carrier) find(ctx context.Context, j job.Job, to connector, done func(error), attempt payment.Attempt,
	request Request,
) (outcome payment.Outcome, ok bool) {
	age := c.config.Now().Sub(attempt.StartedAt)
	isSafe := to.knows(age)
	inquirer, canAsk := to.Processor.(Inquirer)
	switch {
	case canAsk:
	case isSafe:
		return c.again(ctx, j, to, done, request), true
	default: // one that is pending will be told by the processor itself
		done(errNotCalled)
		return payment.Outcome{Kind: attempt.Outcome}, attempt.Outcome == payment.AttemptPending
	}
	outcome, err := c.call(ctx, to, done, request, inquirer.Inquire)
	if !errors.Is(err, ErrNotFound) || !c.isSettled(to, attempt, age) {
		return outcome, true
	}
	if !isSafe {
		return outcome, false
	}
	if done, ok = c.mayCall(j, to); !ok {
		return outcome, true // at the next inquiry
	}
	return c.again(ctx, j, to, done, request), true
}

// knows reports whether the processor takes an attempt of an age that is sent
// again for the same refund.
func (to connector) knows(age time.Duration) bool {
	can := to.Capabilities()
	return can.Idempotency == IdempotencyKey && (can.KeyLifetime == 0 || age < can.KeyLifetime)
}

// again sends an attempt once more. Somebody may have settled the refund since
// it was read, or have stopped refunds: then nothing is sent, and nothing is
// learned.
func (c *Carrier) again(ctx context.Context, j job.Job, to connector, done func(error), request Request) payment.Outcome {
	answer, err := c.config.Engine.Do(ctx, payment.ResendAttempt{
		Meta: meta(request.Tenant, to.name), Payment: request.Payment.ID, Refund: request.Refund.ID, Attempt: request.Attempt,
	})
	if timeout, _ := c.callTime(to); err == nil && c.config.LeaseLeft(j) < timeout {
		err = errNotCalled // the commit took too long
	}
	if err != nil {
		done(errNotCalled)
		c.config.Log.InfoContext(ctx, "attempt not sent again", "refund_id", request.Refund.ID, "attempt_id", request.Attempt,
			"tenant_id", request.Tenant, "processor", to.name, "error", err)
		return payment.Outcome{Kind: payment.AttemptUnknown}
	}
	request.Reason = answer.Reason
	outcome, _ := c.call(ctx, to, done, request, to.Refund)
	return outcome
}

// isSettled reports whether an attempt that the processor does not know never
// arrived: its call is over, for an attempt is open until who sent it has
// heard or has lost the lease; and the processor has had its time to take note.
func (c *Carrier) isSettled(to connector, attempt payment.Attempt, age time.Duration) bool {
	timeout, _ := c.callTime(to)
	return attempt.Outcome != payment.AttemptOpen && age >= max(to.Capabilities().Settling, timeout)
}
