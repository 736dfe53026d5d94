package chip

import (
	"context"
	"crypto/rand"
	"net/http"
	"strings"

	"github.com/refundry/refundry/internal/auth"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/wire"
)

// KindKey is the kind of credential that a secret key is. Its lookup is the
// digest of the key.
const KindKey auth.Kind = "chip_key"

// KindCompany is the kind of credential that a company's key pair is: its
// public part is PEM, its secret is PKCS #8. It signs what no webhook's own
// key signs.
const KindCompany auth.Kind = "chip_company"

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
	if name, _ := body.Get("name").Text(); name != "" {
		made.Name = name
	}
	return made, map[string]string{"key": secret.Reveal(), "brand_id": BrandOf(tenant)}, nil
}

// BrandOf returns the id of a tenant's only brand, as a UUID.
func BrandOf(tenant payment.TenantID) string { return derived(tenant, "chip brand").UUID() }

// accountOf returns the id of a tenant's only account, as a UUID.
func accountOf(tenant payment.TenantID) string { return derived(tenant, "chip account").UUID() }

// derived returns the id of what a tenant has one of, for each name.
func derived(tenant payment.TenantID, names ...string) payment.TenantID {
	digest := new(wire.Digest).Bytes(tenant[:])
	for _, name := range names {
		digest.Text(name)
	}
	id := payment.TenantID(digest.Sum())
	id[6], id[8] = id[6]&0x0f|0x80, id[8]&0x3f|0x80 // version 8: made of other ids
	return id
}

// company returns the company's key pair, and makes it if there is none.
func (d *Door) company(ctx context.Context, by auth.By, tenant payment.TenantID) (auth.Credential, error) {
	return d.config.Auth.Secret(ctx, by, tenant, KindCompany, "CHIP company", func() (string, []byte, error) {
		private, public, err := wire.NewRSAKey()
		return public, private, err
	})
}

// publicKey shows the key that verifies what the company's key signs.
func (d *Door) publicKey(c *call) (int, any, error) {
	company, err := d.company(c.ctx, c.by(), c.tenant.ID)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, strings.TrimSpace(company.Public), nil
}
