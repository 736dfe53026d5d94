package payment

import (
	"slices"

	"github.com/refundry/refundry/internal/ledger"
	"github.com/refundry/refundry/internal/money"
)

// OpenDispute records that a payer contests a payment. A processor's word is
// a fact and never refused for its amount; an operator's may not exceed what
// is left.
type OpenDispute struct {
	Meta

	Payment      PaymentID
	Kind         DisputeKind
	Amount       money.Minor // 0: all that is left
	Currency     money.Currency
	IsFact       bool // the processor says so
	Connector    string
	ProcessorRef string
	Reason       string
	Parts        Parts // what the answer shows
}

// Need implements [Command].
func (c OpenDispute) Need() Need {
	need := Need{
		Tenant: c.Tenant, Payment: c.Payment, Key: c.Key.Hash,
		Parts: c.Parts | PartRefunds | PartDisputes | PartItems | PartCaptures,
	}
	if c.ProcessorRef != "" {
		need.Aliases = []Alias{c.alias()}
	}
	return need
}

// alias is how the processor's id of a case is kept. One case may be an
// inquiry first and a dispute later: these are two here.
func (c OpenDispute) alias() Alias {
	return Alias{Kind: "processor:" + c.Connector + ":" + string(c.Kind), Value: c.ProcessorRef}
}

// Apply implements [Command].
func (c OpenDispute) Apply(b *Book) (Answer, error) {
	var d Dispute
	var isKnown bool
	answer, err := b.changePart(c.Meta, c.Payment, func(v *View) (_ [16]byte, err error) {
		if d, isKnown, err = c.known(b, *v); isKnown || err != nil {
			return d.ID, err
		}
		amount, err := c.amount(v.Payment)
		if err != nil {
			return d.ID, err
		}
		d, err = c.open(b, v, amount)
		return d.ID, err
	})
	answer.Dispute, answer.Unchanged = d, isKnown
	return answer, err
}

// known returns the dispute that the processor told of before.
func (c OpenDispute) known(b *Book, v View) (d Dispute, isKnown bool, err error) {
	if c.ProcessorRef == "" {
		return Dispute{}, false, nil
	}
	subject, taken := b.aliases[aliasKey{c.Tenant, c.alias()}]
	if !taken {
		return Dispute{}, false, nil
	}
	if d, isKnown = v.Dispute(subject); !isKnown {
		return Dispute{}, false, refuse(RuleReached, "the processor's case is about another payment")
	}
	return d, true, nil
}

func (c OpenDispute) amount(p Payment) (money.Minor, error) {
	if c.Currency != "" && c.Currency != p.Amount.Currency {
		return 0, refuse(RuleCurrency, "the payment was made in %s", p.Amount.Currency)
	}
	if p.Captured == 0 {
		return 0, refuse(RuleStatus, "the payment is %s; nothing was taken that could be contested", p.Status)
	}
	amount, left := c.Amount, p.Totals.Refundable()
	if amount == 0 {
		amount = left
	}
	if amount < 0 || amount > money.Max {
		return 0, refuse(RuleAmount, "the amount is out of range")
	}
	if !c.IsFact && (amount == 0 || amount > left) {
		refusal := refuse(RuleRefundable, "only %s of the payment is left", p.Refundable())
		refusal.Refundable = p.Refundable()
		return 0, refusal
	}
	return amount, nil
}

func (c OpenDispute) open(b *Book, v *View, amount money.Minor) (Dispute, error) {
	p := &v.Payment
	p.touch(b.Now)
	d := Dispute{
		Tenant: p.Tenant, ID: b.newID(), Payment: p.ID, Kind: c.Kind, Amount: money.Of(amount, p.Amount.Currency),
		Connector: c.Connector, ProcessorRef: c.ProcessorRef, Reason: c.Reason, CreatedAt: p.UpdatedAt,
	}
	d.become(DisputeOpen, p)
	if d.Takes() {
		d.DoubleLoss = v.doubleLoss(amount)
		p.Disputed += amount
		p.Totals = p.forced()
		b.post(*p, d.ID, disputeEvent(DisputeOpen), d.held(*v))
	}
	v.putDispute(d)
	b.tellDispute(c.Meta, disputeEvent(DisputeOpen), *p, d)
	if c.ProcessorRef != "" {
		if err := b.claim(p.Tenant, c.alias(), d.ID); err != nil {
			return Dispute{}, err
		}
	}
	if err := c.cancelWhatNoLongerFits(b, v); err != nil {
		return Dispute{}, err
	}
	c.warn(b, v, &d)
	return d, nil
}

// doubleLoss returns how much of a new dispute's amount was given back before,
// or has left. What has not left is canceled, and lost once only.
func (v View) doubleLoss(amount money.Minor) money.Minor {
	gone := v.Payment.Refunded + v.Payment.Reserved
	for _, r := range v.Refunds {
		if r.Status.IsRunning() && !r.IsSubmitted() {
			gone -= r.Amount.Minor
		}
	}
	return min(amount, gone, max(0, gone+v.Payment.Disputed+amount-v.Payment.Captured))
}

// warn tells that the same money may be lost twice. It has a version of its
// own: the dispute's has told that it is open.
func (c OpenDispute) warn(b *Book, v *View, d *Dispute) {
	if d.DoubleLoss == 0 {
		return
	}
	v.Payment.touch(b.Now)
	d.note(NoteDoubleLoss, &v.Payment)
	v.putDispute(*d)
	b.tellDispute(c.Meta, EventDisputeDoubleLoss, v.Payment, *d)
}

// cancelWhatNoLongerFits stops refunds that have not left, the newest first,
// until the rest fits beside the dispute.
func (c OpenDispute) cancelWhatNoLongerFits(b *Book, v *View) error {
	for _, r := range slices.Backward(v.Refunds) {
		if !v.Payment.IsOverdrawn() {
			return nil
		}
		if !r.Status.IsRunning() || r.IsSubmitted() {
			continue
		}
		r.Failure = Failure{Code: "disputed", Message: "a dispute took what it would have given back"}
		if err := b.advance(c.Meta, v, &r, RefundCanceled); err != nil {
			return err
		}
	}
	return nil
}

// held returns the postings by which a dispute takes from the merchants.
func (d Dispute) held(v View) []ledger.Posting {
	return merchantPostings(v, nil, d.Amount.Minor, func(payable ledger.Account, part money.Amount) ledger.Posting {
		return ledger.Posting{Debit: payable, Credit: ledger.Disputed, Amount: part}
	})
}

func (v *View) putDispute(dispute Dispute) {
	v.Disputes = put(v.Disputes, dispute, func(a, b Dispute) bool { return a.ID == b.ID })
}

// MoveDispute records what became of a dispute.
type MoveDispute struct {
	Meta

	Payment PaymentID
	Dispute DisputeID
	To      DisputeStatus
	Parts   Parts // what the answer shows
}

// Need implements [Command].
func (c MoveDispute) Need() Need {
	return Need{
		Tenant: c.Tenant, Payment: c.Payment, Key: c.Key.Hash, Parts: c.Parts | PartDisputes | PartItems,
	}
}

// Apply implements [Command]. Won, or withdrawn, gives the amount back to the
// merchants; every other end keeps it.
func (c MoveDispute) Apply(b *Book) (Answer, error) {
	var d Dispute
	var isKnown bool
	answer, err := b.changePart(c.Meta, c.Payment, func(v *View) ([16]byte, error) {
		found, ok := v.Dispute(c.Dispute)
		if !ok {
			return c.Dispute, refuse(RuleExists, "no such dispute")
		}
		if d, isKnown = found, found.Status == c.To; isKnown {
			return d.ID, nil
		}
		if !DisputeLife.Allows(d.Status, c.To) {
			return d.ID, refuse(RuleStatus, "the dispute is %s and cannot become %s", d.Status, c.To)
		}
		c.move(b, v, &d)
		return d.ID, nil
	})
	answer.Dispute, answer.Unchanged = d, isKnown
	return answer, err
}

func (c MoveDispute) move(b *Book, v *View, d *Dispute) {
	p := &v.Payment
	took := d.Takes()
	p.touch(b.Now)
	d.become(c.To, p)
	kind := disputeEvent(c.To)
	switch {
	case !took:
	case !d.Takes():
		p.Disputed -= d.Amount.Minor
		p.Excess = min(p.Excess, p.over())
		b.post(*p, d.ID, kind, ledger.Entry{Postings: d.held(*v)}.Reversal())
	case !d.IsOpen():
		b.post(*p, d.ID, kind, []ledger.Posting{{
			Debit: ledger.Disputed, Credit: ledger.Receivable(p.Connector), Amount: d.Amount,
		}})
	}
	v.putDispute(*d)
	b.tellDispute(c.Meta, kind, *p, *d)
}
