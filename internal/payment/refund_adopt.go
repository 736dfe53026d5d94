package payment

import "github.com/refundry/refundry/internal/money"

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
	if c.ProcessorRef == "" {
		return Answer{}, refuse(RuleAlias, "a refund made at the processor is known by the processor's id")
	}
	if known, ok := b.aliases[aliasKey{c.Tenant, processorAlias(c.Connector, c.ProcessorRef)}]; ok {
		r, ok := v.Refund(known)
		if !ok {
			return Answer{}, refuse(RuleReached, "the processor's refund is another payment's")
		}
		return Answer{View: v, Refund: r, Unchanged: true}, nil
	}
	for _, r := range v.Refunds {
		if r.Status.IsRunning() && r.IsSubmitted() && r.Amount == c.Amount && r.ProcessorRef == "" {
			return Answer{}, refuse(RuleWaits, "it may be a refund of ours that has no outcome yet")
		}
	}
	v.Payment.touch(b.Now)
	adopted := b.adopt(c.Meta, &v, Refund{
		Amount: c.Amount, Lines: v.fall(c.Amount.Minor, RefundID{}, nil), Reason: c.Reason,
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
	r.CreatedAt, r.References = p.UpdatedAt, learned(nil, r.References, p.Version)
	v.tally(r, "", RefundSucceeded)
	p.Totals = p.forced()
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
