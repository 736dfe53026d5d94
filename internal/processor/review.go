package processor

import (
	"context"

	"github.com/refundry/refundry/internal/job"
	"github.com/refundry/refundry/internal/payment"
)

// resend sends the same attempt once more because a person says so, and only
// where that cannot pay twice. Without a final answer the refund is theirs again.
func (c *Carrier) resend(ctx context.Context, j job.Job) (job.Verdict, error) {
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
	if !to.knows(c.config.Now().Sub(attempt.StartedAt)) {
		return c.flag(ctx, j, refund, "a resend might pay twice")
	}
	done, ok := c.mayCall(j, to)
	if !ok {
		return c.later(j, to), nil
	}
	outcome := c.again(ctx, j, to, done, request(view, refund, attempt))
	if saysMore(outcome.Kind, attempt.Outcome) {
		_, err := c.learn(ctx, c.fact(to, refund, attempt, outcome), j.Ref())
		return ended(err)
	}
	return c.flag(ctx, j, refund, "it was sent again, and there is no final answer")
}

// watch tells that a refund is on its way for too long.
func (c *Carrier) watch(ctx context.Context, j job.Job) (job.Verdict, error) {
	answer, err := c.tell(ctx, payment.WatchRefund{Meta: clockMeta(j.Tenant), Payment: j.Payment, Refund: j.Subject}, j.Ref())
	if err == nil && !answer.Unchanged {
		c.config.Log.WarnContext(ctx, "refund stuck", "refund_id", payment.RefundID(j.Subject), "tenant_id", j.Tenant,
			"processor", answer.Refund.Connector)
	}
	return ended(err)
}

// expireRefund cancels a refund that nobody has approved in time.
func (c *Carrier) expireRefund(ctx context.Context, j job.Job) (job.Verdict, error) {
	view, err := c.config.Reader.Refund(ctx, j.Tenant, j.Subject)
	if err != nil {
		return ended(err)
	}
	refund, _ := view.Refund(j.Subject)
	if refund.Status == payment.RefundAwaitingApproval && refund.ExpiresAt.After(c.config.Now()) {
		return job.Again(refund.ExpiresAt), nil
	}
	_, err = c.tell(ctx, payment.ExpireRefund{
		Meta: clockMeta(j.Tenant), Payment: view.Payment.ID, Refund: refund.ID,
	}, j.Ref())
	return ended(err)
}
