package batch_test

import (
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/refundry/refundry/internal/batch"
	"github.com/refundry/refundry/internal/fault"
	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/setting"
)

var errDown = fault.New(fault.Unavailable, "too busy; nothing was done")

// A row that could not be decided waits on, with those of its payment that
// come after it; the others are decided. Nothing is lost and nothing is doubled.
func TestUnavailableEngine(t *testing.T) {
	t.Parallel()
	w := setup(t)
	paid := w.pay(t, 1000, 1000)
	id := w.start(t, batch.Options{}, row(paid[0], 1), row(paid[0], 2), row(paid[1], 3))
	w.ask = func(command payment.Command) (error, error) {
		if command.(payment.OpenRefund).Payment == paid[0] {
			return errDown, nil
		}
		return nil, nil
	}
	if err := w.work(t, id); err != nil {
		t.Fatal(err)
	}
	if got, want := w.statuses(t, id), "waiting waiting refunded"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if err := w.work(t, id); !errors.Is(err, errDown) {
		t.Errorf("without progress: %v", err)
	}
	w.ask = nil
	if b := w.finish(t, id); b.Status != batch.Done || b.Counts.Refunded != 3 {
		t.Errorf("%+v", b)
	}
	w.check(t, id)
}

// A holder whose lease ends asks for nothing more.
func TestLeaseEnds(t *testing.T) {
	t.Parallel()
	w := setup(t)
	paid := w.pay(t, 1000)
	id := w.start(t, batch.Options{}, row(paid[0], 1), row(paid[0], 2))
	w.ask = func(payment.Command) (error, error) {
		w.lease.Store(int64(time.Second))
		return nil, nil
	}
	if err := w.work(t, id); err != nil {
		t.Fatal(err)
	}
	if got, want := w.statuses(t, id), "refunded waiting"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	w.ask = nil
	if err := w.work(t, id); err == nil {
		t.Error("a holder without a lease goes on")
	}
	w.lease.Store(int64(lease))
	w.finish(t, id)
	w.check(t, id)
}

// Who dies after a commit and before it is written down does it again: the
// keys make it the same.
func TestDeathBeforeRecording(t *testing.T) {
	t.Parallel()
	w := setup(t)
	paid := w.pay(t, 1000, 100)
	id := w.start(t, batch.Options{Caps: []money.Amount{money.Of(500, "EUR")}},
		row(paid[0], 300), fmt.Sprintf(`{"payment": %q, "full": true}`, paid[1]), row(paid[0], 200))
	w.change = func() (error, error) { return errDown, nil }
	for range 3 {
		if err := w.work(t, id); err == nil {
			t.Fatal("nothing can be written, and nobody minds")
		}
	}
	w.change = nil
	w.finish(t, id)
	if got, want := w.statuses(t, id), "refunded refunded skipped"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	view, err := w.store.View(t.Context(), w.tenant, paid[0])
	if err != nil || len(view.Refunds) != 1 {
		t.Errorf("%d refunds: %v", len(view.Refunds), err)
	}
	w.check(t, id)
}

// What a holder opened after its lease had ended is a refund, even if another
// holder was refused in the meantime or the batch was canceled.
func TestStaleHoldersRefundsCount(t *testing.T) {
	t.Parallel()
	w := setup(t)
	paid := w.pay(t, 1000)
	id := w.start(t, batch.Options{}, row(paid[0], 1), row(paid[0], 2))
	w.ask = func(command payment.Command) (error, error) {
		if command.(payment.OpenRefund).Ask.Amount == 1 {
			w.mutex.Lock()
			w.ask = nil
			w.mutex.Unlock()
			w.set(t, setting.Values{payment.PolicyMaximum.Name: int64(1)})
			w.finish(t, id) // another holder: refunds the first row, and is refused the second
			w.set(t, nil)
		}
		return nil, nil
	}
	if err := w.work(t, id); err != nil {
		t.Fatal(err)
	}
	if b := w.get(t, id); b.Status != batch.Done || b.Counts.Refunded != 2 || b.Counts.Refused != 0 {
		t.Errorf("%s, %+v", b.Status, b.Counts)
	}
	if got, want := w.kinds(), "created started done"; got != want {
		t.Errorf("told %s, want %s", got, want)
	}
	w.check(t, id)
}

// A bug beside a row keeps that row waiting, and nothing else.
func TestBugBesideARow(t *testing.T) {
	t.Parallel()
	for _, dry := range []bool{false, true} {
		t.Run(fmt.Sprintf("dry run %t", dry), func(t *testing.T) {
			t.Parallel()
			w := setup(t)
			paid := w.pay(t, 1000, 1000)
			id := w.start(t, batch.Options{IsDryRun: dry}, row(paid[0], 1, `, "note": "bug"`), row(paid[1], 2))
			w.door.Store(true)
			if err := w.work(t, id); err != nil {
				t.Fatal(err)
			}
			if b := w.get(t, id); b.Counts.Waiting != 1 || b.Counts.Refunded+b.Counts.Allowed != 1 {
				t.Errorf("%+v", b.Counts)
			}
			w.door.Store(false)
			if b := w.finish(t, id); b.Status != batch.Done {
				t.Errorf("%s", b.Status)
			}
			w.check(t, id)
		})
	}
}

// A row whose key was lost, with a backup that had none, is invalid and says so:
// the batch goes on.
func TestRowsWhoseKeyIsLost(t *testing.T) {
	t.Parallel()
	w := setup(t)
	id := w.start(t, batch.Options{}, row(w.pay(t, 100)[0], 10))
	db, err := sql.Open("sqlite", w.path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if _, err := db.ExecContext(t.Context(), `DELETE FROM personal_key`); err != nil {
		t.Fatal(err)
	}
	w.finish(t, id)
	if got := w.result(t, id, batch.NDJSON); !strings.Contains(got, `"status":"invalid"`) || !strings.Contains(got, "its key is lost") {
		t.Error(got)
	}
}

// What the rows of a dry run say is forgotten when it is over, also where it was
// canceled.
func TestDryRunForgetsItsRows(t *testing.T) {
	t.Parallel()
	w := setup(t)
	const mark = "a-note-about-a-person"
	of := w.pay(t, 1000)[0]
	done := w.start(t, batch.Options{IsDryRun: true}, row(of, 10, `, "note": "`+mark+`"`), row(of, 2000, `, "note": "`+mark+`"`))
	w.finish(t, done)
	canceled := w.start(t, batch.Options{IsDryRun: true}, row(of, 10, `, "note": "`+mark+`"`))
	if _, err := w.clerk.Cancel(t.Context(), w.meta(), canceled); err != nil {
		t.Fatal(err)
	}
	if err := w.work(t, canceled); err != nil {
		t.Fatal(err)
	}
	if got := w.statuses(t, done) + " " + w.statuses(t, canceled); got != "allowed refused skipped" {
		t.Fatal(got)
	}
	for _, id := range []batch.ID{done, canceled} {
		allowed, err := w.store.AllowedRows(t.Context(), w.tenant, id, of, 9)
		if err != nil || len(allowed) > 0 && allowed[0].Body != nil {
			t.Errorf("%v: %v", allowed, err)
		}
	}
	var keys int
	db, err := sql.Open("sqlite", w.path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	const query = `SELECT count(*) FROM personal_key WHERE owner_id IN (SELECT id FROM batch)`
	if err := db.QueryRowContext(t.Context(), query).Scan(&keys); err != nil || keys != 0 {
		t.Errorf("%d keys of batches: %v", keys, err)
	}
}
