// Package processor carries refunds to the outside companies that move the
// money, and brings back what became of them.
//
// A [Processor] is one company's adapter. A [Carrier] runs the jobs: it writes
// an attempt down before any byte leaves, calls the processor, and records the
// outcome. A timeout is never read as a failure.
package processor

import (
	"context"
	"time"

	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/payment"
)

// Processor gives money back.
type Processor interface {
	// Refund asks for money to go back. Two calls with one attempt are one
	// refund. An Outcome is succeeded, pending, declined, failed (final, no money
	// moved) or not_sent (dial error, 429, bad credentials: a new attempt may
	// follow). Any error: unknown.
	Refund(ctx context.Context, request Request) (payment.Outcome, error)
	// Capabilities says what the processor can do. It never changes.
	Capabilities() Capabilities
}

// Inquirer is a processor that can be asked what became of an attempt.
type Inquirer interface {
	// Inquire returns the attempt's outcome, [ErrNotFound] if the processor
	// does not know it. Any other error: still unknown.
	Inquire(ctx context.Context, request Request) (payment.Outcome, error)
}

// Taker is a processor that also takes payments: the sandbox.
type Taker interface {
	// Take says how a payment goes on: which end it comes to (empty: it goes
	// on, to its next gate or its capture), and what the capture is called there.
	Take(ctx context.Context, p payment.Payment) (end payment.PaymentStatus, references []payment.Reference, err error)
}

// Request is an attempt, as a processor must know it.
type Request struct {
	Tenant    payment.TenantID
	Connector string
	Attempt   payment.AttemptID // the idempotency key
	Refund    payment.Refund
	Payment   payment.Payment
	Reason    payment.Reason // why, with the words of companies that have a list of their own; unset in an inquiry
}

// Notice is what a processor tells by itself.
type Notice struct {
	Tenant    payment.TenantID
	Connector string
	Payment   payment.PaymentID
	Refund    payment.RefundID  // with an outcome
	Attempt   payment.AttemptID // with an outcome
	Outcome   payment.Outcome
	Dispute   *DisputeNotice // instead of an outcome
}

// DisputeNotice is a processor's word that a payer contests a payment.
type DisputeNotice struct {
	ProcessorRef string
	Kind         payment.DisputeKind
	Amount       money.Minor
	Reason       string
}

// Idempotency says what a processor does with an attempt that it knows.
type Idempotency string

// The kinds of idempotency.
const (
	IdempotencyNone Idempotency = "none" // a resend may pay twice
	IdempotencyKey  Idempotency = "key"  // a resend with the same key is the same refund
)

// Capabilities is what a processor can do.
type Capabilities struct {
	Idempotency Idempotency
	KeyLifetime time.Duration // how long it knows a key; 0: for ever
	Timeout     time.Duration // how long one call may take
	Settling    time.Duration // after this, "not found" means that it never arrived
	Expected    time.Duration // how long a refund takes there, as a rule; 0: nobody says

	RefundsCaptures bool // each refund gives back one capture, which it must name
}
