package payment

import (
	"slices"
	"time"

	"github.com/refundry/refundry/internal/money"
)

// PassGate is somebody's yes at a gate where a payment waits: the merchant
// confirms, the payer proves who they are.
type PassGate struct {
	Meta

	Payment PaymentID
	Gate    GateKind
	Parts   Parts // what the door's answer shows
}

// Need implements [Command].
func (c PassGate) Need() Need {
	return Need{Tenant: c.Tenant, Payment: c.Payment, Parts: c.Parts, Key: c.Key.Hash}
}

// Apply implements [Command].
func (c PassGate) Apply(b *Book) (Answer, error) {
	return b.changePayment(c.Meta, c.Payment, func(v *View) error {
		p := &v.Payment
		if c.Gate == "" || p.WaitsAt() != c.Gate {
			return refuse(RuleGate, "the payment does not wait for this")
		}
		p.touch(b.Now)
		p.pass()
		b.tell(c.Meta, paymentEvent(p.Status), p.ID, *p, Refund{})
		b.do(taking(*p, b.Now))
		return nil
	})
}

// pass leaves the gate where the payment waits behind it.
func (p *Payment) pass() {
	p.Gates, p.ExpiresAt = p.Gates[1:], time.Time{}
	p.become(p.Status, NoteNone)
}

// CompletePayment records that the payer has paid: what the payment is made
// with becomes known, and it is authorized, or captured whole.
type CompletePayment struct {
	Meta

	Payment      PaymentID
	To           PaymentStatus // PaymentAuthorized or PaymentCaptured
	Method       Method
	Availability Availability
	List         *[]Item // lines that take the place of the payment's in the same commit; nil: as they were
	Document     []byte  // the door's facet; nil: as it was
	Parts        Parts   // what the door's answer shows
}

// Need implements [Command].
func (c CompletePayment) Need() Need {
	need := Need{
		Tenant: c.Tenant, Payment: c.Payment, Parts: c.Parts | PartCaptures | PartItems, Key: c.Key.Hash,
	}
	if c.List != nil {
		need.Parts |= PartRefunds
	}
	return need
}

// Apply implements [Command].
func (c CompletePayment) Apply(b *Book) (Answer, error) {
	return b.changePayment(c.Meta, c.Payment, func(v *View) error {
		p := &v.Payment
		if p.Status != PaymentCreated && p.Status != PaymentPending || p.isCanceling() {
			return refuse(RuleStatus, "the payment is %s and cannot be paid", p.Status)
		}
		if err := c.checkList(*p); err != nil {
			return err
		}
		p.touch(b.Now)
		p.Gates, p.ExpiresAt = nil, time.Time{}
		p.Method, p.Availability = c.Method, c.Availability
		b.document(v, c.Door, p.ID, c.Document)
		if c.List != nil {
			b.replaceItems(v, *c.List) // before anything is taken: the capture falls on them
		}
		if c.To == PaymentCaptured {
			return v.settleCaptures(b, c.Meta, nil)
		}
		if err := p.move(c.To); err != nil {
			return err
		}
		b.tell(c.Meta, paymentEvent(c.To), p.ID, *p, Refund{})
		return nil
	})
}

// checkList refuses lines that are not for all of the payment, or that may not
// take the place of others now.
func (c CompletePayment) checkList(p Payment) error {
	switch {
	case c.List == nil:
		return nil
	case p.OrderStatus == OrderSplit || p.OrderStatus == OrderSettled:
		return refuse(RuleOrder, "the payment's order is %s", p.OrderStatus)
	case p.Reserved > 0:
		return refuse(RuleOneAtATime, "a refund of the payment has not ended")
	}
	if err := checkItems(*c.List); err != nil {
		return err
	}
	if len(*c.List) == 0 || totalOf(*c.List) != p.Amount.Minor {
		return refuse(RuleListSum, "the lines do not add up to what is paid")
	}
	return nil
}

// CapturePayment asks for all or part of an authorized amount to be taken. It
// counts once it is settled, see [AdvancePayment].
type CapturePayment struct {
	Meta

	Payment     PaymentID
	Amount      money.Minor    // 0: all that is authorized and not captured
	Currency    money.Currency // empty: the payment's
	IsFinal     bool           // the rest is given up
	IsAtOnce    bool           // it is settled in the same commit
	FailuresMax int64          // how many calls about the payment may fail at this door; 0: any number
	Document    []byte         // the door's facet; nil: as it was
	Parts       Parts          // what the door's answer shows
}

// Need implements [Command].
func (c CapturePayment) Need() Need {
	return Need{
		Tenant: c.Tenant, Payment: c.Payment, Parts: c.Parts | PartCaptures | PartItems, Key: c.Key.Hash,
	}
}

// Apply implements [Command].
func (c CapturePayment) Apply(b *Book) (Answer, error) {
	return b.changeCounted(c.Meta, c.Payment, c.FailuresMax, func(v *View) error {
		p := &v.Payment
		left, err := v.capturable()
		if err != nil {
			return err
		}
		if c.Currency != "" && c.Currency != p.Amount.Currency {
			return refuse(RuleCurrency, "the payment was made in %s", p.Amount.Currency)
		}
		amount := c.Amount
		if amount == 0 {
			amount = left
		}
		if amount < 1 || amount > left {
			refusal := refuse(RuleAmount, "only %s is authorized and not captured", money.Of(left, p.Amount.Currency))
			refusal.Refundable = money.Of(left, p.Amount.Currency)
			return refusal
		}
		p.touch(b.Now)
		if len(p.Gates) > 0 && p.Gates[0].Kind == GateCapture {
			p.pass()
		}
		v.capture(b, amount, c.IsFinal || amount == left)
		b.document(v, c.Door, p.ID, c.Document)
		if c.IsAtOnce {
			return v.settleCaptures(b, c.Meta, nil)
		}
		b.tell(c.Meta, EventPaymentCapturing, p.ID, *p, Refund{})
		b.do(taking(*p, b.Now))
		return nil
	})
}

// capturable returns how much is authorized and not captured.
func (v View) capturable() (money.Minor, error) {
	p := v.Payment
	isOpen := p.Status == PaymentAuthorized || p.Status == PaymentCaptured
	for _, capture := range v.Captures {
		isLast := capture.IsFinal && capture.Status == CaptureSettled
		isOpen = isOpen && !isLast && capture.Status != CapturePending
	}
	if !isOpen || p.isCanceling() {
		return 0, refuse(RuleStatus, "the payment is %s and cannot be captured", p.Status)
	}
	if p.OrderStatus == OrderSplit || p.OrderStatus == OrderSettled {
		return 0, refuse(RuleOrder, "the payment's order is %s", p.OrderStatus)
	}
	return p.Amount.Minor - p.Captured, nil
}

// CancelPayment gives a payment up before anything was taken. The sandbox
// takes a moment for it, like the real world.
type CancelPayment struct {
	Meta

	Payment     PaymentID
	From        []PaymentStatus // that it must be in; none: any that can be given up
	IsTaken     bool            // the sandbox carries it out; otherwise it is done at once
	FailuresMax int64           // how many calls about the payment may fail at this door; 0: any number
	Document    []byte          // the door's facet; nil: as it was
	Parts       Parts           // what the door's answer shows
}

// Need implements [Command].
func (c CancelPayment) Need() Need {
	return Need{Tenant: c.Tenant, Payment: c.Payment, Parts: c.Parts | PartCaptures, Key: c.Key.Hash}
}

// Apply implements [Command].
func (c CancelPayment) Apply(b *Book) (Answer, error) {
	return b.changeCounted(c.Meta, c.Payment, c.FailuresMax, func(v *View) error {
		p := &v.Payment
		isFrom := len(c.From) == 0 || slices.Contains(c.From, p.Status)
		if !isFrom || !PaymentLife.Allows(p.Status, PaymentCanceled) || v.isCapturing() {
			return refuse(RuleStatus, "the payment is %s and cannot be canceled", p.Status)
		}
		if p.isCanceling() {
			return refuse(RuleStatus, "the payment is being canceled")
		}
		p.touch(b.Now)
		b.document(v, c.Door, p.ID, c.Document)
		if !c.IsTaken {
			_, err := v.end(b, c.Meta, PaymentCanceled)
			return err
		}
		p.Gates, p.ExpiresAt = []Gate{{Kind: GateCancel}}, time.Time{}
		p.become(p.Status, NoteCanceling)
		b.tell(c.Meta, EventPaymentCanceling, p.ID, *p, Refund{})
		b.do(taking(*p, b.Now))
		return nil
	})
}

// ExpirePayment ends a payment that waited at a gate for too long.
type ExpirePayment struct {
	Meta

	Payment PaymentID
}

// Need implements [Command].
func (c ExpirePayment) Need() Need { return Need{Tenant: c.Tenant, Payment: c.Payment} }

// Apply implements [Command].
func (c ExpirePayment) Apply(b *Book) (Answer, error) {
	return b.changePayment(c.Meta, c.Payment, func(v *View) error {
		p := &v.Payment
		if p.ExpiresAt.IsZero() || p.ExpiresAt.After(b.Now) {
			return refuse(RuleStatus, "the payment is %s and does not expire now", p.Status)
		}
		p.touch(b.Now)
		_, err := v.end(b, c.Meta, PaymentExpired)
		return err
	})
}

// changeCounted runs a change of one payment whose refusals a door counts.
func (b *Book) changeCounted(meta Meta, id PaymentID, failuresMax int64, change func(*View) error) (Answer, error) {
	return b.changePayment(meta, id, func(v *View) error {
		if err := v.Payment.mayFail(failuresMax); err != nil {
			return err
		}
		before := *v
		err := change(v)
		if err != nil && failuresMax > 0 {
			b.countFailure(before)
		}
		return err
	})
}

// changePayment runs a change of one payment: load, change, put back.
func (b *Book) changePayment(meta Meta, id PaymentID, change func(*View) error) (Answer, error) {
	return b.changePart(meta, id, func(v *View) ([16]byte, error) { return id, change(v) })
}

// changePart runs a change of one payment that is about a part of it, whose id
// it returns: a repeat of the key finds it again.
func (b *Book) changePart(meta Meta, id PaymentID, change func(*View) ([16]byte, error)) (Answer, error) {
	record, err := b.use(meta.Key)
	if err != nil {
		return Answer{}, err
	}
	if record != nil {
		return Answer{Replayed: record}, nil
	}
	v, err := b.view(meta.Tenant, id)
	if err != nil {
		return Answer{}, err
	}
	subject, err := change(&v)
	if err != nil {
		return Answer{}, err
	}
	b.keep(meta, subject, v.Payment.ID, v.Payment.Version)
	b.save(v)
	return Answer{View: v}, nil
}
