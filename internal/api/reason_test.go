package api_test

import (
	"strings"
	"testing"
	"time"

	"github.com/refundry/refundry/internal/auth"
	"github.com/refundry/refundry/internal/payment"
)

// A refund has a reason of the catalogue, and a reason that a refund has stays
// in the catalogue and goes on meaning what it meant, whichever way somebody
// would change it. It can be retired.
func TestReasonsInUseStay(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		const returned = `{"code": "returned", "title": "Goods came back", "doors": {"ping": "requested_by_customer"}}`
		put := w.operate(t, "PUT", "/v1/reasons", `{"is_required": true, "reasons": [`+returned+`, {"code": "recall"}]}`).want(t, 200)
		read := w.call(t, "GET", "/v1/reasons", "").want(t, 200)
		if put.text != read.text || read.text != `{"is_required":true,"reasons":[{"code":"returned","title":"Goods came back",`+
			`"doors":{"ping":"requested_by_customer"},"is_retired":false},{"code":"recall","is_retired":false}]}` {
			t.Errorf("put %s, read %s", put.text, read.text)
		}
		of := w.capture(t, "1000")
		w.call(t, "POST", "/v1/refunds", refundOf(of, 1)).wantCode(t, 422, "reason_not_in_catalogue")
		w.call(t, "POST", "/v1/refunds", with(refundOf(of, 1), `"reason": "boredom"`)).wantCode(t, 422, "reason_not_in_catalogue")
		w.call(t, "POST", "/v1/refunds", with(refundOf(of, 1), `"reason": "returned"`)).want(t, 201)
		for _, without := range []string{
			``, `{"code": "recall"}`, `{"code": "returned"}`, strings.Replace(returned, "came back", "were bad", 1),
			strings.Replace(returned, "requested_by_customer", "fraudulent", 1), `{"code": "returned", "title": "Goods came back"}`,
		} {
			w.operate(t, "PUT", "/v1/reasons", `{"reasons": [`+without+`]}`).wantCode(t, 409, "reason_in_use")
		}
		for _, without := range []string{
			`{"policy.reasons": ["recall"]}`, `{"policy.reasons": null}`, `{"reasons.titles": ["returned=Fraud"]}`,
			`{"reasons.titles": null}`, `{"reasons.words": ["returned=ping=other"]}`,
		} {
			w.operate(t, "PATCH", "/v1/settings", without).wantCode(t, 409, "reason_in_use")
		}
		retired := strings.Replace(returned, "{", `{"is_retired": true, `, 1)
		more := strings.Replace(retired, `"doors": {`, `"doors": {"primer": "Back", `, 1)
		w.operate(t, "PUT", "/v1/reasons", `{"reasons": [{"code": "late", "default_at": ["chip"]}, `+more+`]}`).want(t, 200)
		if now := w.call(t, "GET", "/v1/reasons", ""); now.text != `{"is_required":true,"reasons":[{"code":"late",`+
			`"default_at":["chip"],"is_retired":false},{"code":"returned","title":"Goods came back","doors":{"ping":`+
			`"requested_by_customer","primer":"Back"},"is_retired":true}]}` {
			t.Errorf("got %s", now.text)
		}
		w.call(t, "POST", "/v1/refunds", with(refundOf(of, 1), `"reason": "returned"`)).wantCode(t, 422, "reason_not_in_catalogue")
		w.operate(t, "PUT", "/v1/reasons", `{"reasons": [`+more+`]}`).want(t, 200)
	})
}

func TestReasonsAreCodes(t *testing.T) {
	t.Parallel()
	w := setup(t)
	for _, bad := range []string{
		`{}`, `{"reasons": [{}]}`, `{"reasons": [{"code": "a=b"}]}`, `{"reasons": [{"code": "Upper"}]}`,
		`{"reasons": [{"code": "a"}, {"code": "a"}]}`, `{"reasons": [{"code": "a", "doors": {"ping": "nonsense"}}]}`,
		`{"reasons": [{"code": "a", "doors": {"chip": "other"}}]}`, `{"reasons": [{"code": "a", "default_at": ["nonsense"]}]}`,
		`{"reasons": [{"code": "a", "default_at": ["dialect"]}, {"code": "b", "default_at": ["dialect"]}]}`,
		`{"reasons": [{"code": "a", "default_at": ["dialect"], "is_retired": true}]}`,
	} {
		w.operate(t, "PUT", "/v1/reasons", bad).wantCode(t, 422, "invalid_request")
	}
}

// A catalogue is checked against the one that it replaces, not against one that
// a replica remembers from before.
func TestCatalogueIsCheckedAgainstTheOneItReplaces(t *testing.T) {
	t.Parallel()
	w := setup(t)
	of := w.capture(t, "1000")
	keyring, err := auth.NewKeyring()
	if err != nil {
		t.Fatal(err)
	}
	other := auth.New(auth.Config{
		Store: w.store, Keyring: keyring, Specs: policies, Now: w.now, Machine: time.Now, NewID: countingIDs(),
	})
	w.operate(t, "GET", "/v1/reasons", "").want(t, 200) // it is remembered that there is none
	if err := other.SetSettings(t.Context(), auth.By{Actor: "operator:other"}, w.tenant, map[string]any{
		payment.PolicyReasons.Name: []string{"returned"},
	}); err != nil {
		t.Fatal(err)
	}
	w.call(t, "POST", "/v1/refunds", with(refundOf(of, 1), `"reason": "returned"`)).want(t, 201)
	w.operate(t, "PUT", "/v1/reasons", `{"reasons": []}`).wantCode(t, 409, "reason_in_use")
}

// The setting refuses codes that no catalogue could have, and too many.
func TestPolicyReasonsTakesCodesOnly(t *testing.T) {
	t.Parallel()
	w := setup(t)
	many := `"code` + strings.Repeat(`", "code`, payment.ReasonsMax) + `"`
	for _, bad := range []string{`"a=b"`, `""`, `"` + strings.Repeat("x", 256) + `"`, many} {
		w.operate(t, "PATCH", "/v1/settings", `{"policy.reasons": [`+bad+`]}`).wantCode(t, 422, "invalid_request")
	}
	w.operate(t, "PATCH", "/v1/settings", `{"policy.reasons": ["returned", "Zurück"]}`).want(t, 200)
}
