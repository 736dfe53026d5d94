package primer

import (
	"context"
	"crypto/rand"
	"slices"
	"strings"
	"time"

	"github.com/refundry/refundry/internal/auth"
	"github.com/refundry/refundry/internal/fault"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/wire"
)

// KindKey is the kind of credential that an API key is. Its lookup is the
// digest of the key, its public part the scopes, with spaces between.
const KindKey auth.Kind = "primer_key"

// scope is what a key may do.
type scope string

// The scopes that calls need. A key without any has all of them.
const (
	scopeAuthorize scope = "transactions:authorize"
	scopeCancel    scope = "transactions:cancel"
	scopeCapture   scope = "transactions:capture"
	scopeRetrieve  scope = "transactions:retrieve"
	scopeRefund    scope = "transactions:refund"
)

var scopes = []scope{scopeAuthorize, scopeCancel, scopeCapture, scopeRetrieve, scopeRefund}

// errScopes means that a key's scopes cannot be read. It never repeats them.
var errScopes = fault.New(fault.Invalid, "scopes is a list of transactions:authorize, transactions:cancel, "+
	"transactions:capture, transactions:retrieve and transactions:refund")

func hasScope(key auth.Credential, needed scope) bool {
	has := strings.Fields(key.Public)
	return len(has) == 0 || slices.Contains(has, string(needed))
}

// NewKey returns an API key that is not written yet. It has all scopes if none is named.
func NewKey(id auth.CredentialID, tenant payment.TenantID, secret auth.Secret, scopes ...string) auth.Credential {
	return auth.Credential{
		Tenant: tenant, ID: id, Kind: KindKey, Lookup: auth.Digest(secret), Name: "Primer",
		Public: strings.Join(scopes, " "),
	}
}

// MakeCredential makes an API key from what an operator sends: {"name",
// "scopes": ["transactions:refund", …]}. The key is shown this once.
func (d *Door) MakeCredential(_ context.Context, id auth.CredentialID, tenant payment.TenantID, body wire.Value,
) (auth.Credential, map[string]string, error) {
	var named []string
	given := body.Get("scopes")
	for _, element := range given.Elements() {
		text, _ := element.Text()
		if !slices.Contains(scopes, scope(text)) {
			return auth.Credential{}, nil, errScopes
		}
		named = append(named, text)
	}
	if given.IsGiven() && len(named) == 0 {
		return auth.Credential{}, nil, errScopes // a slip must not make a key that may do everything
	}
	secret := auth.NewAPIKey(rand.Reader)
	made := NewKey(id, tenant, secret, named...)
	if name, ok := body.Get("name").Text(); ok {
		made.Name = name
	}
	return made, map[string]string{"key": secret.Reveal()}, nil
}

// KindWebhookSecret is the kind of credential that signs webhooks. The newest
// signs as primary; the one before it as secondary, for a day.
const KindWebhookSecret auth.Kind = "primer_webhook_secret"

// webhookSecretName is what a webhook secret is called for people.
const webhookSecretName = "Primer webhooks"

// NewWebhookSecret returns an account's webhook secret that is not written yet.
func NewWebhookSecret(of *auth.Auth, id auth.CredentialID, tenant payment.TenantID, secret auth.Secret,
) (auth.Credential, error) {
	return of.Seal(auth.Credential{
		Tenant: tenant, ID: id, Kind: KindWebhookSecret, Lookup: id.String(), Name: webhookSecretName,
	}, []byte(secret.Reveal()))
}

// EndpointSecret makes the webhook secret of an account, to be shown this once,
// and says for how long the one before it signs too. isFirst: only if there is
// none yet; else it is empty.
func (d *Door) EndpointSecret(ctx context.Context, by auth.By, tenant payment.TenantID, isFirst bool,
) (auth.Secret, time.Duration, error) {
	if isFirst {
		_, err := d.config.Auth.CredentialWhere(ctx, tenant, KindWebhookSecret, func(auth.Credential) bool { return true })
		if fault.CodeOf(err) != fault.NotFound {
			return "", 0, err
		}
	}
	secret := auth.NewAPIKey(rand.Reader)
	made, err := NewWebhookSecret(d.config.Auth, d.config.NewID(), tenant, secret)
	if err == nil {
		_, err = d.config.Auth.PutCredential(ctx, by, made)
	}
	return secret, secondaryFor, err
}

// MakeWebhookSecret rotates an account's webhook secret, as an operator asks
// for it: from now on the new one signs as primary, and the one before as
// secondary for a day. The secret is shown this once.
func (d *Door) MakeWebhookSecret(_ context.Context, id auth.CredentialID, tenant payment.TenantID, body wire.Value,
) (auth.Credential, map[string]string, error) {
	secret := auth.NewAPIKey(rand.Reader)
	made, err := NewWebhookSecret(d.config.Auth, id, tenant, secret)
	if name, ok := body.Get("name").Text(); ok {
		made.Name = name
	}
	return made, map[string]string{"secret": secret.Reveal()}, err
}
