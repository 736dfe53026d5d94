package api_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// listed reads a list of refunds in pages of a size, and returns their references.
func (w *world) listed(t *testing.T, query string, limit int) (references []string) {
	t.Helper()
	after := ""
	for {
		page := w.call(t, "GET", fmt.Sprintf("/v1/refunds?limit=%d&after=%s&%s", limit, after, query), "").want(t, 200)
		refunds, _ := page.body["refunds"].([]any)
		for _, refund := range refunds {
			references = append(references, fmt.Sprint(refund.(map[string]any)["reference"]))
		}
		after = page.string(t, "next")
		if page.body["has_more"] != true {
			return references
		}
	}
}

// Every filter finds what it names, whatever the size of pages, and totals are
// of all of it.
func TestRefundsAreFound(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		of, other := w.capture(t, "10000"), w.capture(t, "100")
		begun := w.now().Add(-time.Minute).UTC().Format(time.RFC3339)
		for _, refund := range []struct{ of, reference, amount, more string }{
			{of, "a b&c", "100", `"reason": "returned", "not_before": "` + later(w) + `"`},
			{of, "ünï", "200", `"reason": "recall", "not_before": "` + later(w) + `"`},
			{other, "all", "100", `"reason": "recall", "not_before": "` + later(w) + `"`},
		} {
			w.call(t, "POST", "/v1/refunds", fmt.Sprintf(`{"payment": %q, "reference": %q, "amount": %s, "currency": "EUR", %s}`,
				refund.of, refund.reference, refund.amount, refund.more)).want(t, 201)
		}
		last := w.call(t, "GET", "/v1/refunds?limit=1", "").want(t, 200).body["refunds"].([]any)[0].(map[string]any)
		w.call(t, "POST", fmt.Sprintf("/v1/refunds/%s/cancel", last["id"]), "").want(t, 200)
		for query, want := range map[string][]string{
			"":                                    {"all", "ünï", "a b&c"},
			"payment=" + of:                       {"ünï", "a b&c"},
			"status=canceled":                     {"all"},
			"status=scheduled&status=canceled":    {"all", "ünï", "a b&c"},
			"status=succeeded":                    nil,
			"reference=" + url.QueryEscape("ünï"): {"ünï"},
			"reference=a+b%26c":                   {"a b&c"},
			"reason=recall":                       {"all", "ünï"},
			"reason=recall&payment=" + of:         {"ünï"},
			"door=api&source=api&currency=EUR":    {"all", "ünï", "a b&c"},
			"door=chip":                           nil,
			"currency=USD":                        nil,
			"needs_review=false":                  {"all", "ünï", "a b&c"},
			"needs_review=true":                   nil,
			"amount_from=101":                     {"ünï"},
			"amount_until=199":                    {"all", "a b&c"},
			"from=" + begun:                       {"all", "ünï", "a b&c"},
			"until=" + begun:                      nil,
		} {
			for limit := 1; limit <= 3; limit++ {
				if diff := cmp.Diff(want, w.listed(t, query, limit)); diff != "" {
					t.Errorf("%s in pages of %d (-want +got):\n%s", query, limit, diff)
				}
			}
		}
		page := w.call(t, "GET", "/v1/refunds?limit=1&totals=true&reason=recall", "").want(t, 200)
		if !strings.Contains(page.text, `"totals":[{"currency":"EUR","status":"canceled","count":1,"amount":100},`+
			`{"currency":"EUR","status":"scheduled","count":1,"amount":200}]`) {
			t.Errorf("got %s", page.text)
		}
		if strings.Contains(w.call(t, "GET", "/v1/refunds", "").text, "totals") {
			t.Error("nobody asked for totals")
		}
	})
}

// A refund says how old it is where that is as of now, and not where an answer
// is given once more.
func TestAgeIsToldAsOfNow(t *testing.T) {
	t.Parallel()
	w := setup(t)
	body := `{"payment": "` + w.capture(t, "100") + `", "full": true, "not_before": "2026-06-01T00:00:00Z"}`
	opened := w.call(t, "POST", "/v1/refunds", body, "Idempotency-Key: k").want(t, 201)
	w.offset.Add(90)
	id := opened.string(t, "id")
	if age := w.call(t, "GET", "/v1/refunds/"+id, "").number(t, "age_seconds"); age != 89 {
		t.Errorf("%d s old, want 89", age)
	}
	again := w.call(t, "POST", "/v1/refunds", body, "Idempotency-Key: k").want(t, 201)
	if strings.Contains(again.text, "age_seconds") {
		t.Errorf("an answer of then has an age of now: %s", again.text)
	}
	w.call(t, "POST", "/v1/refunds/"+id+"/cancel", "").want(t, 200)
	w.offset.Add(1000)
	list := w.call(t, "GET", "/v1/refunds", "").want(t, 200)
	if !slices.Contains(strings.Split(strings.NewReplacer("}", ",").Replace(list.text), ","), `"age_seconds":89`) {
		t.Errorf("one that has ended goes on ageing: %s", list.text)
	}
}
