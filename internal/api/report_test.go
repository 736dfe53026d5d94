package api_test

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/refundry/refundry/internal/api"
	"github.com/refundry/refundry/internal/fault"
	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/report"
	"github.com/refundry/refundry/internal/store/sqlite"
)

func goodReport(_ context.Context, _ payment.TenantID, from, until time.Time, to io.Writer) error {
	_, err := fmt.Fprintf(to, "from,until\n%s,%s\n", from.Format(time.RFC3339), until.Format(time.RFC3339))
	return err
}

func badReport(context.Context, payment.TenantID, time.Time, time.Time, io.Writer) error {
	return fault.New(fault.Unavailable, "not now")
}

func brokenReport(_ context.Context, _ payment.TenantID, _, _ time.Time, to io.Writer) error {
	_, _ = io.WriteString(to, "from,until\n")
	return fault.New(fault.Unavailable, "not now")
}

func TestReportsAreAboutDays(t *testing.T) {
	t.Parallel()
	w := setup(t)
	for query, want := range map[string]string{
		"":                               "from,until\n2026-02-28T00:00:00Z,2026-03-01T00:00:00Z\n",
		"?from=2026-01-05":               "from,until\n2026-01-05T00:00:00Z,2026-01-06T00:00:00Z\n",
		"?from=2026-01-05&to=2026-01-31": "from,until\n2026-01-05T00:00:00Z,2026-02-01T00:00:00Z\n",
	} {
		if got := w.operate(t, "GET", "/v1/reports/good"+query, "").want(t, 200); got.text != want {
			t.Errorf("%s: got %s, want %s", query, got.text, want)
		}
	}
	for _, query := range []string{"?from=x", "?to=x", "?from=2026-01-05&to=2026-01-04", "?from=2020-01-01&to=2026-01-01"} {
		w.operate(t, "GET", "/v1/reports/good"+query, "").wantCode(t, 422, "invalid_request")
	}
	w.operate(t, "GET", "/v1/reports/nonsense", "").wantCode(t, 404, "not_found")
	w.operate(t, "GET", "/v1/reports/bad", "").wantCode(t, 503, "unavailable")
}

// Half of a report is not taken for all of it.
func TestBrokenReportBreaksTheConnection(t *testing.T) {
	t.Parallel()
	w := setup(t)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.operator.URL+"/v1/reports/broken", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Refundry-Tenant", "shop")
	got, err := w.operator.Client().Do(r)
	if err != nil {
		return // nothing came at all
	}
	defer func() { _ = got.Body.Close() }()
	if text, err := io.ReadAll(got.Body); err == nil {
		t.Errorf("got all of %q", text)
	}
}

// half is a store that is lost after the first page of refunds.
type half struct {
	*sqlite.Store

	at time.Time
}

// ListRefunds implements [report.Reader].
func (h half) ListRefunds(ctx context.Context, tenant payment.TenantID, filter payment.RefundFilter) ([]payment.Refund, error) {
	if filter.After != (payment.Place{}) {
		return nil, fault.New(fault.Unavailable, "not now")
	}
	return slices.Repeat([]payment.Refund{{CreatedAt: h.at, Amount: money.Of(1, "EUR"), Reason: strings.Repeat("x", 250)}}, filter.Limit), nil
}

// A report of ours that loses its database on the way does not look whole; one
// that has written nothing says what is wrong.
func TestBrokenRowsBreakTheConnection(t *testing.T) {
	t.Parallel()
	w := setup(t)
	a := api.New(api.Config{Auth: w.auth, Rows: half{w.store, w.now()}, Now: w.now, Log: slog.New(slog.NewJSONHandler(w.log, nil))})
	w.serve(t, a)
	for _, format := range []string{"csv", "ndjson"} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.server.URL+"/v1/reports/refunds?format="+format, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+w.key)
		got, err := w.server.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(got.Body)
		if err == nil || got.StatusCode != http.StatusOK || len(text) == 0 {
			t.Errorf("got all of %d bytes: %d, %v", len(text), got.StatusCode, err)
		}
		_ = got.Body.Close()
	}
	w.call(t, "GET", "/v1/reports/reasons", "").wantCode(t, 503, "unavailable")
	if !strings.Contains(w.log.String(), "report broken off") {
		t.Errorf("the log says nothing of it: %s", w.log)
	}
}

func TestWrongQuestionsForReportsAreRefused(t *testing.T) {
	t.Parallel()
	w := setup(t)
	for query, parameter := range map[string]string{
		"refunds?from=x": "from", "refunds?to=2026-02-30": "to", "refunds?from=1989-01-01": "from", "refunds?to=2026-03-01T12:00": "to",
		"refunds?from=2026-03-02&to=2026-03-01": "to", "refunds?from=2025-01-01&to=2026-03-01": "to",
		"refunds?from=2026-03-01T12:00:00Z&to=2026-03-01T12:00:00Z": "to", "refunds?format=xlsx": "format",
		"balances?from=2026-03-01": "from", "ageing?to=2026-03-01": "to", "ageing?from=": "from", "smartglocal?format=ndjson": "format",
		"refunds?until=2026-03-01": "",
	} {
		got := w.call(t, "GET", "/v1/reports/"+query, "").wantCode(t, 422, "invalid_request")
		if parameter != "" && !strings.Contains(got.text, `"parameter":"`+parameter+`"`) {
			t.Errorf("%s: it is not said that %s is wrong: %s", query, parameter, got.text)
		}
	}
	w.call(t, "GET", "/v1/reports/nonsense", "").wantCode(t, 404, "not_found")
}

// Reports say when they are about: each names its file, and one of an empty time
// has its columns and no rows.
func TestReportsOfOwnAreAboutTimes(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.call(t, "POST", "/v1/refunds", refundOf(w.capture(t, "1000"), 300)).want(t, 201) // at noon
	for query, want := range map[string]struct {
		file string
		rows int
	}{
		"refunds": {"refunds_2026-02-28_2026-02-28.csv", 0}, "refunds?from=2026-03-01": {"refunds_2026-03-01_2026-03-01.csv", 1},
		"refunds?to=2026-03-01":                                  {"refunds_2026-03-01_2026-03-01.csv", 1},
		"refunds?from=2025-03-01&to=2026-02-28":                  {"refunds_2025-03-01_2026-02-28.csv", 0},
		"refunds?from=2026-02-01&to=2026-03-02":                  {"refunds_2026-02-01_2026-03-02.csv", 1},
		"refunds?from=2026-02-01&to=2026-03-01T12:00:00Z":        {"refunds_2026-02-01_2026-03-01.csv", 0},
		"refunds?from=2026-03-01T12:00:00Z":                      {"refunds_2026-03-01_2026-03-01.csv", 1},
		"refunds?from=2026-03-01T12:00:01Z":                      {"refunds_2026-03-01_2026-03-01.csv", 0},
		"ledger?from=2026-03-01":                                 {"ledger_2026-03-01_2026-03-01.csv", 2},
		"daily?from=2026-03-01":                                  {"daily_2026-03-01_2026-03-01.csv", 1},
		"daily":                                                  {"daily_2026-02-28_2026-02-28.csv", 0},
		"balances":                                               {"balances_2026-03-01.csv", 3},
		"balances?to=2026-02-28":                                 {"balances_2026-02-28.csv", 0},
		"balances?to=2026-03-01":                                 {"balances_2026-03-01.csv", 3},
		"ageing":                                                 {"ageing_2026-03-01.csv", 1},
		"payments?from=2026-03-01":                               {"payments_2026-03-01_2026-03-01.csv", 1},
		"disputes?from=2026-03-01":                               {"disputes_2026-03-01_2026-03-01.csv", 0},
		"reasons?from=2026-03-01T00:00:00%2B02:00&to=2026-03-01": {"reasons_2026-02-28_2026-03-01.csv", 1},
	} {
		got := w.call(t, "GET", "/v1/reports/"+query, "").want(t, 200)
		name, _, _ := strings.Cut(query, "?")
		if rows := strings.Count(got.text, "\r\n") - 1; rows != want.rows {
			t.Errorf("%s: %d rows, want %d: %s", query, rows, want.rows, got.text)
		}
		if file := got.header.Get("Content-Disposition"); file != `attachment; filename="`+want.file+`"` {
			t.Errorf("%s is called %s, want %s", query, file, want.file)
		}
		if of, _ := report.Named(name); !strings.HasPrefix(got.text, of.Columns[0].Name+",") {
			t.Errorf("%s begins with %s", query, got.text)
		}
		if got.header.Get("Content-Type") != "text/csv; charset=utf-8" {
			t.Errorf("%s is %s", query, got.header.Get("Content-Type"))
		}
	}
}

// From outside, on both stores: what merchants have called things reaches
// spreadsheets as texts, and programs as it was.
func TestReportsCarryHostileTexts(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		of := w.capture(t, "100000")
		names := []string{"plain", "=HYPERLINK(\"http://a.example\",\"x\")", "a,b", "say \"hi\"", "two\r\nlines", "+1", "-1", "@x", "\tx", "ünï"}
		for n, name := range names {
			body, err := json.Marshal(map[string]any{
				"payment": of, "amount": 100 + n, "currency": "EUR", "reference": name, "reason": name, "note": "private words",
				"message": "private words", "metadata": map[string]string{"a": "private words"},
			})
			if err != nil {
				t.Fatal(err)
			}
			w.call(t, "POST", "/v1/refunds", string(body)).want(t, 201)
		}
		today := "from=" + w.now().Add(-24*time.Hour).UTC().Format(time.DateOnly) + "&to=" + w.now().Add(24*time.Hour).UTC().Format(time.DateOnly)
		asCSV := w.call(t, "GET", "/v1/reports/refunds?"+today, "").want(t, 200).text
		asLines := w.call(t, "GET", "/v1/reports/refunds?format=ndjson&"+today, "").want(t, 200).text
		rows, err := csv.NewReader(strings.NewReader(asCSV)).ReadAll()
		if err != nil || len(rows) != len(names)+1 {
			t.Fatalf("%d rows: %v", len(rows), err)
		}
		if strings.Contains(asCSV+asLines, "private words") {
			t.Errorf("private words are in %s", asCSV)
		}
		at := slices.Index(rows[0], "reference")
		for n, line := range strings.Split(strings.TrimSpace(asLines), "\n") {
			var row map[string]any
			if err := json.Unmarshal([]byte(line), &row); err != nil {
				t.Fatal(err)
			}
			want := names[len(names)-1-n] // the newest first
			inCSV := strings.ReplaceAll(want, "\r\n", "\n")
			if strings.ContainsAny(want[:1], "=+-@\t") {
				inCSV = "'" + want
			}
			if row["reference"] != want || row["reason"] != want || rows[n+1][at] != inCSV {
				t.Errorf("%q is %q in JSON and %q in CSV", want, row["reference"], rows[n+1][at])
			}
			if row["amount_minor"] != float64(100+len(names)-1-n) || row["amount"] != fmt.Sprintf("1.%02d", len(names)-1-n) {
				t.Errorf("amounts %v and %v", row["amount_minor"], row["amount"])
			}
		}
		strange := send(t, w.server, "GET", "/v1/reports/refunds?"+today, "", "Authorization: Bearer "+w.stranger).want(t, 200)
		if strings.Count(strange.text, "\r\n") != 1 {
			t.Errorf("a stranger gets %s", strange.text)
		}
	})
}

// The list says of every report what it is written with.
func TestReportsAreListed(t *testing.T) {
	t.Parallel()
	w := setup(t)
	var list struct {
		Reports []struct {
			Name, Holds         string
			Formats, Parameters []string
			Columns             []struct{ Name, Kind string }
		}
	}
	if err := json.Unmarshal([]byte(w.call(t, "GET", "/v1/reports", "").want(t, 200).text), &list); err != nil {
		t.Fatal(err)
	}
	if len(list.Reports) != len(report.All)+4 {
		t.Errorf("%d reports", len(list.Reports))
	}
	for _, r := range list.Reports[:len(report.All)] {
		got := w.call(t, "GET", "/v1/reports/"+r.Name, "").want(t, 200)
		var names []string
		for _, column := range r.Columns {
			names = append(names, column.Name)
		}
		if header, _, _ := strings.Cut(got.text, "\r\n"); header != strings.Join(names, ",") || r.Holds == "" || len(r.Formats) != 2 {
			t.Errorf("%+v begins with %s", r, header)
		}
	}
}
