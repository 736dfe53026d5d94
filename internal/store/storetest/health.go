package storetest

import (
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/refundry/refundry/internal/auth"
	"github.com/refundry/refundry/internal/job"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/webhook"
)

var healthTests = map[string]func(*testing.T, Open){
	"an endpoint fails since the first attempt in vain, in whatever order they come": testHealthOrder,
	"two who record at once come to the same health":                                 testHealthAtOnce,
	"an endpoint that is enabled has not failed yet":                                 testHealthEnabled,
	"an endpoint that has moved has not failed yet":                                  testHealthMoved,
	"an endpoint is disabled only while it fails":                                    testHealthGuard,
	"what waits for an endpoint is counted":                                          testHealthWaiting,
	"a change tells whom it names":                                                   testChangeTells,
	"an endpoint's health is not another tenant's":                                   testHealthApart,
}

// outcomes are attempts at minutes after noon: a success, or in vain.
type outcomes []struct {
	minute  int
	arrives bool
}

// record records attempts to the first endpoint, each in a commit of its own.
func (b *bundle) record(t *testing.T, d webhook.Delivery, made outcomes) {
	t.Helper()
	for _, outcome := range made {
		b.attempted(t, b.outcome(d, outcome.minute, outcome.arrives))
	}
}

// outcome is the result of an attempt to make a delivery that nobody knows.
func (b *bundle) outcome(d webhook.Delivery, minute int, arrives bool) webhook.Result {
	d.ID = b.newID()
	result := b.try(d, job.Job{}, webhook.StatusOpen, time.Time{})
	result.Attempt.At = b.clock.Now().Add(time.Duration(minute) * time.Minute)
	result.Attempt.StatusCode, result.Attempt.Error = 500+minute, ""
	if arrives {
		result.Delivery.Status = webhook.StatusDelivered
	}
	return result
}

// permutations returns attempts in every order.
func permutations(of outcomes) []outcomes {
	if len(of) < 2 {
		return []outcomes{of}
	}
	var all []outcomes
	for i := range of {
		for _, rest := range permutations(slices.Concat(of[:i], of[i+1:])) {
			all = append(all, slices.Concat(of[i:i+1], rest))
		}
	}
	return all
}

func (b *bundle) health(t *testing.T, endpoint payment.EndpointID) webhook.Health {
	t.Helper()
	health, err := b.store.Health(t.Context(), b.tenant, endpoint)
	if err != nil {
		t.Fatal(err)
	}
	health.Waiting, health.NextAt = 0, time.Time{}
	return health
}

// at is a minute after noon; 0: never.
func (b *bundle) at(minute int) time.Time {
	if minute == 0 {
		return time.Time{}
	}
	return b.clock.Now().Add(time.Duration(minute) * time.Minute)
}

func testHealthOrder(t *testing.T, open Open) {
	b := setup(t, open)
	b.join(t, nil)
	tests := map[string]struct {
		made                           outcomes
		since, failed, succeeded, code int
	}{
		"all arrive":      {outcomes{{1, true}, {2, true}}, 0, 0, 2, 0},
		"all in vain":     {outcomes{{1, false}, {2, false}, {3, false}}, 1, 3, 0, 503},
		"it has come up":  {outcomes{{1, false}, {2, false}, {3, true}}, 0, 2, 3, 502},
		"it went down":    {outcomes{{1, true}, {2, false}, {3, false}}, 2, 3, 1, 503},
		"up and down":     {outcomes{{1, false}, {2, true}, {3, false}}, 3, 3, 2, 503},
		"at one moment":   {outcomes{{1, false}, {1, true}}, 0, 1, 1, 501},
		"and down again":  {outcomes{{1, false}, {1, true}, {2, false}}, 2, 2, 1, 502},
		"up between them": {outcomes{{1, false}, {2, true}, {3, true}, {4, false}}, 4, 4, 3, 504},
	}
	for name, test := range tests {
		want := webhook.Health{
			FailingSince: b.at(test.since), FailedAt: b.at(test.failed), StatusCode: test.code, SucceededAt: b.at(test.succeeded),
		}
		for _, made := range permutations(test.made) {
			one, many := webhook.Delivery{Tenant: b.tenant, Endpoint: b.newID()}, webhook.Delivery{Tenant: b.tenant, Endpoint: b.newID()}
			b.record(t, one, made)
			wantSame(t, name+", one by one", b.health(t, one.Endpoint), want)
			var together []webhook.Result
			for _, outcome := range made {
				together = append(together, b.outcome(many, outcome.minute, outcome.arrives))
			}
			b.attempted(t, together...)
			wantSame(t, name+", together", b.health(t, many.Endpoint), want)
		}
	}
}

func testHealthAtOnce(t *testing.T, open Open) {
	b := setup(t, open)
	b.join(t, nil)
	endpoints := []payment.EndpointID{b.newID(), b.newID(), b.newID()}
	var wait sync.WaitGroup
	for minute := range 12 {
		var results []webhook.Result
		for i := range endpoints {
			d := webhook.Delivery{Tenant: b.tenant, Endpoint: endpoints[(minute+i)%len(endpoints)]}
			results = append(results, b.outcome(d, minute+1, minute == 4))
		}
		wait.Go(func() { b.attempted(t, results...) })
	}
	wait.Wait()
	for _, endpoint := range endpoints {
		health := b.health(t, endpoint)
		// The failures of minutes 6 to 12 count; which of them was known first depends on who was first.
		if since := health.FailingSince; since.Before(b.at(6)) || since.After(b.at(12)) || !health.FailedAt.Equal(b.at(12)) ||
			!health.SucceededAt.Equal(b.at(5)) {
			t.Errorf("read %+v", health)
		}
	}
}

func testHealthEnabled(t *testing.T, open Open) {
	b := setup(t, open)
	b.join(t, nil)
	place := b.endpoint("https://a.example")
	place.Disabled, place.DisabledFor = true, payment.DisabledFailing
	b.change(t, auth.Change{Endpoints: []auth.Endpoint{place}})
	d := webhook.Delivery{Tenant: b.tenant, Endpoint: place.ID}
	b.record(t, d, outcomes{{-2, false}})
	all, err := b.store.Endpoints(t.Context(), b.tenant)
	if err != nil || len(all) != 1 || all[0].DisabledFor != payment.DisabledFailing {
		t.Fatalf("read %+v: %v", all, err)
	}
	place.Disabled, place.DisabledFor = false, ""
	b.change(t, auth.Change{Endpoints: []auth.Endpoint{place}, Enabled: place.ID})
	want := webhook.Health{FailedAt: b.at(-2), StatusCode: 498}
	wantSame(t, "health", b.health(t, place.ID), want)
	b.record(t, d, outcomes{{-1, false}}) // it was on its way before
	want.FailedAt, want.StatusCode = b.at(-1), 499
	wantSame(t, "health", b.health(t, place.ID), want)
	b.record(t, d, outcomes{{1, false}})
	want = webhook.Health{FailedAt: b.at(1), StatusCode: 501, FailingSince: b.at(1)}
	wantSame(t, "health", b.health(t, place.ID), want)
}

func testHealthMoved(t *testing.T, open Open) {
	b := setup(t, open)
	b.join(t, nil)
	place := b.endpoint("https://a.example")
	b.change(t, auth.Change{Endpoints: []auth.Endpoint{place}})
	d := webhook.Delivery{Tenant: b.tenant, Endpoint: place.ID}
	b.record(t, d, outcomes{{-2, false}})
	b.change(t, auth.Change{Endpoints: []auth.Endpoint{place}}) // it stays where it is
	wantSame(t, "health", b.health(t, place.ID).FailingSince, b.at(-2))
	place.URL = "https://b.example"
	b.change(t, auth.Change{Endpoints: []auth.Endpoint{place}})
	b.record(t, d, outcomes{{-1, false}}) // it was on its way before
	wantSame(t, "health", b.health(t, place.ID), webhook.Health{FailedAt: b.at(-1), StatusCode: 499})
	b.record(t, d, outcomes{{1, false}})
	wantSame(t, "health", b.health(t, place.ID), webhook.Health{FailedAt: b.at(1), StatusCode: 501, FailingSince: b.at(1)})
}

func testHealthGuard(t *testing.T, open Open) {
	b := setup(t, open)
	b.join(t, nil)
	place := b.endpoint("https://a.example")
	b.change(t, auth.Change{Endpoints: []auth.Endpoint{place}})
	d := webhook.Delivery{Tenant: b.tenant, Endpoint: place.ID}
	disable := func(since int) error {
		off := place
		off.Disabled = true
		return b.tryChange(t, auth.Change{
			Endpoints: []auth.Endpoint{off}, Failing: auth.Failing{Endpoint: place.ID, Since: b.at(since)},
		})
	}
	wantRecovered := func(what string, err error) {
		t.Helper()
		if !errors.Is(err, auth.ErrRecovered) {
			t.Errorf("%s: %v", what, err)
		}
		if tenant := b.read(t); tenant.Endpoints[0].Disabled {
			t.Errorf("%s: it is disabled", what)
		}
	}
	wantRecovered("it was never tried", disable(1))
	b.record(t, d, outcomes{{1, false}, {2, true}})
	wantRecovered("it has recovered", disable(1))
	b.record(t, d, outcomes{{3, false}})
	wantRecovered("it has recovered meanwhile", disable(1))
	if err := disable(3); err != nil || !b.read(t).Endpoints[0].Disabled {
		t.Errorf("it fails: %v", err)
	}
}

func testHealthWaiting(t *testing.T, open Open) {
	b := setup(t, open)
	_, deliveries := b.tell(t, 3, "https://a.example")
	jobs := b.claim(t, time.Minute)
	later := b.clock.Now().Add(time.Hour)
	b.attempted(t,
		b.try(deliveries[0], jobs[deliveries[0].ID], webhook.StatusOpen, later.Add(time.Hour)),
		b.try(deliveries[1], jobs[deliveries[1].ID], webhook.StatusOpen, later),
		b.try(deliveries[2], jobs[deliveries[2].ID], webhook.StatusDelivered, time.Time{}))
	health, err := b.store.Health(t.Context(), b.tenant, deliveries[0].Endpoint)
	if err != nil || health.Waiting != 2 || !health.NextAt.Equal(later) {
		t.Errorf("read %+v: %v", health, err)
	}
}

func testChangeTells(t *testing.T, open Open) {
	b := setup(t, open)
	b.join(t, nil)
	place := b.endpoint("https://a.example")
	event := b.changed()
	event.Detail = `{"reason":"asked"}`
	book := payment.NewBook(b.clock.Now(), b.newID)
	book.Deliver(payment.Delivery{Endpoint: place.Endpoint, Event: event, Word: "told"}, webhook.EndpointQueue(place.ID))
	change := auth.Change{
		Endpoints: []auth.Endpoint{place}, Events: []payment.Event{event},
		Deliveries: book.Changes.Deliveries, Tasks: book.Changes.Tasks,
	}
	old := b.read(t)
	old.Version--
	change.Tenant = &old
	if err := b.tryChange(t, change); err == nil || len(b.deliveries(t, webhook.Filter{})) != 0 {
		t.Errorf("a change that fails has told somebody: %v", err)
	}
	change.Tenant = nil
	b.change(t, change)
	made := b.deliveries(t, webhook.Filter{})
	if len(made) != 1 || made[0].Event.Detail != event.Detail || made[0].Endpoint != place.ID {
		t.Fatalf("deliveries %+v", made)
	}
	if claimed := b.claim(t, time.Minute); len(claimed) != 1 || claimed[made[0].ID].Subject != made[0].ID {
		t.Errorf("jobs %+v", claimed)
	}
}

func testHealthApart(t *testing.T, open Open) {
	b := setup(t, open)
	b.join(t, nil)
	endpoint := payment.EndpointID(b.newID())
	b.record(t, webhook.Delivery{Tenant: b.tenant, Endpoint: endpoint}, outcomes{{1, false}})
	b.tenant = b.newID()
	wantSame(t, "health", b.health(t, endpoint), webhook.Health{})
}
