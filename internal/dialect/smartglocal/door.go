package smartglocal

import (
	"net/http"
	"strings"

	"github.com/refundry/refundry/internal/dialect"
	"github.com/refundry/refundry/internal/webhook"
	"github.com/refundry/refundry/internal/wire"
)

// Door is the front door of both brands. Make one with [New].
type Door struct {
	config   dialect.Config
	projects projects
	limits   dialect.Limits
}

// New returns the door.
func New(config dialect.Config) *Door { return &Door{config: config} }

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
			path := strings.TrimPrefix(strings.TrimPrefix(dialect.Path(r), root), "/")
			d.answer(w, r, version, strings.TrimSuffix(path, "/"))
		}
		mux.HandleFunc(root, handler)
		mux.HandleFunc(root+"/", handler)
	}
	if d.config.IsSandbox {
		mux.HandleFunc("GET "+PayerPath, d.showPayer)
		mux.HandleFunc("POST "+PayerPath, d.takePayer)
	}
}

// Lists reports whether a path is a call of the protocol.
func Lists(path string) bool {
	_, ok := methods[strings.TrimSuffix(strings.TrimPrefix(path, "/api/v1/"), "/")]
	return ok || strings.TrimSuffix(path, "/") == "/api/v1/"+shortPath
}

// answer answers one call. The order of the checks is the protocol's (C2):
// path, method, size, project, signature, JSON, idempotency, and then the call's own.
func (d *Door) answer(w http.ResponseWriter, r *http.Request, version Version, path string) {
	wire.OnBug(r, func(w http.ResponseWriter) { d.fail(w, r, wire.ErrBug) })
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
	dialect.Answer(w, http.StatusOK, answer{Status: "ok", Session: shown})
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
