package payment

import (
	"maps"
	"slices"

	"github.com/refundry/refundry/internal/money"
)

// Item is one line of what was bought. All amounts are minor units of the
// payment's currency.
type Item struct {
	Position   int // 1, 2, …
	Name       string
	Quantity   int64
	UnitAmount money.Minor
	TaxRate    string      // percent, as given
	Tax        money.Minor // the part of Total that is tax
	Total      money.Minor // what was paid for the line
	Merchant   string      // who is paid for it; empty: the payment's merchant
	Metadata   string
	Tags       []string
	Since      int64 // the payment's version at which the line came to be; 0: with the payment
	Until      int64 // … at which another list took its place; 0: it is current
	CameBack   bool  // the money of a refund that had succeeded and was returned
}

// Current returns the lines that no other list has taken the place of.
func (v View) Current() []Item {
	current := make([]Item, 0, len(v.Items))
	for _, item := range v.Items {
		if item.Until == 0 {
			current = append(current, item)
		}
	}
	return current
}

// itemsAsOf returns the lines as they were at a version.
func itemsAsOf(items []Item, version int64) []Item {
	var then []Item
	for _, item := range items {
		if item.Since > version {
			continue
		}
		if item.Until > version {
			item.Until = 0
		}
		then = append(then, item)
	}
	return then
}

// checkItems refuses lines that cannot be. A line of a list may have no
// quantity: it is one.
func checkItems(items []Item) error {
	var sum money.Minor
	for _, item := range items {
		if item.Quantity < 0 || item.Total < 0 || item.Tax < 0 || item.Tax > item.Total || item.Total > money.Max {
			return refuse(RuleItems, "a line item has an amount or a quantity out of range")
		}
		if sum += item.Total; sum > money.Max {
			return refuse(RuleItems, "the line items add up to more than there can be")
		}
	}
	return nil
}

// RefundLine is the part of a refund that falls on one line item.
type RefundLine struct {
	Position int
	Quantity int64 // 0: the refund named an amount
	Amount   money.Minor
	Tax      money.Minor // the part of Amount that is tax
	Merchant string
}

// ItemAsk asks for the refund of units of one line.
type ItemAsk struct {
	Position int
	Quantity int64
}

func (t taken) left(items []Item) []money.Minor {
	left := make([]money.Minor, len(items))
	for i, item := range items {
		left[i] = max(0, item.Total-t[item.Position].Amount)
	}
	return left
}

// part returns a piece of what is left of a line, with what is missing of the
// cumulative share of tax: however a line is cut, and whichever pieces failed
// in between, the taxes of its pieces add up to the tax of the line.
func (t taken) part(item Item, quantity int64, amount money.Minor) RefundLine {
	before := t[item.Position]
	line := RefundLine{Position: item.Position, Quantity: quantity, Amount: amount, Merchant: item.Merchant}
	if item.Total == 0 {
		return line
	}
	upTo := min(before.Amount+amount, item.Total) // facts may have taken more than the line
	due := money.Share(item.Tax, int64(upTo), int64(item.Total)) - before.Tax
	taxLeft, rest := max(0, item.Tax-before.Tax), item.Total-upTo
	line.Tax = min(max(due, taxLeft-rest, 0), amount, taxLeft)
	return line
}

// units returns the piece of a line that quantity units are: their cumulative
// share, never more than what is left, and all that is left with the last unit.
func (t taken) units(item Item, quantity int64) RefundLine {
	before := t[item.Position]
	left := max(0, item.Total-before.Amount)
	amount := money.Share(item.Total, before.Quantity+quantity, item.Quantity) -
		money.Share(item.Total, before.Quantity, item.Quantity)
	if before.Quantity+quantity == item.Quantity || amount > left {
		amount = left
	}
	return t.part(item, quantity, amount)
}

// spread lets an amount fall on all lines, in proportion to what is left of
// each. What the lines cannot hold falls on none.
func (t taken) spread(items []Item, amount money.Minor) []RefundLine {
	left := t.left(items)
	var whole money.Minor
	for _, minor := range left {
		whole += minor
	}
	if whole == 0 {
		return nil
	}
	var lines []RefundLine
	for i, minor := range money.Spread(min(amount, whole), left) {
		if minor > 0 {
			lines = append(lines, t.part(items[i], 0, minor))
		}
	}
	return lines
}

// allocate returns the lines that units of items amount to.
func (v View) allocate(asks []ItemAsk) ([]RefundLine, error) {
	claimed, items := v.claimed(), v.Current()
	lines := make([]RefundLine, 0, len(asks))
	for _, ask := range asks {
		at := slices.IndexFunc(items, func(item Item) bool { return item.Position == ask.Position })
		if at < 0 {
			return nil, refuse(RuleItems, "the payment has no such line item")
		}
		item := items[at]
		if slices.ContainsFunc(lines, func(l RefundLine) bool { return l.Position == ask.Position }) {
			return nil, refuse(RuleItems, "a line item is named twice")
		}
		if ask.Quantity < 1 || ask.Quantity > item.Quantity-claimed[item.Position].Quantity {
			return nil, refuse(RuleItems, "no more than %d of line item %d can be refunded",
				max(0, item.Quantity-claimed[item.Position].Quantity), item.Position)
		}
		lines = append(lines, claimed.units(item, ask.Quantity))
	}
	return lines, nil
}

// share is what one merchant gets or gives of an amount.
type share struct {
	merchant string
	minor    money.Minor
}

// shares groups lines by merchant, in order of appearance; what no line
// carries is the payment's own merchant's.
func shares(p Payment, amount money.Minor, lines []RefundLine) []share {
	var grouped []share
	add := func(merchant string, minor money.Minor) {
		if merchant == "" {
			merchant = p.Merchant
		}
		for i := range grouped {
			if grouped[i].merchant == merchant {
				grouped[i].minor += minor
				return
			}
		}
		grouped = append(grouped, share{merchant, minor})
	}
	rest := amount
	for _, line := range lines {
		if line.Amount > 0 {
			add(line.Merchant, line.Amount)
		}
		rest -= line.Amount
	}
	if rest != 0 || len(grouped) == 0 {
		add("", rest)
	}
	return grouped
}

// wholeLines returns an amount of the whole payment as it falls on its items,
// after earlier amounts did: how captures and disputes are shared among
// merchants. However the whole is cut, the pieces of a line add up to the line.
func wholeLines(items []Item, earlier []money.Minor, amount money.Minor) []RefundLine {
	sums := taken{}
	for _, before := range earlier {
		sums.add(sums.spread(items, before))
	}
	return sums.spread(items, amount)
}

// also returns lines with an amount more that falls on what they leave, in
// proportion to what is left.
func (t taken) also(items []Item, lines []RefundLine, amount money.Minor) []RefundLine {
	with := taken{}
	with.add(lines)
	both := maps.Clone(t)
	both.add(lines)
	with.add(both.spread(items, amount))
	var all []RefundLine
	for _, item := range items {
		if line, ok := with[item.Position]; ok {
			line.Position, line.Merchant = item.Position, item.Merchant
			all = append(all, line)
		}
	}
	return all
}
