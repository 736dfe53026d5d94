package processor

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/sony/gobreaker/v2"
	"golang.org/x/time/rate"

	"github.com/refundry/refundry/internal/fault"
	"github.com/refundry/refundry/internal/job"
	"github.com/refundry/refundry/internal/payment"
)

// Engine is the one road for changes.
type Engine interface {
	Do(ctx context.Context, command payment.Command, finish ...payment.TaskRef) (payment.Answer, error)
}

// Metrics hears about every call of a processor.
type Metrics interface {
	Called(connector, outcome string, took time.Duration)
}

// Config is what a [Carrier] is made of.
type Config struct {
	Engine     Engine
	Reader     payment.Reader
	Connectors func(name string) (Processor, bool)
	LeaseLeft  func(j job.Job) time.Duration
	Lease      time.Duration    // of a job
	Now        func() time.Time // domain time, which a test clock may move
	Machine    func() time.Time // this machine's time
	Luck       func() float64   // between 0 and 1
	PerSecond  rate.Limit       // calls of one connector; 0: no limit
	Log        *slog.Logger
	Metrics    Metrics
}

// Carrier runs the jobs that carry refunds to processors. Make one with
// [NewCarrier].
type Carrier struct {
	config Config

	mutex      sync.Mutex
	connectors map[string]*connector
}

// connector is a processor behind its breaker and its limit.
type connector struct {
	Processor

	name    string
	breaker *gobreaker.TwoStepCircuitBreaker[any]
	limit   *rate.Limiter
}

const (
	breakerFailures = 10               // technical failures in a row that open the breaker
	breakerPause    = 10 * time.Second // before an open one lets a call through again
	waitPause       = time.Second      // before a job that could not call comes again
)

// NewCarrier returns a carrier.
func NewCarrier(config Config) *Carrier {
	return &Carrier{config: config, connectors: map[string]*connector{}}
}

// Handlers returns what runs the jobs of refunds and payments.
func (c *Carrier) Handlers() map[payment.TaskKind]job.Handler {
	return map[payment.TaskKind]job.Handler{
		payment.TaskSubmitRefund:  c.submit,
		payment.TaskInquireRefund: c.inquire,
		payment.TaskStartRefund:   c.start,
		payment.TaskTakePayment:   c.take,
		payment.TaskExpirePayment: c.expire,
	}
}

// connector returns a connector by name.
func (c *Carrier) connector(name string) (*connector, bool) {
	processor, ok := c.config.Connectors(name)
	if !ok {
		return nil, false
	}
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if known, ok := c.connectors[name]; ok {
		return known, true
	}
	limit := rate.NewLimiter(rate.Inf, 0)
	if c.config.PerSecond > 0 {
		limit = rate.NewLimiter(c.config.PerSecond, max(1, int(c.config.PerSecond)))
	}
	made := &connector{
		Processor: processor, name: name, limit: limit,
		breaker: gobreaker.NewTwoStepCircuitBreaker[any](gobreaker.Settings{
			Name: name, Timeout: breakerPause,
			ReadyToTrip: func(counts gobreaker.Counts) bool { return counts.ConsecutiveFailures >= breakerFailures },
		}),
	}
	c.connectors[name] = made
	return made, true
}

// mayCall reports whether a call may start now: the limit and the breaker let
// it through, and its whole timeout is left on the lease. done must be called
// with what came of it.
func (c *Carrier) mayCall(j job.Job, to *connector) (done func(error), ok bool) {
	if _, needed := c.callTime(to); c.config.LeaseLeft(j) < needed {
		return nil, false
	}
	if !to.limit.AllowN(c.config.Machine(), 1) {
		return nil, false
	}
	done, err := to.breaker.Allow()
	return done, err == nil
}

// callTime returns how long one call may take, and how much of the lease it needs.
func (c *Carrier) callTime(to *connector) (timeout, needed time.Duration) {
	return job.CallTime(c.config.Lease, to.Capabilities().Timeout)
}

// meta is how the carrier signs its commands.
func meta(tenant payment.TenantID, connector string) payment.Meta {
	return payment.Meta{Tenant: tenant, Actor: "processor:" + connector}
}

// clockMeta is how commands are signed that only time has caused.
func clockMeta(tenant payment.TenantID) payment.Meta {
	return payment.Meta{Tenant: tenant, Actor: "clock"}
}

// ended turns what a command that ends its job came to into a verdict: a
// refusal means that the thing has moved on, and nothing is left to do.
func ended(err error) (job.Verdict, error) {
	if err == nil {
		return job.Ended(), nil
	}
	if isRefusal(err) {
		return job.Done(), nil
	}
	return job.Verdict{}, err
}

func isRefusal(err error) bool {
	refusal, ok := errors.AsType[*payment.Refusal](err)
	return ok && refusal.FaultCode() != fault.Unavailable
}
