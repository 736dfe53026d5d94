package smartglocal

import (
	"context"
	"encoding/csv"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/refundry/refundry/internal/fault"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/wire"
)

// ReportColumns are the columns of the daily payments report, section 8.
var ReportColumns = []string{
	"ID", "paymentSessionId", "Project name", "Type of payment", "Amount", "Currency amount", "Fee", "Currency fee",
	"Settlement", "Currency settlement", "Transaction date and time", "Card number", "paymentSessionMerchantMetadata",
	"RRN",
}

// reportTypes says which events are rows of the report, and of which type.
var reportTypes = map[payment.EventKind]string{
	"payment.captured":         "Advice",
	"refund.succeeded":         reportRefund,
	payment.EventRefundAdopted: reportRefund,
	"dispute.open":             "Chargeback",
}

const (
	reportRefund     = "Refund"
	reportPage       = 1000
	reportTimeLayout = "2006-01-02 15:04:05"
)

// ReportFeed is what reports are read from.
type ReportFeed interface {
	payment.Feed
	// CommitAt returns the number of the first commit at a time or later.
	CommitAt(ctx context.Context, at time.Time) (int64, error)
	// NamedPayments returns those of a tenant's payments that are named.
	NamedPayments(ctx context.Context, tenant payment.TenantID, ids []payment.PaymentID) ([]payment.Payment, error)
}

// Report returns what writes a brand's payments report: successful operations
// from one time until before another, as CSV. Amounts are decimal major units;
// what was given back has a negative settlement (C25). A tenant without a project
// of the brand has none.
func (d *Door) Report(brand Brand, feed ReportFeed,
) func(ctx context.Context, tenant payment.TenantID, from, until time.Time, to io.Writer) error {
	return func(ctx context.Context, tenant payment.TenantID, from, until time.Time, to io.Writer) error {
		r := &reporting{door: d, brand: brand, feed: feed, tenant: tenant, from: from, until: until, rows: csv.NewWriter(to)}
		if err := r.rows.Write(ReportColumns); err != nil {
			return err
		}
		project, err := d.config.Auth.CredentialWhere(ctx, tenant, KindProject, isOf(brand))
		switch {
		case err == nil:
			r.project = project.Lookup
			if err := r.all(ctx); err != nil {
				return err
			}
		case fault.CodeOf(err) != fault.NotFound:
			return err
		}
		r.rows.Flush()
		return r.rows.Error()
	}
}

// reporting is a report on its way.
type reporting struct {
	door        *Door
	brand       Brand
	feed        ReportFeed
	tenant      payment.TenantID
	project     string
	from, until time.Time
	rows        *csv.Writer
}

// all writes every row. No event is older than its commit, so it begins at the
// first commit of the time.
func (r *reporting) all(ctx context.Context) error {
	first, err := r.feed.CommitAt(ctx, r.from)
	if err != nil {
		return err
	}
	after := payment.Cursor{Commit: first - 1, Index: math.MaxInt32}
	for ctx.Err() == nil { // who asked may have gone
		events, err := r.feed.Events(ctx, r.tenant, after, reportPage)
		if err != nil {
			return err
		}
		if err := r.page(ctx, events); err != nil {
			return err
		}
		if len(events) < reportPage {
			return nil
		}
		after = events[len(events)-1].Cursor
	}
	return ctx.Err()
}

// page writes the rows of one page of the feed. A payment is read whole once,
// and only if something of it may have happened at this door.
func (r *reporting) page(ctx context.Context, events []payment.FeedEvent) error {
	events = slices.DeleteFunc(slices.Clone(events), r.isOutside) // the caller goes on behind the last of them
	if len(events) == 0 {
		return nil
	}
	ids := make([]payment.PaymentID, len(events))
	for i, event := range events {
		ids[i] = event.Payment
	}
	payments, err := r.feed.NamedPayments(ctx, r.tenant, ids)
	if err != nil {
		return err
	}
	isHome := map[payment.PaymentID]bool{}
	for _, p := range payments {
		isHome[p.ID] = p.Home == r.brand.Door()
	}
	views := map[payment.PaymentID]payment.View{}
	for _, event := range events {
		if !isHome[event.Payment] && reportTypes[event.Kind] != reportRefund {
			continue // a refund may have been asked for at another door than the payment's home
		}
		view, isRead := views[event.Payment]
		if !isRead {
			if view, err = r.door.config.Reader.View(ctx, r.tenant, event.Payment); err != nil {
				return err
			}
			views[event.Payment] = view
		}
		if err := r.row(event.Event, view); err != nil {
			return err
		}
	}
	return nil
}

// isOutside reports whether an event is of no kind that is reported, or of another time.
func (r *reporting) isOutside(event payment.FeedEvent) bool {
	return reportTypes[event.Kind] == "" || event.At.Before(r.from) || !event.At.Before(r.until)
}

// row writes the row of one event, if it happened at the brand's door.
func (r *reporting) row(event payment.Event, view payment.View) error {
	brand, kind := r.brand, reportTypes[event.Kind]
	amount, sign := view.Payment.Amount, ""
	amount.Minor = view.Payment.Captured
	door := view.Payment.Home
	if refund, ok := view.Refund(event.Subject); ok {
		amount, sign = refund.Amount, "-"
		if refund.Door == brand.Door() {
			door = refund.Door // a payment made elsewhere, refunded here
		}
	}
	if dispute, ok := view.Dispute(event.Subject); ok {
		if dispute.Kind == payment.DisputeInquiry {
			return nil
		}
		amount, sign = dispute.Amount, "-"
	}
	if door != brand.Door() {
		return nil
	}
	currency := string(amount.Currency)
	shown := shower{brand: brand, switches: choices[brand], tenant: &payment.Tenant{}}.session(view)
	paid := shown.PaymentsOfV1[0]
	var rrn string
	for _, reference := range view.Payment.References {
		if reference.Kind == "rrn" {
			rrn = reference.Value
		}
	}
	return r.rows.Write([]string{
		paid.ID, shown.ID, r.project, kind, amount.Major(), currency, "0", currency, sign + amount.Major(), currency,
		event.At.UTC().Format(reportTimeLayout), maskedCard(paid.PaymentDetails.Card),
		wire.Cell(strings.Trim(view.Payment.Metadata, `"`)), rrn,
	})
}

// maskedCard is a card's number as far as it is known.
func maskedCard(card cardShown) string {
	if card.Bin == "" {
		return "****" + card.Last4
	}
	return card.Bin + "******" + card.Last4
}
