package ping

import (
	"html/template"
	"net/http"

	"github.com/refundry/refundry/internal/dialect"
	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/wire"
)

// paymentAsked is a payment as it is asked for.
type paymentAsked struct {
	currency  string
	total     int64
	items     []item
	provider  string
	method    string
	status    string // of a dummy: what it is to become, at once; else empty
	isFunded  bool   // a deposit that waits for its owner's yes
	isRefused bool   // the payer's app says no
	metadata  string
	payer     string
	callback  string
	remit     string // what the payer is to write on a deposit; empty: ours
}

// shownInitiated is the answer to a payment that begins.
type shownInitiated struct {
	ID       string         `json:"id"`
	Response map[string]any `json:"provider_method_response"`
}

// initiate makes a payment. The sandbox takes it from there.
func (d *Door) initiate(c *call) (any, error) {
	asked := c.readPayment()
	if err := c.err(); err != nil {
		return nil, err
	}
	order, _, err := d.config.Reader.Order(c.ctx, c.tenant.ID, c.order)
	switch {
	case isRule(err, payment.RuleExists):
		if _, err := d.lone(c); err != nil {
			return nil, err
		}
		return nil, orderClosed // the own order of a payment that stands alone
	case err != nil:
		return nil, err
	case order.Status != payment.OrderOpen:
		return nil, orderClosed
	case order.Currency != "" && string(order.Currency) != asked.currency:
		return nil, rules[payment.RuleCurrency].with(map[string]any{"expected": order.Currency, "actual": asked.currency})
	}
	if err := d.needMerchants(c, asked.items, "order_items"); err != nil {
		return nil, err
	}
	command := c.createPayment(asked)
	command.ID, command.Connector = d.config.NewID(), d.config.Connector
	answer, err := d.config.Engine.Do(c.ctx, command)
	if err != nil {
		return nil, initiateRefused(err)
	}
	id := answer.View.Payment.ID
	reference := asked.remit
	if reference == "" {
		digits := id.Decimal()
		reference = digits[len(digits)-referenceDigits:]
	}
	return shownInitiated{
		ID:       id.UUID(),
		Response: methodResponse(asked.provider, asked.method, reference, origin(c.request)+mount+pagePath+id.UUID(), id),
	}, nil
}

// referenceDigits is how long the reference of a deposit is.
const referenceDigits = 12

// readPayment reads what is asked for.
func (c *call) readPayment() paymentAsked {
	asked := paymentAsked{
		currency: c.choice(c.body.Get("currency"), "currency", currencies, "unknown currency"),
		total:    c.amount(c.body.Get("total_amount"), "total_amount", 1),
		provider: c.choice(c.body.Get("provider"), "provider", providers, "unknown provider"),
		method:   c.choice(c.body.Get("method"), "method", methods, "unknown method"),
		metadata: c.object(c.body.Get("metadata"), "metadata"),
		payer:    c.object(c.body.Get("payer"), "payer"),
		callback: c.url(c.body.Get("status_callback_url"), "status_callback_url", false, c.isSandbox),
	}
	if asked.total > int64(money.Max) {
		c.wrong(outOfRange, "total_amount", "the number is out of range")
	}
	asked.items = c.neededItems(c.body.Get("order_items"))
	if found := sum(0, asked.items); len(c.problems) == 0 && found != asked.total {
		said := invalid(amountMismatch, "order_items", "the sum of order_items must equal total_amount")
		c.problems = said.with(map[string]any{"expected": asked.total, "actual": found}).problems
	}
	c.readParameters(&asked)
	return asked
}

// neededItems reads a list of lines that there must be.
func (f *form) neededItems(v wire.Value) []item {
	if !f.given(v, "order_items", "array", true) {
		return nil
	}
	if v.IsEmptyArray() {
		f.wrong(invalidValue, "order_items", "there must be order items")
	}
	return f.items(v, "order_items")
}

// readParameters reads what a provider and method want to know, as far as
// something follows from it. Nothing of it is kept.
func (c *call) readParameters(asked *paymentAsked) {
	const property = "provider_method_parameters"
	given := c.body.Get(property)
	if !c.is(given, wire.Object, property, "object", true) {
		return
	}
	switch {
	case asked.provider == providerDummy:
		const desired = "desired_payment_status"
		asked.status = statusCompleted
		if wanted := given.Get(desired); wanted.IsGiven() {
			asked.status = c.choice(wanted, at(property, desired), statuses, "unknown status")
		}
	case asked.provider == providerSwish:
		message, _ := given.Get("message").Text()
		asked.isRefused = message == swishAborts
	case asked.method == methodDeposit:
		completes, ok := given.Get("complete_when_funded").Bool()
		asked.isFunded = ok && !completes
		asked.remit = c.text(given.Get("reference"), at(property, "reference"), messageMax, false)
	case isKnown(openBanking, asked.provider):
		if given.Get("success_url").Is(wire.Null) {
			c.wrong(nullValue, "open_banking.success_url", "null value where string expected")
		}
	}
}

// swishAborts is the message by which a payer's app is told to say no.
const swishAborts = "DS24"

// statuses lists what a dummy can become.
var statuses = []string{
	statusInitiated, statusPending, statusFunded, statusUnderfunded, statusOverfunded, statusCompleted, statusDeclined,
	statusAborted, statusExpired, statusCrashed, statusStopped,
}

// createPayment returns the command. A dummy reaches its status at once; what
// any other payment becomes, the sandbox says.
func (c *call) createPayment(asked paymentAsked) payment.CreatePayment {
	doc := document{Provider: asked.provider, Method: asked.method, Payer: wire.RawJSON(asked.payer)}
	list := lines(asked.items, nil)
	command := payment.CreatePayment{
		Meta: c.meta(), Order: c.order, Status: payment.PaymentPending, IsTaken: asked.status == "",
		Merchant: list[0].Merchant, Method: payment.Method{Type: asked.method, Brand: asked.provider},
		Amount: money.Of(minor(asked.total), money.Currency(asked.currency)), Metadata: asked.metadata, Items: list,
		Callback: asked.callback,
	}
	if !isRefundable(asked.provider, asked.method, c.tenant.Settings) {
		command.Availability = payment.RefundsNone
	}
	switch {
	case asked.isFunded:
		asked.status = statusFunded
	case asked.isRefused:
		asked.status = statusAborted
	}
	if asked.status != "" {
		command.Status, command.IsTaken = statusOf[asked.status], false
		if paymentWords[command.Status] != asked.status {
			doc.Status = asked.status
		}
	}
	if received := receivedOf(asked.status, command.Amount.Minor); received != command.Amount.Minor {
		doc.Total, doc.Items = command.Amount.Minor, list
		command.Amount.Minor, command.Items = received, nil
	}
	command.Document = doc.bytes()
	return command
}

// receivedOf returns what came in of a payment that was asked for: half of what
// a short one was to be, and half more than a generous one.
func receivedOf(status string, total money.Minor) money.Minor {
	switch status {
	case statusUnderfunded:
		return max(1, total/2)
	case statusOverfunded:
		return total + (total+1)/2
	default:
		return total
	}
}

// initiateRefused says a rule's no to a payment.
func initiateRefused(err error) error {
	switch ruleOf(err) {
	case payment.RuleOrder:
		return orderClosed
	case payment.RuleAmount:
		return invalid(outOfRange, "total_amount", "the number is out of range")
	case payment.RuleExists:
		return noOrder
	default:
		return err
	}
}

// origin returns where a caller reaches us, as in "https://example.com".
func origin(r *http.Request) string { return dialect.Origin(r) }

// pagePath is the page that stands for a provider's, in the sandbox. It shows
// nothing of the payment: whoever has the link may see it.
const pagePath = "sandbox/pay/"

var page = template.Must(template.New("page").Parse(`<!doctype html>
<html lang="en"><title>Sandbox: pay</title>
<main><h1>Nothing to do</h1>
<p>This page stands for the provider's, in the sandbox. Payments complete by themselves there.</p></main>
`))

func showPage(w http.ResponseWriter, _ *http.Request) { dialect.ShowPage(w, http.StatusOK, page, nil) }
