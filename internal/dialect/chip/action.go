package chip

import (
	"net/http"
	"strconv"

	"github.com/refundry/refundry/internal/dialect"
	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/wire"
)

// purchaseParts is what of a payment a purchase shows.
const purchaseParts = payment.PartItems | payment.PartRefunds | payment.PartDisputes | payment.PartFacets

// capture takes all or a part of what is held; the rest is released.
func (d *Door) capture(c *call) (int, any, error) {
	body, err := c.object()
	if err != nil {
		return 0, nil, d.malformed(c, err)
	}
	var amount money.Minor
	if given := body.Get("amount"); !given.Is(wire.Absent) {
		ask, said := readAmount(given)
		if said != nil {
			return 0, nil, d.malformed(c, said)
		}
		amount = ask.Amount
	}
	if err := d.setKey(c, strconv.FormatInt(int64(amount), 10)); err != nil {
		return 0, nil, err
	}
	view, err := d.homeView(c)
	if err != nil {
		return 0, nil, err
	}
	return d.change(c, payment.CapturePayment{
		Meta: c.meta(), Payment: view.Payment.ID, Amount: amount, IsFinal: true, IsAtOnce: true, Parts: purchaseParts,
	})
}

// release gives up what is held.
func (d *Door) release(c *call) (int, any, error) { return d.giveUp(c, payment.PaymentAuthorized) }

// cancel gives up a purchase that nobody has paid.
func (d *Door) cancel(c *call) (int, any, error) {
	return d.giveUp(c, payment.PaymentCreated, payment.PaymentPending)
}

// giveUp cancels a payment in one of these statuses: the provider has a call
// for each, the domain one for both. Which it is in, the command itself looks
// at: a purchase may be paid meanwhile.
func (d *Door) giveUp(c *call, from ...payment.PaymentStatus) (int, any, error) {
	view, err := d.homeView(c)
	if err != nil {
		return 0, nil, err
	}
	return d.change(c, payment.CancelPayment{
		Meta: c.meta(), Payment: view.Payment.ID, From: from, Parts: purchaseParts,
	})
}

// homeView returns the purchase that a call names. One that was made at
// another door is paid, captured and given up there.
func (d *Door) homeView(c *call) (payment.View, error) {
	view, err := d.view(c)
	if err == nil && view.Payment.Home != Name {
		err = wrongStatuses[c.action]
	}
	return view, err
}

// change runs a command on a purchase, and shows the purchase as it is then.
func (d *Door) change(c *call, command payment.Command) (int, any, error) {
	answer, err := d.config.Engine.Do(c.ctx, command)
	switch {
	case err != nil:
		return 0, nil, err
	case answer.Replayed != nil:
		return d.replay(c, answer.Replayed, http.StatusOK)
	}
	return http.StatusOK, d.shower(c.tenant).purchase(answer.View), nil
}

// markAsPaid records that a purchase was paid outside. It cannot be refunded
// here (C3).
func (d *Door) markAsPaid(c *call) (int, any, error) {
	body, err := c.object()
	if err != nil {
		return 0, nil, d.malformed(c, err)
	}
	f := form{body, &flaws{}}
	paidOn, _ := f.whole("paid_on", 0)
	if int64(paidOn) > d.config.Now().Unix() {
		f.flaw("paid_on", codeMaxValue, "Ensure this value is not in the future.")
	}
	if !f.wrong.isEmpty() {
		return 0, nil, d.malformed(c, &problem{badBody.status, f.wrong})
	}
	view, err := d.homeView(c)
	if err != nil {
		return 0, nil, err
	}
	kept := document{Paid: &paid{Flow: flowImport, Availability: availableNone, IsMarked: true, PaidOn: int64(paidOn)}}
	return d.change(c, payment.CompletePayment{
		Meta: c.meta(), Payment: view.Payment.ID, To: payment.PaymentCaptured, Method: payment.Method{Type: "custom"},
		Availability: payment.RefundsNone, Document: kept.bytes(), Parts: purchaseParts,
	})
}

// charge pays a purchase with the card of another, whose payer allowed it. The
// token is looked at before the purchase's status.
func (d *Door) charge(c *call) (int, any, error) {
	body, err := c.object()
	if err != nil {
		return 0, nil, d.malformed(c, err)
	}
	var token payment.PaymentID
	if text, ok := body.Get("recurring_token").Text(); !ok || token.ParseUUID(text) != nil {
		return 0, nil, d.malformed(c, badToken)
	}
	if err := d.setKey(c, token.UUID()); err != nil {
		return 0, nil, err
	}
	view, err := d.homeView(c)
	if err != nil {
		return 0, nil, err
	}
	with, err := d.recurring(c, token)
	if err != nil {
		return 0, nil, d.malformed(c, err)
	}
	return d.change(c, completion(c.meta(), c.tenant, view.Payment.ID, documentOf(view), with))
}

// recurring returns how a purchase is paid with a token: the id of a purchase
// whose payer allowed it.
func (d *Door) recurring(c *call, token payment.PaymentID) (paid, error) {
	of, err := d.config.View(c.ctx, c.tenant.ID, token, aliasOf(token.UUID()))
	if err != nil && !dialect.IsRule(err, payment.RuleExists) {
		return paid{}, err
	}
	first := documentOf(of).Paid
	if first == nil || !first.IsToken {
		return paid{}, badToken
	}
	with := *first
	with.Flow, with.IP, with.IsToken, with.Token = flowServer, "", false, token.UUID()
	return with, nil
}
