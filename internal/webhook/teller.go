package webhook

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"time"

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
	Disable   Disable
	LeaseLeft func(j job.Job) time.Duration
	Lease     time.Duration    // of a job
	Now       func() time.Time // domain time, which a test clock may move
	Machine   func() time.Time // this machine's time
	Luck      func() float64   // between 0 and 1
	Log       *slog.Logger
	Metrics   Metrics
}

// Disable ends an endpoint, if what is said against it still holds.
type Disable func(ctx context.Context, tenant payment.TenantID, endpoint payment.EndpointID, disabling payment.Disabling) error

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
	stopped chan struct{}
}

// NewTeller returns a teller.
func NewTeller(config Config) *Teller {
	return &Teller{
		config: config, voices: byDoor(config.Voices), client: newClient(config.Allow),
		results: make(chan recording, recordMax), stopped: make(chan struct{}),
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
	tenant, err := t.tenant(ctx, d)
	if err != nil {
		return job.Verdict{}, err
	}
	result := Result{Delivery: d, Job: j.Ref()}
	voice, ok := t.voices[d.Door]
	if !ok {
		return job.Verdict{}, fmt.Errorf("no voice for the door %s", d.Door)
	}
	isOver, err := t.isOver(ctx, voice, d)
	if err != nil {
		return job.Verdict{}, err
	}
	place, inUse := placeOf(tenant, d)
	if isOver || !inUse {
		result.Delivery.Status, result.Delivery.EndedAt = StatusCanceled, t.config.Now()
		return t.record(ctx, result)
	}
	result.Delivery.URL = place
	gaps, wanted := voice.Schedule(d.Event, tenant.Settings)
	timeout, needed := job.CallTime(t.config.Lease, wanted)
	if t.config.LeaseLeft(j) < needed {
		return job.Again(t.config.Now()), nil // whoever claims it next has a whole lease
	}
	if err := t.render(ctx, voice, tenant, &result.Delivery); err != nil {
		return job.Verdict{}, err
	}
	got, err := t.attempt(ctx, voice, &result, timeout)
	if err != nil {
		return job.Verdict{}, err
	}
	t.conclude(voice, &result, gaps)
	if obeyer, ok := voice.(Obeyer); ok && obeyer.Obeys() {
		t.obey(ctx, &result, got)
	}
	verdict, err := t.record(ctx, result)
	if err == nil {
		t.giveUpOn(ctx, voice, tenant, result)
	}
	return verdict, err
}

// obey does what the receiver asks for: to be left alone for a while, or for
// good. An endpoint that could not be disabled is when it says so again.
func (t *Teller) obey(ctx context.Context, result *Result, got response) {
	d := &result.Delivery
	if got.status == http.StatusGone && !d.Endpoint.IsZero() && !t.hasMoved(ctx, *d) {
		d.Status, d.EndedAt, result.Again = StatusGivenUp, t.config.Now(), time.Time{}
		disabling := payment.Disabling{Reason: payment.DisabledGone, URL: d.URL}
		if err := t.config.Disable(ctx, d.Tenant, d.Endpoint, disabling); err != nil {
			t.config.Log.WarnContext(ctx, "endpoint not disabled", "tenant_id", d.Tenant, "endpoint_id", d.Endpoint,
				"error", err)
		}
	}
	if wanted := result.Attempt.At.Add(got.retryAfter); !result.Again.IsZero() && wanted.After(result.Again) {
		result.Again = wanted
	}
}

// hasMoved reports whether an endpoint has a URL other than the one that was
// called: what that one answers is not about the endpoint any more.
func (t *Teller) hasMoved(ctx context.Context, d Delivery) bool {
	current, err := t.config.Store.Tenant(ctx, d.Tenant)
	if err != nil {
		return false // disabling looks again
	}
	place, inUse := placeOf(&current, d)
	return inUse && place != d.URL
}

// tenant returns a delivery's tenant. The remembered one may be older than the
// endpoint, so an endpoint is gone only if the store says so too.
func (t *Teller) tenant(ctx context.Context, d Delivery) (*payment.Tenant, error) {
	remembered, err := t.config.Tenants(ctx, d.Tenant)
	if err != nil {
		return nil, err
	}
	if _, inUse := placeOf(remembered, d); inUse {
		return remembered, nil
	}
	current, err := t.config.Store.Tenant(ctx, d.Tenant)
	return &current, err
}

// isOver reports whether a delivery has nothing left to tell.
func (t *Teller) isOver(ctx context.Context, voice Voice, d Delivery) (bool, error) {
	forgetter, ok := voice.(Forgetter)
	if !ok || d.Event.Payment.IsZero() {
		return false, nil
	}
	now, err := t.config.Reader.View(ctx, d.Tenant, d.Event.Payment)
	if err != nil {
		return false, fmt.Errorf("look at what a webhook tells: %w", err)
	}
	return forgetter.IsOver(d.Event, now), nil
}

// placeOf returns where a delivery goes now, and whether its endpoint still
// wants to be told. A payment's own callback always does, where it was.
func placeOf(tenant *payment.Tenant, d Delivery) (url string, inUse bool) {
	if d.Endpoint.IsZero() {
		return d.URL, true
	}
	for _, endpoint := range tenant.Endpoints {
		if endpoint.ID == d.Endpoint {
			return endpoint.URL, !endpoint.Disabled
		}
	}
	return d.URL, false
}

// render makes the body at the first attempt. Made again after a crash, it has
// the same bytes: it shows the payment as of the event's version.
func (t *Teller) render(ctx context.Context, voice Voice, tenant *payment.Tenant, d *Delivery) error {
	if d.Body != nil {
		return nil
	}
	event := d.Event
	event.Endpoint = d.Endpoint
	view, err := t.look(ctx, d.Tenant, voice, event)
	if err != nil {
		return fmt.Errorf("render a webhook: %w", err)
	}
	d.Body, err = voice.Body(event, view, tenant)
	if err != nil {
		return fmt.Errorf("render a webhook: %w", err)
	}
	return nil
}

// look reads what an event's body shows.
func (t *Teller) look(ctx context.Context, of payment.TenantID, voice Voice, event Event) (view payment.View, err error) {
	if event.Payment.IsZero() {
		return view, nil
	}
	if narrow, ok := voice.(Narrow); ok && narrow.IsOfRefund(event) {
		return t.config.Reader.Refund(ctx, of, event.Subject)
	}
	view, err = t.config.Reader.View(ctx, of, event.Payment)
	return view.AsOf(event.Version), err
}

// attempt signs the body and sends it once.
func (t *Teller) attempt(ctx context.Context, voice Voice, result *Result, timeout time.Duration) (response, error) {
	d := &result.Delivery
	at := t.config.Now()
	header, body, err := voice.Sign(ctx, Letter{
		Tenant: d.Tenant, Delivery: d.ID, Endpoint: d.Endpoint, Event: d.Event, At: at, Sent: t.config.Machine(),
		Body: d.Body,
	})
	if err != nil {
		return response{}, fmt.Errorf("sign a webhook: %w", err)
	}
	began := t.config.Machine()
	got := t.post(ctx, d.URL, header, body, timeout)
	took := t.config.Machine().Sub(began)
	d.Attempts++
	if d.FirstAt.IsZero() {
		d.FirstAt = at
	}
	result.Attempt = Attempt{
		Number: d.Attempts, At: at, Took: took, StatusCode: got.status, Error: got.problem, Answer: got.answer,
	}
	t.config.Metrics.Told(d.Door, got.status, took)
	return got, nil
}

// conclude decides what follows from an attempt.
func (t *Teller) conclude(voice Voice, result *Result, gaps []time.Duration) {
	d, a := &result.Delivery, result.Attempt
	switch {
	case isAnswer(a.StatusCode) && voice.Acknowledges(a.StatusCode):
		d.Status, d.EndedAt = StatusDelivered, t.config.Now()
	case d.Attempts >= len(gaps):
		d.Status, d.EndedAt = StatusGivenUp, t.config.Now()
	default:
		due := next(d.FirstAt, a.At, gaps[d.Attempts-1], gaps[d.Attempts])
		if jitterer, ok := voice.(Jitterer); ok && jitterer.Jitter() > 0 {
			due = a.At.Add(vary(gaps[d.Attempts]-gaps[d.Attempts-1], jitterer.Jitter(), t.config.Luck()))
		}
		result.Again = due
	}
}

// vary makes a pause shorter or longer by at most a part of itself.
func vary(pause time.Duration, jitter, luck float64) time.Duration {
	return pause + time.Duration(float64(pause)*jitter*(2*luck-1))
}

// isAnswer reports whether a status says anything about the delivery: a
// redirect, which is refused, does not.
func isAnswer(status int) bool { return status != 0 && (status < 300 || status > 399) }

// next returns when the next attempt is due: on the schedule's time, counted
// from the first attempt. A teller that is late, because no replica ran, comes
// back to the schedule step by step: at least half of the pause stays, so that
// the receiver is not hit by several attempts at once.
func next(first, last time.Time, gapOfLast, gapOfNext time.Duration) time.Time {
	scheduled, soonest := first.Add(gapOfNext), last.Add((gapOfNext-gapOfLast)/2)
	if soonest.After(scheduled) {
		return soonest
	}
	return scheduled
}
