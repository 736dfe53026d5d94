package batch_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"

	"github.com/refundry/refundry/internal/batch"
	"github.com/refundry/refundry/internal/fault"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/wire"
)

const some = `"payment": "pay_00000000000000000000000000"`

// A row is read as our own API reads a refund, in JSON and in CSV; what is
// wrong with one is said with its place, and nothing of it is repeated.
func TestRowsAreRead(t *testing.T) {
	t.Parallel()
	ok := ""
	for _, c := range []struct {
		name, rows string
		format     batch.Format
		want       []string // for each row: what is wrong with it
	}{
		{"nothing", "", batch.NDJSON, nil},
		{"blank lines", "\n \r\n\t\n", batch.NDJSON, nil},
		{
			"the ways of asking",
			`{` + some + `, "amount": 1, "currency": "EUR"}` + "\r\n\n" + `{` + some + `, "full": true, "reason": "r", "note": "n"}` +
				"\n" + `  {` + some + `, "items": [{"position": 1, "quantity": 2}], "metadata": {"a": 1}, "key": "k"}`,
			batch.NDJSON, []string{ok, ok, ok},
		},
		{"a byte order mark", "\ufeff{" + some + `, "full": true}`, batch.NDJSON, []string{ok}},
		{
			"what is wrong", strings.Join([]string{
				`{`, `[]`, `7`, `{}`, `{` + some + `}`, `{` + some + `, "amount": 1}`, `{` + some + `, "amount": "1", "currency": "EUR"}`,
				`{` + some + `, "amount": 0, "currency": "EUR"}`, `{` + some + `, "full": false}`, `{` + some + `, "full": true, "amount": 1}`,
				`{` + some + `, "full": true, "x": 1}`, `{` + some + `, "full": true, "key": ""}`, `{` + some + `, "full": true, "key": "a b"}`,
				`{` + some + `, "full": true, "note": "4242 4242 4242 4242"}`, `{` + some + `, "full": true, "key": "4242424242424242"}`,
				`{"payment": 7, "full": true}`, `{"full": true}`, "{" + some + ", \"full\": true, \"note\": \"\xff\"}",
			}, "\n"),
			batch.NDJSON, []string{
				"# ", "# must be an object", "# must be an object", "#/payment is required: the id of a payment",
				"# needs exactly one", "#/currency is required", "#/amount must be a whole", "#/amount must be a whole",
				"#/full must be true", "# needs exactly one", "# has a member", "#/key must be", "#/key must be",
				"#/note looks like a card", "#/key looks like a card", "#/payment must be a text", "#/payment is required", "# ",
			},
		},
		{
			"too long",
			`{` + some + `, "full": true, "note": "` + strings.Repeat("x", batch.RowBytesMax) + `"}` + "\n" + `{` + some + `, "full": true}`,
			batch.NDJSON, []string{"# has more than 262144 bytes", ok},
		},
		{"CSV of nothing", "", batch.CSV, nil},
		{"a heading only", "payment,full\n", batch.CSV, nil},
		{
			"CSV", "\ufeffpayment, amount ,currency,note,full,items,metadata,key\r\n" +
				"pay_00000000000000000000000000,100,EUR,\"a \"\"b\"\"\r\nsecond line\",,,,k1\r\n\r\n" +
				"pay_00000000000000000000000000,,,{not json},true,,\"{\"\"a\"\": 1}\",k2\r\n" +
				"pay_00000000000000000000000000,,,,,\"[{\"\"position\"\": 1, \"\"quantity\"\": 1}]\"\r\n",
			batch.CSV, []string{ok, ok, ok},
		},
		{
			"what is wrong in CSV", "payment,amount,currency,full\n" +
				"pay_00000000000000000000000000,1.5,EUR\n" + "pay_00000000000000000000000000,01,EUR\n" +
				"pay_00000000000000000000000000,,,yes\n" + "pay_00000000000000000000000000,1,EUR,,x\n" + ",,,\n" +
				"a\"b\",1,EUR\n" + "\"\xff\",1,EUR\n" + "pay_00000000000000000000000000,1,EUR\n" + "\"never ends,1,EUR\n",
			batch.CSV, []string{
				"#/amount must be a whole", "#/amount must be a whole", "#/full must be true", "# has more cells",
				"#/payment is required", "# is no CSV", "# is not UTF-8", ok, "# is no CSV",
			},
		},
		{
			"too long in CSV", "payment,full,note\npay_00000000000000000000000000,true,\"" + strings.Repeat("x\n", batch.RowBytesMax) +
				"\"\npay_00000000000000000000000000,true,\n",
			batch.CSV, []string{"# has more than 262144 bytes", ok},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := setup(t)
			id := w.create(t, batch.Options{})
			b, err := w.clerk.Receive(t.Context(), w.meta(), id, batch.Upload{
				Format: c.format, From: iotest.HalfReader(strings.NewReader(c.rows)),
			})
			if err != nil {
				t.Fatal(err)
			}
			rows := w.rows(t, id)
			if len(rows) != len(c.want) || b.Received() != int64(len(c.want)) || b.Status != batch.Ready {
				t.Fatalf("%d rows of %d, %s", len(rows), len(c.want), b.Status)
			}
			for i, row := range rows {
				checkRead(t, row, c.want[i])
			}
			w.check(t, id)
		})
	}
}

func checkRead(t *testing.T, row batch.Row, want string) {
	t.Helper()
	if want == "" {
		if row.Status != batch.RowWaiting {
			t.Errorf("row %d is %s: %+v", row.Number, row.Status, row.Reason)
		}
		return
	}
	if row.Status != batch.RowInvalid || len(row.Reason.Wrongs) == 0 {
		t.Errorf("row %d is %s, want: %s", row.Number, row.Status, want)
		return
	}
	first := row.Reason.Wrongs[0]
	if got := first.Pointer + " " + first.Detail; !strings.HasPrefix(got, want) {
		t.Errorf("row %d: %s, want %s", row.Number, got, want)
	}
	for _, sent := range []string{"4242", "pay_", "never"} {
		if strings.Contains(fmt.Sprint(row.Reason), sent) {
			t.Errorf("row %d repeats what was sent: %+v", row.Number, row.Reason)
		}
	}
}

// A heading that is wrong is wrong for all rows: none is taken.
func TestBadHeadings(t *testing.T) {
	t.Parallel()
	w := setup(t)
	for _, heading := range []string{
		"payment,amounts", "payment,payment", "payment,,full", "\"payment", "pay_1,100,EUR", strings.Repeat("x", batch.RowBytesMax+9),
	} {
		id := w.create(t, batch.Options{})
		_, err := w.clerk.Receive(t.Context(), w.meta(), id, batch.Upload{
			Format: batch.CSV, From: strings.NewReader(heading + "\npay_00000000000000000000000000,1\n"),
		})
		if fault.CodeOf(err) != fault.Invalid || strings.Contains(fmt.Sprint(err), "pay_1") {
			t.Errorf("%.20q: %v", heading, err)
		}
		if b := w.get(t, id); b.Received() != 0 {
			t.Errorf("%.20q: %d rows were taken", heading, b.Received())
		}
	}
}

// An upload that breaks off goes on where it was kept, and only there; a batch
// whose rows have not come whole is not started.
func TestUploadsGoOn(t *testing.T) {
	t.Parallel()
	w := setup(t)
	id := w.create(t, batch.Options{})
	var rows []string
	for range 1203 {
		rows = append(rows, `{`+some+`, "full": true}`)
	}
	text := strings.Join(rows[:1100], "\n") + "\n" + rows[1100][:20]
	var kept []int64
	_, err := w.clerk.Receive(t.Context(), w.meta(), id, batch.Upload{
		Format: batch.NDJSON, From: brokenReader{strings.NewReader(text)}, Kept: func(n int64) { kept = append(kept, n) },
	})
	if !errors.Is(err, wire.ErrBody) {
		t.Fatalf("a broken upload: %v", err)
	}
	if want := []int64{500, 1000, 1100}; !slices.Equal(kept, want) {
		t.Errorf("kept %v, want %v", kept, want)
	}
	if b := w.get(t, id); b.Received() != 1100 || b.Status != batch.Receiving {
		t.Errorf("%d rows, %s", b.Received(), b.Status)
	}
	if _, err := w.clerk.Start(t.Context(), w.meta(), id); fault.CodeOf(err) != fault.Conflict {
		t.Errorf("half a batch is started: %v", err)
	}
	for _, offset := range []int64{0, 1099, 1101} {
		if _, err := w.send(t, id, offset, rows[0]); fault.CodeOf(err) != fault.Conflict || !strings.Contains(err.Error(), "offset=1100") {
			t.Errorf("offset %d: %v", offset, err)
		}
	}
	b, err := w.send(t, id, 1100, rows[1100:]...)
	if err != nil || b.Received() != 1203 || b.Status != batch.Ready {
		t.Fatalf("the rest: %d rows, %s, %v", b.Received(), b.Status, err)
	}
	if b, err = w.send(t, id, 1203, rows[0]); err != nil || b.Received() != 1204 || b.Status != batch.Ready {
		t.Errorf("one more: %d rows, %s, %v", b.Received(), b.Status, err)
	}
	if _, err := w.clerk.Start(t.Context(), w.meta(), id); err != nil {
		t.Fatal(err)
	}
	if _, err := w.send(t, id, 1204, rows[0]); fault.CodeOf(err) != fault.Conflict {
		t.Errorf("a running batch takes rows: %v", err)
	}
	for number, row := range w.rows(t, id) {
		if row.Number != int64(number+1) {
			t.Fatalf("row %d has the number %d", number+1, row.Number)
		}
	}
	w.check(t, id)
}

// A key belongs to the first row that has it, in whichever upload that came.
func TestRowKeysAreUnique(t *testing.T) {
	t.Parallel()
	w := setup(t)
	keyed := func(key string) string { return `{` + some + `, "full": true, "key": "` + key + `"}` }
	id := w.create(t, batch.Options{}, keyed("a"), keyed("b"), keyed("a"), `{`+some+`, "key": "c"}`)
	if _, err := w.send(t, id, 4, keyed("b"), keyed("c"), keyed("d")); err != nil {
		t.Fatal(err)
	}
	want := "waiting waiting invalid invalid invalid waiting waiting"
	if got := w.statuses(t, id); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if row := w.rows(t, id)[4]; row.Key != "b" || row.Reason.Wrongs[0].Pointer != "#/key" {
		t.Errorf("%+v", row)
	}
	other := w.create(t, batch.Options{}, keyed("a"))
	if got := w.statuses(t, other); got != "waiting" {
		t.Errorf("a key of another batch: %s", got)
	}
	w.check(t, id)
}

// A batch takes so many rows and bytes, and no more; what it has taken stays.
func TestLimitsOfBatches(t *testing.T) {
	t.Parallel()
	w := setup(t)
	full := func(rows, bytes int64) batch.ID {
		made, _, err := w.clerk.Create(t.Context(), w.meta(), batch.Options{})
		if err != nil {
			t.Fatal(err)
		}
		err = w.store.ChangeBatch(t.Context(), w.tenant, made.ID, nil,
			func(_ *payment.Book, b batch.Batch, _ []batch.Row) (batch.Change, error) {
				b.Counts.Invalid, b.Bytes = rows, bytes
				b.Version++
				return batch.Change{Batch: b}, nil
			})
		if err != nil {
			t.Fatal(err)
		}
		return made.ID
	}
	row := `{` + some + `, "full": true}`
	id := full(batch.RowsMax-1, 0)
	if _, err := w.send(t, id, batch.RowsMax-1, row, row); fault.CodeOf(err) != fault.Invalid {
		t.Errorf("a row too many: %v", err)
	}
	if got := w.get(t, id).Received(); got != batch.RowsMax {
		t.Errorf("%d rows", got)
	}
	id = full(0, batch.BytesMax-int64(len(row)))
	if _, err := w.send(t, id, 0, row, row); fault.CodeOf(err) != fault.Invalid {
		t.Errorf("a byte too many: %v", err)
	}
	if got := w.get(t, id).Received(); got != 1 {
		t.Errorf("%d rows", got)
	}
}

// Whatever comes, and in whichever pieces: nothing breaks, no row is longer
// than a row may be, and rows that are there are found.
func TestAnythingCanBeSent(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		pieces := rapid.SliceOfN(rapid.SampledFrom([]string{
			"payment", "note", ",", "\"", "\n", "\r\n", " ", "x", "\xff", "\x00", "\ufeff", "{", "}", "[", "1", `{"note": "x"}`,
			strings.Repeat("y", 300<<10),
		}), 0, 12).Draw(t, "pieces")
		text := strings.Join(pieces, "")
		for _, format := range batch.Formats {
			whole, err := batch.Scan(strings.NewReader(text), format)
			again, errAgain := batch.Scan(iotest.OneByteReader(strings.NewReader(text)), format)
			if !slices.Equal(whole, again) || (err == nil) != (errAgain == nil) {
				t.Fatalf("%s in pieces is another: %.100q, %v; %.100q, %v", format, whole, err, again, errAgain)
			}
			for n := range whole {
				checkRest(t, text, format, int64(n), whole)
			}
			for _, row := range whole {
				if len(row) > batch.RowBytesMax*7 { // each byte may need an escape, as JSON has it
					t.Fatalf("%s: a row of %d bytes", format, len(row))
				}
				if format == batch.CSV && row != "" && !json.Valid([]byte(row)) {
					t.Fatalf("%s: %.100q is no JSON", format, row)
				}
			}
		}
	})
}

// checkRest fails the test unless what is left of a stream is the rows that follow.
func checkRest(t *rapid.T, text string, format batch.Format, n int64, whole []string) {
	t.Helper()
	if strings.HasPrefix(whole[n], "\ufeff") {
		return // it is taken for the beginning of a file
	}
	rest, err := batch.Rest(strings.NewReader(text), format, n)
	if err != nil {
		t.Fatalf("behind %d rows of %.100q: %v", n, text, err)
	}
	if rows, err := batch.Scan(rest, format); err != nil || !slices.Equal(rows, whole[n:]) {
		t.Fatalf("%s: behind %d rows: %.100q, want %.100q: %v", format, n, rows, whole[n:], err)
	}
}
