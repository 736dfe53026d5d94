package api_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/refundry/refundry/internal/api"
	"github.com/refundry/refundry/internal/auth"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/store/sqlite"
)

// instant is an engine that has decided already.
type instant struct{ answer payment.Answer }

func (i instant) Do(context.Context, payment.Command, ...payment.TaskRef) (payment.Answer, error) {
	return i.answer, nil
}

// BenchmarkCreateRefund measures what this layer costs a request that asks for
// a refund: routing, the key, reading, the digest, writing. Nothing is decided
// or kept, and there is no connection.
func BenchmarkCreateRefund(b *testing.B) {
	newID := countingIDs()
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	store, err := sqlite.Open(sqlite.Config{
		Path: filepath.Join(b.TempDir(), "refundry.db"), Now: func() time.Time { return at }, Machine: time.Now, NewID: newID,
		Lease: time.Minute, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = store.Close() })
	keyring, err := auth.NewKeyring()
	if err != nil {
		b.Fatal(err)
	}
	accounts := auth.New(auth.Config{
		Store: store, Keyring: keyring, Now: func() time.Time { return at }, Machine: time.Now, NewID: newID,
	})
	tenant, err := accounts.CreateTenant(b.Context(), auth.By{Actor: "operator:test"}, "shop")
	if err != nil {
		b.Fatal(err)
	}
	key, _, err := accounts.CreateAPIKey(b.Context(), auth.By{Actor: "operator:test"}, tenant.ID, "test")
	if err != nil {
		b.Fatal(err)
	}
	paid := payment.Payment{Tenant: tenant.ID, ID: newID(), Version: 2, CreatedAt: at, UpdatedAt: at}
	refund := payment.Refund{Tenant: tenant.ID, ID: newID(), Payment: paid.ID, Version: 2, CreatedAt: at, UpdatedAt: at}
	refund.Amount.Minor, refund.Amount.Currency, refund.Status = 2500, "EUR", payment.RefundPending
	mux := http.NewServeMux()
	api.New(api.Config{
		Engine: instant{payment.Answer{View: payment.View{Payment: paid, Refunds: []payment.Refund{refund}}, Refund: refund}},
		Reader: store, Auth: accounts, Now: func() time.Time { return at }, NewID: newID, Log: slog.New(slog.DiscardHandler),
	}).Register(mux)
	body := `{"payment":"` + paid.ID.String() + `","amount":2500,"currency":"EUR","reference":"return-77","reason":"returned"}`
	b.ReportAllocs()
	for b.Loop() {
		r := httptest.NewRequestWithContext(b.Context(), http.MethodPost, "/v1/refunds", strings.NewReader(body))
		r.Header.Set("Authorization", "Bearer "+key.Reveal())
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Idempotency-Key", "order-7")
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, r)
		if w.Code != http.StatusCreated {
			b.Fatalf("%d %s", w.Code, w.Body)
		}
	}
}
