package storetest

import (
	"slices"
	"testing"
	"time"

	"github.com/refundry/refundry/internal/auth"
	"github.com/refundry/refundry/internal/engine"
	"github.com/refundry/refundry/internal/fault"
	"github.com/refundry/refundry/internal/job"
	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/webhook"
)

var deliveryTests = map[string]func(*testing.T, Open){
	"an event's commit writes its deliveries":            testDeliveryBorn,
	"attempts move deliveries and end jobs":              testAttempted,
	"a stale holder's attempt ends no job":               testAttemptedStale,
	"a delivery that has ended stays so":                 testAttemptedLate,
	"two attempts of a delivery in one batch both count": testAttemptedTwice,
	"an end without an attempt is no attempt":            testAttemptedWithout,
	"a delivery that has ended can be sent again":        testResend,
	"deliveries are listed newest first":                 testDeliveries,
	"a tenant's deliveries are not another's":            testDeliveriesApart,
	"what an endpoint has heard is found":                testHeard,
}

// everywhere tells every event to every endpoint, in any order.
type everywhere struct{}

func (everywhere) Route(_ payment.Telling, tenant *payment.Tenant) []engine.Route {
	var routes []engine.Route
	for _, endpoint := range tenant.Endpoints {
		routes = append(routes, engine.Route{
			Endpoint: endpoint, Word: "told: " + endpoint.Detail, Queue: webhook.EndpointQueue(endpoint.ID),
		})
	}
	return routes
}

// tell makes payments whose only events are told to each endpoint of the
// bundle's tenant, and returns the payments and their deliveries, oldest first.
func (b *bundle) tell(t *testing.T, payments int, urls ...string) ([]payment.Payment, []webhook.Delivery) {
	t.Helper()
	b.join(t, nil)
	var places []auth.Endpoint
	for _, url := range urls {
		place := b.endpoint(url)
		place.Detail = "of " + url
		places = append(places, place)
	}
	b.change(t, auth.Change{Endpoints: places})
	e := b.beside(t, everywhere{})
	var made []payment.Payment
	for range payments {
		answer, err := e.Do(t.Context(), payment.CreatePayment{
			Meta: b.meta(), Status: payment.PaymentCaptured, Connector: "sandbox", Amount: money.Of(1000, "EUR"),
		})
		if err != nil {
			t.Fatal(err)
		}
		made = append(made, answer.View.Payment)
	}
	deliveries := b.deliveries(t, webhook.Filter{})
	slices.Reverse(deliveries)
	if len(deliveries) != payments*len(urls) {
		t.Fatalf("%d deliveries of %d events to %d endpoints", len(deliveries), payments, len(urls))
	}
	return made, deliveries
}

func (b *bundle) deliveries(t *testing.T, filter webhook.Filter) []webhook.Delivery {
	t.Helper()
	if filter.Limit == 0 {
		filter.Limit = eventsMax
	}
	deliveries, err := b.store.Deliveries(t.Context(), b.tenant, filter)
	if err != nil {
		t.Fatal(err)
	}
	return deliveries
}

// claim leases what is due, by the delivery it makes.
func (b *bundle) claim(t *testing.T, lease time.Duration) map[payment.DeliveryID]job.Job {
	t.Helper()
	jobs, err := b.store.Claim(t.Context(), job.Claim{
		ID: b.newID(), Now: b.clock.Now(), Lease: lease, InAll: 100, PerQueue: 10,
	})
	if err != nil {
		t.Fatal(err)
	}
	claimed := map[payment.DeliveryID]job.Job{}
	for _, j := range jobs {
		claimed[j.Subject] = j
	}
	return claimed
}

// waiting returns how many jobs there are.
func (b *bundle) waiting(t *testing.T) int {
	t.Helper()
	waiting, buried, err := b.store.Count(t.Context())
	if err != nil || buried != 0 {
		t.Fatalf("%d buried: %v", buried, err)
	}
	return waiting[payment.TaskDeliverWebhook]
}

func (b *bundle) attempted(t *testing.T, results ...webhook.Result) {
	t.Helper()
	if err := b.store.Attempted(t.Context(), results); err != nil {
		t.Fatal(err)
	}
}

// wantDelivery fails the test unless a delivery is read as wanted.
func (b *bundle) wantDelivery(t *testing.T, want webhook.Delivery) {
	t.Helper()
	got, err := b.store.Delivery(t.Context(), b.tenant, want.ID)
	if err != nil {
		t.Fatal(err)
	}
	wantSame(t, "delivery", got, want)
}

func (b *bundle) attempts(t *testing.T, id payment.DeliveryID) []webhook.Attempt {
	t.Helper()
	attempts, err := b.store.Attempts(t.Context(), b.tenant, id)
	if err != nil {
		t.Fatal(err)
	}
	return attempts
}

// try is the result of an attempt that ended a delivery, or left it open until again.
func (b *bundle) try(d webhook.Delivery, by job.Job, status webhook.Status, again time.Time) webhook.Result {
	d.Attempts++
	d.Status, d.Body = status, []byte("{\"n\":\x001}")
	if d.FirstAt.IsZero() {
		d.FirstAt = b.clock.Now()
	}
	if status != webhook.StatusOpen {
		d.EndedAt = b.clock.Now()
	}
	return webhook.Result{
		Delivery: d, Job: by.Ref(), Again: again, Attempt: webhook.Attempt{
			Number: d.Attempts, At: b.clock.Now(), Took: 1500 * time.Microsecond, StatusCode: 503, Error: "no\nanswer", Answer: "é",
		},
	}
}

func testDeliveryBorn(t *testing.T, open Open) {
	b := setup(t, open)
	payments, deliveries := b.tell(t, 1, "https://a.example/?q=1", "https://b.example")
	tenant := b.read(t)
	events := b.events(t)
	told := events[len(events)-1]
	for _, place := range tenant.Endpoints {
		at := slices.IndexFunc(deliveries, func(d webhook.Delivery) bool { return d.Endpoint == place.ID })
		if at < 0 {
			t.Fatal("an endpoint is not told")
		}
		b.wantDelivery(t, webhook.Delivery{
			Tenant: b.tenant, ID: deliveries[at].ID, Endpoint: place.ID, Door: place.Door, URL: place.URL,
			Status: webhook.StatusOpen, Event: webhook.Event{
				Kind: told.Kind, Word: "told: of " + place.URL, Payment: payments[0].ID, Subject: payments[0].ID, Version: told.Version, At: told.At,
			},
		})
	}
	if claimed := b.claim(t, time.Minute); len(claimed) != 2 {
		t.Errorf("%d jobs are due", len(claimed))
	}
}

func testAttempted(t *testing.T, open Open) {
	b := setup(t, open)
	_, deliveries := b.tell(t, 3, "https://a.example")
	jobs := b.claim(t, time.Minute)
	later := b.clock.Now().Add(time.Hour)
	results := []webhook.Result{
		b.try(deliveries[2], jobs[deliveries[2].ID], webhook.StatusGivenUp, time.Time{}),
		b.try(deliveries[0], jobs[deliveries[0].ID], webhook.StatusDelivered, time.Time{}),
		b.try(deliveries[1], jobs[deliveries[1].ID], webhook.StatusOpen, later),
	}
	b.attempted(t, results...)
	for _, result := range results {
		b.wantDelivery(t, result.Delivery)
		wantSame(t, "attempts", b.attempts(t, result.Delivery.ID), []webhook.Attempt{result.Attempt})
	}
	if n := b.waiting(t); n != 1 {
		t.Errorf("%d jobs are left, want the one that comes again", n)
	}
	if early := b.claim(t, time.Minute); len(early) != 0 {
		t.Error("the second attempt is due too early")
	}
	b.clock.Advance(time.Hour)
	again, ok := b.claim(t, time.Minute)[deliveries[1].ID]
	if !ok || again.Runs != 1 {
		t.Fatalf("claimed again %v, as run %d of those that count", ok, again.Runs)
	}
	second := b.try(results[2].Delivery, again, webhook.StatusDelivered, time.Time{})
	b.attempted(t, second)
	b.wantDelivery(t, second.Delivery)
	wantSame(t, "attempts", b.attempts(t, deliveries[1].ID), []webhook.Attempt{results[2].Attempt, second.Attempt})
	if n := b.waiting(t); n != 0 {
		t.Errorf("%d jobs are left", n)
	}
}

// stale lets a holder of a delivery's job lose its lease to another.
func (b *bundle) stale(t *testing.T, id payment.DeliveryID) (lost, holds job.Job) {
	t.Helper()
	lost = b.claim(t, -time.Second)[id]
	if reaped, _, err := b.store.Reap(t.Context(), 20, 100); err != nil || reaped != 1 {
		t.Fatalf("reaped %d: %v", reaped, err)
	}
	return lost, b.claim(t, time.Minute)[id]
}

func testAttemptedStale(t *testing.T, open Open) {
	b := setup(t, open)
	_, deliveries := b.tell(t, 1, "https://a.example")
	d := deliveries[0]
	lost, holds := b.stale(t, d.ID)
	wantHeld := func() {
		t.Helper()
		kept, err := b.store.Renew(t.Context(), []payment.TaskRef{lost.Ref(), holds.Ref()}, time.Minute)
		if err != nil || len(kept) != 1 || kept[0] != holds.Ref() {
			t.Errorf("leases that stand: %v: %v", kept, err)
		}
	}
	first := b.try(d, lost, webhook.StatusOpen, b.clock.Now())
	b.attempted(t, first)
	wantHeld()
	second := b.try(first.Delivery, lost, webhook.StatusDelivered, time.Time{}) // it was told after all
	b.attempted(t, second)
	wantHeld()
	b.wantDelivery(t, second.Delivery)
	wantSame(t, "attempts", b.attempts(t, d.ID), []webhook.Attempt{first.Attempt, second.Attempt})
}

func testAttemptedLate(t *testing.T, open Open) {
	b := setup(t, open)
	_, deliveries := b.tell(t, 1, "https://a.example")
	d := deliveries[0]
	lost, holds := b.stale(t, d.ID)
	delivered := b.try(d, holds, webhook.StatusDelivered, time.Time{})
	b.attempted(t, delivered)
	b.clock.Advance(time.Minute)
	for _, status := range []webhook.Status{webhook.StatusOpen, webhook.StatusGivenUp, webhook.StatusCanceled} {
		b.attempted(t, b.try(d, lost, status, time.Time{}))
	}
	b.wantDelivery(t, delivered.Delivery)
	attempts := b.attempts(t, d.ID)
	for i, attempt := range attempts {
		if attempt.Number != i+1 {
			t.Errorf("attempt %d has number %d", i+1, attempt.Number)
		}
	}
	if len(attempts) != 4 || b.waiting(t) != 0 {
		t.Errorf("%d attempts, %d jobs", len(attempts), b.waiting(t))
	}
}

func testAttemptedTwice(t *testing.T, open Open) {
	for name, statuses := range map[string][2]webhook.Status{
		"delivered first": {webhook.StatusDelivered, webhook.StatusOpen},
		"delivered last":  {webhook.StatusOpen, webhook.StatusDelivered},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, open)
			_, deliveries := b.tell(t, 1, "https://a.example")
			d := deliveries[0]
			lost, holds := b.stale(t, d.ID)
			b.attempted(t, b.try(d, lost, statuses[0], time.Time{}), b.try(d, holds, statuses[1], time.Time{}))
			got, err := b.store.Delivery(t.Context(), b.tenant, d.ID)
			if err != nil || got.Status != webhook.StatusDelivered || got.EndedAt.IsZero() {
				t.Errorf("read %+v: %v", got, err)
			}
			if attempts := b.attempts(t, d.ID); len(attempts) != 2 || attempts[1].Number != 2 {
				t.Errorf("attempts %+v", attempts)
			}
		})
	}
}

func testAttemptedWithout(t *testing.T, open Open) {
	b := setup(t, open)
	_, deliveries := b.tell(t, 1, "https://a.example")
	d := deliveries[0]
	by := b.claim(t, time.Minute)[d.ID]
	d.Status, d.EndedAt = webhook.StatusCanceled, b.clock.Now() // its endpoint is gone
	b.attempted(t, webhook.Result{Delivery: d, Job: by.Ref()})
	b.wantDelivery(t, d)
	if attempts := b.attempts(t, d.ID); len(attempts) != 0 || b.waiting(t) != 0 {
		t.Errorf("attempts %+v, %d jobs", attempts, b.waiting(t))
	}
}

func testResend(t *testing.T, open Open) {
	b := setup(t, open)
	_, deliveries := b.tell(t, 1, "https://a.example")
	d := deliveries[0]
	wantCode(t, b.store.Resend(t.Context(), b.tenant, b.newID()), fault.NotFound)
	wantCode(t, b.store.Resend(t.Context(), b.newID(), d.ID), fault.NotFound)
	wantCode(t, b.store.Resend(t.Context(), b.tenant, d.ID), fault.Conflict)

	first := b.try(d, b.claim(t, time.Minute)[d.ID], webhook.StatusGivenUp, time.Time{})
	b.attempted(t, first)
	b.clock.Advance(time.Hour)
	if err := b.store.Resend(t.Context(), b.tenant, d.ID); err != nil {
		t.Fatal(err)
	}
	d.Body = first.Delivery.Body // it says the same again
	b.wantDelivery(t, d)
	second := b.try(d, b.claim(t, time.Minute)[d.ID], webhook.StatusDelivered, time.Time{})
	b.attempted(t, second)
	b.wantDelivery(t, second.Delivery)
	attempts := b.attempts(t, d.ID)
	if len(attempts) != 2 || attempts[1].Number != 2 || !attempts[1].At.Equal(b.clock.Now()) || b.waiting(t) != 0 {
		t.Errorf("attempts %+v, %d jobs", attempts, b.waiting(t))
	}
}

func testDeliveries(t *testing.T, open Open) {
	b := setup(t, open)
	payments, all := b.tell(t, 3, "https://a.example", "https://b.example")
	slices.Reverse(all) // newest first
	jobs := b.claim(t, time.Minute)
	ended := b.try(all[1], jobs[all[1].ID], webhook.StatusDelivered, time.Time{})
	b.attempted(t, ended)
	all[1] = ended.Delivery
	if !slices.IsSortedFunc(all, func(x, y webhook.Delivery) int { return y.ID.Compare(x.ID) }) {
		t.Error("not the newest first")
	}
	only := func(keep func(webhook.Delivery) bool) []webhook.Delivery {
		var kept []webhook.Delivery
		for _, d := range all {
			if keep(d) {
				kept = append(kept, d)
			}
		}
		return kept
	}
	first := b.read(t).Endpoints[0].ID
	wantSame(t, "all", b.deliveries(t, webhook.Filter{}), all)
	wantSame(t, "two", b.deliveries(t, webhook.Filter{Limit: 2}), all[:2])
	wantSame(t, "the next two", b.deliveries(t, webhook.Filter{Limit: 2, Before: all[1].ID}), all[2:4])
	wantSame(t, "the newest three", b.deliveries(t, webhook.Filter{Since: all[2].ID}), all[:3])
	wantSame(t, "those between", b.deliveries(t, webhook.Filter{Since: all[3].ID, Before: all[1].ID}), all[2:4])
	wantSame(t, "one payment's", b.deliveries(t, webhook.Filter{Payment: payments[1].ID}),
		only(func(d webhook.Delivery) bool { return d.Event.Payment == payments[1].ID }))
	wantSame(t, "one endpoint's", b.deliveries(t, webhook.Filter{Endpoint: first}),
		only(func(d webhook.Delivery) bool { return d.Endpoint == first }))
	wantSame(t, "the delivered", b.deliveries(t, webhook.Filter{Status: webhook.StatusDelivered}), all[1:2])
	wantSame(t, "one endpoint's open", b.deliveries(t, webhook.Filter{Endpoint: all[1].Endpoint, Status: webhook.StatusOpen}),
		only(func(d webhook.Delivery) bool { return d.Endpoint == all[1].Endpoint && d.ID != all[1].ID }))
}

func testDeliveriesApart(t *testing.T, open Open) {
	b := setup(t, open)
	_, deliveries := b.tell(t, 1, "https://a.example")
	d := deliveries[0]
	b.attempted(t, b.try(d, b.claim(t, time.Minute)[d.ID], webhook.StatusOpen, b.clock.Now()))
	b.tenant = b.newID()
	_, err := b.store.Delivery(t.Context(), b.tenant, d.ID)
	wantCode(t, err, fault.NotFound)
	if others, attempts := b.deliveries(t, webhook.Filter{}), b.attempts(t, d.ID); len(others) != 0 || len(attempts) != 0 {
		t.Errorf("%d deliveries, %d attempts", len(others), len(attempts))
	}
}

// testHeard tells of six events one endpoint each in another way, and the other
// nothing that arrives.
func testHeard(t *testing.T, open Open) {
	b := setup(t, open)
	statuses := []webhook.Status{
		webhook.StatusDelivered, webhook.StatusOpen, webhook.StatusGivenUp, webhook.StatusCanceled, webhook.StatusDelivered,
	}
	_, deliveries := b.tell(t, len(statuses), "https://a.example/", "https://b.example/")
	claimed := b.claim(t, time.Minute)
	endpoint, other := deliveries[0].Endpoint, deliveries[1].Endpoint
	var events []payment.Event
	var want []webhook.Heard
	for i, d := range deliveries {
		if d.Endpoint != endpoint {
			b.attempted(t, b.try(d, claimed[d.ID], webhook.StatusGivenUp, time.Time{}))
			continue
		}
		status := statuses[i/2]
		if status != webhook.StatusOpen {
			b.attempted(t, b.try(d, claimed[d.ID], status, time.Time{}))
		}
		if i/2 == len(statuses)-1 {
			continue // nobody asks for it
		}
		event := payment.Event{Payment: d.Event.Payment, Version: d.Event.Version}
		events = append(events, event, event)
		if status == webhook.StatusDelivered || status == webhook.StatusOpen {
			want = append(want, webhook.Heard{
				Payment: d.Event.Payment, Subject: d.Event.Subject, Kind: d.Event.Kind, Version: d.Event.Version, Word: d.Event.Word,
			})
		}
	}
	heard, err := b.store.Heard(t.Context(), b.tenant, endpoint, events)
	if err != nil {
		t.Fatal(err)
	}
	wantSame(t, "heard", heard, want)
	for name, ask := range map[string]func() ([]webhook.Heard, error){
		"another endpoint": func() ([]webhook.Heard, error) { return b.store.Heard(t.Context(), b.tenant, other, events) },
		"another tenant":   func() ([]webhook.Heard, error) { return b.store.Heard(t.Context(), b.newID(), endpoint, events) },
		"nothing":          func() ([]webhook.Heard, error) { return b.store.Heard(t.Context(), b.tenant, endpoint, nil) },
	} {
		if heard, err := ask(); err != nil || len(heard) > 0 {
			t.Errorf("%s has heard %v: %v", name, heard, err)
		}
	}
}
