package storetest

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/refundry/refundry/internal/batch"
	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/payment"
)

func testBatchRows(t *testing.T, open Open) {
	b := setup(t, open)
	of := payment.PaymentID(b.newID())
	rows := waiting(6)
	is := b.batchOf(t, rows...)
	rows[1].Status, rows[1].Body, rows[1].Payment, rows[1].Refund = batch.RowRefunded, nil, of, b.newID()
	rows[1].Amount = money.Of(money.Max, "EUR")
	rows[2].Status, rows[2].Payment, rows[2].Amount = batch.RowAllowed, of, money.Of(5, "JPY")
	rows[3].Status, rows[3].Body, rows[3].Payment = batch.RowRefused, nil, of
	rows[3].Reason = batch.Reason{
		Rule: payment.RuleRefundable, Message: "only ☃ is left", Refundable: money.Of(0, "EUR"), From: b.clock.Now(),
	}
	rows[4].Status, rows[4].Body, rows[4].Key = batch.RowInvalid, nil, ""
	rows[4].Reason = batch.Reason{Message: "x", Wrongs: []batch.Wrong{{Pointer: "#/a", Detail: "b"}, {Pointer: "#", Detail: "c"}}}
	rows[5].Status, rows[5].Body = batch.RowSkipped, nil
	rows[5].Reason = batch.Reason{Skip: batch.SkipCap, Message: "enough"}
	is.Counts = batch.Counts{Waiting: 1, Refunded: 1, Allowed: 1, Refused: 1, Invalid: 1, Skipped: 1}
	b.changeRows(t, is, rows[1:]...)
	bare := seen(rows...)
	for after := range int64(8) {
		for limit := 1; limit < 8; limit++ {
			got, err := b.store.BatchRows(t.Context(), b.tenant, is.ID, after, limit)
			if err != nil {
				t.Fatal(err)
			}
			want := bare[min(int(after), 6):min(int(after)+limit, 6)]
			if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("behind %d, at most %d (-want +got):\n%s", after, limit, diff)
			}
		}
	}
	allowed, err := b.store.AllowedRows(t.Context(), b.tenant, is.ID, of, 10)
	if err != nil {
		t.Fatal(err)
	}
	wantSame(t, "allowed", allowed, rows[2:3])
	if other, err := b.store.AllowedRows(t.Context(), b.tenant, is.ID, b.newID(), 10); err != nil || len(other) > 0 {
		t.Errorf("allowed of another payment: %v, %v", other, err)
	}
}

// seen returns rows as they are read that name no payment and no refund which
// there is.
func seen(rows ...batch.Row) []batch.Seen {
	all := make([]batch.Seen, len(rows))
	for i, row := range rows {
		row.Body = nil
		all[i].Row = row
	}
	return all
}

// testBatchRowsSeen reads rows with what is known of payment and refund: of the
// tenant's own, and as they are by now.
func testBatchRowsSeen(t *testing.T, open Open) {
	b := setup(t, open)
	command := b.captured(900)
	command.Reference = "order-☃"
	of := b.do(t, command).View.Payment.ID
	refund := b.do(t, payment.OpenRefund{Meta: b.meta(), Payment: of, Ask: payment.Ask{Amount: 5}}).Refund
	rows := waiting(3)
	is := b.batchOf(t, rows...)
	rows[0].Status, rows[0].Payment, rows[0].Refund, rows[0].Amount = batch.RowRefunded, of, refund.ID, refund.Amount
	rows[1].Status, rows[1].Payment, rows[1].Reason = batch.RowRefused, of, batch.Reason{Rule: payment.RuleRefundable}
	is.Counts = batch.Counts{Waiting: 1, Refunded: 1, Refused: 1}
	b.changeRows(t, is, rows[:2]...)
	want := seen(rows...)
	want[0].PaymentReference, want[0].RefundStatus = "order-☃", refund.Status
	want[1].PaymentReference = "order-☃"
	wantSeen := func() {
		t.Helper()
		got, err := b.store.BatchRows(t.Context(), b.tenant, is.ID, 0, 10)
		if err != nil {
			t.Fatal(err)
		}
		wantSame(t, "rows", got, want)
	}
	wantSeen()
	b.do(t, payment.CancelRefund{Meta: b.meta(), Payment: of, Refund: refund.ID})
	want[0].RefundStatus = payment.RefundCanceled
	wantSeen()
	pieces := b.do(t, payment.OpenRefund{Meta: b.meta(), Payment: b.sold(t), Ask: payment.Ask{Amount: 1000}}).Refunds
	rows[2].Status, rows[2].Payment, rows[2].Refund, rows[2].Amount = batch.RowRefunded, pieces[0].Payment, pieces[0].ID, money.Of(1000, "EUR")
	is.Counts = batch.Counts{Refunded: 2, Refused: 1}
	is.Version++
	b.changeRows(t, is, rows[2])
	want[2].Row, want[2].Body, want[2].RefundStatus = rows[2], nil, payment.RefundPending
	wantSeen()
	b.leave(t, pieces[1])(payment.AttemptDeclined)
	want[2].RefundStatus = batch.Mixed
	wantSeen()
}

// testBatchRowsSealed lets a dry run go by: nothing that its rows say can be read
// beside the store, and nothing at all when it is over.
func testBatchRowsSealed(t *testing.T, open Open) {
	b := setup(t, open)
	of := payment.PaymentID(b.newID())
	rows := waiting(3)
	for i := range rows {
		rows[i].Body = []byte(markJSON)
	}
	is := b.newBatch()
	is.IsDryRun, is.Counts.Waiting = true, 3
	is = b.putBatch(t, is, rows[:2]...)
	is = b.putBatch(t, is, rows[2])
	b.wantNoMark(t, "while it waits")
	if !b.hasKey(t, is) {
		t.Error("there is no key")
	}
	got, err := b.store.WaitingRows(t.Context(), b.tenant, is.ID, 0, 9, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	wantSame(t, "waiting", got, rows)
	rows[0].Status, rows[0].Payment, rows[0].Amount = batch.RowAllowed, of, money.Of(5, "EUR")
	rows[1].Status, rows[1].Body = batch.RowRefused, nil
	is.Counts = batch.Counts{Waiting: 1, Allowed: 1, Refused: 1}
	b.changeRows(t, is, rows[:2]...)
	b.wantNoMark(t, "while it runs")
	allowed, err := b.store.AllowedRows(t.Context(), b.tenant, is.ID, of, 9)
	if err != nil {
		t.Fatal(err)
	}
	wantSame(t, "allowed", allowed, rows[:1])
	rows[2].Status, rows[2].Body = batch.RowRefused, nil
	is.Status, is.Counts = batch.Done, batch.Counts{Allowed: 1, Refused: 2}
	b.changeRows(t, is, rows[2])
	if b.hasKey(t, is) {
		t.Error("the key is there when the batch is over")
	}
	allowed, err = b.store.AllowedRows(t.Context(), b.tenant, is.ID, of, 9)
	if err != nil || len(allowed) != 1 || allowed[0].Body != nil {
		t.Errorf("over, it says %v: %v", allowed, err)
	}
	b.wantClean(t)
}

// hasKey reports whether a batch has the key of what its rows say.
func (b *bundle) hasKey(t *testing.T, is batch.Batch) bool {
	t.Helper()
	b.damage(t, `UPDATE batch SET reference = (SELECT CAST(count(*) AS text) FROM personal_key WHERE owner_id = id)`)
	kept, err := b.store.Batch(t.Context(), b.tenant, is.ID)
	if err != nil {
		t.Fatal(err)
	}
	return kept.Reference != "0"
}

// testBatchRowsMoved puts what a row says into another row, and what a version
// before had written. Without keys nothing can be opened, and nothing is wrong.
func testBatchRowsMoved(t *testing.T, open Open) {
	b := setup(t, open)
	is := b.batchOf(t, waiting(3)...)
	b.damage(t, `UPDATE batch_row SET body = (SELECT body FROM batch_row WHERE number = 1) WHERE number = 2`)
	if b.exec(`UPDATE batch_row SET is_sealed = false, body = convert_to('old', 'UTF8') WHERE number = 3`) != nil {
		b.damage(t, `UPDATE batch_row SET is_sealed = 0, body = CAST('old' AS BLOB) WHERE number = 3`)
	}
	wantBodies := func(want ...string) {
		t.Helper()
		got, err := b.store.WaitingRows(t.Context(), b.tenant, is.ID, 0, 9, 1<<20)
		if err != nil || len(got) != len(want) {
			t.Fatalf("%v: %v", got, err)
		}
		for i, row := range got {
			if string(row.Body) != want[i] {
				t.Errorf("row %d says %q, want %q", i+1, row.Body, want[i])
			}
		}
	}
	wantBodies(`{"n":1}`, "", "old")
	b.damage(t, `DELETE FROM personal_key`)
	wantBodies("", "", "old")
	is.Counts.Waiting++
	b.putBatch(t, is, batch.Row{Number: 4, Status: batch.RowWaiting, Body: []byte("new")})
	wantBodies("", "", "old", "new")
}

func sameRows(a, b []batch.Row) bool {
	return len(a) == len(b) && (len(a) == 0 || cmp.Equal(a, b))
}

// changeRows writes a batch and what has become of rows.
func (b *bundle) changeRows(t *testing.T, is batch.Batch, rows ...batch.Row) {
	t.Helper()
	numbers := make([]int64, len(rows))
	for i, row := range rows {
		numbers[i] = row.Number
	}
	err := b.store.ChangeBatch(t.Context(), is.Tenant, is.ID, numbers,
		func(_ *payment.Book, before batch.Batch, named []batch.Row) (batch.Change, error) {
			if len(named) != len(rows) {
				t.Errorf("%d rows are named, %d read", len(rows), len(named))
			}
			is.Version = before.Version + 1
			return batch.Change{Batch: is, Rows: rows}, nil
		})
	if err != nil {
		t.Fatal(err)
	}
}

func testWaitingRows(t *testing.T, open Open) {
	b := setup(t, open)
	rows := waiting(9)
	rows[0].Status, rows[4].Status = batch.RowRefused, batch.RowSkipped
	is := b.batchOf(t, rows...)
	want := slices.Concat(rows[1:4], rows[5:])
	for limit := 1; limit < 9; limit++ {
		got, err := b.store.WaitingRows(t.Context(), b.tenant, is.ID, 0, limit, 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		wantSame(t, "waiting", got, want[:min(limit, len(want))])
	}
	for after := range int64(9) {
		got, err := b.store.WaitingRows(t.Context(), b.tenant, is.ID, after, 9, 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		behind := slices.DeleteFunc(slices.Clone(want), func(row batch.Row) bool { return row.Number <= after })
		if diff := cmp.Diff(behind, got, cmp.Comparer(sameRows)); diff != "" {
			t.Errorf("behind %d (-want +got):\n%s", after, diff)
		}
	}
	each := len(rows[0].Body)
	for n := 1; n < 4; n++ {
		got, err := b.store.WaitingRows(t.Context(), b.tenant, is.ID, 0, 9, n*each-1)
		if err != nil || len(got) != n {
			t.Errorf("%d rows for %d bytes: %v", len(got), n*each-1, err)
		}
	}
}

func testRowKeys(t *testing.T, open Open) {
	b := setup(t, open)
	rows := waiting(3)
	rows[1].Status, rows[1].Body = batch.RowInvalid, nil
	is := b.batchOf(t, rows...)
	taken, err := b.store.TakenRowKeys(t.Context(), b.tenant, is.ID, []string{"k1", "k2", "k3", "k4", ""})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(taken)
	wantSame(t, "taken", taken, []string{"k1", "k3"})
	if taken, err := b.store.TakenRowKeys(t.Context(), b.tenant, b.newID(), []string{"k1"}); err != nil || len(taken) > 0 {
		t.Errorf("taken in another batch: %v, %v", taken, err)
	}
	is.Counts.Waiting++
	again := batch.Row{Number: 4, Status: batch.RowWaiting, Key: "k3", Body: []byte("{}")}
	err = b.store.ChangeBatch(t.Context(), b.tenant, is.ID, nil,
		func(_ *payment.Book, before batch.Batch, _ []batch.Row) (batch.Change, error) {
			is.Version = before.Version + 1
			return batch.Change{Batch: is, Add: []batch.Row{again}}, nil
		})
	if err == nil {
		t.Error("two rows have one key")
	}
	again.Key = "k2"
	is.Version = 1
	b.putBatch(t, is, again) // the invalid one has no claim to it
}
