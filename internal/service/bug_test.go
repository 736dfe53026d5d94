package service_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/refundry/refundry/internal/dialect/dialecttest"
	"github.com/refundry/refundry/internal/service"
)

// buggy panics when it is read: a bug in whatever handler reads it.
type buggy struct{}

func (buggy) Read([]byte) (int, error) { panic("a bug, with a secret in it") }
func (buggy) Close() error             { return nil }

// A handler with a bug is answered as its door answers a fault of ours,
// wherever the door is mounted; the log says it once, the caller nothing of it.
func TestABugIsSaidInTheDoorsWords(t *testing.T) {
	t.Parallel()
	log := &bytes.Buffer{}
	w := dialecttest.Start(t, "", func(c *service.Config) {
		c.Log = slog.New(slog.NewJSONHandler(log, &slog.HandlerOptions{Level: slog.LevelError}))
	})
	glocal := []string{"X-PARTNER-PROJECT", w.File.SmartGlocal.Project, "X-PARTNER-SIGN", "c2lnbmF0dXJl"}
	pike := []string{"X-PARTNER-PROJECT", w.File.Pike.Project, "X-PARTNER-SIGN", "c2lnbmF0dXJl"}
	tenant := []string{"tenant_id", w.File.Ping.TenantID, "x-api-secret", w.File.Ping.Secret}
	bearer := []string{"Authorization", "Bearer " + w.File.CHIP.Key}
	key := []string{"X-API-KEY", w.File.Primer.Key, "X-API-VERSION", "2.4"}
	own := []string{"Authorization", "Bearer " + w.File.API.Key}
	const envelope = `{"status":"error","error":{"code":"internal_error","description":"internal error, retry later"}}`
	const problem = `{"type":"/errors/internal_error","title":"Internal error","status":500,"code":"internal_error","detail":`
	for _, at := range []struct {
		path   string
		header []string
		begins string
	}{
		{"/api/v1/session/refund", glocal, envelope}, {"/api/v2/session/refund", pike, envelope},
		{"/smartglocal/api/v1/session/refund", glocal, envelope}, {"/pike/api/v1/session/refund", pike, envelope},
		{"/payments/api/v1/payment_orders", tenant, `{"errors":[{"description":"Internal error","error":"internal_error"}]}`},
		{"/ping/payments/api/v1/payment_orders", tenant, `{"errors":[{"description":"Internal error","error":"internal_error"}]}`},
		{"/api/v1/purchases/", bearer, `{"__all__":[{"message":"Internal error, retry later.","code":"internal_error"}]}`},
		{"/chip/api/v1/purchases/", bearer, `{"__all__":[{"message":"Internal error, retry later.","code":"internal_error"}]}`},
		{"/payments", key, `{"error":{"errorId":"InternalError","description":"Something went wrong. Nothing was done.",` +
			`"diagnosticsId":"request-1"}}`},
		{"/primer/payments/", key, `{"error":{"errorId":"InternalError",`},
		{"/v1/refunds", own, problem}, {"/sandbox/plans", own, problem[:strings.Index(problem, "title")]},
	} {
		log.Reset()
		request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, at.path, nil)
		request.Body, request.ContentLength = buggy{}, 10
		request.Header.Set("X-Request-Id", "request-1")
		request.Header.Set("Content-Type", "application/json")
		for i := 0; i < len(at.header); i += 2 {
			request.Header[http.CanonicalHeaderKey(at.header[i])] = []string{at.header[i+1]}
		}
		got := httptest.NewRecorder()
		w.Service.Handler().ServeHTTP(got, request)
		text := strings.TrimSpace(got.Body.String())
		if got.Code != http.StatusInternalServerError || !strings.HasPrefix(text, at.begins) || strings.Contains(text, "secret") ||
			!strings.Contains(got.Header().Get("Content-Type"), "json") {
			t.Errorf("%s: %d %s", at.path, got.Code, text)
		}
		if lines := strings.Count(log.String(), `"request_id":"request-1"`); lines != 1 {
			t.Errorf("%s: %d lines: %s", at.path, lines, log)
		}
	}
}

// breaking is a connection on which a handler has a bug when it answers.
type breaking struct {
	*httptest.ResponseRecorder

	calls int
}

func (b *breaking) Header() http.Header {
	if b.calls++; b.calls == 2 { // the first is the frame's
		panic("a bug while it answers")
	}
	return b.ResponseRecorder.Header()
}

// A bug after something was done is no 5xx, which would say that nothing was:
// the connection closes, and the refund is there.
func TestABugAfterACommitClosesTheConnection(t *testing.T) {
	t.Parallel()
	w := dialecttest.Start(t, "", func(c *service.Config) { c.Log = slog.New(slog.DiscardHandler) })
	made := w.API(http.MethodPost, "/v1/payments", `{"amount":1000,"currency":"EUR"}`)
	id := fmt.Sprint(made.At("id"))
	for n, at := range []struct{ path, header, key, body string }{
		{"/v1/refunds", "Authorization", "Bearer " + w.File.API.Key, `{"payment":"` + id + `","amount":100,"currency":"EUR"}`},
		{"/payments/" + fmt.Sprint(made.At("ids.primer")) + "/refund", "X-Api-Key", w.File.Primer.Key, `{"amount":100}`},
	} {
		request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, at.path, io.NopCloser(strings.NewReader(at.body)))
		request.Header.Set(at.header, at.key)
		answer := &breaking{ResponseRecorder: httptest.NewRecorder()}
		aborted := func() (bug any) {
			defer func() { bug = recover() }()
			w.Service.Handler().ServeHTTP(answer, request)
			return nil
		}()
		if err, _ := aborted.(error); !errors.Is(err, http.ErrAbortHandler) {
			t.Errorf("%s: %v, answered %d %s", at.path, aborted, answer.Code, answer.Body)
		}
		refunds := w.API(http.MethodGet, "/v1/refunds?payment="+id, "")
		if got, _ := refunds.At("refunds").([]any); len(got) != n+1 {
			t.Errorf("%s: %s", at.path, refunds)
		}
	}
}
