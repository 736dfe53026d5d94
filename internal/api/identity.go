package api

import (
	"context"
	"net/http"
	"strings"

	"github.com/refundry/refundry/internal/auth"
	"github.com/refundry/refundry/internal/fault"
	"github.com/refundry/refundry/internal/payment"
)

// tenantHeader is where an operator names the tenant that a request is about.
const tenantHeader = "Refundry-Tenant"

type identityKey struct{}

// WithIdentity returns a context that knows its caller. Requests that come
// over the operator's socket are wrapped so.
func WithIdentity(ctx context.Context, identity auth.Identity) context.Context {
	return context.WithValue(ctx, identityKey{}, identity)
}

// IdentityOf returns the caller that the context knows.
func IdentityOf(ctx context.Context) (auth.Identity, bool) {
	identity, ok := ctx.Value(identityKey{}).(auth.Identity)
	return identity, ok
}

// Authenticate returns who calls: the one that the context knows, else the
// owner of the bearer key.
func (a *API) Authenticate(r *http.Request) (auth.Identity, error) {
	identity, _, err := a.identify(r)
	return identity, err
}

// keyLengthMax is longer than any key.
const keyLengthMax = 255

// identify returns who calls, and what the key may do.
func (a *API) identify(r *http.Request) (auth.Identity, scopes, error) {
	if identity, ok := IdentityOf(r.Context()); ok {
		return identity, "", nil
	}
	scheme, key, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	key = strings.TrimSpace(key)
	if !strings.EqualFold(scheme, "Bearer") || key == "" {
		return auth.Identity{}, "", &problem{code: codeUnauthorized, detail: "send an API key: Authorization: Bearer <key>"}
	}
	if len(key) > keyLengthMax {
		return auth.Identity{}, "", errBadKey
	}
	found, err := a.config.Auth.Credential(r.Context(), auth.KindAPIKey, auth.Digest(auth.Secret(key)))
	if err != nil {
		switch fault.CodeOf(err) {
		case fault.NotFound, fault.Forbidden, fault.Invalid, fault.Conflict:
			err = errBadKey
		case fault.Unavailable, fault.Internal:
		}
		return auth.Identity{}, "", err
	}
	a.config.Auth.Used(found)
	return auth.Identity{Tenant: found.Tenant, Actor: "key:" + found.ID.String()}, scopes(found.Public), nil
}

var errBadKey = &problem{code: codeUnauthorized, detail: "the API key is not valid"}

// admit returns the caller of an operation, with the tenant that the call is
// about.
func (a *API) admit(r *http.Request, access access, needed scope) (auth.Identity, error) {
	if access == forAnybody {
		return auth.Identity{}, nil
	}
	caller, has, err := a.identify(r)
	if err != nil {
		return auth.Identity{}, err
	}
	if access != forMerchants && !caller.IsOperator {
		return auth.Identity{}, &problem{code: codeForbidden, detail: "only an operator may do this"}
	}
	if !has.allow(needed) {
		return auth.Identity{}, &problem{code: codeScope, detail: "the key needs the scope " + string(needed)}
	}
	if !caller.IsOperator || access == forAll {
		return caller, nil
	}
	caller.Tenant, err = a.tenantNamed(r.Context(), r.Header.Get(tenantHeader))
	return caller, err
}

// tenantNamed finds the tenant that an operator names, by name or id. The only
// tenant need not be named.
func (a *API) tenantNamed(ctx context.Context, name string) (payment.TenantID, error) {
	tenants, err := a.config.Auth.Tenants(ctx)
	if err != nil {
		return payment.TenantID{}, err
	}
	for _, tenant := range tenants {
		if name != "" && (tenant.Name == name || tenant.ID.String() == name) {
			return tenant.ID, nil
		}
	}
	switch {
	case name != "":
		return payment.TenantID{}, &problem{code: codeNotFound, detail: "no such tenant"}
	case len(tenants) == 1:
		return tenants[0].ID, nil
	case len(tenants) == 0:
		return payment.TenantID{}, &problem{
			code: codeNotFound, detail: "there is no tenant yet: make one by `refundry tenants create NAME`",
		}
	default:
		return payment.TenantID{}, &problem{
			code: codeInvalid, detail: "there are several tenants: name one, by --tenant or in the header " + tenantHeader,
		}
	}
}
