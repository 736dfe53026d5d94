package smartglocal_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/refundry/refundry/internal/dialect/smartglocal"
	"github.com/refundry/refundry/internal/payment"
)

// watchedFeed remembers from where it was read.
type watchedFeed struct {
	smartglocal.ReportFeed

	from []payment.Cursor
}

func (f *watchedFeed) Events(ctx context.Context, t payment.TenantID, after payment.Cursor, limit int,
) ([]payment.FeedEvent, error) {
	f.from = append(f.from, after)
	return f.ReportFeed.Events(ctx, t, after, limit)
}

// report writes the report of a day after the beginning.
func (w *world) report(ctx context.Context, feed smartglocal.ReportFeed, tenant payment.TenantID, day int) ([][]string, error) {
	w.t.Helper()
	from := began.Truncate(24*time.Hour).AddDate(0, 0, day)
	var text bytes.Buffer
	write := w.door.Report(smartglocal.SmartGlocal, feed)
	if err := write(ctx, tenant, from, from.AddDate(0, 0, 1), &text); err != nil {
		return nil, err
	}
	rows, err := csv.NewReader(&text).ReadAll()
	if err != nil || len(rows) == 0 || !slices.Equal(rows[0], smartglocal.ReportColumns) {
		w.t.Fatalf("rows %q: %v", rows, err)
	}
	return rows[1:], nil
}

// A report begins where its day does, and reads a payment of the door once, and
// none that has nothing to do with it.
func TestReportReadsWhatItIsAbout(t *testing.T) {
	t.Parallel()
	w := setup(t, smartglocal.SmartGlocal)
	w.paid(smartglocal.SmartGlocal)
	w.pass(24 * time.Hour)
	for range 3 {
		w.elsewhere(nil)
	}
	session := w.paid(smartglocal.SmartGlocal)
	w.call(smartglocal.SmartGlocal, "session/refund", partOf(smartglocal.SmartGlocal, session, 100))
	w.end(w.paymentOf(session), payment.AttemptSucceeded)
	feed := &watchedFeed{ReportFeed: w.store}
	before := w.reader.count.Load()
	rows, err := w.report(t.Context(), feed, w.tenant, 1)
	if err != nil || len(rows) != 2 || rows[0][3] != "Advice" || rows[1][3] != "Refund" || rows[1][1] != session {
		t.Fatalf("rows %q: %v", rows, err)
	}
	if got := w.reader.count.Load() - before; got != 1 {
		t.Errorf("%d views were read, want 1", got)
	}
	if len(feed.from) != 1 || feed.from[0].Commit < 2 {
		t.Errorf("the feed was read from %v", feed.from)
	}
	if rows, err := w.report(t.Context(), feed, w.tenant, 0); err != nil || len(rows) != 1 {
		t.Errorf("the first day has %q: %v", rows, err)
	}
	if rows, err := w.report(t.Context(), feed, w.newTenant("another"), 1); err != nil || len(rows) != 0 {
		t.Errorf("a tenant without a project has %q: %v", rows, err)
	}
}

// A report ends when nobody waits for it any more.
func TestReportEndsWhenItsCallerHasGone(t *testing.T) {
	t.Parallel()
	w := setup(t, smartglocal.SmartGlocal)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	feed := &watchedFeed{ReportFeed: w.store}
	if _, err := w.report(ctx, feed, w.tenant, 0); !errors.Is(err, context.Canceled) || len(feed.from) != 0 {
		t.Errorf("read from %v: %v", feed.from, err)
	}
}

// longFeed has one whole page of events that no report is about.
type longFeed struct {
	smartglocal.ReportFeed

	asked []payment.Cursor
}

func (f *longFeed) Events(_ context.Context, _ payment.TenantID, after payment.Cursor, limit int) ([]payment.FeedEvent, error) {
	if f.asked = append(f.asked, after); len(f.asked) > 1 {
		return nil, nil
	}
	page := make([]payment.FeedEvent, limit)
	for i := range page {
		page[i].Cursor = payment.Cursor{Commit: int64(100 + i)}
		page[i].Kind = payment.EventRefundSubmitted
	}
	return page, nil
}

// A report goes on behind the last event of a page, also where none of the page
// is in it.
func TestReportGoesOnBehindAPage(t *testing.T) {
	t.Parallel()
	w := setup(t, smartglocal.SmartGlocal)
	feed := &longFeed{ReportFeed: w.store}
	if _, err := w.report(t.Context(), feed, w.tenant, 0); err != nil {
		t.Fatal(err)
	}
	if len(feed.asked) != 2 || feed.asked[1].Commit < 1000 {
		t.Errorf("the feed was read behind %v", feed.asked)
	}
}
