package processor_test

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/refundry/refundry/internal/job"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/processor"
)

// company is an outside company that behaves as a test says.
type company struct {
	can     processor.Capabilities
	refunds func(ctx context.Context, call int, request processor.Request) (payment.Outcome, error)

	mutex    sync.Mutex
	calls    int
	attempts map[payment.AttemptID]int // calls by attempt
}

// Capabilities implements [processor.Processor].
func (c *company) Capabilities() processor.Capabilities {
	can := c.can
	if can.Timeout == 0 {
		can.Timeout = time.Second
	}
	return can
}

// Refund implements [processor.Processor].
func (c *company) Refund(ctx context.Context, request processor.Request) (payment.Outcome, error) {
	c.mutex.Lock()
	if c.attempts == nil {
		c.attempts = map[payment.AttemptID]int{}
	}
	c.calls++
	c.attempts[request.Attempt]++
	call := c.calls
	c.mutex.Unlock()
	return c.refunds(ctx, call, request)
}

// called returns how often it was called, and about how many attempts.
func (c *company) called() (calls, attempts int) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return c.calls, len(c.attempts)
}

// answering is a company that can also be asked.
type answering struct {
	*company

	inquires func(call int) (payment.Outcome, error)
	mutex    sync.Mutex
	asked    int
}

// Inquire implements [processor.Inquirer].
func (a *answering) Inquire(context.Context, processor.Request) (payment.Outcome, error) {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	a.asked++
	return a.inquires(a.asked)
}

// inquired returns how often it was asked.
func (a *answering) inquired() int {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	return a.asked
}

var errSilence = errors.New("connection reset")

// always answers every call alike.
func always(outcome payment.Outcome, err error) func(context.Context, int, processor.Request) (payment.Outcome, error) {
	return func(context.Context, int, processor.Request) (payment.Outcome, error) { return outcome, err }
}

// dying is an engine whose process dies at a command: before it is run, or
// after it was committed but not heard of. Then it lives again.
type dying struct {
	processor.Engine

	at    func(payment.Command) bool
	after bool

	mutex sync.Mutex
	died  int
	times int // how often it dies
}

var errDied = errors.New("the process died")

// Do implements [processor.Engine].
func (d *dying) Do(ctx context.Context, command payment.Command, finish ...payment.TaskRef) (payment.Answer, error) {
	d.mutex.Lock()
	dies := d.died < d.times && d.at(command)
	if dies {
		d.died++
	}
	d.mutex.Unlock()
	if !dies {
		return d.Engine.Do(ctx, command, finish...)
	}
	if d.after {
		if answer, err := d.Engine.Do(ctx, command, finish...); err != nil {
			return answer, err
		}
	}
	return payment.Answer{}, errDied
}

func isStart(command payment.Command) bool {
	_, ok := command.(payment.StartAttempt)
	return ok
}

func isRecord(command payment.Command) bool {
	_, ok := command.(payment.RecordOutcome)
	return ok
}

// never is a lease that has run out.
func never(func(job.Job) time.Duration) leaseLeft {
	return func(job.Job) time.Duration { return 0 }
}

// withCan gives a company capabilities.
func withCan(c *company, can processor.Capabilities) *company {
	c.can = can
	return c
}

func silence(int) (payment.Outcome, error) { return payment.Outcome{}, errSilence }

// pendingFor lets a company take a refund that it then tells nothing more of.
func pendingFor(c *company) *company {
	c.refunds = always(payment.Outcome{Kind: payment.AttemptPending}, nil)
	return c
}
