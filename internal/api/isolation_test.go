package api_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/refundry/refundry/internal/api"
)

// Whichever operation another tenant's key asks for, with whichever of our ids,
// it gets nothing of ours, and changes nothing.
func TestOperationsKeepTenantsApart(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		w.fill(t, "$PAYMENT $SCHEDULED $WAITING $DISPUTE $ENDPOINT $DELIVERY $KEY")
		for _, row := range api.Table() {
			if row.IsListed && !row.IsForAnybody {
				checkApart(t, w, row)
			}
		}
		ours := w.ids(t)
		if len(ours) < 10 {
			t.Fatalf("only %d ids are ours", len(ours))
		}
		for _, row := range api.Table() {
			if row.IsListed && !row.IsForAnybody && !row.IsOperators {
				checkNothingOfOurs(t, w, row, ours)
			}
		}
		feed := w.call(t, "GET", "/v1/events?limit=1000", "").want(t, 200)
		if strings.Contains(feed.text, w.strangerID) {
			t.Errorf("a stranger has done something here: %s", feed.text)
		}
	})
}

// checkApart asks for an operation about our things with keys that are not ours.
func checkApart(t *testing.T, w *world, row api.Row) {
	t.Helper()
	r := exampleRequest(t, row.ID)
	filled, ids := w.fill(t, r.path+"\x00"+r.body)
	r.path, r.body, _ = strings.Cut(filled, "\x00")
	none := send(t, w.server, row.Method, r.path, r.body)
	none.wantCode(t, http.StatusUnauthorized, "unauthorized")
	got := send(t, w.server, row.Method, r.path, r.body, "Authorization: Bearer "+w.stranger)
	switch {
	case row.IsOperators:
		got.wantCode(t, http.StatusForbidden, "forbidden")
	case len(ids) > 0:
		got.wantCode(t, http.StatusNotFound, "not_found")
	}
	if row.IsForAll {
		return
	}
	got = send(t, w.operator, row.Method, r.path, r.body, "Refundry-Tenant: stranger")
	if len(ids) > 0 && got.status != http.StatusNotFound {
		t.Errorf("%s: our things at another tenant: %d %s", row.ID, got.status, got.text)
	}
}

// checkNothingOfOurs asks for an operation as a stranger, and looks for our ids
// in what comes back.
func checkNothingOfOurs(t *testing.T, w *world, row api.Row, ours []string) {
	t.Helper()
	r := exampleRequest(t, row.ID)
	if strings.Contains(r.path+r.body, "$") {
		return // it names a thing: see checkApart
	}
	got := send(t, w.server, row.Method, r.path, r.body, "Authorization: Bearer "+w.stranger)
	for _, id := range ours {
		if strings.Contains(got.text, id) {
			t.Errorf("%s: a stranger sees %s: %s", row.ID, id, got.text)
		}
	}
}

// ids returns all ids that our own lists have.
func (w *world) ids(t *testing.T) []string {
	t.Helper()
	var all []string
	for _, path := range []string{"/v1/payments", "/v1/events?limit=1000", "/v1/endpoints", "/v1/deliveries"} {
		all = append(all, idText.FindAllString(w.call(t, "GET", path, "").want(t, 200).text, -1)...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// A key with scopes may do what they name, and nothing else.
func TestScopesAreEnforced(t *testing.T) {
	t.Parallel()
	w := setup(t)
	for _, row := range api.Table() {
		if row.Scope == "" {
			continue
		}
		r := exampleRequest(t, row.ID)
		filled, _ := w.fill(t, r.path+"\x00"+r.body)
		r.path, r.body, _ = strings.Cut(filled, "\x00")
		others := slices.DeleteFunc(api.Scopes(), func(scope string) bool { return scope == row.Scope })
		without := "Authorization: Bearer " + w.keyWith(t, others...)
		got := send(t, w.server, row.Method, r.path, r.body, without).wantCode(t, http.StatusForbidden, "insufficient_scope")
		if !strings.Contains(got.text, row.Scope) {
			t.Errorf("%s: it is not said that %s is needed: %s", row.ID, row.Scope, got.text)
		}
		with := "Authorization: Bearer " + w.keyWith(t, row.Scope)
		if got := send(t, w.server, row.Method, r.path, r.body, with); got.status >= http.StatusBadRequest {
			t.Errorf("%s with %s: %d %s", row.ID, row.Scope, got.status, got.text)
		}
	}
}

func TestKeysShowTheirScopes(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.keyWith(t, "refunds:write", "refunds:read")
	if got := w.operate(t, "GET", "/v1/keys", "").want(t, 200); !strings.Contains(got.text, `"scopes":["refunds:write","refunds:read"]`) {
		t.Errorf("got %s", got.text)
	}
	for _, bad := range []string{`[]`, `["nonsense"]`, `"refunds:write"`, `[""]`, `["refunds:write payments:write"]`} {
		w.operate(t, "POST", "/v1/keys", fmt.Sprintf(`{"scopes": %s}`, bad)).wantCode(t, http.StatusUnprocessableEntity, "invalid_request")
	}
}
