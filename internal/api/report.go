package api

import (
	"context"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/refundry/refundry/internal/auth"
	"github.com/refundry/refundry/internal/openapi"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/report"
)

// Report is a provider's report, as CSV in the provider's own form.
type Report struct {
	Doc     string
	Columns []string
	// Write writes it about what happened from one time until before another.
	Write func(ctx context.Context, tenant payment.TenantID, from, until time.Time, to io.Writer) error
}

const (
	reportDays         = 366 // in one report
	day                = 24 * time.Hour
	reportWriteTimeout = time.Minute // a caller that does not read is cut off
)

const mediaCSV = "text/csv"

func (a *API) reportOperations() []operation {
	return []operation{
		{
			method: "GET", path: "/v1/reports", id: "listReports", tag: tagReports, summary: "List the reports there are",
			doc:   "What each holds, its columns, in which formats it is written, and which parameters it takes.",
			scope: scopeReadReports, serve: a.listReports,
			answers: ok("Our own reports first, then those of providers.", all("ReportList", "reports", reportSchema)),
		},
		{
			method: "GET", path: "/v1/reports/{name}", id: "getReport", tag: tagReports, summary: "Write a report",
			doc: "About days in UTC, the last one included; yesterday, if none is named. It may be as long as it likes: it is " +
				"written while it is read. The connection is broken if it cannot be written to its end, so an answer that " +
				"ends as HTTP says is whole. A text of a CSV that a spreadsheet would take for a formula, because it begins " +
				"with one of `=`, `+`, `-`, `@`, a tab or a line's end, has an apostrophe before it; lines of JSON have texts " +
				"as they are.",
			scope: scopeReadReports, parameters: reportParameters, serve: a.getReport,
			answers: []openapi.Answer{{
				Status: http.StatusOK, Doc: "The report.", Headers: []openapi.Header{headerDisposition},
				Contents: []openapi.Content{
					{Media: mediaCSV, Schema: &openapi.Schema{Type: openapi.String}},
					{Media: mediaLines, Schema: linesOf(reportRow)},
				},
			}},
		},
	}
}

// reportSchema is what showReport writes.
var reportSchema = shown("Report", "A report that can be written.",
	must("name", someText, ""),
	must("holds", someText, "What it is about."),
	must("formats", listOf(reportFormat), ""),
	must("parameters", listOf(someText), "Which of `from` and `to` it takes."),
	must("columns", listOf(shown("ReportColumn", "A column of a report.",
		must("name", someText, ""),
		must("kind", someWord("ReportColumnKind", "What a column holds. `text` is somebody's words, `word` one of ours, "+
			"`number` is whole, `decimal` an amount in major units with the currency's decimals, `time` RFC 3339 in UTC.",
			report.Text, report.Word, report.Number, report.Decimal, report.Time, report.Flag), ""),
		may("doc", someText, ""),
	)), "In their order."),
)

var reportFormat = someWord("ReportFormat", "`csv` is RFC 4180, `ndjson` a line of JSON for each row.", report.Formats...)

// reportRow is a line of a report: its members are the columns.
var reportRow = shown("ReportRow", "A row of a report: its members are the report's columns. What is not there is null.")

// reportParameters are what getReport reads.
var reportParameters = []openapi.Parameter{
	{
		Name: "name", In: "path", Doc: "Of a report.", IsRequired: true, Example: "refunds",
		Schema: &openapi.Schema{Type: openapi.String},
	},
	inQuery("from", showing(reportTime, "2026-03-01"), "The first day, or a time from which on."),
	inQuery("to", showing(reportTime, "2026-03-31"), "The last day, or a time before which."),
	inQuery("format", reportFormat, "`csv` unless it is named."),
}

var reportTime = &openapi.Schema{
	Type: openapi.String, AnyOf: []*openapi.Schema{
		{Type: openapi.String, Format: "date"}, {Type: openapi.String, Format: "date-time"},
	},
}

var headerDisposition = openapi.Header{
	Name: "Content-Disposition", Doc: "A name for the file.", IsRequired: true, Schema: someText,
	Example: `attachment; filename="refunds_2026-03-01_2026-03-31.csv"`,
}

// listReports shows what reports there are.
func (a *API) listReports(w http.ResponseWriter, _ *http.Request, _ auth.Identity) error {
	all := slices.Clone(report.All)
	for _, name := range slices.Sorted(maps.Keys(a.config.Reports)) {
		of := a.config.Reports[name]
		provided := report.Report{Name: name, Doc: of.Doc, Span: report.SpanRange}
		for _, column := range of.Columns {
			provided.Columns = append(provided.Columns, report.Column{Name: column, Kind: report.Text})
		}
		all = append(all, provided)
	}
	list(w, "reports", all, func(to *writer, r report.Report) {
		formats := report.Formats
		if _, isProvided := a.config.Reports[r.Name]; isProvided {
			formats = []report.Format{report.CSV}
		}
		showReport(to, r, formats)
	})
	return nil
}

func showReport(w *writer, r report.Report, formats []report.Format) {
	w.begin("")
	w.string("name", r.Name)
	w.string("holds", r.Doc)
	w.any("formats", formats)
	w.any("parameters", r.Span.Parameters())
	w.beginList("columns")
	for _, column := range r.Columns {
		w.begin("")
		w.string("name", column.Name)
		w.string("kind", string(column.Kind))
		w.maybe("doc", column.Doc)
		w.end()
	}
	w.endList()
	w.end()
}

// asked is a report with what it was asked for.
type asked struct {
	file   string // its name
	media  string
	format report.Format
	write  func(ctx context.Context, to io.Writer) error
}

// getReport writes a report. One that fails on its way breaks the connection:
// half of one must not be taken for all.
func (a *API) getReport(w http.ResponseWriter, r *http.Request, caller auth.Identity) error {
	wanted, err := a.reportNamed(r.PathValue("name"), r.URL.Query(), caller.Tenant)
	if err != nil {
		return err
	}
	to := &reportWriter{
		to: w, control: http.NewResponseController(w), file: wanted.file + "." + string(wanted.format), media: wanted.media,
	}
	err = wanted.write(r.Context(), to)
	if err != nil && to.began {
		a.config.Log.ErrorContext(r.Context(), "report broken off", "error", err, "report", r.PathValue("name"))
		panic(http.ErrAbortHandler)
	}
	if err == nil {
		to.begin()
	}
	return err
}

// reportNamed reads what a report is asked for.
func (a *API) reportNamed(name string, query url.Values, tenant payment.TenantID) (*asked, error) {
	provided, isProvided := a.config.Reports[name]
	own, isOwn := report.Named(name)
	if !isOwn && !isProvided {
		return nil, payment.NoSuch("report")
	}
	q := &filters{query: query}
	format := report.Format(q.word("format", wordsOf(report.Formats...)...))
	span := report.SpanRange
	if isOwn {
		span = own.Span
	} else if format == report.NDJSON {
		q.wrong("format", "must be csv: the report is in the provider's own form")
	}
	from, until := q.days(span, a.config.Now())
	if q.err != nil {
		return nil, q.err
	}
	wanted := &asked{
		file: fileOf(name, span, from, until, a.config.Now()), media: mediaCSV + "; charset=utf-8", format: report.CSV,
	}
	if format == report.NDJSON {
		wanted.media, wanted.format = mediaLines, format
	}
	wanted.write = func(ctx context.Context, to io.Writer) error {
		if !isOwn {
			return provided.Write(ctx, tenant, from, until, to)
		}
		return own.Write(ctx, a.config.Rows, report.Ask{
			Tenant: tenant, From: from, Until: until, Now: a.config.Now(), Format: wanted.format,
		}, to)
	}
	return wanted, nil
}

// fileOf returns a name for a report's file, without its ending.
func fileOf(name string, span report.Span, from, until, now time.Time) string {
	if until.IsZero() {
		until = now
	}
	last := "_" + until.Add(-time.Nanosecond).Format(time.DateOnly)
	if span == report.SpanRange {
		return name + "_" + from.Format(time.DateOnly) + last
	}
	return name + last
}

// days reads what time a report is about: from one time until before another.
// What is not named follows from what is; nothing is named: yesterday.
func (q *filters) days(span report.Span, now time.Time) (from, until time.Time) {
	for _, name := range []string{"from", "to"} {
		if q.query.Has(name) && !slices.Contains(span.Parameters(), name) {
			q.wrong(name, "is no parameter of this report")
		}
	}
	from, until = q.edge("from", 0), q.edge("to", day)
	if span != report.SpanRange || q.err != nil {
		return from, until
	}
	switch {
	case from.IsZero() && until.IsZero():
		until = now.UTC().Truncate(day)
		from = until.Add(-day)
	case from.IsZero():
		from = until.Add(-time.Nanosecond).Truncate(day)
	case until.IsZero():
		until = from.Truncate(day).Add(day)
	}
	if !from.Before(until) || until.Sub(from) > reportDays*day {
		q.wrong("to", "must be from the first day up to a year later")
	}
	return from, until
}

// edge reads a day or a time. A day is its beginning, and what is added to that.
func (q *filters) edge(name string, ofDay time.Duration) time.Time {
	value := q.query.Get(name)
	if at, err := time.Parse(time.DateOnly, value); err == nil && !at.Before(earliest) && at.Before(latest) {
		return at.Add(ofDay)
	}
	at, err := timeParameter(q.query, name)
	if err != nil {
		q.wrong(name, "must be a day as in 2026-03-01, or a time as in 2026-03-01T12:00:00Z")
	}
	return at
}

// reportWriter begins the answer with the report's first bytes.
type reportWriter struct {
	to      http.ResponseWriter
	control *http.ResponseController
	file    string
	media   string
	began   bool
}

func (w *reportWriter) begin() {
	if !w.began {
		w.began = true
		w.to.Header().Set("Content-Type", w.media)
		w.to.Header().Set("Content-Disposition", `attachment; filename="`+strings.ReplaceAll(w.file, `"`, "")+`"`)
	}
}

// Write implements [io.Writer].
func (w *reportWriter) Write(text []byte) (int, error) {
	w.begin()
	_ = w.control.SetWriteDeadline(time.Now().Add(reportWriteTimeout)) //nolint:forbidigo // of the machine's own network
	return w.to.Write(text)
}
