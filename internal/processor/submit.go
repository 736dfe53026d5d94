package processor

import (
	"context"
	"time"

	"github.com/refundry/refundry/internal/job"
	"github.com/refundry/refundry/internal/payment"
)

// submit sends a refund for the first time. The attempt is committed before
// any byte leaves; should this process die after that, the next holder of the
// job finds the attempt, and asks before anything is sent again.
func (c *Carrier) submit(ctx context.Context, j job.Job) (job.Verdict, error) {
	view, err := c.config.Reader.ViewOfRefund(ctx, j.Tenant, j.Subject)
	if err != nil {
		return ended(err)
	}
	refund, _ := view.Refund(j.Subject)
	to, ok := c.connector(refund.Connector)
	if !ok {
		return c.flag(ctx, j, refund, "no connector of that name")
	}
	done, ok := c.mayCall(j, to)
	if !ok {
		return c.later(j, to), nil
	}
	answer, err := c.config.Engine.Do(ctx, payment.StartAttempt{
		Meta: meta(j.Tenant, to.name), Payment: view.Payment.ID, Refund: refund.ID, InquireAt: c.config.Now(),
	})
	if err != nil || answer.Attempt.ID.IsZero() {
		done(nil) // nothing was called
		if err == nil {
			return job.Done(), nil // it may have left before: an inquiry is due
		}
		return ended(err)
	}
	view = answer.View
	outcome := c.refund(ctx, to, done, c.request(view, answer.Refund, answer.Attempt))
	return c.record(ctx, j, to, answer.Refund, answer.Attempt, outcome)
}

// request is an attempt, as the processor must know it.
func (c *Carrier) request(view payment.View, refund payment.Refund, attempt payment.Attempt) Request {
	return Request{
		Tenant: refund.Tenant, Connector: refund.Connector, Attempt: attempt.ID, Refund: refund, Payment: view.Payment,
	}
}

// refund calls the processor. Any error means that the outcome is unknown.
func (c *Carrier) refund(ctx context.Context, to *connector, done func(error), request Request) payment.Outcome {
	return c.call(ctx, to, done, request, to.Refund)
}

// call runs one call of a processor under its timeout.
func (c *Carrier) call(ctx context.Context, to *connector, done func(error), request Request,
	do func(context.Context, Request) (payment.Outcome, error),
) payment.Outcome {
	timeout, _ := c.callTime(to)
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	began := c.config.Machine()
	outcome, err := do(ctx, request)
	if err != nil {
		outcome = payment.Outcome{Kind: payment.AttemptUnknown}
		c.config.Log.WarnContext(ctx, "refund outcome unknown", "refund_id", request.Refund.ID,
			"attempt_id", request.Attempt, "tenant_id", request.Tenant, "processor", to.name, "error", err)
	}
	done(err)
	c.config.Metrics.Called(to.name, string(outcome.Kind), c.config.Machine().Sub(began))
	return outcome
}

// record writes an outcome down, and ends the job in its commit.
func (c *Carrier) record(ctx context.Context, j job.Job, to *connector, refund payment.Refund, attempt payment.Attempt,
	outcome payment.Outcome,
) (job.Verdict, error) {
	return ended(c.tell(ctx, payment.RecordOutcome{
		Meta: meta(j.Tenant, to.name), Payment: refund.Payment, Refund: refund.ID, Attempt: attempt.ID,
		Connector: to.name, Outcome: outcome, Next: c.next(refund, attempt, outcome),
	}, j.Ref()))
}

// recordPatience is how long an outcome is tried to be written down. It is
// worth waiting for: what is not written down has to be found out again.
const recordPatience = 30 * time.Second

func (c *Carrier) tell(ctx context.Context, command payment.Command, finish ...payment.TaskRef) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordPatience)
	defer cancel()
	_, err := c.config.Engine.Do(ctx, command, finish...)
	return err
}

// flag hands a refund to a person. It stays reserved.
func (c *Carrier) flag(ctx context.Context, j job.Job, refund payment.Refund, why string) (job.Verdict, error) {
	c.config.Log.ErrorContext(ctx, "refund needs review", "refund_id", refund.ID, "tenant_id", refund.Tenant,
		"processor", refund.Connector, "reason", why)
	return ended(c.tell(ctx, payment.FlagRefund{
		Meta: meta(j.Tenant, refund.Connector), Payment: refund.Payment, Refund: refund.ID,
	}, j.Ref()))
}

// start lets a scheduled refund go.
func (c *Carrier) start(ctx context.Context, j job.Job) (job.Verdict, error) {
	view, err := c.config.Reader.ViewOfRefund(ctx, j.Tenant, j.Subject)
	if err != nil {
		return ended(err)
	}
	refund, _ := view.Refund(j.Subject)
	if refund.Status == payment.RefundScheduled && refund.NotBefore.After(c.config.Now()) {
		return job.Again(refund.NotBefore), nil
	}
	return ended(c.tell(ctx, payment.StartRefund{
		Meta: clockMeta(j.Tenant), Payment: view.Payment.ID, Refund: refund.ID,
	}, j.Ref()))
}

// later returns when a job that may not call now comes again: at once if all
// it needs is a whole lease.
func (c *Carrier) later(j job.Job, to *connector) job.Verdict {
	if _, needed := c.callTime(to); c.config.LeaseLeft(j) < needed {
		return job.Again(c.config.Now())
	}
	return job.Again(c.config.Now().Add(waitPause))
}
