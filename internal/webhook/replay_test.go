package webhook_test

import (
	"testing"
	"time"

	"github.com/refundry/refundry/internal/auth"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/webhook"
)

// What an endpoint missed, because it was made later, is told it by a replay:
// each event once, with the body of its time, and nothing outside the range.
func TestAReplayTellsWhatWasMissed(t *testing.T) {
	t.Parallel()
	w, r := setup(t, plan{}), newReceiver(t)
	tenant, _ := w.tenant(t)
	of := w.capture(t, tenant)
	for range 3 {
		w.refund(t, tenant, of, 100)
		w.advance(time.Minute)
	}
	made, _, err := w.auth.AddEndpoint(t.Context(), by, tenant, shop, r.url, nil, secret)
	if err != nil {
		t.Fatal(err)
	}
	known, err := w.auth.Tenant(t.Context(), tenant)
	if err != nil {
		t.Fatal(err)
	}
	replayer := webhook.Replayer{Engine: w.engine, Feed: w.store, Reader: w.store, Router: webhook.NewRouter(w.voice)}
	first, err := replayer.Replay(t.Context(), meta(tenant), known, webhook.Replay{
		Endpoint: made.Endpoint, Until: began.Add(90 * time.Second), Limit: 3,
	})
	if err != nil || first.Deliveries > 2 || first.IsOver {
		t.Fatalf("%+v %v", first, err)
	}
	rest, err := replayer.Replay(t.Context(), meta(tenant), known, webhook.Replay{
		Endpoint: made.Endpoint, After: first.Next, Until: began.Add(90 * time.Second), Limit: webhook.ReplayMax,
	})
	if err != nil || first.Deliveries+rest.Deliveries != 2 || !rest.IsOver {
		t.Fatalf("%+v then %+v, %v", first, rest, err)
	}
	bodies := []string{r.answers(t, 200), r.answers(t, 200)}
	for i, want := range []string{`"refunds":1,"reserved":100}`, `"refunds":2,"reserved":200}`} {
		if got := bodies[i][len(bodies[i])-len(want):]; got != want {
			t.Errorf("told %s, want %s", bodies[i], want)
		}
	}
	w.nothingLeft(t)
	r.none(t)
}

func TestAReplayHasALimit(t *testing.T) {
	t.Parallel()
	for _, limit := range []int{0, -1, webhook.ReplayMax + 1} {
		_, err := webhook.Replayer{}.Replay(t.Context(), payment.Meta{}, nil, webhook.Replay{Limit: limit})
		if err == nil {
			t.Errorf("%d events are read", limit)
		}
	}
}

// What has arrived, and what is on its way, is not told once more where only
// what was missed is asked for; asked again, nothing is left.
func TestAReplayOfWhatWasMissed(t *testing.T) {
	t.Parallel()
	w, r := setup(t, plan{}), newReceiver(t)
	tenant, ids := w.tenant(t, r.url)
	disable := func(yes bool) {
		t.Helper()
		_, err := w.auth.ChangeEndpoint(t.Context(), by, tenant, ids[0], func(e *auth.Endpoint) error {
			e.Disabled = yes
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	of := w.capture(t, tenant)
	w.refund(t, tenant, of, 50)
	r.answers(t, 200)
	w.nothingLeft(t)
	disable(true)
	w.refund(t, tenant, of, 100) // nobody is told
	disable(false)
	known, err := w.auth.Tenant(t.Context(), tenant)
	if err != nil {
		t.Fatal(err)
	}
	replayer := webhook.Replayer{
		Engine: w.engine, Feed: w.store, Reader: w.store, Memory: w.store, Router: webhook.NewRouter(w.voice),
	}
	for _, want := range []int{1, 0} {
		replayed, err := replayer.Replay(t.Context(), meta(tenant), known, webhook.Replay{
			Endpoint: known.Endpoints[0], Limit: webhook.ReplayMax, IsMissed: true,
		})
		if err != nil || replayed.Deliveries != want || !replayed.IsOver {
			t.Fatalf("%+v %v, want %d", replayed, err, want)
		}
	}
	r.answers(t, 200)
	w.nothingLeft(t)
	r.none(t)
}
