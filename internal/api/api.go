// Package api is our own HTTP API: what merchants call with a key, and what
// the operator's command line calls through its socket.
//
// A handler reads, calls the engine or a reader, and writes. What can go wrong
// is one table in problem.go; each code has a page of its own. Answers are
// written by hand, in the functions that begin with "show".
package api

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/refundry/refundry/internal/auth"
	"github.com/refundry/refundry/internal/engine"
	"github.com/refundry/refundry/internal/id"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/webhook"
	"github.com/refundry/refundry/internal/wire"
)

// Engine is the road for changes.
type Engine interface {
	Do(ctx context.Context, command payment.Command, finish ...payment.TaskRef) (payment.Answer, error)
}

// ImportDocument reads what a door must know about a payment that was made
// elsewhere, from a line of an import: its document, and the ids that the
// payment has there.
type ImportDocument func(line wire.Value) (document []byte, aliases []payment.Alias, err error)

// Config is what the API is made of.
type Config struct {
	Engine     Engine
	Reader     payment.Reader
	Feed       payment.Feed
	Auth       *auth.Auth
	Deliveries webhook.Store

	Doors       []payment.Door // that webhook endpoints can be of, besides our own
	Import      map[payment.Door]ImportDocument
	AliasKinds  []string // by which an operator may spell a payment's id
	Credentials map[auth.Kind]MakeCredential
	Reports     map[string]Report // by name

	Now       func() time.Time // domain time
	NewID     id.Source
	IsSandbox bool
	Connector string // of payments that are made here
	BodyMax   int64  // bytes; 0: the default
	Log       *slog.Logger
}

// bodyMaxDefault is how large a body may be: a payment with a few hundred line
// items fits.
const bodyMaxDefault = 256 << 10

// API is our own HTTP API. Make one with [New].
type API struct {
	config Config
	routes []route
}

// New returns the API.
func New(config Config) *API {
	if config.BodyMax == 0 {
		config.BodyMax = bodyMaxDefault
	}
	a := &API{config: config}
	a.routes = slices.Concat(a.merchantRoutes(), a.operatorRoutes())
	return a
}

// route is one pattern of the mux and what answers there.
type route struct {
	pattern string
	serve   func(w http.ResponseWriter, r *http.Request, caller auth.Identity) error
	access  access
}

// access says who may call a route.
type access int

const (
	forMerchants access = iota // with a key; an operator names the tenant
	forOperators               // an operator, for one tenant
	forAll                     // an operator, for all tenants
)

func (a *API) merchantRoutes() []route {
	return []route{
		{"POST /v1/payments", a.createPayment, forMerchants},
		{"GET /v1/payments/{id}", a.getPayment, forMerchants},
		{"POST /v1/refunds", a.createRefund, forMerchants},
		{"GET /v1/refunds/{id}", a.getRefund, forMerchants},
		{"POST /v1/refunds/{id}/cancel", a.cancelRefund, forMerchants},
		{"POST /v1/refunds/{id}/approve", a.approveRefund, forMerchants},
		{"GET /v1/events", a.listEvents, forMerchants},
	}
}

// Register adds the API's routes to a mux.
func (a *API) Register(mux *http.ServeMux) {
	for _, route := range a.routes {
		mux.HandleFunc(route.pattern, a.answer(route))
	}
	mux.HandleFunc("/v1/", a.noRoute)
	mux.HandleFunc("GET /errors/{code}", showErrorPage)
}

// answer lets a route's callers in and answers what went wrong.
func (a *API) answer(route route) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		caller, err := a.admit(r, route.access)
		if err == nil {
			err = route.serve(w, r, caller)
		}
		if err != nil {
			a.fail(w, r, err)
		}
	}
}

// fail answers with a problem. An unknown fate gets no answer at all: the
// connection closes, so that a 5xx always means that nothing was done.
func (a *API) fail(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, engine.ErrFateUnknown) {
		panic(http.ErrAbortHandler)
	}
	p := problemOf(err)
	if status := p.facts().status; status >= http.StatusInternalServerError {
		level := slog.LevelError // a bug of ours
		if status == http.StatusServiceUnavailable {
			level = slog.LevelWarn
		}
		a.config.Log.Log(r.Context(), level, "request failed", "error", err, "code", p.code,
			"request_id", wire.RequestID(r.Context()))
	}
	p.write(w)
}

// noRoute answers what no route answers: a wrong method, or nothing at all.
func (a *API) noRoute(w http.ResponseWriter, r *http.Request) {
	var allowed []string
	for _, route := range a.routes {
		method, path, _ := strings.Cut(route.pattern, " ")
		if matches(path, r.URL.Path) && !slices.Contains(allowed, method) {
			allowed = append(allowed, method)
		}
	}
	if len(allowed) == 0 {
		a.fail(w, r, &problem{code: codeNotFound, detail: "there is nothing at this path"})
		return
	}
	w.Header().Set("Allow", strings.Join(allowed, ", "))
	a.fail(w, r, &problem{code: codeMethod, detail: "this path takes " + strings.Join(allowed, ", ")})
}

// matches reports whether a path fits a pattern of segments.
func matches(pattern, path string) bool {
	wanted, given := strings.Split(pattern, "/"), strings.Split(path, "/")
	return slices.EqualFunc(wanted, given, func(want, give string) bool {
		return want == give || strings.HasPrefix(want, "{") && give != ""
	})
}

// meta returns what a caller's command carries.
func meta(r *http.Request, caller auth.Identity) payment.Meta {
	return payment.Meta{
		Tenant: caller.Tenant, Actor: caller.Actor, Door: payment.DoorAPI, Request: wire.RequestID(r.Context()),
	}
}

// do runs a command that carries a key, and says whether the key was used
// before: then the answer is read again, as of the version it was given at.
func (a *API) do(ctx context.Context, command payment.Command) (answer payment.Answer, replayed bool, err error) {
	answer, err = a.config.Engine.Do(ctx, command)
	if err != nil || answer.Replayed == nil {
		return answer, false, err
	}
	record := answer.Replayed
	view, err := a.config.Reader.View(ctx, record.Tenant, record.Payment)
	if err != nil {
		return payment.Answer{}, false, err
	}
	answer.View = view.AsOf(record.Version)
	answer.Refund, _ = answer.View.Refund(record.Subject)
	answer.Dispute, _ = answer.View.Dispute(record.Subject)
	return answer, true, nil
}

// write answers with JSON.
func write(w http.ResponseWriter, status int, replayed bool, body []byte) {
	if replayed {
		w.Header().Set("Idempotent-Replayed", "true")
	}
	wire.Answer(w, status, "application/json", body)
}
