package payment

import (
	"slices"
	"strings"
)

// InquireRefund lets a processor be asked once more what became of a refund
// that has left: a person's first step with one that needs review.
type InquireRefund struct {
	Meta

	Payment PaymentID
	Refund  RefundID
}

// Need implements [Command].
func (c InquireRefund) Need() Need {
	return Need{Tenant: c.Tenant, Payment: c.Payment, Refund: c.Refund, Key: c.Key.Hash}
}

// Apply implements [Command]. It needs no review meanwhile; if nothing is found
// out, it does again.
func (c InquireRefund) Apply(b *Book) (Answer, error) {
	return b.changeRefund(c.Meta, c.Payment, c.Refund, func(v *View, r *Refund) error {
		if _, err := v.open(*r); err != nil {
			return err
		}
		v.Payment.touch(b.Now)
		r.note(NoteInquired, &v.Payment)
		b.tell(c.Meta, EventRefundInquired, r.ID, v.Payment, *r)
		b.do(inquiry(*r, b.Now))
		return nil
	})
}

// open returns the attempt of a refund whose end is not known.
func (v View) open(r Refund) (Attempt, error) {
	attempt, ok := v.lastAttempt(r.ID)
	if !r.Status.IsRunning() || !ok || attempt.Outcome.IsResolved() {
		return Attempt{}, refuse(RuleStatus, "the refund is %s and has no attempt whose end is not known", r.Status)
	}
	return attempt, nil
}

// ResendRefund lets a refund that needs review be sent once more: the same
// attempt where one may have left, which only a processor that knows it by its
// key is sent; a new one where none has.
type ResendRefund struct {
	Meta

	Payment PaymentID
	Refund  RefundID
}

// Need implements [Command].
func (c ResendRefund) Need() Need {
	return Need{Tenant: c.Tenant, Payment: c.Payment, Refund: c.Refund, Key: c.Key.Hash}
}

// Apply implements [Command].
func (c ResendRefund) Apply(b *Book) (Answer, error) {
	return b.changeRefund(c.Meta, c.Payment, c.Refund, func(v *View, r *Refund) error {
		if !r.isForAPerson() {
			return refuse(RuleStatus, "the refund is %s and needs no review", r.Status)
		}
		task := inquiry(*r, b.Now)
		task.Kind = TaskSubmitRefund
		if r.IsSubmitted() {
			if _, err := v.open(*r); err != nil {
				return err
			}
			task.Kind = TaskResendRefund
		}
		v.Payment.touch(b.Now)
		r.note(NoteResent, &v.Payment)
		b.tell(c.Meta, EventRefundResent, r.ID, v.Payment, *r)
		b.do(task)
		return nil
	})
}

// isForAPerson reports whether the machinery has given a refund up, or has told
// that it takes too long.
func (r Refund) isForAPerson() bool {
	return r.Status.IsRunning() && (r.NeedsReview() || r.IsStuck())
}

// SettleRefund says what became of a refund that needs review, on the evidence
// of a person: an answer on the phone, a bank statement. It is a fact like a
// processor's own, and like one it may be contradicted later.
type SettleRefund struct {
	Meta

	Payment    PaymentID
	Refund     RefundID
	To         RefundStatus // RefundSucceeded or RefundFailed
	Evidence   string       // why that is so; it must be given
	References []Reference  // with a success: how it is called elsewhere
}

// Need implements [Command].
func (c SettleRefund) Need() Need {
	return Need{Tenant: c.Tenant, Payment: c.Payment, Refund: c.Refund, Key: c.Key.Hash, Settles: true}
}

// Apply implements [Command].
func (c SettleRefund) Apply(b *Book) (Answer, error) {
	record, err := b.use(c.Key)
	if err != nil {
		return Answer{}, err
	}
	if record != nil {
		return Answer{Replayed: record}, nil
	}
	v, r, err := b.refund(c.Tenant, c.Payment, c.Refund)
	if err != nil {
		return Answer{}, err
	}
	fact, err := c.fact(v, r)
	if err != nil {
		return Answer{}, err
	}
	if fact.Attempt.IsZero() {
		fact.Attempt = b.begin(c.Meta, &v, &r, 0).ID
	}
	answer, err := fact.record(b, v, r, &Evidence{Actor: c.Actor, User: c.User, Person: c.Person(), Note: c.Evidence})
	if err != nil {
		return Answer{}, err
	}
	b.keep(c.Meta, c.Refund, v.Payment.ID, answer.View.Payment.Version)
	return answer, nil
}

// operators is how the actors begin who may say what a processor does not.
const operators = "operator:"

// fact returns what the evidence says, as if the processor had. It has no
// attempt if none has left: then a person has carried the refund out by hand, or
// it was not carried out.
func (c SettleRefund) fact(v View, r Refund) (RecordOutcome, error) {
	attempt, err := v.open(r)
	if err != nil && r.Status == RefundPending {
		attempt, err = Attempt{}, nil
	}
	switch {
	case !strings.HasPrefix(c.Actor, operators):
		return RecordOutcome{}, refuse(RuleSelfApproval, "only an operator can say what became of a refund")
	case err != nil:
		return RecordOutcome{}, err
	case !r.isForAPerson():
		return RecordOutcome{}, refuse(RuleStatus, "the refund is %s and needs no review", r.Status)
	case strings.TrimSpace(c.Evidence) == "":
		return RecordOutcome{}, refuse(RuleReason, "evidence is needed")
	}
	fact := RecordOutcome{
		Meta: c.Meta, Payment: c.Payment, Refund: c.Refund, Attempt: attempt.ID, Connector: r.Connector,
	}
	switch c.To {
	case RefundSucceeded:
		fact.Outcome = Outcome{Kind: AttemptSucceeded, References: c.References}
	case RefundFailed:
		fact.Outcome = Outcome{
			Kind: AttemptFailed, Failure: Failure{Code: "settled_as_failed", Message: c.Evidence, IsRetryable: true},
		}
	default:
		return RecordOutcome{}, refuse(RuleStatus, "evidence can say that a refund has succeeded or failed, not %s", c.To)
	}
	return fact, nil
}

// testify keeps why a person has said what became of a refund.
func (r *Refund) testify(evidence *Evidence, p *Payment) {
	if evidence != nil {
		kept := *evidence
		kept.At = p.UpdatedAt
		r.Evidence = append(slices.Clip(r.Evidence), kept)
	}
}
