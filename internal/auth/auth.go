// Package auth knows who calls: tenants, and their credentials of every kind.
//
// A credential is found by kind and lookup. What is only compared is kept as a
// digest (API keys); what we must use is encrypted and bound to its row
// (signing keys), see [Keyring].
package auth

import (
	"context"
	"time"

	"github.com/refundry/refundry/internal/fault"
	"github.com/refundry/refundry/internal/id"
	"github.com/refundry/refundry/internal/payment"
)

// Kind is a kind of credential. Each front door declares its own.
type Kind string

// KindAPIKey is a key of our own API; its lookup is the digest of the key.
const KindAPIKey Kind = "api_key"

// CredentialID names a credential.
type CredentialID = id.ID[credentialKind]

type credentialKind struct{}

// Prefix implements [id.Kind].
func (credentialKind) Prefix() string { return "key" }

// Credential is how a caller proves who it is at one front door, and how we
// prove to its owner who we are.
type Credential struct {
	Tenant    payment.TenantID
	ID        CredentialID
	Kind      Kind
	Lookup    string // unique per kind: the digest of a key, the name of a project
	Name      string // for people
	Public    string // not secret: the caller's public keys, as the door keeps them
	Secret    []byte // encrypted by a [Keyring]; empty: none
	CreatedAt time.Time
	RevokedAt time.Time // zero: it is valid

	LastUsedAt time.Time // a UTC day; zero: never, as far as is known. Only [Auth.Used] changes it
}

// Endpoint is a webhook endpoint as its owner manages it.
type Endpoint struct {
	payment.Endpoint
	Tenant    payment.TenantID
	Secret    []byte // encrypted by a [Keyring]: what its deliveries are signed with; empty: the door's key signs
	CreatedAt time.Time
	DeletedAt time.Time // zero: it is in use

	DisabledFor payment.DisabledFor // empty: it is not, or nobody knows why
}

// Change is a change of settings, written whole or not at all, together with
// the events that tell of it. Rows that exist (by id) are replaced, but for
// their end: what has ended stays so. The health of an endpoint whose URL
// becomes another begins anew.
type Change struct {
	Tenant      *payment.Tenant // name and settings; nil: unchanged. Version is the one that was read (0: a new tenant)
	Of          payment.TenantID
	Credentials []Credential
	Endpoints   []Endpoint
	Events      []payment.Event    // their version is set by the store to the tenant's new one
	Enabled     payment.EndpointID // its health begins anew; zero: nobody's
	Failing     Failing            // what must still hold; zero: nothing
	Deliveries  []payment.Delivery // who is told
	Tasks       []payment.Task     // that make these deliveries
}

// Failing says since when an endpoint fails.
type Failing struct {
	Endpoint payment.EndpointID
	Since    time.Time
}

// ErrRecovered means that an endpoint does not fail any more since then.
var ErrRecovered = fault.New(fault.Conflict, "the endpoint has been told something meanwhile")

// Store keeps tenants, credentials and endpoints. Every change raises the
// version of its tenant, so that replicas see that what they remember is old.
type Store interface {
	// Change writes a change. A tenant whose version is not the one that was
	// read is fault.Conflict, as is a name or a lookup that is taken; an unknown
	// tenant is fault.NotFound. [ErrRecovered] if an endpoint that must fail does not.
	Change(ctx context.Context, change Change) error
	// Tenants returns all tenants, by name, without their endpoints.
	Tenants(ctx context.Context) ([]payment.Tenant, error)
	// Tenant returns one tenant with its endpoints; fault.NotFound.
	Tenant(ctx context.Context, tenant payment.TenantID) (payment.Tenant, error)
	// Credential returns the valid credential with a lookup; fault.NotFound.
	Credential(ctx context.Context, kind Kind, lookup string) (Credential, error)
	// Credentials returns a tenant's credentials, the revoked ones too, by id.
	Credentials(ctx context.Context, tenant payment.TenantID) ([]Credential, error)
	// Endpoints returns a tenant's endpoints in use, by id.
	Endpoints(ctx context.Context, tenant payment.TenantID) ([]Endpoint, error)
}
