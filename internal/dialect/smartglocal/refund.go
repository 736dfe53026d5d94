package smartglocal

import (
	"github.com/refundry/refundry/internal/dialect"
	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/wire"
)

// refund opens a refund, section 5. The answer always shows it in progress:
// its end comes by webhook or session/status (C23).
func (d *Door) refund(c *call) (*session, error) {
	sessionID, ok := c.body.Get("session_id").Text()
	if !ok {
		return nil, d.malformed(c, invalid("session_id must be a string"))
	}
	command := c.openRefund()
	var said *word
	if command.Metadata, said = readMetadata(c.body.Get("metadata")); said != nil {
		return nil, d.malformed(c, said)
	}
	said = c.ask(&command)
	answer, err := d.onSession(c, sessionID, func(of payment.PaymentID) (payment.Answer, error) {
		command.Payment = of
		return d.config.Engine.Do(c.ctx, command)
	})
	switch {
	case said != nil && dialect.IsRule(err, payment.RuleAmount):
		return nil, said
	case err != nil:
		return nil, err
	}
	return c.shower(false).session(answer.View), nil
}

// openRefund returns the command without what it asks for, with the rules in
// the order of section 5.2.
func (c *call) openRefund() payment.OpenRefund {
	s, values := choices[c.brand], c.tenant.Settings
	command := payment.OpenRefund{
		Meta: c.meta(), Source: payment.SourceDialect, Parts: sessionParts,
		Rules: []payment.Rule{
			{Name: payment.RuleKey},
			{Name: payment.RuleExists},
			{Name: payment.RuleOneAtATime, On: !s.ParallelRefunds.Of(values)},
			{Name: payment.RuleStatus},
			{Name: payment.RuleOrder},
			{Name: payment.RuleAmount},
			{Name: payment.RuleCurrency},
			{Name: payment.RulePartial, On: !s.PartialRefunds.Of(values)},
			{Name: payment.RuleNextDay},
			{Name: payment.RuleWindow},
			{Name: payment.RuleFullAfterPartial},
			{Name: payment.RuleRefundable},
		},
	}
	if c.version == V2 {
		command.Document = document{Version: V2}.bytes()
	}
	return command
}

// noCurrency is no payment's.
const noCurrency money.Currency = "-"

// ask reads how much is asked for. What cannot be read becomes an amount, or a
// currency, that the rules refuse in their own place: whether the session is
// known goes before it. The word says more about an amount than its rule does.
func (c *call) ask(command *payment.OpenRefund) *word {
	s, values := choices[c.brand], c.tenant.Settings
	given := c.body.Get("amount_details")
	switch {
	case given.IsGiven():
		minor, currency, said := readAmount(given)
		command.Ask.Amount, command.Currency = minor, currency
		if said == badCurrency {
			command.Currency = noCurrency
		}
		return said
	case s.RequireAmount.Of(values):
		return needsAmount
	case s.FullAfterPartial.Of(values) == remainder:
		command.Ask.How = payment.AskRemaining
		return notRefundable // if nothing is left
	default:
		command.Ask.How = payment.AskWhole
		return nil
	}
}

// readAmount reads amount_details. A blank one is never read as "everything"
// (C6): it is an amount of 0.
func readAmount(given wire.Value) (money.Minor, money.Currency, *word) {
	minor, isWhole := given.Get("amount").Int()
	code, isText := given.Get("currency").Text()
	if !given.Is(wire.Object) || !isWhole || minor < 1 || minor > int64(money.Max) || !isText {
		return 0, "", badAmount
	}
	currency, err := money.ParseCurrency(code)
	if err != nil {
		return money.Minor(minor), "", badCurrency
	}
	return money.Minor(minor), currency, nil
}

// metadataBytesMax bounds metadata (C23).
const metadataBytesMax = 16 << 10

// readMetadata reads metadata: any JSON, echoed as it came; null is absent.
func readMetadata(given wire.Value) (string, *word) {
	switch {
	case !given.IsGiven():
		return "", nil
	case len(given.Raw()) > metadataBytesMax:
		return "", invalid("metadata is larger than 16 KiB")
	case given.HasCardNumber():
		return "", invalid("metadata must not have a card number in it")
	}
	return given.Compact(), nil
}

// onSession does something to a session's payment. The payment of a session
// that was made here has the session's number; others are found by alias.
func (d *Door) onSession(c *call, sessionID string, do func(payment.PaymentID) (payment.Answer, error),
) (payment.Answer, error) {
	if !isID(sessionID, sessionPrefix) {
		return payment.Answer{}, d.malformed(c, unknownSession)
	}
	digits := sessionID[len(sessionPrefix):]
	var of payment.PaymentID
	if len(digits) >= ownDigitsMin && of.ParseDecimal(digits) == nil {
		answer, err := do(of)
		if !dialect.IsRule(err, payment.RuleExists) {
			return answer, err
		}
	}
	subject, found, err := d.config.Reader.Find(c.ctx, c.tenant.ID, payment.Alias{
		Kind: c.brand.sessionAlias(), Value: sessionID,
	})
	switch {
	case err != nil:
		return payment.Answer{}, err
	case found:
		return do(subject)
	}
	_, _, err = d.config.Reader.Order(c.ctx, c.tenant.ID, payment.OrderID(of))
	switch {
	case err == nil:
		return payment.Answer{}, d.malformed(c, unpaid)
	case dialect.IsRule(err, payment.RuleExists):
		return payment.Answer{}, d.malformed(c, unknownSession)
	default:
		return payment.Answer{}, err
	}
}

// ownDigitsMin is how many digits an id of ours has at least: it begins with
// its time. A shorter one was made elsewhere.
const ownDigitsMin = 30

// unpaid refuses what needs a payment that the session does not have yet.
var unpaid = &payment.Refusal{Rule: payment.RuleStatus, Message: "the session has no payment yet"}

// chargeback is in clients' libraries, but not for merchants (C14): operators
// open chargebacks, unless a switch lets merchants do it.
func (d *Door) chargeback(c *call) (*session, error) {
	if !choices[c.brand].MerchantDisputes.Of(c.tenant.Settings) {
		return nil, forbidden("chargebacks cannot be opened by merchants")
	}
	sessionID, ok := c.body.Get("session_id").Text()
	if !ok {
		return nil, d.malformed(c, invalid("session_id must be a string"))
	}
	command := payment.OpenDispute{Meta: c.meta(), Kind: payment.DisputeChargeback, Parts: sessionParts}
	if given := c.body.Get("amount_details"); given.IsGiven() {
		var said *word
		if command.Amount, command.Currency, said = readAmount(given); said != nil {
			return nil, d.malformed(c, said)
		}
	}
	answer, err := d.onSession(c, sessionID, func(of payment.PaymentID) (payment.Answer, error) {
		command.Payment = of
		return d.config.Engine.Do(c.ctx, command)
	})
	if err != nil {
		return nil, err
	}
	return c.shower(false).session(answer.View), nil
}
