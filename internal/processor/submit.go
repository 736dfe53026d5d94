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
	view, err := c.config.Reader.Refund(ctx, j.Tenant, j.Subject)
	if err != nil {
		return ended(err)
	}
	refund, _ := view.Refund(j.Subject)
	to, ok := c.connector(refund.Connector)
	if !ok {
		return c.flag(ctx, j, refund, "no connector of that name")
	}
	isMeant := refund.History.Last().Note == payment.NoteResent // a person lets it be tried once more
	if _, open := openAttempt(view, refund); !open && !isMeant && refund.AttemptCount >= notSentMax {
		return c.flag(ctx, j, refund, "it could not be sent for a week")
	}
	done, ok := c.mayCall(j, to)
	if !ok {
		return c.later(j, to), nil
	}
	answer, err := c.config.Engine.Do(ctx, payment.StartAttempt{
		Meta: meta(j.Tenant, to.name), Payment: view.Payment.ID, Refund: refund.ID, InquireAt: c.config.Now(),
		Expected: to.Capabilities().Expected,
	})
	if err != nil {
		done(errNotCalled)
		if isHalted(err) {
			return c.hold(ctx, j, refund)
		}
		return ended(err)
	}
	refund, attempt := answer.Refund, answer.Attempt
	if attempt.ID.IsZero() { // an earlier attempt may have left: an inquiry is due
		done(errNotCalled)
		return job.Done(), nil
	}
	if timeout, _ := c.callTime(to); c.config.LeaseLeft(j) < timeout { // the commit took too long
		done(errNotCalled)
		return c.record(ctx, j, to, refund, attempt, payment.Outcome{Kind: payment.AttemptNotSent})
	}
	asked := request(answer.View, refund, attempt)
	asked.Reason = answer.Reason
	outcome, _ := c.call(ctx, to, done, asked, to.Refund)
	return c.record(ctx, j, to, refund, attempt, outcome)
}

// request is an attempt, as the processor must know it.
func request(view payment.View, refund payment.Refund, attempt payment.Attempt) Request {
	return Request{
		Tenant: refund.Tenant, Connector: refund.Connector, Attempt: attempt.ID, Refund: refund, Payment: view.Payment,
	}
}

// recordPatience is how long an outcome is tried to be written down. It is
// worth waiting for: what is not written down has to be found out again.
const recordPatience = 30 * time.Second

// record writes an outcome down, and ends the job in its commit. If nothing
// changes, somebody else has learned more meanwhile and goes on with it.
func (c *Carrier) record(ctx context.Context, j job.Job, to connector, refund payment.Refund, attempt payment.Attempt,
	outcome payment.Outcome,
) (job.Verdict, error) {
	_, err := c.tell(ctx, c.fact(to, refund, attempt, outcome), j.Ref())
	return ended(err)
}

// fact is the command that writes an outcome down.
func (c *Carrier) fact(to connector, refund payment.Refund, attempt payment.Attempt, outcome payment.Outcome,
) payment.RecordOutcome {
	return payment.RecordOutcome{
		Meta: meta(refund.Tenant, to.name), Payment: refund.Payment, Refund: refund.ID, Attempt: attempt.ID,
		Connector: to.name, Outcome: outcome, Next: c.next(refund, attempt, outcome),
	}
}

// tell runs a command that must not be lost because somebody stops waiting.
func (c *Carrier) tell(ctx context.Context, command payment.Command, finish ...payment.TaskRef) (payment.Answer, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordPatience)
	defer cancel()
	return c.config.Engine.Do(ctx, command, finish...)
}

// flag hands a refund to a person. It stays reserved.
func (c *Carrier) flag(ctx context.Context, j job.Job, refund payment.Refund, why string) (job.Verdict, error) {
	c.config.Log.ErrorContext(ctx, "refund needs review", "refund_id", refund.ID, "tenant_id", refund.Tenant,
		"processor", refund.Connector, "reason", why)
	_, err := c.tell(ctx, payment.FlagRefund{
		Meta: meta(j.Tenant, refund.Connector), Payment: refund.Payment, Refund: refund.ID,
	}, j.Ref())
	return ended(err)
}

// hold keeps a refund from leaving while a policy has stopped refunds. It is
// noted once, and tried again until the policy lets it.
func (c *Carrier) hold(ctx context.Context, j job.Job, refund payment.Refund) (job.Verdict, error) {
	if refund.PendingReason != payment.PendingHalted {
		_, err := c.tell(ctx, payment.HoldRefund{Meta: clockMeta(j.Tenant), Payment: refund.Payment, Refund: refund.ID})
		if err != nil && !isRefusal(err) {
			return job.Verdict{}, err
		}
	}
	now := c.config.Now()
	return job.Again(now.Add(job.Jitter(heldAfter(now.Sub(refund.UpdatedAt)), c.config.Luck()))), nil
}

// start lets a scheduled refund go.
func (c *Carrier) start(ctx context.Context, j job.Job) (job.Verdict, error) {
	view, err := c.config.Reader.Refund(ctx, j.Tenant, j.Subject)
	if err != nil {
		return ended(err)
	}
	refund, _ := view.Refund(j.Subject)
	if refund.Status == payment.RefundScheduled && refund.NotBefore.After(c.config.Now()) {
		return job.Again(refund.NotBefore), nil
	}
	_, err = c.tell(ctx, payment.StartRefund{
		Meta: clockMeta(j.Tenant), Payment: view.Payment.ID, Refund: refund.ID,
	}, j.Ref())
	return ended(err)
}
