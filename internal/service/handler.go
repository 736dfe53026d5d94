package service

import (
	"context"
	"net/http"
	"time"

	"github.com/refundry/refundry/internal/api"
	"github.com/refundry/refundry/internal/auth"
	"github.com/refundry/refundry/internal/id"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/web"
)

// requestKind names HTTP requests in logs.
type requestKind struct{}

// Prefix implements [id.Kind].
func (requestKind) Prefix() string { return "req" }

// handlers returns what answers callers, and what answers operators.
func (s *Service) handlers() (callers, operators http.Handler) {
	mux := http.NewServeMux()
	s.api.Register(mux)
	s.dialects.register(mux)
	if s.sandbox != nil {
		s.sandbox.Register(mux, s.authenticate)
	}
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("This is Refundry. Its API is explained at /docs, its errors at /errors.\n"))
	})
	for _, page := range []string{"/docs", "/errors"} { // read by people, with nothing that a redirect loses
		mux.Handle("GET "+page+"/{$}", http.RedirectHandler(page, http.StatusFound))
	}
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok\n")) })
	mux.HandleFunc("GET /readyz", s.ready)
	mux.Handle("GET /metrics", s.metrics.handler())
	framed := web.Wrap(web.Config{
		Handler: mux, Hold: s.runner.Hold, Machine: s.config.Machine, Log: s.config.Log, Metrics: s.metrics,
		Trusted: s.config.Proxies,
		NewID:   func() string { return id.ID[requestKind](s.config.NewID()).String() },
	})
	operator := auth.Identity{Actor: "operator:local", IsOperator: true}
	return framed, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		framed.ServeHTTP(w, r.WithContext(api.WithIdentity(r.Context(), operator)))
	})
}

// authenticate knows the caller of the sandbox's own routes.
func (s *Service) authenticate(r *http.Request) (payment.TenantID, error) {
	identity, err := s.api.Authenticate(r)
	return identity.Tenant, err
}

// readyTimeout bounds the question whether the store answers.
const readyTimeout = 2 * time.Second

// ready says whether requests should come here: the store answers.
func (s *Service) ready(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), readyTimeout)
	defer cancel()
	if _, err := s.store.Committed(ctx, [16]byte{}); err != nil {
		s.config.Log.WarnContext(ctx, "not ready", "error", err)
		http.Error(w, "the store does not answer", http.StatusServiceUnavailable)
		return
	}
	_, _ = w.Write([]byte("ready\n"))
}

// countPause is between two counts of waiting jobs.
const countPause = 10 * time.Second

// count measures how many jobs wait, until ctx ends.
func (s *Service) count(ctx context.Context) {
	ticker := time.NewTicker(countPause)
	defer ticker.Stop()
	for {
		waiting, buried, err := s.store.Count(ctx)
		if err == nil {
			for _, kind := range payment.TaskKinds {
				s.metrics.waiting.WithLabelValues(string(kind)).Set(float64(waiting[kind]))
			}
			s.metrics.buried.Set(float64(buried))
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}
