package payment

import (
	"slices"

	"github.com/refundry/refundry/internal/ledger"
	"github.com/refundry/refundry/internal/money"
)

// List returns the lines of a payment as a door shows them that keeps a list
// of what remains, and where success is final: each line's Total is what
// refunds that succeeded have left of it, and lines that came back are not
// there. A payment without lines has one, which is all of it.
func (v View) List() []Item {
	p := v.Payment
	if p.ItemCount == 0 {
		return []Item{{
			Position: 1, Name: defaultLine, Quantity: 1, UnitAmount: p.Amount.Minor, Total: v.unlisted(), Merchant: p.Merchant,
		}}
	}
	succeeded := v.succeeded()
	if p.Returned > 0 {
		succeeded = v.finalSucceeded()
	}
	var list []Item
	for _, item := range v.Current() {
		if item.CameBack {
			continue
		}
		took := succeeded[item.Position]
		item.Total, item.Tax = max(0, item.Total-took.Amount), max(0, item.Tax-took.Tax)
		if item.Merchant == "" {
			item.Merchant = p.Merchant
		}
		list = append(list, item)
	}
	return list
}

// finalSucceeded returns what refunds that succeeded have taken of each line,
// whatever came back since.
func (v View) finalSucceeded() taken {
	sums := taken{}
	for _, refund := range v.final().refunds {
		if refund.Status == RefundSucceeded || refund.Status == RefundReturned {
			sums.add(refund.Lines)
		}
	}
	return sums
}

// defaultLine is what the line is called of a payment that has none.
const defaultLine = "Payment"

// unlisted returns what refunds that succeeded have left of a payment without
// lines: of what was captured, once something was.
func (v View) unlisted() money.Minor {
	left := v.Payment.Captured
	if left == 0 {
		left = v.Payment.Amount.Minor
	}
	if v.Payment.Returned == 0 {
		return max(0, left-v.Payment.Refunded)
	}
	for _, refund := range v.final().refunds {
		if refund.Status == RefundSucceeded || refund.Status == RefundReturned {
			left -= refund.Amount.Minor
		}
	}
	return max(0, left)
}

func totalOf(items []Item) money.Minor {
	var sum money.Minor
	for _, item := range items {
		sum += item.Total
	}
	return sum
}

// byMerchant sums items by who is paid for them, in order of appearance.
func byMerchant(p Payment, items []Item) []share {
	lines := make([]RefundLine, 0, len(items))
	for _, item := range items {
		lines = append(lines, RefundLine{Amount: item.Total, Merchant: item.Merchant})
	}
	if len(lines) == 0 {
		return nil
	}
	return slices.DeleteFunc(shares(p, totalOf(items), lines), func(s share) bool { return s.minor == 0 })
}

func of(shares []share, merchant string) money.Minor {
	for _, s := range shares {
		if s.merchant == merchant {
			return s.minor
		}
	}
	return 0
}

// cut returns how a refund falls on the lines if a list is to remain: what each
// recipient gives is taken from its lines, the last one first. It refuses a
// list by which somebody gains, together with lines all the same: a door may
// not mind.
func (v View) cut(list []Item, amount money.Minor) ([]RefundLine, error) {
	p, is := v.Payment, v.List()
	before, after := byMerchant(p, is), byMerchant(p, list)
	var refused error
	for _, s := range after {
		if s.minor > of(before, s.merchant) {
			refused = refuse(RuleRecipients, "a recipient gets more by the lines that will be, or is new")
		}
	}
	if p.ItemCount == 0 {
		return nil, refused
	}
	claimed := v.claimed()
	rest := amount
	var lines []RefundLine
	for _, s := range before {
		give := min(rest, max(0, s.minor-of(after, s.merchant)))
		for _, item := range slices.Backward(is) {
			line := v.item(item.Position)
			left := line.Total - claimed[item.Position].Amount
			if piece := min(give, item.Total, left); piece > 0 && item.Merchant == s.merchant {
				lines = append(lines, claimed.part(line, 0, piece))
				give, rest = give-piece, rest-piece
			}
		}
	}
	if rest > 0 && refused == nil { // refunds that are not shown have taken from lines that are: the others give
		lines = claimed.also(v.Current(), lines, rest)
	}
	return lines, refused
}

// item returns a line by its position; the zero line if there is none.
func (v View) item(position int) Item {
	for _, item := range v.Items {
		if item.Position == position {
			return item
		}
	}
	return Item{}
}

// replaceItems lets a list take the place of the payment's lines, at its
// current version. What each merchant is owed follows.
func (b *Book) replaceItems(v *View, list []Item) {
	p := &v.Payment
	owed, before := byMerchant(*p, v.owed()), v.leftOfLines()
	v.Items = slices.Clone(v.Items)
	for i := range v.Items {
		if v.Items[i].Until == 0 && !v.Items[i].CameBack {
			v.Items[i].Until = p.Version
		}
	}
	for _, item := range list {
		v.addItem(item)
	}
	back := max(0, before-totalOf(list)) // what came back and is still here, which the list does not know
	for _, refund := range v.returned() {
		back -= v.comeBack(refund, back, func(item Item) bool { return item.Until == p.Version })
	}
	v.trim(v.leftOfLines() - before)
	b.post(*p, p.ID, EventPaymentItems, rebalanced(*p, owed, byMerchant(*p, v.owed())))
}

// leftOfLines returns what refunds that count have left of all lines together.
func (v View) leftOfLines() money.Minor {
	if v.Payment.ItemCount == 0 {
		return v.unlisted()
	}
	var sum money.Minor
	for _, left := range v.LeftOfLines() {
		sum += left
	}
	return sum
}

// trim takes from the new lines, the last one first, what facts have given back
// since their list was decided on.
func (v *View) trim(surplus money.Minor) {
	for i := len(v.Items) - 1; i >= 0 && surplus > 0; i-- {
		item := &v.Items[i]
		if item.Until == 0 && item.Since == v.Payment.Version {
			piece := min(surplus, item.Total)
			item.Total, surplus = item.Total-piece, surplus-piece
			item.Tax = min(item.Tax, item.Total)
		}
	}
}

// addItem adds a line at the payment's current version.
func (v *View) addItem(item Item) {
	v.Payment.ItemCount++
	item.Position, item.Since, item.Until = v.Payment.ItemCount, v.Payment.Version, 0
	if item.Quantity == 0 {
		item.Quantity = 1
	}
	v.Items = append(slices.Clip(v.Items), item)
	v.LineTotals = append(slices.Clip(v.LineTotals), LineTotals{Position: item.Position})
}

// owed returns the lines with what is owed for each: what refunds that count
// have left of it, as far as it was captured.
func (v View) owed() []Item {
	p := v.Payment
	rest := p.Captured - p.Refunded - p.Reserved
	if p.ItemCount == 0 {
		return []Item{{Total: max(0, rest), Merchant: p.Merchant}}
	}
	items := v.Current()
	owed := v.claimed().left(items)
	if p.Captured < p.Amount.Minor {
		owed = partsOf(max(0, rest), owed)
	}
	for i := range items {
		items[i].Total = owed[i]
	}
	return items
}

// partsOf spreads a part of what lines are over them.
func partsOf(part money.Minor, lines []money.Minor) []money.Minor {
	var whole money.Minor
	for _, line := range lines {
		whole += line
	}
	if whole == 0 {
		return lines
	}
	return money.Spread(min(part, whole), lines)
}

// rebalanced returns the postings that move what merchants are owed from one
// division to another.
func rebalanced(p Payment, before, after []share) []ledger.Posting {
	var postings []ledger.Posting
	gains := slices.Clone(after)
	for i := range gains {
		gains[i].minor -= of(before, gains[i].merchant)
	}
	for _, s := range before {
		gives := s.minor - of(after, s.merchant)
		for i := range gains {
			if piece := min(gives, gains[i].minor); piece > 0 {
				postings = append(postings, ledger.Posting{
					Debit: ledger.Payable(s.merchant), Credit: ledger.Payable(gains[i].merchant),
					Amount: money.Of(piece, p.Amount.Currency),
				})
				gives, gains[i].minor = gives-piece, gains[i].minor-piece
			}
		}
	}
	return postings
}

// ReplaceItems lets another list of lines take the place of a payment's. Their
// sum stays.
type ReplaceItems struct {
	Meta

	Payment PaymentID
	List    []Item // of each, Total, Merchant and what describes it
	Parts   Parts  // what the door's answer shows
}

// Need implements [Command].
func (c ReplaceItems) Need() Need {
	return Need{
		Tenant: c.Tenant, Payment: c.Payment, Key: c.Key.Hash,
		Parts: c.Parts | PartItems, IsFinal: true,
	}
}

// Apply implements [Command].
func (c ReplaceItems) Apply(b *Book) (Answer, error) {
	return b.changePayment(c.Meta, c.Payment, func(v *View) error {
		p := &v.Payment
		switch {
		case p.OrderStatus == OrderSplit || p.OrderStatus == OrderSettled:
			return refuse(RuleOrder, "the payment's order is %s", p.OrderStatus)
		case p.Reserved > 0:
			return refuse(RuleOneAtATime, "a refund of the payment has not ended")
		case checkItems(c.List) != nil:
			return checkItems(c.List)
		case len(c.List) == 0 || totalOf(c.List) != totalOf(v.List()):
			return refuse(RuleListSum, "the new lines do not add up to what the lines are now")
		}
		p.touch(b.Now)
		p.become(p.Status, NoteItems)
		b.replaceItems(v, c.List)
		b.tell(c.Meta, EventPaymentItems, p.ID, *p, Refund{})
		return nil
	})
}

// comeBack adds to the lines what a refund that was returned gave back of some
// that are not current any more, up to an amount, and returns how much. Doors
// where success is final do not show it.
func (v *View) comeBack(r Refund, upTo money.Minor, ofLine func(Item) bool) money.Minor {
	var sum money.Minor
	for _, line := range r.Lines {
		item, back := v.item(line.Position), min(line.Amount, upTo-sum)
		if back <= 0 || !ofLine(item) {
			continue
		}
		sum += back
		v.addItem(Item{
			Name: item.Name, UnitAmount: back, TaxRate: item.TaxRate, Total: back, Merchant: line.Merchant, CameBack: true,
			Tax: money.Share(line.Tax, int64(back), int64(line.Amount)),
		})
	}
	return sum
}
