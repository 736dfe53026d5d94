package ping

import (
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

// ParseMarks reports whether a text is a cursor of ours.
func ParseMarks(text string) (int, bool) {
	marks, ok := parseMarks(text)
	return len(marks), ok
}

// ReadRefund reads a refund, and returns where something is wrong.
func ReadRefund(body wire.Value) (properties []string) {
	c := &call{body: body, tenant: &payment.Tenant{}}
	c.readRefund()
	for _, problem := range c.problems {
		properties = append(properties, problem.Property)
	}
	return properties
}
