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
	Digest          Digest // binds a later command to these numbers, see [OpenRefund.Expect]
}

// Preview says what a command would do to a payment now, and does nothing. The
// view has all its parts, the counters are those that [Need.Counters] names. It
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
		r := &previewed.Refunds[i]
		previewed.NotBefore = r.NotBefore
		r.ID, r.Group = RefundID{}, GroupID{}
		for _, line := range r.Lines {
			previewed.Tax += line.Tax
		}
	}
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
