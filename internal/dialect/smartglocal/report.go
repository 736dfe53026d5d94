package smartglocal

import (
	"context"
	"encoding/csv"
	"io"
	"strings"
	"time"

	"github.com/refundry/refundry/internal/payment"
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
	"refund.succeeded":         "Refund",
	payment.EventRefundAdopted: "Refund",
	"dispute.open":             "Chargeback",
}

const (
	reportPage       = 1000
	reportTimeLayout = "2006-01-02 15:04:05"
)

// Report returns what writes a brand's payments report: successful operations
// from one time until before another, as CSV. Amounts are decimal major units;
// what was given back has a negative settlement (C25).
func (d *Door) Report(brand Brand, feed payment.Feed,
) func(ctx context.Context, tenant payment.TenantID, from, until time.Time, to io.Writer) error {
	return func(ctx context.Context, tenant payment.TenantID, from, until time.Time, to io.Writer) error {
		rows := csv.NewWriter(to)
		if err := rows.Write(ReportColumns); err != nil {
			return err
		}
		project, err := d.config.Auth.CredentialWhere(ctx, tenant, KindProject, isOf(brand))
		if err != nil {
			return err
		}
		var after payment.Cursor
		for {
			events, err := feed.Events(ctx, tenant, after, reportPage)
			if err != nil {
				return err
			}
			for _, event := range events {
				if err := d.reportEvent(ctx, rows, brand, project.Lookup, event.Event, from, until); err != nil {
					return err
				}
				after = event.Cursor
			}
			if len(events) < reportPage {
				rows.Flush()
				return rows.Error()
			}
		}
	}
}

// reportEvent writes the row of one event, if it is in the report.
func (d *Door) reportEvent(ctx context.Context, rows *csv.Writer, brand Brand, project string, event payment.Event,
	from, until time.Time,
) error {
	kind, ok := reportTypes[event.Kind]
	if !ok || event.At.Before(from) || !event.At.Before(until) {
		return nil
	}
	view, err := d.config.Reader.View(ctx, event.Tenant, event.Payment)
	if err != nil {
		return err
	}
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
	return rows.Write([]string{
		paid.ID, shown.ID, project, kind, amount.Major(), currency, "0", currency, sign + amount.Major(), currency,
		event.At.UTC().Format(reportTimeLayout), maskedCard(paid.PaymentDetails.Card), safeCell(view.Payment.Metadata), rrn,
	})
}

// maskedCard is a card's number as far as it is known.
func maskedCard(card cardShown) string {
	if card.Bin == "" {
		return "****" + card.Last4
	}
	return card.Bin + "******" + card.Last4
}

// safeCell keeps a spreadsheet from taking a merchant's text for a formula.
func safeCell(text string) string {
	text = strings.Trim(text, `"`)
	if text != "" && strings.ContainsAny(text[:1], "=+-@\t\r") {
		return "'" + text
	}
	return text
}
