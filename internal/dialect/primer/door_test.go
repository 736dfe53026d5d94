package primer_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/refundry/refundry/internal/dialect/dialecttest"
	"github.com/refundry/refundry/internal/dialect/primer"
	"github.com/refundry/refundry/internal/payment"
)

// Every path of the API is answered in Primer's words, with or without a
// trailing slash, also below the door's name, and none with a redirect.
func TestPaths(t *testing.T) {
	w := setup(t)
	id := w.settled(4200)
	for _, prefix := range []string{"", "/primer"} {
		for _, path := range []string{"/payments/" + id, "/payments/" + id + "/", "/payments//" + id} {
			w.ok(prefix+path, w.get(prefix+path), "SETTLED")
		}
		for _, path := range []string{"/payments", "/payments/", "//payments"} {
			if got := w.get(prefix + path); got.Status != 200 || got.At("data.0.id") != id {
				t.Errorf("%s: %s", prefix+path, got)
			}
		}
		w.ok("refund", w.post(prefix+refundOf(id)+"/", `{"amount":1}`), "SETTLED")
		for _, path := range []string{
			"/client-session", "/client-session/", "/payment-instruments", "/payment-instruments/x/vault", "/payments/" + id + "/void",
			"/payments/" + id + "/refund/all", "/payments/" + id + "/refunds",
		} {
			for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPatch} {
				w.refused(method+" "+prefix+path, w.call(method, prefix+path, ""), 404, "NotFound")
			}
		}
		for _, method := range []string{http.MethodPut, http.MethodDelete, http.MethodPatch} {
			for _, path := range []string{"/payments", "/payments/" + id, refundOf(id)} {
				w.refused(method+" "+prefix+path, w.call(method, prefix+path, "{}"), 404, "NotFound")
			}
		}
		w.refused("GET refund", w.get(prefix+refundOf(id)), 404, "NotFound")
	}
	if got := w.call(http.MethodHead, "/payments/"+id, ""); got.Status != 200 || got.Raw != "" {
		t.Errorf("HEAD: %s", got)
	}
	for _, bad := range []string{"%20", "a%2Fb", strings.Repeat("x", 65), "493cde19-04f2-4913-b00b-71af806f4374", "api", "%00"} {
		got := w.get("/payments/" + bad)
		if got.Status != 400 && got.Status != 404 || got.At("error.errorId") == nil {
			t.Errorf("%s: %s", bad, got)
		}
	}
	var own payment.PaymentID
	if err := own.Parse(w.API(http.MethodPost, "/v1/payments", `{"amount":1,"currency":"EUR"}`).At("id").(string)); err != nil {
		t.Fatal(err)
	}
	w.ok("by its UUID", w.get("/payments/"+own.UUID()), "SETTLED")
}

// Another door may have a subtree below one of the roots.
func TestAnotherDoorsSubtreeIsItsOwn(t *testing.T) {
	t.Parallel()
	mux := http.NewServeMux()
	for _, root := range []string{"/payments/api/v1", "/payments/api/v1/"} {
		mux.HandleFunc(root, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	}
	primer.New(config{}.dialect()).Register(mux)
	for path, status := range map[string]int{
		"/payments/api/v1": 418, "/payments/api/v1/": 418, "/payments/api/v1/x/refund": 418, "/payments/api/v2/x/refund": 404,
	} {
		answer := httptest.NewRecorder()
		mux.ServeHTTP(answer, httptest.NewRequest(http.MethodPost, path, nil))
		if answer.Code != status {
			t.Errorf("%s: %d", path, answer.Code)
		}
	}
}

// Who calls is known by the key, in any spelling of its header; a key does what
// its scopes say.
func TestCallersAndScopes(t *testing.T) {
	w := setup(t)
	id := w.settled(4200)
	w.ok("as Node writes it", w.Call(http.MethodGet, "/payments/"+id, "", "x-api-key", w.key), "SETTLED")
	for _, key := range []string{"", "x", w.key + "x", strings.ToUpper(w.key)} {
		w.refused("a stranger", w.Call(http.MethodGet, "/payments/"+id, "", "X-API-KEY", key), 401, "Unauthorized")
	}
	calls := map[string][]func(*world) dialecttest.Answered{
		"transactions:retrieve": {
			func(w *world) dialecttest.Answered { return w.get("/payments/" + id) },
			func(w *world) dialecttest.Answered { return w.get("/payments") },
		},
		"transactions:refund":  {func(w *world) dialecttest.Answered { return w.post(refundOf(id), "[]") }},
		"transactions:capture": {func(w *world) dialecttest.Answered { return w.post("/payments/"+id+"/capture", "[]") }},
		"transactions:cancel":  {func(w *world) dialecttest.Answered { return w.post("/payments/"+id+"/cancel", "[]") }},
		"transactions:authorize": {
			func(w *world) dialecttest.Answered { return w.post("/payments", "[]") },
			func(w *world) dialecttest.Answered { return w.post("/payments/"+id+"/authorize", "[]") },
			func(w *world) dialecttest.Answered { return w.post("/payments/"+id+"/adjust-authorization", "[]") },
			func(w *world) dialecttest.Answered { return w.post("/payments/"+id+"/resume", "[]") },
		},
	}
	for scope := range calls {
		made := w.Operate(http.MethodPost, "/v1/keys", `{"kind":"primer_key","name":"one","scopes":["`+scope+`"]}`)
		with := &world{w.World, made.At("key").(string)}
		for needed, list := range calls {
			for _, call := range list {
				if got := call(with); (got.Status == 403) != (needed != scope) {
					t.Errorf("%s with %s: %s", needed, scope, got)
				}
			}
		}
	}
	for _, scopes := range []string{`[]`, `"transactions:refund"`, `["refund"]`, `[7]`} {
		if got := w.Operate(http.MethodPost, "/v1/keys", `{"kind":"primer_key","scopes":`+scopes+`}`); got.Status/100 != 4 {
			t.Errorf("%s: %s", scopes, got)
		}
	}
	made := w.Operate(http.MethodPost, "/v1/keys", `{"kind":"primer_key"}`)
	all := &world{w.World, made.At("key").(string)}
	all.ok("all scopes", all.post(refundOf(id), `{"amount":1}`), "SETTLED")
	w.Operate(http.MethodDelete, "/v1/keys/"+made.At("id").(string), "")
	all.refused("revoked", all.get("/payments/"+id), 401, "Unauthorized")
}

// Versions 2 to 2.4 are all alike; others are not spoken.
func TestVersions(t *testing.T) {
	w := setup(t)
	id := w.settled(4200)
	for _, version := range []string{"2", "2.0", "2.1", "2.2", "2.3", "2.4", ""} {
		w.ok(version, w.get("/payments/"+id+"?expand=transactions.events"), "SETTLED")
		got := w.Call(http.MethodGet, "/payments/"+id+"?expand=transactions.events", "", "X-API-KEY", w.key, "X-Api-Version", version)
		if got.At("transactions.0.events.0.id") == nil {
			t.Errorf("%s: %s", version, got)
		}
	}
	for _, version := range []string{"1", "2.5", "3", "v2.4", "2021-09-27", "latest", strings.Repeat("9", 99), "4111111111111111"} {
		got := w.Call(http.MethodGet, "/payments/"+id, "", "X-API-KEY", w.key, "X-API-VERSION", version)
		w.refused(version, got, 400, "UnsupportedApiVersion")
		if len(version) > 15 && strings.Contains(got.Raw, version) {
			t.Errorf("%s: %s", version, got)
		}
	}
	for query, status := range map[string]int{
		"?expand=": 200, "?expand=transactions.events,transactions.events": 200, "?expand=transactions.events&expand=transactions.events": 200,
		"?expand=transactions": 422, "?expand=transactions.events,x": 422, "?unknown=1": 200,
	} {
		if got := w.get("/payments/" + id + query); got.Status != status {
			t.Errorf("%s: %s", query, got)
		}
	}
}
