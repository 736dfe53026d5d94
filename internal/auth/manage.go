package auth

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/refundry/refundry/internal/fault"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/setting"
	"github.com/refundry/refundry/internal/wire"
)

// The kinds of event by which changes of settings are told, to the feed and
// the audit trail.
const (
	EventTenantCreated   payment.EventKind = "tenant.created"
	EventTenantRenamed   payment.EventKind = "tenant.renamed"
	EventSettingsChanged payment.EventKind = "settings.changed"
	EventKeyCreated      payment.EventKind = "key.created"
	EventKeyChanged      payment.EventKind = "key.changed"
	EventKeyRevoked      payment.EventKind = "key.revoked"
	EventEndpointCreated payment.EventKind = "endpoint.created"
	EventEndpointChanged payment.EventKind = "endpoint.changed"
	EventEndpointRemoved payment.EventKind = "endpoint.removed"
	// Endpoints of our own API alone tell why they are told nothing any more, or that they are again.
	EventEndpointDisabled payment.EventKind = "endpoint.disabled"
	EventEndpointEnabled  payment.EventKind = "endpoint.enabled"
)

// EventKinds say what the kinds of event tell.
var EventKinds = []payment.KindDoc{
	{Kind: EventEndpointCreated, Doc: "A webhook endpoint was added."},
	{Kind: EventEndpointChanged, Doc: "A webhook endpoint was changed."},
	{Kind: EventEndpointRemoved, Doc: "A webhook endpoint was removed."},
	{Kind: EventEndpointDisabled, Doc: "An endpoint of the own API is told nothing any more, for a reason."},
	{Kind: EventEndpointEnabled, Doc: "It is told events again."},
	{Kind: EventTenantCreated, Doc: "There is a new tenant."},
	{Kind: EventTenantRenamed, Doc: "A tenant has another name."},
	{Kind: EventSettingsChanged, Doc: "Settings of a tenant were changed."},
	{Kind: EventKeyCreated, Doc: "A credential was made."},
	{Kind: EventKeyChanged, Doc: "A credential has another name, or other scopes."},
	{Kind: EventKeyRevoked, Doc: "A credential was ended."},
}

const nameLengthMax = 100

// By says who changes settings.
type By struct {
	Actor   string
	Request string // request id
	User    string // the person on whose behalf; empty: nobody was named
	Address string // the IP address of who asks; empty: not over the network
}

// event tells of a change. Detail never has a secret in it.
func (a *Auth) event(by By, kind payment.EventKind, tenant payment.TenantID, subject [16]byte, detail any) payment.Event {
	text, err := json.Marshal(detail)
	if err != nil {
		panic("auth: a detail of ours cannot be written: " + err.Error())
	}
	return payment.Event{
		Tenant: tenant, Kind: kind, Subject: subject, At: a.config.Now(), Actor: by.Actor, Request: by.Request,
		User: by.User, Address: by.Address, Detail: string(text),
	}
}

// Tenants returns all tenants, by name.
func (a *Auth) Tenants(ctx context.Context) ([]payment.Tenant, error) {
	return a.config.Store.Tenants(ctx)
}

// CreateTenant makes a tenant; fault.Conflict if the name is taken.
func (a *Auth) CreateTenant(ctx context.Context, by By, name string) (payment.Tenant, error) {
	if name = strings.TrimSpace(name); name == "" || !isName(name) {
		return payment.Tenant{}, errName
	}
	tenant := payment.Tenant{ID: a.config.NewID(), Name: name}
	err := a.change(ctx, Change{
		Tenant: &tenant, Of: tenant.ID,
		Events: []payment.Event{a.event(by, EventTenantCreated, tenant.ID, tenant.ID, map[string]string{"name": name})},
	})
	tenant.Version = 1
	return tenant, err
}

// RenameTenant gives a tenant another name; fault.NotFound, fault.Conflict if the name is taken.
func (a *Auth) RenameTenant(ctx context.Context, by By, id payment.TenantID, name string) error {
	if name = strings.TrimSpace(name); name == "" || !isName(name) {
		return errName
	}
	tenant, err := a.config.Store.Tenant(ctx, id)
	if err != nil || tenant.Name == name {
		return err
	}
	before := tenant.Name
	tenant.Name = name
	return a.change(ctx, Change{
		Tenant: &tenant, Of: id,
		Events: []payment.Event{a.event(by, EventTenantRenamed, id, id, map[string]string{"before": before, "after": name})},
	})
}

var errName = fault.New(fault.Invalid, "a name is a line of at most %d bytes", nameLengthMax)

// isName reports whether a text can be shown to people in a line.
func isName(text string) bool {
	return len(text) <= nameLengthMax && utf8.ValidString(text) && !strings.ContainsFunc(text, unicode.IsControl)
}

// change writes a change and forgets what it made old.
func (a *Auth) change(ctx context.Context, change Change) error {
	err := a.config.Store.Change(ctx, change)
	a.forget()
	if err == nil {
		wire.Changed(ctx)
	}
	return err
}

// triesMax is how often a change of a tenant is decided on again because
// somebody else was faster. Each time one of those who compete is done.
const triesMax = 100

// again tries until nobody else was faster.
func again(try func() error) error {
	for range triesMax {
		err := try()
		if fault.CodeOf(err) != fault.Conflict || errors.Is(err, ErrRecovered) {
			return err
		}
	}
	return fault.New(fault.Unavailable, "the tenant is being changed by others")
}

// Specs describes every setting.
func (a *Auth) Specs() []setting.Spec { return a.config.Specs }

// SetSettings changes settings of a tenant: each name gets its value, or its
// default again if that is nil. All of them are changed, or none. Whatever else
// of the tenant somebody has changed meanwhile stays so.
func (a *Auth) SetSettings(ctx context.Context, by By, id payment.TenantID, changes map[string]any, checks ...SettingCheck,
) error {
	return again(func() error { return a.setSettings(ctx, by, id, changes, checks) })
}

// setSettings tries once; fault.Conflict if somebody else was faster.
func (a *Auth) setSettings(ctx context.Context, by By, id payment.TenantID, changes map[string]any, checks []SettingCheck) error {
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
		before[name], after[name] = values[name], nil
		if value == nil {
			delete(values, name)
			continue
		}
		if values[name], err = spec.Check(value); err != nil {
			return err
		}
		after[name] = values[name]
	}
	for _, check := range checks {
		if err := check(tenant, values); err != nil {
			return err
		}
	}
	tenant.Settings = values
	return a.change(ctx, Change{
		Tenant: &tenant, Of: id, Events: []payment.Event{
			a.event(by, EventSettingsChanged, id, id, map[string]any{"before": before, "after": after}),
		},
	})
}

// SettingCheck refuses settings. It is given the tenant whose settings they
// would replace; once more, if somebody else has changed it meanwhile.
type SettingCheck func(before payment.Tenant, after setting.Values) error

func (a *Auth) spec(name string) (setting.Spec, error) {
	for _, spec := range a.config.Specs {
		if spec.Name == name {
			return spec, nil
		}
	}
	return setting.Spec{}, fault.New(fault.Invalid, "there is no such setting")
}
