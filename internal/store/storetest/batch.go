package storetest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/refundry/refundry/internal/batch"
	"github.com/refundry/refundry/internal/fault"
	"github.com/refundry/refundry/internal/job"
	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/payment"
)

var batchTests = map[string]func(*testing.T, Open){
	"a batch is read as it was written":               testBatchKept,
	"batches are listed by status, in pages":          testBatches,
	"rows of a batch are read as they were written":   testBatchRows,
	"rows of a batch tell of payment and refund":      testBatchRowsSeen,
	"what rows of a batch say is kept sealed":         testBatchRowsSealed,
	"what rows say cannot be opened elsewhere":        testBatchRowsMoved,
	"rows that wait are read up to a limit":           testWaitingRows,
	"a row's key is the first's that has it":          testRowKeys,
	"a refused change of a batch writes nothing":      testBatchRefused,
	"a batch's event, job and key are committed":      testBatchTold,
	"changes of a batch are one after the other":      testBatchLocked,
	"skipping takes the first rows that wait":         testBatchSkip,
	"a batch's counts and sums are those of its rows": testBatchCounts,
	"a tenant's batches are not another's":            testBatchesApart,
	"batches are recounted when all is verified":      testBatchRecount,
	"the schema is the last wall around batches":      testBatchWall,
}

// putBatch makes or changes a batch, whatever it was.
func (b *bundle) putBatch(t *testing.T, is batch.Batch, add ...batch.Row) batch.Batch {
	t.Helper()
	err := b.store.ChangeBatch(t.Context(), is.Tenant, is.ID, nil,
		func(_ *payment.Book, before batch.Batch, _ []batch.Row) (batch.Change, error) {
			is.Version = before.Version + 1
			return batch.Change{Batch: is, Add: add}, nil
		})
	if err != nil {
		t.Fatal(err)
	}
	return is
}

// newBatch returns an empty batch that is nowhere yet.
func (b *bundle) newBatch() batch.Batch {
	return batch.Batch{
		Tenant: b.tenant, ID: b.newID(), Status: batch.Receiving, CreatedBy: "key:test",
		CreatedAt: b.clock.Now(), UpdatedAt: b.clock.Now(),
	}
}

// waiting returns rows that wait, numbered from 1.
func waiting(n int) []batch.Row {
	rows := make([]batch.Row, n)
	for i := range rows {
		rows[i] = batch.Row{
			Number: int64(i + 1), Status: batch.RowWaiting, Key: fmt.Sprint("k", i+1), Body: fmt.Appendf(nil, `{"n":%d}`, i+1),
		}
	}
	return rows
}

// batchOf writes a batch with rows.
func (b *bundle) batchOf(t *testing.T, rows ...batch.Row) batch.Batch {
	t.Helper()
	is := b.newBatch()
	for _, row := range rows {
		count(&is.Counts, row.Status, 1)
	}
	return b.putBatch(t, is, rows...)
}

// count counts rows as the test sees it.
func count(c *batch.Counts, status batch.RowStatus, n int64) {
	for s, at := range map[batch.RowStatus]*int64{
		batch.RowWaiting: &c.Waiting, batch.RowRefunded: &c.Refunded, batch.RowAllowed: &c.Allowed,
		batch.RowRefused: &c.Refused, batch.RowInvalid: &c.Invalid, batch.RowSkipped: &c.Skipped,
	} {
		if s == status {
			*at += n
		}
	}
}

func (b *bundle) wantBatch(t *testing.T, want batch.Batch) {
	t.Helper()
	got, err := b.store.Batch(t.Context(), want.Tenant, want.ID)
	if err != nil {
		t.Fatal(err)
	}
	wantSame(t, "batch", got, want)
}

func testBatchKept(t *testing.T, open Open) {
	b := setup(t, open)
	is := b.newBatch()
	is.Options = batch.Options{
		Reference: "März ☃ '", IsDryRun: true, PerSecond: 7, PausesOnFailure: true,
		Caps: []money.Amount{money.Of(money.Max, "EUR"), money.Of(1, "JPY")},
	}
	b.wantBatch(t, b.putBatch(t, is))
	is.Status, is.Pause, is.Bytes, is.Passed = batch.Paused, batch.PauseFailure, 1<<30, 1<<40
	is.StartedBy, is.StartedFor = "operator:x", "ann"
	is.Sums, is.Full = []money.Amount{money.Of(1<<62, "EUR")}, []money.Currency{"EUR", "JPY"}
	is.NextAt, is.StartedAt, is.EndedAt = b.clock.Now().Add(1), b.clock.Now().Add(time.Hour), b.clock.Now().Add(time.Minute)
	is.NextAt = is.NextAt.Truncate(time.Microsecond)
	is.UpdatedAt = b.clock.Now().Add(time.Second)
	b.wantBatch(t, b.putBatch(t, is))
	if _, err := b.store.Batch(t.Context(), b.tenant, b.newID()); fault.CodeOf(err) != fault.NotFound {
		t.Errorf("a batch that is not there: %v", err)
	}
}

func testBatches(t *testing.T, open Open) {
	b := setup(t, open)
	var all []batch.Batch
	for i := range 7 {
		if i%3 > 0 {
			b.clock.Advance(time.Microsecond)
		}
		is := b.newBatch()
		is.Status = batch.Statuses[i%3]
		all = append(all, b.putBatch(t, is))
	}
	for _, statuses := range [][]batch.Status{nil, {batch.Ready}, {batch.Receiving, batch.Running}, {batch.Done}} {
		want := newest(all, batch.Batch.Place, func(is batch.Batch) bool {
			return len(statuses) == 0 || slices.Contains(statuses, is.Status)
		})
		wantPages(t, fmt.Sprint(statuses), want, batch.Batch.Place, func(after payment.Place, limit int) ([]batch.Batch, error) {
			return b.store.Batches(t.Context(), b.tenant, batch.Filter{Statuses: statuses, After: after, Limit: limit})
		})
	}
}

func testBatchRefused(t *testing.T, open Open) {
	b := setup(t, open)
	is := b.batchOf(t, waiting(2)...)
	no := errors.New("no")
	err := b.store.ChangeBatch(t.Context(), b.tenant, is.ID, []int64{1, 7},
		func(book *payment.Book, before batch.Batch, rows []batch.Row) (batch.Change, error) {
			wantSame(t, "before", before, is)
			if len(rows) != 1 || rows[0].Number != 1 || rows[0].Status != batch.RowWaiting {
				t.Errorf("rows %+v", rows)
			}
			book.Changes.Tasks = append(book.Changes.Tasks, b.batchTask(is))
			before.Status, before.Version = batch.Done, 2
			return batch.Change{Batch: before}, no
		})
	if !errors.Is(err, no) {
		t.Errorf("error %v", err)
	}
	b.wantBatch(t, is)
	if waiting, _, err := b.store.Count(t.Context()); err != nil || len(waiting) > 0 {
		t.Errorf("jobs %v: %v", waiting, err)
	}
}

func (b *bundle) batchTask(is batch.Batch) payment.Task {
	return payment.Task{
		Tenant: is.Tenant, Kind: payment.TaskRunBatch, Subject: is.ID, Queue: "batches", DueAt: b.clock.Now(),
	}
}

func testBatchTold(t *testing.T, open Open) {
	b := setup(t, open)
	is := b.newBatch()
	hash, fingerprint := payment.KeyHash(b.newID()), payment.Fingerprint(b.newID())
	create := func() error {
		return b.store.ChangeBatch(t.Context(), b.tenant, is.ID, nil,
			func(book *payment.Book, before batch.Batch, _ []batch.Row) (batch.Change, error) {
				if !book.Now.Equal(b.clock.Now()) || before.Version != 0 {
					t.Errorf("at %s, version %d", book.Now, before.Version)
				}
				book.Changes.Tellings = []payment.Telling{{Event: payment.Event{
					Tenant: b.tenant, Kind: batch.EventCreated, Subject: is.ID, Version: 1, At: book.Now, Actor: "key:test",
					Door: payment.DoorAPI,
				}}}
				book.Changes.Tasks = []payment.Task{b.batchTask(is)}
				book.Changes.Keys = []*payment.KeyRecord{{
					Tenant: b.tenant, Hash: hash, Fingerprint: fingerprint, Subject: is.ID, At: book.Now,
				}}
				book.Deliver(payment.Delivery{
					Endpoint: payment.Endpoint{ID: b.newID(), Door: payment.DoorAPI, URL: "https://a.example"},
					Event:    book.Changes.Tellings[0].Event, Word: "batch.created",
				}, "endpoint:x")
				is.Version = 1
				return batch.Change{Batch: is}, nil
			})
	}
	if err := create(); err != nil {
		t.Fatal(err)
	}
	events, err := b.store.Events(t.Context(), b.tenant, payment.Cursor{}, 10)
	if err != nil || len(events) != 1 || events[0].Kind != batch.EventCreated || events[0].Subject != is.ID {
		t.Errorf("events %+v: %v", events, err)
	}
	jobs, err := b.store.Claim(t.Context(), job.Claim{
		ID: b.newID(), Now: b.clock.Now(), Lease: time.Minute, InAll: 20, PerQueue: 10,
	})
	if err != nil || len(jobs) != 2 {
		t.Errorf("jobs %+v: %v", jobs, err)
	}
	record, err := b.store.Key(t.Context(), b.tenant, hash)
	if err != nil || record == nil || record.Subject != is.ID || record.Fingerprint != fingerprint {
		t.Errorf("key %+v: %v", record, err)
	}
	b.wantClean(t)
	is.ID = b.newID()
	if err := create(); err == nil {
		t.Error("a key was used twice")
	}
	if _, err := b.store.Batch(t.Context(), b.tenant, is.ID); fault.CodeOf(err) != fault.NotFound {
		t.Errorf("half of a change was written: %v", err)
	}
	b.wantClean(t)
}

func testBatchLocked(t *testing.T, open Open) {
	b := setup(t, open)
	is := b.batchOf(t)
	var wait sync.WaitGroup
	for range 20 {
		wait.Go(func() {
			err := b.store.ChangeBatch(t.Context(), b.tenant, is.ID, nil,
				func(_ *payment.Book, before batch.Batch, _ []batch.Row) (batch.Change, error) {
					before.Bytes++
					before.Version++
					return batch.Change{Batch: before}, nil
				})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	is.Bytes, is.Version = 20, 21
	b.wantBatch(t, is)
}

func testBatchSkip(t *testing.T, open Open) {
	b := setup(t, open)
	rows := waiting(8)
	rows[2].Status = batch.RowRefused
	is := b.batchOf(t, rows...)
	is.Counts.Waiting, is.Counts.Skipped = 3, 4
	reason := batch.Reason{Skip: batch.SkipCanceled, Message: "canceled"}
	skip := func(n int64) error {
		return b.store.ChangeBatch(t.Context(), b.tenant, is.ID, nil,
			func(_ *payment.Book, before batch.Batch, _ []batch.Row) (batch.Change, error) {
				is.Version = before.Version + 1
				return batch.Change{Batch: is, Skip: batch.Skipping{Rows: n, Reason: reason}}, nil
			})
	}
	if err := skip(4); err != nil {
		t.Fatal(err)
	}
	for i := range rows[:5] {
		if rows[i].Body = nil; rows[i].Status == batch.RowWaiting {
			rows[i].Status, rows[i].Reason = batch.RowSkipped, reason
		}
	}
	got, err := b.store.BatchRows(t.Context(), b.tenant, is.ID, 0, 10)
	if err != nil {
		t.Fatal(err)
	}
	wantSame(t, "rows", got, seen(rows...))
	is.Counts.Waiting, is.Counts.Skipped = 0, 7
	if err := skip(4); err == nil {
		t.Error("more is skipped than waits")
	}
}

// testBatchCounts lets rows become anything, and counts them again.
func testBatchCounts(t *testing.T, open Open) {
	b := setup(t, open)
	rows := waiting(40)
	is := b.batchOf(t, rows...)
	luck := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the same in each run
	for range 30 {
		n := 1 + luck.IntN(5)
		var changed []batch.Row
		for _, at := range luck.Perm(len(rows))[:n] {
			row := &rows[at]
			count(&is.Counts, row.Status, -1)
			row.Status = batch.RowStatuses[luck.IntN(len(batch.RowStatuses))]
			if row.Status == batch.RowAllowed && !is.IsDryRun {
				row.Status = batch.RowRefunded
			}
			row.Refund, row.Amount = b.newID(), money.Of(money.Minor(1+luck.Int64N(100)), "EUR")
			count(&is.Counts, row.Status, 1)
			changed = append(changed, *row)
		}
		b.changeRows(t, is, changed...)
		var counted batch.Counts
		got, err := b.store.BatchRows(t.Context(), b.tenant, is.ID, 0, 100)
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range got {
			count(&counted, row.Status, 1)
		}
		kept, err := b.store.Batch(t.Context(), b.tenant, is.ID)
		if err != nil {
			t.Fatal(err)
		}
		wantSame(t, "counts", kept.Counts, counted)
		waits, err := b.store.WaitingRows(t.Context(), b.tenant, is.ID, 0, 100, 1<<20)
		if err != nil || int64(len(waits)) != counted.Waiting {
			t.Errorf("%d wait, %d are counted: %v", len(waits), counted.Waiting, err)
		}
	}
}

// Counts that are not those of the rows are found, and so is a row that says it
// is refunded although its payment has no such refund.
func testBatchRecount(t *testing.T, open Open) {
	b := setup(t, open)
	b.putBatch(t, b.newBatch()) // nothing to count
	rows := waiting(6)
	for i, status := range batch.RowStatuses {
		if rows[i].Status = status; status == batch.RowRefunded {
			rows[i].Status = batch.RowWaiting // none is refunded yet
		}
	}
	b.batchOf(t, rows...)
	for range 22 { // more than one page
		b.batchOf(t, waiting(2)...)
	}
	b.wantClean(t)
	if _, err := b.refund(t.Context(), b.capture(t, 1000).ID, 100); err != nil {
		t.Fatal(err)
	}
	const refunded = `status = 'refunded', amount = 100, currency = 'EUR', refund_id = (SELECT id FROM refund),
		payment_id = (SELECT payment_id FROM refund)`
	for _, change := range []struct {
		statement string
		isRight   bool
	}{
		{`UPDATE batch SET received = received + 1, refused = refused + 1 WHERE waiting = 2`, false},
		{`UPDATE batch SET received = received - 1, refused = refused - 1 WHERE waiting = 2`, true},
		{`UPDATE batch_row SET status = 'skipped' WHERE status = 'waiting' AND number = 2`, false},
		{`UPDATE batch SET waiting = waiting - 1, skipped = skipped + 1 WHERE waiting = 2`, true},
		{`UPDATE batch_row SET ` + refunded + ` WHERE status = 'waiting' AND number = 1`, false},
		{`UPDATE batch SET waiting = waiting - 1, refunded = refunded + 1 WHERE waiting > 0`, true},
		{`UPDATE batch_row SET payment_id = refund_id WHERE status = 'refunded'`, false},
	} {
		b.damage(t, change.statement)
		if change.isRight {
			b.wantClean(t)
		} else {
			b.wantFound(t)
		}
	}
}

func testBatchesApart(t *testing.T, open Open) {
	b := setup(t, open)
	is := b.batchOf(t, waiting(2)...)
	stranger := payment.TenantID(b.newID())
	if _, err := b.store.Batch(t.Context(), stranger, is.ID); fault.CodeOf(err) != fault.NotFound {
		t.Errorf("a stranger sees it: %v", err)
	}
	list, err := b.store.Batches(t.Context(), stranger, batch.Filter{Limit: 10})
	if err != nil || len(list) > 0 {
		t.Errorf("a stranger lists %v: %v", list, err)
	}
	if rows, err := b.store.BatchRows(t.Context(), stranger, is.ID, 0, 10); err != nil || len(rows) > 0 {
		t.Errorf("a stranger reads rows %v: %v", rows, err)
	}
	if rows, err := b.store.WaitingRows(t.Context(), stranger, is.ID, 0, 10, 1000); err != nil || len(rows) > 0 {
		t.Errorf("a stranger reads waiting rows %v: %v", rows, err)
	}
	no := errors.New("no")
	err = b.store.ChangeBatch(t.Context(), stranger, is.ID, []int64{1},
		func(_ *payment.Book, before batch.Batch, rows []batch.Row) (batch.Change, error) {
			if before.Version != 0 || len(rows) > 0 {
				t.Errorf("a stranger changes %+v, %v", before, rows)
			}
			return batch.Change{}, no
		})
	if !errors.Is(err, no) {
		t.Error(err)
	}
}

func testBatchWall(t *testing.T, open Open) {
	b := setup(t, open)
	b.batchOf(t, waiting(2)...)
	dry := b.newBatch()
	dry.IsDryRun = true
	b.putBatch(t, dry)
	for _, statement := range []string{
		`UPDATE batch SET waiting = waiting + 1`, `UPDATE batch SET waiting = -1, received = -1`,
		`UPDATE batch SET status = 'over'`, `UPDATE batch SET status = 'done'`, `UPDATE batch SET pause = 'x'`,
		`UPDATE batch SET refunded = 2, waiting = 0, received = 2`,
		`UPDATE batch_row SET status = 'over'`, `UPDATE batch_row SET body = NULL`, `UPDATE batch_row SET number = -number`,
		`UPDATE batch_row SET status = 'refunded', amount = 1`, `UPDATE batch_row SET key = 'k1'`,
	} {
		if err := b.exec(statement); err == nil {
			t.Errorf("the schema takes %s", statement)
		}
	}
}
