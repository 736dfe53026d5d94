package primer

import (
	"context"

	"github.com/refundry/refundry/internal/dialect"
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

// Routes lists the paths that are served, with their methods.
func Routes() []string {
	var list []string
	for _, to := range routes {
		list = append(list, to.method+" "+to.path)
	}
	return list
}

// Secrets returns what webhooks are signed with at a letter's time.
func (d *Door) Secrets(ctx context.Context, tenant payment.TenantID, at string) {}

var _ = dialect.Config{}
