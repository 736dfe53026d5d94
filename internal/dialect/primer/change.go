package primer

import (
	"slices"
	"strings"

	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/wire"
)

// failuresMax is how many captures, cancels and refunds of a payment may fail.
const failuresMax = 100

// capture takes all that is authorized, or a part of it.
func (d *Door) capture(c *call) (any, error) {
	f := &c.form
	f.strict = true
	f.only("amount", "final", "order", "metadata", "expand")
	command := payment.CapturePayment{
		IsFinal: f.flag("final", true), IsAtOnce: true, FailuresMax: failuresMax, Parts: shownParts,
	}
	minor, isGiven := f.amount("amount")
	if command.Amount, c.asked = minor, int64(minor); isGiven && minor == 0 {
		command.Amount = -1 // the domain reads 0 as "everything"
	}
	order := f.object("order")
	doc := document{Retailer: order.country("retailerCountryCode")}
	f.join(order)
	metadata, err := f.metadata()
	if err != nil {
		return nil, err
	}
	doc.Metadata = wire.RawJSON(metadata)
	withEvents := f.expand()
	if err := c.valid(); err != nil {
		return nil, err
	}
	if doc.Metadata != nil || doc.Retailer != "" {
		command.Document = doc.bytes()
	}
	return d.change(c, withEvents, func() payment.Command {
		command.Meta, command.Payment = c.meta(), c.payment
		return command
	})
}

// country returns an ISO 3166 code, empty if it is absent.
func (f *form) country(name string) string {
	text := f.text(name, textMax)
	isCode := len(text) == 2 && strings.ToUpper(text) == text && wire.IsVisible(text, 2)
	if text != "" && !isCode {
		f.refuse(name, "Value must be an ISO 3166 country code")
	}
	return text
}

// cancel gives a payment up before anything was taken.
func (d *Door) cancel(c *call) (any, error) {
	c.form.only("reason", "expand")
	reason, withEvents := c.form.text("reason", textMax), c.form.expand()
	if err := c.valid(); err != nil {
		return nil, err
	}
	command := payment.CancelPayment{FailuresMax: failuresMax, Parts: shownParts}
	if reason != "" {
		command.Document = document{CancelReason: reason}.bytes()
	}
	return d.change(c, withEvents, func() payment.Command {
		command.Meta, command.Payment = c.meta(), c.payment
		return command
	})
}

// authorize lets a pending payment be authorized with a merchant account.
func (d *Door) authorize(c *call) (any, error) {
	processor := c.form.object("processor")
	at := account{ID: processor.required("processorMerchantId", orderIDMax), Name: processor.text("name", orderIDMax)}
	c.form.join(processor)
	if err := c.valid(); err != nil {
		return nil, err
	}
	if err := d.find(c); err != nil {
		return nil, err
	}
	if err := at.isOneOf(merchantAccounts.Of(c.tenant.Settings)); err != nil {
		return nil, err
	}
	view, err := d.config.Reader.View(c.ctx, c.tenant.ID, c.payment)
	if err != nil {
		return nil, err
	}
	if view.Payment.Home != Name { // another door has its own way there
		return nil, &payment.Refusal{Rule: payment.RuleStatus, Message: "the payment is another door's"}
	}
	return d.change(c, false, func() payment.Command {
		return payment.CompletePayment{
			Meta: c.meta(), Payment: c.payment, To: payment.PaymentAuthorized, Method: view.Payment.Method,
			Availability: view.Payment.Availability, Document: document{Account: &at}.bytes(), Parts: shownParts,
		}
	})
}

// isOneOf refuses a merchant account that a tenant does not have, or that is
// several of its own. A tenant that lists none has any.
func (a account) isOneOf(known []string) error {
	if len(known) == 0 {
		return nil
	}
	fitting := slices.DeleteFunc(slices.Clone(known), func(entry string) bool {
		name, id, hasName := strings.Cut(entry, "/")
		if !hasName {
			name, id = "", entry
		}
		return id != a.ID || a.Name != "" && name != a.Name
	})
	switch len(fitting) {
	case 0:
		return noAccount
	case 1:
		return nil
	default:
		return manyAccounts
	}
}

// change runs a command on the payment that a call names, and shows what came of it.
func (d *Door) change(c *call, withEvents bool, command func() payment.Command) (any, error) {
	if c.payment.IsZero() {
		if err := d.find(c); err != nil {
			return nil, err
		}
	}
	answer, err := d.config.Engine.Do(c.ctx, command())
	if err != nil {
		return nil, err
	}
	return c.show(answer.View, withEvents), nil
}

// adjust refuses to change what is authorized: no processor behind us can.
func (d *Door) adjust(c *call) (any, error) {
	if _, isGiven := c.form.amount("amount"); !isGiven {
		c.form.refuse("amount", "Value is required")
	}
	if err := c.valid(); err != nil {
		return nil, err
	}
	if err := d.find(c); err != nil {
		return nil, err
	}
	if key := c.meta().Key; key.Refuses {
		used, err := d.config.Reader.Key(c.ctx, c.tenant.ID, key.Hash)
		if err != nil {
			return nil, err
		}
		if used != nil {
			return nil, &payment.Refusal{Rule: payment.RuleKey, Message: "the idempotency key was used before", Earlier: used}
		}
	}
	view, err := d.config.Reader.View(c.ctx, c.tenant.ID, c.payment)
	if err != nil {
		return nil, err
	}
	return nil, noAdjustment.saying("Adjust Authorization for processor %s is not supported.",
		accountOf(view.Payment, documentOf(view)).Name)
}

// resume has nothing to go on with: no payment waits for its payer here.
func (d *Door) resume(c *call) (any, error) {
	c.form.only("resumeToken")
	if c.form.uuid("resumeToken").IsZero() && len(c.form.wrong) == 0 {
		c.form.refuse("resumeToken", "Value is required")
	}
	if err := c.valid(); err != nil {
		return nil, err
	}
	if err := d.find(c); err != nil {
		return nil, err
	}
	return nil, unprocessed
}
