// Package report writes reports: what a tenant has, as rows of named columns,
// in CSV or as lines of JSON.
//
// Rows are read in pages and written as they are read, so that a report may be
// as long as it likes. Where rows are summed up, the sums are kept, never the
// rows. A report that fails on its way returns an error: who sends it must not
// let half of one be taken for all.
package report

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/refundry/refundry/internal/fault"
	"github.com/refundry/refundry/internal/ledger"
	"github.com/refundry/refundry/internal/payment"
)

// Reader reads what reports are about. Stores implement it.
type Reader interface {
	ListRefunds(ctx context.Context, tenant payment.TenantID, filter payment.RefundFilter) ([]payment.Refund, error)
	ListDisputes(ctx context.Context, tenant payment.TenantID, filter payment.DisputeFilter) ([]payment.Dispute, error)
	ListEntries(ctx context.Context, tenant payment.TenantID, filter payment.EntryFilter) ([]payment.BookedEntry, error)
	Payments(ctx context.Context, tenant payment.TenantID, filter payment.PaymentFilter) ([]payment.View, error)
	NamedPayments(ctx context.Context, tenant payment.TenantID, ids []payment.PaymentID) ([]payment.Payment, error)
	Balances(ctx context.Context, tenant payment.TenantID, at time.Time) (ledger.Balances, error)
}

const (
	pageRows  = 500     // read at a time
	groupsMax = 100_000 // rows of a report that sums up: each is kept in memory
	writeSize = 32 << 10
)

// Format is how a report is written.
type Format string

// The formats.
const (
	CSV    Format = "csv"
	NDJSON Format = "ndjson"
)

// Formats lists every format.
var Formats = []Format{CSV, NDJSON}

// Kind is what a column holds.
type Kind string

// The kinds of column.
const (
	Text    Kind = "text"    // somebody's words: guarded in CSV, see [guarded]
	Word    Kind = "word"    // an id, a status, a code: ours
	Number  Kind = "number"  // whole
	Decimal Kind = "decimal" // an amount in major units, with the currency's decimals
	Time    Kind = "time"    // RFC 3339, UTC, with microseconds
	Flag    Kind = "flag"    // true or false
)

// Column is a column of a report.
type Column struct {
	Name string
	Kind Kind
	Doc  string
}

// Span says which times a report can be asked about.
type Span string

// The spans.
const (
	SpanNone  Span = ""         // it is about now
	SpanRange Span = "from, to" // from one time until before another
	SpanEnd   Span = "to"       // as of a time
)

// Parameters names what says the time.
func (s Span) Parameters() []string {
	if s == SpanNone {
		return []string{}
	}
	return strings.Split(string(s), ", ")
}

// Report is a report that can be written.
type Report struct {
	Name    string
	Doc     string
	Span    Span
	Columns []Column

	rows func(ctx context.Context, q question, to *sheet) error
}

// All lists every report, in the order in which they are shown.
var All = []Report{refunds, payments, disputes, postings, balances, reasons, ageing, daily}

// Named returns a report by its name.
func Named(name string) (Report, bool) {
	for _, report := range All {
		if report.Name == name {
			return report, true
		}
	}
	return Report{}, false
}

// Ask is what a report is asked for.
type Ask struct {
	Tenant payment.TenantID
	From   time.Time // of what happened at this time or later
	Until  time.Time // and before this; zero: until now, or of all
	Now    time.Time
	Format Format
}

// question is an [Ask] with who answers it.
type question struct {
	Ask

	reader Reader
}

// last is the last moment that the question is about; zero: there is none.
func (q question) last() time.Time {
	if q.Until.IsZero() {
		return time.Time{}
	}
	return q.Until.Add(-time.Microsecond) // stores keep microseconds
}

// Write writes the report. Nothing is written if an error comes before the
// first rows.
func (r Report) Write(ctx context.Context, reader Reader, ask Ask, to io.Writer) error {
	buffer := bufio.NewWriterSize(to, writeSize)
	sheet := &sheet{to: buffer, format: ask.Format, columns: r.Columns}
	if err := sheet.header(); err != nil {
		return err
	}
	if err := r.rows(ctx, question{ask, reader}, sheet); err != nil {
		return fmt.Errorf("report %s: %w", r.Name, err)
	}
	return buffer.Flush()
}

// column is a column of rows of a type.
type column[T any] struct {
	Column

	cell func(T) string // empty: there is nothing
}

// define makes a report of its rows and columns.
func define[T any](name, doc string, span Span, columns []column[T],
	rows func(ctx context.Context, q question, each func(T) error) error,
) Report {
	report := Report{Name: name, Doc: doc, Span: span}
	for _, c := range columns {
		report.Columns = append(report.Columns, c.Column)
	}
	report.rows = func(ctx context.Context, q question, to *sheet) error {
		cells := make([]string, len(columns))
		return rows(ctx, q, func(row T) error {
			for i, c := range columns {
				cells[i] = c.cell(row)
			}
			return to.row(cells)
		})
	}
	return report
}

// errTooMany is told before anything was written.
var errTooMany = fault.New(fault.Invalid, "there are more than %d rows to sum up: ask about fewer days", groupsMax)
