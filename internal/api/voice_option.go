package api

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"

	"github.com/refundry/refundry/internal/auth"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/webhook"
)

// Format is how an endpoint's webhooks are written.
type Format string

// The formats.
const (
	FormatPlain       Format = ""            // {"type", "timestamp", "sequence", "data"}
	FormatCloudEvents Format = "cloudevents" // CloudEvents 1.0, structured mode
)

// EndpointOptions is what an endpoint of our own may choose. It is kept as the
// endpoint's detail.
type EndpointOptions struct {
	IsOrdered bool   `json:"ordered,omitempty"` // the webhooks of a payment go out in order
	Format    Format `json:"format,omitempty"`
}

// Detail writes the options as an endpoint keeps them.
func (o EndpointOptions) Detail() string {
	if o == (EndpointOptions{}) {
		return ""
	}
	text, err := json.Marshal(o)
	if err != nil {
		panic("api: options that are no JSON")
	}
	return string(text)
}

// optionsOf reads an endpoint's options; what is not ours has none.
func optionsOf(endpoint payment.Endpoint) (o EndpointOptions) {
	if endpoint.Detail != "" {
		_ = json.Unmarshal([]byte(endpoint.Detail), &o) // ours, or nothing
	}
	return o
}

// optionsAt returns the options of one of a tenant's endpoints.
func optionsAt(tenant *payment.Tenant, id payment.EndpointID) EndpointOptions {
	for _, endpoint := range tenant.Endpoints {
		if endpoint.ID == id {
			return optionsOf(endpoint)
		}
	}
	return EndpointOptions{}
}

// kindSigningKey is the kind of credential by which a tenant's own webhooks
// are signed with Ed25519: a seed, its public part spelled as Standard
// Webhooks has it.
const kindSigningKey auth.Kind = "webhook_signing_key"

const publicKeyPrefix = "whpk_"

// signingKey returns a tenant's key pair. The first who asks makes it.
func signingKey(ctx context.Context, of *auth.Auth, tenant payment.TenantID,
) (private ed25519.PrivateKey, public string, err error) {
	by := auth.By{Actor: "clock"}
	credential, err := of.Secret(ctx, by, tenant, kindSigningKey, "webhooks", func() (string, []byte, error) {
		public, private, err := ed25519.GenerateKey(nil)
		if err != nil {
			return "", nil, err
		}
		return publicKeyPrefix + base64.StdEncoding.EncodeToString(public), private.Seed(), nil
	})
	if err != nil {
		return nil, "", err
	}
	seed, err := of.Open(credential)
	if err != nil {
		return nil, "", err
	}
	return ed25519.NewKeyFromSeed(seed), credential.Public, nil
}

// keysOf returns what an attempt is signed with.
func (v Voice) keysOf(ctx context.Context, letter webhook.Letter) (webhook.StandardKeys, error) {
	secrets, err := v.auth.EndpointSecrets(ctx, letter.Tenant, letter.Endpoint)
	if err != nil {
		return webhook.StandardKeys{}, err
	}
	private, _, err := signingKey(ctx, v.auth, letter.Tenant)
	return webhook.StandardKeys{Secrets: secrets, Private: private}, err
}
