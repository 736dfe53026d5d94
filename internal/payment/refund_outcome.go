package payment

import (
	"slices"
	"time"

	"github.com/refundry/refundry/internal/money"
)

// Outcome is what a processor says, or what we must assume, of an attempt.
type Outcome struct {
	Kind         AttemptOutcome
	ProcessorRef string
	Failure      Failure // with declined, failed, not_sent and returned
	References   []Reference
	ExecutedAs   string // "refund" or "void"
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
	need := Need{Tenant: c.Tenant, Payment: c.Payment, Refund: c.Refund}
	if c.Outcome.ProcessorRef != "" {
		need.Aliases = []Alias{processorAlias(c.Connector, c.Outcome.ProcessorRef)}
	}
	return need
}

// Apply implements [Command].
func (c RecordOutcome) Apply(b *Book) (Answer, error) {
	v, r, err := b.refund(c.Tenant, c.Payment, c.Refund)
	if err != nil {
		return Answer{}, err
	}
	attempt, ok := v.attempt(r.ID, c.Attempt)
	if !ok {
		return Answer{}, refuse(RuleFence, "the refund has no such attempt")
	}
	to, changes := c.verdict(r, attempt)
	switch {
	case to == adopt:
		return c.adopt(b, v, r, attempt)
	case !changes:
		return Answer{View: v, Refund: r, Attempt: attempt, Unchanged: true}, nil
	}
	v.Payment.touch(b.Now)
	attempt.Outcome, attempt.EndedAt = c.Outcome.Kind, v.Payment.UpdatedAt
	if to == RefundReturned {
		attempt.Outcome = AttemptReturned
	}
	v.putAttempt(attempt)
	c.learn(&r)
	if !c.nameAtProcessor(b, r) && to == RefundSucceeded {
		to = RefundFailed
		r.Failure = Failure{Code: "counted_elsewhere", Message: "the processor's refund was adopted before"}
	}
	if err := c.settle(b, &v, &r, to); err != nil {
		return Answer{}, err
	}
	b.save(v)
	return Answer{View: v, Refund: r, Attempt: attempt}, nil
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
	case AttemptPending:
		return RefundPending, isLast && r.Status.IsRunning() && attempt.Outcome != AttemptPending &&
			!attempt.Outcome.IsResolved()
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

// learn copies what the fact says about the refund itself.
func (c RecordOutcome) learn(r *Refund) {
	if c.Outcome.ProcessorRef != "" {
		r.ProcessorRef = c.Outcome.ProcessorRef
	}
	if c.Outcome.ExecutedAs != "" {
		r.ExecutedAs = c.Outcome.ExecutedAs
	}
	for _, reference := range c.Outcome.References {
		if !slices.Contains(r.References, reference) {
			r.References = append(slices.Clip(r.References), reference)
		}
	}
	r.Failure = c.Outcome.Failure
}

// settle moves the refund to where the fact leads, and leaves the next task.
func (c RecordOutcome) settle(b *Book, v *View, r *Refund, to RefundStatus) error {
	switch c.Outcome.Kind {
	case AttemptNotSent:
		r.SubmittedAt, r.PendingReason = time.Time{}, PendingNone
		task := inquiry(*r, c.Next)
		task.Kind = TaskSubmitRefund
		b.do(task)
		return c.pend(b, v, r, NoteNotSent, EventRefundNotSent)
	case AttemptPending:
		r.PendingReason = PendingProcessor
		b.do(inquiry(*r, c.Next))
		return c.pend(b, v, r, NoteSubmitted, refundEvent(RefundPending))
	case AttemptUnknown:
		r.PendingReason = PendingResolution
		b.do(inquiry(*r, c.Next))
	case AttemptOpen, AttemptSucceeded, AttemptDeclined, AttemptFailed, AttemptReturned:
		r.PendingReason = PendingNone
	}
	return b.advance(c.Meta, v, r, to)
}

// pend makes a refund pending again, or still, and notes why.
func (c RecordOutcome) pend(b *Book, v *View, r *Refund, note Note, kind EventKind) error {
	if r.Status != RefundPending {
		if err := r.move(RefundPending, &v.Payment); err != nil {
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
func (c RecordOutcome) nameAtProcessor(b *Book, r Refund) bool {
	return c.Outcome.ProcessorRef == "" ||
		b.claim(r.Tenant, processorAlias(c.Connector, c.Outcome.ProcessorRef), r.ID) == nil
}

// adopt counts a success that no rule can refuse any more: the money is gone.
func (c RecordOutcome) adopt(b *Book, v View, r Refund, attempt Attempt) (Answer, error) {
	if attempt.Outcome == AttemptSucceeded {
		return Answer{View: v, Refund: r, Attempt: attempt, Unchanged: true}, nil
	}
	v.Payment.touch(b.Now)
	attempt.Outcome, attempt.EndedAt = AttemptSucceeded, v.Payment.UpdatedAt
	v.putAttempt(attempt)
	adopted := b.adopt(c.Meta, &v, Refund{
		Amount: r.Amount, Lines: r.Lines, Reason: r.Reason, Reference: r.Reference,
		Connector: r.Connector, ProcessorRef: c.Outcome.ProcessorRef, References: c.Outcome.References,
		Corrects: r.ID,
	})
	b.save(v)
	return Answer{View: v, Refund: adopted, Attempt: attempt}, nil
}

// AdoptRefund counts a refund that was made at the processor, behind our back.
type AdoptRefund struct {
	Meta

	Payment      PaymentID
	Connector    string
	ProcessorRef string
	Amount       money.Amount
	Source       Source // SourceAdopted or SourceAlert
	Reason       string
	References   []Reference
}

// Need implements [Command].
func (c AdoptRefund) Need() Need {
	return Need{
		Tenant: c.Tenant, Payment: c.Payment, Parts: PartRefunds | PartItems,
		Aliases: []Alias{processorAlias(c.Connector, c.ProcessorRef)},
	}
}

// Apply implements [Command]. A refund that may be one of our own attempts on
// its way is refused with [RuleWaits], to be told again.
func (c AdoptRefund) Apply(b *Book) (Answer, error) {
	v, err := b.view(c.Tenant, c.Payment)
	if err != nil {
		return Answer{}, err
	}
	if c.Amount.Currency != v.Payment.Amount.Currency {
		return Answer{}, refuse(RuleCurrency, "the payment was made in %s", v.Payment.Amount.Currency)
	}
	if c.Amount.Minor < 1 || c.Amount.Minor > money.Max {
		return Answer{}, refuse(RuleAmount, "the amount is out of range")
	}
	if known, ok := b.aliases[aliasKey{c.Tenant, processorAlias(c.Connector, c.ProcessorRef)}]; ok {
		r, _ := v.Refund(known)
		return Answer{View: v, Refund: r, Unchanged: true}, nil
	}
	for _, r := range v.Refunds {
		if r.Status.IsRunning() && r.IsSubmitted() && r.Amount == c.Amount && r.ProcessorRef == "" {
			return Answer{}, refuse(RuleWaits, "it may be a refund of ours that has no outcome yet")
		}
	}
	v.Payment.touch(b.Now)
	adopted := b.adopt(c.Meta, &v, Refund{
		Amount: c.Amount, Lines: takenBy(v.Refunds).spread(v.Items, c.Amount.Minor), Reason: c.Reason,
		Source: c.Source, Connector: c.Connector, ProcessorRef: c.ProcessorRef, References: c.References,
	})
	if err := b.claim(c.Tenant, processorAlias(c.Connector, c.ProcessorRef), adopted.ID); err != nil {
		return Answer{}, err
	}
	b.save(v)
	return Answer{View: v, Refund: adopted}, nil
}

// adopt adds a refund whose money has moved. A fact is never refused: what it
// takes beyond captured is excess.
func (b *Book) adopt(meta Meta, v *View, r Refund) Refund {
	p := &v.Payment
	r.Tenant, r.ID, r.Payment = p.Tenant, b.newID(), p.ID
	r.Actor, r.Door = meta.Actor, meta.Door
	if r.Source == "" {
		r.Source = SourceAdopted
	}
	r.SubmittedAt, r.CreatedAt = p.UpdatedAt, p.UpdatedAt
	p.Totals = p.Totals.moved(r.Amount.Minor, EffectNone, EffectRefunded).forced()
	r.become(RefundSucceeded, p)
	b.post(*p, r.ID, EventRefundAdopted, effectPostings(*p, r, EffectNone, EffectRefunded))
	v.putRefund(r)
	b.tell(meta, EventRefundAdopted, r.ID, *p, r)
	return r
}

// processorAlias is how a processor's id of a refund or a dispute is kept.
func processorAlias(connector, reference string) Alias {
	return Alias{Kind: "processor:" + connector, Value: reference}
}
