package chip_test

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/refundry/refundry/internal/dialect/chip"
	"github.com/refundry/refundry/internal/dialect/dialecttest"
	"github.com/refundry/refundry/internal/fault"
	"github.com/refundry/refundry/internal/payment"
)

// Every rule, class of error, status and availability has a word.
func TestEverythingHasAWord(t *testing.T) {
	t.Parallel()
	for _, rule := range payment.RuleNames() {
		if !chip.HasRule(rule) {
			t.Errorf("the rule %s has no word", rule)
		}
	}
	for _, code := range fault.Codes {
		if !chip.HasFault(code) {
			t.Errorf("%s has no word", code)
		}
	}
	for _, status := range slices.Collect(maps.Keys(payment.PaymentLife)) {
		if !chip.HasPayment(status) {
			t.Errorf("a payment that is %s has no word", status)
		}
	}
	for _, status := range payment.RefundStatuses {
		if !chip.HasRefund(status) {
			t.Errorf("a refund that is %s has no word", status)
		}
	}
	for _, availability := range []payment.Availability{
		"", payment.RefundsAll, payment.RefundsWholeOnly, payment.RefundsPartialOnly, payment.RefundsNone,
	} {
		if !chip.HasAvailability(availability) {
			t.Errorf("%q has no word", availability)
		}
	}
}

// Errors are objects of arrays, whatever is wrong, and never say what was sent.
func TestErrorsAreArrays(t *testing.T) {
	t.Parallel()
	errs := []error{errors.New("password=secret"), fault.New(fault.Unavailable, "password=secret")}
	for _, code := range fault.Codes {
		errs = append(errs, fault.New(code, "password=secret"))
	}
	for _, rule := range payment.RuleNames() {
		errs = append(errs, &payment.Refusal{Rule: rule, Message: "password=secret"})
	}
	for _, action := range []string{"", "refund", "capture", "release", "cancel", "charge", "mark_as_paid"} {
		for _, err := range errs {
			status, raw := chip.RenderError(action, err)
			body, _ := dialecttest.Decode(raw).(map[string]any)
			for name, flaws := range body {
				if inner, ok := flaws.(map[string]any); ok && name == "purchase" {
					flaws = inner["currency"]
				}
				list, ok := flaws.([]any)
				if !ok || len(list) == 0 || dialecttest.At(list[0], "code") == nil || dialecttest.At(list[0], "message") == nil {
					t.Errorf("%s: %s", action, raw)
				}
			}
			if len(body) != 1 || strings.Contains(raw, "secret") || status < 400 || status > 500 {
				t.Errorf("%s: %d %s", action, status, raw)
			}
		}
	}
}

// Webhooks have spaces between tokens, and nowhere else.
func TestSpacesInWebhooks(t *testing.T) {
	t.Parallel()
	for compact, want := range map[string]string{
		`{}`: `{}`, `{"a":[1,2],"b":{"c":null}}`: `{"a": [1, 2], "b": {"c": null}}`,
		`{"a,b:c":"d,e:f\",:\\","g":1}`: `{"a,b:c": "d,e:f\",:\\", "g": 1}`,
	} {
		if got := chip.Spaced(compact); got != want {
			t.Errorf("%s", got)
		}
	}
}

// The page for users names every switch, and only tests that there are.
func TestThePageIsTrue(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../../docs/dialects/chip.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, spec := range chip.Specs() {
		if !strings.Contains(string(page), "`"+spec.Name+"`") {
			t.Errorf("%s is not there", spec.Name)
		}
	}
	files, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	var tests strings.Builder
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		tests.Write(content)
	}
	for _, name := range regexp.MustCompile(`Test[A-Z]\w+`).FindAllString(string(page), -1) {
		if !strings.Contains(tests.String(), "func "+name+"(t *testing.T)") {
			t.Errorf("there is no %s", name)
		}
	}
}
