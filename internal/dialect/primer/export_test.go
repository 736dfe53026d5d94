package primer

import (
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
