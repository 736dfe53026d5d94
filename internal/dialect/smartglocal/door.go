package smartglocal

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/refundry/refundry/internal/auth"
	"github.com/refundry/refundry/internal/id"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/webhook"
)

// Engine is the one road for changes.
type Engine interface {
	Do(ctx context.Context, command payment.Command, finish ...payment.TaskRef) (payment.Answer, error)
}

// Config is what a door is made of.
type Config struct {
	Engine    Engine
	Reader    payment.Reader
	Auth      *auth.Auth
	Now       func() time.Time // domain time
	NewID     id.Source
	IsSandbox bool   // payments can be made here
	Connector string // of payments that are made here
	Log       *slog.Logger
}

// Door is the front door of both brands. Make one with [New].
type Door struct {
	config   Config
	projects projects

	mutex  sync.Mutex
	limits map[auth.CredentialID]*rate.Limiter
}

// New returns the door.
func New(config Config) *Door {
	return &Door{config: config, limits: map[auth.CredentialID]*rate.Limiter{}}
}

// method is one of the protocol's calls.
type method struct {
	serve     func(d *Door, c *call) (*session, error)
	takes     bool // a payer's money: in the sandbox only, elsewhere refused unread
	isReading bool // it changes nothing and ignores idempotency keys
	isRefund  bool // a rule's no is said as section 5.2 has it
}

// methods has every call that is served, section 4.
var methods = map[string]method{
	"session/create":        {serve: (*Door).create, takes: true},
	"session/start/payment": {serve: (*Door).start, takes: true},
	"session/init/payment":  {serve: (*Door).init, takes: true},
	"session/confirm":       {serve: (*Door).confirm, takes: true},
	"session/capture":       {serve: (*Door).capture, takes: true},
	"session/cancel":        {serve: (*Door).cancel},
	"session/status":        {serve: (*Door).status, isReading: true},
	"session/refund":        {serve: (*Door).refund, isRefund: true},
	"session/chargeback":    {serve: (*Door).chargeback},
}

// shortPath is another name of a method (C4).
const shortPath, longPath = "session/start", "session/start/payment"

// Register mounts the protocol below /api/v1/ and /api/v2/. Its paths have no
// trailing slash; one is accepted, and nothing is ever redirected: the root is
// mounted without its slash too, lest the mux redirect to it.
func (d *Door) Register(mux *http.ServeMux) {
	for _, version := range []Version{V1, V2} {
		root := "/api/" + string(version)
		handler := func(w http.ResponseWriter, r *http.Request) {
			path := strings.TrimPrefix(strings.TrimPrefix(r.URL.Path, root), "/")
			d.answer(w, r, version, strings.TrimSuffix(path, "/"))
		}
		mux.HandleFunc(root, handler)
		mux.HandleFunc(root+"/", handler)
	}
	if d.config.IsSandbox {
		mux.HandleFunc("GET "+payerPath, d.showPayer)
		mux.HandleFunc("POST "+payerPath, d.takePayer)
	}
}

// answer answers one call. The order of the checks is the protocol's (C2):
// path, method, size, project, signature, JSON, idempotency, and then the call's own.
func (d *Door) answer(w http.ResponseWriter, r *http.Request, version Version, path string) {
	if path == shortPath {
		path = longPath
	}
	called, ok := methods[path]
	if !ok {
		d.fail(w, r, unknownPath)
		return
	}
	c, err := d.read(w, r, version, path, called)
	if err != nil {
		d.fail(w, r, err)
		return
	}
	shown, err := called.serve(d, c)
	if err != nil {
		d.fail(w, r, called.say(err))
		return
	}
	write(w, http.StatusOK, answer{Status: "ok", Session: shown})
}

// Voices returns how each brand tells events.
func (d *Door) Voices() []webhook.Voice {
	return []webhook.Voice{voice{d, SmartGlocal}, voice{d, Pike}}
}

// shower returns what renders answers to a call.
func (c *call) shower(withInfo bool) shower {
	return shower{
		brand: c.brand, version: c.version, withInfo: withInfo, switches: choices[c.brand], tenant: c.tenant,
	}
}
