package batch_test

import (
	"slices"
	"testing"

	"github.com/refundry/refundry/internal/batch"
	"github.com/refundry/refundry/internal/fault"
	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/payment"
)

// What somebody asks of a batch takes effect between windows, survives, is
// told, and is the same if it is asked twice.
func TestControls(t *testing.T) {
	t.Parallel()
	w := setup(t)
	paid := w.pay(t, slices.Repeat([]money.Minor{100}, 70)...)
	var rows []string
	for i := range 700 {
		rows = append(rows, row(paid[i%70], 1))
	}
	id := w.create(t, batch.Options{}, rows...)
	control := func(do func() (batch.Batch, error), want batch.Status) {
		t.Helper()
		for range 2 {
			if b, err := do(); err != nil || b.Status != want {
				t.Fatalf("%s: %v, want %s", b.Status, err, want)
			}
		}
	}
	meta := w.meta()
	start := func() (batch.Batch, error) { return w.clerk.Start(t.Context(), meta, id) }
	pause := func() (batch.Batch, error) { return w.clerk.Pause(t.Context(), meta, id) }
	resume := func() (batch.Batch, error) { return w.clerk.Resume(t.Context(), meta, id) }
	cancel := func() (batch.Batch, error) { return w.clerk.Cancel(t.Context(), meta, id) }
	refuse := func(do func() (batch.Batch, error)) {
		t.Helper()
		if b, err := do(); fault.CodeOf(err) != fault.Conflict {
			t.Fatalf("%s: %v", b.Status, err)
		}
	}
	refuse(pause)
	refuse(resume)
	control(start, batch.Running)
	if err := w.work(t, id); err != nil {
		t.Fatal(err)
	}
	control(pause, batch.Paused)
	refuse(start)
	if err := w.work(t, id); err != nil {
		t.Fatal(err)
	}
	if b := w.get(t, id); b.Counts.Refunded != 256 || b.Pause != batch.PauseAsked {
		t.Errorf("a paused batch goes on: %+v", b)
	}
	control(resume, batch.Running)
	if err := w.work(t, id); err != nil {
		t.Fatal(err)
	}
	control(cancel, batch.Canceled)
	refuse(start)
	refuse(pause)
	refuse(resume)
	b := w.finish(t, id)
	if b.Counts.Refunded != 512 || b.Counts.Skipped != 188 || b.Counts.Waiting != 0 || !b.EndedAt.Equal(w.now()) {
		t.Errorf("canceled: %+v", b)
	}
	if last := w.rows(t, id)[699]; last.Reason.Skip != batch.SkipCanceled {
		t.Errorf("%+v", last)
	}
	if got, want := w.kinds(), "created started paused resumed canceled"; got != want {
		t.Errorf("told %s, want %s", got, want)
	}
	w.check(t, id)
}

// Pausing a batch while a window is being decided keeps what the window came to.
func TestPauseBesideAWindow(t *testing.T) {
	t.Parallel()
	for _, how := range []string{"pause", "cancel"} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			w := setup(t)
			paid := w.pay(t, 1000)
			id := w.start(t, batch.Options{}, row(paid[0], 1), row(paid[0], 2))
			w.ask = func(payment.Command) (error, error) {
				do := w.clerk.Pause
				if how == "cancel" {
					do = w.clerk.Cancel
				}
				_, err := do(t.Context(), w.meta(), id)
				return err, nil
			}
			if err := w.work(t, id); err != nil {
				t.Fatal(err)
			}
			b := w.get(t, id)
			if b.Counts.Refunded != 2 || b.Status == batch.Running || b.Status == batch.Done {
				t.Errorf("%+v", b)
			}
			w.check(t, id)
			if how == "cancel" {
				return
			}
			if _, err := w.clerk.Resume(t.Context(), w.meta(), id); err != nil {
				t.Fatal(err)
			}
			if b := w.finish(t, id); b.Status != batch.Done {
				t.Errorf("resumed without a row that waits: %s", b.Status)
			}
		})
	}
}

// A batch without rows is done as soon as it is started.
func TestEmptyBatch(t *testing.T) {
	t.Parallel()
	w := setup(t)
	if b := w.finish(t, w.start(t, batch.Options{})); b.Status != batch.Done || b.Received() != 0 {
		t.Errorf("%+v", b)
	}
	if got, want := w.kinds(), "created started done"; got != want {
		t.Errorf("told %s, want %s", got, want)
	}
}

// A batch that pauses on failure stops soon after a row is refused, and goes
// on when it is told to.
func TestPauseOnFailure(t *testing.T) {
	t.Parallel()
	w := setup(t)
	paid := w.pay(t, 1000)
	var rows []string
	for i := range 100 {
		amount := money.Minor(1)
		if i == 40 || i == 70 {
			amount = 5000
		}
		rows = append(rows, row(paid[0], amount))
	}
	id := w.start(t, batch.Options{PausesOnFailure: true}, rows...)
	for _, refused := range []int64{1, 2} {
		b := w.finish(t, id)
		if b.Status != batch.Paused || b.Pause != batch.PauseFailure || b.Counts.Refused != refused {
			t.Fatalf("%s for %s, %+v", b.Status, b.Pause, b.Counts)
		}
		if done := b.Counts.Refunded + b.Counts.Refused; done > 30*refused+27 {
			t.Errorf("%d rows were decided", done)
		}
		if _, err := w.clerk.Resume(t.Context(), w.meta(), id); err != nil {
			t.Fatal(err)
		}
	}
	if b := w.finish(t, id); b.Status != batch.Done || b.Counts.Refunded != 98 {
		t.Errorf("%s, %+v", b.Status, b.Counts)
	}
	w.check(t, id)
}
