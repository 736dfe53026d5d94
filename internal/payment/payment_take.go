package payment

import (
	"slices"
	"time"

	"github.com/refundry/refundry/internal/ledger"
	"github.com/refundry/refundry/internal/money"
)

// AdvancePayment carries a payment on: to the next gate, which it waits at,
// or through to its capture. It is how the sandbox takes a payment, and how a
// processor's word about one is recorded.
type AdvancePayment struct {
	Meta

	Payment    PaymentID
	End        PaymentStatus // declined or failed: it ends so; empty: it goes on
	References []Reference   // what the capture is called elsewhere
}

// Need implements [Command].
func (c AdvancePayment) Need() Need {
	return Need{Tenant: c.Tenant, Payment: c.Payment, Parts: PartCaptures | PartItems}
}

// Apply implements [Command].
func (c AdvancePayment) Apply(b *Book) (Answer, error) {
	v, err := b.view(c.Tenant, c.Payment)
	if err != nil {
		return Answer{}, err
	}
	p := &v.Payment
	if p.WaitsAt() != "" || (PaymentLife.IsEnd(p.Status) && !v.isCapturing()) {
		return Answer{}, refuse(RuleStatus, "the payment is %s and goes no further", p.Status)
	}
	p.touch(b.Now)
	if c.End != "" {
		return c.ended(b, v)
	}
	if len(p.Gates) == 0 {
		return c.captured(b, v)
	}
	switch gate := p.Gates[0]; gate.Kind {
	case GateCancel:
		return v.end(b, c.Meta, PaymentCanceled)
	case GateCapture:
		if p.Status != PaymentAuthorized {
			if err := p.move(PaymentAuthorized); err != nil {
				return Answer{}, err
			}
		}
		return c.wait(b, v, gate)
	case GateConfirmation, GatePayer:
		if p.Status == PaymentCreated {
			if err := p.move(PaymentPending); err != nil {
				return Answer{}, err
			}
		}
		return c.wait(b, v, gate)
	default:
		return Answer{}, refuse(RuleGate, "unknown gate")
	}
}

// wait lets the payment stand at a gate, for as long as it may.
func (c AdvancePayment) wait(b *Book, v View, gate Gate) (Answer, error) {
	p := &v.Payment
	p.become(p.Status, Note(gate.Kind))
	if gate.Within > 0 {
		p.ExpiresAt = b.Now.Add(gate.Within)
		b.do(Task{
			Tenant: p.Tenant, Kind: TaskExpirePayment, Subject: p.ID, Payment: p.ID,
			Queue: SystemQueue, DueAt: p.ExpiresAt,
		})
	}
	b.tell(c.Meta, EventPaymentWaiting, p.ID, *p, Refund{})
	b.save(v)
	return Answer{View: v}, nil
}

// captured settles what is asked for, all of it if nothing was.
func (c AdvancePayment) captured(b *Book, v View) (Answer, error) {
	if err := v.settleCaptures(b, c.Meta, c.References); err != nil {
		return Answer{}, err
	}
	b.save(v)
	return Answer{View: v}, nil
}

// settleCaptures settles what is being captured, all of the payment if nothing is.
func (v *View) settleCaptures(b *Book, meta Meta, references []Reference) error {
	p := &v.Payment
	if !v.isCapturing() {
		v.capture(b, p.Amount.Minor, true)
	}
	v.Captures = slices.Clone(v.Captures)
	if p.Status == PaymentCaptured {
		p.become(PaymentCaptured, NoteNone) // one more capture
	} else if err := p.move(PaymentCaptured); err != nil {
		return err
	}
	p.References = learned(p.References, references, p.Version)
	p.ExpiresAt = time.Time{}
	for i := range v.Captures {
		if v.Captures[i].Status == CapturePending {
			v.count(b, &v.Captures[i])
		}
	}
	b.tell(meta, paymentEvent(PaymentCaptured), p.ID, *p, Refund{})
	return nil
}

// ended records a processor's no: what is being captured is not. A payment of
// which a part was captured before stays captured.
func (c AdvancePayment) ended(b *Book, v View) (Answer, error) {
	p := &v.Payment
	v.Captures = slices.Clone(v.Captures)
	for i := range v.Captures {
		if v.Captures[i].Status == CapturePending {
			v.Captures[i].become(CaptureFailed, p)
			p.Failures++
		}
	}
	if p.Status != PaymentCaptured {
		return v.end(b, c.Meta, c.End)
	}
	p.become(PaymentCaptured, NoteNone)
	b.tell(c.Meta, EventPaymentCaptureFailed, p.ID, *p, Refund{})
	b.save(v)
	return Answer{View: v}, nil
}

// isCapturing reports whether a capture is under way. There is one at a time.
func (v View) isCapturing() bool {
	return slices.ContainsFunc(v.Captures, func(c Capture) bool { return c.Status == CapturePending })
}

// count settles a capture: from now on it can be refunded.
func (v *View) count(b *Book, capture *Capture) {
	p := &v.Payment
	var earlier []money.Minor
	for _, other := range v.Captures {
		if other.Status == CaptureSettled {
			earlier = append(earlier, other.Amount)
		}
	}
	capture.become(CaptureSettled, p)
	p.Captured += capture.Amount
	p.Excess = min(p.Excess, p.over())
	b.post(*p, p.ID, paymentEvent(PaymentCaptured), merchantPostings(*v, earlier, capture.Amount,
		func(payable ledger.Account, part money.Amount) ledger.Posting {
			return ledger.Posting{Debit: ledger.Receivable(p.Connector), Credit: payable, Amount: part}
		}))
}

// end closes a payment of which nothing was taken, at its current version.
func (v *View) end(b *Book, meta Meta, status PaymentStatus) (Answer, error) {
	p := &v.Payment
	if err := p.move(status); err != nil {
		return Answer{}, err
	}
	p.Gates, p.ExpiresAt = nil, time.Time{}
	b.tell(meta, paymentEvent(status), p.ID, *p, Refund{})
	b.save(*v)
	return Answer{View: *v}, nil
}
