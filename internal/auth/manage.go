package auth

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"strings"

	"github.com/refundry/refundry/internal/fault"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/setting"
)

// The kinds of event by which changes of settings are told, to the feed and
// the audit trail.
const (
	EventTenantCreated   payment.EventKind = "tenant.created"
	EventSettingsChanged payment.EventKind = "settings.changed"
	EventKeyCreated      payment.EventKind = "key.created"
	EventKeyRevoked      payment.EventKind = "key.revoked"
	EventEndpointCreated payment.EventKind = "endpoint.created"
	EventEndpointRemoved payment.EventKind = "endpoint.removed"
)

const (
	nameLengthMax = 100
	urlLengthMax  = 2000
)

// By says who changes settings.
type By struct {
	Actor   string
	Request string // request id
}

// event tells of a change. Detail never has a secret in it.
func (a *Auth) event(by By, kind payment.EventKind, tenant payment.TenantID, subject [16]byte, detail any) payment.Event {
	text, err := json.Marshal(detail)
	if err != nil {
		panic("auth: a detail of ours cannot be written: " + err.Error())
	}
	return payment.Event{
		Tenant: tenant, Kind: kind, Subject: subject, At: a.config.Now(), Actor: by.Actor, Request: by.Request,
		Detail: string(text),
	}
}

// Tenants returns all tenants, by name.
func (a *Auth) Tenants(ctx context.Context) ([]payment.Tenant, error) {
	return a.config.Store.Tenants(ctx)
}

// CreateTenant makes a tenant; fault.Conflict if the name is taken.
func (a *Auth) CreateTenant(ctx context.Context, by By, name string) (payment.Tenant, error) {
	if name = strings.TrimSpace(name); name == "" || len(name) > nameLengthMax {
		return payment.Tenant{}, fault.New(fault.Invalid, "a tenant needs a name of at most %d bytes", nameLengthMax)
	}
	tenant := payment.Tenant{ID: a.config.NewID(), Name: name}
	err := a.change(ctx, Change{
		Tenant: &tenant, Of: tenant.ID,
		Events: []payment.Event{a.event(by, EventTenantCreated, tenant.ID, tenant.ID, map[string]string{"name": name})},
	})
	return tenant, err
}

// change writes a change and forgets what it made old.
func (a *Auth) change(ctx context.Context, change Change) error {
	err := a.config.Store.Change(ctx, change)
	a.forget()
	return err
}

// Specs describes every setting.
func (a *Auth) Specs() []setting.Spec { return a.config.Specs }

// SetSettings changes settings of a tenant: each name gets its value, or its
// default again if that is nil. All of them are changed, or none.
func (a *Auth) SetSettings(ctx context.Context, by By, id payment.TenantID, changes map[string]any) error {
	tenant, err := a.config.Store.Tenant(ctx, id)
	if err != nil {
		return err
	}
	values := maps.Clone(tenant.Settings)
	if values == nil {
		values = setting.Values{}
	}
	before, after := map[string]any{}, map[string]any{}
	for name, value := range changes {
		spec, err := a.spec(name)
		if err != nil {
			return err
		}
		before[name] = values[name]
		if value == nil {
			delete(values, name)
			continue
		}
		if values[name], err = spec.Check(value); err != nil {
			return err
		}
		after[name] = values[name]
	}
	tenant.Settings = values
	return a.change(ctx, Change{
		Tenant: &tenant, Of: id, Events: []payment.Event{
			a.event(by, EventSettingsChanged, id, id, map[string]any{"before": before, "after": after}),
		},
	})
}

func (a *Auth) spec(name string) (setting.Spec, error) {
	for _, spec := range a.config.Specs {
		if spec.Name == name {
			return spec, nil
		}
	}
	return setting.Spec{}, fault.New(fault.Invalid, "there is no such setting")
}

// CreateAPIKey makes a key of our own API and returns it: it is not shown again.
func (a *Auth) CreateAPIKey(ctx context.Context, by By, tenant payment.TenantID, name string) (string, Credential, error) {
	key := NewAPIKey()
	credential, err := a.PutCredential(ctx, by, Credential{Tenant: tenant, Kind: KindAPIKey, Lookup: Digest(key), Name: name})
	return key, credential, err
}

// PutCredential writes a credential: a new one if it has no id.
func (a *Auth) PutCredential(ctx context.Context, by By, credential Credential) (Credential, error) {
	if len(credential.Name) > nameLengthMax {
		return Credential{}, fault.New(fault.Invalid, "a name has at most %d bytes", nameLengthMax)
	}
	if credential.ID.IsZero() {
		credential.ID = a.config.NewID()
	}
	if credential.CreatedAt.IsZero() {
		credential.CreatedAt = a.config.Now()
	}
	return credential, a.change(ctx, Change{
		Of: credential.Tenant, Credentials: []Credential{credential},
		Events: []payment.Event{a.event(by, EventKeyCreated, credential.Tenant, credential.ID, map[string]string{
			"kind": string(credential.Kind), "name": credential.Name,
		})},
	})
}

// Credentials returns a tenant's credentials, the revoked ones too.
func (a *Auth) Credentials(ctx context.Context, tenant payment.TenantID) ([]Credential, error) {
	return a.config.Store.Credentials(ctx, tenant)
}

// Revoke ends a credential. It is never valid again.
func (a *Auth) Revoke(ctx context.Context, by By, tenant payment.TenantID, id CredentialID) error {
	all, err := a.config.Store.Credentials(ctx, tenant)
	if err != nil {
		return err
	}
	for _, credential := range all {
		if credential.ID != id {
			continue
		}
		if !credential.RevokedAt.IsZero() {
			return nil
		}
		credential.RevokedAt = a.config.Now()
		return a.change(ctx, Change{
			Of: tenant, Credentials: []Credential{credential},
			Events: []payment.Event{a.event(by, EventKeyRevoked, tenant, id, map[string]string{"name": credential.Name})},
		})
	}
	return fault.New(fault.NotFound, "no such credential")
}

// Endpoints returns a tenant's endpoints in use.
func (a *Auth) Endpoints(ctx context.Context, tenant payment.TenantID) ([]Endpoint, error) {
	return a.config.Store.Endpoints(ctx, tenant)
}

// AddEndpoint makes a webhook endpoint. secret, as [NewEndpointSecret] spells
// it, signs its deliveries where the door has no key of its own; empty: a new one.
func (a *Auth) AddEndpoint(ctx context.Context, by By, tenant payment.TenantID, door payment.Door, to string,
	kinds []payment.EventKind, secret string,
) (endpoint Endpoint, secretUsed string, err error) {
	if endpoint, secretUsed, err = a.NewEndpoint(tenant, door, to, kinds, secret); err != nil {
		return Endpoint{}, "", err
	}
	return endpoint, secretUsed, a.change(ctx, Change{
		Of: tenant, Endpoints: []Endpoint{endpoint},
		Events: []payment.Event{a.event(by, EventEndpointCreated, tenant, endpoint.ID, map[string]string{"door": string(door)})},
	})
}

// NewEndpoint returns an endpoint that is not written yet.
func (a *Auth) NewEndpoint(tenant payment.TenantID, door payment.Door, to string, kinds []payment.EventKind, secret string,
) (Endpoint, string, error) {
	if err := checkURL(to); err != nil {
		return Endpoint{}, "", err
	}
	if secret == "" {
		secret = NewEndpointSecret()
	}
	raw, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if err != nil || len(raw) < secretBytes {
		return Endpoint{}, "", fault.New(fault.Invalid, "a secret is whsec_ and Base64 of at least %d bytes", secretBytes)
	}
	endpoint := Endpoint{
		Endpoint:  payment.Endpoint{ID: a.config.NewID(), Door: door, URL: to, Kinds: kinds},
		Tenant:    tenant,
		CreatedAt: a.config.Now(),
	}
	if endpoint.Secret, err = a.config.Keyring.Seal(raw, endpoint.row()); err != nil {
		return Endpoint{}, "", fmt.Errorf("endpoint: %w", err)
	}
	return endpoint, secret, nil
}

// checkURL refuses what no webhook can be sent to. Whether the address may be
// reached is decided when it is dialed.
func checkURL(text string) error {
	to, err := url.Parse(text)
	if err != nil || (to.Scheme != "http" && to.Scheme != "https") || to.Host == "" || to.User != nil ||
		to.Fragment != "" || len(text) > urlLengthMax || strings.ContainsRune(text, 0) {
		return fault.New(fault.Invalid, "an endpoint's URL is http:// or https://, without user, password or fragment")
	}
	return nil
}

// RemoveEndpoint ends an endpoint. Its open deliveries are canceled.
func (a *Auth) RemoveEndpoint(ctx context.Context, by By, tenant payment.TenantID, id payment.EndpointID) error {
	all, err := a.config.Store.Endpoints(ctx, tenant)
	if err != nil {
		return err
	}
	for _, endpoint := range all {
		if endpoint.ID != id {
			continue
		}
		endpoint.DeletedAt = a.config.Now()
		return a.change(ctx, Change{
			Of: tenant, Endpoints: []Endpoint{endpoint},
			Events: []payment.Event{
				a.event(by, EventEndpointRemoved, tenant, id, map[string]string{"door": string(endpoint.Door)}),
			},
		})
	}
	return fault.New(fault.NotFound, "no such endpoint")
}
