// Package service puts the whole of Refundry together: a store, the engine,
// jobs, processors, webhooks and all front doors. The command and the tests
// start the same thing.
package service

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/refundry/refundry/internal/api"
	"github.com/refundry/refundry/internal/auth"
	"github.com/refundry/refundry/internal/batch"
	"github.com/refundry/refundry/internal/clock"
	"github.com/refundry/refundry/internal/dialect"
	"github.com/refundry/refundry/internal/dialect/chip"
	"github.com/refundry/refundry/internal/dialect/ping"
	"github.com/refundry/refundry/internal/dialect/primer"
	"github.com/refundry/refundry/internal/dialect/smartglocal"
	"github.com/refundry/refundry/internal/engine"
	"github.com/refundry/refundry/internal/id"
	"github.com/refundry/refundry/internal/job"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/processor"
	"github.com/refundry/refundry/internal/processor/sandbox"
	"github.com/refundry/refundry/internal/setting"
	"github.com/refundry/refundry/internal/waiter"
	"github.com/refundry/refundry/internal/webhook"
	"github.com/refundry/refundry/internal/wire"
)

// Config is what a service is made of.
type Config struct {
	Data         string // folder for the SQLite file, keys, the lock; it must exist
	Database     string // URL of a Postgres database; empty: SQLite in Data
	IsSandbox    bool
	SandboxDelay time.Duration  // after which refunds succeed in the sandbox
	Allow        []netip.Prefix // addresses of webhook endpoints that the guard lets through
	Proxies      []netip.Prefix // that are believed when they say who asked them
	Lease        time.Duration  // of jobs; 0: the default
	PausesJobs   bool           // nothing runs jobs: for measuring what callers wait for
	Machine      func() time.Time
	NewID        id.Source
	Luck         func() float64 // between 0 and 1
	Log          *slog.Logger
}

const (
	leaseDefault  = 60 * time.Second
	placesInAll   = 256
	placesInQueue = 16 // jobs of one endpoint or connector at a time
	lanesSQLite   = 1  // one writer
	// LanesPostgres is how many batches are under way at a time on Postgres.
	LanesPostgres = 4
)

// Service is a whole Refundry. Make one with [Open], [Service.Run] it, then
// [Service.Close] it.
type Service struct {
	config   Config
	unlock   func() error
	store    store
	clock    *clock.Clock
	skew     *skew
	sandbox  *sandbox.Sandbox
	at       connectors
	auth     *auth.Auth
	engine   *engine.Engine
	runner   *job.Runner
	teller   *webhook.Teller
	replayer webhook.Replayer
	carrier  *processor.Carrier
	waiter   *waiter.Waiter
	batches  *batch.Clerk
	dialects dialects
	doors    []payment.Door
	api      *api.API
	metrics  *metrics
	handler  http.Handler
	operator http.Handler
}

// SettingSpecs describes every setting of a tenant.
func SettingSpecs() []setting.Spec {
	specs := slices.Concat(payment.PolicySpecs, payment.ReasonSpecs, []setting.Spec{webhook.SettingDisableAfter.Spec})
	for _, of := range []func() []setting.Spec{smartglocal.Specs, ping.Specs, chip.Specs, primer.Specs} {
		specs = append(specs, of()...)
	}
	return specs
}

// Scopes lists what a key of our own API may be for.
func Scopes() []string { return api.Scopes() }

// Open takes the data folder and opens the store. Nothing runs yet.
func Open(ctx context.Context, config Config) (_ *Service, err error) {
	if config.Lease == 0 {
		config.Lease = leaseDefault
	}
	s := &Service{config: config, metrics: newMetrics()}
	if s.unlock, err = Lock(config.Data); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	s.skew = &skew{machine: config.Machine}
	s.clock = clock.New(s.skew.now)
	if s.store, err = openStore(ctx, config, s.clock.Now); err != nil {
		return nil, err
	}
	if err := s.skew.follow(ctx, s.store); err != nil {
		return nil, err
	}
	if config.IsSandbox {
		if s.sandbox, err = s.openSandbox(ctx); err != nil {
			return nil, err
		}
	}
	keyring, err := s.keyring(ctx)
	if err != nil {
		return nil, err
	}
	s.auth = auth.New(auth.Config{
		Store: s.store, Uses: s.store, Keyring: keyring, Specs: SettingSpecs(), Router: lateRouter{s},
		Now: s.clock.Now, Machine: config.Machine, NewID: config.NewID,
	})
	s.assemble()
	return s, nil
}

func (s *Service) openSandbox(ctx context.Context) (*sandbox.Sandbox, error) {
	return sandbox.Open(ctx, sandbox.Config{
		Path: filepath.Join(s.config.Data, "sandbox.db"), URL: s.config.Database, Clock: s.clock,
		Machine: s.config.Machine, NewID: s.config.NewID, Delay: s.config.SandboxDelay, Log: s.config.Log,
	})
}

// assemble puts the parts together. The engine needs to know who is told and
// who runs jobs; these need the engine.
func (s *Service) assemble() {
	c := s.config
	s.at = connectorsOf(s.sandbox)
	s.waiter = waiter.New(waiter.Config{Engine: lateEngine{s}, Store: s.store, Now: s.clock.Now, Log: c.Log})
	s.dialects = newDialects(dialect.Config{
		Engine: lateEngine{s}, Opener: s.waiter, Reader: s.store, Books: s.store, Counter: s.store, Auth: s.auth,
		Now: s.clock.Now, NewID: c.NewID, IsSandbox: c.IsSandbox, Connector: Connector, Log: c.Log,
	})
	s.batches = batch.New(batch.Config{
		Engine: lateEngine{s}, Store: s.store, Reader: s.store, Router: lateRouter{s}, Door: api.Door(s.store, aliasKinds()),
		LeaseLeft: s.leaseLeft, Lease: c.Lease, Now: s.clock.Now, NewID: c.NewID, Log: c.Log,
	})
	s.api = api.New(api.Config{
		Engine: lateEngine{s}, Reader: s.store, Feed: s.store, Auth: s.auth, Deliveries: s.store, Audit: s.store,
		Replay: s.replay, Batches: s.batches, Reaches: webhook.NewReach(s.allowed()),
		Doors: dialectDoors, AliasKinds: aliasKinds(), OrderKinds: ping.OrderKinds(), Persons: persons(), Rest: rests(),
		Credentials: s.dialects.credentials(), SignatureKinds: []auth.Kind{primer.KindWebhookSecret},
		Import: imports(), Reports: s.reports(),
		BodyNotes:      map[payment.Door]func(string) string{primer.Name: primer.BodyNote},
		EndpointDetail: map[payment.Door]api.EndpointDetail{primer.Name: primer.EndpointDetail},
		ReasonWords:    map[payment.Door]func(setting.Values) []string{ping.Name: ping.Reasons},
		DoorSecrets:    map[payment.Door]api.DoorSecret{primer.Name: s.dialects.primer.EndpointSecret},
		Now:            s.clock.Now, NewID: c.NewID, IsSandbox: c.IsSandbox, Connector: Connector, Log: c.Log,
		Connectors: s.at.names(),
	})
	voices := append(s.dialects.voices(), s.api.Voice())
	for _, voice := range voices {
		s.doors = append(s.doors, voice.Door())
	}
	s.teller = webhook.NewTeller(webhook.Config{
		Store: s.store, Reader: s.store, Tenants: s.auth.Tenant, Voices: voices, Allow: s.allowed(),
		Disable:   s.disableEndpoint,
		LeaseLeft: s.leaseLeft, Lease: c.Lease, Now: s.clock.Now, Machine: c.Machine, Luck: c.Luck, Log: c.Log,
		Metrics: s.metrics,
	})
	s.carrier = processor.NewCarrier(processor.Config{
		Engine: s.waiter.Listening(lateEngine{s}), Reader: s.store, Connectors: s.at.processor,
		LeaseLeft: s.leaseLeft, Lease: c.Lease,
		Now: s.clock.Now, Machine: c.Machine, Luck: c.Luck, Log: c.Log, Metrics: s.metrics,
	})
	handlers := s.carrier.Handlers()
	handlers[payment.TaskDeliverWebhook] = s.teller.Handle
	handlers[payment.TaskDeferRefund] = s.waiter.Defer
	handlers[payment.TaskRunBatch] = s.batches.Work
	s.runner = job.New(job.Config{
		Store: s.store, Handlers: handlers, Places: job.Places{PerQueue: placesInQueue, InAll: s.places()},
		Lease: c.Lease, Now: s.clock.Now, NewID: c.NewID, Luck: c.Luck, Log: c.Log, Metrics: s.metrics,
	})
	lanes := lanesSQLite
	if c.Database != "" {
		lanes = LanesPostgres
	}
	router := webhook.NewRouter(voices...)
	s.replayer = webhook.Replayer{Engine: lateEngine{s}, Feed: s.store, Reader: s.store, Memory: s.store, Router: router}
	s.engine = engine.New(engine.Config{
		Store: s.store, Router: router, Starter: s.runner, NewID: c.NewID, Lanes: lanes,
		Log: c.Log, Metrics: s.metrics, Connectors: s.at.known(),
	})
	s.handler, s.operator = s.handlers()
}

// places returns how many jobs may run at a time; none while they are paused.
func (s *Service) places() int {
	if s.config.PausesJobs {
		return 0
	}
	return placesInAll
}

// allowed returns the addresses that webhooks may go to although they are not
// public: in the sandbox, this machine.
func (s *Service) allowed() []netip.Prefix {
	if !s.config.IsSandbox {
		return s.config.Allow
	}
	return append([]netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}, s.config.Allow...)
}

func (s *Service) leaseLeft(j job.Job) time.Duration { return s.runner.LeaseLeft(j) }

// lateEngine lets parts be made before the engine that they call.
type lateEngine struct{ service *Service }

// Do implements the engine's side of every front door.
func (l lateEngine) Do(ctx context.Context, command payment.Command, finish ...payment.TaskRef) (payment.Answer, error) {
	answer, err := l.service.engine.Do(ctx, command, finish...)
	if err == nil && !answer.Unchanged && answer.Replayed == nil {
		wire.Changed(ctx)
	}
	return answer, err
}

// lateRouter lets parts be made before it is known who is told.
type lateRouter struct{ service *Service }

// Route implements [engine.Router].
func (l lateRouter) Route(telling payment.Telling, tenant *payment.Tenant) []engine.Route {
	return l.service.replayer.Router.Route(telling, tenant)
}

// Handler answers callers at all front doors.
func (s *Service) Handler() http.Handler { return s.handler }

// OperatorHandler answers operators: whoever reaches it may do everything. It
// belongs behind a socket that only the operator can open.
func (s *Service) OperatorHandler() http.Handler { return s.operator }

// Run works until ctx ends and all is quiet. Requests must have ended before:
// what is still in line is answered, what runs comes to its end.
func (s *Service) Run(ctx context.Context) {
	working, stopWorking := context.WithCancel(context.WithoutCancel(ctx))
	defer stopWorking()
	var engineAndTeller, runner sync.WaitGroup
	engineAndTeller.Go(func() { s.engine.Run(working) })
	engineAndTeller.Go(func() { s.teller.Run(working) })
	engineAndTeller.Go(func() { s.waiter.Run(working) })
	runner.Go(func() { s.runner.Run(ctx) })
	runner.Go(func() { s.skew.run(ctx, s.store, s.config.Log) })
	runner.Go(func() { s.count(ctx) })
	runner.Go(func() { s.auth.KeepUses(ctx, s.config.Log) })
	if s.sandbox != nil {
		runner.Go(func() { s.sandbox.Run(ctx, s.carrier.Receive) })
	}
	runner.Wait() // jobs end through the engine and the teller: these go last
	stopWorking()
	engineAndTeller.Wait()
}

// Close gives everything back. It comes after [Service.Run] has returned.
func (s *Service) Close() error {
	var errs []error
	if s.sandbox != nil {
		errs = append(errs, s.sandbox.Close())
	}
	if s.store != nil {
		errs = append(errs, s.store.Close())
	}
	return errors.Join(append(errs, s.unlock())...)
}

// keyring returns what encrypts secrets: in the sandbox one that all replicas
// find in its record, elsewhere the data folder's master key.
func (s *Service) keyring(ctx context.Context) (*auth.Keyring, error) {
	if s.sandbox != nil {
		return s.sandboxKeyring(ctx)
	}
	path := filepath.Join(s.config.Data, "master.key")
	kept, err := os.ReadFile(path) //nolint:gosec // the operator's own folder
	switch {
	case err == nil:
		return auth.ParseKeyring(kept)
	case !errors.Is(err, os.ErrNotExist):
		return nil, fmt.Errorf("read the master key: %w", err)
	case s.config.Database != "":
		tenants, err := s.store.Tenants(ctx)
		if err != nil {
			return nil, err
		}
		if len(tenants) > 0 {
			return nil, fmt.Errorf("no master.key in the data folder, but the database has tenants: " +
				"copy the file from the first replica")
		}
	}
	keyring, err := auth.NewKeyring()
	if err != nil {
		return nil, err
	}
	return keyring, writeSecret(path, keyring.Bytes())
}

// writeSecret writes a file that only its owner can read, whole or not at all.
func writeSecret(path string, content []byte) error {
	temporary := path + ".new"
	if err := os.WriteFile(temporary, content, 0o600); err != nil {
		return fmt.Errorf("write %s: %w", filepath.Base(path), err)
	}
	if err := os.Chmod(temporary, 0o600); err != nil {
		return fmt.Errorf("write %s: %w", filepath.Base(path), err)
	}
	if err := os.Rename(temporary, path); err != nil {
		return fmt.Errorf("write %s: %w", filepath.Base(path), err)
	}
	return nil
}
