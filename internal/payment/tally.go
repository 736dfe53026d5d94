package payment

import (
	"slices"

	"github.com/refundry/refundry/internal/money"
)

// LineSum is what some refunds take of one line.
type LineSum struct {
	Quantity int64 // units that were named
	Amount   money.Minor
	Tax      money.Minor // the part of Amount that is tax
}

func (s *LineSum) add(line RefundLine, sign int64) {
	s.Quantity += sign * line.Quantity
	s.Amount += money.Minor(sign) * line.Amount
	s.Tax += money.Minor(sign) * line.Tax
}

// LineTotals is what refunds that count have taken of one line. It is kept with the
// line, so that one more refund need not read all that there were.
type LineTotals struct {
	Position int
	Reserved LineSum // by refunds on their way
	Refunded LineSum // by those that succeeded
}

// of returns the sum that refunds of an effect are in; nil: they are in none.
func (t *LineTotals) of(effect Effect) *LineSum {
	switch effect {
	case EffectReserved:
		return &t.Reserved
	case EffectRefunded:
		return &t.Refunded
	case EffectNone:
	}
	return nil
}

// tally lets all sums that are kept follow a refund from one status to another;
// from none: it is new. It is the one place where refunds change sums: of the
// payment, of its lines and of its captures.
func (v *View) tally(r Refund, from, to RefundStatus) {
	v.Payment.Totals = v.Payment.Totals.moved(r, from, to)
	if from.Effect() == to.Effect() {
		return
	}
	if len(r.Lines) > 0 {
		v.LineTotals = slices.Clone(v.LineTotals) // other views share them
	}
	if !r.Capture.IsZero() {
		v.Captures = slices.Clone(v.Captures)
	}
	if !v.tallyParts(r, from.Effect(), to.Effect()) {
		panic("payment: a line or the capture of the refund was not read")
	}
}

// tallyParts writes into the view's lines and captures. It returns false if
// something that the refund names is not there.
func (v *View) tallyParts(r Refund, from, to Effect) bool {
	isThere := true
	for _, line := range r.Lines {
		at := slices.IndexFunc(v.LineTotals, func(t LineTotals) bool { return t.Position == line.Position })
		if at < 0 {
			isThere = false
			continue
		}
		if sum := v.LineTotals[at].of(from); sum != nil {
			sum.add(line, -1)
		}
		if sum := v.LineTotals[at].of(to); sum != nil {
			sum.add(line, 1)
		}
	}
	if r.Capture.IsZero() {
		return isThere
	}
	at := slices.IndexFunc(v.Captures, func(c Capture) bool { return c.ID == r.Capture })
	if at < 0 {
		return false
	}
	if sum := v.Captures[at].of(from); sum != nil {
		*sum -= r.Amount.Minor
	}
	if sum := v.Captures[at].of(to); sum != nil {
		*sum += r.Amount.Minor
	}
	return isThere
}

// of returns the sum that refunds of an effect are in; nil: they are in none.
func (c *Capture) of(effect Effect) *money.Minor {
	switch effect {
	case EffectReserved:
		return &c.Reserved
	case EffectRefunded:
		return &c.Refunded
	case EffectNone:
	}
	return nil
}

// RecountParts sums what refunds have taken of each line and of each capture. It
// is how the past, and `refundry verify`, know what is kept with these. It needs
// all parts of the view.
func (v View) RecountParts() ([]LineTotals, []Capture) {
	again := View{Captures: slices.Clone(v.Captures)}
	for _, item := range v.Items {
		again.LineTotals = append(again.LineTotals, LineTotals{Position: item.Position})
	}
	for i := range again.Captures {
		again.Captures[i].Reserved, again.Captures[i].Refunded = 0, 0
	}
	for i := range v.Refunds {
		refund := &v.Refunds[i]
		again.tallyParts(*refund, EffectNone, refund.Status.Effect()) // what is not there has no sum
	}
	return again.LineTotals, again.Captures
}

// With returns the view with one refund more, as if it had just been opened.
func (v View) With(refund Refund) View {
	v.tally(refund, "", refund.Status)
	v.putRefund(refund)
	return v
}

// taken is how much of each line refunds have claimed, by position.
type taken map[int]RefundLine

// claimed returns what refunds that count have claimed of each line. It needs
// the lines of the view.
func (v View) claimed() taken {
	sums := taken{}
	for _, line := range v.LineTotals {
		sums.sum(line.Position, line.Reserved)
		sums.sum(line.Position, line.Refunded)
	}
	return sums
}

// succeeded returns what refunds that succeeded have taken of each line, as far
// as it has not come back. It needs the lines of the view.
func (v View) succeeded() taken {
	sums := taken{}
	for _, line := range v.LineTotals {
		sums.sum(line.Position, line.Refunded)
	}
	return sums
}

func (t taken) sum(position int, s LineSum) {
	t.add([]RefundLine{{Position: position, Quantity: s.Quantity, Amount: s.Amount, Tax: s.Tax}})
}

func (t taken) add(lines []RefundLine) {
	for _, line := range lines {
		sum := t[line.Position]
		sum.Quantity += line.Quantity
		sum.Amount += line.Amount
		sum.Tax += line.Tax
		t[line.Position] = sum
	}
}

// LeftOfLines returns what of each line can still be refunded, in minor units
// and in the order of [View.Current].
func (v View) LeftOfLines() []money.Minor { return v.claimed().left(v.Current()) }
