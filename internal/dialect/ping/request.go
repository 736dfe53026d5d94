package ping

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/refundry/refundry/internal/auth"
	"github.com/refundry/refundry/internal/fault"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/wire"
)

// The headers of a request. The first has an underscore, which some proxies drop.
const (
	headerTenant  = "tenant_id"
	headerSecret  = "x-api-secret"
	headerVersion = "x-api-version"
	headerKey     = "Idempotency-Key"
)

// call is one call of a tenant who has proven who it is.
type call struct {
	form

	ctx       context.Context //nolint:containedctx // of the request, which the call is
	request   *http.Request
	tenant    *payment.Tenant
	actor     string
	user      string // on whose behalf the tenant calls
	body      wire.Value
	query     url.Values
	isPaged   bool // lists have pages
	isSandbox bool
	order     payment.OrderID   // of the path
	payment   payment.PaymentID // of the path
}

// bodyBytesMax is how large a body may be: order items, for the most part.
const bodyBytesMax = 256 << 10

// read lets a caller in and reads what it asks for. What is wrong with its
// values is gathered, to be told together with what the call itself finds.
func (d *Door) read(w http.ResponseWriter, r *http.Request, at route) (*call, error) {
	c := &call{ctx: r.Context(), request: r, query: r.URL.Query(), isSandbox: d.config.IsSandbox}
	if err := d.authenticate(c, r); err != nil {
		return nil, err
	}
	if at.serve == nil || hasGap(r) {
		return nil, noPath
	}
	if at.takes && !d.config.IsSandbox {
		return nil, notHere // unread: it may have a card number in it
	}
	c.readVersion(r.Header.Get(headerVersion))
	c.readPath(r)
	if r.Method == http.MethodGet {
		return c, nil
	}
	var err error
	if c.user, err = wire.User(r.Header); err != nil {
		c.wrong(invalidValue, wire.HeaderUser, err.Error())
	}
	return c, c.readBody(w, r)
}

// authenticate knows the tenant by its id and its secret.
func (d *Door) authenticate(c *call, r *http.Request) error {
	var id payment.TenantID
	if id.ParseUUID(r.Header.Get(headerTenant)) != nil {
		return unauthorized
	}
	credential, err := d.credential(c, r, id)
	switch {
	case fault.CodeOf(err) == fault.NotFound:
		return unauthorized
	case err != nil:
		return err
	}
	if c.tenant, err = d.config.Auth.Tenant(c.ctx, id); err != nil {
		if fault.CodeOf(err) == fault.NotFound {
			return unauthorized
		}
		return err
	}
	isOptional := settingSecretOptional.Of(c.tenant.Settings) && isLoopback(r.RemoteAddr)
	if credential.ID.IsZero() && !isOptional {
		return unauthorized
	}
	c.actor = "key:" + credential.ID.String()
	if !credential.ID.IsZero() {
		d.config.Auth.Used(credential)
	}
	if !d.limits.May(credential.ID, settingRateLimit.Of(c.tenant.Settings), d.config.Now()) {
		return tooMany
	}
	return nil
}

// credential returns the tenant's secret that a caller has sent; none, if it
// sent none. It is found by a digest: finding takes as long for any wrong one.
func (d *Door) credential(c *call, r *http.Request, id payment.TenantID) (auth.Credential, error) {
	secret := r.Header.Get(headerSecret)
	if secret == "" {
		return auth.Credential{}, nil
	}
	return d.config.Auth.Credential(c.ctx, KindSecret, lookup(id, auth.Secret(secret)))
}

// isLoopback reports whether a caller is on this machine.
func isLoopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	return err == nil && net.ParseIP(host).IsLoopback()
}

// pagedSince is the version since which lists have pages.
var pagedSince = time.Date(2025, time.March, 6, 0, 0, 0, 0, time.UTC)

// readVersion reads a date. It changes the shape of lists only.
func (c *call) readVersion(text string) {
	if text == "" {
		return
	}
	version, err := time.Parse(time.DateOnly, text)
	if err != nil {
		c.wrong(invalidValue, headerVersion, "ISO 8601 date expected")
	}
	c.isPaged = err == nil && !version.Before(pagedSince)
}

// The names of ids in paths.
const (
	pathOrder   = "payment_order_id"
	pathPayment = "payment_id"
	pathID      = "id"
)

// readPath reads the ids of the path.
func (c *call) readPath(r *http.Request) {
	if text := r.PathValue(pathOrder); text != "" && c.order.ParseUUID(text) != nil {
		c.wrong(invalidValue, pathOrder, "UUID expected")
	}
	if text := r.PathValue(pathPayment); text != "" && c.payment.ParseUUID(text) != nil {
		c.wrong(invalidValue, pathPayment, "UUID expected")
	}
}

// id returns the path's only id.
func (c *call) id() (id payment.ResourceID) {
	if id.ParseUUID(c.request.PathValue(pathID)) != nil {
		c.wrong(invalidValue, pathID, "UUID expected")
	}
	return id
}

// hasGap reports whether a segment of the path was empty before the path was
// cleaned: an id that a client did not have. A gap before the path proper is a
// base URL with a slash too many.
func hasGap(r *http.Request) bool {
	sent, err := url.ParseRequestURI(r.RequestURI)
	if err != nil {
		return false
	}
	_, path, _ := strings.Cut(sent.Path, strings.TrimPrefix(mount, "/payments"))
	path = strings.TrimLeft(path, "/")
	return strings.Contains(path, "//") || strings.HasSuffix(path, "/")
}

// readBody reads an object, or nothing, which is an object with nothing in it.
func (c *call) readBody(w http.ResponseWriter, r *http.Request) error {
	raw, err := wire.Body(w, r, bodyBytesMax)
	if err != nil {
		return err
	}
	if len(strings.TrimSpace(string(raw))) == 0 {
		return nil
	}
	if c.body, err = wire.Parse(raw); err != nil {
		return err
	}
	if !c.body.Is(wire.Object) {
		c.wrong(invalidType, "body", "object expected")
	}
	return nil
}

// meta returns what the call's command carries.
func (c *call) meta() payment.Meta {
	return payment.Meta{
		Tenant: c.tenant.ID, Actor: c.actor, User: c.user, Door: Name, Request: wire.RequestID(c.ctx),
		Address: wire.Address(c.ctx),
	}
}

// by signs changes of settings.
func (c *call) by() auth.By {
	return auth.By{Actor: c.actor, Request: wire.RequestID(c.ctx), Address: wire.Address(c.ctx)}
}
