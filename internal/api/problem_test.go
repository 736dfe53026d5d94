package api_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/refundry/refundry/internal/api"
	"github.com/refundry/refundry/internal/engine"
	"github.com/refundry/refundry/internal/fault"
	"github.com/refundry/refundry/internal/payment"
)

// statuses says which statuses each kind of no may have.
var statuses = map[fault.Code][]int{
	fault.Invalid:     {422},
	fault.NotFound:    {404},
	fault.Conflict:    {409},
	fault.Forbidden:   {403},
	fault.Unavailable: {503},
	fault.Internal:    {500},
}

func TestEveryNoHasACode(t *testing.T) {
	t.Parallel()
	for _, rule := range payment.RuleNames() {
		code, status, described := api.CodeOfRule(rule)
		if want := statuses[(&payment.Refusal{Rule: rule}).FaultCode()]; !described || status != want[0] {
			t.Errorf("rule %s: code %q with %d, want a described one with %v", rule, code, status, want)
		}
	}
	for _, kind := range fault.Codes {
		if code, status, described := api.CodeOfFault(kind); !described || status != statuses[kind][0] {
			t.Errorf("fault %s: code %q with %d, want a described one with %v", kind, code, status, statuses[kind])
		}
	}
}

func TestEveryCodeHasAPage(t *testing.T) {
	t.Parallel()
	w := setup(t)
	for _, code := range api.Codes() {
		page := send(t, w.server, "GET", "/errors/"+code, "").want(t, 200)
		if !strings.HasPrefix(page.text, code+"\n") || !strings.Contains(page.text, `"code": "`+code+`"`) {
			t.Errorf("the page of %s begins otherwise, or has no example: %s", code, page.text)
		}
		forPeople := send(t, w.server, "GET", "/errors/"+code, "", "Accept: text/html,*/*").want(t, 200)
		if !strings.Contains(forPeople.text, "<code>"+code+"</code>") || forPeople.header.Get("Content-Security-Policy") == "" {
			t.Errorf("the page of %s for people: %s", code, forPeople.text)
		}
		if !strings.Contains(send(t, w.server, "GET", "/errors", "").text, code) ||
			!strings.Contains(send(t, w.server, "GET", "/errors", "", "Accept: text/html").text, `href="/errors/`+code+`"`) {
			t.Errorf("%s is in no list", code)
		}
	}
	send(t, w.server, "GET", "/errors/nonsense", "").wantCode(t, 404, "not_found")
	if got := send(t, w.server, "POST", "/errors/not_found", "").wantCode(t, 405, "method_not_allowed"); got.header.Get("Allow") != "GET" {
		t.Errorf("Allow: %s, want GET", got.header.Get("Allow"))
	}
}

func TestCallersAreKnown(t *testing.T) {
	t.Parallel()
	w := setup(t)
	for name, header := range map[string]string{
		"none": "X-Other: x", "empty": "Authorization: ", "no key": "Authorization: Bearer",
		"other scheme": "Authorization: Basic abc", "unknown": "Authorization: Bearer rfk_unknown",
		"not ours": "Authorization: Bearer 4242",
	} {
		got := send(t, w.server, "GET", "/v1/events", "", header).wantCode(t, 401, "unauthorized")
		if got.header.Get("WWW-Authenticate") != "Bearer" {
			t.Errorf("%s: no WWW-Authenticate", name)
		}
	}
	for _, path := range []string{"/v1/tenants", "/v1/keys", "/v1/settings"} {
		w.call(t, "GET", path, "").wantCode(t, 403, "forbidden")
	}
}

func TestUnknownRoutesAreProblems(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.call(t, "GET", "/v1/nothing", "").wantCode(t, 404, "not_found")
	if got := w.call(t, "DELETE", "/v1/refunds", "").wantCode(t, 405, "method_not_allowed"); got.header.Get("Allow") != "POST, GET" {
		t.Errorf("Allow: %s, want POST, GET", got.header.Get("Allow"))
	}
	w.call(t, "PUT", "/v1/payments/pay_1", "").wantCode(t, 405, "method_not_allowed")
}

// failing is an engine that fails.
type failing struct{ err error }

func (f failing) Do(context.Context, payment.Command, ...payment.TaskRef) (payment.Answer, error) {
	return payment.Answer{}, f.err
}

// failingServer is the API before an engine that fails.
func failingServer(t *testing.T, w *world, err error) *httptest.Server {
	t.Helper()
	mux := http.NewServeMux()
	api.New(api.Config{
		Engine: failing{err}, Auth: w.auth, Now: w.now, Log: slog.New(slog.NewJSONHandler(w.log, nil)),
	}).Register(mux)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server
}

func TestFailuresSayNothingButTheirCode(t *testing.T) {
	t.Parallel()
	w := setup(t)
	key := "Authorization: Bearer " + w.key
	body := `{"amount": 1, "currency": "EUR"}`
	bug := failingServer(t, w, errors.New("the secret of the bug"))
	got := send(t, bug, "POST", "/v1/payments", body, key).wantCode(t, 500, "internal_error")
	if strings.Contains(got.text, "secret") || !strings.Contains(w.log.String(), "the secret of the bug") {
		t.Errorf("the cause is for the log: %s", got.text)
	}
	busy := failingServer(t, w, fault.New(fault.Unavailable, "too busy; nothing was done"))
	if got := send(t, busy, "POST", "/v1/payments", body, key).wantCode(t, 503, "unavailable"); got.body["retryable"] != true {
		t.Errorf("not retryable: %s", got.text)
	}
}

// Whoever reads a 5xx knows that nothing was done. What may have been done
// gets no answer.
func TestUnknownFateGetsNoAnswer(t *testing.T) {
	t.Parallel()
	w := setup(t)
	server := failingServer(t, w, engine.ErrFateUnknown)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+"/v1/payments",
		strings.NewReader(`{"amount": 1, "currency": "EUR"}`))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+w.key)
	if got, err := server.Client().Do(r); err == nil {
		_ = got.Body.Close()
		t.Errorf("got %d, want no answer", got.StatusCode)
	}
}
