package smartglocal_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"testing"

	"github.com/refundry/refundry/internal/dialect/smartglocal"
	"github.com/refundry/refundry/internal/fault"
	"github.com/refundry/refundry/internal/payment"
)

// What nobody has classified is said as the provider says it, and no more.
func TestInternalErrorIsTheExample(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../service/testdata/examples/smartglocal/error-internal.json")
	if err != nil {
		t.Fatal(err)
	}
	var want bytes.Buffer
	if err := json.Compact(&want, text); err != nil {
		t.Fatal(err)
	}
	status, got := smartglocal.RenderError(errors.New("password=secret"))
	if status != 500 || string(got) != want.String() {
		t.Errorf("%d %s, want %s", status, got, want.String())
	}
}

// Every rule, fault and status has a word.
func TestEverythingHasAWord(t *testing.T) {
	t.Parallel()
	for _, rule := range payment.RuleNames() {
		if !smartglocal.HasRule(rule) {
			t.Errorf("the rule %s has no word", rule)
		}
	}
	payments, refunds, codes := smartglocal.Words()
	if payments != len(payment.PaymentLife) || refunds != len(payment.RefundStatuses) || codes != len(fault.Codes) {
		t.Errorf("%d words for payments, %d for refunds, %d for faults", payments, refunds, codes)
	}
}
