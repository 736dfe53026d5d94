// Package dialect has what the dialects share: what a front door is made of,
// how it finds payments, answers and refuses. Each dialect is a package of its
// own below this one and imports no other.
package dialect

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/refundry/refundry/internal/auth"
	"github.com/refundry/refundry/internal/engine"
	"github.com/refundry/refundry/internal/fault"
	"github.com/refundry/refundry/internal/id"
	"github.com/refundry/refundry/internal/ledger"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/wire"
)

// Engine is the one road for changes.
type Engine interface {
	Do(ctx context.Context, command payment.Command, finish ...payment.TaskRef) (payment.Answer, error)
}

// Opener opens refunds whose callers wait for the outcome.
type Opener interface {
	// Open opens a refund and waits for its outcome, at most for patience. The
	// answer shows the refund as it is then: ended, or deferred.
	Open(ctx context.Context, command payment.OpenRefund, patience time.Duration) (payment.Answer, error)
}

// Books reads a tenant's ledger.
type Books interface {
	// Entries returns every entry about a payment, in the order of its versions.
	Entries(ctx context.Context, tenant payment.TenantID, id payment.PaymentID) ([]ledger.Entry, error)
}

// Config is what a front door is made of.
type Config struct {
	Engine    Engine
	Opener    Opener
	Reader    payment.Reader
	Books     Books
	Counter   Counter
	Auth      *auth.Auth
	Now       func() time.Time // domain time
	NewID     id.Source
	IsSandbox bool   // payments can be made here
	Connector string // of payments that are made here
	Log       *slog.Logger
}

// IsRule reports whether an error is a rule's no. A thing that is not there,
// or is another tenant's, is the no of [payment.RuleExists].
func IsRule(err error, rule payment.RuleName) bool {
	refusal, ok := errors.AsType[*payment.Refusal](err)
	return ok && refusal.Rule == rule
}

// View returns the payment that a caller names: one of ours by its id, if the
// text is one, else one that was made elsewhere, by its alias. There is none:
// [payment.RuleExists].
func (c Config) View(ctx context.Context, tenant payment.TenantID, own payment.PaymentID, alias payment.Alias,
) (payment.View, error) {
	if !own.IsZero() {
		view, err := c.Reader.View(ctx, tenant, own)
		if !IsRule(err, payment.RuleExists) {
			return view, err
		}
	}
	subject, found, err := c.Reader.Find(ctx, tenant, alias)
	switch {
	case err != nil:
		return payment.View{}, err
	case !found:
		return payment.View{}, payment.NoSuch("payment")
	}
	return c.Reader.View(ctx, tenant, subject)
}

// Key returns the name of a door's idempotency key. The scope keeps keys apart
// that the door keeps apart.
func Key(tenant payment.TenantID, door payment.Door, key string, scope ...string) payment.KeyHash {
	name := new(wire.Digest).Bytes(tenant[:]).Text(string(door))
	for _, part := range scope {
		name.Text(part)
	}
	return payment.KeyHash(name.Text(key).Sum())
}

// Fingerprint returns what a key stands for: the parts of a decoded command.
func Fingerprint(parts ...string) payment.Fingerprint {
	command := new(wire.Digest)
	for _, part := range parts {
		command.Text(part)
	}
	return payment.Fingerprint(command.Sum())
}

// Answer answers with JSON.
func Answer(w http.ResponseWriter, status int, shown any) {
	wire.Answer(w, status, "application/json", wire.Encode(shown))
}

// Failed logs an error that a caller learns nothing about, and reports whether
// it is one. An unknown fate gets no answer at all: the connection closes, so
// that a 5xx always means that nothing was done.
func (c Config) Failed(r *http.Request, err error) bool {
	if errors.Is(err, engine.ErrFateUnknown) {
		panic(http.ErrAbortHandler)
	}
	code := fault.CodeOf(err)
	if code != fault.Internal && code != fault.Unavailable {
		return false
	}
	if _, isRefusal := errors.AsType[*payment.Refusal](err); !isRefusal && !errors.Is(err, wire.ErrBug) {
		c.Log.ErrorContext(r.Context(), "request failed", "error", err, "request_id", wire.RequestID(r.Context()))
	}
	return true
}
