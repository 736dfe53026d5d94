package payment

// ApproveRefund is one operator's yes to a refund that waits for approval.
type ApproveRefund struct {
	Meta

	Payment PaymentID
	Refund  RefundID
}

// Need implements [Command].
func (c ApproveRefund) Need() Need {
	return Need{Tenant: c.Tenant, Payment: c.Payment, Refund: c.Refund, Key: c.Key.Hash}
}

// Apply implements [Command]. Whoever asked, or has agreed already, cannot agree.
func (c ApproveRefund) Apply(b *Book) (Answer, error) {
	return b.changeRefund(c.Meta, c.Payment, c.Refund, func(v *View, r *Refund) error {
		if r.Status != RefundAwaitingApproval {
			return refuse(RuleStatus, "the refund is %s and waits for no approval", r.Status)
		}
		for _, earlier := range r.Approvals {
			if earlier.Actor == c.Actor {
				return refuse(RuleSelfApproval, "you have approved this refund already")
			}
		}
		if r.Actor == c.Actor {
			return refuse(RuleSelfApproval, "who asked for a refund cannot approve it")
		}
		v.Payment.touch(b.Now)
		r.Approvals = append(r.Approvals[:len(r.Approvals):len(r.Approvals)], Approval{c.Actor, v.Payment.UpdatedAt})
		if len(r.Approvals) < r.ApprovalsNeeded {
			r.note(NoteNone, &v.Payment)
			b.tell(c.Meta, EventRefundApproved, r.ID, v.Payment, *r)
			return nil
		}
		if err := b.advance(c.Meta, v, r, r.afterApproval(b.Now)); err != nil {
			return err
		}
		b.schedule(*r)
		return nil
	})
}

// CancelRefund stops a refund that has not left: its requester's change of
// mind, or an operator's no to one that waits for approval.
type CancelRefund struct {
	Meta

	Payment PaymentID
	Refund  RefundID
	Code    string // why, for [Failure]: "canceled", "rejected"
	Message string
}

// Need implements [Command].
func (c CancelRefund) Need() Need {
	return Need{Tenant: c.Tenant, Payment: c.Payment, Refund: c.Refund, Key: c.Key.Hash}
}

// Apply implements [Command].
func (c CancelRefund) Apply(b *Book) (Answer, error) {
	return b.changeRefund(c.Meta, c.Payment, c.Refund, func(v *View, r *Refund) error {
		v.Payment.touch(b.Now)
		r.Failure = Failure{Code: c.Code, Message: c.Message, IsRetryable: true}
		return b.advance(c.Meta, v, r, RefundCanceled)
	})
}

// StartRefund lets a scheduled refund go, when its time has come.
type StartRefund struct {
	Meta

	Payment PaymentID
	Refund  RefundID
}

// Need implements [Command].
func (c StartRefund) Need() Need { return Need{Tenant: c.Tenant, Payment: c.Payment, Refund: c.Refund} }

// Apply implements [Command].
func (c StartRefund) Apply(b *Book) (Answer, error) {
	return b.changeRefund(c.Meta, c.Payment, c.Refund, func(v *View, r *Refund) error {
		if r.Status != RefundScheduled || r.NotBefore.After(b.Now) {
			return refuse(RuleStatus, "the refund is %s and not due", r.Status)
		}
		v.Payment.touch(b.Now)
		if err := b.advance(c.Meta, v, r, RefundPending); err != nil {
			return err
		}
		b.schedule(*r)
		return nil
	})
}

// FlagRefund hands a refund whose outcome nobody could find out to a person.
// It stays reserved.
type FlagRefund struct {
	Meta

	Payment PaymentID
	Refund  RefundID
}

// Need implements [Command].
func (c FlagRefund) Need() Need { return Need{Tenant: c.Tenant, Payment: c.Payment, Refund: c.Refund} }

// Apply implements [Command].
func (c FlagRefund) Apply(b *Book) (Answer, error) {
	return b.changeRefund(c.Meta, c.Payment, c.Refund, func(v *View, r *Refund) error {
		if (r.Status != RefundPending && r.Status != RefundUnknown) || r.NeedsReview() {
			return refuse(RuleStatus, "the refund is %s and needs no review", r.Status)
		}
		v.Payment.touch(b.Now)
		r.note(NoteReview, &v.Payment)
		b.tell(c.Meta, EventRefundNeedsReview, r.ID, v.Payment, *r)
		return nil
	})
}

// changeRefund runs a change of one refund: load, change, put back. The change
// touches the payment first, so that everything it stamps has the new version.
func (b *Book) changeRefund(meta Meta, payment PaymentID, refund RefundID, change func(*View, *Refund) error,
) (Answer, error) {
	record, err := b.use(meta.Key)
	if err != nil {
		return Answer{}, err
	}
	if record != nil {
		return Answer{Replayed: record}, nil
	}
	v, r, err := b.refund(meta.Tenant, payment, refund)
	if err != nil {
		return Answer{}, err
	}
	if err := change(&v, &r); err != nil {
		return Answer{}, err
	}
	v.putRefund(r)
	b.keep(meta, r.ID, v.Payment.ID, v.Payment.Version)
	b.save(v)
	return Answer{View: v, Refund: r}, nil
}

// refund returns copies of a payment and one of its refunds.
func (b *Book) refund(tenant TenantID, payment PaymentID, refund RefundID) (View, Refund, error) {
	v, err := b.view(tenant, payment)
	if err != nil {
		return View{}, Refund{}, err
	}
	r, ok := v.Refund(refund)
	if !ok {
		return View{}, Refund{}, refuse(RuleExists, "no such refund")
	}
	return v, r, nil
}

// advance is the one place where a refund changes its status: totals, ledger
// and event follow from it.
func (b *Book) advance(meta Meta, v *View, r *Refund, to RefundStatus) error {
	from := r.Status
	if err := r.move(to, &v.Payment); err != nil {
		return err
	}
	kind := refundEvent(to)
	b.post(v.Payment, r.ID, kind, effectPostings(v.Payment, *r, from.Effect(), to.Effect()))
	v.putRefund(*r)
	switch {
	case to == RefundDeclined || to == RefundFailed:
		v.Payment.Failures++
	case to == RefundSucceeded && r.List != nil:
		b.replaceItems(v, *r.List)
	case to == RefundReturned:
		v.comeBack(*r, func(item Item) bool { return item.Until != 0 })
	}
	b.tell(meta, kind, r.ID, v.Payment, *r)
	return nil
}
