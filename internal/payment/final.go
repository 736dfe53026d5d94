package payment

import (
	"slices"

	"github.com/refundry/refundry/internal/money"
)

// final is a payment as doors show it where success is final: what was
// returned stays a success. See ADR 15.
type final struct {
	refunds []Refund
	counted money.Minor // by refunds that are shown
	came    money.Minor // of it, back
}

// final looks at each refund: only where nothing was ever returned, sums say the
// same. It needs all refunds of the view.
func (v View) final() final {
	var f final
	v.mustHaveReturned()
	for _, refund := range v.Refunds {
		if !f.shows(v, refund.Amount.Minor, refund.RetryOf) {
			continue
		}
		f.refunds = append(f.refunds, refund)
		if refund.Status.Effect() != EffectNone {
			f.counted += refund.Amount.Minor
		}
		if refund.Status == RefundReturned {
			f.counted += refund.Amount.Minor
			f.came += refund.Amount.Minor
		}
	}
	return f
}

// mustHaveReturned stops a command that would look for what was returned among
// some refunds only.
func (v View) mustHaveReturned() {
	if v.Payment.Returned > 0 && v.Parts&PartRefunds == 0 {
		panic(errPartial)
	}
}

// returned returns the refunds whose money has come back, oldest first.
func (v View) returned() []Refund {
	v.mustHaveReturned()
	return slices.DeleteFunc(slices.Clone(v.Refunds), func(r Refund) bool { return r.Status != RefundReturned })
}

// shows reports whether a refund that comes after those is shown: it neither
// gives money back once more, nor takes, with money that came back, more than
// was captured.
func (f final) shows(v View, amount money.Minor, retryOf RefundID) bool {
	if !retryOf.IsZero() {
		if earlier, _ := v.Refund(retryOf); earlier.Status == RefundReturned {
			return false
		}
	}
	return f.came == 0 || f.counted+amount <= v.Payment.Captured
}

// FinalRefunds returns the refunds as a door shows them where success is
// final: what was returned stays a success, and the refunds that give it back
// once more are not there.
func (v View) FinalRefunds() []Refund { return v.final().refunds }

// FinalLeft returns what is left of a payment at a door where success is
// final, in minor units, at least zero.
func (v View) FinalLeft() money.Minor {
	p := v.Payment
	counted := p.Refunded + p.Reserved
	if p.Returned > 0 {
		counted = v.final().counted
	}
	return max(0, p.Captured-p.Disputed-counted)
}

// fall lets an amount that names no lines fall on those of the payment: first on
// the lines that were named for it before, of a refund that is retried, or whose
// money moved after all. What is shown where success is final takes from the
// lines that are shown there; what is not takes first what came back. Within
// each, in proportion to what is left.
func (v View) fall(amount money.Minor, retryOf RefundID, named []RefundLine) []RefundLine {
	claimed, items := v.claimed(), v.Current()
	if len(items) == 0 {
		return nil
	}
	left, before := claimed.left(items), taken{}
	before.add(named)
	falls := make([]money.Minor, len(items))
	on := func(room func(Item) money.Minor) {
		rooms := make([]money.Minor, len(items))
		var whole money.Minor
		for i, item := range items {
			rooms[i] = max(0, min(room(item), left[i]-falls[i]))
			whole += rooms[i]
		}
		if whole == 0 {
			return
		}
		for i, piece := range money.Spread(min(amount, whole), rooms) {
			falls[i], amount = falls[i]+piece, amount-piece
		}
	}
	if v.Payment.Returned == 0 || v.final().shows(v, amount, retryOf) {
		shown := totals(v.List())
		on(func(item Item) money.Minor { return min(before[item.Position].Amount, shown[item.Position]) })
		on(func(item Item) money.Minor { return shown[item.Position] })
	} else {
		on(func(item Item) money.Minor { return before[item.Position].Amount })
		on(func(item Item) money.Minor {
			if item.CameBack {
				return item.Total
			}
			return 0
		})
	}
	on(func(item Item) money.Minor { return item.Total })
	var lines []RefundLine
	for i, piece := range falls {
		if piece > 0 {
			lines = append(lines, claimed.part(items[i], claimed.unitsAgain(items[i], before, piece), piece))
		}
	}
	return lines
}

// unitsAgain returns the units of a piece of a line that has at least what was
// named before, as far as they are left.
func (t taken) unitsAgain(item Item, before taken, piece money.Minor) int64 {
	named := before[item.Position]
	if piece < named.Amount {
		return 0
	}
	return max(0, min(named.Quantity, item.Quantity-t[item.Position].Quantity))
}

func totals(items []Item) map[int]money.Minor {
	byPosition := make(map[int]money.Minor, len(items))
	for _, item := range items {
		byPosition[item.Position] = item.Total
	}
	return byPosition
}
