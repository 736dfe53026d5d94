package batch_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/refundry/refundry/internal/api"
	"github.com/refundry/refundry/internal/auth"
	"github.com/refundry/refundry/internal/batch"
	"github.com/refundry/refundry/internal/engine"
	"github.com/refundry/refundry/internal/job"
	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/setting"
	"github.com/refundry/refundry/internal/store/sqlite"
	"github.com/refundry/refundry/internal/verify"
)

// world is a clerk over a real store and a real engine, whose jobs the test runs.
type world struct {
	path   string // of the store's file
	store  *sqlite.Store
	engine *engine.Engine
	clerk  *batch.Clerk
	tenant payment.TenantID

	offset atomic.Int64 // nanoseconds by which domain time has moved on
	lease  atomic.Int64 // nanoseconds that are left of each job's lease
	door   atomic.Bool  // it has a bug

	mutex sync.Mutex
	// ask stands before the engine, change before the store: each may break what
	// passes, before it is done or after.
	ask    func(payment.Command) (before, after error)
	change func() (before, after error)
	told   []payment.Telling
}

var began = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func (w *world) now() time.Time { return began.Add(time.Duration(w.offset.Load())) }

func newID() [16]byte { return uuid.Must(uuid.NewV7()) }

// nobody runs no jobs and measures nothing.
type nobody struct{}

func (nobody) Reserve(payment.Task) (claim [16]byte, ok bool)        { return claim, false }
func (nobody) Start(context.Context, []payment.Task)                 {}
func (nobody) Release(payment.Task)                                  {}
func (nobody) Committed(int, time.Duration)                          {}
func (nobody) LostRace()                                             {}
func (nobody) Route(payment.Telling, *payment.Tenant) []engine.Route { return nil }

// Do passes a command on to the engine.
func (w *world) Do(ctx context.Context, command payment.Command, finish ...payment.TaskRef) (payment.Answer, error) {
	w.mutex.Lock()
	ask := w.ask
	w.mutex.Unlock()
	before, after := error(nil), error(nil)
	if ask != nil {
		before, after = ask(command)
	}
	if before != nil {
		return payment.Answer{}, before
	}
	answer, err := w.engine.Do(ctx, command, finish...)
	if err == nil && after != nil {
		return payment.Answer{}, after
	}
	return answer, err
}

// ChangeBatch passes a change on to the store.
func (w *world) ChangeBatch(ctx context.Context, tenant payment.TenantID, id batch.ID, rows []int64,
	decide func(*payment.Book, batch.Batch, []batch.Row) (batch.Change, error),
) error {
	w.mutex.Lock()
	change := w.change
	w.mutex.Unlock()
	before, after := error(nil), error(nil)
	if change != nil {
		before, after = change()
	}
	if before != nil {
		return before
	}
	return errors.Join(w.store.ChangeBatch(ctx, tenant, id, rows, decide), after)
}

// Route notes what is told.
func (w *world) Route(telling payment.Telling, _ *payment.Tenant) []engine.Route {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.told = append(w.told, telling)
	return nil
}

// changed is the store, with the world before its changes.
type changed struct {
	*sqlite.Store
	*world
}

func (c changed) ChangeBatch(ctx context.Context, tenant payment.TenantID, id batch.ID, rows []int64,
	decide func(*payment.Book, batch.Batch, []batch.Row) (batch.Change, error),
) error {
	return c.world.ChangeBatch(ctx, tenant, id, rows, decide)
}

// buggy is a door that cannot bear some rows.
type buggy struct {
	batch.Door
	has *atomic.Bool
}

func (b buggy) ReadRow(text []byte) (batch.Asked, error) {
	if b.has.Load() && strings.Contains(string(text), "bug") {
		panic("a row that cannot be borne")
	}
	return b.Door.ReadRow(text)
}

const lease = time.Minute

func setup(t testing.TB) *world {
	t.Helper()
	w := &world{}
	w.lease.Store(int64(lease))
	log := slog.New(slog.DiscardHandler)
	var err error
	w.path = filepath.Join(t.TempDir(), "refundry.db")
	if w.store, err = sqlite.Open(sqlite.Config{
		Path: w.path, Now: w.now, Machine: time.Now, NewID: newID, Lease: lease, Log: log,
	}); err != nil {
		t.Fatal(err)
	}
	w.engine = engine.New(engine.Config{
		Store: w.store, Router: nobody{}, Starter: nobody{}, NewID: newID, Lanes: 1, Log: log, Metrics: nobody{},
		Connectors: payment.Connectors{"sandbox_captures": {RefundsCaptures: true}},
	})
	w.clerk = batch.New(batch.Config{
		Engine: w, Store: changed{w.store, w}, Reader: w.store, Router: w,
		Door:      buggy{api.Door(w.store, []string{"old.id"}), &w.door},
		LeaseLeft: func(job.Job) time.Duration { return time.Duration(w.lease.Load()) }, Lease: lease, Now: w.now,
		NewID: newID, Log: log,
	})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		w.engine.Run(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		<-done
		if err := w.store.Close(); err != nil {
			t.Error(err)
		}
	})
	w.tenant = newID()
	w.set(t, nil)
	return w
}

// set gives the tenant its settings.
func (w *world) set(t testing.TB, settings setting.Values) {
	t.Helper()
	tenant, err := w.store.Tenant(t.Context(), w.tenant)
	if err != nil {
		tenant = payment.Tenant{ID: w.tenant, Name: "shop"}
	}
	tenant.Settings = settings
	if err := w.store.Change(t.Context(), change(tenant)); err != nil {
		t.Fatal(err)
	}
}

func change(tenant payment.Tenant) auth.Change { return auth.Change{Tenant: &tenant, Of: tenant.ID} }

func (w *world) meta() payment.Meta {
	return payment.Meta{Tenant: w.tenant, Actor: "key:test", Door: payment.DoorAPI, Request: "req_1"}
}

// pay makes captured payments, and returns their ids.
func (w *world) pay(t testing.TB, amounts ...money.Minor) []payment.PaymentID {
	t.Helper()
	ids := make([]payment.PaymentID, len(amounts))
	var wait sync.WaitGroup
	for i, amount := range amounts {
		wait.Go(func() {
			answer, err := w.engine.Do(t.Context(), payment.CreatePayment{
				Meta: w.meta(), Status: payment.PaymentCaptured, Connector: "sandbox", Amount: money.Of(amount, "EUR"),
				Reference: "=order",
			})
			if err != nil {
				t.Error(err)
			}
			ids[i] = answer.View.Payment.ID
		})
	}
	wait.Wait()
	return ids
}

// payInParts makes a payment whose processor refunds captures, with these.
func (w *world) payInParts(t testing.TB, amounts ...money.Minor) payment.PaymentID {
	t.Helper()
	do := func(command payment.Command) payment.PaymentID {
		answer, err := w.engine.Do(t.Context(), command)
		if err != nil {
			t.Fatal(err)
		}
		return answer.View.Payment.ID
	}
	var whole money.Minor
	for _, amount := range amounts {
		whole += amount
	}
	id := do(payment.CreatePayment{
		Meta: w.meta(), Status: payment.PaymentAuthorized, Connector: "sandbox_captures", Amount: money.Of(whole, "EUR"),
	})
	for _, amount := range amounts {
		do(payment.CapturePayment{Meta: w.meta(), Payment: id, Amount: amount, IsAtOnce: true})
	}
	return id
}

// row asks for an amount of a payment; more members may follow.
func row(of payment.PaymentID, amount money.Minor, more ...string) string {
	return fmt.Sprintf(`{"payment": %q, "amount": %d, "currency": "EUR"%s}`, of, amount, strings.Join(more, ""))
}

// create makes a batch, and sends it rows.
func (w *world) create(t testing.TB, options batch.Options, rows ...string) batch.ID {
	t.Helper()
	made, _, err := w.clerk.Create(t.Context(), w.meta(), options)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.send(t, made.ID, 0, rows...); err != nil {
		t.Fatal(err)
	}
	return made.ID
}

func (w *world) send(t testing.TB, id batch.ID, offset int64, rows ...string) (batch.Batch, error) {
	t.Helper()
	return w.clerk.Receive(t.Context(), w.meta(), id, batch.Upload{
		Format: batch.NDJSON, Offset: offset, From: strings.NewReader(strings.Join(rows, "\n")),
	})
}

// start makes a batch, sends it rows and starts it.
func (w *world) start(t testing.TB, options batch.Options, rows ...string) batch.ID {
	t.Helper()
	id := w.create(t, options, rows...)
	if _, err := w.clerk.Start(t.Context(), w.meta(), id); err != nil {
		t.Fatal(err)
	}
	return id
}

// work runs a batch's job once.
func (w *world) work(t testing.TB, id batch.ID) error {
	t.Helper()
	_, err := w.clerk.Work(t.Context(), job.Job{Task: payment.Task{
		Tenant: w.tenant, Kind: payment.TaskRunBatch, Subject: id,
	}})
	return err
}

// finish runs a batch's job until it does not run any more and nothing waits
// that could be decided.
func (w *world) finish(t testing.TB, id batch.ID) batch.Batch {
	t.Helper()
	for range 2000 {
		b := w.get(t, id)
		if b.Status != batch.Running && (b.Status != batch.Canceled || b.Counts.Waiting == 0) {
			return b
		}
		if err := w.work(t, id); err != nil {
			t.Fatal(err)
		}
		if b = w.get(t, id); b.NextAt.After(w.now()) {
			w.offset.Store(int64(b.NextAt.Sub(began)))
		}
	}
	t.Fatal("the batch does not end")
	return batch.Batch{}
}

func (w *world) get(t testing.TB, id batch.ID) batch.Batch {
	t.Helper()
	b, err := w.clerk.Get(t.Context(), w.tenant, id)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// rows returns all rows of a batch.
func (w *world) rows(t testing.TB, id batch.ID) []batch.Row {
	t.Helper()
	seen, err := w.store.BatchRows(t.Context(), w.tenant, id, 0, batch.RowsMax)
	if err != nil {
		t.Fatal(err)
	}
	rows := make([]batch.Row, len(seen))
	for i := range seen {
		rows[i] = seen[i].Row
	}
	return rows
}

// statuses returns what became of each row, with spaces between.
func (w *world) statuses(t testing.TB, id batch.ID) string {
	t.Helper()
	var words []string
	for _, row := range w.rows(t, id) {
		words = append(words, string(row.Status))
	}
	return strings.Join(words, " ")
}

// check fails the test unless a batch is the sum of its rows, and the store is
// clean: every refunded row has its refund, and no refund is of two rows.
func (w *world) check(t testing.TB, id batch.ID) {
	t.Helper()
	b, rows := w.get(t, id), w.rows(t, id)
	var counted batch.Counts
	sums := map[money.Currency]money.Minor{}
	seen := map[payment.RefundID]int64{}
	for _, row := range rows {
		switch row.Status {
		case batch.RowWaiting:
			counted.Waiting++
		case batch.RowRefunded:
			counted.Refunded++
		case batch.RowAllowed:
			counted.Allowed++
		case batch.RowRefused:
			counted.Refused++
		case batch.RowInvalid:
			counted.Invalid++
		case batch.RowSkipped:
			counted.Skipped++
		}
		if row.Status.Takes() {
			sums[row.Amount.Currency] += row.Amount.Minor
		}
		if row.Status == batch.RowRefunded {
			w.checkRefunded(t, row)
			if seen[row.Refund] != 0 && row.Key == "" {
				t.Errorf("rows %d and %d are one refund", seen[row.Refund], row.Number)
			}
			seen[row.Refund] = row.Number
		}
	}
	if b.Counts != counted {
		t.Errorf("the batch counts %+v, its rows are %+v", b.Counts, counted)
	}
	for _, sum := range b.Sums {
		if sums[sum.Currency] != sum.Minor {
			t.Errorf("the batch sums up to %s, its rows to %d", sum, sums[sum.Currency])
		}
		delete(sums, sum.Currency)
	}
	if len(sums) > 0 {
		t.Errorf("sums are missing: %v", sums)
	}
	w.verify(t)
}

// verify fails the test unless everything in the store is as it must be.
func (w *world) verify(t testing.TB) {
	t.Helper()
	result, err := verify.Run(t.Context(), w.store, func(int64) {})
	if err != nil || !result.IsClean() {
		t.Errorf("verify: %+v, %v", result.Findings, err)
	}
}

func (w *world) checkRefunded(t testing.TB, row batch.Row) {
	t.Helper()
	view, err := w.store.ViewOfRefund(t.Context(), w.tenant, row.Refund)
	if err != nil {
		t.Errorf("row %d: %v", row.Number, err)
		return
	}
	var sum money.Minor
	for _, refund := range view.Group(row.Refund) {
		sum += refund.Amount.Minor
	}
	if sum != row.Amount.Minor || view.Payment.ID != row.Payment {
		t.Errorf("row %d says %s of %s; the refund is %d of %s", row.Number, row.Amount, row.Payment, sum, view.Payment.ID)
	}
}

// result returns a batch's result file.
func (w *world) result(t testing.TB, id batch.ID, format batch.Format) string {
	t.Helper()
	var text strings.Builder
	if err := w.clerk.WriteResult(t.Context(), w.tenant, id, format, &text); err != nil {
		t.Fatal(err)
	}
	return text.String()
}

// brokenReader ends in the middle, as a connection does.
type brokenReader struct {
	io.Reader
}

func (b brokenReader) Read(into []byte) (int, error) {
	n, err := b.Reader.Read(into)
	if errors.Is(err, io.EOF) {
		return n, io.ErrUnexpectedEOF
	}
	return n, err
}

// kinds returns the kinds of the batch events that were told, with spaces between.
func (w *world) kinds() string {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	var words []string
	for _, telling := range w.told {
		words = append(words, strings.TrimPrefix(string(telling.Event.Kind), "batch."))
	}
	return strings.Join(words, " ")
}
