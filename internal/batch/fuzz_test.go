package batch_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/refundry/refundry/internal/batch"
)

// Lines of JSON are read as they stand, one by one, whatever is in them; and an
// upload that goes on behind some of them sends the others.
func FuzzScanNDJSON(f *testing.F) {
	for _, text := range []string{
		"", "\n", "{}\n{}", "\ufeff{}\r\n\r\n {\"a\": 1}\t\n", "x\x00\n\xff", "\r\r\n\ufeff", strings.Repeat("x", batch.RowBytesMax+1) + "\ny",
		strings.Repeat("x", batch.RowBytesMax) + "\r\ny",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		rows, err := batch.Scan(strings.NewReader(text), batch.NDJSON)
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		var want []string
		for line := range strings.SplitSeq(strings.TrimPrefix(text, "\ufeff"), "\n") {
			switch line = string(bytes.TrimSpace([]byte(line))); {
			case len(line) > batch.RowBytesMax:
				want = append(want, "")
			case line != "":
				want = append(want, line)
			}
		}
		if len(text) < batch.RowBytesMax && !slices.Equal(rows, want) {
			t.Errorf("%q is read as %q, want %q", text, rows, want)
		}
		checkRestOf(t, text, batch.NDJSON, rows)
	})
}

// Rows of CSV are what encoding/csv reads of the whole, each a JSON object whose
// members are the cells that are not empty, and whose texts are as they stand.
func FuzzScanCSV(f *testing.F) {
	for _, text := range []string{
		"", "payment", "payment,amount\np,1\n", "\ufeffpayment, note \r\n\"a\"\"b\",\"c\nd\"\n\n,\n", "payment,full\np,true\np,yes\np,true,x\n",
		"payment,note\np,\xff\np,b\n", "payment,note\n\"p,b\n", "payment,note\na\"b,c\np,d\n", "payment,payment\n", "nonsense\n", "\"payment\nx\"\n",
		"payment,metadata,items\np,\"{\"\"a\"\": 1}\",[\np,1e400,[]\np, {} ,null\n", "payment,amount\np,-0\np,01\np,1.0\np,99999999999999999999\n",
		"payment,note\np,\"\x00\u2028\"\n", "payment,note\r\np,\"a\r\nb\"\r\n", "\"\"\n", "payment\n\"\"\n",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		rows, err := batch.Scan(strings.NewReader(text), batch.CSV)
		if err != nil && len(rows) > 0 {
			t.Errorf("%q: %q beside %v", text, rows, err)
		}
		if err == nil {
			checkRestOf(t, text, batch.CSV, rows)
		}
		reader := csv.NewReader(strings.NewReader(strings.TrimPrefix(text, "\ufeff")))
		reader.FieldsPerRecord = -1
		want, wantErr := reader.ReadAll()
		if err != nil || wantErr != nil || len(want) == 0 || strings.Contains(text, "\r") || len(text) > batch.RowBytesMax {
			return
		}
		heading, want := want[0], want[1:]
		if len(rows) != len(want) {
			t.Fatalf("%q has %d rows, want %d: %q", text, len(rows), len(want), rows)
		}
		for i, cells := range want {
			isBad := len(cells) > len(heading) || !utf8.ValidString(strings.Join(cells, ""))
			if isBad != (rows[i] == "") {
				t.Errorf("%q is read as %q", cells, rows[i])
			}
			if !isBad {
				checkRow(t, heading, cells, rows[i])
			}
		}
	})
}

// checkRow checks that a row says what its cells say, and no more.
func checkRow(t *testing.T, heading, cells []string, row string) {
	t.Helper()
	var members map[string]json.RawMessage
	if err := json.Unmarshal([]byte(row), &members); err != nil {
		t.Fatalf("%q is read as %q: %v", cells, row, err)
	}
	count := 0
	for i, cell := range cells {
		if cell == "" {
			continue
		}
		count++
		raw := members[strings.TrimSpace(heading[i])]
		var text string
		isText := json.Unmarshal(raw, &text) == nil && bytes.HasPrefix(raw, []byte{'"'})
		if said := string(bytes.TrimSpace([]byte(cell))); (!isText || text != cell) && string(raw) != said {
			t.Errorf("%q is read as %s", cell, raw)
		}
	}
	if len(members) != count {
		t.Errorf("%q is read as %q", cells, row)
	}
}

// checkRestOf checks that what comes behind each row is the rest.
func checkRestOf(t *testing.T, text string, format batch.Format, rows []string) {
	t.Helper()
	if strings.LastIndex(text, "\ufeff") > 0 { // where an upload begins, it is taken for what programs put before a text
		return
	}
	for n := range min(len(rows), 20) + 1 {
		from, err := batch.Rest(strings.NewReader(text), format, int64(n))
		if err != nil {
			t.Fatalf("%q behind %d: %v", text, n, err)
		}
		if rest, err := batch.Scan(from, format); err != nil || !slices.Equal(rest, rows[n:]) {
			t.Errorf("%q behind %d of %q: %q, %v", text, n, rows, rest, err)
		}
	}
	if _, err := batch.Rest(strings.NewReader(text), format, int64(len(rows)+1)); err == nil {
		t.Errorf("%q has more than %d rows: %v", text, len(rows), err)
	}
}
