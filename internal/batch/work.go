package batch

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/refundry/refundry/internal/fault"
	"github.com/refundry/refundry/internal/job"
	"github.com/refundry/refundry/internal/payment"
)

// Work is the job of a batch: it decides some rows, writes down what came of
// them, and comes again while any wait. Pause and cancel take effect between
// two runs. What it learned is recorded even if its lease has ended meanwhile:
// a row's key makes the refund that somebody else asked for the same.
func (c *Clerk) Work(ctx context.Context, j job.Job) (job.Verdict, error) {
	b, err := c.config.Store.Batch(ctx, j.Tenant, j.Subject)
	if fault.CodeOf(err) == fault.NotFound {
		return job.Done(), nil
	}
	if err != nil {
		return job.Verdict{}, err
	}
	switch {
	case b.Status == Canceled && b.Counts.Waiting > 0:
		return c.skip(ctx, b)
	case b.Status != Running:
		return job.Done(), nil
	case b.NextAt.After(c.config.Now()):
		return job.Again(b.NextAt), nil
	}
	w := &window{Clerk: c, job: j, batch: b, began: c.config.Now()}
	return w.work(ctx)
}

// skip ends rows of a canceled batch that still wait.
func (c *Clerk) skip(ctx context.Context, b Batch) (job.Verdict, error) {
	left := int64(0)
	err := c.change(ctx, b.Tenant, b.ID, nil, func(book *payment.Book, b *Batch, _ []Row) (Change, error) {
		skipped := Row{}.skipped(SkipCanceled)
		n := min(skipRows, b.Counts.Waiting)
		b.Counts.add(RowWaiting, -n)
		b.Counts.add(RowSkipped, n)
		b.touch(book.Now)
		left = b.Counts.Waiting
		return Change{Skip: Skipping{Rows: n, Reason: skipped.Reason}}, nil
	})
	if err != nil || left == 0 {
		return job.Done(), err
	}
	return job.Again(c.config.Now()), nil
}

// window is some rows being decided together.
type window struct {
	*Clerk

	job    job.Job
	batch  Batch
	tenant *payment.Tenant // where rows are previewed
	began  time.Time
	asked  []*asking // in their order

	mutex   sync.Mutex // guards what follows
	trouble error      // why a row was not decided
	halted  bool       // refunds have been stopped
}

// asking is one row being decided.
type asking struct {
	Row

	command payment.OpenRefund
	isOver  bool // it was decided
	isHeld  bool // it waits for the next window

	previewed  []payment.Refund // by a dry run
	isRecalled bool             // it was decided by what its key was used for before
}

// end makes a row what it has become.
func (a *asking) end(row Row) { a.Row, a.isOver = row, true }

// size returns how many rows the batch's next window has.
func (b Batch) size() int {
	size := windowRows
	if b.PausesOnFailure {
		size = carefulRows
	}
	if b.PerSecond > 0 {
		size = min(size, b.PerSecond)
	}
	return size
}

// work decides the first rows that wait.
func (w *window) work(ctx context.Context) (job.Verdict, error) {
	rows, err := w.config.Store.WaitingRows(ctx, w.batch.Tenant, w.batch.ID, w.batch.Passed, w.batch.size(), windowBytes)
	if err != nil {
		return job.Verdict{}, err
	}
	for _, row := range rows {
		w.asked = append(w.asked, &asking{Row: row})
	}
	if w.batch.IsDryRun || len(w.batch.Caps) > 0 {
		tenant, err := w.config.Reader.Tenant(ctx, w.batch.Tenant)
		if err != nil {
			return job.Verdict{}, err
		}
		w.tenant = &tenant
	}
	w.read(ctx)
	if w.batch.IsDryRun {
		w.rehearse(ctx)
	} else {
		w.plan(ctx)
		w.decide(ctx)
	}
	after, progress, err := w.record(ctx)
	if err != nil {
		return job.Verdict{}, fmt.Errorf("record rows: %w", err)
	}
	if w.trouble != nil {
		w.config.Log.WarnContext(ctx, "rows of a batch not decided", "batch_id", w.batch.ID, "tenant_id", w.batch.Tenant,
			"error", w.trouble)
		if !progress {
			return job.Verdict{}, w.trouble
		}
	}
	if after.Status != Running && (after.Status != Canceled || after.Counts.Waiting == 0) {
		return job.Done(), nil
	}
	return job.Again(later(after.NextAt, w.config.Now())), nil
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// read reads what the rows ask for, and finds their payments.
func (w *window) read(ctx context.Context) {
	w.each(readersMax, func(a *asking) {
		if len(a.Body) == 0 {
			w.fail(a, errLost)
			return
		}
		asked, err := w.config.Door.ReadRow(a.Body)
		if err == nil {
			a.command = asked.Command
			a.command.Payment, err = w.config.Door.FindPayment(ctx, w.batch.Tenant, asked.Payment)
		}
		if err != nil {
			w.fail(a, err)
			return
		}
		a.Payment = a.command.Payment
		scope, name := "", a.Key
		if name == "" {
			scope, name = rowScope, fmt.Sprintf("%s/%d", w.batch.ID, a.Number)
		}
		a.command.Meta = payment.Meta{
			Tenant: w.batch.Tenant, Actor: w.batch.StartedBy, User: w.batch.StartedFor, Door: payment.DoorAPI,
			Request: w.batch.ID.String(), Key: w.config.Door.RefundKey(w.batch.Tenant, scope, name, a.command),
		}
		a.command.Source, a.command.Batch, a.command.BatchRow = payment.SourceBulk, w.batch.ID, a.Number
	})
}

// rowScope keeps keys that follow from batch and number apart from callers' own.
const rowScope = "batch.row"

// each calls do for each row that is left to decide, for so many at a time.
func (w *window) each(atATime int, do func(*asking)) {
	each(w.asked, atATime, func(a *asking) {
		defer w.survive(a)
		if !a.isOver && !a.isHeld {
			do(a)
		}
	})
}

// survive lets rows wait on beside which a bug has shown: it must not take the
// process with it, and all other work.
func (w *window) survive(rows ...*asking) {
	bug := recover()
	if bug == nil {
		return
	}
	err := fmt.Errorf("bug beside a row: %v\n%s", bug, debug.Stack())
	for _, a := range rows {
		if !a.isOver {
			w.fail(a, err)
		}
	}
}

// each calls do for each element, for so many at a time.
func each[T any](list []T, atATime int, do func(T)) {
	var working sync.WaitGroup
	defer working.Wait()
	var next atomic.Int64
	for range min(atATime, len(list)) {
		working.Go(func() {
			for at := next.Add(1) - 1; at < int64(len(list)); at = next.Add(1) - 1 {
				do(list[at])
			}
		})
	}
}

// fail ends a row by an error that decides it. Any other is trouble: the row
// waits on.
func (w *window) fail(a *asking, err error) {
	if row, decided := a.ended(err); decided {
		a.end(row)
		return
	}
	w.mutex.Lock()
	defer w.mutex.Unlock()
	a.isHeld = true
	if errors.Is(err, errHalted) {
		w.halted = true
		return
	}
	w.trouble = err
}

// decide asks for the refunds of the rows: those of one payment one after the
// other, in their order, the others at the same time.
func (w *window) decide(ctx context.Context) {
	groups := map[payment.PaymentID][]*asking{}
	for _, a := range w.asked {
		if !a.isOver && !a.isHeld {
			groups[a.Payment] = append(groups[a.Payment], a)
		}
	}
	var working sync.WaitGroup
	defer working.Wait()
	for _, group := range groups {
		working.Go(func() {
			defer w.survive(group...)
			w.open(ctx, group)
		})
	}
}

// errLease means that the lease was about to end: the rows are the next
// holder's.
var errLease = errors.New("the lease of the batch's job ends")

// errMoved means that a payment has moved since it was found how much a row asks for.
var errMoved = errors.New("a payment has changed meanwhile")

// errHalted means that a policy has stopped refunds: the batch pauses, and
// keeps its rows.
var errHalted = errors.New("refunds have been stopped")

// open asks the engine for the refunds of one payment. After one that was not
// decided the others wait: they come after it.
func (w *window) open(ctx context.Context, group []*asking) {
	timeout, needed := job.CallTime(w.config.Lease, rowTimeout)
	for _, a := range group {
		if w.config.LeaseLeft(w.job) < needed {
			w.fail(a, errLease)
			return
		}
		row, err := w.ask(ctx, a, timeout)
		if err == nil {
			a.end(row)
		} else if !w.failed(a, err) {
			return
		}
	}
}

// ask asks for one refund. It is dropped if its commit has not begun in time.
func (w *window) ask(ctx context.Context, a *asking, timeout time.Duration) (Row, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	answer, err := w.config.Engine.Do(ctx, a.command)
	if err != nil {
		return a.Row, a.heard(err)
	}
	what, err := sumOf(answer.Refunds)
	if answer.Replayed != nil {
		what, err = w.openedBy(ctx, answer.Replayed)
	}
	if err != nil {
		return a.Row, fmt.Errorf("read what was opened: %w", err)
	}
	row := a.decided(RowRefunded, Reason{})
	row.Refund, row.Amount = what.Refund, what.Amount
	return row, nil
}

// heard returns what an engine's no means for the row. One to a guard of ours
// means that the row must be looked at again, one to everybody that the batch
// must wait.
func (a *asking) heard(err error) error {
	refusal, ok := errors.AsType[*payment.Refusal](err)
	switch {
	case ok && refusal.Rule == payment.RulePreview:
		return errMoved
	case ok && refusal.Rule == payment.RuleHalted:
		return errHalted
	default:
		return err
	}
}

// failed ends a row by an error, and reports whether it is decided.
func (w *window) failed(a *asking, err error) bool {
	w.fail(a, err)
	return a.isOver
}
