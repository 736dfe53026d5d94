package auth

import (
	"context"
	"fmt"
	"net/url"
	"unicode/utf8"

	"github.com/refundry/refundry/internal/fault"
	"github.com/refundry/refundry/internal/payment"
)

const urlLengthMax = 2000

// Endpoints returns a tenant's endpoints in use.
func (a *Auth) Endpoints(ctx context.Context, tenant payment.TenantID) ([]Endpoint, error) {
	return a.config.Store.Endpoints(ctx, tenant)
}

// AddEndpoint makes a webhook endpoint. secret, as [NewEndpointSecret] spells
// it, signs its deliveries where the door has no key of its own; empty: a new one.
func (a *Auth) AddEndpoint(ctx context.Context, by By, tenant payment.TenantID, door payment.Door, to string,
	kinds []payment.EventKind, secret Secret,
) (endpoint Endpoint, used Secret, err error) {
	if endpoint, used, err = a.newEndpoint(tenant, door, to, kinds, secret); err != nil {
		return Endpoint{}, "", err
	}
	return endpoint, used, a.change(ctx, Change{
		Of: tenant, Endpoints: []Endpoint{endpoint}, Events: []payment.Event{
			a.event(by, EventEndpointCreated, tenant, endpoint.ID, map[string]any{"after": describePlace(endpoint)}),
		},
	})
}

// describePlace returns what of an endpoint the audit trail may hold. The path
// and the query of its URL may be secret.
func describePlace(endpoint Endpoint) map[string]any {
	shown := map[string]any{"door": endpoint.Door, "kinds": endpoint.Kinds, "is_disabled": endpoint.Disabled}
	if to, err := url.Parse(endpoint.URL); err == nil {
		shown["host"] = to.Host
	}
	return shown
}

// newEndpoint returns an endpoint that is not written yet.
func (a *Auth) newEndpoint(tenant payment.TenantID, door payment.Door, to string, kinds []payment.EventKind, secret Secret,
) (Endpoint, Secret, error) {
	if err := checkURL(to); err != nil {
		return Endpoint{}, "", err
	}
	if secret == "" {
		secret = NewEndpointSecret(a.config.Random)
	}
	raw, err := parseEndpointSecret(secret)
	if err != nil {
		return Endpoint{}, "", err
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
	to, err := url.Parse(text) // it refuses control characters
	if err != nil || (to.Scheme != "http" && to.Scheme != "https") || to.Hostname() == "" || to.User != nil ||
		to.Fragment != "" || len(text) > urlLengthMax || !utf8.ValidString(text) {
		return fault.New(fault.Invalid, "an endpoint's URL is http:// or https://, without user, password or fragment")
	}
	return nil
}

// RemoveEndpoint ends an endpoint. Its open deliveries are canceled.
func (a *Auth) RemoveEndpoint(ctx context.Context, by By, tenant payment.TenantID, id payment.EndpointID) error {
	endpoint, err := a.endpoint(ctx, tenant, id)
	if err != nil {
		return err
	}
	endpoint.DeletedAt = a.config.Now()
	return a.change(ctx, Change{
		Of: tenant, Endpoints: []Endpoint{endpoint}, Events: []payment.Event{
			a.event(by, EventEndpointRemoved, tenant, id, map[string]any{"before": describePlace(endpoint)}),
		},
	})
}

// PutEndpoint writes an endpoint of a door that manages its own: a new one if
// it has no id. secret is what its deliveries are signed with, as the door
// keeps it; nil: as it was.
func (a *Auth) PutEndpoint(ctx context.Context, by By, endpoint Endpoint, secret []byte) (Endpoint, error) {
	if err := checkURL(endpoint.URL); err != nil {
		return Endpoint{}, err
	}
	kind, detail := EventEndpointChanged, map[string]any{"after": describePlace(endpoint)}
	if endpoint.ID.IsZero() {
		kind, endpoint.ID, endpoint.CreatedAt = EventEndpointCreated, a.config.NewID(), a.config.Now()
	}
	if secret != nil || endpoint.Secret == nil {
		var err error
		if endpoint.Secret, err = a.config.Keyring.Seal(secret, endpoint.row()); err != nil {
			return Endpoint{}, fmt.Errorf("endpoint: %w", err)
		}
	}
	return endpoint, a.change(ctx, Change{
		Of: endpoint.Tenant, Endpoints: []Endpoint{endpoint}, Events: []payment.Event{
			a.event(by, kind, endpoint.Tenant, endpoint.ID, detail),
		},
	})
}

// ChangeEndpoints changes endpoints of a tenant in one commit. decide is given
// those in use and returns those that are to be written: one without an id is
// new, one with an end is removed. It is called again, with what is in use
// then, if somebody else has changed the tenant meanwhile.
func (a *Auth) ChangeEndpoints(ctx context.Context, by By, tenant payment.TenantID, decide func([]Endpoint) []Endpoint) error {
	return again(func() error { return a.changeEndpoints(ctx, by, tenant, decide) })
}

// changeEndpoints tries once; fault.Conflict if somebody else was faster.
func (a *Auth) changeEndpoints(ctx context.Context, by By, id payment.TenantID, decide func([]Endpoint) []Endpoint) error {
	tenant, err := a.config.Store.Tenant(ctx, id) // first: its version guards all that is read after it
	if err != nil {
		return err
	}
	inUse, err := a.config.Store.Endpoints(ctx, id)
	if err != nil {
		return err
	}
	change := Change{Tenant: &tenant, Of: id}
	for _, endpoint := range decide(inUse) {
		kind, said := EventEndpointChanged, "after"
		switch {
		case endpoint.ID.IsZero():
			kind, endpoint.ID, endpoint.Tenant, endpoint.CreatedAt = EventEndpointCreated, a.config.NewID(), id, a.config.Now()
			if endpoint.Secret, err = a.config.Keyring.Seal(nil, endpoint.row()); err != nil {
				return fmt.Errorf("endpoint: %w", err)
			}
		case !endpoint.DeletedAt.IsZero():
			kind, said = EventEndpointRemoved, "before"
		}
		if err := checkURL(endpoint.URL); err != nil {
			return err
		}
		change.Endpoints = append(change.Endpoints, endpoint)
		change.Events = append(change.Events, a.event(by, kind, id, endpoint.ID, map[string]any{said: describePlace(endpoint)}))
	}
	if len(change.Endpoints) == 0 {
		return nil
	}
	return a.change(ctx, change)
}
