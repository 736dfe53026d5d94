package ping

import (
	"context"
	"crypto/rand"

	"github.com/refundry/refundry/internal/auth"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/wire"
)

// KindSecret is the kind of credential that a tenant's secret is. Its lookup is
// the digest of the tenant's id and the secret.
const KindSecret auth.Kind = "ping_secret"

// NewSecret returns a tenant's secret that is not written yet. Callers send it
// as x-api-secret, beside the tenant's id.
func NewSecret(id auth.CredentialID, tenant payment.TenantID, secret auth.Secret) auth.Credential {
	return auth.Credential{
		Tenant: tenant, ID: id, Kind: KindSecret, Lookup: lookup(tenant, secret), Name: "Ping Payments",
	}
}

// lookup returns what a tenant's secret is found by.
func lookup(tenant payment.TenantID, secret auth.Secret) string {
	return auth.Digest(auth.Secret(tenant.UUID() + ":" + secret.Reveal()))
}

// MakeCredential makes what callers of this door prove who they are with, from
// what an operator sends. What is secret of it is shown this once.
func (d *Door) MakeCredential(_ context.Context, id auth.CredentialID, tenant payment.TenantID, body wire.Value,
) (auth.Credential, map[string]string, error) {
	secret := auth.NewAPIKey(rand.Reader)
	made := NewSecret(id, tenant, secret)
	if name, _ := body.Get("name").Text(); name != "" {
		made.Name = name
	}
	return made, map[string]string{"secret": secret.Reveal(), "tenant_id": tenant.UUID()}, nil
}
