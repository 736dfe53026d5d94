package payment

import (
	"encoding/binary"
	"errors"
	"slices"
	"time"

	"github.com/refundry/refundry/internal/money"
)

// Previewed is what an [OpenRefund] would do. Where a rule says no, the numbers
// are those that it says no to.
type Previewed struct {
	Refusal         *Refusal // the first rule that says no; nil: it would be opened
	Amount          money.Amount
	Tax             money.Minor // the part of Amount that is tax, as far as lines are known
	Refunds         []Refund    // what would be opened, one for each capture that must be named; without ids
	ApprovalsNeeded int         // 0: nobody need agree
	NotBefore       time.Time   // it would wait until then, and could be canceled; zero: it would leave at once
	Left            money.Amount
	Digest          Digest   // binds a later command to these numbers, see [OpenRefund.Expect]
	Replays         RefundID // its key was used for the same: this refund would be the answer again, and nothing be opened
}

// Used says what becomes of the command, now that it turns out that its key was
// used before: what was opened then is the answer once more, with its numbers,
// or the key's rule says no before all others. The view is of the payment.
func (p Previewed) Used(v View, key Key, record *KeyRecord) Previewed {
	b := NewBook(record.At, nil)
	b.PutKey(record)
	p.Refusal, p.Digest = nil, ""
	if _, err := b.use(key); err != nil {
		if !errors.As(err, &p.Refusal) {
			p.Refusal = refuse("", "%s", err)
		}
		return p
	}
	then := v.AsOf(record.Version)
	first, _ := then.Refund(record.Subject)
	p.Replays, p.Refunds = first.ID, then.Group(first.ID)
	p.ApprovalsNeeded, p.Left = first.ApprovalsNeeded, v.Payment.Refundable()
	p.Amount.Minor = 0
	for _, r := range p.Refunds {
		p.Amount.Minor += r.Amount.Minor
	}
	p.sum()
	return p
}

// sum adds up what all refunds have in common.
func (p *Previewed) sum() {
	p.Tax, p.NotBefore = 0, time.Time{}
	for _, r := range p.Refunds {
		p.NotBefore = r.NotBefore
		for _, line := range r.Lines {
			p.Tax += line.Tax
		}
	}
}

// Preview says what a command would do to a payment now, and does nothing. The
// view has what the command needs, the counters are those that [Need.Counters] names. It
// runs what the command itself runs.
func Preview(v View, t *Tenant, c OpenRefund, now time.Time, counters ...Counter) Previewed {
	b := trial(v, t, now, counters)
	a := c.ask(b)
	p := a.view.Payment
	previewed := Previewed{
		Amount: money.Of(a.amount, p.Amount.Currency), Left: p.Refundable(), ApprovalsNeeded: a.approvals(), Digest: a.digest(),
	}
	refused := a.check()
	if refused != nil {
		if !errors.As(refused, &previewed.Refusal) {
			previewed.Refusal = refuse("", "%s", refused)
		}
		for _, piece := range a.pieces {
			previewed.Refunds = append(previewed.Refunds, a.refund(&p, piece))
		}
	} else {
		answer := a.open()
		previewed.Refunds, previewed.Left = slices.Clone(answer.Refunds), answer.View.Payment.Refundable()
	}
	for i := range previewed.Refunds {
		previewed.Refunds[i].ID, previewed.Refunds[i].Group = RefundID{}, GroupID{}
	}
	previewed.sum()
	return previewed
}

// trial returns a book that nobody writes.
func trial(v View, t *Tenant, now time.Time, counters []Counter) *Book {
	var count uint64
	b := NewBook(now, func() (id [16]byte) {
		count++
		binary.BigEndian.PutUint64(id[8:], count)
		return id
	})
	b.PutTenant(t)
	b.PutView(v)
	for _, counter := range counters {
		b.PutCounter(counter)
	}
	return b
}

// digest returns the digest of what would happen: how much of what goes back,
// and who must agree. When it would happen is left to the clock.
func (a *asking) digest() Digest {
	d := &digesting{}
	d.id(a.view.Payment.ID)
	d.text(string(a.view.Payment.Amount.Currency))
	d.number(int64(a.amount), int64(a.approvals()), int64(len(a.pieces)))
	for _, piece := range a.pieces {
		d.id(piece.capture)
		d.number(int64(piece.amount))
		d.lines(piece.lines)
	}
	return d.sum()
}
