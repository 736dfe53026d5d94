package ping

import (
	"net/http"

	"github.com/refundry/refundry/internal/dialect"
	"github.com/refundry/refundry/internal/payment"
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

// mount is where the API begins. Whoever has another base URL has a proxy.
const mount = "/payments/api/v1/"

// route is one of the provider's calls.
type route struct {
	method string
	path   string // below the mount
	// serve returns what is answered, with 200; nothing, with 204.
	serve func(d *Door, c *call) (any, error)
	takes bool // a payer's money: in the sandbox only, elsewhere refused unread
}

// Paths of one order and of one payment.
const (
	onOrder   = "payment_orders/{" + pathOrder + "}"
	onPayment = onOrder + "/payments/{" + pathPayment + "}"
)

// routes has every call that is served, section 4 of the provider's pages.
var routes = []route{
	{method: "POST", path: onPayment + "/refund", serve: (*Door).refund},
	{method: "GET", path: "tenant", serve: (*Door).getTenant},
	{method: "PUT", path: "tenant", serve: (*Door).updateTenant},
	{method: "POST", path: "signing_key/generate", serve: (*Door).generateKey},
	{method: "GET", path: "signing_key", serve: (*Door).getKey},
	{method: "POST", path: "poke", serve: (*Door).poke},
	{method: "POST", path: "merchants", serve: (*Door).createMerchant},
	{method: "GET", path: "merchants/{" + pathID + "}", serve: (*Door).getMerchant},
	{method: "GET", path: "merchants", serve: (*Door).listMerchants},
	{method: "POST", path: "payment_orders", serve: (*Door).createOrder},
	{method: "GET", path: onOrder, serve: (*Door).getOrder},
	{method: "GET", path: "payment_orders", serve: (*Door).listOrders},
	{method: "PUT", path: onOrder, serve: (*Door).updateOrder},
	{method: "PUT", path: onOrder + "/close", serve: moveTo(payment.OrderClosed)},
	{method: "PUT", path: onOrder + "/split", serve: moveTo(payment.OrderSplit)},
	{method: "PUT", path: onOrder + "/settle", serve: moveTo(payment.OrderSettled)},
	{method: "POST", path: onOrder + "/payments", serve: (*Door).initiate, takes: true},
	{method: "GET", path: onPayment, serve: (*Door).getPayment},
	{method: "PUT", path: onPayment, serve: (*Door).updatePayment},
	{method: "PUT", path: onPayment + "/stop", serve: (*Door).stop},
	{method: "PUT", path: onPayment + "/funding/reconcile", serve: (*Door).reconcile, takes: true},
	{method: "GET", path: "payments", serve: (*Door).listPayments},
	{method: "GET", path: "allocations", serve: (*Door).listAllocations},
	{method: "GET", path: "disbursements/{" + pathID + "}", serve: (*Door).getDisbursement},
	{method: "GET", path: "disbursements", serve: (*Door).listDisbursements},
}

// Register mounts the API at the provider's own paths. What is not there is
// said to be not there, whatever its method, and nothing is ever redirected:
// clients would turn a PUT into a GET.
func (d *Door) Register(mux *http.ServeMux) {
	for _, at := range routes {
		mux.HandleFunc(at.method+" "+mount+at.path, d.handler(at))
	}
	nothing := d.handler(route{})
	mux.HandleFunc(mount, nothing)
	mux.HandleFunc(mount[:len(mount)-1], nothing) // lest the mux redirect to it
	mux.HandleFunc("GET "+mount+"ping", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = w.Write([]byte("pong")) // a caller who has gone does not mind
	})
	if d.config.IsSandbox {
		mux.HandleFunc("GET "+mount+pagePath+"{"+pathPayment+"}", showPage)
	}
}

// handler answers one call. The order of the checks is the provider's: who
// calls, path and body, what there is, and then what the call is about.
func (d *Door) handler(at route) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		wire.OnBug(r, func(w http.ResponseWriter) { d.fail(w, r, wire.ErrBug) })
		c, err := d.read(w, r, at)
		if err != nil {
			d.fail(w, r, err)
			return
		}
		shown, err := at.serve(d, c)
		switch {
		case err != nil:
			d.fail(w, r, err)
		case shown == nil:
			w.WriteHeader(http.StatusNoContent)
		default:
			dialect.Answer(w, http.StatusOK, shown)
		}
	}
}

// Voices returns how the door tells events.
func (d *Door) Voices() []webhook.Voice { return []webhook.Voice{voice{d}} }
