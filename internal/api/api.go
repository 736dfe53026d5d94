// Package api is our own HTTP API: what merchants call with a key, and what
// the operator's command line calls through its socket.
//
// What can be asked for is one table of operations, see operation.go: the mux,
// the OpenAPI document and its tests all come from it. A handler reads, calls
// the engine or a reader, and writes. What can go wrong is one table too, in
// code.go; each code has a page of its own. Bodies are read and answers are
// written by hand, in the functions that begin with "decode" and "show"; their
// schemas stand beside them.
package api

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/refundry/refundry/internal/audit"
	"github.com/refundry/refundry/internal/auth"
	"github.com/refundry/refundry/internal/batch"
	"github.com/refundry/refundry/internal/engine"
	"github.com/refundry/refundry/internal/id"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/report"
	"github.com/refundry/refundry/internal/setting"
	"github.com/refundry/refundry/internal/webhook"
	"github.com/refundry/refundry/internal/wire"
)

// Engine is the road for changes.
type Engine interface {
	Do(ctx context.Context, command payment.Command, finish ...payment.TaskRef) (payment.Answer, error)
}

// Persons returns what a door keeps about the payer of a payment beside it.
type Persons func(view payment.View) []payment.ResourceRef

// Rest returns what of a door's documents about a payment is not personal, and
// stays when the payment is erased.
type Rest func(view payment.View) []payment.Facet

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
	Books      payment.Books // the ledger; nil: the reader's own
	Lists      payment.Lists // nil: the reader's own
	Rows       report.Reader // what reports are made of; nil: the reader's own
	Deliveries webhook.Store
	Audit      audit.Store
	Batches    *batch.Clerk
	Replay     Replay

	Doors       []payment.Door // that webhook endpoints can be of, besides our own
	Import      map[payment.Door]ImportDocument
	Persons     map[payment.Door]Persons // of doors that keep something about a payer beside payments
	Rest        []Rest                   // of all doors
	AliasKinds  []string                 // by which an operator may spell a payment's id
	OrderKinds  []string                 // of aliases that the imported payments of one order share
	Credentials map[auth.Kind]MakeCredential
	// SignatureKinds are those of them by which what we send is signed: no caller has one.
	SignatureKinds []auth.Kind
	Reports        map[string]Report // of providers, by name

	Now         func() time.Time // domain time
	NewID       id.Source
	Random      io.Reader // where secrets come from; nil: crypto/rand
	IsSandbox   bool
	Connector   string        // of payments that are made here
	Connectors  []string      // that there are; nil: that one
	BodyMax     int64         // bytes; 0: the default
	StreamPause time.Duration // between two looks for events of a stream; 0: the default
	Log         *slog.Logger

	Reaches func(url string) bool // whether webhooks can go to a URL; nil: to all

	BodyNotes      map[payment.Door]func(word string) string      // of doors whose attempts say something anew
	EndpointDetail map[payment.Door]EndpointDetail                // of doors whose endpoints have something of their own
	ReasonWords    map[payment.Door]func(setting.Values) []string // of doors whose refunds have a reason of a list
	DoorSecrets    map[payment.Door]DoorSecret                    // of doors that sign with a secret of the tenant
}

// bodyMaxDefault is how large a body may be: a payment with a few hundred line
// items fits.
const bodyMaxDefault = 256 << 10

// API is our own HTTP API. Make one with [New].
type API struct {
	config   Config
	table    []operation
	document func() []byte // made when it is first asked for
	streams  streams
}

// New returns the API.
func New(config Config) *API {
	if config.BodyMax == 0 {
		config.BodyMax = bodyMaxDefault
	}
	if config.Books == nil {
		config.Books, _ = config.Reader.(payment.Books)
	}
	if config.Lists == nil {
		config.Lists, _ = config.Reader.(payment.Lists)
	}
	if config.Rows == nil {
		config.Rows, _ = config.Reader.(report.Reader)
	}
	if config.Connectors == nil {
		config.Connectors = []string{config.Connector}
	}
	if config.Random == nil {
		config.Random = rand.Reader
	}
	if config.Reaches == nil {
		config.Reaches = func(string) bool { return true }
	}
	if config.StreamPause == 0 {
		config.StreamPause = streamPauseDefault
	}
	a := &API{config: config}
	a.table = a.operations()
	a.document = sync.OnceValue(a.describe)
	return a
}

// fail answers with a problem. An unknown fate gets no answer at all: the
// connection closes, so that a 5xx always means that nothing was done.
func (a *API) fail(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, engine.ErrFateUnknown) {
		panic(http.ErrAbortHandler)
	}
	p := problemOf(err)
	if status := p.facts().status; status >= http.StatusInternalServerError && !errors.Is(err, wire.ErrBug) {
		level := slog.LevelError // a bug of ours
		if status == http.StatusServiceUnavailable {
			level = slog.LevelWarn
		}
		a.config.Log.Log(r.Context(), level, "request failed", "error", err, "code", p.code,
			"request_id", wire.RequestID(r.Context()))
	}
	p.write(w)
}

// meta returns what a caller's command carries.
func meta(r *http.Request, caller auth.Identity) payment.Meta {
	user, _ := userOf(r) // an operation that takes it has refused a wrong one
	return payment.Meta{
		Tenant: caller.Tenant, Actor: caller.Actor, User: user, Door: payment.DoorAPI, Request: wire.RequestID(r.Context()),
		Address: wire.Address(r.Context()),
	}
}

// do runs a command that carries a key, and says whether the key was used
// before: then the answer is read again, as of the version it was given at.
func (a *API) do(ctx context.Context, command payment.Command) (answer payment.Answer, replayed bool, err error) {
	answer, err = a.config.Engine.Do(ctx, command)
	if err != nil || answer.Replayed == nil {
		return answer, false, a.misuse(ctx, err)
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
