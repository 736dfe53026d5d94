package smartglocal

import (
	"context"

	"github.com/refundry/refundry/internal/auth"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/wire"
)

// MakeCredential makes a project from what an operator sends: {"brand",
// "name", "public_keys": [PEM, …]}. It shows the provider's public key.
func (d *Door) MakeCredential(ctx context.Context, id auth.CredentialID, tenant payment.TenantID, body wire.Value,
) (auth.Credential, map[string]string, error) {
	brand, _ := body.Get("brand").Text()
	name, _ := body.Get("name").Text()
	var keys []string
	for _, element := range body.Get("public_keys").Elements() {
		text, ok := element.Text()
		if !ok {
			return auth.Credential{}, nil, errKey
		}
		keys = append(keys, text)
	}
	made, err := NewProject(ctx, d.config.Auth, id, tenant, Brand(brand), name, keys...)
	if err != nil {
		return auth.Credential{}, nil, err
	}
	public, err := ProviderKey(made)
	return made, map[string]string{"provider_public_key": public}, err
}
