package batch

import (
	"context"
	"slices"
	"time"

	"github.com/refundry/refundry/internal/payment"
)

// record writes down what came of the window's rows, and with it the batch's
// progress. It reports whether there was any.
func (w *window) record(ctx context.Context) (after Batch, progress bool, err error) {
	var decided []Row
	var numbers []int64
	for _, a := range w.asked {
		if a.isOver {
			decided, numbers = append(decided, a.Row), append(numbers, a.Number)
		}
	}
	if len(decided) == 0 && len(w.asked) > 0 && !w.halted {
		return w.batch, false, nil
	}
	ctx, cancel := context.WithTimeout(ctx, rowTimeout)
	defer cancel()
	err = w.change(ctx, w.batch.Tenant, w.batch.ID, numbers,
		func(book *payment.Book, b *Batch, before []Row) (Change, error) {
			landed := b.land(decided, before)
			b.NextAt = later(b.NextAt, w.next(len(decided)))
			b.Passed = max(b.Passed, w.passed())
			err := w.proceed(book, b, landed)
			after = *b
			return Change{Rows: landed}, err
		})
	return after, len(decided) > 0 || w.halted, err
}

// land counts the results that change their rows, and returns them. A stale
// holder's that come too late change nothing, unless they are refunds.
func (b *Batch) land(decided, before []Row) []Row {
	was := make(map[int64]RowStatus, len(before))
	for _, row := range before {
		was[row.Number] = row.Status
	}
	var landed []Row
	for _, row := range decided {
		if !RowLife.Allows(was[row.Number], row.Status) {
			continue
		}
		b.count(was[row.Number], row)
		if row.Reason.Skip == SkipCap && !slices.Contains(b.Full, row.Amount.Currency) {
			b.Full = append(slices.Clone(b.Full), row.Amount.Currency)
		}
		landed = append(landed, row)
	}
	return landed
}

// passed returns the number up to which no row waits, now that the window was
// decided: it had the first that did.
func (w *window) passed() (number int64) {
	for _, a := range w.asked {
		if !a.isOver {
			return number
		}
		number = a.Number
	}
	return number
}

// next returns when the next window may begin, so that no more refunds are
// asked for than the pace allows.
func (w *window) next(asked int) time.Time {
	if w.batch.PerSecond == 0 {
		return time.Time{}
	}
	return w.began.Add(time.Duration(asked) * time.Second / time.Duration(w.batch.PerSecond))
}

// proceed moves a running batch on, after some of its rows were decided.
func (w *window) proceed(book *payment.Book, b *Batch, landed []Row) error {
	b.touch(book.Now)
	if b.Status != Running {
		return nil
	}
	var to Status
	var kind payment.EventKind
	switch {
	case b.Counts.Waiting == 0:
		to, kind = Done, EventDone
	case w.halted:
		to, kind, b.Pause = Paused, EventPaused, PauseHalted
	case b.PausesOnFailure && slices.ContainsFunc(landed, func(row Row) bool { return row.Status == RowRefused }):
		to, kind, b.Pause = Paused, EventPaused, PauseFailure
	default:
		return nil
	}
	if err := b.become(to, book.Now); err != nil {
		return err
	}
	w.tell(book, payment.Meta{Actor: "clock"}, kind, *b)
	return nil
}
