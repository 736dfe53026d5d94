package primer_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/refundry/refundry/internal/dialect/primer"
	"github.com/refundry/refundry/internal/fault"
	"github.com/refundry/refundry/internal/payment"
)

// Every rule, fault and status has a word.
func TestEverythingHasAWord(t *testing.T) {
	t.Parallel()
	for _, rule := range payment.RuleNames() {
		if !primer.HasRule(rule) {
			t.Errorf("the rule %s has no word", rule)
		}
	}
	payments, refunds, disputes, kinds, codes := primer.Words()
	if payments != len(payment.PaymentLife) || refunds != len(payment.RefundStatuses) || disputes != len(payment.DisputeLife) ||
		kinds != 3 || codes != len(fault.Codes) {
		t.Errorf("%d, %d, %d, %d and %d words", payments, refunds, disputes, kinds, codes)
	}
}

// What nobody has classified is an internal error, and says no more.
func TestInternalErrorsSayNothing(t *testing.T) {
	t.Parallel()
	status, body := primer.RenderError(errors.New("password=secret"), "req_1")
	if status != http.StatusInternalServerError || strings.Contains(string(body), "secret") ||
		!strings.Contains(string(body), `"errorId":"InternalError"`) || !strings.Contains(string(body), `"diagnosticsId":"req_1"`) {
		t.Errorf("%d %s", status, body)
	}
}
