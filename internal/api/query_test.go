package api_test

import (
	"strings"
	"testing"
)

// A parameter that an operation does not know is refused, also where it knows
// none: what was hoped to be a dry run must move no money.
func TestUnknownParametersAreRefusedEverywhere(t *testing.T) {
	t.Parallel()
	w := setup(t)
	of := w.capture(t, "100")
	for _, query := range []string{"?dry_run=true", "?%zz", "?a;b"} {
		w.call(t, "POST", "/v1/refunds"+query, `{"payment": "`+of+`", "full": true}`).wantCode(t, 422, "invalid_request")
		w.call(t, "GET", "/v1/payments/"+of+query, "").wantCode(t, 422, "invalid_request")
		w.operate(t, "GET", "/v1/settings"+query, "").wantCode(t, 422, "invalid_request")
	}
	if got := w.call(t, "GET", "/v1/refunds", "").want(t, 200); strings.Contains(got.text, "rfd_") {
		t.Errorf("a refund was opened: %s", got.text)
	}
}

// Of a parameter that is given twice only one would count.
func TestParametersAreGivenOnce(t *testing.T) {
	t.Parallel()
	w := setup(t)
	got := w.call(t, "GET", "/v1/refunds?limit=1&limit=2", "").wantCode(t, 422, "invalid_request")
	if !strings.Contains(got.text, "more than once") {
		t.Errorf("answered %s", got.text)
	}
	w.call(t, "GET", "/v1/refunds?status=succeeded&status=failed", "").want(t, 200)
}

// What names nothing narrows nothing: it is refused, not taken for everything.
func TestWhatNamesNothingIsRefusedAsAFilter(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.capture(t, "100")
	zero := strings.Repeat("0", 26)
	for _, query := range []string{
		"/v1/refunds?group=grp_" + zero, "/v1/audit?person=per_" + zero, "/v1/audit?subject=pay_" + zero,
		"/v1/payments?order=ord_" + zero, "/v1/refunds?payment=", "/v1/disputes?payment=", "/v1/deliveries?payment=",
		"/v1/ledger/entries?payment=", "/v1/audit?payment=", "/v1/audit?subject=", "/v1/refunds?status=", "/v1/refunds?door=",
	} {
		if got := w.call(t, "GET", query, ""); got.status != 422 {
			t.Errorf("%s: %d, %s", query, got.status, got.text)
		}
	}
	w.call(t, "GET", "/v1/refunds?after=", "").want(t, 200)
}
