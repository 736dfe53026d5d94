package auth

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/refundry/refundry/internal/engine"
	"github.com/refundry/refundry/internal/fault"
	"github.com/refundry/refundry/internal/payment"
)

// ChangeEndpoint changes one endpoint: decide is given it as it is, once more
// if somebody else has changed the tenant meanwhile. One of our own API that is
// disabled or enabled by this tells so; fault.NotFound.
func (a *Auth) ChangeEndpoint(ctx context.Context, by By, tenant payment.TenantID, id payment.EndpointID,
	decide func(*Endpoint) error,
) (changed Endpoint, err error) {
	err = again(func() (err error) {
		changed, err = a.changeEndpoint(ctx, by, tenant, id, decide, time.Time{})
		return err
	})
	return changed, err
}

// DisableEndpoint lets an endpoint be told nothing until it is enabled again.
// Its open deliveries are canceled.
func (a *Auth) DisableEndpoint(ctx context.Context, by By, tenant payment.TenantID, id payment.EndpointID,
	disabling payment.Disabling,
) error {
	err := again(func() error {
		_, err := a.changeEndpoint(ctx, by, tenant, id, func(endpoint *Endpoint) error {
			if endpoint.Disabled || endpoint.URL != disabling.URL {
				return errIsSo
			}
			endpoint.Disabled, endpoint.DisabledFor = true, disabling.Reason
			return nil
		}, disabling.Since)
		return err
	})
	if errors.Is(err, errIsSo) || errors.Is(err, ErrRecovered) {
		return nil
	}
	return err
}

var errIsSo = errors.New("the endpoint is disabled already, or has moved")

// changeEndpoint tries once; fault.Conflict if somebody else was faster.
func (a *Auth) changeEndpoint(ctx context.Context, by By, id payment.TenantID, of payment.EndpointID,
	decide func(*Endpoint) error, since time.Time,
) (Endpoint, error) {
	tenant, err := a.config.Store.Tenant(ctx, id) // first: its version guards all that is read after it
	if err != nil {
		return Endpoint{}, err
	}
	endpoint, err := a.endpoint(ctx, id, of)
	if err != nil {
		return Endpoint{}, err
	}
	was := endpoint.Disabled
	if err := decide(&endpoint); err != nil {
		return Endpoint{}, err
	}
	if err := checkURL(endpoint.URL); err != nil {
		return Endpoint{}, err
	}
	change := Change{Tenant: &tenant, Of: id}
	detail := map[string]any{"after": describePlace(endpoint)}
	event := a.event(by, EventEndpointChanged, id, of, detail)
	if endpoint.Disabled != was {
		endpoint = a.turn(&change, endpoint, since, detail)
		if endpoint.Door == payment.DoorAPI {
			event = a.turned(by, endpoint, detail)
			a.tell(&change, event, tenant, endpoint)
		}
	}
	change.Endpoints, change.Events = []Endpoint{endpoint}, []payment.Event{event}
	return endpoint, a.change(ctx, change)
}

// turn disables or enables an endpoint.
func (a *Auth) turn(change *Change, endpoint Endpoint, since time.Time, detail map[string]any) Endpoint {
	if !endpoint.Disabled {
		endpoint.DisabledFor, change.Enabled = "", endpoint.ID
		return endpoint
	}
	if endpoint.DisabledFor == "" {
		endpoint.DisabledFor = payment.DisabledAsked
	}
	detail["reason"] = endpoint.DisabledFor
	if !since.IsZero() {
		change.Failing = Failing{endpoint.ID, since}
		detail["failing_since"] = since
	}
	return endpoint
}

// turned tells that an endpoint of our own API was disabled or enabled.
func (a *Auth) turned(by By, endpoint Endpoint, detail map[string]any) payment.Event {
	kind := EventEndpointEnabled
	if endpoint.Disabled {
		kind = EventEndpointDisabled
	}
	event := a.event(by, kind, endpoint.Tenant, endpoint.ID, detail)
	event.Door = payment.DoorAPI
	return event
}

// tell lets the tenant's endpoints, as they will be, be told an event.
func (a *Auth) tell(change *Change, event payment.Event, tenant payment.Tenant, changed Endpoint) {
	if a.config.Router == nil {
		return
	}
	event.Version = tenant.Version + 1 // the change fails if it is not the next
	tenant.Endpoints = slices.Clone(tenant.Endpoints)
	for i := range tenant.Endpoints {
		if tenant.Endpoints[i].ID == changed.ID {
			tenant.Endpoints[i] = changed.Endpoint
		}
	}
	book := payment.NewBook(a.config.Now(), a.config.NewID)
	book.PutTenant(&tenant)
	engine.Deliver(book, a.config.Router, payment.Telling{Event: event})
	change.Deliveries, change.Tasks = book.Changes.Deliveries, book.Changes.Tasks
}

// endpoint returns an endpoint in use, as it is in the store.
func (a *Auth) endpoint(ctx context.Context, tenant payment.TenantID, id payment.EndpointID) (Endpoint, error) {
	all, err := a.config.Store.Endpoints(ctx, tenant)
	if err != nil {
		return Endpoint{}, err
	}
	at := slices.IndexFunc(all, func(e Endpoint) bool { return e.ID == id })
	if at < 0 {
		return Endpoint{}, fault.New(fault.NotFound, "no such endpoint")
	}
	return all[at], nil
}

// seal gives an endpoint another secret.
func (a *Auth) seal(endpoint *Endpoint, secret []byte) (err error) {
	if endpoint.Secret, err = a.config.Keyring.Seal(secret, endpoint.row()); err != nil {
		return fmt.Errorf("endpoint: %w", err)
	}
	return nil
}
