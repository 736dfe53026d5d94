package primer_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/refundry/refundry/internal/auth"
	"github.com/refundry/refundry/internal/dialect"
	"github.com/refundry/refundry/internal/fault"
	"github.com/refundry/refundry/internal/payment"
)

func encoded(t *testing.T, value any) []byte {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func newID() [16]byte { return uuid.Must(uuid.NewV7()) }

// config is a door by itself, whose time is given.
type config struct {
	auth *auth.Auth
	now  time.Time
}

func (c config) dialect() dialect.Config {
	return dialect.Config{
		Auth: c.auth, Now: func() time.Time { return c.now }, IsSandbox: true, Connector: "sandbox", Log: slog.Default(),
		NewID: newID,
	}
}

// accounts keeps what one tenant has, in memory.
type accounts struct {
	tenant      payment.Tenant
	credentials []auth.Credential
}

// newAuth returns an Auth over one tenant.
func newAuth(t *testing.T, of *accounts) *auth.Auth {
	t.Helper()
	keyring, err := auth.NewKeyring()
	if err != nil {
		t.Fatal(err)
	}
	return auth.New(auth.Config{
		Store: of, Keyring: keyring, Now: time.Now, Machine: time.Now, NewID: newID,
	})
}

func (a *accounts) Change(_ context.Context, change auth.Change) error {
	a.credentials = append(a.credentials, change.Credentials...)
	return nil
}

func (a *accounts) Tenants(context.Context) ([]payment.Tenant, error) {
	return []payment.Tenant{a.tenant}, nil
}

func (a *accounts) Tenant(context.Context, payment.TenantID) (payment.Tenant, error) {
	return a.tenant, nil
}

func (a *accounts) Credential(_ context.Context, kind auth.Kind, lookup string) (auth.Credential, error) {
	at := slices.IndexFunc(a.credentials, func(c auth.Credential) bool { return c.Kind == kind && c.Lookup == lookup })
	if at < 0 {
		return auth.Credential{}, fault.New(fault.NotFound, "no such credential")
	}
	return a.credentials[at], nil
}

func (a *accounts) Credentials(context.Context, payment.TenantID) ([]auth.Credential, error) {
	return a.credentials, nil
}

func (a *accounts) Endpoints(context.Context, payment.TenantID) ([]auth.Endpoint, error) {
	return nil, nil
}
