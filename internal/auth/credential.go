package auth

import (
	"context"
	"slices"

	"github.com/refundry/refundry/internal/fault"
	"github.com/refundry/refundry/internal/payment"
)

// CreateAPIKey makes a key of our own API and returns it: it is not shown again.
func (a *Auth) CreateAPIKey(ctx context.Context, by By, tenant payment.TenantID, name string) (Secret, Credential, error) {
	key := NewAPIKey(a.config.Random)
	credential, err := a.PutCredential(ctx, by, Credential{Tenant: tenant, Kind: KindAPIKey, Lookup: Digest(key), Name: name})
	return key, credential, err
}

// PutCredential writes a credential: a new one if it has no time of creation.
// What has been revoked stays so.
func (a *Auth) PutCredential(ctx context.Context, by By, credential Credential) (Credential, error) {
	credential, change, err := a.put(ctx, by, credential)
	if err != nil {
		return Credential{}, err
	}
	return credential, a.change(ctx, change)
}

// put returns a credential as it will be, and the change that writes it.
func (a *Auth) put(ctx context.Context, by By, credential Credential) (Credential, Change, error) {
	if !isName(credential.Name) {
		return Credential{}, Change{}, errName
	}
	if credential.ID.IsZero() {
		credential.ID = a.config.NewID()
	}
	kind, detail := EventKeyCreated, map[string]any{"kind": credential.Kind, "after": describe(credential)}
	if credential.CreatedAt.IsZero() {
		credential.CreatedAt = a.config.Now()
	} else {
		before, err := a.find(ctx, credential.Tenant, credential.ID)
		if err != nil {
			return Credential{}, Change{}, err
		}
		kind, detail["before"] = EventKeyChanged, describe(before)
	}
	return credential, Change{
		Of: credential.Tenant, Credentials: []Credential{credential},
		Events: []payment.Event{a.event(by, kind, credential.Tenant, credential.ID, detail)},
	}, nil
}

// describe returns what of a credential the audit trail may hold. Its public
// part may be long: a digest tells whether it changed.
func describe(credential Credential) map[string]string {
	shown := map[string]string{"name": credential.Name}
	switch {
	case credential.Public == "":
	case credential.Kind == KindAPIKey: // what it may do
		shown["scopes"] = credential.Public
	default:
		shown["public_sha256"] = digest(credential.Public)
	}
	if credential.Kind != KindAPIKey { // there it is a digest, of no use to anybody
		shown["lookup"] = credential.Lookup
	}
	return shown
}

// find returns a credential, valid or not, as it is in the store.
func (a *Auth) find(ctx context.Context, tenant payment.TenantID, id CredentialID) (Credential, error) {
	all, err := a.config.Store.Credentials(ctx, tenant)
	if err != nil {
		return Credential{}, err
	}
	at := slices.IndexFunc(all, func(c Credential) bool { return c.ID == id })
	if at < 0 {
		return Credential{}, fault.New(fault.NotFound, "no such credential")
	}
	return all[at], nil
}

// ChangeKey changes what is not secret of a credential: decide is given it as it
// is, once more if somebody else has changed the tenant meanwhile; fault.NotFound,
// and fault.Conflict if it was revoked.
func (a *Auth) ChangeKey(ctx context.Context, by By, tenant payment.TenantID, id CredentialID,
	decide func(*Credential) error,
) (changed Credential, err error) {
	err = again(func() (err error) {
		changed, err = a.changeKey(ctx, by, tenant, id, decide)
		return err
	})
	if err == nil && !changed.RevokedAt.IsZero() {
		err = fault.New(fault.Conflict, "the key was revoked")
	}
	return changed, err
}

// changeKey tries once; fault.Conflict if somebody else was faster. One that was
// revoked is returned as it is.
func (a *Auth) changeKey(ctx context.Context, by By, id payment.TenantID, of CredentialID, decide func(*Credential) error,
) (Credential, error) {
	tenant, err := a.config.Store.Tenant(ctx, id) // first: its version guards all that is read after it
	if err != nil {
		return Credential{}, err
	}
	credential, err := a.find(ctx, id, of)
	if err != nil || !credential.RevokedAt.IsZero() {
		return credential, err
	}
	if err := decide(&credential); err != nil {
		return Credential{}, err
	}
	credential, change, err := a.put(ctx, by, credential)
	if err != nil {
		return Credential{}, err
	}
	change.Tenant = &tenant
	return credential, a.change(ctx, change)
}

// Key returns a credential, valid or not; fault.NotFound.
func (a *Auth) Key(ctx context.Context, tenant payment.TenantID, id CredentialID) (Credential, error) {
	return a.find(ctx, tenant, id)
}

// Secret returns a tenant's credential of a kind of which there is one, and
// makes it if there is none: make returns its public and its secret part. Of
// several callers at once one makes it, and all get the same.
func (a *Auth) Secret(ctx context.Context, by By, tenant payment.TenantID, kind Kind, name string,
	make func() (public string, secret []byte, err error),
) (Credential, error) {
	found, err := a.CredentialOf(ctx, tenant, kind)
	if err == nil || fault.CodeOf(err) != fault.NotFound {
		return found, err
	}
	public, secret, err := make()
	if err != nil {
		return Credential{}, err
	}
	made := Credential{Tenant: tenant, ID: a.config.NewID(), Kind: kind, Lookup: tenant.UUID(), Name: name, Public: public}
	if made, err = a.Seal(made, secret); err != nil {
		return Credential{}, err
	}
	made, err = a.PutCredential(ctx, by, made)
	if fault.CodeOf(err) == fault.Conflict {
		a.forget()
		return a.CredentialOf(ctx, tenant, kind) // somebody was faster
	}
	return made, err
}

// Credentials returns a tenant's credentials, the revoked ones too.
func (a *Auth) Credentials(ctx context.Context, tenant payment.TenantID) ([]Credential, error) {
	return a.config.Store.Credentials(ctx, tenant)
}

// Revoke ends a credential. It is never valid again.
func (a *Auth) Revoke(ctx context.Context, by By, tenant payment.TenantID, id CredentialID) error {
	credential, err := a.find(ctx, tenant, id)
	if err != nil || !credential.RevokedAt.IsZero() {
		return err
	}
	credential.RevokedAt = a.config.Now()
	return a.change(ctx, Change{
		Of: tenant, Credentials: []Credential{credential}, Events: []payment.Event{
			a.event(by, EventKeyRevoked, tenant, id, map[string]any{"kind": credential.Kind, "before": describe(credential)}),
		},
	})
}
