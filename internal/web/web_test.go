package web_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/refundry/refundry/internal/web"
	"github.com/refundry/refundry/internal/wire"
)

// served remembers the status that was measured last.
type served struct{ status int }

func (s *served) Served(_ string, status int, _ time.Duration) { s.status = status }

// What is answered to a handler's bug depends on what it has done before.
func TestBugs(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		handler func(w http.ResponseWriter, r *http.Request)
		want    int // 0: the connection closes
		body    string
	}{
		"before anything": {func(http.ResponseWriter, *http.Request) { panic("bug") }, 500, "internal error\n"},
		"in a door's words": {func(_ http.ResponseWriter, r *http.Request) {
			wire.OnBug(r, func(w http.ResponseWriter) { wire.Answer(w, 500, "application/json", []byte("{}")) })
			panic("bug")
		}, 500, "{}"},
		"after a change":          {func(_ http.ResponseWriter, r *http.Request) { wire.Changed(r.Context()); panic("bug") }, 0, ""},
		"in the midst of answers": {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("[")); panic("bug") }, 0, "["},
		"an unknown fate":         {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, 0, ""},
		"no bug, but a fault after a change": {func(w http.ResponseWriter, r *http.Request) {
			wire.Changed(r.Context())
			w.WriteHeader(http.StatusServiceUnavailable)
		}, 0, ""},
		"no bug, and a no after a change": {func(w http.ResponseWriter, r *http.Request) {
			wire.Changed(r.Context())
			w.WriteHeader(http.StatusConflict)
		}, 409, ""},
	} {
		metrics, released := &served{-1}, false
		handler := web.Wrap(web.Config{
			Handler: http.HandlerFunc(test.handler), NewID: func() string { return "req_1" }, Machine: time.Now,
			Hold: func(ctx context.Context) (context.Context, func()) { return ctx, func() { released = true } },
			Log:  slog.New(slog.DiscardHandler), Metrics: metrics,
		})
		got := httptest.NewRecorder()
		aborted := func() (bug any) {
			defer func() { bug = recover() }()
			handler.ServeHTTP(got, httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", nil))
			return nil
		}()
		err, _ := aborted.(error)
		if isClosed := errors.Is(err, http.ErrAbortHandler); isClosed != (test.want == 0) || metrics.status != test.want || !released ||
			!isClosed && got.Code != test.want || got.Body.String() != test.body {
			t.Errorf("%s: %d %q, closed: %v, measured %d", name, got.Code, got.Body, isClosed, metrics.status)
		}
	}
}
