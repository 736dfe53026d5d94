package primer

import (
	"context"
	"crypto/rand"
	"strings"

	"github.com/refundry/refundry/internal/auth"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/wire"
)

// KindKey is the kind of credential that an API key is. Its lookup is the
// digest of the key, its public part the scopes, with spaces between.
const KindKey auth.Kind = "primer_key"

// NewKey returns an API key that is not written yet. It has all scopes if none is named.
func NewKey(id auth.CredentialID, tenant payment.TenantID, secret auth.Secret, scopes ...string) auth.Credential {
	return auth.Credential{
		Tenant: tenant, ID: id, Kind: KindKey, Lookup: auth.Digest(secret), Name: "Primer",
		Public: strings.Join(scopes, " "),
	}
}

// MakeCredential makes what callers of this door prove who they are with, from
// what an operator sends. What is secret of it is shown this once.
func (d *Door) MakeCredential(_ context.Context, id auth.CredentialID, tenant payment.TenantID, body wire.Value,
) (auth.Credential, map[string]string, error) {
	secret := auth.NewAPIKey(rand.Reader)
	made := NewKey(id, tenant, secret)
	if name, ok := body.Get("name").Text(); ok {
		made.Name = name
	}
	return made, map[string]string{"key": secret.Reveal()}, nil
}

// KindWebhookSecret is the kind of credential that signs webhooks. The newest
// signs as primary; the one before it as secondary, for a day.
const KindWebhookSecret auth.Kind = "primer_webhook_secret"

// NewWebhookSecret returns an account's webhook secret that is not written yet.
func NewWebhookSecret(of *auth.Auth, id auth.CredentialID, tenant payment.TenantID, secret auth.Secret,
) (auth.Credential, error) {
	return of.Seal(auth.Credential{
		Tenant: tenant, ID: id, Kind: KindWebhookSecret, Lookup: id.String(), Name: "Primer webhooks",
	}, []byte(secret.Reveal()))
}
