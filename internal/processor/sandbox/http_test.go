package sandbox_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/refundry/refundry/internal/fault"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/processor/sandbox"
)

// door is the sandbox behind HTTP, for two tenants.
type door struct {
	t       *testing.T
	url     string
	sandbox *sandbox.Sandbox
	tenant  payment.TenantID
}

func openDoor(t *testing.T) *door {
	t.Helper()
	d := &door{t: t, tenant: newID()}
	d.sandbox = opening(sandbox.Config{Path: filepath.Join(t.TempDir(), "sandbox.db")})(t)
	other := payment.TenantID(newID())
	mux := http.NewServeMux()
	d.sandbox.Register(mux, func(r *http.Request) (payment.TenantID, error) {
		switch r.Header.Get("Authorization") {
		case "Bearer good":
			return d.tenant, nil
		case "Bearer other":
			return other, nil
		case "Bearer down":
			return payment.TenantID{}, fault.New(fault.Unavailable, "the store is away")
		default:
			return payment.TenantID{}, errors.New("who is that?")
		}
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	d.url = server.URL
	return d
}

// call sends a request and returns status, content type and answer.
func (d *door) call(method, path, key, body string) (int, string, map[string]any) {
	d.t.Helper()
	request, err := http.NewRequestWithContext(d.t.Context(), method, d.url+path, strings.NewReader(body))
	if err != nil {
		d.t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+key)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		d.t.Fatal(err)
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		d.t.Fatal(err)
	}
	var answer map[string]any
	if err := json.Unmarshal(content, &answer); err != nil {
		d.t.Fatalf("%v: %s", err, content)
	}
	return response.StatusCode, response.Header.Get("Content-Type"), answer
}

// A plan is answered as it was asked for, and followed, in every spelling of
// a payment's id.
func TestPostPlan(t *testing.T) {
	t.Parallel()
	d := openDoor(t)
	for _, spell := range []func(payment.PaymentID) string{
		payment.PaymentID.String, payment.PaymentID.UUID,
		func(id payment.PaymentID) string { return "ps_" + id.Decimal() },
		func(id payment.PaymentID) string { return "pm_" + id.Decimal() },
	} {
		request := ask(d.tenant, 100, "")
		id := spell(request.Payment.ID)
		status, kind, answer := d.call(http.MethodPost, "/sandbox/plans", "good",
			`{"match": {"payment": "`+id+`"}, "outcomes": ["DECLINED", "SUCCEEDED"]}`)
		if status != http.StatusCreated || kind != "application/json" {
			t.Fatalf("%d %s %v", status, kind, answer)
		}
		match, _ := answer["match"].(map[string]any)
		name, _ := answer["id"].(string)
		if match["payment"] != id || !strings.HasPrefix(name, "pln_") || len(answer["outcomes"].([]any)) != 2 {
			t.Errorf("%v", answer)
		}
		if got := send(t, d.sandbox, request); got != payment.AttemptDeclined {
			t.Errorf("%s: it is %s", id, got)
		}
	}
}

// The clock is moved for, and to, and says what time it is.
func TestPostClock(t *testing.T) {
	t.Parallel()
	d := openDoor(t)
	for _, row := range []struct{ method, body, now string }{
		{http.MethodGet, "", "2026-03-01T12:00:00.000000Z"},
		{http.MethodPost, `{"advance":"72h"}`, "2026-03-04T12:00:00.000000Z"},
		{http.MethodPost, `{"advance":"0s"}`, "2026-03-04T12:00:00.000000Z"},
		{http.MethodPost, `{"to":"2026-03-05T02:00:00.5+02:00"}`, "2026-03-05T00:00:00.500000Z"},
		{http.MethodGet, "", "2026-03-05T00:00:00.500000Z"},
	} {
		status, _, answer := d.call(row.method, "/sandbox/clock", "good", row.body)
		if status != http.StatusOK || answer["now"] != row.now || len(answer) != 1 {
			t.Errorf("%s: %d %v", row.body, status, answer)
		}
	}
}

// Movements are counted for one refund, in every spelling, and for all of a
// tenant; another tenant sees none.
func TestGetMovements(t *testing.T) {
	t.Parallel()
	d := openDoor(t)
	one, none := ask(d.tenant, 100, ""), ask(d.tenant, 9001, "")
	send(t, d.sandbox, one)
	send(t, d.sandbox, none)
	for query, want := range map[string]int{
		"":                                      2,
		"?refund=" + one.Refund.ID.String():     1,
		"?refund=" + one.Refund.ID.UUID():       1,
		"?refund=rf_" + one.Refund.ID.Decimal(): 1,
		"?refund=" + payment.RefundID(newID()).String(): 0,
	} {
		status, _, answer := d.call(http.MethodGet, "/sandbox/movements"+query, "good", "")
		list, ok := answer["movements"].([]any)
		if status != http.StatusOK || !ok || len(list) != want {
			t.Fatalf("%s: %d %v", query, status, answer)
		}
		if want != 1 {
			continue
		}
		first := list[0].(map[string]any)
		if first["refund"] != one.Refund.ID.String() || first["attempt"] != one.Attempt.String() ||
			first["outcome"] != "SUCCEEDED" || first["count"] != 1.0 {
			t.Errorf("%v", first)
		}
	}
	if _, _, answer := d.call(http.MethodGet, "/sandbox/movements", "other", ""); len(answer["movements"].([]any)) != 0 {
		t.Errorf("another tenant sees %v", answer)
	}
}

// Whatever is wrong is refused as a problem that says where, and never repeats
// what was sent.
func TestBadInput(t *testing.T) {
	t.Parallel()
	d := openDoor(t)
	const plans, clock = "/sandbox/plans", "/sandbox/clock"
	outcomes := `"outcomes":["SUCCEEDED"]`
	for _, row := range []struct {
		path, body string
		status     int
		code       string
		pointer    string
	}{
		{plans, ``, 400, "invalid_json", ""},
		{plans, `{"match":`, 400, "invalid_json", ""},
		{plans, `{"match":{"amount":1},"match":{"amount":2},` + outcomes + `}`, 400, "invalid_json", ""},
		{plans, "{\"match\":{\"reference\":\"\\u0000\"}," + outcomes + "}", 400, "invalid_json", ""},
		{plans, strings.Repeat(" ", 70<<10), 413, "body_too_large", ""},
		{plans, `[]`, 422, "invalid_request", "#"},
		{plans, `{}`, 422, "invalid_request", "#/match"},
		{plans, `{"match":{"amount":1},` + outcomes + `,"secret":1}`, 422, "invalid_request", "#"},
		{plans, `{"match":{},` + outcomes + `}`, 422, "invalid_request", "#/match"},
		{plans, `{"match":{"amount":1,"reference":"a"},` + outcomes + `}`, 422, "invalid_request", "#/match"},
		{plans, `{"match":{"secret":"a"},` + outcomes + `}`, 422, "invalid_request", "#/match"},
		{plans, `{"match":{"payment":"secret"},` + outcomes + `}`, 422, "invalid_request", "#/match/payment"},
		{plans, `{"match":{"payment":7},` + outcomes + `}`, 422, "invalid_request", "#/match/payment"},
		{plans, `{"match":{"reference":""},` + outcomes + `}`, 422, "invalid_request", "#/match/reference"},
		{plans, `{"match":{"reference":"` + strings.Repeat("a", 256) + `"},` + outcomes + `}`, 422, "invalid_request", "#/match/reference"},
		{plans, `{"match":{"reference":"4111 1111 1111 1111"},` + outcomes + `}`, 422, "card_number_refused", ""},
		{plans, `{"match":{"amount":0},` + outcomes + `}`, 422, "invalid_request", "#/match/amount"},
		{plans, `{"match":{"amount":-1},` + outcomes + `}`, 422, "invalid_request", "#/match/amount"},
		{plans, `{"match":{"amount":1.5},` + outcomes + `}`, 422, "invalid_request", "#/match/amount"},
		{plans, `{"match":{"amount":"1"},` + outcomes + `}`, 422, "invalid_request", "#/match/amount"},
		{plans, `{"match":{"amount":99999999999999999999},` + outcomes + `}`, 422, "invalid_request", "#/match/amount"},
		{plans, `{"match":{"amount":1}}`, 422, "invalid_request", "#/outcomes"},
		{plans, `{"match":{"amount":1},"outcomes":[]}`, 422, "invalid_request", "#/outcomes"},
		{plans, `{"match":{"amount":1},"outcomes":"SUCCEEDED"}`, 422, "invalid_request", "#/outcomes"},
		{plans, `{"match":{"amount":1},"outcomes":["SUCCEEDED","secret"]}`, 422, "invalid_request", "#/outcomes/1"},
		{plans, `{"match":{"amount":1},"outcomes":[9001]}`, 422, "invalid_request", "#/outcomes/0"},
		{clock, `{}`, 422, "invalid_request", "#"},
		{clock, `{"advance":"1h","to":"2030-01-01T00:00:00Z"}`, 422, "invalid_request", "#"},
		{clock, `{"advance":"1h","secret":1}`, 422, "invalid_request", "#"},
		{clock, `{"advance":"secret"}`, 422, "invalid_request", "#/advance"},
		{clock, `{"advance":72}`, 422, "invalid_request", "#"},
		{clock, `{"advance":"-1h"}`, 422, "invalid_request", ""},
		{clock, `{"advance":"2000000h"}`, 422, "invalid_request", ""},
		{clock, `{"to":"tomorrow, secret"}`, 422, "invalid_request", "#/to"},
		{clock, `{"to":"2020-01-01T00:00:00Z"}`, 422, "invalid_request", ""},
		{clock, `{"to":"9999-01-01T00:00:00Z"}`, 422, "invalid_request", ""},
	} {
		status, kind, answer := d.call(http.MethodPost, row.path, "good", row.body)
		if status != row.status || kind != "application/problem+json" || answer["code"] != row.code {
			t.Errorf("%.60s: %d %s %v", row.body, status, kind, answer)
		}
		errs, _ := answer["errors"].([]any)
		pointer := ""
		if len(errs) == 1 {
			pointer, _ = errs[0].(map[string]any)["pointer"].(string)
		}
		if pointer != row.pointer {
			t.Errorf("%.60s: points at %q, want %q", row.body, pointer, row.pointer)
		}
		if text, _ := json.Marshal(answer); strings.Contains(string(text), "secret") || strings.Contains(string(text), "4111") {
			t.Errorf("%.60s: repeated in %s", row.body, text)
		}
	}
	if _, _, answer := d.call(http.MethodGet, clock, "good", ""); answer["now"] != "2026-03-01T12:00:00.000000Z" {
		t.Errorf("the clock moved: %v", answer)
	}
	for key, want := range map[string]int{"bad": 401, "": 401, "down": 503} {
		for _, route := range []string{plans, clock} {
			if status, kind, answer := d.call(http.MethodPost, route, key, `{}`); status != want || kind != "application/problem+json" {
				t.Errorf("key %q: %d %v", key, status, answer)
			}
		}
	}
	if status, _, answer := d.call(http.MethodGet, "/sandbox/movements?refund=secret", "good", ""); status != 422 {
		t.Errorf("%d %v", status, answer)
	}
}
