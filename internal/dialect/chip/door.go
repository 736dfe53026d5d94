package chip

import (
	"net/http"
	"slices"
	"strings"

	"github.com/refundry/refundry/internal/dialect"
	"github.com/refundry/refundry/internal/webhook"
	"github.com/refundry/refundry/internal/wire"
)

// Door is the front door. Make one with [New].
type Door struct {
	config  dialect.Config
	limits  dialect.Limits
	numbers dialect.Numbers
}

// New returns the door.
func New(config dialect.Config) *Door { return &Door{config: config} }

// root is below what all paths are.
const root = "/api/v1"

// PayerPath is below which a payer finds the pages of purchases, in the sandbox only.
const PayerPath = "/p/"

// method is one of the API's calls. It answers with a status, and with what is
// shown; nil: nothing.
type method struct {
	serve func(d *Door, c *call) (int, any, error)
	takes bool   // a payer's money: in the sandbox only, elsewhere refused unread
	keys  string // which choice of idempotency_key makes it obey keys, see [keysOf]; empty: none does
}

// methods has the calls of one path, by HTTP method.
type methods map[string]method

// actions has what can be done to a purchase.
var actions = map[string]method{
	"refund":       {serve: (*Door).refund, keys: keysOfActions},
	"capture":      {serve: (*Door).capture, keys: keysOfActions, takes: true},
	"charge":       {serve: (*Door).charge, keys: keysOfActions, takes: true},
	"mark_as_paid": {serve: (*Door).markAsPaid, takes: true},
	"release":      {serve: (*Door).release},
	"cancel":       {serve: (*Door).cancel},
}

// lists has the calls of the paths that name no thing.
var lists = map[string]methods{
	"purchases":       {http.MethodPost: {serve: (*Door).create, keys: keysOfAll, takes: true}},
	"webhooks":        {http.MethodGet: {serve: (*Door).listHooks}, http.MethodPost: {serve: (*Door).createHook}},
	"public_key":      {http.MethodGet: {serve: (*Door).publicKey}},
	"payment_methods": {http.MethodGet: {serve: (*Door).paymentMethods}},
}

// things has the calls of the paths that name a thing.
var things = map[string]methods{
	"purchases": {http.MethodGet: {serve: (*Door).get}},
	"webhooks": {
		http.MethodGet: {serve: (*Door).getHook}, http.MethodPut: {serve: (*Door).putHook},
		http.MethodPatch: {serve: (*Door).patchHook}, http.MethodDelete: {serve: (*Door).deleteHook},
	},
}

// route returns the calls of a path; nil: there are none.
func route(path string) (found methods, id, action string) {
	steps := strings.Split(path, "/")
	switch len(steps) {
	case 1:
		return lists[steps[0]], "", ""
	case 2:
		return things[steps[0]], steps[1], ""
	case 3:
		if called, ok := actions[steps[2]]; ok && steps[0] == "purchases" {
			return methods{http.MethodPost: called}, steps[1], steps[2]
		}
	}
	return nil, "", ""
}

// Lists reports whether a path is one of this API's.
func Lists(path string) bool {
	rest, ok := strings.CutPrefix(path, root+"/")
	first, _, _ := strings.Cut(rest, "/")
	return ok && slices.Contains(listed, first)
}

// listed has the first step of every path of the provider's API, served or not.
var listed = []string{"purchases", "webhooks", "public_key", "payment_methods", "company_statements", "account"}

// Register mounts the API at the provider's own paths. Nothing is ever
// redirected: roots are mounted without their slash too, lest the mux redirect to them.
func (d *Door) Register(mux *http.ServeMux) {
	mux.HandleFunc(root, d.answer)
	mux.HandleFunc(root+"/", d.answer)
	if d.config.IsSandbox {
		mux.HandleFunc(PayerPath, d.payer)
		mux.HandleFunc(strings.TrimSuffix(PayerPath, "/"), d.payer)
	}
}

// answer answers one call. The order of the checks is: key, path, method,
// sandbox, size, and then the call's own.
func (d *Door) answer(w http.ResponseWriter, r *http.Request) {
	wire.OnBug(r, func(w http.ResponseWriter) { d.fail(w, r, "", wire.ErrBug) })
	c, err := d.authenticate(r)
	if err != nil {
		d.fail(w, r, "", err)
		return
	}
	given := strings.TrimPrefix(dialect.Path(r), root)
	c.path = strings.Trim(given, "/")
	found, id, action := route(c.path)
	if c.id, c.action = id, action; found == nil || strictSlash.Of(c.tenant.Settings) && !strings.HasSuffix(given, "/") {
		d.fail(w, r, "", unknown)
		return
	}
	called, ok := found[r.Method]
	if r.Method == http.MethodHead {
		called, ok = found[http.MethodGet]
	}
	if !ok {
		w.Header().Set("Allow", found.allowed())
		d.fail(w, r, "", wrongMethod(r.Method))
		return
	}
	status, shown, err := d.serve(w, c, called)
	switch {
	case err != nil:
		d.fail(w, r, action, err)
	case shown == nil:
		w.WriteHeader(status)
	default:
		dialect.Answer(w, status, shown)
	}
}

// serve reads what a call says, and runs it.
func (d *Door) serve(w http.ResponseWriter, c *call, called method) (int, any, error) {
	if called.takes && !d.config.IsSandbox {
		return 0, nil, notHere // unread
	}
	if err := c.readBody(w); err != nil {
		return 0, nil, err
	}
	if err := c.readKey(called); err != nil {
		return 0, nil, err
	}
	return called.serve(d, c)
}

// allowed lists the methods of a path.
func (m methods) allowed() string {
	var names []string
	for name := range m {
		names = append(names, name)
		if name == http.MethodGet {
			names = append(names, http.MethodHead)
		}
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

// Voices returns how the door tells events.
func (d *Door) Voices() []webhook.Voice { return []webhook.Voice{voice{d}} }
