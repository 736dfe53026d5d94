package api

import (
	"context"
	"io"
	"net/http"
	"time"

	"github.com/refundry/refundry/internal/auth"
	"github.com/refundry/refundry/internal/openapi"
	"github.com/refundry/refundry/internal/payment"
)

// Report writes a tenant's report, as CSV, about what happened from one time
// until before another.
type Report func(ctx context.Context, tenant payment.TenantID, from, until time.Time, to io.Writer) error

const (
	dateFormat = "2006-01-02"
	reportDays = 366 // in one report
	day        = 24 * time.Hour
)

const mediaCSV = "text/csv"

// reportParameters are what getReport reads.
var reportParameters = []openapi.Parameter{
	{
		Name: "name", In: "path", Doc: "Of a report.", IsRequired: true, Example: "smartglocal",
		Schema: &openapi.Schema{Type: openapi.String},
	},
	inQuery("from", &openapi.Schema{Type: openapi.String, Format: "date", Example: "2026-03-01"}, "The first day."),
	inQuery("to", &openapi.Schema{Type: openapi.String, Format: "date", Example: "2026-03-31"}, "The last day."),
}

var headerDisposition = openapi.Header{
	Name: "Content-Disposition", Doc: "A name for the file.", IsRequired: true, Schema: someText,
	Example: `attachment; filename="smartglocal_2026-03-01_2026-03-31.csv"`,
}

// getReport writes a report about some days (UTC), yesterday if none is named.
// A report that fails on its way breaks the connection: half of one must not
// be taken for all.
func (a *API) getReport(w http.ResponseWriter, r *http.Request, caller auth.Identity) error {
	name := r.PathValue("name")
	report, known := a.config.Reports[name]
	if !known {
		return payment.NoSuch("report")
	}
	from, last, err := a.reportDays(r)
	if err != nil {
		return err
	}
	_ = http.NewResponseController(w).SetWriteDeadline(time.Time{}) // a report may be long
	to := &reportWriter{
		to: w, file: name + "_" + from.Format(dateFormat) + "_" + last.Format(dateFormat) + ".csv",
	}
	err = report(r.Context(), caller.Tenant, from, last.Add(day), to)
	if err != nil && to.began {
		a.config.Log.ErrorContext(r.Context(), "report broken off", "error", err, "report", name)
		panic(http.ErrAbortHandler)
	}
	if err == nil {
		to.begin()
	}
	return err
}

// reportDays reads the first and the last day of a report.
func (a *API) reportDays(r *http.Request) (from, last time.Time, err error) {
	query := r.URL.Query()
	from = a.config.Now().UTC().Truncate(day).Add(-day)
	if text := query.Get("from"); text != "" {
		if from, err = time.Parse(dateFormat, text); err != nil {
			return from, last, wrongParameter("from", "must be a day as in 2026-03-01")
		}
	}
	last = from
	if text := query.Get("to"); text != "" {
		if last, err = time.Parse(dateFormat, text); err != nil {
			return from, last, wrongParameter("to", "must be a day as in 2026-03-01")
		}
	}
	if last.Before(from) || last.Sub(from) >= reportDays*day {
		return from, last, wrongParameter("to", "must be from the first day up to a year later")
	}
	return from, last, nil
}

// reportWriter begins the answer with the report's first bytes.
type reportWriter struct {
	to    http.ResponseWriter
	file  string
	began bool
}

func (w *reportWriter) begin() {
	if !w.began {
		w.began = true
		w.to.Header().Set("Content-Type", mediaCSV+"; charset=utf-8")
		w.to.Header().Set("Content-Disposition", `attachment; filename="`+w.file+`"`)
	}
}

// Write implements [io.Writer].
func (w *reportWriter) Write(text []byte) (int, error) {
	w.begin()
	return w.to.Write(text)
}
