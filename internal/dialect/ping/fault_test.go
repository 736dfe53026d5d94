package ping_test

import (
	"errors"
	"testing"

	"github.com/refundry/refundry/internal/dialect/ping"
	"github.com/refundry/refundry/internal/fault"
	"github.com/refundry/refundry/internal/payment"
)

// Every rule, fault and status has a word.
func TestEverythingHasAWord(t *testing.T) {
	t.Parallel()
	for _, rule := range payment.RuleNames() {
		if !ping.HasRule(rule) {
			t.Errorf("the rule %s has no word", rule)
		}
	}
	payments, refunds, orders, codes := ping.Words()
	if payments != len(payment.PaymentLife) || refunds != len(payment.RefundStatuses) || orders != len(payment.OrderLife) ||
		codes != len(fault.Codes) {
		t.Errorf("%d words for payments, %d for refunds, %d for orders, %d for faults", payments, refunds, orders, codes)
	}
}

// What nobody has classified is said without what it is about.
func TestInternalErrorsSayNothing(t *testing.T) {
	t.Parallel()
	status, body := ping.RenderError(errors.New("password=secret"))
	if status != 500 || string(body) != `{"errors":[{"description":"Internal error","error":"internal_error"}]}` {
		t.Errorf("%d %s", status, body)
	}
	status, body = ping.RenderError(fault.New(fault.Unavailable, "a store is away"))
	if status != 503 || string(body) != `{"errors":[{"description":"Nothing was done, retry later","error":"unavailable"}]}` {
		t.Errorf("%d %s", status, body)
	}
}
