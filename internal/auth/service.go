package auth

import (
	"context"
	"crypto/rand"
	"io"
	"sync"
	"time"

	"github.com/refundry/refundry/internal/engine"
	"github.com/refundry/refundry/internal/fault"
	"github.com/refundry/refundry/internal/id"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/setting"
)

// Config is what an [Auth] is made of.
type Config struct {
	Store   Store
	Uses    UseStore // where it is kept when keys were used
	Keyring *Keyring
	Specs   []setting.Spec   // every setting that a tenant may change
	Router  engine.Router    // who is told that an endpoint was disabled or enabled; nil: nobody
	Now     func() time.Time // domain time
	Machine func() time.Time // this machine's time, for what is remembered
	NewID   id.Source
	Random  io.Reader // where secrets come from; nil: crypto/rand
}

// Auth answers who calls, and manages what tenants may manage. What it
// remembers is at most a second old.
type Auth struct {
	config Config

	mutex       sync.Mutex // guards what follows
	changes     int64      // how often all was forgotten
	tenants     memory[payment.TenantID, *payment.Tenant]
	credentials memory[lookup, Credential]
	owned       memory[payment.TenantID, []Credential]
	endpoints   memory[payment.TenantID, []Endpoint]
	used        map[CredentialID]time.Time // days whose use is written, or waits
	uses        []Use                      // that wait
}

type lookup struct {
	kind  Kind
	value string
}

// Identity is a caller who has proven who it is.
type Identity struct {
	Tenant     payment.TenantID
	Actor      string // "key:…", "operator:…"
	IsOperator bool   // may do everything, for every tenant
}

// New returns an Auth.
func New(config Config) *Auth {
	if config.Random == nil {
		config.Random = rand.Reader
	}
	return &Auth{
		config:  config,
		tenants: memory[payment.TenantID, *payment.Tenant]{}, credentials: memory[lookup, Credential]{},
		owned: memory[payment.TenantID, []Credential]{}, endpoints: memory[payment.TenantID, []Endpoint]{},
		used: map[CredentialID]time.Time{},
	}
}

// Tenant returns a tenant with its endpoints; fault.NotFound.
func (a *Auth) Tenant(ctx context.Context, tenant payment.TenantID) (*payment.Tenant, error) {
	return remembered(a, a.tenants, tenant, func() (*payment.Tenant, error) {
		found, err := a.config.Store.Tenant(ctx, tenant)
		return &found, err
	})
}

// Credential returns the valid credential with a lookup; fault.NotFound.
func (a *Auth) Credential(ctx context.Context, kind Kind, value string) (Credential, error) {
	return remembered(a, a.credentials, lookup{kind, value}, func() (Credential, error) {
		return a.config.Store.Credential(ctx, kind, value)
	})
}

// CredentialOf returns a tenant's newest valid credential of a kind; fault.NotFound.
func (a *Auth) CredentialOf(ctx context.Context, tenant payment.TenantID, kind Kind) (Credential, error) {
	return a.CredentialWhere(ctx, tenant, kind, func(Credential) bool { return true })
}

// CredentialWhere returns a tenant's newest valid credential of a kind that
// fits; fault.NotFound.
func (a *Auth) CredentialWhere(ctx context.Context, tenant payment.TenantID, kind Kind, fits func(Credential) bool,
) (Credential, error) {
	all, err := remembered(a, a.owned, tenant, func() ([]Credential, error) {
		return a.config.Store.Credentials(ctx, tenant)
	})
	if err != nil {
		return Credential{}, err
	}
	for i := len(all) - 1; i >= 0; i-- {
		if all[i].Kind == kind && all[i].RevokedAt.IsZero() && fits(all[i]) {
			return all[i], nil
		}
	}
	return Credential{}, fault.New(fault.NotFound, "no such credential")
}

// Open decrypts what a credential keeps for us.
func (a *Auth) Open(credential Credential) ([]byte, error) {
	return a.config.Keyring.Open(credential.Secret, credential.row())
}

// Seal returns the credential with a secret that only its own row can open.
func (a *Auth) Seal(credential Credential, secret []byte) (Credential, error) {
	var err error
	credential.Secret, err = a.config.Keyring.Seal(secret, credential.row())
	return credential, err
}

// row names the credential's row: what its secret is bound to.
func (c Credential) row() []byte {
	row := append(append([]byte("credential\x00"), c.Tenant[:]...), c.ID[:]...)
	return append(row, c.Kind...)
}

// row names the endpoint's row: what its secret is bound to.
func (e Endpoint) row() []byte {
	return append(append([]byte("endpoint\x00"), e.Tenant[:]...), e.ID[:]...)
}

// EndpointSecret returns what deliveries to an endpoint are signed with;
// fault.NotFound.
func (a *Auth) EndpointSecret(ctx context.Context, tenant payment.TenantID, id payment.EndpointID) ([]byte, error) {
	all, err := remembered(a, a.endpoints, tenant, func() ([]Endpoint, error) {
		return a.config.Store.Endpoints(ctx, tenant)
	})
	if err != nil {
		return nil, err
	}
	for _, endpoint := range all {
		if endpoint.ID == id {
			return a.config.Keyring.Open(endpoint.Secret, endpoint.row())
		}
	}
	return nil, fault.New(fault.NotFound, "no such endpoint")
}
