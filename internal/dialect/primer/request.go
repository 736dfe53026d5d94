package primer

import (
	"context"
	"net/http"
	"net/url"
	"slices"

	"github.com/refundry/refundry/internal/auth"
	"github.com/refundry/refundry/internal/dialect"
	"github.com/refundry/refundry/internal/fault"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/wire"
)

// The API's headers, in the spelling of net/http.
const (
	headerKey         = "X-Api-Key"
	headerVersion     = "X-Api-Version"
	headerIdempotency = "X-Idempotency-Key"
)

const (
	bodyBytesMax    = 256 << 10
	keyBytesMax     = 255 // of an idempotency key
	idBytesMax      = 64  // of a payment's id
	versionBytesMax = 16  // that an error repeats
)

// call is one call of a caller who may make it.
type call struct {
	ctx     context.Context //nolint:containedctx // of the request, which the call is
	route   *route
	caller  auth.Credential
	tenant  *payment.Tenant
	query   url.Values
	form    form // the body
	key     string
	user    string            // on whose behalf the account calls
	id      string            // of the payment, as the path has it
	payment payment.PaymentID // of the payment, once it is found
	asked   int64             // the amount that is asked for, for an error to repeat
}

// read lets a caller in and reads what it asks for. The order of the checks is
// the protocol's: key, scope, version, and then the body.
func (d *Door) read(w http.ResponseWriter, r *http.Request, to *route) (*call, error) {
	c := &call{ctx: r.Context(), route: to, query: r.URL.Query(), id: r.PathValue("id")}
	if err := d.authenticate(c, r.Header); err != nil {
		return nil, err
	}
	if to.takes && !d.config.IsSandbox {
		return nil, notHere // unread: it is a real payer's
	}
	body, err := wire.Body(w, r, bodyBytesMax)
	if err != nil {
		return nil, to.invalid("$", "The body is too large or did not arrive whole")
	}
	if err := c.readBody(body); err != nil {
		return nil, err
	}
	if c.user, err = wire.User(r.Header); err != nil {
		return nil, to.invalid(wire.HeaderUser, err.Error())
	}
	return c, c.readKey(r.Header)
}

// authenticate knows the caller, and whether it may make the call.
func (d *Door) authenticate(c *call, header http.Header) error {
	var err error
	c.caller, err = d.config.Auth.Credential(c.ctx, KindKey, auth.Digest(auth.Secret(header.Get(headerKey))))
	switch {
	case fault.CodeOf(err) == fault.NotFound:
		return unauthorized
	case err != nil:
		return err
	case !hasScope(c.caller, c.route.scope):
		return lacksScope(c.route.scope)
	}
	d.config.Auth.Used(c.caller)
	if c.tenant, err = d.config.Auth.Tenant(c.ctx, c.caller.Tenant); err != nil {
		return err
	}
	version := header.Get(headerVersion)
	if version == "" {
		version = defaultVersion.Of(c.tenant.Settings)
	}
	if !slices.Contains(versions, version) {
		return unsupported(version)
	}
	if !d.limits.May(c.caller.ID, requestsPerSecond.Of(c.tenant.Settings), d.config.Now()) {
		return tooMany
	}
	return nil
}

// readBody reads an object. Where a body is optional, none at all and a
// literal null are the empty object.
func (c *call) readBody(body []byte) error {
	if c.route.body == noBody || c.route.body == optionalBody && len(body) == 0 {
		return nil
	}
	value, err := wire.Parse(body)
	switch {
	case err != nil:
		return c.route.invalid("$", "Value must be valid JSON")
	case value.Is(wire.Null) && c.route.body == optionalBody:
	case !value.Is(wire.Object):
		return c.route.invalid("$", "Value must be a valid object")
	}
	c.form.value = value
	return nil
}

// readKey reads the idempotency key; an empty one is none.
func (c *call) readKey(header http.Header) error {
	values := header.Values(headerIdempotency)
	if c.route.keyless || len(values) == 0 || len(values) == 1 && values[0] == "" {
		return nil
	}
	if len(values) > 1 || !wire.IsVisible(values[0], keyBytesMax) {
		return c.route.invalid(headerIdempotency, "Value must be 1 to 255 visible ASCII characters")
	}
	c.key = values[0]
	return nil
}

// meta returns what the call's command carries. An account's keys are the same
// for all endpoints and payments; a repeat is refused, never replayed.
func (c *call) meta() payment.Meta {
	meta := payment.Meta{
		Tenant: c.tenant.ID, Actor: "key:" + c.caller.ID.String(), User: c.user, Door: Name, Request: wire.RequestID(c.ctx),
		Address: wire.Address(c.ctx),
	}
	if c.key != "" {
		meta.Key = payment.Key{Hash: dialect.Key(c.tenant.ID, Name, c.key), Refuses: true}
	}
	return meta
}

// find finds the payment that a call names: by its short id, or by its UUID if
// it has none, which another door's may not.
func (d *Door) find(c *call) error {
	var own payment.PaymentID
	if own.ParseUUID(c.id) == nil {
		view, err := d.config.Reader.View(c.ctx, c.tenant.ID, own)
		if !dialect.IsRule(err, payment.RuleExists) {
			c.payment = view.Payment.ID
			return err
		}
	}
	if !wire.IsVisible(c.id, idBytesMax) {
		return payment.NoSuch("payment")
	}
	subject, found, err := d.config.Reader.Find(c.ctx, c.tenant.ID, payment.Alias{Kind: payment.ShortAlias, Value: c.id})
	if err == nil && !found {
		return payment.NoSuch("payment")
	}
	c.payment = subject
	return err
}
