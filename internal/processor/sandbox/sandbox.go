// Package sandbox is a processor that moves no money: deterministic, with real
// failure modes, and a record of its own that outlives the service, as the
// outside world does. See docs/sandbox.md for how its behaviors are chosen.
package sandbox

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/refundry/refundry/internal/clock"
	"github.com/refundry/refundry/internal/id"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/processor"
)

// Config is what a sandbox is made of.
type Config struct {
	Path    string // of its own SQLite file
	URL     string // of a Postgres database, instead: it keeps its own tables there
	Clock   *clock.Clock
	Machine func() time.Time // this machine's time
	NewID   id.Source
	Delay   time.Duration // after which refunds succeed; 0: at once
	Log     *slog.Logger
}

// Sandbox is the processor. Make one with [Open], and [Sandbox.Run] it.
type Sandbox struct {
	config Config
	record *record
	poked  chan struct{}
	mutex  sync.Mutex // guards the moves of the clock
}

const (
	callTimeout   = 3 * time.Second
	settlingPause = 2 * time.Second
)

// errNoAnswer is what a call comes to whose answer is lost. A real one would
// come after the timeout; the sandbox does not let anybody wait for it.
var errNoAnswer = errors.New("no answer from the processor")

// Open opens the sandbox's record and sets the clock as it was left.
func Open(ctx context.Context, config Config) (*Sandbox, error) {
	record, err := openRecord(ctx, config)
	if err != nil {
		return nil, err
	}
	s := &Sandbox{config: config, record: record, poked: make(chan struct{}, 1)}
	if err := s.followClock(ctx); err != nil {
		return nil, errors.Join(err, record.close())
	}
	return s, nil
}

// Close closes the record.
func (s *Sandbox) Close() error { return s.record.close() }

// Capabilities implements [processor.Processor].
func (s *Sandbox) Capabilities() processor.Capabilities {
	return processor.Capabilities{Idempotency: processor.IdempotencyKey, Timeout: callTimeout, Settling: settlingPause}
}

// Refund implements [processor.Processor]. The attempt is on record before
// there is an answer; asked for again, it is the same refund.
func (s *Sandbox) Refund(ctx context.Context, request processor.Request) (payment.Outcome, error) {
	known, ok, err := s.record.attempt(ctx, request.Attempt)
	if err != nil {
		return payment.Outcome{}, err
	}
	if ok {
		return s.resend(ctx, known)
	}
	planned, err := s.record.plan(ctx, request)
	if err != nil {
		return payment.Outcome{}, err
	}
	name := planned.name()
	if planned == nil {
		name = choose(request)
	}
	begun, notices := s.begin(request, name, s.config.Clock.Now())
	isNew, err := s.record.begin(ctx, begun, notices, planned)
	switch {
	case errors.Is(err, errRaced), err == nil && !isNew:
		return s.Refund(ctx, request) // somebody was faster: look again
	case err != nil:
		return payment.Outcome{}, err
	}
	if len(notices) > 0 {
		s.poke()
	}
	switch name {
	case TimeoutDone, TimeoutLost:
		return payment.Outcome{}, errNoAnswer
	case Noisy:
		begun.State = statePending // its end is told by notices
	case Succeeded, Declined, Failed, Pending, Slow, Returned, Chargeback:
	}
	return begun.outcome(), nil
}

// resend answers an attempt that is on record. One that was lost arrives now.
func (s *Sandbox) resend(ctx context.Context, known attempt) (payment.Outcome, error) {
	if known.State == stateLost {
		if err := s.record.succeed(ctx, known.ID, stateLost); err != nil {
			return payment.Outcome{}, err
		}
		known.State = stateSucceeded
	}
	return s.current(ctx, known)
}

// Inquire implements [processor.Inquirer].
func (s *Sandbox) Inquire(ctx context.Context, request processor.Request) (payment.Outcome, error) {
	known, ok, err := s.record.attempt(ctx, request.Attempt)
	if err != nil {
		return payment.Outcome{}, err
	}
	if !ok || known.State == stateLost {
		return payment.Outcome{}, processor.ErrNotFound
	}
	return s.current(ctx, known)
}

// current answers what has become of an attempt by now.
func (s *Sandbox) current(ctx context.Context, known attempt) (payment.Outcome, error) {
	isDue := known.State == statePending && !known.Due.IsZero() && !known.Due.After(s.config.Clock.Now())
	if isDue {
		if err := s.record.succeed(ctx, known.ID, statePending); err != nil {
			return payment.Outcome{}, err
		}
		known.State = stateSucceeded
	}
	return known.outcome(), nil
}

// Take implements [processor.Taker].
func (s *Sandbox) Take(_ context.Context, p payment.Payment) (payment.PaymentStatus, []payment.Reference, error) {
	switch asked(takeNames, p.Description, p.Reference, p.Metadata) {
	case paymentDeclined:
		return payment.PaymentDeclined, nil, nil
	case paymentFailed:
		return payment.PaymentFailed, nil, nil
	}
	if len(p.References) > 0 {
		return "", nil, nil
	}
	return "", takenReferences(p.ID), nil
}
