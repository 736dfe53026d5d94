package processor

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

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
	Log        *slog.Logger
	Metrics    Metrics

	PerSecond       rate.Limit    // calls of one connector by this replica; 0: no limit
	BreakerFailures uint32        // calls in a row without an answer that open a connector's breaker; 0: 10
	BreakerPause    time.Duration // machine time before an open breaker lets one call through; 0: 10 s
}

// Carrier runs the jobs that carry refunds to processors. Make one with
// [NewCarrier].
type Carrier struct {
	config Config

	mutex  sync.Mutex
	guards map[string]*guard // by connector
}

// NewCarrier returns a carrier.
func NewCarrier(config Config) *Carrier {
	if config.BreakerFailures == 0 {
		config.BreakerFailures = breakerFailures
	}
	if config.BreakerPause == 0 {
		config.BreakerPause = breakerPause
	}
	return &Carrier{config: config, guards: map[string]*guard{}}
}

// Handlers returns what runs the jobs of refunds and payments.
func (c *Carrier) Handlers() map[payment.TaskKind]job.Handler {
	return map[payment.TaskKind]job.Handler{
		payment.TaskSubmitRefund:  c.submit,
		payment.TaskInquireRefund: c.inquire,
		payment.TaskStartRefund:   c.start,
		payment.TaskTakePayment:   c.take,
		payment.TaskExpirePayment: c.expire,
		payment.TaskExpireRefund:  c.expireRefund,
		payment.TaskWatchRefund:   c.watch,
		payment.TaskResendRefund:  c.resend,
	}
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

// isHalted reports whether a policy has stopped refunds.
func isHalted(err error) bool {
	refusal, ok := errors.AsType[*payment.Refusal](err)
	return ok && refusal.Rule == payment.RuleHalted
}

func isRefusal(err error) bool {
	refusal, ok := errors.AsType[*payment.Refusal](err)
	return ok && refusal.FaultCode() != fault.Unavailable
}
