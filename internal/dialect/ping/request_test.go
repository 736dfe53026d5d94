package ping_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/refundry/refundry/internal/dialect/dialecttest"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/service"
)

const nobody = "00000000-0000-0000-0000-000000000000"

// A caller is known by the tenant's id and its secret; whatever is wrong with
// them sounds the same.
func TestCallersAreKnown(t *testing.T) {
	w := start(t)
	id, secret := w.File.Ping.TenantID, w.File.Ping.Secret
	ask := func(header ...string) dialecttest.Answered {
		return w.Call(http.MethodGet, "/payments/api/v1/tenant", "", header...)
	}
	for what, header := range map[string][]string{
		"nothing":           {},
		"no tenant":         {"x-api-secret", secret},
		"no secret":         {"tenant_id", id},
		"no UUID":           {"tenant_id", "demo", "x-api-secret", secret},
		"an unknown tenant": {"tenant_id", marios, "x-api-secret", secret},
		"a wrong secret":    {"tenant_id", id, "x-api-secret", secret + "x"},
		"another header":    {"tenant-id", id, "x-api-secret", secret},
		"an obsolete key":   {"tenant_id", id, "api_key", secret},
	} {
		says(t, what, ask(header...), 401, "unauthorized", "")
	}
	if got := ask("tenant_id", strings.ToUpper(id), "X-API-Secret", secret); got.Status != 200 || got.At("id") != id {
		t.Errorf("upper case: %s", got)
	}
	says(t, "an unknown call of nobody", w.Call(http.MethodGet, "/payments/api/v1/payouts", ""), 401, "unauthorized", "")

	w.Set("ping.secret_optional", true)
	if got := ask("tenant_id", id); got.Status != 200 {
		t.Errorf("optional: %s", got)
	}
	says(t, "optional, but wrong", ask("tenant_id", id, "x-api-secret", "x"), 401, "unauthorized", "")
	w.Set("ping.secret_optional", false)

	made := w.Operate(http.MethodPost, "/v1/keys", `{"kind":"ping_secret","name":"another"}`)
	if another, ok := made.At("secret").(string); !ok || ask("tenant_id", id, "x-api-secret", another).Status != 200 {
		t.Errorf("an operator's secret: %s", made)
	}
}

// ping answers anybody, and nothing else does.
func TestPing(t *testing.T) {
	w := start(t)
	got := w.Call(http.MethodGet, "/payments/api/v1/ping", "")
	if got.Status != 200 || got.Raw != "pong" || !strings.HasPrefix(got.Header.Get("Content-Type"), "text/plain") {
		t.Errorf("%s %v", got, got.Header)
	}
	got = w.Call(http.MethodGet, "/payments/api/v1/sandbox/pay/"+marios, "")
	if got.Status != 200 || !strings.Contains(got.Raw, "Sandbox") {
		t.Errorf("page: %s", got)
	}
}

// What is not there is 404, whatever its method; an id that is none is 422; and
// nobody is sent anywhere else.
func TestPaths(t *testing.T) {
	w := start(t)
	at := w.paid()
	order, _, _ := strings.Cut(at, "/payments/")
	id := strings.TrimPrefix(order, "payment_orders/")
	for _, test := range []struct {
		method, path string
		status       int
	}{
		{"GET", "", 404}, {"GET", "payouts", 404}, {"GET", "documents", 404}, {"DELETE", order, 404}, {"POST", order, 404},
		{"POST", "tenant", 404}, {"GET", at + "/refund", 404}, {"GET", at + "/refunds", 404}, {"PATCH", at, 404},
		{"GET", "payment_orders/", 404}, {"PUT", "payment_orders/", 404}, {"GET", order + "/payments/", 404},
		{"PUT", "payment_orders//close", 404}, {"PUT", order + "/payments//stop", 404}, {"GET", "merchants/", 404},
		{"GET", "payment_orders//payments/" + marios, 404},
		{"GET", "payment_orders/0", 422}, {"PUT", "payment_orders/0", 422}, {"PUT", "payment_orders/0/close", 422},
		{"PUT", "payment_orders/0/split", 422}, {"PUT", "payment_orders/0/settle", 422}, {"GET", "merchants/0", 422},
		{"GET", "disbursements/0", 422}, {"POST", order + "/payments/0/refund", 422}, {"GET", order + "/payments/0", 422},
		{"GET", "payment_orders/" + nobody, 404}, {"GET", "payment_orders/" + marios, 404}, {"GET", "merchants/" + nobody, 404},
		{"GET", "merchants/" + luigis, 404}, {"GET", "disbursements/" + nobody, 404}, {"GET", "disbursements/" + luigis, 404},
		{"PUT", "payment_orders/" + marios, 404}, {"PUT", "payment_orders/" + marios + "/close", 404},
		{"PUT", "payment_orders/" + marios + "/split", 404}, {"PUT", "payment_orders/" + marios + "/settle", 404},
		{"PUT", order + "/payments/" + nobody + "/stop", 404}, {"GET", w.order() + "/payments/" + at[len(at)-36:], 404},
		{"GET", strings.ToUpper(order[len(order)-36:]), 404}, {"GET", "payment_orders/" + strings.ToUpper(id), 200},
	} {
		if got := w.call(test.method, test.path, ""); got.Status != test.status || got.Header.Get("Location") != "" {
			t.Errorf("%s %s: %s, want %d", test.method, test.path, got, test.status)
		}
	}
	for _, base := range []string{
		"//payments/api/v1/", "/payments//api/v1/", "/payments/api/v1//", "/ping/payments/api/v1/", "/payments/./api/v1/",
	} {
		got := w.Call(http.MethodGet, base+order, "", "tenant_id", w.File.Ping.TenantID, "x-api-secret", w.File.Ping.Secret)
		if got.Status != 200 {
			t.Errorf("%s: %s", base, got)
		}
	}
	for _, path := range []string{"/payments/api/v1", "/payments/api/v1/"} {
		if got := w.Call(http.MethodPost, path, ""); got.Status != 401 || got.Header.Get("Location") != "" {
			t.Errorf("%s: %s", path, got)
		}
	}
}

// Every form of a body is taken that clients send, and no other.
func TestBodies(t *testing.T) {
	w := start(t)
	for _, body := range []string{"", "{}", `{"fast_forward":false}`, `{"fast_forward":null}`, " {\n} "} {
		for _, contentType := range []string{"application/json", "application/json; charset=utf-8", "text/plain", ""} {
			order := w.order()
			if got := w.call(http.MethodPut, order+"/close", body, "Content-Type", contentType); got.Status != 204 || got.Raw != "" {
				t.Errorf("%q as %q: %s", body, contentType, got)
			}
		}
	}
	at := w.dummy(w.order(), "PENDING", 100)
	if got := w.put(at+"/stop", ""); got.Status != 204 {
		t.Errorf("stop: %s", got)
	}
	for body, want := range map[string][2]string{
		"{":                          {"invalid_json", "body"},
		"[]":                         {"invalid_type", "body"},
		"null":                       {"invalid_type", "body"},
		`"{}"`:                       {"invalid_type", "body"},
		`{"a":1,"a":2}`:              {"invalid_json", "body"},
		`{"fast_forward":"true"}`:    {"invalid_type", "fast_forward"},
		strings.Repeat(" ", 263_000): {"out_of_range", "body"},
	} {
		says(t, "close", w.put(w.order()+"/close", body), 422, want[0], want[1])
	}
	got := w.post("payment_orders", `{"currency":"SEK","payment_order_id":"00000000-0000-0000-0000-000000000000","x":[1]}`)
	if got.Status != 200 {
		t.Errorf("unknown members: %s", got)
	}
}

// The version is a date. Only lists depend on it.
func TestVersions(t *testing.T) {
	w := start(t)
	w.paid()
	for version, isPage := range map[string]bool{
		"": false, "2025-03-05": false, "2025-03-06": true, "2025-11-19": true, "2025-12-09": true, "2031-01-01": true,
	} {
		for _, path := range []string{"payments", "payment_orders", "merchants", "allocations"} {
			got := w.call(http.MethodGet, path, "", "x-api-version", version)
			if _, isArray := got.Body.([]any); got.Status != 200 || isArray == isPage {
				t.Errorf("%s with %q: %s", path, version, got)
			}
		}
		if got := w.call(http.MethodGet, "disbursements", "", "x-api-version", version); got.Raw != "[]" {
			t.Errorf("disbursements with %q: %s", version, got)
		}
	}
	for _, bad := range []string{"1", "2025-13-01", "06-03-2025", "2025-03-06T00:00:00Z"} {
		says(t, bad, w.call(http.MethodGet, "tenant", "", "x-api-version", bad), 422, "invalid_value", "x-api-version")
	}
	w.Set("ping.legacy_lists", "page")
	if got := w.get("payments"); got.At("_links.first.href") == nil {
		t.Errorf("page: %s", got)
	}
	w.Set("ping.legacy_lists", "reject")
	says(t, "reject", w.get("payments"), 422, "invalid_value", "x-api-version")
	if got := w.get("disbursements"); got.Status != 200 {
		t.Errorf("no version of disbursements has pages: %s", got)
	}
}

// A limit holds for each secret.
func TestRateLimit(t *testing.T) {
	w := start(t)
	w.Set("ping.rate_limit", int64(1))
	w.get("tenant")
	got := w.get("tenant")
	says(t, "the second call within a second", got, 429, "too_many_requests", "")
	if got.Header.Get("Retry-After") != "1" {
		t.Errorf("Retry-After: %v", got.Header)
	}
}

// Elsewhere than in the sandbox nobody's money is taken, and nothing of what is
// sent is read.
func TestPaymentsAreMadeInTheSandboxOnly(t *testing.T) {
	t.Parallel()
	w := world{dialecttest.Start(t, "", func(config *service.Config) { config.IsSandbox = false })}
	tenant := w.Operate(http.MethodPost, "/v1/tenants", `{"name":"shop"}`)
	made := w.Operate(http.MethodPost, "/v1/keys", `{"kind":"ping_secret","name":"shop"}`)
	secret, ok := made.At("secret").(string)
	if !ok {
		t.Fatalf("%s %s", tenant, made)
	}
	var id payment.TenantID
	if err := id.Parse(tenant.At("id").(string)); err != nil {
		t.Fatal(err)
	}
	w.File.Ping.TenantID, w.File.Ping.Secret = id.UUID(), secret
	order := w.order()
	for method, path := range map[string]string{
		http.MethodPost: order + "/payments", http.MethodPut: order + "/payments/" + marios + "/funding/reconcile",
	} {
		says(t, path, w.call(method, path, `{"card":"4242424242424242`), 403, "sandbox_only", "")
	}
	says(t, "plain HTTP", w.put("tenant", `{"refund_callback_url":"http://merchant.example/"}`), 422, "invalid_value",
		"refund_callback_url")
	if got := w.put("tenant", `{"refund_callback_url":"https://merchant.example/"}`); got.Status != 204 {
		t.Errorf("HTTPS: %s", got)
	}
	if got := w.Call(http.MethodGet, "/payments/api/v1/sandbox/pay/"+marios, ""); got.Status != 401 {
		t.Errorf("no page is shown: %s", got)
	}
}
