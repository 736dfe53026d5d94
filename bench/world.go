package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/refundry/refundry/internal/engine"
	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/pgtest"
	"github.com/refundry/refundry/internal/service"
	"github.com/refundry/refundry/internal/store/postgres"
	"github.com/refundry/refundry/internal/store/sqlite"
	"github.com/refundry/refundry/internal/web"
)

const (
	currency = money.Currency("EUR")
	reason   = "requested_by_customer"
	lease    = time.Minute
)

func newID() [16]byte { return uuid.Must(uuid.NewV7()) }

// measurement is one of the questions of the benchmark.
type measurement struct {
	name    string
	workers func(connections int) int
	work    func(connections int) work
}

// world is everything that one round measures, on one store.
type world struct {
	folder  string
	cluster *pgtest.Cluster // nil: SQLite
	lanes   int
	cpu     func() time.Duration
	count   atomic.Int64

	bareAddress string
	bare        bareStore
	paused      *server // answers, and runs no jobs
	whole       *server // everything on
	signed      [][]byte
	receiver    *receiver

	stop    context.CancelFunc
	running sync.WaitGroup
	closers []func() error
}

// bareStore is a store without the rest, and payments in it.
type bareStore struct {
	store    engine.Store
	tenant   payment.TenantID
	payments []payment.PaymentID
}

// server is a whole service behind a listener.
type server struct {
	address  string
	key      string
	payments []string
}

func (w *world) measurements() []measurement {
	each := func(connections int) int { return connections }
	return []measurement{
		{"a", each, w.bareWork},
		{"b", w.storeWorkers, w.storeWork},
		{"c", each, w.refundWork},
		{"d", each, w.dialectWork},
		{"e", each, w.lifeWork},
	}
}

// newWorld makes a fresh store of each kind that is measured, and payments.
func newWorld(ctx context.Context, f flags, store string) (_ *world, err error) {
	ctx, stop := context.WithCancel(ctx)
	w := &world{stop: stop, lanes: 1}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.close())
		}
	}()
	if w.folder, err = os.MkdirTemp("", "refundry-bench-"); err != nil {
		return nil, err
	}
	serverProcess := 0
	if store == "postgres" {
		w.lanes = service.LanesPostgres
		if w.cluster, err = pgtest.Start("shared_buffers=1GB", "max_wal_size=4GB"); err != nil {
			return nil, err
		}
		serverProcess = w.cluster.Process()
	}
	w.cpu = cpuOf(serverProcess)
	if w.bareAddress, err = w.listen(ctx, http.HandlerFunc(bareHandler)); err != nil {
		return nil, err
	}
	if err := w.makeBareStore(ctx, f.Payments); err != nil {
		return nil, err
	}
	w.receiver = newReceiver()
	address, err := w.listen(ctx, w.receiver)
	if err != nil {
		return nil, err
	}
	if err := w.startPaused(ctx, f.Payments); err != nil {
		return nil, err
	}
	return w, w.startWhole(ctx, f.Payments, "http://"+address+"/")
}

// listen serves a handler on a free port until the world ends.
func (w *world) listen(ctx context.Context, handler http.Handler) (string, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	w.running.Go(func() {
		_ = web.Serve(ctx, listener, handler, time.Second, slog.New(slog.DiscardHandler)) // its end is the world's
	})
	return listener.Addr().String(), nil
}

// makeBareStore opens a store and puts payments into it.
func (w *world) makeBareStore(ctx context.Context, payments int) error {
	now := time.Now
	log := slog.New(slog.DiscardHandler)
	if w.cluster == nil {
		s, err := sqlite.Open(sqlite.Config{
			Path: filepath.Join(w.folder, "bare.db"), Now: now, Machine: now, NewID: newID, Lease: lease, Log: log,
		})
		if err != nil {
			return err
		}
		w.bare.store = s
		w.closers = append(w.closers, s.Close)
	} else {
		url, err := w.cluster.Database(ctx)
		if err != nil {
			return err
		}
		if err := postgres.Migrate(ctx, url); err != nil {
			return err
		}
		s, err := postgres.Open(ctx, postgres.Config{URL: url, Now: now, NewID: newID, Lease: lease, Log: log})
		if err != nil {
			return err
		}
		w.bare.store = s
		w.closers = append(w.closers, s.Close)
	}
	w.bare.tenant = newID()
	const batch = 250
	for len(w.bare.payments) < payments {
		if err := w.putPayments(ctx, batch); err != nil {
			return err
		}
	}
	shuffle(w.bare.payments)
	return nil
}

func (w *world) putPayments(ctx context.Context, count int) error {
	needs := make([]payment.Need, count)
	commands := make([]payment.CreatePayment, count)
	for i := range commands {
		commands[i] = payment.CreatePayment{
			Meta: payment.Meta{Tenant: w.bare.tenant, Actor: "key:bench", Door: payment.DoorAPI}, ID: newID(),
			Status: payment.PaymentCaptured, Connector: service.Connector, Amount: money.Of(paymentAmount, currency),
		}
		needs[i] = commands[i].Need()
		w.bare.payments = append(w.bare.payments, commands[i].ID)
	}
	return w.bare.store.Commit(ctx, newID(), needs, func(book *payment.Book) error {
		for _, command := range commands {
			if _, err := command.Apply(book); err != nil {
				return err
			}
		}
		return nil
	})
}

// paymentAmount is more than a run refunds of one payment.
const paymentAmount = 100_000_000

func shuffle[T any](list []T) {
	rand.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
}

// refundBody returns the next refund's body, of the bare handler.
func (w *world) refundBody() []byte {
	return w.bodyOf(w.paused, w.count.Add(1))
}

// bodyOf returns a refund of one of a server's payments.
func (w *world) bodyOf(s *server, n int64) []byte {
	return []byte(`{"payment":"` + s.payments[n%int64(len(s.payments))] + `","currency":"EUR","amount":1,"reason":"` + reason +
		`","reference":"bench-` + strconv.FormatInt(n, 10) + `"}`)
}

// close ends everything.
func (w *world) close() error {
	w.stop()
	w.running.Wait()
	var errs []error
	for i := len(w.closers) - 1; i >= 0; i-- {
		errs = append(errs, w.closers[i]())
	}
	if w.cluster != nil {
		errs = append(errs, w.cluster.Stop())
	}
	if w.folder != "" {
		errs = append(errs, os.RemoveAll(w.folder))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("end of a round: %w", err)
	}
	return nil
}
