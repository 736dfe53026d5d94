package primer

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/wire"
)

// RenderError returns the status and the body that an error is answered with.
func RenderError(err error, diagnostics string) (int, []byte) {
	said := wordOf(err)
	return said.status, wire.Encode(said.body(diagnostics))
}

// HasRule reports whether a rule has a word.
func HasRule(rule payment.RuleName) bool { return rules[rule] != nil }

// Words returns how many words there are for statuses of payments, refunds and
// disputes, for kinds of dispute, and for faults.
func Words() (payments, refunds, disputes, kinds, codes int) {
	return len(paymentWords), len(refundWords), len(disputeWords), len(disputeKinds), len(faults)
}

// Sign returns the signature of a body.
func Sign(secret, body []byte) string { return sign(secret, body) }

// ReadCursor reads a cursor, and returns how it is spelled.
func ReadCursor(text string) (spelled string, places int, ok bool) {
	var c cursor
	if !c.read(text) {
		return "", 0, false
	}
	if len(c.way) == 0 {
		return beginning, 0, true
	}
	return spell(c.way), len(c.way), true
}

// ReadRefund reads the body of a refund.
func ReadRefund(raw []byte) (payment.OpenRefund, error) {
	c := &call{ctx: context.Background(), route: &route{model: "Refund", body: optionalBody}, tenant: &payment.Tenant{}}
	if err := c.readBody(raw); err != nil {
		return payment.OpenRefund{}, err
	}
	command, _ := c.readRefund()
	return command, c.valid()
}

// ReadPayment reads the body of a payment.
func ReadPayment(raw []byte) (payment.CreatePayment, error) {
	c := &call{ctx: context.Background(), route: &route{model: "Payment", body: requiredBody}, tenant: &payment.Tenant{}}
	if err := c.readBody(raw); err != nil {
		return payment.CreatePayment{}, err
	}
	return (&Door{}).readPayment(c)
}

// Filter is what a list's query asks for.
type Filter struct {
	Texts       map[string][]string
	From, Until time.Time
	Least, Most money.Minor
	Limit       int
	IsFirst     bool // the page is
}

// ReadFilter reads a list's query.
func ReadFilter(query url.Values) (Filter, error) {
	c := &call{route: &route{}, query: query}
	wanted, err := c.readFilter()
	if err != nil {
		return Filter{}, err
	}
	return Filter{
		wanted.texts, wanted.from, wanted.until, wanted.least, wanted.most, wanted.limit, len(wanted.cursor.way) == 0,
	}, nil
}

// ReadKey reads the header of a request.
func ReadKey(values []string) (string, error) {
	c := &call{route: &route{}}
	err := c.readKey(http.Header{headerIdempotency: values})
	return c.key, err
}
