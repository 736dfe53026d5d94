package payment

import "github.com/refundry/refundry/internal/money"

// piece is the part of what is asked for that becomes a refund of its own.
type piece struct {
	capture CaptureID // zero: it names none
	amount  money.Minor
	lines   []RefundLine
}

// cut returns what becomes a refund of its own: all of it, or, where the
// processor refunds captures, one piece for each, the oldest first.
func (a *asking) cut() []piece {
	rest := piece{a.Ask.Capture, a.amount, a.lines}
	if !a.view.Payment.PerCapture || !a.Ask.Capture.IsZero() || a.amount < 1 {
		return []piece{rest}
	}
	var pieces []piece
	for _, of := range a.view.LeftOfCaptures() {
		if of.Left == 0 || rest.amount == 0 {
			continue
		}
		part := rest.take(min(rest.amount, of.Left))
		part.capture = of.Capture.ID
		pieces = append(pieces, part)
	}
	if len(pieces) == 0 {
		return []piece{rest} // a rule says no to it
	}
	return pieces
}

// take takes an amount off a piece, with the lines that it falls on. A line
// that is cut leaves its units with the first part, and the taxes of both add
// up to that of the line.
func (p *piece) take(amount money.Minor) piece {
	part := piece{amount: amount}
	p.amount -= amount
	var left []RefundLine
	for _, line := range p.lines {
		first, rest := line, line
		first.Amount = min(line.Amount, amount)
		rest.Amount -= first.Amount
		amount -= first.Amount
		if first.Amount == 0 && line.Amount > 0 {
			left = append(left, line)
			continue
		}
		if rest.Amount > 0 {
			first.Tax = money.Share(line.Tax, int64(first.Amount), int64(line.Amount))
			rest.Tax, rest.Quantity = line.Tax-first.Tax, 0
			left = append(left, rest)
		}
		part.lines = append(part.lines, first)
	}
	p.lines = left
	return part
}

// checkSingle refuses what becomes several refunds where it must be one.
func (a *asking) checkSingle(rule Rule) error {
	var refusal *Refusal
	switch {
	case len(a.pieces) < 2:
		return nil
	case a.Ask.How == AskList: // the list would follow one of several outcomes
		refusal = refuse(RuleCapture, "a list can remain of one capture only: name it")
	case rule.On:
		refusal = refuse(RuleCapture, "the refund would be one for each of %d captures", len(a.pieces))
	default:
		return nil
	}
	refusal.Refundable = money.Of(a.pieces[0].amount, a.view.Payment.Amount.Currency)
	return refusal
}
