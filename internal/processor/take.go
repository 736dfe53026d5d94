package processor

import (
	"context"

	"github.com/refundry/refundry/internal/job"
	"github.com/refundry/refundry/internal/payment"
)

// take lets a processor that takes payments say how one goes on.
func (c *Carrier) take(ctx context.Context, j job.Job) (job.Verdict, error) {
	view, err := c.config.Reader.View(ctx, j.Tenant, j.Payment)
	if err != nil {
		return ended(err)
	}
	to, ok := c.connector(view.Payment.Connector)
	taker, takes := to.Processor.(Taker)
	if !ok || !takes {
		c.config.Log.WarnContext(ctx, "nobody takes the payment", "payment_id", j.Payment, "tenant_id", j.Tenant,
			"processor", view.Payment.Connector)
		return job.Done(), nil
	}
	timeout, _ := c.callTime(to)
	calling, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	end, references, err := taker.Take(calling, view.Payment)
	if err != nil {
		return job.Verdict{}, err
	}
	_, err = c.tell(ctx, payment.AdvancePayment{
		Meta: meta(j.Tenant, to.name), Payment: j.Payment, End: end, References: references,
	}, j.Ref())
	return ended(err)
}

// expire ends a payment that nobody acted on in time.
func (c *Carrier) expire(ctx context.Context, j job.Job) (job.Verdict, error) {
	view, err := c.config.Reader.View(ctx, j.Tenant, j.Payment)
	if err != nil {
		return ended(err)
	}
	expires := view.Payment.ExpiresAt
	if expires.IsZero() {
		return job.Done(), nil
	}
	if expires.After(c.config.Now()) {
		return job.Again(expires), nil
	}
	_, err = c.tell(ctx, payment.ExpirePayment{Meta: clockMeta(j.Tenant), Payment: j.Payment}, j.Ref())
	return ended(err)
}
