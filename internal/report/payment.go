package report

import (
	"context"
	"slices"
	"time"

	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/payment"
)

// payments has a row for each payment. Who paid, and for what, is left out.
var payments = define("payments", "A row for each payment that was made in the time, the newest first.", SpanRange,
	slices.Concat(
		[]column[payment.Payment]{
			named("id", "Of the payment.", func(p payment.Payment) payment.PaymentID { return p.ID }),
			text("reference", "What the merchant calls it.", func(p payment.Payment) string { return p.Reference }),
			named("order", "That it belongs to.", func(p payment.Payment) payment.OrderID { return p.Order }),
			word("home", "The front door that it was made at.", func(p payment.Payment) payment.Door { return p.Home }),
			text("connector", "Where its refunds go.", func(p payment.Payment) string { return p.Connector }),
			text("merchant", "Who took it.", func(p payment.Payment) string { return p.Merchant }),
			text("processor_ref", "The processor's id of it.", func(p payment.Payment) string { return p.ProcessorRef }),
			text("method", "What it was made with, as in card.", func(p payment.Payment) string { return p.Method.Type }),
			word("status", "As it is now.", func(p payment.Payment) payment.PaymentStatus { return p.Status }),
		},
		amount("amount", "What was agreed.", func(p payment.Payment) money.Amount { return p.Amount }),
		total("captured", "Taken.", func(t payment.Totals) money.Minor { return t.Captured }),
		total("refunded", "Given back.", func(t payment.Totals) money.Minor { return t.Refunded }),
		total("reserved", "Claimed by refunds on their way.", func(t payment.Totals) money.Minor { return t.Reserved }),
		total("disputed", "Taken by disputes.", func(t payment.Totals) money.Minor { return t.Disputed }),
		total("excess", "What facts from outside took beyond what was captured.", func(t payment.Totals) money.Minor {
			return t.Excess
		}),
		total("refundable", "What a refund may still ask for.", payment.Totals.Refundable),
		[]column[payment.Payment]{
			word("currency", "ISO 4217.", func(p payment.Payment) money.Currency { return p.Amount.Currency }),
			moment("created_at", "When it was made.", func(p payment.Payment) time.Time { return p.CreatedAt }),
			moment("captured_at", "When money was first taken.", func(p payment.Payment) time.Time { return p.CapturedAt() }),
			moment("updated_at", "When it last changed.", func(p payment.Payment) time.Time { return p.UpdatedAt }),
		},
	),
	func(ctx context.Context, q question, each func(payment.Payment) error) error {
		filter := payment.PaymentFilter{From: q.From, Until: q.last(), Limit: pageRows}
		return pages(ctx, func() ([]payment.View, error) {
			return q.reader.Payments(ctx, q.Tenant, filter)
		}, func(last payment.View) { filter.After = last.Payment.Place() }, func(page []payment.View) error {
			for _, view := range page {
				if err := each(view.Payment); err != nil {
					return err
				}
			}
			return nil
		})
	})

// total makes two columns of one of a payment's sums.
func total(name, doc string, of func(payment.Totals) money.Minor) []column[payment.Payment] {
	return amount(name, doc, func(p payment.Payment) money.Amount { return money.Of(of(p.Totals), p.Amount.Currency) })
}
