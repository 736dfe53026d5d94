package payment

import (
	"github.com/refundry/refundry/internal/ledger"
	"github.com/refundry/refundry/internal/money"
)

// OpenOrder makes an order that has no payment yet.
type OpenOrder struct {
	Meta

	ID       OrderID // zero: a new one
	Currency money.Currency
	Amount   money.Minor
	Metadata string
	Document []byte // the door's facet
}

// Need implements [Command].
func (c OpenOrder) Need() Need { return Need{Tenant: c.Tenant, Key: c.Key.Hash, Order: c.ID} }

// Apply implements [Command].
func (c OpenOrder) Apply(b *Book) (Answer, error) {
	record, err := b.use(c.Key)
	if err != nil {
		return Answer{}, err
	}
	if record != nil {
		return Answer{Replayed: record}, nil
	}
	order := Order{
		Tenant: c.Tenant, ID: c.ID, Home: c.Door, Status: OrderOpen, Currency: c.Currency, Amount: c.Amount,
		Metadata: c.Metadata, Version: 1, CreatedAt: b.Now, UpdatedAt: b.Now,
	}
	if order.ID.IsZero() {
		order.ID = b.newID()
	}
	if _, err := b.order(c.Tenant, order.ID); err == nil {
		return Answer{}, refuse(RuleAlias, "the order exists")
	}
	b.documentOrder(c.Meta, order, c.Document)
	b.tellOrder(c.Meta, EventOrderCreated, order)
	b.keep(c.Meta, order.ID, PaymentID{}, order.Version)
	b.saveOrder(order)
	return Answer{Order: order}, nil
}

// MoveOrder closes, splits, settles or cancels an order. What has been reached
// already changes nothing.
type MoveOrder struct {
	Meta

	Order   OrderID
	To      OrderStatus
	Skips   bool // steps in between may be skipped
	PaysOut bool // settled, each recipient's part becomes a [Payout]
}

// Need implements [Command].
func (c MoveOrder) Need() Need {
	return Need{Tenant: c.Tenant, Order: c.Order, Parts: PartCaptures | PartItems | PartRefunds | PartDisputes, Key: c.Key.Hash}
}

// Apply implements [Command].
func (c MoveOrder) Apply(b *Book) (Answer, error) {
	record, err := b.use(c.Key)
	if err != nil {
		return Answer{}, err
	}
	if record != nil {
		return Answer{Replayed: record}, nil
	}
	order, err := b.order(c.Tenant, c.Order)
	if err != nil {
		return Answer{}, err
	}
	views := b.viewsOf(c.Tenant, c.Order)
	if order.Status == c.To {
		return Answer{Order: order, Unchanged: true}, nil
	}
	if err := c.check(order, views); err != nil {
		return Answer{}, err
	}
	from := order.Status
	order.touch(b.Now)
	order.Status = c.To
	b.tellOrder(c.Meta, orderEvent(c.To), order)
	b.saveOrder(order)
	parts := &parting{}
	for _, v := range views {
		c.movePayment(b, v, from, parts)
	}
	if c.PaysOut && c.To == OrderSettled {
		b.payOut(c.Meta, order, parts.list)
	}
	b.keep(c.Meta, order.ID, PaymentID{}, order.Version)
	return Answer{Order: order}, nil
}

// orderSteps is the order in which an order goes through its life.
var orderSteps = map[OrderStatus]int{OrderOpen: 0, OrderClosed: 1, OrderSplit: 2, OrderSettled: 3}

func (c MoveOrder) check(order Order, views []View) error {
	if !OrderLife.Allows(order.Status, c.To) ||
		(!c.Skips && c.To != OrderCanceled && orderSteps[c.To] != orderSteps[order.Status]+1) {
		return refuse(RuleStatus, "the order is %s and cannot become %s", order.Status, c.To)
	}
	if c.To == OrderCanceled && len(views) > 0 {
		return refuse(RuleStatus, "an order with payments cannot be canceled")
	}
	for _, v := range views {
		if !PaymentLife.IsEnd(v.Payment.Status) || v.isCapturing() {
			return refuse(RuleOrder, "a payment of the order has not ended")
		}
		if v.Payment.Reserved > 0 && c.To != OrderClosed {
			return refuse(RuleOneAtATime, "a refund of the order has not ended")
		}
	}
	return nil
}

// parting sums what each recipient of an order gets, by currency.
type parting struct{ list []part }

type part struct {
	merchant string
	amount   money.Amount
}

func (p *parting) add(merchant string, amount money.Amount) {
	for i := range p.list {
		if p.list[i].merchant == merchant && p.list[i].amount.Currency == amount.Currency {
			p.list[i].amount.Minor += amount.Minor
			return
		}
	}
	p.list = append(p.list, part{merchant, amount})
}

// movePayment writes the order's status on a payment, so that a refund reads
// its payment only, and sets each line's part aside or pays it out.
func (c MoveOrder) movePayment(b *Book, v View, from OrderStatus, parts *parting) {
	p := &v.Payment
	p.touch(b.Now)
	p.enter(c.To)
	isSplit := from == OrderSplit
	parted := v
	if isSplit { // what was set aside is paid out, whatever facts have taken since
		parted = v.AsOf(p.History.at(orderNote(OrderSplit)))
	}
	var postings []ledger.Posting
	for _, part := range parted.Remaining() {
		amount := money.Of(part.Amount, p.Amount.Currency)
		payable, allocated := ledger.Payable(part.Merchant), ledger.Allocated(part.Merchant)
		if !isSplit && (c.To == OrderSplit || c.To == OrderSettled) {
			postings = append(postings, ledger.Posting{Debit: payable, Credit: allocated, Amount: amount})
		}
		if c.To == OrderSettled {
			postings = append(postings, ledger.Posting{
				Debit: allocated, Credit: ledger.Bank(p.Connector), Amount: amount,
			})
			parts.add(part.Merchant, amount)
		}
	}
	b.post(*p, p.ID, EventPaymentOrderMoved, postings)
	b.tell(c.Meta, EventPaymentOrderMoved, p.ID, *p, Refund{})
	b.save(v)
}

// Remaining returns what was taken and not given back, as it falls on the
// lines of the payment: what each recipient gets. What no line carries comes
// last, at position 0.
func (v View) Remaining() []RefundLine {
	p := v.Payment
	rest := p.Totals.Refundable()
	if rest == 0 {
		return nil
	}
	lines := v.claimed().spread(v.Current(), rest)
	for i := range lines {
		if lines[i].Merchant == "" {
			lines[i].Merchant = p.Merchant
		}
		rest -= lines[i].Amount
	}
	if rest > 0 {
		lines = append(lines, RefundLine{Amount: rest, Merchant: p.Merchant})
	}
	return lines
}
