package webhook

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"time"

	"github.com/refundry/refundry/internal/fault"
	"github.com/refundry/refundry/internal/job"
	"github.com/refundry/refundry/internal/payment"
)

// Config is what a [Teller] is made of.
type Config struct {
	Store     Store
	Reader    payment.Reader
	Tenants   func(ctx context.Context, tenant payment.TenantID) (*payment.Tenant, error)
	Voices    []Voice
	Allow     []netip.Prefix // addresses that the guard lets through although they are not public
	LeaseLeft func(j job.Job) time.Duration
	Now       func() time.Time // domain time, which a test clock may move
	Machine   func() time.Time // this machine's time
	Log       *slog.Logger
	Metrics   Metrics
}

// Metrics hears about every attempt.
type Metrics interface {
	Told(door payment.Door, status int, took time.Duration)
}

// Teller makes deliveries. Make one with [NewTeller], and [Teller.Run] it.
type Teller struct {
	config  Config
	voices  map[payment.Door]Voice
	client  *http.Client
	results chan recording
}

// recording is a result on its way to the store.
type recording struct {
	result Result
	done   chan error
}

const (
	recordMax     = 256              // results in one commit
	recordTimeout = 30 * time.Second // of one commit
	recordMargin  = 2 * time.Second  // of the lease, kept for recording the result
)

// NewTeller returns a teller.
func NewTeller(config Config) *Teller {
	return &Teller{
		config: config, voices: byDoor(config.Voices), client: newClient(config.Allow),
		results: make(chan recording, recordMax),
	}
}

// Handle runs a job that makes one attempt of a delivery. It must run again
// after an error: what was told but not recorded is told again.
func (t *Teller) Handle(ctx context.Context, j job.Job) (job.Verdict, error) {
	d, err := t.config.Store.Delivery(ctx, j.Tenant, j.Subject)
	if err != nil {
		return job.Verdict{}, err
	}
	if d.Status != StatusOpen {
		return job.Done(), nil
	}
	tenant, err := t.config.Tenants(ctx, j.Tenant)
	if err != nil {
		return job.Verdict{}, err
	}
	voice, ok := t.voices[d.Door]
	if !ok {
		return job.Verdict{}, fmt.Errorf("no voice for the door %s", d.Door)
	}
	result := Result{Delivery: d, Job: j.Ref()}
	if !isInUse(tenant, d.Endpoint) {
		result.Delivery.Status, result.Delivery.EndedAt = StatusCanceled, t.config.Now()
		return t.record(ctx, result)
	}
	gaps, timeout := voice.Schedule(tenant.Settings)
	if t.config.LeaseLeft(j) < timeout+recordMargin {
		return job.Again(t.config.Now()), nil // whoever claims it next has a whole lease
	}
	if err := t.render(ctx, voice, tenant, &result.Delivery); err != nil {
		return job.Verdict{}, err
	}
	if err := t.attempt(ctx, voice, &result, timeout); err != nil {
		return job.Verdict{}, err
	}
	t.conclude(voice, &result, gaps)
	return t.record(ctx, result)
}

// isInUse reports whether an endpoint still wants to be told.
func isInUse(tenant *payment.Tenant, id payment.EndpointID) bool {
	for _, endpoint := range tenant.Endpoints {
		if endpoint.ID == id {
			return !endpoint.Disabled
		}
	}
	return false
}

// render makes the body at the first attempt. Made again after a crash, it has
// the same bytes: it shows the payment as of the event's version.
func (t *Teller) render(ctx context.Context, voice Voice, tenant *payment.Tenant, d *Delivery) error {
	if d.Body != nil {
		return nil
	}
	view, err := t.config.Reader.View(ctx, d.Tenant, d.Event.Payment)
	if err != nil {
		return fmt.Errorf("render a webhook: %w", err)
	}
	d.Body, err = voice.Body(d.Event, view.AsOf(d.Event.Version), tenant)
	if err != nil {
		return fmt.Errorf("render a webhook: %w", err)
	}
	return nil
}

// attempt signs the body and sends it once.
func (t *Teller) attempt(ctx context.Context, voice Voice, result *Result, timeout time.Duration) error {
	d := &result.Delivery
	at := t.config.Now()
	header, err := voice.Sign(ctx, Letter{
		Tenant: d.Tenant, Delivery: d.ID, Endpoint: d.Endpoint, At: at, Body: d.Body,
	})
	if err != nil {
		return fmt.Errorf("sign a webhook: %w", err)
	}
	began := t.config.Machine()
	status, answer, problem := t.post(ctx, d.URL, header, d.Body, timeout)
	took := t.config.Machine().Sub(began)
	d.Attempts++
	if d.FirstAt.IsZero() {
		d.FirstAt = at
	}
	result.Attempt = Attempt{
		Number: d.Attempts, At: at, Took: took, StatusCode: status, Error: problem, Answer: answer,
	}
	t.config.Metrics.Told(d.Door, status, took)
	return nil
}

// conclude decides what follows from an attempt.
func (t *Teller) conclude(voice Voice, result *Result, gaps []time.Duration) {
	d := &result.Delivery
	now := t.config.Now()
	switch {
	case result.Attempt.StatusCode != 0 && voice.Acknowledges(result.Attempt.StatusCode):
		d.Status, d.EndedAt = StatusDelivered, now
	case d.Attempts >= len(gaps):
		d.Status, d.EndedAt = StatusGivenUp, now
		t.config.Log.Warn("webhook given up", "delivery_id", d.ID, "tenant_id", d.Tenant, "attempts", d.Attempts,
			"status", result.Attempt.StatusCode, "error", result.Attempt.Error)
	default:
		result.Again = later(d.FirstAt.Add(gaps[d.Attempts]), result.Attempt.At.Add(gaps[d.Attempts]-gaps[d.Attempts-1]))
	}
}

// later returns the time of the schedule, or, for a teller that is behind it,
// the schedule's gap after the last attempt: a receiver that was down must not
// be hit by all attempts at once.
func later(scheduled, afterLast time.Time) time.Time {
	if scheduled.After(afterLast) {
		return scheduled
	}
	return afterLast
}

// record passes a result on and waits until it is committed, its job's end with it.
func (t *Teller) record(ctx context.Context, result Result) (job.Verdict, error) {
	done := make(chan error, 1)
	select {
	case t.results <- recording{result, done}:
	case <-ctx.Done():
		return job.Verdict{}, fault.Wrap(ctx.Err(), fault.Unavailable, "result not recorded")
	}
	if err := <-done; err != nil {
		return job.Verdict{}, fmt.Errorf("record a delivery attempt: %w", err)
	}
	return job.Ended(), nil
}

// Run records results, those together that wait together, until ctx ends and
// none waits.
func (t *Teller) Run(ctx context.Context) {
	defer t.client.CloseIdleConnections()
	for {
		select {
		case first := <-t.results:
			t.commit(t.gather(first))
			continue
		case <-ctx.Done():
		}
		select {
		case first := <-t.results:
			t.commit(t.gather(first))
		default:
			return
		}
	}
}

func (t *Teller) gather(first recording) []recording {
	batch := []recording{first}
	for len(batch) < recordMax {
		select {
		case next := <-t.results:
			batch = append(batch, next)
		default:
			return batch
		}
	}
	return batch
}

func (t *Teller) commit(batch []recording) {
	ctx, cancel := context.WithTimeout(context.Background(), recordTimeout)
	defer cancel()
	results := make([]Result, len(batch))
	for i, r := range batch {
		results[i] = r.result
	}
	err := t.config.Store.Attempted(ctx, results)
	for _, r := range batch {
		r.done <- err
	}
}
