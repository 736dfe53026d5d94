package processor

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/sony/gobreaker/v2"
	"golang.org/x/time/rate"

	"github.com/refundry/refundry/internal/job"
	"github.com/refundry/refundry/internal/payment"
)

const (
	breakerFailures = 10               // more than the few that a network loses by itself
	breakerPause    = 10 * time.Second // long enough to breathe, short enough that nobody notices afterwards
	waitPause       = time.Second      // before a job that could not call comes again
)

// connector is a processor behind its guard.
type connector struct {
	Processor
	*guard
}

// guard keeps calls away from a processor that does not answer, or that would
// be called too often.
type guard struct {
	name    string
	breaker *gobreaker.TwoStepCircuitBreaker[any]
	limit   *rate.Limiter
}

var (
	errNotCalled = errors.New("not called after all")
	errNoAnswer  = errors.New("the processor's answer is none")
)

// connector returns a connector by name.
func (c *Carrier) connector(name string) (connector, bool) {
	processor, ok := c.config.Connectors(name)
	if !ok {
		return connector{}, false
	}
	c.mutex.Lock()
	defer c.mutex.Unlock()
	known, ok := c.guards[name]
	if !ok {
		known = c.guard(name)
		c.guards[name] = known
	}
	return connector{processor, known}, true
}

// guard returns a new guard. What the breaker counts is silence: a processor
// that says no, or that it knows nothing, has answered.
func (c *Carrier) guard(name string) *guard {
	limit := rate.NewLimiter(rate.Inf, 0)
	if c.config.PerSecond > 0 {
		limit = rate.NewLimiter(c.config.PerSecond, max(1, int(c.config.PerSecond)))
	}
	return &guard{
		name: name, limit: limit,
		breaker: gobreaker.NewTwoStepCircuitBreaker[any](gobreaker.Settings{
			Name: name, Timeout: c.config.BreakerPause,
			ReadyToTrip: func(counts gobreaker.Counts) bool {
				return counts.ConsecutiveFailures >= c.config.BreakerFailures
			},
			OnStateChange: func(name string, from, to gobreaker.State) {
				c.config.Log.Warn("circuit breaker moved", "processor", name, "from", from.String(), "to", to.String())
			},
			IsSuccessful: func(err error) bool { return err == nil || errors.Is(err, ErrNotFound) },
			IsExcluded:   func(err error) bool { return errors.Is(err, errNotCalled) },
		}),
	}
}

// callTime returns how long one call may take, and how much of the lease it needs.
func (c *Carrier) callTime(to connector) (timeout, needed time.Duration) {
	return job.CallTime(c.config.Lease, to.Capabilities().Timeout)
}

// mayCall reports whether a call may start now: its whole timeout is left on
// the lease, and limit and breaker let it through. done must be called with
// what came of it.
func (c *Carrier) mayCall(j job.Job, to connector) (done func(error), ok bool) {
	if _, needed := c.callTime(to); c.config.LeaseLeft(j) < needed {
		return nil, false
	}
	if !to.limit.AllowN(c.config.Machine(), 1) {
		return nil, false
	}
	done, err := to.breaker.Allow()
	return done, err == nil
}

// later returns when a job that may not call now comes again: at once if all
// it needs is a whole lease.
func (c *Carrier) later(j job.Job, to connector) job.Verdict {
	if _, needed := c.callTime(to); c.config.LeaseLeft(j) < needed {
		return job.Again(c.config.Now())
	}
	return job.Again(c.config.Now().Add(waitPause))
}

// ask is a call of a processor about an attempt.
type ask func(ctx context.Context, request Request) (payment.Outcome, error)

// call runs one call under its timeout. With any error the outcome is unknown.
func (c *Carrier) call(ctx context.Context, to connector, done func(error), request Request, do ask,
) (payment.Outcome, error) {
	timeout, _ := c.callTime(to)
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	began := c.config.Machine()
	outcome, err := do.safely(ctx, request)
	done(err)
	facts := []any{
		"refund_id", request.Refund.ID, "attempt_id", request.Attempt, "tenant_id", request.Tenant, "processor", to.name,
	}
	word := string(outcome.Kind)
	switch {
	case err == nil:
		c.config.Log.DebugContext(ctx, "processor answered", append(facts, "outcome", word)...)
	case errors.Is(err, ErrNotFound):
		word = "not_found"
		c.config.Log.InfoContext(ctx, "processor does not know the attempt", facts...)
	default:
		c.config.Log.WarnContext(ctx, "refund outcome unknown", append(facts, "error", err)...)
	}
	c.config.Metrics.Called(to.name, word, c.config.Machine().Sub(began))
	return outcome, err
}

// safely calls an adapter. A bug in it, and an answer that is none, mean no
// more than silence: money may have moved.
func (a ask) safely(ctx context.Context, request Request) (outcome payment.Outcome, err error) {
	defer func() {
		if bug := recover(); bug != nil {
			err = fmt.Errorf("bug in an adapter: %v\n%s", bug, debug.Stack())
		}
		if err != nil {
			outcome = payment.Outcome{Kind: payment.AttemptUnknown}
		}
	}()
	outcome, err = a(ctx, request)
	if err == nil && !isAnswer(outcome.Kind) {
		err = errNoAnswer
	}
	return outcome, err
}

// isAnswer reports whether an outcome is one that a processor can give.
func isAnswer(kind payment.AttemptOutcome) bool {
	switch kind {
	case payment.AttemptPending, payment.AttemptSucceeded, payment.AttemptDeclined, payment.AttemptFailed,
		payment.AttemptNotSent, payment.AttemptReturned:
		return true
	case payment.AttemptOpen, payment.AttemptUnknown:
		return false
	default:
		return false
	}
}
