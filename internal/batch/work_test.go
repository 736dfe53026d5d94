package batch_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/refundry/refundry/internal/batch"
	"github.com/refundry/refundry/internal/fault"
	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/setting"
)

// Every status has its row in its table, and every reason its sentence.
func TestLivesAreWhole(t *testing.T) {
	t.Parallel()
	for _, status := range batch.Statuses {
		if _, known := batch.Life[status]; !known {
			t.Errorf("%s has no row", status)
		}
	}
	var counts batch.Counts
	for _, status := range batch.RowStatuses {
		if _, known := batch.RowLife[status]; !known {
			t.Errorf("%s has no row", status)
		}
		if counts.Of(status) != 0 {
			t.Errorf("nothing is counted as %s", status)
		}
	}
}

// Each row of a batch becomes what it would be if it were asked for alone, and
// the result says so.
func TestRowsAreDecided(t *testing.T) {
	t.Parallel()
	w := setup(t)
	paid := w.pay(t, 1000, 1000, 1000)
	id := w.start(t, batch.Options{Reference: "recall"},
		row(paid[0], 400, `, "key": "=own", "reason": "recall", "metadata": {"a": [1]}`),
		row(paid[0], 700), // too much is left to it
		fmt.Sprintf(`{"payment": %q, "full": true}`, paid[0]),
		row(payment.PaymentID(newID()), 1),
		`{"payment": "ps_77", "full": true}`,
		fmt.Sprintf(`{"payment": %q, "amount": 1, "currency": "JPY"}`, paid[1]),
		`{"payment": 7}`,
		fmt.Sprintf(`{"payment": %q, "items": [{"position": 1, "quantity": 1}]}`, paid[1]),
		row(paid[1], 1000),
	)
	b := w.finish(t, id)
	want := "refunded refused refunded refused refused refused invalid refused refunded"
	if got := w.statuses(t, id); got != want || b.Status != batch.Done {
		t.Errorf("%s\n%s, want\n%s", b.Status, got, want)
	}
	if want := []money.Amount{money.Of(2000, "EUR")}; !slices.Equal(b.Sums, want) {
		t.Errorf("sums %v, want %v", b.Sums, want)
	}
	w.check(t, id)
	rows := w.rows(t, id)
	view, err := w.store.ViewOfRefund(t.Context(), w.tenant, rows[0].Refund)
	if err != nil {
		t.Fatal(err)
	}
	refund := view.Refunds[0]
	if refund.Source != payment.SourceBulk || refund.Actor != "key:test" || refund.Reason != "recall" || refund.Metadata != `{"a":[1]}` ||
		refund.Batch != id || refund.BatchRow != 1 {
		t.Errorf("refund %+v", refund)
	}
	for i, line := range strings.Split(strings.TrimSpace(w.result(t, id, batch.NDJSON)), "\n") {
		var r batch.Result
		if err := json.Unmarshal([]byte(line), &r); err != nil || r.Number != int64(i+1) || r.Status != rows[i].Status {
			t.Errorf("line %d: %s, %v", i+1, line, err)
		}
	}
	for _, want := range []string{
		`{"number":1,"key":"=own","status":"refunded","payment":"` + paid[0].String() + `","refund":"` + refund.ID.String() +
			`","amount":400,"currency":"EUR","payment_reference":"=order","refund_status":"pending"}`,
		`"code":"refundable_amount_exceeded","message":"only 6.00 EUR of the payment is left to refund","refundable":600,"payment_reference":"=order"}`,
		`"code":"not_found","message":"no such payment"}`, `"code":"currency_mismatch"`, `"code":"items_not_refundable"`,
		`{"number":7,"status":"invalid","code":"invalid_request","message":"payment must be`,
		`"errors":[{"pointer":"#/payment","detail":"must be`,
	} {
		if got := w.result(t, id, batch.NDJSON); !strings.Contains(got, want) {
			t.Errorf("the result does not have %s:\n%s", want, got)
		}
	}
	lines := strings.Split(w.result(t, id, batch.CSV), "\n")
	if lines[0] != "number,key,status,payment,refund,amount,currency,code,message,refundable,from,payment_reference,refund_status" ||
		lines[1] != "1,'=own,refunded,"+paid[0].String()+","+refund.ID.String()+",400,EUR,,,,,'=order,pending" {
		t.Errorf("CSV:\n%s\n%s", lines[0], lines[1])
	}
}

// While a batch runs, its result shows what is known.
func TestResultsGrow(t *testing.T) {
	t.Parallel()
	w := setup(t)
	paid := w.pay(t, slices.Repeat([]money.Minor{100}, 130)...)
	var rows []string
	for i := range 1300 {
		rows = append(rows, row(paid[i%130], 1))
	}
	id := w.start(t, batch.Options{}, rows...)
	if err := w.work(t, id); err != nil {
		t.Fatal(err)
	}
	text := w.result(t, id, batch.NDJSON)
	if refunded, waiting := strings.Count(text, `"refunded"`), strings.Count(text, `"waiting"`); refunded != 256 || waiting != 1044 {
		t.Errorf("%d refunded, %d waiting", refunded, waiting)
	}
	w.finish(t, id)
	if n := strings.Count(w.result(t, id, batch.CSV), "\n"); n != 1301 {
		t.Errorf("%d lines", n)
	}
	w.check(t, id)
}

// A row's key is that of the own API: used before, whether by a row of another
// batch or alone, it is that refund again; for something else it is refused.
func TestKeysOfRowsAreTheAPIs(t *testing.T) {
	t.Parallel()
	w := setup(t)
	paid := w.pay(t, 1000, 1000)
	first := w.start(t, batch.Options{}, row(paid[0], 300, `, "key": "a"`))
	w.finish(t, first)
	second := w.start(t, batch.Options{}, row(paid[0], 300, `, "key": "a"`), row(paid[0], 301), row(paid[1], 300, `, "key": "b"`))
	w.finish(t, second)
	if a, b := w.rows(t, first)[0], w.rows(t, second)[0]; a.Refund != b.Refund || b.Amount != a.Amount || b.Status != batch.RowRefunded {
		t.Errorf("%+v, then %+v", a, b)
	}
	other := w.start(t, batch.Options{}, row(paid[0], 299, `, "key": "a"`))
	w.finish(t, other)
	if row := w.rows(t, other)[0]; row.Status != batch.RowRefused || row.Reason.Rule != payment.RuleKeyMisuse {
		t.Errorf("a key of something else: %+v", row)
	}
	for _, id := range []batch.ID{first, second, other} {
		w.check(t, id)
	}
}

// Rows of one payment are decided in their order, however many share a window.
func TestRowsKeepTheirOrder(t *testing.T) {
	t.Parallel()
	w := setup(t)
	paid := w.pay(t, slices.Repeat([]money.Minor{100}, 30)...)
	var rows []string
	for _, of := range paid {
		rows = append(rows, row(of, 60), row(of, 50), fmt.Sprintf(`{"payment": %q, "full": true}`, of))
	}
	id := w.start(t, batch.Options{}, rows...)
	w.finish(t, id)
	for i, r := range w.rows(t, id) {
		want := []batch.RowStatus{batch.RowRefunded, batch.RowRefused, batch.RowRefunded}[i%3]
		if r.Status != want {
			t.Errorf("row %d is %s, want %s: %+v", r.Number, r.Status, want, r.Reason)
		}
	}
	w.check(t, id)
}

// Rows name payments as any front door does.
func TestSpellings(t *testing.T) {
	t.Parallel()
	w := setup(t)
	paid := w.pay(t, 1000)
	id := w.start(t, batch.Options{},
		fmt.Sprintf(`{"payment": %q, "amount": 1, "currency": "EUR"}`, paid[0].UUID()),
		fmt.Sprintf(`{"payment": "ps_%s", "amount": 1, "currency": "EUR"}`, paid[0].Decimal()),
		`{"payment": "ps_1", "amount": 1, "currency": "EUR"}`,
	)
	w.finish(t, id)
	if got := w.statuses(t, id); got != "refunded refunded refused" {
		t.Errorf("got %s", got)
	}
}

// Refunds are asked for no faster than the batch's pace.
func TestPace(t *testing.T) {
	t.Parallel()
	w := setup(t)
	paid := w.pay(t, 1000)
	var rows []string
	for range 50 {
		rows = append(rows, row(paid[0], 1))
	}
	id := w.start(t, batch.Options{PerSecond: 10}, rows...)
	for n := int64(10); n <= 50; n += 10 {
		if err := w.work(t, id); err != nil {
			t.Fatal(err)
		}
		if err := w.work(t, id); err != nil { // at once again: it is too early
			t.Fatal(err)
		}
		if b := w.get(t, id); b.Counts.Refunded != n {
			t.Errorf("%d refunded, want %d", b.Counts.Refunded, n)
		}
		w.offset.Add(int64(time.Second))
	}
	if b := w.get(t, id); b.Status != batch.Done {
		t.Errorf("%+v", b)
	}
}

// While refunds are stopped by policy a batch pauses and keeps its rows.
func TestHalted(t *testing.T) {
	t.Parallel()
	w := setup(t)
	paid := w.pay(t, 1000)
	id := w.start(t, batch.Options{}, row(paid[0], 1), row(paid[0], 2))
	w.set(t, setting.Values{payment.PolicyHalted.Name: true})
	if b := w.finish(t, id); b.Status != batch.Paused || b.Pause != batch.PauseHalted || b.Counts.Waiting != 2 {
		t.Fatalf("%s, %+v", b.Status, b.Counts)
	}
	w.set(t, nil)
	if _, err := w.clerk.Resume(t.Context(), w.meta(), id); err != nil {
		t.Fatal(err)
	}
	if b := w.finish(t, id); b.Status != batch.Done || b.Counts.Refunded != 2 {
		t.Errorf("%s, %+v", b.Status, b.Counts)
	}
	if got, want := w.kinds(), "created started paused resumed done"; got != want {
		t.Errorf("told %s, want %s", got, want)
	}
	w.check(t, id)
}

// A batch is made once per key, and shown again as it was then.
func TestCreateOnce(t *testing.T) {
	t.Parallel()
	w := setup(t)
	meta := w.meta()
	meta.Key = payment.Key{Hash: newID(), Fingerprint: newID()}
	options := batch.Options{Reference: "a", PerSecond: 3, Caps: []money.Amount{money.Of(1, "EUR")}}
	made, replayed, err := w.clerk.Create(t.Context(), meta, options)
	if err != nil || replayed {
		t.Fatal(replayed, err)
	}
	if _, err := w.send(t, made.ID, 0, `{}`); err != nil {
		t.Fatal(err)
	}
	again, replayed, err := w.clerk.Create(t.Context(), meta, options)
	if err != nil || !replayed || fmt.Sprint(again) != fmt.Sprint(made) {
		t.Errorf("%t, %v\n%+v\n%+v", replayed, err, made, again)
	}
	meta.Key.Fingerprint = newID()
	_, _, err = w.clerk.Create(t.Context(), meta, options)
	refusal, ok := errors.AsType[*payment.Refusal](err)
	if !ok || refusal.Rule != payment.RuleKeyMisuse {
		t.Errorf("the key of something else: %v", err)
	}
	if got, want := w.kinds(), "created"; got != want {
		t.Errorf("told %s, want %s", got, want)
	}
	for _, bad := range []batch.Options{
		{PerSecond: -1}, {PerSecond: batch.PerSecondMax + 1}, {Reference: strings.Repeat("x", 256)}, {Reference: "4242424242424242"},
		{Caps: []money.Amount{money.Of(1, "EUR"), money.Of(2, "EUR")}}, {Caps: make([]money.Amount, batch.CapsMax+1)},
	} {
		if _, _, err := w.clerk.Create(t.Context(), w.meta(), bad); fault.CodeOf(err) != fault.Invalid {
			t.Errorf("%+v: %v", bad, err)
		}
	}
}
