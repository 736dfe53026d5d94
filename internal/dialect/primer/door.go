package primer

import (
	"net/http"
	"strings"

	"github.com/refundry/refundry/internal/dialect"
	"github.com/refundry/refundry/internal/webhook"
	"github.com/refundry/refundry/internal/wire"
)

// Door is the front door. Make one with [New].
type Door struct {
	config dialect.Config
	limits dialect.Limits
}

// New returns the door.
func New(config dialect.Config) *Door { return &Door{config: config} }

// route is one of the API's calls.
type route struct {
	method  string
	path    string
	scope   scope  // that a key must have
	model   string // what Primer calls the body's schema
	takes   bool   // a payer's money: in the sandbox only, elsewhere refused unread
	keyless bool   // it changes nothing and ignores idempotency keys
	body    presence
	words   dictionary // how a no is said where the call differs from the others
	serve   func(d *Door, c *call) (any, error)
}

// presence says whether a call has a body.
type presence int

const (
	noBody presence = iota
	optionalBody
	requiredBody
)

// routes has every call that is served.
var routes = []route{
	{
		method: http.MethodPost, path: "/payments", scope: scopeAuthorize, model: "PaymentCreationAPIRequest",
		takes: true, body: requiredBody, words: createWords, serve: (*Door).create,
	},
	{
		method: http.MethodGet, path: "/payments", scope: scopeRetrieve, model: "PaymentListAPIRequest",
		keyless: true, serve: (*Door).list,
	},
	{
		method: http.MethodGet, path: "/payments/{id}", scope: scopeRetrieve, model: "PaymentAPIRequest",
		keyless: true, serve: (*Door).get,
	},
	{
		method: http.MethodPost, path: "/payments/{id}/refund", scope: scopeRefund, model: "PaymentRefundAPIRequest",
		body: optionalBody, serve: (*Door).refund,
	},
	{
		method: http.MethodPost, path: "/payments/{id}/capture", scope: scopeCapture, model: "PaymentCaptureAPIRequest",
		takes: true, body: optionalBody, words: captureWords, serve: (*Door).capture,
	},
	{
		method: http.MethodPost, path: "/payments/{id}/cancel", scope: scopeCancel, model: "PaymentCancelAPIRequest",
		body: optionalBody, words: cancelWords, serve: (*Door).cancel,
	},
	{
		method: http.MethodPost, path: "/payments/{id}/authorize", scope: scopeAuthorize,
		model: "PaymentAuthorizationAPIRequest", takes: true, body: requiredBody, words: authorizeWords,
		serve: (*Door).authorize,
	},
	{
		method: http.MethodPost, path: "/payments/{id}/adjust-authorization", scope: scopeAuthorize,
		model: "PaymentAdjustAuthorizationAPIRequest", body: requiredBody, words: adjustWords, serve: (*Door).adjust,
	},
	{
		method: http.MethodPost, path: "/payments/{id}/resume", scope: scopeAuthorize, model: "PaymentResumeAPIRequest",
		keyless: true, body: requiredBody, serve: (*Door).resume,
	},
}

// roots are where the API's paths begin. What is not served below them is not
// there in Primer's words; another door may have a subtree of its own in one.
var roots = []string{"/payments", "/client-session", "/payment-instruments"}

// Register mounts the API at the provider's own paths. A trailing slash is
// accepted, and nothing is ever redirected: each root is mounted without its
// slash too, lest the mux redirect to it.
func (d *Door) Register(mux *http.ServeMux) {
	for i := range routes {
		to := &routes[i]
		handler := func(w http.ResponseWriter, r *http.Request) { d.answer(w, r, to) }
		mux.HandleFunc(to.method+" "+to.path, handler)
		mux.HandleFunc(to.method+" "+to.path+"/{$}", func(w http.ResponseWriter, r *http.Request) {
			if !strings.HasSuffix(r.URL.EscapedPath(), "/") {
				d.notFound(w, r) // the mux takes a last segment that is an escaped slash for one
				return
			}
			handler(w, r)
		})
	}
	for _, root := range roots {
		mux.HandleFunc(root, d.notFound)
		mux.HandleFunc(root+"/", d.notFound)
	}
}

// answer answers one call, with 200 and what it serves.
func (d *Door) answer(w http.ResponseWriter, r *http.Request, to *route) {
	wire.OnBug(r, func(w http.ResponseWriter) { d.fail(w, r, wire.ErrBug) })
	c, err := d.read(w, r, to)
	if err != nil {
		d.fail(w, r, err)
		return
	}
	shown, err := to.serve(d, c)
	if err != nil {
		d.fail(w, r, d.say(c, err))
		return
	}
	dialect.Answer(w, http.StatusOK, shown)
}

func (d *Door) notFound(w http.ResponseWriter, r *http.Request) { d.fail(w, r, noRoute) }

// Voices returns how the door tells events.
func (d *Door) Voices() []webhook.Voice { return []webhook.Voice{voice{d}} }
