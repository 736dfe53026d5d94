package smartglocal_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/refundry/refundry/internal/dialect/smartglocal"
	"github.com/refundry/refundry/internal/fault"
)

// Every path below /api/v1 and /api/v2 is answered in the protocol's words,
// and none with a redirect.
func TestPathsAndMethods(t *testing.T) {
	t.Parallel()
	w := setup(t, brand)
	for _, path := range []string{
		"/api/v1", "/api/v2", "/api/v1/", "/api/v2/token", "/api/v1/session", "/api/v1/session/refund/full",
		"/api/v1/recurrent/create", "/api/v1/session/refund//x", "/api/v1/fps/banks", "/api/v2/SESSION/REFUND",
	} {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			if strings.Contains(path, "//") {
				continue // the service cleans paths before
			}
			w.raw(method, path, "{}", nil).expect(t, method+" "+path, 404, "invalid_request")
		}
	}
	for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodDelete, http.MethodPatch} {
		got := w.raw(method, "/api/v1/session/refund", "{}", nil)
		got.expect(t, method, 405, "invalid_request")
		if got.header.Get("Allow") != "POST" {
			t.Errorf("%s: Allow: %q", method, got.header.Get("Allow"))
		}
	}
	body := of("ps_1")
	w.call(brand, "session/status/", body).expect(t, "a trailing slash", 400, "invalid_request")
	got := w.call(brand, "session/status", body, "Content-Type", "text/plain", "X-Sdk-Version", "1")
	got.expect(t, "any content type", 400, "invalid_request")
}

// Who calls is known by project and signature, in this order; what is wrong
// with a signature nobody learns.
func TestCallersAreKnown(t *testing.T) {
	t.Parallel()
	w := setup(t, brand)
	body := `{"session_id":"ps_1"}`
	good := sign(t, merchant(), body)
	ask := func(project, signature string) reply {
		header := http.Header{}
		if project != "" {
			header["X-Partner-Project"] = []string{project}
		}
		if signature != "" {
			header["x-partner-sign"] = []string{signature} // as the library writes it
		}
		return w.raw(http.MethodPost, "/api/v1/session/status", body, header)
	}
	ask(string(brand), good).expect(t, "right", 400, "invalid_request")
	for _, project := range []string{"", "nobody", "smart glocal", strings.Repeat("x", 300)} {
		ask(project, good).expect(t, "project "+project, 401, "identification_error")
	}
	var first string
	for _, signature := range []string{
		"", "x", strings.TrimRight(good, "="), " " + good[1:], good[:100] + "\n" + good[100:], good + good,
		sign(t, merchant(), body+" "), sign(t, newKey(2048), body),
	} {
		got := ask(string(brand), strings.ReplaceAll(signature, "\n", " "))
		got.expect(t, "a wrong signature", 401, "authentication_error")
		if first == "" {
			first = got.text
		}
		if got.text != first {
			t.Errorf("signature failures differ: %s", got.text)
		}
	}
	broken := w.raw(http.MethodPost, "/api/v1/session/status", "{broken", http.Header{"X-Partner-Project": {string(brand)}})
	broken.expect(t, "the signature goes before the body", 401, "authentication_error")
	if strings.Contains(w.log.String(), good) || strings.Contains(w.log.String(), "ps_1") {
		t.Error("a signature or a body is in the log")
	}
}

// Limits of a project: a body's size before its signature, requests per second.
func TestLimits(t *testing.T) {
	t.Parallel()
	w := setup(t, brand)
	large := `{"session_id":"ps_1","x":"` + strings.Repeat("x", 256<<10) + `"}`
	w.raw(http.MethodPost, "/api/v1/session/status", large, nil).expect(t, "too large for all", 413, "invalid_request")
	w.set("smartglocal.max_body_bytes", int64(1024))
	middle := `{"session_id":"ps_1","x":"` + strings.Repeat("x", 1024) + `"}`
	w.call(brand, "session/status", middle, "X-Partner-Sign", "").expect(t, "too large for it", 413, "invalid_request")
	w.set("smartglocal.rate_limit", int64(2))
	for range 2 {
		w.call(brand, "session/status", of("ps_1")).expect(t, "within the limit", 400, "invalid_request")
	}
	got := w.call(brand, "session/status", of("ps_1"))
	got.expect(t, "above it", 429, "internal_error")
	if got.header.Get("Retry-After") == "" {
		t.Error("429 without Retry-After")
	}
}

// A project takes several keys of a decent length, and nothing else.
func TestProjects(t *testing.T) {
	t.Parallel()
	w := setup(t)
	make2 := func(brand smartglocal.Brand, name string, keys ...string) error {
		made, err := smartglocal.NewProject(t.Context(), w.auth, w.newID(), w.tenant, brand, name, keys...)
		if err == nil {
			_, err = w.auth.PutCredential(t.Context(), by, made)
		}
		return err
	}
	good := pemOf(t, &merchant().PublicKey)
	weak := pemOf(t, &newKey(1024).PublicKey)
	for name, err := range map[string]error{
		"no key": make2(brand, "p"), "a weak key": make2(brand, "p", weak), "one of two is weak": make2(brand, "p", good, weak),
		"no PEM": make2(brand, "p", "x"), "no name": make2(brand, "", good), "a blank": make2(brand, "a b", good),
		"no brand": make2("primer", "p", good),
	} {
		if fault.CodeOf(err) != fault.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	second := newKey(2048)
	if err := make2(brand, "p", good, pemOf(t, &second.PublicKey)); err != nil {
		t.Fatal(err)
	}
	if err := make2(brand, "q", good); fault.CodeOf(err) != fault.Conflict {
		t.Errorf("two projects of a brand: %v", err)
	}
	if err := make2(smartglocal.Pike, "p", good); fault.CodeOf(err) != fault.Conflict {
		t.Errorf("a name that is taken: %v", err)
	}
	body := of("ps_1")
	w.callAs("v1", "p", "session/status", body).expect(t, "the first key", 400, "invalid_request")
	w.raw(http.MethodPost, "/api/v1/session/status", body,
		http.Header{"X-Partner-Project": {"p"}, "X-Partner-Sign": {sign(t, second, body)}}).
		expect(t, "the second key", 400, "invalid_request")
}

// A webhook is signed with the key whose public part the project shows, alike
// at every attempt.
func TestWebhooksAreSignedByTheProvider(t *testing.T) {
	t.Parallel()
	w := setup(t, smartglocal.SmartGlocal)
	project, err := w.auth.Credential(t.Context(), smartglocal.KindProject, string(brand))
	if err != nil {
		t.Fatal(err)
	}
	public, err := smartglocal.ProviderKey(project)
	if err != nil {
		t.Fatal(err)
	}
	body := []byte(`{"type":"payment_refunded"}`)
	var first string
	for range 2 {
		header, _, err := w.voice(brand).Sign(t.Context(), letter(w.tenant, body))
		if err != nil {
			t.Fatal(err)
		}
		signature := header.Get("X-Partner-Sign")
		if header.Get("Content-Type") != "application/json" || !verifies(t, public, body, signature) {
			t.Errorf("signed: %v", header)
		}
		if first == "" {
			first = signature
		}
		if signature != first {
			t.Error("two attempts, two signatures")
		}
	}
	if strings.Contains(string(project.Secret), "PRIVATE") || strings.Contains(project.Public, "PRIVATE") {
		t.Error("the provider's key is not encrypted")
	}
}
