package api_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	mathrand "math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/refundry/refundry/internal/pgtest"
	"github.com/refundry/refundry/internal/service"
	"github.com/refundry/refundry/internal/wire"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// onBoth runs a test with the whole service, on both stores.
func onBoth(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	t.Parallel()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		test(t, whole(t, ""))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		test(t, whole(t, pgtest.Database(t)))
	})
}

// whole starts the whole service, with two tenants and somebody who listens to
// webhooks.
func whole(t *testing.T, database string) *world {
	t.Helper()
	s, err := service.Open(t.Context(), service.Config{
		Data: t.TempDir(), Database: database, IsSandbox: true, Machine: time.Now,
		NewID: func() [16]byte { return uuid.Must(uuid.NewV7()) }, Luck: mathrand.Float64,
		Log: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError})),
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.Run(ctx)
	}()
	hears := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusNoContent)
	}))
	w := &world{
		isReal: true, server: httptest.NewServer(s.Handler()), operator: httptest.NewServer(s.OperatorHandler()), hear: hears.URL,
	}
	t.Cleanup(func() {
		w.server.Close()
		w.operator.Close()
		stop()
		<-done
		hears.Close()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	w.key, _ = w.tenantNamed(t, "shop")
	w.stranger, w.strangerID = w.tenantNamed(t, "stranger")
	_, public, err := wire.NewRSAKey()
	if err != nil {
		t.Fatal(err)
	}
	project, err := json.Marshal(map[string]any{
		"kind": "project", "brand": "smartglocal", "name": "shop", "public_keys": []string{public},
	})
	if err != nil {
		t.Fatal(err)
	}
	w.operate(t, "POST", "/v1/keys", string(project)).want(t, 201) // its reports need one
	return w
}

// tenantNamed makes a tenant, and returns a key of it with the key's id.
func (w *world) tenantNamed(t *testing.T, name string) (key, id string) {
	t.Helper()
	send(t, w.operator, "POST", "/v1/tenants", fmt.Sprintf(`{"name": %q}`, name)).want(t, 201)
	made := send(t, w.operator, "POST", "/v1/keys", `{}`, "Refundry-Tenant: "+name).want(t, 201)
	return made.string(t, "key"), made.string(t, "id")
}

// keyWith makes a key of the tenant that has some scopes.
func (w *world) keyWith(t *testing.T, scopes ...string) string {
	t.Helper()
	text, err := json.Marshal(map[string]any{"scopes": scopes})
	if err != nil {
		t.Fatal(err)
	}
	return w.operate(t, "POST", "/v1/keys", string(text)).want(t, 201).string(t, "key")
}
