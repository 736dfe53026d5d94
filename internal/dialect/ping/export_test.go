package ping

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/webhook"
	"github.com/refundry/refundry/internal/wire"
)

// RenderError returns the status and the body that an error is answered with.
func RenderError(err error) (int, []byte) {
	said := wordOf(err)
	return said.status, wire.Encode(failure{said.problems})
}

// Words returns how many words there are for statuses and for faults.
func Words() (payments, refunds, orders, codes int) {
	return len(paymentWords), len(refundWords), len(orderWords), len(faults)
}

// HasRule reports whether a rule has a word.
func HasRule(rule payment.RuleName) bool { return rules[rule] != nil }

// Voice is how the door tells events.
func Voice() interface {
	webhook.Voice
	webhook.Jitterer
	webhook.Forgetter
} {
	return voice{}
}

// Signature signs.
func Signature(seed, body []byte, encoding string) string { return signature(seed, body, encoding) }

// Document is the facet of a payment.
func Document(provider, method string) []byte {
	return document{Provider: provider, Method: method}.bytes()
}

// ParseMarks reports whether a text is a cursor of ours, and how it is spelled.
func ParseMarks(text string) (count int, spelled string, ok bool) {
	marks, ok := parseMarks(text)
	return len(marks), cursor(marks), ok
}

// ReadPayment reads a payment. It returns its command, or what is wrong.
func ReadPayment(body wire.Value) (payment.CreatePayment, []string) {
	c := &call{ctx: context.Background(), body: body, tenant: &payment.Tenant{}, isSandbox: true}
	asked := c.readPayment()
	if len(c.problems) > 0 {
		return payment.CreatePayment{}, c.said()
	}
	return c.createPayment(asked), nil
}

// ReadOrder reads how an order is to be split, and returns its document.
func ReadOrder(body wire.Value) ([]byte, []string) {
	c := &call{body: body, tenant: &payment.Tenant{}}
	return c.readOrder(orderDocument{}).bytes(), c.said()
}

// ReadQuery reads a list's query, and a time and an id of it.
func ReadQuery(query url.Values, version string) (limit int, at time.Time, id payment.ResourceID, wrongs []string) {
	c := &call{query: query, tenant: &payment.Tenant{}, request: &http.Request{URL: &url.URL{}}}
	c.readVersion(version)
	limit = c.readList().limit
	at, id = c.time(query.Get("from"), "from"), c.queryID("merchant_id")
	return limit, at, id, c.said()
}

// said returns all that is wrong, in a line each.
func (c *call) said() (lines []string) {
	for _, problem := range c.problems {
		lines = append(lines, problem.Error+" "+problem.Property+" "+problem.Description)
	}
	return lines
}

// ReadRefund reads a refund, and returns what is wrong with it.
func ReadRefund(body wire.Value) (amount int64, currency, reason string, wrongs []string) {
	c := &call{body: body, tenant: &payment.Tenant{}}
	asked := c.readRefund()
	return asked.amount, string(asked.currency), asked.reason, c.said()
}
