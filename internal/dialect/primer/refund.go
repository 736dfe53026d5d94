package primer

import (
	"time"

	"github.com/refundry/refundry/internal/payment"
)

// syncPatience is how long a refund's outcome is waited for, where a tenant
// wants its callers to.
const syncPatience = 2 * time.Second

// refund opens a refund. The answer is the whole payment, with the refund as
// its newest REFUND.
func (d *Door) refund(c *call) (any, error) {
	command, withEvents := c.readRefund()
	if err := c.valid(); err != nil {
		return nil, err
	}
	if err := d.find(c); err != nil {
		return nil, err
	}
	command.Payment = c.payment
	answer, err := d.open(c, command)
	if err != nil {
		return nil, err
	}
	return c.show(answer.View, withEvents), nil
}

func (d *Door) open(c *call, command payment.OpenRefund) (payment.Answer, error) {
	if syncRefunds.Of(c.tenant.Settings) {
		return d.config.Opener.Open(c.ctx, command, syncPatience)
	}
	return d.config.Engine.Do(c.ctx, command)
}

// readRefund reads a refund, with the rules in the order of the protocol.
func (c *call) readRefund() (command payment.OpenRefund, withEvents bool) {
	f := &c.form
	f.strict = true // a null amount, least of all, may mean "everything"
	f.only("amount", "orderId", "reason", "transactionEventId", "expand")
	command = payment.OpenRefund{
		Meta: c.meta(), Source: payment.SourceDialect, IsFinal: true, Parts: shownParts,
		Ask:            payment.Ask{How: payment.AskRemaining, Capture: f.uuid("transactionEventId")},
		OrderReference: f.text("orderId", orderIDMax), Note: f.text("reason", textMax),
		Rules: []payment.Rule{
			{Name: payment.RuleExists},
			{Name: payment.RuleKey},
			{Name: payment.RuleFailures, Limit: failuresMax},
			{Name: payment.RuleStatus},
			{Name: payment.RuleOrder},
			{Name: payment.RuleDispute, On: refundDuringDispute.Of(c.tenant.Settings) == block},
			{Name: payment.RuleNothingLeft},
			{Name: payment.RuleCapture},
			{Name: payment.RuleRefundable},
			{Name: payment.RuleAmount},
		},
	}
	command.Word.Text = command.Note
	if minor, isGiven := f.amount("amount"); isGiven {
		command.Ask.How, command.Ask.Amount = payment.AskAmount, minor
		c.asked = int64(minor)
	}
	return command, f.expand()
}
