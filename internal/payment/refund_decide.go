package payment

import "slices"

// ApproveRefund is one operator's yes to a refund that waits for approval, and
// to those that were opened with it.
type ApproveRefund struct {
	Meta

	Payment PaymentID
	Refund  RefundID
	Digest  Digest // what the approver has seen, see [Refund.Digest]; empty: nobody says
}

// Need implements [Command].
func (c ApproveRefund) Need() Need {
	return Need{Tenant: c.Tenant, Payment: c.Payment, Refund: c.Refund, Key: c.Key.Hash, Groups: true}
}

// Apply implements [Command]. Whoever asked, or has agreed already, cannot agree.
func (c ApproveRefund) Apply(b *Book) (Answer, error) {
	return b.judge(c.Meta, c.Payment, c.Refund, func(r Refund) error {
		if err := r.mayJudge(c.Meta, c.Refund, c.Digest); err != nil {
			return err
		}
		for _, earlier := range r.Approvals {
			if c.isBy(earlier.Actor, earlier.Person) {
				return refuse(RuleSelfApproval, "you have approved this refund already")
			}
		}
		return nil
	}, func(v *View, r *Refund) error {
		v.Payment.touch(b.Now)
		r.Approvals = append(slices.Clip(r.Approvals), Approval{
			Actor: c.Actor, At: v.Payment.UpdatedAt, User: c.User, Person: c.Person(), Digest: r.Digest(),
		})
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

// RejectRefund is an approver's no: the refund, and those that were opened
// with it, are canceled.
type RejectRefund struct {
	Meta

	Payment PaymentID
	Refund  RefundID
	Digest  Digest // what the approver has seen; empty: nobody says
	Message string
}

// Need implements [Command].
func (c RejectRefund) Need() Need {
	return Need{Tenant: c.Tenant, Payment: c.Payment, Refund: c.Refund, Key: c.Key.Hash, Groups: true, Settles: true}
}

// Apply implements [Command]. Whoever asked cannot reject, but can cancel.
func (c RejectRefund) Apply(b *Book) (Answer, error) {
	return b.judge(c.Meta, c.Payment, c.Refund, func(r Refund) error {
		return r.mayJudge(c.Meta, c.Refund, c.Digest)
	}, func(v *View, r *Refund) error {
		return b.cancel(c.Meta, v, r, Failure{Code: "rejected", Message: c.Message, IsRetryable: true})
	})
}

// mayJudge refuses who cannot say yes or no to a refund that waits for
// approval: whoever asked for it, and whoever has seen another. The digest is
// of the refund that was named.
func (r Refund) mayJudge(meta Meta, named RefundID, seen Digest) error {
	switch {
	case r.Status != RefundAwaitingApproval:
		return refuse(RuleStatus, "the refund is %s and waits for no approval", r.Status)
	case meta.isBy(r.Actor, r.Person):
		return refuse(RuleSelfApproval, "who asked for a refund cannot approve or reject it")
	case seen != "" && r.ID == named && seen != r.Digest():
		return refuse(RuleSeen, "what was seen is not what the refund asks for")
	}
	return nil
}

// isBy reports whether a command comes from the same key or console, or from
// the same person, as something before. A key may speak for many persons: it
// does not become another by naming another.
func (m Meta) isBy(actor string, person PersonID) bool {
	return m.Actor == actor || !person.IsZero() && m.Person() == person
}

// CancelRefund stops a refund that has not left: its requester's change of
// mind.
type CancelRefund struct {
	Meta

	Payment PaymentID
	Refund  RefundID
	Code    string // why, for [Failure]: "canceled"
	Message string
	Group   bool // those that were opened with it, too; all of them or none
}

// Need implements [Command].
func (c CancelRefund) Need() Need {
	return Need{Tenant: c.Tenant, Payment: c.Payment, Refund: c.Refund, Key: c.Key.Hash, Groups: c.Group, Settles: true}
}

// Apply implements [Command].
func (c CancelRefund) Apply(b *Book) (Answer, error) {
	why := Failure{Code: c.Code, Message: c.Message, IsRetryable: true}
	if !c.Group {
		return b.changeRefund(c.Meta, c.Payment, c.Refund, func(v *View, r *Refund) error {
			return b.cancel(c.Meta, v, r, why)
		})
	}
	var gone []RefundID
	return b.judge(c.Meta, c.Payment, c.Refund, func(r Refund) error {
		if !RefundLife.Allows(r.Status, RefundCanceled) || r.IsSubmitted() {
			gone = append(gone, r.ID)
		}
		return nil
	}, func(v *View, r *Refund) error {
		if len(gone) > 0 {
			no := refuse(RuleStatus, "of the refunds that were opened together, some have left or ended: see refunds")
			no.Refunds = gone
			return no
		}
		return b.cancel(c.Meta, v, r, why)
	})
}

// cancel stops a refund that has not left.
func (b *Book) cancel(meta Meta, v *View, r *Refund, why Failure) error {
	v.Payment.touch(b.Now)
	r.Failure = why
	return b.advance(meta, v, r, RefundCanceled)
}

// ExpireRefund cancels a refund that nobody has approved in time.
type ExpireRefund struct {
	Meta

	Payment PaymentID
	Refund  RefundID
}

// Need implements [Command].
func (c ExpireRefund) Need() Need {
	return Need{Tenant: c.Tenant, Payment: c.Payment, Refund: c.Refund, Settles: true}
}

// Apply implements [Command].
func (c ExpireRefund) Apply(b *Book) (Answer, error) {
	return b.changeRefund(c.Meta, c.Payment, c.Refund, func(v *View, r *Refund) error {
		if r.Status != RefundAwaitingApproval || r.ExpiresAt.IsZero() || r.ExpiresAt.After(b.Now) {
			return refuse(RuleStatus, "the refund is %s and does not expire now", r.Status)
		}
		return b.cancel(c.Meta, v, r, Failure{
			Code: "approval_expired", Message: "nobody has approved it in time", IsRetryable: true,
		})
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

// judge runs a change of a refund and of those that were opened with it and
// have not ended. All may be changed, or none is.
func (b *Book) judge(meta Meta, payment PaymentID, refund RefundID, may func(Refund) error,
	change func(*View, *Refund) error,
) (Answer, error) {
	var changed []RefundID
	answer, err := b.changePart(meta, payment, func(v *View) ([16]byte, error) {
		group := v.Group(refund)
		if len(group) == 0 {
			return refund, refuse(RuleExists, "no such refund")
		}
		for _, r := range group {
			if !r.Status.IsRunning() && r.ID != refund {
				continue
			}
			if err := may(r); err != nil {
				return refund, err
			}
			changed = append(changed, r.ID)
		}
		for _, id := range changed {
			r, _ := v.Refund(id)
			if err := change(v, &r); err != nil {
				return refund, err
			}
			v.putRefund(r)
		}
		return refund, nil
	})
	if answer.Replayed != nil || err != nil {
		return answer, err
	}
	answer.Refund, _ = answer.View.Refund(refund)
	for _, id := range changed {
		r, _ := answer.View.Refund(id)
		answer.Refunds = append(answer.Refunds, r)
	}
	return answer, nil
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
	if err := r.move(to, v); err != nil {
		return err
	}
	kind := refundEvent(to)
	b.post(v.Payment, r.ID, kind, effectPostings(v.Payment, *r, from.Effect(), to.Effect()))
	v.putRefund(*r)
	switch {
	case to == RefundDeclined || to == RefundFailed:
		v.Payment.Failures++
		b.uncount(*r)
	case to == RefundCanceled:
		b.uncount(*r)
	case to == RefundSucceeded && r.List != nil:
		b.replaceItems(v, *r.List)
	case to == RefundReturned:
		v.comeBack(*r, r.Amount.Minor, func(item Item) bool { return item.Until != 0 })
	}
	b.tell(meta, kind, r.ID, v.Payment, *r)
	return nil
}
