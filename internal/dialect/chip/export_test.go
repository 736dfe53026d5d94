package chip

import (
	"context"
	"net/url"
	"time"

	"github.com/refundry/refundry/internal/auth"
	"github.com/refundry/refundry/internal/dialect"
	"github.com/refundry/refundry/internal/fault"
	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/webhook"
	"github.com/refundry/refundry/internal/wire"
)

// RenderError returns the status and the body that an action's error is
// answered with.
func RenderError(action string, err error) (int, string) {
	said := say(action, err)
	return said.status, string(wire.Encode(said.wrong))
}

// ReadAsk returns how much a refund's body asks for, 0 for all that is left,
// and the code of what is wrong with it.
func ReadAsk(raw []byte) (amount int64, code string) {
	ask, said := readAsk(raw, true)
	if said == nil {
		return int64(ask.Amount), ""
	}
	for _, flaws := range said.wrong.members {
		code = flaws.here[0].Code
	}
	return int64(ask.Amount), code
}

// HasRule reports whether a rule has a word.
func HasRule(rule payment.RuleName) bool { return rules[rule] != nil }

// HasFault reports whether a class of error has a word.
func HasFault(code fault.Code) bool { return faults[code] != nil }

// HasPayment and HasRefund report whether a status has a word.
func HasPayment(status payment.PaymentStatus) bool { return paymentWords[status] != "" }

// HasRefund reports whether a refund's status has a word.
func HasRefund(status payment.RefundStatus) bool {
	_, has := refundWords[status]
	return has
}

// HasAvailability reports whether an availability has a word.
func HasAvailability(availability payment.Availability) bool {
	return availabilityWords[availability] != ""
}

// Spaced writes JSON as webhooks have it.
func Spaced(compact string) string { return string(spaced([]byte(compact))) }

// IsUntold reports whether a dispute's reversal need not be told at a version.
func IsUntold(version int64, refunds []payment.Refund, d payment.Dispute) bool {
	event := webhook.Event{Word: eventChargebackReversed, Subject: d.ID, Version: version}
	return voice{}.IsOver(event, payment.View{Refunds: refunds, Disputes: []payment.Dispute{d}})
}

// ReadPurchase reads a purchase's body. It returns the total, the lines, what is
// kept, and whether it is known whose it is. Nobody is known by an id.
func ReadPurchase(raw []byte, now time.Time) (total money.Amount, items []payment.Item, kept []byte, isSomebodys bool, said error) {
	d := New(dialect.Config{Reader: noResources{}, Now: func() time.Time { return now }, IsSandbox: true})
	c := &call{ctx: context.Background(), tenant: &payment.Tenant{}, raw: raw}
	body, err := c.object()
	if err != nil {
		return total, nil, nil, false, err
	}
	a, err := d.readAsked(c, body)
	if err != nil {
		return total, nil, nil, false, err
	}
	kept = document{Client: a.client, Details: a.details, Options: a.options}.bytes()
	return money.Of(a.details.Total, a.details.Currency), a.items, kept, a.client != nil, nil
}

// noResources has no client.
type noResources struct{ payment.Reader }

// Resource implements [payment.Reader].
func (noResources) Resource(context.Context, payment.TenantID, payment.Door, payment.ResourceKind, payment.ResourceID,
) (payment.Resource, error) {
	return payment.Resource{}, payment.NoSuch("client")
}

// ReadWhole reads a whole number that is at least so large.
func ReadWhole(value wire.Value, least money.Minor) (number money.Minor, code string) {
	number, flaw := readWhole(value, least)
	if flaw != nil {
		return number, flaw.code
	}
	return number, ""
}

// ReadHook reads what a body says of a webhook.
func ReadHook(raw []byte) (to string, detail []byte, said error) {
	var endpoint auth.Endpoint
	d := New(dialect.Config{IsSandbox: true})
	h, err := d.hookAsked(&call{tenant: &payment.Tenant{}, raw: raw}, &endpoint, hook{}, true)
	return endpoint.URL, wire.Encode(h), err
}

// ReadCard reads a payer's form.
func ReadCard(form url.Values, now time.Time) (kept []byte, code string) {
	card, wrong := readCard(form, now)
	if wrong != nil {
		code = wrong.Code
	}
	return wire.Encode(card), code
}
