package chip

import (
	"context"
	"net/http"
	"strings"

	"github.com/refundry/refundry/internal/auth"
	"github.com/refundry/refundry/internal/dialect"
	"github.com/refundry/refundry/internal/fault"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/wire"
)

// call is one call of a merchant whose key is right.
type call struct {
	ctx        context.Context //nolint:containedctx // of the request, which the call is
	request    *http.Request
	credential auth.Credential
	tenant     *payment.Tenant
	user       string // on whose behalf the company calls
	path       string // below the root, without slashes around it
	id         string // of the thing that the path names; empty: it names none
	action     string // what is to be done to it; empty: nothing is
	raw        []byte // the body
	keyText    string // the idempotency key, empty if there is none, or none is obeyed
	key        payment.Key
}

// keyLengthMax is how long a secret key may be.
const keyLengthMax = 500

// authenticate finds out who calls.
func (d *Door) authenticate(r *http.Request) (*call, error) {
	given := r.Header.Values("Authorization")
	if len(given) != 1 {
		return nil, noKey
	}
	scheme, secret, _ := strings.Cut(strings.TrimSpace(given[0]), " ")
	if secret = strings.TrimLeft(secret, " "); !strings.EqualFold(scheme, "Bearer") || secret == "" {
		return nil, noKey
	}
	if !wire.IsVisible(secret, keyLengthMax) {
		return nil, wrongKey
	}
	credential, err := d.config.Auth.Credential(r.Context(), KindKey, auth.Digest(auth.Secret(secret)))
	if fault.CodeOf(err) == fault.NotFound && err != nil {
		return nil, wrongKey
	}
	if err != nil {
		return nil, err
	}
	d.config.Auth.Used(credential)
	c := &call{ctx: r.Context(), request: r, credential: credential}
	if c.tenant, err = d.config.Auth.Tenant(c.ctx, credential.Tenant); err != nil {
		return nil, err
	}
	if !d.limits.May(credential.ID, requestsPerSecond.Of(c.tenant.Settings), d.config.Now()) {
		return nil, tooMany
	}
	if c.user, err = wire.User(r.Header); err != nil {
		return nil, badRequest(codeInvalid, err.Error())
	}
	return c, nil
}

// readBody reads the body, if the method has one.
func (c *call) readBody(w http.ResponseWriter) (err error) {
	switch c.request.Method {
	case http.MethodPost, http.MethodPut, http.MethodPatch:
		limit := min(bodyBytesLimit, bodyBytesMax.Of(c.tenant.Settings))
		c.raw, err = wire.Body(w, c.request, limit)
	}
	return err
}

// object returns the body as an object. Nothing at all is an empty one, and so
// is [], which PHP clients write for it.
func (c *call) object() (wire.Value, error) {
	if isBlank(c.raw) {
		return wire.Parse([]byte("{}"))
	}
	body, err := wire.Parse(c.raw)
	switch {
	case err != nil:
		return wire.Value{}, badBody
	case body.IsEmptyArray():
		return wire.Parse([]byte("{}"))
	case !body.Is(wire.Object):
		return wire.Value{}, badBody
	}
	return body, nil
}

func isBlank(raw []byte) bool { return strings.Trim(string(raw), " \t\r\n") == "" }

// meta returns what the call's command carries.
func (c *call) meta() payment.Meta {
	return payment.Meta{
		Tenant: c.tenant.ID, Actor: c.actor(), User: c.user, Door: Name, Request: wire.RequestID(c.ctx),
		Address: wire.Address(c.ctx), Key: c.key,
	}
}

func (c *call) actor() string { return "key:" + c.credential.ID.String() }

func (c *call) by() auth.By {
	return auth.By{Actor: c.actor(), Request: wire.RequestID(c.ctx), Address: wire.Address(c.ctx)}
}

// ip returns the caller's address.
func (c *call) ip() string { return addressOf(c.request) }

func addressOf(r *http.Request) string { return wire.Address(r.Context()) }

// onPurchase does something to the purchase that a call names: one that was
// made here by its id, another by its alias.
func (d *Door) onPurchase(c *call, do func(payment.PaymentID) (payment.Answer, error)) (payment.Answer, error) {
	var own payment.PaymentID
	if own.ParseUUID(c.id) != nil || own.IsZero() {
		return payment.Answer{}, unknown
	}
	answer, err := do(own)
	if !dialect.IsRule(err, payment.RuleExists) {
		return answer, err
	}
	subject, found, err := d.config.Reader.Find(c.ctx, c.tenant.ID, aliasOf(c.id))
	switch {
	case err != nil:
		return payment.Answer{}, err
	case !found:
		return payment.Answer{}, unknown
	}
	return do(subject)
}
