package service_test

import (
	"net/http"
	"os"
	"regexp"
	"slices"
	"testing"

	"github.com/refundry/refundry/internal/payment"
)

var (
	namedPolicy = regexp.MustCompile(`policy\.[a-z_]+`)
	namedCode   = regexp.MustCompile("(?m)^\\| `policy\\..*\\| `([a-z_]+)`[^|]*\\|$")
)

// docs/policies.md names every policy that there is, and no other, and codes
// that have a page.
func TestThePageOfPoliciesIsComplete(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../docs/policies.md")
	if err != nil {
		t.Fatal(err)
	}
	named := namedPolicy.FindAllString(string(text), -1)
	var known []string
	for _, spec := range payment.PolicySpecs {
		known = append(known, spec.Name)
		if !slices.Contains(named, spec.Name) {
			t.Errorf("%s is not there", spec.Name)
		}
	}
	for _, name := range named {
		if !slices.Contains(known, name) {
			t.Errorf("there is no %s", name)
		}
	}
	w := start(t, "")
	codes := namedCode.FindAllStringSubmatch(string(text), -1)
	if len(codes) < 10 {
		t.Errorf("only %d codes are named", len(codes))
	}
	for _, code := range codes {
		if got := w.Call(http.MethodGet, "/errors/"+code[1], ""); got.Status != http.StatusOK {
			t.Errorf("there is no code %s", code[1])
		}
	}
}
