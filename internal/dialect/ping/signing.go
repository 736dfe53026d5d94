package ping

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"

	"github.com/refundry/refundry/internal/auth"
	"github.com/refundry/refundry/internal/fault"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/webhook"
)

// KindSigningKey is the kind of credential that callbacks are signed with. Its
// public part is the public key, 32 bytes in Base64; its secret the seed.
const KindSigningKey auth.Kind = "ping_signing_key"

// shownNewKey and shownKey are the two names that a key goes by.
type (
	shownNewKey struct {
		Public string `json:"public_key"`
	}
	shownKey struct {
		Public string `json:"key"`
	}
)

// signingKey returns the key that signs: the newest one; fault.NotFound.
func (d *Door) signingKey(ctx context.Context, tenant payment.TenantID) (auth.Credential, error) {
	return d.config.Auth.CredentialOf(ctx, tenant, KindSigningKey)
}

// generateKey makes a key, which signs from now on. Older ones end.
func (d *Door) generateKey(c *call) (any, error) {
	if err := c.err(); err != nil {
		return nil, err
	}
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make a signing key: %w", err)
	}
	id := auth.CredentialID(d.config.NewID())
	made, err := d.config.Auth.Seal(auth.Credential{
		Tenant: c.tenant.ID, ID: id, Kind: KindSigningKey, Lookup: id.UUID(), Name: "Ping Payments callbacks",
		Public: base64.StdEncoding.EncodeToString(public),
	}, private.Seed())
	if err != nil {
		return nil, err
	}
	if _, err := d.config.Auth.PutCredential(c.ctx, c.by(), made); err != nil {
		return nil, err
	}
	all, err := d.config.Auth.Credentials(c.ctx, c.tenant.ID)
	if err != nil {
		return nil, err
	}
	for _, other := range all {
		isOlder := other.Kind == KindSigningKey && other.ID.Compare(id) < 0
		if isOlder && other.RevokedAt.IsZero() {
			if err := d.config.Auth.Revoke(c.ctx, c.by(), c.tenant.ID, other.ID); err != nil {
				return nil, err
			}
		}
	}
	return shownNewKey{made.Public}, nil
}

// getKey shows the key that signs.
func (d *Door) getKey(c *call) (any, error) {
	if err := c.err(); err != nil {
		return nil, err
	}
	key, err := d.signingKey(c.ctx, c.tenant.ID)
	if fault.CodeOf(err) == fault.NotFound && err != nil {
		return nil, notFound("Signing key")
	}
	if err != nil {
		return nil, err
	}
	return shownKey{key.Public}, nil
}

// errSeed never repeats the seed.
var errSeed = errors.New("a signing key has no seed of 32 bytes")

// sign returns the headers of one attempt, with a signature if the tenant has a
// key: the one that it has now.
func (d *Door) sign(ctx context.Context, letter webhook.Letter) (http.Header, error) {
	header := http.Header{"Content-Type": {"application/json"}}
	key, err := d.signingKey(ctx, letter.Tenant)
	if err != nil {
		if fault.CodeOf(err) == fault.NotFound {
			return header, nil
		}
		return nil, err
	}
	seed, err := d.config.Auth.Open(key)
	if err != nil {
		return nil, err
	}
	if len(seed) != ed25519.SeedSize {
		return nil, errSeed
	}
	tenant, err := d.config.Auth.Tenant(ctx, letter.Tenant)
	if err != nil {
		return nil, err
	}
	signature := signature(seed, letter.Body, settingSignatureEncoding.Of(tenant.Settings))
	header.Set(signatureHeaderOf(tenant.Settings), signature)
	return header, nil
}

// signature returns the signature of a body's bytes as they are sent.
func signature(seed, body []byte, encoding string) string {
	raw := ed25519.Sign(ed25519.NewKeyFromSeed(seed), body)
	switch encoding {
	case encodingHex:
		return hex.EncodeToString(raw)
	case encodingBase64URL:
		return base64.URLEncoding.EncodeToString(raw)
	default:
		return base64.StdEncoding.EncodeToString(raw)
	}
}
