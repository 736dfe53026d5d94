package primer

import (
	"context"
	"strings"

	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/payment"
)

// How long texts may be, in characters.
const (
	orderIDMax = 255
	textMax    = 1024
)

// The beginnings of tokens by which the sandbox gives a payment another status.
const (
	tokenDeclined = "test_declined"
	tokenFailed   = "test_failed"
	tokenPending  = "test_pending"
	tokenSettling = "test_settling"
)

// create makes a payment, which is authorized at once. It exists in the sandbox only.
func (d *Door) create(c *call) (any, error) {
	command, err := d.readPayment(c)
	if err != nil {
		return nil, err
	}
	withEvents := c.form.expand()
	if err := c.valid(); err != nil {
		return nil, err
	}
	token, _ := c.form.value.Get("paymentMethodToken").Text()
	if command.Status = statusByToken(token); command.Status == payment.PaymentAuthorized && autoCapture.Of(c.tenant.Settings) {
		command.Status = payment.PaymentCaptured
	}
	answer, err := d.config.Engine.Do(c.ctx, command)
	if err != nil {
		return nil, err
	}
	if strings.HasPrefix(token, tokenSettling) {
		meta := c.meta()
		meta.Key = payment.Key{} // it is spent
		// The payment is made: whether its caller still waits does not matter.
		answer, err = d.config.Engine.Do(context.WithoutCancel(c.ctx), payment.CapturePayment{
			Meta: meta, Payment: answer.View.Payment.ID, IsFinal: true, Parts: shownParts,
		})
		if err != nil {
			return nil, err
		}
	}
	return c.show(answer.View, withEvents), nil
}

// statusByToken returns the status that a payment begins with. One that settles
// is authorized, and then captured as a second step.
func statusByToken(token string) payment.PaymentStatus {
	switch {
	case strings.HasPrefix(token, tokenDeclined):
		return payment.PaymentDeclined
	case strings.HasPrefix(token, tokenFailed):
		return payment.PaymentFailed
	case strings.HasPrefix(token, tokenPending):
		return payment.PaymentPending
	}
	return payment.PaymentAuthorized
}

// readPayment reads a payment. There are no client sessions here, so that it
// must say everything itself.
func (d *Door) readPayment(c *call) (payment.CreatePayment, error) {
	f := &c.form
	f.only("paymentMethodToken", "orderId", "currencyCode", "amount", "order", "customerId", "customer", "metadata",
		"paymentMethod", "expand")
	doc := document{
		Token: f.required("paymentMethodToken", textMax), Card: sampleCard(),
		Order: withoutNulls(f.stored("order"), nil), Customer: withoutNulls(f.stored("customer"), customerNames),
	}
	doc.readMethod(f)
	command := payment.CreatePayment{
		Meta: c.meta(), Connector: d.config.Connector, Method: sampleMethod,
		Reference: f.text("orderId", orderIDMax), Payer: f.text("customerId", orderIDMax),
	}
	var err error
	if command.Metadata, err = f.metadata(); err != nil {
		return command, err
	}
	minor, hasAmount := f.amount("amount")
	command.Amount = money.Of(minor, f.currency("currencyCode"))
	command.Document = doc.bytes()
	if err := c.valid(); err != nil {
		return command, err
	}
	return command, c.missing(map[string]bool{
		"amount": !hasAmount, "currencyCode": command.Amount.Currency == "", "orderId": command.Reference == "",
	})
}

// customerNames is how members of a customer are called that published
// examples call otherwise.
var customerNames = map[string]string{"email": "emailAddress"}

// missing refuses a payment that lacks what a client session could have said.
func (c *call) missing(lacks map[string]bool) error {
	for _, name := range []string{"amount", "currencyCode", "orderId"} {
		if lacks[name] {
			said := unprocessable(idValidation, "Missing fields for payment.")
			said.suggestion = "When creating a payment `" + name +
				"` must either be provided via the Client Session or the Payment request."
			return said
		}
	}
	return nil
}

// readMethod reads paymentMethod. A token stands for the card itself.
func (doc *document) readMethod(f *form) {
	options := f.object("paymentMethod")
	doc.PaymentType = options.word("paymentType", "FIRST_PAYMENT", "ECOMMERCE", "SUBSCRIPTION", "UNSCHEDULED")
	doc.IsVaulted = options.flag("vaultOnSuccess", false)
	doc.Descriptor = options.text("descriptor", orderIDMax)
	options.word("authorizationType", "ESTIMATED", "FINAL")
	f.join(options)
}

// currency returns a currency, empty if it is absent.
func (f *form) currency(name string) money.Currency {
	text := f.text(name, textMax)
	if text == "" {
		return ""
	}
	currency, err := money.ParseCurrency(text)
	if err != nil || string(currency) != text {
		f.refuse(name, "Value must be an ISO 4217 currency code")
	}
	return currency
}

// get shows a payment.
func (d *Door) get(c *call) (any, error) {
	withEvents, err := c.expandQuery()
	if err != nil {
		return nil, err
	}
	if err := d.find(c); err != nil {
		return nil, err
	}
	view, err := d.config.Reader.View(c.ctx, c.tenant.ID, c.payment)
	if err != nil {
		return nil, err
	}
	return c.show(view, withEvents), nil
}

// expandQuery reads expand from the query: a list with commas, or repeated.
func (c *call) expandQuery() (bool, error) {
	names := listed(c.query, "expand")
	for _, name := range names {
		if name != expandEvents {
			return false, c.route.invalid("expand", "Value must be a list of "+expandEvents)
		}
	}
	return len(names) > 0, nil
}
