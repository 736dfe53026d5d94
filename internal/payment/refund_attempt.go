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
	InquireAt time.Time     // when to ask, should the one who starts be lost
	Expected  time.Duration // how long it takes there, as a rule; 0: nobody says
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
	tenant := b.Tenant(c.Tenant)
	if tenant.Halts(r.Connector) {
		return Answer{}, refuse(RuleHalted, "refunds have been stopped")
	}
	attempt := b.begin(c.Meta, &v, &r, c.Expected)
	b.watch(tenant, r)
	b.save(v)
	return Answer{View: v, Refund: r, Attempt: attempt, Reason: reasonOf(tenant.Settings, r.Reason)}, nil
}

// begin gives a refund a new attempt, which should take as long as expected; 0:
// nobody says.
func (b *Book) begin(meta Meta, v *View, r *Refund, expected time.Duration) Attempt {
	v.Payment.touch(b.Now)
	attempt := Attempt{
		Refund: r.ID, ID: b.newID(), Number: r.AttemptCount + 1, Connector: r.Connector,
		Outcome: AttemptOpen, StartedAt: v.Payment.UpdatedAt,
	}
	r.Attempt, r.AttemptCount = attempt.ID, attempt.Number
	r.expect(expected, &v.Payment)
	r.note(NoteSubmitted, &v.Payment)
	v.putRefund(*r)
	v.putAttempt(attempt)
	b.tell(meta, EventRefundSubmitted, r.ID, v.Payment, *r)
	return attempt
}

// lost gives up an attempt of which nobody knows whether it left.
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

// HoldRefund notes that a refund would have left, and that a policy has stopped
// it. It stays where it is, and leaves once the policy lets it.
type HoldRefund struct {
	Meta

	Payment PaymentID
	Refund  RefundID
}

// Need implements [Command].
func (c HoldRefund) Need() Need { return Need{Tenant: c.Tenant, Payment: c.Payment, Refund: c.Refund} }

// Apply implements [Command].
func (c HoldRefund) Apply(b *Book) (Answer, error) {
	return b.changeRefund(c.Meta, c.Payment, c.Refund, func(v *View, r *Refund) error {
		isHeld := r.PendingReason == PendingHalted
		if r.Status != RefundPending || r.IsSubmitted() || isHeld || !b.Tenant(c.Tenant).Halts(r.Connector) {
			return refuse(RuleStatus, "the refund is %s and is not stopped", r.Status)
		}
		v.Payment.touch(b.Now)
		r.note(NoteHalted, &v.Payment)
		b.tell(c.Meta, EventRefundHalted, r.ID, v.Payment, *r)
		return nil
	})
}

// ResendAttempt asks whether an attempt that may have left may be sent once
// more, just before it is: not while refunds are stopped, and not once somebody
// knows what became of it. It changes nothing.
type ResendAttempt struct {
	Meta

	Payment PaymentID
	Refund  RefundID
	Attempt AttemptID
}

// Need implements [Command].
func (c ResendAttempt) Need() Need {
	return Need{Tenant: c.Tenant, Payment: c.Payment, Refund: c.Refund}
}

// Apply implements [Command].
func (c ResendAttempt) Apply(b *Book) (Answer, error) {
	v, r, err := b.refund(c.Tenant, c.Payment, c.Refund)
	if err != nil {
		return Answer{}, err
	}
	attempt, ok := v.attempt(r.ID, c.Attempt)
	if !ok || attempt.ID != r.Attempt || attempt.Outcome.IsResolved() || !r.Status.IsRunning() {
		return Answer{}, refuse(RuleFence, "what became of the attempt is known")
	}
	tenant := b.Tenant(c.Tenant)
	if tenant.Halts(r.Connector) {
		return Answer{}, refuse(RuleHalted, "refunds have been stopped")
	}
	return Answer{
		View: v, Refund: r, Attempt: attempt, Reason: reasonOf(tenant.Settings, r.Reason), Unchanged: true,
	}, nil
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
