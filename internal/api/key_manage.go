package api

import (
	"context"
	"net/http"

	"github.com/refundry/refundry/internal/auth"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/wire"
)

// MakeCredential makes a credential of a front door's own kind for a tenant,
// under an id, from the request's body. It is written afterwards. Shown is what
// its owner may be told this once: public keys, secrets.
type MakeCredential func(ctx context.Context, id auth.CredentialID, tenant payment.TenantID, body wire.Value,
) (credential auth.Credential, shown map[string]string, err error)

// listKeys shows a tenant's credentials of all kinds, without their secrets.
func (a *API) listKeys(w http.ResponseWriter, r *http.Request, caller auth.Identity) error {
	keys, err := a.config.Auth.Credentials(r.Context(), caller.Tenant)
	if err != nil {
		return err
	}
	list(w, "keys", keys, func(to *writer, key auth.Credential) {
		to.begin("")
		showKey(to, key)
		to.end()
	})
	return nil
}

// showKey writes the members of a credential.
func showKey(w *writer, key auth.Credential) {
	named(w, "id", key.ID)
	w.string("kind", string(key.Kind))
	w.maybe("name", key.Name)
	if key.Kind != auth.KindAPIKey { // there it is a digest, of no use to anybody
		w.maybe("lookup", key.Lookup)
	}
	if _, err := wire.Parse([]byte(key.Public)); err == nil {
		w.raw("public", key.Public)
	} else {
		w.maybe("public", key.Public)
	}
	w.time("created_at", key.CreatedAt)
	w.time("revoked_at", key.RevokedAt)
}

// createKey makes a credential. What is secret of it is shown this once.
func (a *API) createKey(w http.ResponseWriter, r *http.Request, caller auth.Identity) error {
	in, err := a.read(w, r)
	if err != nil {
		return err
	}
	kind := auth.Kind(in.text("kind", nameMax))
	var key auth.Credential
	var shown map[string]string
	maker, known := a.config.Credentials[kind]
	switch {
	case kind == auth.KindAPIKey || kind == "":
		key, shown, err = a.createAPIKey(r, caller, in)
	case known:
		if key, shown, err = maker(r.Context(), a.config.NewID(), caller.Tenant, in.value); err == nil {
			key, err = a.config.Auth.PutCredential(r.Context(), by(r, caller), key)
		}
	default:
		in.wrong("kind", "is not a kind of key that is known")
		err = in.err()
	}
	if err != nil {
		return err
	}
	to := newWriter()
	to.begin("")
	showKey(to, key)
	for _, name := range sortedKeys(shown) {
		to.string(name, shown[name])
	}
	to.end()
	write(w, http.StatusCreated, false, to.text)
	return nil
}

func (a *API) createAPIKey(r *http.Request, caller auth.Identity, in object,
) (auth.Credential, map[string]string, error) {
	in.only("kind", "name")
	name := in.text("name", nameMax)
	if err := in.err(); err != nil {
		return auth.Credential{}, nil, err
	}
	key, credential, err := a.config.Auth.CreateAPIKey(r.Context(), by(r, caller), caller.Tenant, name)
	return credential, map[string]string{"key": key.Reveal()}, err
}

// revokeKey ends a credential.
func (a *API) revokeKey(w http.ResponseWriter, r *http.Request, caller auth.Identity) error {
	var id auth.CredentialID
	if id.Parse(r.PathValue("id")) != nil {
		return payment.NoSuch("key")
	}
	if err := a.config.Auth.Revoke(r.Context(), by(r, caller), caller.Tenant, id); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
