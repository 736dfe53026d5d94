package webhook_test

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/binary"
	"log/slog"
	"net/netip"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/refundry/refundry/internal/auth"
	"github.com/refundry/refundry/internal/engine"
	"github.com/refundry/refundry/internal/job"
	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/store/sqlite"
	"github.com/refundry/refundry/internal/webhook"
)

// patience is how long a test waits for what must happen.
const patience = 20 * time.Second

// lease is long enough for no test to see one end by itself.
const lease = 10 * time.Minute

// began is when time stands still in tests, until they move it.
var began = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// world is what tells events, over a real store, engine and runner, in a
// domain time that only tests move.
type world struct {
	path   string
	clock  *atomic.Int64 // microseconds since the beginning
	store  *sqlite.Store
	auth   *auth.Auth
	engine *engine.Engine
	teller *webhook.Teller
	runner *job.Runner
	voice  *voice
	plan   plan
	stop   func()
}

// plan says how a world differs from the usual one.
type plan struct {
	path          string // of an earlier world's file
	clock         *atomic.Int64
	voice         voice
	places        int                         // per queue; 0: 4
	refuses       bool                        // the guard lets no private address through
	recordsNo     bool                        // results are never recorded
	runsNo        bool                        // jobs are run by the test
	wraps         func(s store) webhook.Store // what the teller records in
	rememberedFor func(*payment.Tenant) *payment.Tenant
	leaseLeft     time.Duration // of every job; 0: all of it
	luck          float64
}

type store interface{ webhook.Store }

func (w *world) now() time.Time { return began.Add(time.Duration(w.clock.Load()) * time.Microsecond) }

// advance moves domain time and lets the runner look.
func (w *world) advance(by time.Duration) {
	w.clock.Add(by.Microseconds())
	w.runner.Poke()
}

// nobody measures nothing, and starts nothing.
type nobody struct{}

func (nobody) Committed(int, time.Duration)                         {}
func (nobody) LostRace()                                            {}
func (nobody) Ran(payment.TaskKind, time.Duration, bool)            {}
func (nobody) Told(payment.Door, int, time.Duration)                {}
func (nobody) Reserve(payment.Task) (claim [16]byte, reserved bool) { return claim, false }
func (nobody) Start(context.Context, []payment.Task)                {}
func (nobody) Release(payment.Task)                                 {}

// newID returns ids in growing order.
func newID() func() [16]byte {
	var count atomic.Uint64
	return func() (id [16]byte) {
		binary.BigEndian.PutUint64(id[:8], uint64(time.Now().UnixMicro())<<8|count.Add(1)&0xff)
		_, _ = rand.Read(id[8:])
		return id
	}
}

func setup(t *testing.T, p plan) *world {
	t.Helper()
	w := &world{path: p.path, clock: p.clock, voice: &p.voice, plan: p}
	if w.path == "" {
		w.path, w.clock = filepath.Join(t.TempDir(), "refundry.db"), &atomic.Int64{}
	}
	log, ids := slog.New(slog.DiscardHandler), newID()
	var err error
	if w.store, err = sqlite.Open(sqlite.Config{
		Path: w.path, Now: w.now, Machine: time.Now, NewID: ids, Lease: lease, Log: log,
	}); err != nil {
		t.Fatal(err)
	}
	keyring, err := auth.ParseKeyring(sharedKeyring())
	if err != nil {
		t.Fatal(err)
	}
	w.auth = auth.New(auth.Config{Store: w.store, Keyring: keyring, Now: w.now, Machine: time.Now, NewID: ids})
	w.voice.auth = w.auth
	w.teller = w.newTeller(log)
	places := job.Places{PerQueue: cmp.Or(p.places, 4), InAll: 64}
	w.runner = job.New(job.Config{
		Store: w.store, Handlers: map[payment.TaskKind]job.Handler{
			payment.TaskDeliverWebhook: w.teller.Handle,
			payment.TaskSubmitRefund:   func(context.Context, job.Job) (job.Verdict, error) { return job.Done(), nil },
		},
		Places: places, Lease: lease, Now: w.now, NewID: ids, Luck: func() float64 { return 0.5 }, Log: log, Metrics: nobody{},
	})
	w.engine = engine.New(engine.Config{
		Store: w.store, Router: webhook.NewRouter(w.voice), Starter: w.starter(), NewID: ids, Lanes: 1, Log: log,
		Metrics: nobody{},
	})
	w.run(t)
	return w
}

var sharedKeyring = sync.OnceValue(func() []byte {
	keyring, err := auth.NewKeyring()
	if err != nil {
		panic(err)
	}
	return keyring.Bytes()
})

func (w *world) newTeller(log *slog.Logger) *webhook.Teller {
	config := webhook.Config{
		Store: w.store, Reader: w.store, Tenants: w.auth.Tenant, Voices: []webhook.Voice{w.voice},
		Disable: func(ctx context.Context, tenant payment.TenantID, id payment.EndpointID, disabling payment.Disabling) error {
			return w.auth.DisableEndpoint(ctx, auth.By{Actor: "receiver"}, tenant, id, disabling)
		},
		Lease: lease, LeaseLeft: func(job.Job) time.Duration { return cmp.Or(w.plan.leaseLeft, lease) },
		Now: w.now, Machine: time.Now, Luck: func() float64 { return w.plan.luck }, Log: log, Metrics: nobody{},
	}
	if !w.plan.refuses {
		config.Allow = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}
	}
	if w.plan.wraps != nil {
		config.Store = w.plan.wraps(w.store)
	}
	if w.plan.rememberedFor != nil {
		config.Tenants = func(ctx context.Context, id payment.TenantID) (*payment.Tenant, error) {
			tenant, err := w.auth.Tenant(ctx, id)
			return w.plan.rememberedFor(tenant), err
		}
	}
	return webhook.NewTeller(config)
}

// starter lets jobs be born to the runner, as in a service, if there is one.
func (w *world) starter() engine.Starter {
	if w.plan.runsNo {
		return nobody{}
	}
	return w.runner
}

// run runs everything until stop is called, at the latest when the test ends.
// What ends jobs outlives what runs them.
func (w *world) run(t *testing.T) {
	t.Helper()
	base, stopBase := context.WithCancel(context.Background())
	top, stopTop := context.WithCancel(context.Background())
	var atBase, atTop sync.WaitGroup
	atBase.Go(func() { w.engine.Run(base) })
	if !w.plan.recordsNo {
		atBase.Go(func() { w.teller.Run(base) })
	}
	if !w.plan.runsNo {
		atTop.Go(func() { w.runner.Run(top) })
	}
	w.stop = sync.OnceFunc(func() {
		stopTop()
		atTop.Wait()
		stopBase()
		atBase.Wait()
		if err := w.store.Close(); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(w.stop)
}

var by = auth.By{Actor: "operator:test"}

// tenant makes a tenant with an endpoint at each URL.
func (w *world) tenant(t *testing.T, urls ...string) (payment.TenantID, []payment.EndpointID) {
	t.Helper()
	tenant, err := w.auth.CreateTenant(t.Context(), by, rand.Text())
	if err != nil {
		t.Fatal(err)
	}
	var ids []payment.EndpointID
	for _, url := range urls {
		endpoint, _, err := w.auth.AddEndpoint(t.Context(), by, tenant.ID, shop, url, nil, secret)
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, endpoint.ID)
	}
	return tenant.ID, ids
}

// capture makes a captured payment, which nobody is told of.
func (w *world) capture(t *testing.T, tenant payment.TenantID) payment.PaymentID {
	t.Helper()
	answer, err := w.engine.Do(t.Context(), payment.CreatePayment{
		Meta: meta(tenant), Status: payment.PaymentCaptured, Connector: "sandbox", Amount: money.Of(100_000, "EUR"),
	})
	if err != nil {
		t.Fatal(err)
	}
	return answer.View.Payment.ID
}

func meta(tenant payment.TenantID) payment.Meta {
	return payment.Meta{Tenant: tenant, Actor: "key:test", Door: shop}
}

// refund opens a refund: one event, refund.created.
func (w *world) refund(t *testing.T, tenant payment.TenantID, of payment.PaymentID, amount money.Minor) {
	t.Helper()
	if _, err := w.engine.Do(t.Context(), payment.OpenRefund{
		Meta: meta(tenant), Payment: of, Ask: payment.Ask{How: payment.AskAmount, Amount: amount},
	}); err != nil {
		t.Fatal(err)
	}
}

// deliveries returns a tenant's deliveries, the newest first.
func (w *world) deliveries(t *testing.T, tenant payment.TenantID) []webhook.Delivery {
	t.Helper()
	all, err := w.store.Deliveries(t.Context(), tenant, webhook.Filter{Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// attempts waits until a tenant's only delivery has a number of attempts in
// its log, and returns both.
func (w *world) attempts(t *testing.T, tenant payment.TenantID, number int) (webhook.Delivery, []webhook.Attempt) {
	t.Helper()
	all := w.deliveries(t, tenant)
	if len(all) != 1 {
		t.Fatalf("%d deliveries, want 1", len(all))
	}
	var made []webhook.Attempt
	eventually(t, func() bool {
		var err error
		if made, err = w.store.Attempts(t.Context(), tenant, all[0].ID); err != nil {
			t.Fatal(err)
		}
		return len(made) >= number
	})
	if len(made) != number {
		t.Fatalf("%d attempts, want %d", len(made), number)
	}
	return w.deliveries(t, tenant)[0], made // both were written in one commit
}

// isDue reports whether a webhook is due. It takes one that is.
func (w *world) isDue(t *testing.T) bool {
	t.Helper()
	return len(w.claim(t, lease)) > 0
}

// claim takes the webhooks that are due.
func (w *world) claim(t *testing.T, lease time.Duration) []job.Job {
	t.Helper()
	jobs, err := w.store.Claim(t.Context(), job.Claim{
		ID: newID()(), Now: w.now(), Lease: lease, InAll: 100, PerQueue: 100,
	})
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(jobs, func(j job.Job) bool { return j.Kind != payment.TaskDeliverWebhook })
}

// eventually ends the test if something does not come to hold.
func eventually(t *testing.T, holds func() bool) {
	t.Helper()
	ticker := time.NewTicker(2 * time.Millisecond)
	defer ticker.Stop()
	for deadline := time.Now().Add(patience); !holds(); <-ticker.C {
		if time.Now().After(deadline) {
			t.Fatal("it did not happen")
		}
	}
}
