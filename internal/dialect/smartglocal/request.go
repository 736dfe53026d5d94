package smartglocal

import (
	"context"
	"net/http"

	"github.com/refundry/refundry/internal/auth"
	"github.com/refundry/refundry/internal/dialect"
	"github.com/refundry/refundry/internal/fault"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/wire"
)

// HeaderProject is the header by which a merchant names its project.
const HeaderProject = "X-Partner-Project"

// The protocol's other headers.
const (
	headerSign        = "X-Partner-Sign"
	headerKey         = "X-Partner-Idempotency-Key"
	headerSubmerchant = "X-Partner-Submerchant"
)

// call is one call of a merchant whose signature is right.
type call struct {
	ctx         context.Context //nolint:containedctx // of the request, which the call is
	brand       Brand
	version     Version
	path        string
	project     auth.Credential
	tenant      *payment.Tenant
	body        wire.Value
	key         payment.Key
	user        string // on whose behalf the project calls
	origin      string // where the caller has reached us
	submerchant string
}

// read lets a caller in and reads what it asks for.
func (d *Door) read(w http.ResponseWriter, r *http.Request, version Version, path string, called method) (*call, error) {
	if r.Method != http.MethodPost {
		return nil, wrongMethod
	}
	if called.takes && !d.config.IsSandbox {
		return nil, notHere // unread: it may have a card number in it
	}
	raw, err := wire.Body(w, r, bodyBytesDefault)
	if err != nil {
		return nil, err
	}
	c := &call{
		ctx: r.Context(), version: version, path: path, origin: dialect.Origin(r), submerchant: r.Header.Get(headerSubmerchant),
	}
	if err := d.authenticate(c, r.Header, raw); err != nil {
		return nil, err
	}
	if c.body, err = parseBody(raw); err != nil {
		return nil, err
	}
	if called.isReading {
		return c, nil
	}
	if c.user, err = wire.User(r.Header); err != nil {
		return nil, invalid(err.Error())
	}
	return c, d.readKey(c, r.Header)
}

// authenticate finds the project and verifies the signature over the bytes as
// received, before anything of them is read.
func (d *Door) authenticate(c *call, header http.Header, raw []byte) error {
	name := header.Get(HeaderProject)
	if !wire.IsVisible(name, projectNameMax) {
		return unknownProject
	}
	var err error
	if c.project, err = d.config.Auth.Credential(c.ctx, KindProject, name); err != nil {
		if fault.CodeOf(err) == fault.NotFound {
			return unknownProject
		}
		return err
	}
	read, err := d.projects.read(c.project)
	if err != nil {
		return err
	}
	c.brand = read.brand
	if c.tenant, err = d.config.Auth.Tenant(c.ctx, c.project.Tenant); err != nil {
		return err
	}
	if int64(len(raw)) > choices[c.brand].BodyBytesMax.Of(c.tenant.Settings) {
		return tooLarge
	}
	if !read.verify(raw, header.Get(headerSign)) {
		return badSignature
	}
	d.config.Auth.Used(c.project)
	if !d.limits.May(c.project.ID, choices[c.brand].RequestsPerSecond.Of(c.tenant.Settings), d.config.Now()) {
		return tooMany // (C24)
	}
	return nil
}

// parseBody reads an object. PHP clients write an empty one as [].
func parseBody(raw []byte) (wire.Value, error) {
	body, err := wire.Parse(raw)
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

// meta returns what the call's command carries.
func (c *call) meta() payment.Meta {
	return payment.Meta{
		Tenant: c.tenant.ID, Actor: "key:" + c.project.ID.String(), User: c.user, Door: c.brand.Door(),
		Request: wire.RequestID(c.ctx), Address: wire.Address(c.ctx), Key: c.key,
	}
}
