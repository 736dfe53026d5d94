package ping

import (
	"errors"
	"slices"

	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/wire"
)

// createOrder opens an order.
func (d *Door) createOrder(c *call) (any, error) {
	currency := c.choice(c.body.Get("currency"), "currency", currencies, "unknown currency")
	doc := c.readOrder(orderDocument{})
	if err := c.err(); err != nil {
		return nil, err
	}
	answer, err := d.config.Engine.Do(c.ctx, payment.OpenOrder{
		Meta: c.meta(), Currency: money.Currency(currency), Document: doc.bytes(),
	})
	if err != nil {
		return nil, err
	}
	return shownID{answer.Order.ID.UUID()}, nil
}

// readOrder reads how an order is to be split. It is kept, and that is all: what
// is not named stays as it was.
func (c *call) readOrder(was orderDocument) orderDocument {
	if tree := c.body.Get("split_tree_id"); !tree.Is(wire.Absent) {
		was.SplitTree = c.uuid(tree, "split_tree_id")
	}
	if parameters := c.body.Get("split_parameters"); !parameters.Is(wire.Absent) {
		was.Parameters = wire.RawJSON(c.object(parameters, "split_parameters"))
	}
	return was
}

// getOrder shows an order with its payments, the oldest first.
func (d *Door) getOrder(c *call) (any, error) {
	if err := c.err(); err != nil {
		return nil, err
	}
	order, facets, err := d.config.Reader.Order(c.ctx, c.tenant.ID, c.order)
	if isRule(err, payment.RuleExists) {
		return d.getLone(c)
	}
	if err != nil {
		return nil, err
	}
	views, err := d.paymentsOf(c, order.ID)
	if err != nil {
		return nil, err
	}
	shown, payments := c.shower().order(order, facets), []shownPayment{}
	for _, view := range views {
		payments = append(payments, c.shower().payment(view))
		if shown.Currency == "" {
			shown.Currency = view.Payment.Amount.Currency // another door's order need not know it
		}
	}
	shown.Payments = &payments
	return shown, nil
}

// paymentsMax is how many payments of an order are looked at.
const paymentsMax = 1000

// paymentsOf returns the payments of an order, the oldest first.
func (d *Door) paymentsOf(c *call, order payment.OrderID) ([]payment.View, error) {
	views, err := d.config.Reader.Payments(c.ctx, c.tenant.ID, payment.PaymentFilter{
		Order: order, Limit: paymentsMax, Parts: payment.PartAll,
	})
	slices.Reverse(views)
	return views, err
}

// lone returns the payment whose own order the path names: it stands alone, and
// its order is closed. One that was made elsewhere may be found by its order's id.
func (d *Door) lone(c *call) (payment.View, error) {
	c.payment = payment.PaymentID(c.order)
	view, err := d.view(c)
	if !isRule(err, payment.RuleExists) && !errors.Is(err, noPayment) {
		return view, err
	}
	alias := payment.Alias{Kind: orderAlias, Value: c.order.UUID()}
	view, err = d.config.View(c.ctx, c.tenant.ID, payment.PaymentID{}, alias)
	isOther := err == nil && documentOf(view).orderID(view.Payment) != c.order.UUID()
	if isOther || isRule(err, payment.RuleExists) {
		return payment.View{}, noOrder
	}
	return view, err
}

// getLone shows the order of a payment that stands alone.
func (d *Door) getLone(c *call) (any, error) {
	view, err := d.lone(c)
	if err != nil {
		return nil, err
	}
	return shownOrder{
		ID: c.order.UUID(), Status: orderWords[payment.OrderClosed], CreatedAt: shownTime(view.Payment.CreatedAt),
		Currency: view.Payment.Amount.Currency, Payments: &[]shownPayment{c.shower().payment(view)},
	}, nil
}

// updateOrder changes how an order is to be split.
func (d *Door) updateOrder(c *call) (any, error) {
	c.readOrder(orderDocument{})
	if err := c.err(); err != nil {
		return nil, err
	}
	_, facets, err := d.config.Reader.Order(c.ctx, c.tenant.ID, c.order)
	if err != nil {
		return nil, d.orderRefused(c, err)
	}
	doc := c.readOrder(orderDocumentOf(facets))
	_, err = d.config.Engine.Do(c.ctx, payment.DocumentOrder{Meta: c.meta(), Order: c.order, Document: doc.bytes()})
	return nil, d.orderRefused(c, err)
}

// orderRefused says no to what is about an order that is not there: the order
// of a payment that stands alone does not change.
func (d *Door) orderRefused(c *call, err error) error {
	if !isRule(err, payment.RuleExists) {
		return err
	}
	if _, err := d.lone(c); err != nil {
		return err
	}
	return orderState
}

// moveTo returns the call that closes, splits or settles an order.
func moveTo(to payment.OrderStatus) func(*Door, *call) (any, error) {
	return func(d *Door, c *call) (any, error) { return nil, d.move(c, to) }
}

// move moves an order on. What it has passed already is no error.
func (d *Door) move(c *call, to payment.OrderStatus) error {
	skips := false
	if given := c.body.Get("fast_forward"); c.is(given, wire.Bool, "fast_forward", "boolean", false) {
		skips, _ = given.Bool()
	}
	if err := c.err(); err != nil {
		return err
	}
	_, err := d.config.Engine.Do(c.ctx, payment.MoveOrder{
		Meta: c.meta(), Order: c.order, To: to, Skips: skips, PaysOut: d.config.IsSandbox,
	})
	switch ruleOf(err) {
	case payment.RuleExists:
		if err = d.orderRefused(c, err); errors.Is(err, orderState) && to == payment.OrderClosed {
			return nil // it is closed
		}
		return err
	case payment.RuleOrder:
		return notTerminal
	case payment.RuleOneAtATime:
		return d.orderPending(c)
	case payment.RuleStatus:
		return d.notNext(c, to)
	default:
		return err
	}
}

// orderSteps is the order in which an order goes through its life.
var orderSteps = []payment.OrderStatus{
	payment.OrderOpen, payment.OrderClosed, payment.OrderSplit, payment.OrderSettled,
}

// notNext says that an order cannot be moved so far at once, unless it has been
// there already.
func (d *Door) notNext(c *call, to payment.OrderStatus) error {
	order, _, err := d.config.Reader.Order(c.ctx, c.tenant.ID, c.order)
	switch {
	case err != nil:
		return err
	case slices.Index(orderSteps, order.Status) >= slices.Index(orderSteps, to):
		return nil
	case to == payment.OrderSettled:
		return notSplit
	}
	return orderState
}

// orderPending says which refund an order waits for.
func (d *Door) orderPending(c *call) error {
	views, err := d.paymentsOf(c, c.order)
	if err != nil {
		return err
	}
	for _, view := range views {
		if view.Running() > 0 {
			return pendingWord(view)
		}
	}
	return isPending
}
