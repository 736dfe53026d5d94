package api_test

import (
	"strings"
	"testing"
)

// A refund has a reason of the catalogue, and a reason that a refund has stays
// in the catalogue, whichever way somebody would take it out.
func TestReasonsInUseStay(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		both := `{"is_required": true, "reasons": [
			{"code": "returned", "title": "Goods came back", "doors": {"ping": "requested_by_customer"}}, {"code": "recall"}]}`
		put := w.operate(t, "PUT", "/v1/reasons", both).want(t, 200)
		read := w.call(t, "GET", "/v1/reasons", "").want(t, 200)
		if put.text != read.text || read.text != `{"is_required":true,"reasons":[{"code":"returned","title":"Goods came back",`+
			`"doors":{"ping":"requested_by_customer"}},{"code":"recall"}]}` {
			t.Errorf("put %s, read %s", put.text, read.text)
		}
		of := w.capture(t, "1000")
		w.call(t, "POST", "/v1/refunds", refundOf(of, 1)).wantCode(t, 422, "reason_not_in_catalogue")
		w.call(t, "POST", "/v1/refunds", with(refundOf(of, 1), `"reason": "boredom"`)).wantCode(t, 422, "reason_not_in_catalogue")
		w.call(t, "POST", "/v1/refunds", with(refundOf(of, 1), `"reason": "returned"`)).want(t, 201)
		for _, without := range []string{`{"reasons": []}`, `{"reasons": [{"code": "recall"}]}`} {
			w.operate(t, "PUT", "/v1/reasons", without).wantCode(t, 409, "reason_in_use")
		}
		for _, without := range []string{`{"policy.reasons": ["recall"]}`, `{"policy.reasons": null}`} {
			w.operate(t, "PATCH", "/v1/settings", without).wantCode(t, 409, "reason_in_use")
		}
		kept := w.operate(t, "PUT", "/v1/reasons", `{"reasons": [{"code": "late"}, {"code": "returned", "title": "Old"}]}`).want(t, 200)
		if !strings.Contains(kept.text, `{"is_required":true,"reasons":[{"code":"late"},{"code":"returned","title":"Old"}]}`) {
			t.Errorf("got %s", kept.text)
		}
	})
}

func TestReasonsAreCodes(t *testing.T) {
	t.Parallel()
	w := setup(t)
	for _, bad := range []string{
		`{}`, `{"reasons": [{}]}`, `{"reasons": [{"code": "a=b"}]}`, `{"reasons": [{"code": "Upper"}]}`,
		`{"reasons": [{"code": "a"}, {"code": "a"}]}`, `{"reasons": [{"code": "a", "doors": {"ping": "nonsense"}}]}`,
		`{"reasons": [{"code": "a", "doors": {"chip": "other"}}]}`,
	} {
		w.operate(t, "PUT", "/v1/reasons", bad).wantCode(t, 422, "invalid_request")
	}
}
