package chip_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/refundry/refundry/internal/dialect/dialecttest"
	"github.com/refundry/refundry/internal/service"
)

// Who calls is found out first, whatever is called: 401 goes before 404 and 405.
func TestCallersAreKnown(t *testing.T) {
	s := setup(t)
	id := s.create()
	for _, path := range []string{"purchases/", "purchases/" + id + "/", "purchases/nobody/refund/", "nothing/", "public_key/", ""} {
		for header, message := range map[string]string{
			"":                                    "Authorization header missing",
			"Bearer":                              "Authorization header missing",
			"Bearer ":                             "Authorization header missing",
			"Basic " + s.File.CHIP.Key:            "Authorization header missing",
			s.File.CHIP.Key:                       "Authorization header missing",
			"Bearer nobody":                       "Incorrect secret_key",
			"Bearer " + s.File.CHIP.Key + "x":     "Incorrect secret_key",
			"Bearer " + s.File.API.Key:            "Incorrect secret_key",
			"Bearer " + strings.Repeat("x", 5000): "Incorrect secret_key",
			"Bearer " + s.File.CHIP.Key + " and more": "Incorrect secret_key",
		} {
			got := s.Call(http.MethodPost, "/api/v1/"+path, "", "Authorization", header)
			refuses(t, path+" "+header, got, 401, "__all__ authentication_failed")
			if got.At("__all__.0.message") != message {
				t.Errorf("%q: %s", header, got.Raw)
			}
		}
	}
	if got := s.Call(http.MethodGet, "/api/v1/purchases/"+id+"/", "", "Authorization", "bEARER  "+s.File.CHIP.Key); got.Status != 200 {
		t.Errorf("the scheme in any case: %s", got)
	}
}

// Paths are taken with a trailing slash and without, with double slashes, and
// with anything behind a question mark; nothing is ever redirected.
func TestPaths(t *testing.T) {
	s := setup(t)
	id := s.paid(500)
	for _, path := range []string{
		"/api/v1/purchases/" + id + "/", "/api/v1/purchases/" + id, "/api/v1//purchases/" + id + "/", "//api//v1//purchases//" + id,
		"/api/v1/purchases/" + id + "/?time=1717200000&amount=1", "/chip/api/v1/purchases/" + id,
		"/api/v1/purchases/" + strings.ToUpper(id) + "/",
	} {
		if got := s.Call(http.MethodGet, path, "", "Authorization", "Bearer "+s.File.CHIP.Key); got.Status != 200 || got.At("id") != id {
			t.Errorf("%s: %d %s", path, got.Status, got.Raw)
		}
	}
	if got := s.call(http.MethodHead, "purchases/"+id+"/", ""); got.Status != 200 || got.Raw != "" {
		t.Errorf("HEAD: %s", got)
	}
	must(t, s.post("purchases/"+id+"/refund", `{"amount":100}`), 200)
	must(t, s.post("/purchases/"+id+"//refund/", `{"amount":100}`), 200)

	s.Set("chip.strict_trailing_slash", true)
	refuses(t, "without its slash", s.get("purchases/"+id), 404, "__all__ not_found")
	refuses(t, "without its slash", s.post("purchases/"+id+"/refund", ""), 404, "__all__ not_found")
	must(t, s.get("purchases/"+id+"/"), 200)
}

// What is not listed is unknown, and a listed path has its methods only.
func TestPathsAndMethods(t *testing.T) {
	s := setup(t)
	id := s.paid(500)
	for _, path := range []string{
		"", "nothing/", "purchases/" + id + "/nothing/", "purchases/" + id + "/refund/more/", "purchases//refund/",
		"webhooks/" + id + "/refund/", "company_statements/", "company_statements/" + id + "/", "account/balance/",
		"purchases/" + id + "/resend_invoice/",
	} {
		refuses(t, path, s.get(path), 404, "__all__ not_found")
	}
	for path, allowed := range map[string]string{
		"purchases/": "POST", "purchases/" + id + "/": "GET, HEAD", "purchases/" + id + "/refund/": "POST",
		"purchases/nobody/refund/": "POST", "webhooks/": "GET, HEAD, POST", "public_key/": "GET, HEAD",
		"webhooks/" + id + "/": "DELETE, GET, HEAD, PATCH, PUT", "payment_methods/": "GET, HEAD",
	} {
		for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TEAPOT"} {
			if strings.Contains(allowed, method) {
				continue
			}
			got := s.call(method, path, "{}")
			refuses(t, method+" "+path, got, 405, "__all__ method_not_allowed")
			if got.Header.Get("Allow") != allowed || strings.Contains(got.Raw, "TEAPOT") {
				t.Errorf("%s %s: allowed is %q: %s", method, path, got.Header.Get("Allow"), got.Raw)
			}
		}
	}
	for _, malformed := range []string{"nobody", "00000000-0000-0000-0000-000000000000", id + "0", strings.ReplaceAll(id, "-", "")} {
		refuses(t, malformed, s.get("purchases/"+malformed+"/"), 404, "__all__ not_found")
		refuses(t, malformed, s.refund(malformed, `{"amount":"?"}`), 404, "__all__ not_found")
		refuses(t, malformed, s.get("webhooks/"+malformed+"/"), 404, "__all__ not_found")
	}
}

// A body has its limit, and a caller its rate.
func TestLimits(t *testing.T) {
	s := setup(t)
	id := s.paid(500)
	refuses(t, "too large", s.refund(id, strings.Repeat(" ", 256<<10+1)), 413, "__all__ request_too_large")
	must(t, s.refund(id, strings.Repeat(" ", 256<<10-20)+`{"amount":100}`), 200)
	s.Set("chip.max_body_bytes", int64(1024))
	refuses(t, "too large", s.refund(id, strings.Repeat(" ", 1025)), 413, "__all__ request_too_large")
	s.Set("chip.rate_limit", int64(1))
	refused := 0
	for range 4 {
		if got := s.get("purchases/" + id + "/"); got.Status != 200 {
			refuses(t, "too often", got, 429, "__all__ rate_limited")
			if got.Header.Get("Retry-After") != "1" {
				t.Errorf("when again: %v", got.Header)
			}
			refused++
		}
	}
	if refused == 0 {
		t.Error("nothing was refused")
	}
}

// Outside the sandbox what takes a payer's money is refused unread; the rest is there.
func TestOutsideTheSandbox(t *testing.T) {
	s := setup(t, func(c *service.Config) { c.IsSandbox = false })
	key := s.newKey("shop")
	call := func(method, path, body string) dialecttest.Answered {
		return s.Call(method, "/api/v1/"+path, body, "Authorization", "Bearer "+key)
	}
	for _, path := range []string{"purchases/", "purchases/nobody/capture/", "purchases/nobody/charge/", "purchases/nobody/mark_as_paid/"} {
		refuses(t, path, call(http.MethodPost, path, `{"card_number":"4444333322221111`), 400, "__all__ invalid")
	}
	refuses(t, "refund", call(http.MethodPost, "purchases/4a0f6f3e-2d53-4f53-8c0a-0c3f7f1f9d02/refund/", ""), 404, "__all__ not_found")
	if got := call(http.MethodGet, "public_key/", ""); got.Status != 200 {
		t.Errorf("the public key: %s", got)
	}
	if got := s.Call(http.MethodGet, "/p/4a0f6f3e-2d53-4f53-8c0a-0c3f7f1f9d02/", ""); got.Status != 404 {
		t.Errorf("the page: %s", got)
	}
	refuses(t, "a callback that is not encrypted", call(http.MethodPost, "webhooks/",
		`{"title":"a","all_events":true,"callback":"http://merchant.example/"}`), 400, "callback invalid")
	id := s.imported("shop", `{"id":"1","home":"chip","amount":5900,"currency":"MYR","status":"captured",`+
		`"payment_id":"4a0f6f3e-2d53-4f53-8c0a-0c3f7f1f9d02"}`)
	if got := call(http.MethodGet, "purchases/4a0f6f3e-2d53-4f53-8c0a-0c3f7f1f9d02/", ""); got.At("is_test") != false ||
		got.At("status") != "paid" || id == "" {
		t.Errorf("a live purchase: %s", got)
	}
}

// One tenant's purchases and webhooks are nobody else's.
func TestTenantsAreApart(t *testing.T) {
	s := setup(t)
	id := s.paid(500)
	s.hook("/hook")
	hook := text(must(t, s.get("webhooks/"), 200).At("results.0.id"))
	key := s.newKey("stranger")
	for _, path := range []string{"purchases/" + id + "/", "webhooks/" + hook + "/"} {
		refuses(t, path, s.Call(http.MethodGet, "/api/v1/"+path, "", "Authorization", "Bearer "+key), 404, "__all__ not_found")
	}
	for _, action := range []string{"refund", "capture", "release", "cancel", "mark_as_paid"} {
		refuses(t, action, s.Call(http.MethodPost, "/api/v1/purchases/"+id+"/"+action+"/", "", "Authorization", "Bearer "+key),
			404, "__all__ not_found")
	}
	if got := s.Call(http.MethodGet, "/api/v1/webhooks/", "", "Authorization", "Bearer "+key); got.Raw != `{"results":[],"next":null,"previous":null}` {
		t.Errorf("webhooks: %s", got)
	}
}
