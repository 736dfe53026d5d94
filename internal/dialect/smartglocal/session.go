package smartglocal

import (
	"strings"
	"time"

	"github.com/refundry/refundry/internal/dialect"
	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/wire"
)

// How long a payment may wait: for session/confirm, for its payer, for
// session/capture.
const (
	confirmWithin = 240 * time.Minute
	payerWithin   = 60 * time.Minute
	captureWithin = 3*24*time.Hour + 23*time.Hour
)

// create opens a session that has no payment yet.
func (d *Door) create(c *call) (*session, error) {
	asked, said := c.readPayment()
	if said != nil {
		return nil, d.malformed(c, said)
	}
	asked.document.Version = c.version
	asked.document.Metadata = wire.RawJSON(asked.metadata)
	asked.document.Card = asked.card
	answer, err := d.config.Engine.Do(c.ctx, payment.OpenOrder{
		Meta: c.meta(), ID: d.config.NewID(), Currency: asked.amount.Currency, Amount: asked.amount.Minor,
		Metadata: asked.metadata, Document: asked.document.bytes(),
	})
	if err != nil {
		return nil, err
	}
	return c.shower(false).order(answer.Order), nil
}

// init opens a session with its payment.
func (d *Door) init(c *call) (*session, error) {
	asked, said := c.readPayment()
	if said == nil {
		said = asked.missing(c.brand)
	}
	if said != nil {
		return nil, d.malformed(c, said)
	}
	asked.document.Version = c.version
	return d.pay(c, d.config.NewID(), payment.OrderID{}, asked)
}

// start gives a session its payment, with what create lacked.
func (d *Door) start(c *call) (*session, error) {
	order, facets, err := d.openOrder(c)
	if err != nil {
		return nil, err
	}
	asked, said := c.readPayment()
	if said != nil {
		return nil, d.malformed(c, said)
	}
	for _, facet := range facets {
		if facet.Door == c.brand.Door() {
			asked.complete(readDocument(facet.Body), order)
		}
	}
	if said := asked.missing(c.brand); said != nil {
		return nil, d.malformed(c, said)
	}
	asked.document.CreatedAt = order.CreatedAt
	return d.pay(c, payment.PaymentID(order.ID), order.ID, asked)
}

// openOrder returns the session that a call names.
func (d *Door) openOrder(c *call) (payment.Order, []payment.Facet, error) {
	text, _ := c.body.Get("session_id").Text()
	var id payment.OrderID
	if !isID(text, sessionPrefix) || id.ParseDecimal(text[len(sessionPrefix):]) != nil {
		return payment.Order{}, nil, d.malformed(c, unknownSession)
	}
	order, facets, err := d.config.Reader.Order(c.ctx, c.tenant.ID, id)
	if dialect.IsRule(err, payment.RuleExists) {
		err = d.malformed(c, unknownSession)
		if _, readErr := d.config.Reader.View(c.ctx, c.tenant.ID, payment.PaymentID(id)); readErr == nil {
			err = d.malformed(c, rules[payment.RuleAlias]) // it has a payment already
		}
	}
	return order, facets, err
}

// pay makes the payment. The sandbox takes it from there.
func (d *Door) pay(c *call, id payment.PaymentID, order payment.OrderID, asked asked) (*session, error) {
	asked.document.Bin, asked.document.Card, asked.document.Metadata = asked.card.Bin, nil, nil
	asked.document.BaseURL = c.origin
	asked.document.Submerchant = c.submerchantKept()
	answer, err := d.config.Engine.Do(c.ctx, payment.CreatePayment{
		Meta: c.meta(), ID: id, Order: order, ClosesOrder: !order.IsZero(), Status: payment.PaymentCreated,
		Gates: gates(choices[c.brand], c.tenant), Connector: d.config.Connector,
		Method: payment.Method{Type: "card", Brand: asked.card.Brand, Last4: asked.card.Last4},
		Payer:  asked.payer, Amount: asked.amount, Metadata: asked.metadata, Document: asked.document.bytes(),
		IsTaken: true,
	})
	if err != nil {
		return nil, err
	}
	return c.shower(false).session(answer.View), nil
}

// submerchantKept is the payer id of a legal entity: it is stored only.
func (c *call) submerchantKept() string {
	if !wire.IsVisible(c.submerchant, keyBytesMax) || wire.HasCardNumber(c.submerchant) {
		return ""
	}
	return c.submerchant
}

// gates returns what stands between a payment and its capture (C16).
func gates(s switches, tenant *payment.Tenant) []payment.Gate {
	var stand []payment.Gate
	if !s.AutoConfirm.Of(tenant.Settings) {
		stand = append(stand, payment.Gate{Kind: payment.GateConfirmation, Within: confirmWithin})
	}
	if s.RequireAction.Of(tenant.Settings) {
		stand = append(stand, payment.Gate{Kind: payment.GatePayer, Within: payerWithin})
	}
	if s.DelayedCapture.Of(tenant.Settings) {
		stand = append(stand, payment.Gate{Kind: payment.GateCapture, Within: captureWithin})
	}
	return stand
}

// confirm lets a payment go on that waits for it.
func (d *Door) confirm(c *call) (*session, error) {
	return d.change(c, func(of payment.PaymentID) payment.Command {
		return payment.PassGate{Meta: c.meta(), Payment: of, Gate: payment.GateConfirmation, Parts: sessionParts}
	})
}

// capture takes all or a part of what is authorized; the rest is given up.
func (d *Door) capture(c *call) (*session, error) {
	var wanted money.Minor
	if given := c.body.Get("amount_details"); given.IsGiven() {
		minor, currency, said := readAmount(given)
		if said != nil {
			return nil, d.malformed(c, said)
		}
		if err := d.mustBeIn(c, currency); err != nil {
			return nil, err
		}
		wanted = minor
	}
	return d.change(c, func(of payment.PaymentID) payment.Command {
		return payment.CapturePayment{Meta: c.meta(), Payment: of, Amount: wanted, IsFinal: true, Parts: sessionParts}
	})
}

// mustBeIn refuses a capture in another currency than the payment's.
func (d *Door) mustBeIn(c *call, currency money.Currency) error {
	sessionID, _ := c.body.Get("session_id").Text()
	view, err := d.viewOf(c, sessionID)
	switch {
	case err != nil:
		return err
	case view.Payment.Amount.Currency != currency:
		return d.malformed(c, rules[payment.RuleCurrency])
	default:
		return nil
	}
}

// cancel gives a session up before anything was taken.
func (d *Door) cancel(c *call) (*session, error) {
	text, _ := c.body.Get("session_id").Text()
	var id payment.OrderID
	if isID(text, sessionPrefix) && id.ParseDecimal(text[len(sessionPrefix):]) == nil {
		order, _, err := d.config.Reader.Order(c.ctx, c.tenant.ID, id)
		if err == nil && (order.Status == payment.OrderOpen || order.Status == payment.OrderCanceled) {
			return d.cancelOrder(c, id)
		}
		if err != nil && !dialect.IsRule(err, payment.RuleExists) {
			return nil, err
		}
	}
	return d.change(c, func(of payment.PaymentID) payment.Command {
		return payment.CancelPayment{Meta: c.meta(), Payment: of, IsTaken: d.config.IsSandbox, Parts: sessionParts}
	})
}

// cancelOrder cancels a session that has no payment: at once.
func (d *Door) cancelOrder(c *call, id payment.OrderID) (*session, error) {
	answer, err := d.config.Engine.Do(c.ctx, payment.MoveOrder{Meta: c.meta(), Order: id, To: payment.OrderCanceled})
	if err != nil {
		return nil, err
	}
	return c.shower(false).order(answer.Order), nil
}

// change runs a command on the payment of the session that a call names.
func (d *Door) change(c *call, command func(payment.PaymentID) payment.Command) (*session, error) {
	sessionID, ok := c.body.Get("session_id").Text()
	if !ok {
		return nil, d.malformed(c, invalid("session_id must be a string"))
	}
	answer, err := d.onSession(c, sessionID, func(of payment.PaymentID) (payment.Answer, error) {
		return d.config.Engine.Do(c.ctx, command(of))
	})
	if err != nil {
		return nil, err
	}
	return c.shower(false).session(answer.View), nil
}

// status shows a session: the only read there is.
func (d *Door) status(c *call) (*session, error) {
	sessionID, ok := c.body.Get("session_id").Text()
	if !ok {
		return nil, invalid("session_id must be a string")
	}
	view, err := d.viewOf(c, sessionID)
	switch {
	case err == nil:
		return c.shower(true).session(view), nil
	case !dialect.IsRule(err, payment.RuleStatus):
		return nil, err
	}
	var id payment.OrderID
	if err := id.ParseDecimal(strings.TrimPrefix(sessionID, sessionPrefix)); err != nil {
		return nil, err
	}
	order, _, err := d.config.Reader.Order(c.ctx, c.tenant.ID, id)
	if err != nil {
		return nil, err
	}
	return c.shower(true).order(order), nil
}

// viewOf returns the payment of a session.
func (d *Door) viewOf(c *call, sessionID string) (payment.View, error) {
	answer, err := d.onSession(c, sessionID, func(of payment.PaymentID) (payment.Answer, error) {
		view, err := d.config.Reader.View(c.ctx, c.tenant.ID, of)
		return payment.Answer{View: view}, err
	})
	return answer.View, err
}
