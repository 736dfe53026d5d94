package chip

import (
	"context"
	"crypto/rand"

	"github.com/refundry/refundry/internal/auth"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/wire"
)

// KindKey is the kind of credential that a secret key is. Its lookup is the
// digest of the key.
const KindKey auth.Kind = "chip_key"

// NewKey returns a secret key that is not written yet.
func NewKey(id auth.CredentialID, tenant payment.TenantID, secret auth.Secret) auth.Credential {
	return auth.Credential{Tenant: tenant, ID: id, Kind: KindKey, Lookup: auth.Digest(secret), Name: "CHIP"}
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

// BrandOf returns the id of a tenant's only brand, as a UUID.
func BrandOf(tenant payment.TenantID) string {
	brand := payment.TenantID(new(wire.Digest).Bytes(tenant[:]).Text("chip brand").Sum())
	brand[6], brand[8] = brand[6]&0x0f|0x80, brand[8]&0x3f|0x80 // version 8: made of other ids
	return brand.UUID()
}
