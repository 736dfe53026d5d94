package service_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/refundry/refundry/internal/payment"
)

// Nothing is ever redirected, however the path of a root is written, and
// whoever calls: a redirected POST loses its body.
func TestNothingIsRedirected(t *testing.T) {
	t.Parallel()
	w := start(t, "")
	roots := []string{
		"", "/p", "/v1", "/api", "/api/v1", "/api/v2", "/payments", "/payments/api", "/payments/api/v1", "/client-session",
		"/payment-instruments", "/sandbox", "/sandbox/payer", "/v1/payments", "/payments/x/refund", "/api/v1/purchases",
		"/openapi.json", "/healthz", "/readyz", "/metrics",
	}
	for _, name := range []string{"smartglocal", "pike", "ping", "chip", "primer"} {
		for _, root := range []string{"", "/p", "/api/v1", "/api/v2", "/payments", "/payments/api/v1", "/v1"} {
			roots = append(roots, "/"+name+root)
		}
	}
	for _, root := range roots {
		before, last := root[:strings.LastIndex("/"+root, "/")], root[strings.LastIndex("/"+root, "/"):]
		for _, path := range []string{
			root, root + "/", "/" + root, root + "//", "/." + root, "/%2e" + root, root + "/.", root + "/./", "/payments/.." + root,
			"/payments/%2E%2e" + root, root + "/x/..", root + "/%2f", before + "/x/../" + last, root + "?a=b",
		} {
			for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete} {
				request := httptest.NewRequestWithContext(t.Context(), method, "http://127.0.0.1"+path, strings.NewReader("{}"))
				for _, handler := range []http.Handler{w.Service.Handler(), w.Service.OperatorHandler()} {
					got := httptest.NewRecorder()
					if handler.ServeHTTP(got, request); got.Code/100 == 3 || got.Code >= 500 {
						t.Errorf("%s %s: %d to %s", method, path, got.Code, got.Header().Get("Location"))
					}
				}
			}
		}
	}
}

// A root is answered alike with and without its slash.
func TestRootsHaveAnOwner(t *testing.T) {
	t.Parallel()
	w := start(t, "")
	for _, root := range []string{"/p", "/v1", "/api/v1", "/api/v2", "/payments/api/v1", "/client-session", "/chip", "/primer/payments"} {
		without, with := w.Call(http.MethodPost, root, "{}"), w.Call(http.MethodPost, root+"/", "{}")
		if without.Status != with.Status || without.Status < 400 || len(without.Raw) != len(with.Raw) {
			t.Errorf("%s: %s, with a slash: %s", root, without, with)
		}
	}
}

// An escaped slash is part of a name, and separates nothing at any door.
func TestEscapedSlashesSeparateNothing(t *testing.T) {
	t.Parallel()
	w := start(t, "")
	key := []string{"X-Api-Key", w.File.Primer.Key, "X-Api-Version", "2.4"}
	for _, path := range []string{"/payments/%2f", "/payments/%2F", "/primer/payments/%2f", "/payments/%2f/"} {
		got := w.Call(http.MethodGet, path, "", key...)
		if got.Status != http.StatusNotFound && got.Status != http.StatusBadRequest || got.At("error.errorId") == nil {
			t.Errorf("%s: %s", path, got)
		}
	}
	_, paid := w.api(http.MethodPost, "/v1/payments", object{"amount": 5900, "currency": "MYR"})
	id, _ := paid["id"].(string)
	uuid := uuidOf(t, id)
	bearer := []string{"Authorization", "Bearer " + w.File.CHIP.Key}
	for _, path := range []string{
		"/api/v1/purchases/" + uuid + "%2Frefund/", "/api/v1/purchases/" + uuid + "%2frefund", "/api/v1/purchases%2F" + uuid + "/refund/",
		"/chip/api/v1/purchases/" + uuid + "%2Frefund/", "/chip/api/v1%2Fpurchases/" + uuid + "/refund/",
	} {
		if got := w.Call(http.MethodPost, path, "{}", bearer...); got.Status != http.StatusNotFound && got.Status != http.StatusMethodNotAllowed {
			t.Errorf("%s: %s", path, got)
		}
	}
	for _, path := range []string{"/payments/" + uuid + "%2Frefund", "/payments/" + uuid + "/refund/%2F", "/payments%2F" + uuid + "/refund"} {
		if got := w.Call(http.MethodPost, path, "{}", key...); got.Status != http.StatusNotFound {
			t.Errorf("%s: %s", path, got)
		}
	}
	if got := w.Call(http.MethodPost, "/v1%2Frefunds", `{"payment":"`+id+`"}`, "Authorization", "Bearer "+w.File.API.Key); got.Status != 404 {
		t.Errorf("the own API: %s", got)
	}
	body := `{"session_id":"ps_` + decimalOf(t, id) + `"}`
	if status, answer := w.signed("smartglocal", "session%2Frefund", body); status != http.StatusNotFound {
		t.Errorf("smartglocal: %d %v", status, answer)
	}
	if _, now := w.api(http.MethodGet, "/v1/payments/"+id, nil); at(now, "refunds.0") != nil {
		t.Errorf("something was refunded: %v", now)
	}
	if status, _ := w.api(http.MethodGet, "/v1/payments/"+strings.ReplaceAll(id, "pay_", "%70ay_"), nil); status != http.StatusOK {
		t.Errorf("what else is escaped is read: %d", status)
	}
}

// uuidOf spells a payment's id as CHIP does.
func uuidOf(t *testing.T, id string) string {
	t.Helper()
	var of payment.PaymentID
	if err := of.Parse(id); err != nil {
		t.Fatal(err)
	}
	return of.UUID()
}
