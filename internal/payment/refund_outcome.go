package payment

import (
	"time"
)

// Outcome is what a processor says, or what we must assume, of an attempt.
type Outcome struct {
	Kind         AttemptOutcome
	ProcessorRef string
	Failure      Failure // with declined, failed, not_sent and returned
	References   []Reference
	ExecutedAs   string        // "refund" or "void"
	Expected     time.Duration // with pending: how long it will still take; 0: nobody says
}

// RecordOutcome writes down a fact about an attempt. Facts may come late,
// twice and in any order: one that is known changes nothing, one that says
// less than is known is ignored, and a success after another end is adopted
// as a refund of its own.
type RecordOutcome struct {
	Meta

	Payment   PaymentID
	Refund    RefundID
	Attempt   AttemptID
	Connector string
	Outcome   Outcome
	Next      time.Time // when to ask again, or to try again after not_sent
}

// Need implements [Command].
func (c RecordOutcome) Need() Need {
	need := Need{Tenant: c.Tenant, Payment: c.Payment, Refund: c.Refund, Settles: true}
	if c.Outcome.ProcessorRef != "" {
		need.Aliases = []Alias{processorAlias(c.Connector, c.Outcome.ProcessorRef)}
	}
	if c.Outcome.Kind == AttemptReturned {
		need.Parts = PartRefunds // the money may have been adopted as another refund's
	}
	return need
}

// Apply implements [Command].
func (c RecordOutcome) Apply(b *Book) (Answer, error) {
	v, r, err := b.refund(c.Tenant, c.Payment, c.Refund)
	if err != nil {
		return Answer{}, err
	}
	return c.record(b, v, r, nil)
}

// record writes the fact down. evidence is a person's, nil if the processor
// itself has told it.
func (c RecordOutcome) record(b *Book, v View, r Refund, evidence *Evidence) (Answer, error) {
	attempt, ok := v.attempt(r.ID, c.Attempt)
	if !ok {
		return Answer{}, refuse(RuleFence, "the refund has no such attempt")
	}
	r = c.bearer(v, r, attempt)
	to, changes := c.verdict(r, attempt)
	switch {
	case to == adopt:
		return c.adopt(b, v, r, attempt)
	case !changes && c.namesMore(r, attempt):
		return c.update(b, v, r, attempt)
	case !changes:
		return Answer{View: v, Refund: r, Attempt: attempt, Unchanged: true}, nil
	}
	v.Payment.touch(b.Now)
	attempt.Outcome, attempt.EndedAt = c.Outcome.Kind, v.Payment.UpdatedAt
	if to == RefundReturned {
		attempt.Outcome = AttemptReturned
	}
	v.putAttempt(attempt)
	if isNamed := c.nameAtProcessor(b, &r); !isNamed && to == RefundSucceeded {
		to = RefundFailed
		c.Outcome.Failure = Failure{Code: "counted_elsewhere", Message: "the processor's refund was adopted before"}
	}
	c.learn(&r, to, &v.Payment)
	r.testify(evidence, &v.Payment)
	if err := c.settle(b, &v, &r, to); err != nil {
		return Answer{}, err
	}
	b.save(v)
	return Answer{View: v, Refund: r, Attempt: attempt}, nil
}

// bearer returns the refund that a fact is about: the refund itself, or the one
// that its money was adopted as, when that money comes back.
func (c RecordOutcome) bearer(v View, r Refund, attempt Attempt) Refund {
	if c.Outcome.Kind != AttemptReturned {
		return r
	}
	for _, other := range v.Refunds {
		if other.Corrects == r.ID && other.Attempt == attempt.ID && other.Status == RefundSucceeded {
			return other
		}
	}
	return r
}

// adopt is the verdict on a success that belongs to no refund we know.
const adopt RefundStatus = "adopt"

// verdict says which status a fact leads to, and whether it says anything new.
func (c RecordOutcome) verdict(r Refund, attempt Attempt) (to RefundStatus, changes bool) {
	isLast := attempt.ID == r.Attempt
	switch c.Outcome.Kind {
	case AttemptSucceeded:
		switch {
		case attempt.Outcome == AttemptSucceeded || attempt.Outcome == AttemptReturned:
			return r.Status, false
		case r.Status.IsRunning():
			return RefundSucceeded, true
		default: // ended otherwise, or by another attempt
			return adopt, false
		}
	case AttemptDeclined, AttemptFailed, AttemptReturned:
		switch {
		case r.Status == RefundSucceeded && attempt.Outcome == AttemptSucceeded:
			return RefundReturned, true
		case !r.Status.IsRunning() || !isLast || c.Outcome.Kind == AttemptReturned:
			return r.Status, false
		case c.Outcome.Kind == AttemptDeclined:
			return RefundDeclined, true
		default:
			return RefundFailed, true
		}
	case AttemptPending: // also of one that was believed not sent
		return RefundPending, isLast && r.Status.IsRunning() && attempt.Outcome != AttemptPending &&
			(!attempt.Outcome.IsResolved() || attempt.Outcome == AttemptNotSent)
	case AttemptUnknown:
		return RefundUnknown, isLast && r.Status.IsRunning() && attempt.Outcome == AttemptOpen
	case AttemptNotSent:
		return RefundPending, isLast && r.Status.IsRunning() && attempt.Outcome == AttemptOpen
	case AttemptOpen:
		return r.Status, false
	default:
		return r.Status, false
	}
}

// learn copies what the fact says about the refund itself, on its way to a
// status. Why it failed, and as what it was executed, belong to an end.
func (c RecordOutcome) learn(r *Refund, to RefundStatus, p *Payment) {
	if to == RefundSucceeded {
		r.ExecutedAs = c.Outcome.ExecutedAs
	}
	if to.Effect() == EffectNone {
		r.Failure = c.Outcome.Failure
	}
	if c.Outcome.Kind == AttemptPending {
		r.expect(c.Outcome.Expected, p)
	}
	r.References = learned(r.References, c.Outcome.References, p.Version)
}

// namesMore reports whether a fact that is known says more this time: a
// reference that became known later, an ARN for instance.
func (c RecordOutcome) namesMore(r Refund, attempt Attempt) bool {
	return attempt.ID == r.Attempt && attempt.Outcome == c.Outcome.Kind &&
		(r.Status == RefundPending || r.Status == RefundSucceeded) &&
		len(learned(r.References, c.Outcome.References, 0)) > len(r.References)
}

func (c RecordOutcome) update(b *Book, v View, r Refund, attempt Attempt) (Answer, error) {
	v.Payment.touch(b.Now)
	r.References = learned(r.References, c.Outcome.References, v.Payment.Version)
	b.remark(c.Meta, &v, &r)
	b.save(v)
	return Answer{View: v, Refund: r, Attempt: attempt}, nil
}

// remark tells of a change of a refund that is no step of its life.
func (b *Book) remark(meta Meta, v *View, r *Refund) {
	r.note(r.History.Last().Note, &v.Payment)
	v.putRefund(*r)
	b.tell(meta, EventRefundUpdated, r.ID, v.Payment, *r)
}

// settle moves the refund to where the fact leads, and leaves the next task.
func (c RecordOutcome) settle(b *Book, v *View, r *Refund, to RefundStatus) error {
	switch c.Outcome.Kind {
	case AttemptNotSent:
		task := inquiry(*r, c.Next)
		task.Kind = TaskSubmitRefund
		b.do(task)
		return c.pend(b, v, r, NoteNotSent, EventRefundNotSent)
	case AttemptPending:
		b.do(inquiry(*r, c.Next))
		return c.pend(b, v, r, NoteSubmitted, refundEvent(RefundPending))
	case AttemptUnknown:
		b.do(inquiry(*r, c.Next))
	case AttemptOpen, AttemptSucceeded, AttemptDeclined, AttemptFailed, AttemptReturned:
	}
	return b.advance(c.Meta, v, r, to)
}

// pend makes a refund pending again, or still, and notes why.
func (c RecordOutcome) pend(b *Book, v *View, r *Refund, note Note, kind EventKind) error {
	if r.Status != RefundPending {
		if err := r.move(RefundPending, v); err != nil {
			return err
		}
	}
	r.note(note, &v.Payment)
	v.putRefund(*r)
	b.tell(c.Meta, kind, r.ID, v.Payment, *r)
	return nil
}

// nameAtProcessor keeps the processor's id of the refund, by which a report or
// a webhook finds it. It returns false if that id stands for another refund.
func (c RecordOutcome) nameAtProcessor(b *Book, r *Refund) bool {
	if c.Outcome.ProcessorRef == "" {
		return true
	}
	if b.claim(r.Tenant, processorAlias(c.Connector, c.Outcome.ProcessorRef), r.ID) != nil {
		return false
	}
	r.ProcessorRef = c.Outcome.ProcessorRef
	return true
}

// adopt counts a success that no rule can refuse any more: the money is gone.
// If a report has told of it before, it is counted already.
func (c RecordOutcome) adopt(b *Book, v View, r Refund, attempt Attempt) (Answer, error) {
	v.Payment.touch(b.Now)
	attempt.Outcome, attempt.EndedAt = AttemptSucceeded, v.Payment.UpdatedAt
	v.putAttempt(attempt)
	alias := processorAlias(c.Connector, c.Outcome.ProcessorRef)
	owner, isTaken := b.aliases[aliasKey{c.Tenant, alias}]
	if isTaken && owner != r.ID {
		b.remark(c.Meta, &v, &r)
		b.save(v)
		return Answer{View: v, Refund: r, Attempt: attempt}, nil
	}
	lines := v.fall(r.Amount.Minor, r.RetryOf, r.Lines) // they may be given back by others by now, or gone
	adopted := b.adopt(c.Meta, &v, Refund{
		Amount: r.Amount, Lines: lines, Reason: r.Reason, Reference: r.Reference,
		Connector: r.Connector, ProcessorRef: c.Outcome.ProcessorRef, References: c.Outcome.References,
		Corrects: r.ID, Attempt: attempt.ID, Capture: r.Capture,
	})
	if c.Outcome.ProcessorRef != "" && !isTaken {
		if err := b.claim(c.Tenant, alias, adopted.ID); err != nil {
			return Answer{}, err // it is free: this cannot be
		}
	}
	b.save(v)
	return Answer{View: v, Refund: adopted, Attempt: attempt}, nil
}
