package client_test

import (
	"context"
	"log"
	"log/slog"
	"math/rand/v2"
	"net/http/httptest"
	"os"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/refundry/refundry/client"
	"github.com/refundry/refundry/internal/service"
)

// TestMain runs the tests beside a whole sandbox, as `refundry serve --sandbox`
// starts it.
func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	folder, err := os.MkdirTemp("", "refundry-client-")
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(folder) }()
	s, err := service.Open(context.Background(), service.Config{
		Data: folder, IsSandbox: true, Machine: time.Now, NewID: func() [16]byte { return uuid.Must(uuid.NewV7()) },
		Luck: rand.Float64, Log: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError})),
	})
	if err != nil {
		log.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.Run(ctx)
	}()
	server := httptest.NewServer(s.Handler())
	_, file, err := s.PrepareSandbox(ctx, server.URL)
	if err != nil {
		log.Fatal(err)
	}
	for name, value := range map[string]string{"REFUNDRY_URL": server.URL, "REFUNDRY_KEY": file.API.Key} {
		if err := os.Setenv(name, value); err != nil {
			log.Fatal(err)
		}
	}
	code := m.Run()
	server.Close()
	stop()
	<-done
	if err := s.Close(); err != nil {
		log.Fatal(err)
	}
	return code
}

// setup returns a client of the sandbox.
func setup(t *testing.T) *client.Client {
	t.Helper()
	c, err := client.New(client.Config{BaseURL: os.Getenv("REFUNDRY_URL"), Key: client.Key(os.Getenv("REFUNDRY_KEY"))})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// pay records a payment.
func pay(t *testing.T, c *client.Client, minor int64) client.Payment {
	t.Helper()
	payment, err := c.CreatePayment(t.Context(), client.PaymentRequest{Money: client.Money{Minor: minor, Currency: "EUR"}})
	if err != nil {
		t.Fatal(err)
	}
	return payment
}
