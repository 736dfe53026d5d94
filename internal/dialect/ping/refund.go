package ping

import (
	"cmp"
	"context"
	"slices"
	"strconv"

	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/setting"
	"github.com/refundry/refundry/internal/wire"
)

// reasons are why a refund may be.
var reasons = []string{"fraudulent", "requested_by_customer", reasonOther}

const reasonOther = "other"

// Reasons returns the words for why a refund is.
func Reasons(values setting.Values) []string {
	return slices.Concat(reasons, settingExtraReasons.Of(values))
}

// reason returns why a refund was, in this door's words.
func (s shower) reason(code string) string {
	values := s.tenant.Settings
	if word := cmp.Or(payment.WordFor(values, Name, code), code); isKnown(Reasons(values), word) {
		return word
	}
	return reasonOther
}

// refundAsked is a refund as it is asked for.
type refundAsked struct {
	amount      int64
	currency    money.Currency
	reason      string
	description string
	message     string
	items       []item // as they will be
}

// shownAccepted is the answer to a refund: it always begins pending.
type shownAccepted struct {
	ID       string         `json:"id"`
	Status   string         `json:"status"`
	Currency money.Currency `json:"currency"`
	Provider string         `json:"provider"`
	Amount   money.Minor    `json:"amount"`
}

// readRefund reads what is asked for. Why is checked against a list of words.
func (c *call) readRefund() refundAsked {
	return refundAsked{
		amount:      c.amount(c.body.Get("amount"), "amount", 1),
		currency:    c.currency(c.body.Get("currency")),
		reason:      c.choice(c.body.Get("reason"), "reason", Reasons(c.tenant.Settings), "unknown reason"),
		description: c.text(c.body.Get("description"), "description", descriptionMax, false),
		message:     c.text(c.body.Get("message"), "message", messageMax, false),
		items:       c.items(c.body.Get("order_items"), "order_items"),
	}
}

// currency reads a currency of any payment's, this door's or another's, in
// upper case as the standard has it.
func (c *call) currency(v wire.Value) money.Currency {
	if !c.is(v, wire.String, "currency", "string", true) {
		return ""
	}
	text, _ := v.Text()
	known, err := money.ParseCurrency(text)
	if err != nil || string(known) != text {
		c.wrong(invalidValue, "currency", "unknown currency")
		return ""
	}
	return known
}

// refund opens a refund, section 5.
func (d *Door) refund(c *call) (any, error) {
	asked := c.readRefund()
	if err := c.err(); err != nil {
		return nil, err
	}
	key, err := c.key(asked.parts(c)...)
	if err != nil {
		return nil, err
	}
	view, err := d.view(c)
	if err != nil {
		return nil, err
	}
	command, err := d.openRefund(c, asked, view)
	if err != nil {
		return nil, err
	}
	command.Key = key
	answer, err := d.config.Engine.Do(c.ctx, command)
	switch {
	case err != nil:
		return nil, d.refused(c, view.Payment.ID, asked, err)
	case answer.Replayed != nil:
		return d.replay(c.ctx, answer.Replayed)
	}
	return accepted(answer.Refund, documentOf(view)), nil
}

// parts returns what an idempotency key stands for: another body that means the
// same is the same.
func (a refundAsked) parts(c *call) []string {
	parts := []string{
		"refund", c.order.UUID(), c.payment.UUID(), strconv.FormatInt(a.amount, 10), string(a.currency), a.reason,
		a.description, a.message,
	}
	for _, line := range a.items {
		parts = append(parts, strconv.FormatInt(line.amount, 10), line.name, line.vatRate, line.recipient, line.metadata,
			strconv.Itoa(len(line.tags)))
		parts = append(parts, line.tags...)
	}
	return parts
}

// openRefund returns the command. New recipients must be there, once all else
// is in order; until then they are for the rules to refuse.
func (d *Door) openRefund(c *call, asked refundAsked, view payment.View) (payment.OpenRefund, error) {
	command := c.openRefund(asked, view, settingItemsCheck.Of(c.tenant.Settings) == itemsSumOnly)
	names := c.shower().names(view)
	if !hasNew(asked.items, names) {
		return command, nil
	}
	if payment.Preview(view, c.tenant, command, d.config.Now()).Refusal == nil {
		return command, d.needNewMerchants(c, asked.items, names, "order_items")
	}
	return c.openRefund(asked, view, false), nil
}

// openRefund returns the command, with the rules in the order of section 5.2.
// takesNew says that recipients may be new, and get more.
func (c *call) openRefund(asked refundAsked, view payment.View, takesNew bool) payment.OpenRefund {
	values := c.tenant.Settings
	return payment.OpenRefund{
		Meta: c.meta(), Payment: view.Payment.ID, Source: payment.SourceDialect, Currency: asked.currency,
		Ask: payment.Ask{
			How: payment.AskList, Amount: minor(asked.amount), List: lines(asked.items, c.shower().names(view)),
		},
		IsFinal: true, Word: payment.ReasonWord{Text: asked.reason, IsListed: true}, Note: asked.description,
		Message: asked.message,
		Rules: []payment.Rule{
			{Name: payment.RuleKey},
			{Name: payment.RuleExists},
			{Name: payment.RuleOrder},
			{Name: payment.RuleStatus},
			{Name: payment.RuleUndisputed},
			{Name: payment.RuleAvailability},
			{Name: payment.RuleNothingLeft, On: settingMultipleRefunds.Of(values) == multipleSingle},
			{Name: payment.RuleOneAtATime, On: true},
			{Name: payment.RuleMaximum, Limit: settingMaxAmount.Of(values)},
			{Name: payment.RuleWindow, Limit: settingMaxAgeDays.Of(values)},
			{Name: payment.RuleCurrency},
			{Name: payment.RuleListSum},
			{Name: payment.RuleRefundable},
			{Name: payment.RuleRecipients, On: takesNew},
		},
	}
}

// accepted renders a refund that begins.
func accepted(r payment.Refund, doc document) shownAccepted {
	return shownAccepted{
		ID: r.ID.UUID(), Status: statusPending, Currency: r.Amount.Currency, Provider: doc.Provider, Amount: r.Amount.Minor,
	}
}

// replay answers again what the first request with a key was answered.
func (d *Door) replay(ctx context.Context, record *payment.KeyRecord) (any, error) {
	view, err := d.config.Reader.View(ctx, record.Tenant, record.Payment)
	if err != nil {
		return nil, err
	}
	view = view.AsOf(record.Version)
	refund, ok := view.Refund(record.Subject)
	if !ok {
		return nil, payment.NoSuch("refund")
	}
	return accepted(refund, documentOf(view)), nil
}

// view returns the payment that the path names. One of another order is not there.
func (d *Door) view(c *call) (payment.View, error) {
	view, err := d.config.View(c.ctx, c.tenant.ID, c.payment, payment.Alias{Kind: paymentAlias, Value: c.payment.UUID()})
	if err != nil {
		return payment.View{}, err
	}
	if documentOf(view).orderID(view.Payment) != c.order.UUID() {
		return payment.View{}, noPayment
	}
	return view, nil
}

// refused says a rule's no with what the payment is now.
func (d *Door) refused(c *call, id payment.PaymentID, asked refundAsked, err error) error {
	rule := ruleOf(err)
	if rule == "" || rule == payment.RuleKey || rule == payment.RuleKeyMisuse || rule == payment.RuleExists {
		return err
	}
	view, readErr := d.config.Reader.View(c.ctx, c.tenant.ID, id)
	if readErr != nil {
		return readErr
	}
	return explain(rule, view, asked, settingSumStatus.Of(c.tenant.Settings))
}

// explain returns the word for a rule's no, with what it is about.
func explain(rule payment.RuleName, v payment.View, asked refundAsked, sumStatus string) *word {
	said, p := rules[rule], v.Payment
	switch rule {
	case payment.RuleStatus:
		return said.with(map[string]any{"status": documentOf(v).word(p.Status)})
	case payment.RuleOrder:
		if p.OrderStatus == payment.OrderSettled {
			return forbidden(codeOrderSettled, "The payment order has been settled; its payments can no longer be refunded")
		}
	case payment.RuleAvailability:
		doc := documentOf(v)
		return said.with(map[string]any{"provider": doc.Provider, "method": doc.Method})
	case payment.RuleOneAtATime:
		return pendingWord(v)
	case payment.RuleNothingLeft:
		if p.Reserved > 0 { // it may be left again: the refund that has it runs
			return pendingWord(v)
		}
	case payment.RuleCurrency:
		return said.with(map[string]any{"expected": p.Amount.Currency, "actual": asked.currency})
	case payment.RuleListSum:
		sums := map[string]any{"expected": totalOf(v.List()), "actual": sum(asked.amount, asked.items)}
		if sumStatus == sumStatus403 {
			said = forbidden(amountMismatch, said.Error())
		}
		return said.with(sums)
	case payment.RuleCapture:
		return said.with(map[string]any{"expected": oldestLeft(v), "actual": asked.amount})
	case payment.RuleRefundable:
		return said.with(map[string]any{"expected": min(p.Totals.Refundable(), v.FinalLeft()), "actual": asked.amount})
	default:
	}
	return said
}

// oldestLeft returns what is left of the oldest capture of which something is.
func oldestLeft(v payment.View) money.Minor {
	for _, of := range v.LeftOfCaptures() {
		if of.Left > 0 {
			return of.Left
		}
	}
	return 0
}

// pendingWord says that a refund runs, and which.
func pendingWord(v payment.View) *word {
	for _, r := range v.Refunds {
		if r.Status.IsRunning() {
			return isPending.with(map[string]any{"refund_id": r.ID.UUID()})
		}
	}
	return isPending // it has just ended
}
