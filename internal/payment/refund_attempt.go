package payment

import (
	"slices"
	"time"
)

// StartAttempt writes down that a refund is about to leave. Only after its
// commit may a byte go to the processor.
type StartAttempt struct {
	Meta

	Payment   PaymentID
	Refund    RefundID
	InquireAt time.Time // when to ask, should the one who starts be lost
}

// Need implements [Command].
func (c StartAttempt) Need() Need {
	return Need{Tenant: c.Tenant, Payment: c.Payment, Refund: c.Refund}
}

// Apply implements [Command]. If an attempt was started before and nobody
// recorded what became of it, it may have arrived: then the refund becomes
// unknown, an inquiry is due, and the answer has no attempt to send.
func (c StartAttempt) Apply(b *Book) (Answer, error) {
	v, r, err := b.refund(c.Tenant, c.Payment, c.Refund)
	if err != nil {
		return Answer{}, err
	}
	if r.Status != RefundPending {
		return Answer{}, refuse(RuleStatus, "the refund is %s and cannot leave", r.Status)
	}
	if last, ok := v.lastAttempt(r.ID); ok && !last.Outcome.IsResolved() {
		return c.lost(b, v, r, last)
	}
	v.Payment.touch(b.Now)
	attempt := Attempt{
		Refund: r.ID, ID: b.newID(), Number: r.AttemptCount + 1, Connector: r.Connector,
		Outcome: AttemptOpen, StartedAt: v.Payment.UpdatedAt,
	}
	r.Attempt, r.AttemptCount = attempt.ID, attempt.Number
	r.note(NoteSubmitted, &v.Payment)
	v.putRefund(r)
	v.putAttempt(attempt)
	b.tell(c.Meta, EventRefundSubmitted, r.ID, v.Payment, r)
	b.save(v)
	return Answer{View: v, Refund: r, Attempt: attempt}, nil
}

func (c StartAttempt) lost(b *Book, v View, r Refund, attempt Attempt) (Answer, error) {
	if attempt.Outcome == AttemptPending {
		b.do(inquiry(r, c.InquireAt))
		return Answer{View: v, Refund: r, Unchanged: true}, nil
	}
	v.Payment.touch(b.Now)
	attempt.Outcome = AttemptUnknown
	v.putAttempt(attempt)
	if err := b.advance(c.Meta, &v, &r, RefundUnknown); err != nil {
		return Answer{}, err
	}
	b.do(inquiry(r, b.Now))
	b.save(v)
	return Answer{View: v, Refund: r}, nil
}

// lastAttempt returns the newest attempt of a refund.
func (v View) lastAttempt(refund RefundID) (Attempt, bool) {
	for _, attempt := range slices.Backward(v.Attempts) {
		if attempt.Refund == refund {
			return attempt, true
		}
	}
	return Attempt{}, false
}

// attempt returns one attempt of a refund.
func (v View) attempt(refund RefundID, id AttemptID) (Attempt, bool) {
	for _, attempt := range v.Attempts {
		if attempt.Refund == refund && attempt.ID == id {
			return attempt, true
		}
	}
	return Attempt{}, false
}

func (v *View) putAttempt(attempt Attempt) {
	v.Attempts = put(v.Attempts, attempt, func(a, b Attempt) bool { return a.ID == b.ID })
}

// inquiry is the task that asks what became of a refund.
func inquiry(r Refund, at time.Time) Task {
	return Task{
		Tenant: r.Tenant, Kind: TaskInquireRefund, Subject: r.ID, Payment: r.Payment,
		Queue: ProcessorQueue(r.Connector), DueAt: at,
	}
}
