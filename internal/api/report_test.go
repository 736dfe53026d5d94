package api_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/refundry/refundry/internal/fault"
	"github.com/refundry/refundry/internal/payment"
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
