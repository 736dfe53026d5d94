package chip

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/refundry/refundry/internal/auth"
	"github.com/refundry/refundry/internal/fault"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/wire"
)

// hook is what a webhook's endpoint keeps beside its URL and its private key.
type hook struct {
	Title     string   `json:"title"`
	AllEvents bool     `json:"all_events"`
	Events    []string `json:"events"`
	PublicKey string   `json:"public_key"`
	UpdatedOn int64    `json:"updated_on"`
}

// shownHook is a webhook as its owner sees it.
type shownHook struct {
	Type      string `json:"type"`
	ID        string `json:"id"`
	CreatedOn int64  `json:"created_on"`
	hook
	Callback string `json:"callback"`
}

// list is every list's envelope. All of a list is on its first page.
type list struct {
	Results  []shownHook `json:"results"`
	Next     *string     `json:"next"`
	Previous *string     `json:"previous"`
}

const (
	titleMax = 100
	hooksMax = 100 // webhooks of a company: each has a key pair
)

// events has every event that a webhook can ask for. Many are never sent here.
var events = []string{
	eventCreated, eventPaid, eventPaymentFailure, eventHold, eventCaptured, eventReleased, eventCancelled,
	eventPendingRefund, eventRefundFailure, eventRefunded, eventChargedBack, eventChargebackReversed,
	"purchase.capture_failure", "purchase.release_failure", "purchase.pending_execute", "purchase.pending_charge",
	"purchase.pending_capture", "purchase.pending_release", "purchase.preauthorized",
	"purchase.pending_recurring_token_delete", "purchase.recurring_token_deleted", "purchase.subscription_charge_failure",
	"purchase.viewed", "purchase.settled", "payout.created", "payout.pending", "payout.failed", "payout.success",
	"billing_template_client.subscription_billing_cancelled",
}

// readHook reads what an endpoint keeps. One that an operator made keeps
// nothing: it is told everything, and is none of this API's webhooks.
func readHook(endpoint payment.Endpoint) (hook, bool) {
	var h hook
	if endpoint.Detail == "" {
		return h, false
	}
	return h, json.Unmarshal([]byte(endpoint.Detail), &h) == nil
}

func showHook(e auth.Endpoint) shownHook {
	h, _ := readHook(e.Endpoint)
	return shownHook{Type: "webhook", ID: e.ID.UUID(), CreatedOn: e.CreatedAt.Unix(), hook: h, Callback: e.URL}
}

// hooks returns a company's webhooks, oldest first.
func (d *Door) hooks(c *call) ([]auth.Endpoint, error) {
	endpoints, err := d.config.Auth.Endpoints(c.ctx, c.tenant.ID)
	return slices.DeleteFunc(endpoints, func(e auth.Endpoint) bool {
		_, isHook := readHook(e.Endpoint)
		return e.Door != Name || !isHook
	}), err
}

// hookNamed returns the webhook that a call names.
func (d *Door) hookNamed(c *call) (auth.Endpoint, error) {
	var id payment.EndpointID
	if id.ParseUUID(c.id) != nil {
		return auth.Endpoint{}, unknown
	}
	hooks, err := d.hooks(c)
	if err != nil {
		return auth.Endpoint{}, err
	}
	at := slices.IndexFunc(hooks, func(e auth.Endpoint) bool { return e.ID == id })
	if at < 0 {
		return auth.Endpoint{}, unknown
	}
	return hooks[at], nil
}

// listHooks shows all webhooks.
func (d *Door) listHooks(c *call) (int, any, error) {
	hooks, err := d.hooks(c)
	if err != nil {
		return 0, nil, err
	}
	shown := list{Results: []shownHook{}}
	for _, endpoint := range hooks {
		shown.Results = append(shown.Results, showHook(endpoint))
	}
	return http.StatusOK, shown, nil
}

// getHook shows a webhook.
func (d *Door) getHook(c *call) (int, any, error) {
	endpoint, err := d.hookNamed(c)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, showHook(endpoint), nil
}

// createHook makes a webhook with a key pair of its own.
func (d *Door) createHook(c *call) (int, any, error) {
	endpoint := auth.Endpoint{Tenant: c.tenant.ID, Endpoint: payment.Endpoint{Door: Name}}
	made, err := d.hookAsked(c, &endpoint, hook{}, true)
	if err != nil {
		return 0, nil, err
	}
	hooks, err := d.hooks(c)
	if err != nil {
		return 0, nil, err
	}
	if len(hooks) >= hooksMax {
		return 0, nil, badRequest(codeInvalid, fmt.Sprintf("A company has at most %d webhooks.", hooksMax))
	}
	private, public, err := wire.NewRSAKey()
	if err != nil {
		return 0, nil, err
	}
	made.PublicKey = strings.TrimSpace(public)
	return d.writeHook(c, http.StatusCreated, endpoint, made, private)
}

// putHook replaces what a webhook says, patchHook changes what is given.
func (d *Door) putHook(c *call) (int, any, error) { return d.changeHook(c, true) }

func (d *Door) patchHook(c *call) (int, any, error) { return d.changeHook(c, false) }

func (d *Door) changeHook(c *call, isWhole bool) (int, any, error) {
	endpoint, err := d.hookNamed(c)
	if err != nil {
		return 0, nil, err
	}
	before, _ := readHook(endpoint.Endpoint)
	changed, err := d.hookAsked(c, &endpoint, before, isWhole)
	if err != nil {
		return 0, nil, err
	}
	return d.writeHook(c, http.StatusOK, endpoint, changed, nil)
}

// writeHook writes a webhook, and shows it.
func (d *Door) writeHook(c *call, status int, endpoint auth.Endpoint, h hook, private []byte) (int, any, error) {
	h.UpdatedOn = d.config.Now().Unix()
	endpoint.Detail = string(wire.Encode(h))
	written, err := d.config.Auth.PutEndpoint(c.ctx, c.by(), endpoint, private)
	if fault.CodeOf(err) == fault.Invalid && err != nil {
		return 0, nil, refused(http.StatusBadRequest, "callback", codeInvalid, "Enter a valid URL.")
	}
	if err != nil {
		return 0, nil, err
	}
	return status, showHook(written), nil
}

// deleteHook ends a webhook.
func (d *Door) deleteHook(c *call) (int, any, error) {
	endpoint, err := d.hookNamed(c)
	if err != nil {
		return 0, nil, err
	}
	err = d.config.Auth.RemoveEndpoint(c.ctx, c.by(), c.tenant.ID, endpoint.ID)
	return http.StatusNoContent, nil, err
}

// hookAsked reads what a body says of a webhook: all of it, or only what changes.
func (d *Door) hookAsked(c *call, endpoint *auth.Endpoint, h hook, isWhole bool) (hook, error) {
	body, err := c.object()
	if err != nil {
		return h, err
	}
	f := form{body, &flaws{}}
	has := func(name string) bool { return isWhole || !body.Get(name).Is(wire.Absent) }
	if has("title") {
		h.Title = f.needed("title", titleMax)
	}
	if has("callback") {
		if endpoint.URL = f.needed("callback", urlMax); f.wrong.isEmpty() {
			endpoint.URL = f.url("callback")
		}
		d.checkCallback(f, c.tenant, "callback", endpoint.URL)
	}
	if has("all_events") {
		h.AllEvents = f.flag("all_events")
	}
	if has("events") {
		h.Events = f.texts("events", textMax)
	}
	for _, event := range h.Events {
		if !slices.Contains(events, event) {
			f.flaw("events", codeChoice, "This is not a valid choice.")
			break
		}
	}
	switch {
	case h.AllEvents:
		h.Events = []string{}
	case len(h.Events) == 0 && f.wrong.isEmpty():
		f.flaw("events", codeRequired, "This field is required.")
	}
	if !f.wrong.isEmpty() {
		return h, &problem{http.StatusBadRequest, f.wrong}
	}
	return h, nil
}

// checkCallback refuses a URL that webhooks may not go to (C5): one with a
// port, if the tenant wants so, or one that is not encrypted, outside the sandbox.
func (d *Door) checkCallback(f form, tenant *payment.Tenant, name, text string) {
	to, err := url.Parse(text)
	switch {
	case err != nil || text == "":
	case to.Port() != "" && !callbackPorts.Of(tenant.Settings):
		f.flaw(name, codeInvalid, "Ports are not allowed in callback URLs.")
	case to.Scheme != "https" && !d.config.IsSandbox:
		f.flaw(name, codeInvalid, "Callback URLs must be https.")
	}
}
