package report

import (
	"context"
	"slices"
	"time"

	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/payment"
)

// disputeRow is a dispute beside its payment.
type disputeRow struct {
	payment.Dispute

	of payment.Payment
}

// in returns an amount in the dispute's currency.
func (d disputeRow) in(minor money.Minor) money.Amount { return money.Of(minor, d.Amount.Currency) }

func (d disputeRow) exposure() payment.Exposure { return payment.View{Payment: d.of}.Exposure() }

func (d disputeRow) endedAt() time.Time {
	if d.IsOpen() {
		return time.Time{}
	}
	return d.History.ReachedAt(d.Status)
}

// disputes has a row for each dispute.
var disputes = define("disputes", "A row for each dispute that was opened in the time, the newest first.", SpanRange,
	slices.Concat(
		[]column[disputeRow]{
			named("id", "Of the dispute.", func(d disputeRow) payment.DisputeID { return d.ID }),
			named("payment", "That is contested.", func(d disputeRow) payment.PaymentID { return d.Payment }),
			text("payment_reference", "What the merchant calls the payment.", func(d disputeRow) string {
				return d.of.Reference
			}),
			word("kind", "An inquiry takes nothing.", func(d disputeRow) payment.DisputeKind { return d.Kind }),
			word("status", "As it is now.", func(d disputeRow) payment.DisputeStatus { return d.Status }),
			text("reason", "Why the payer contests the payment.", func(d disputeRow) string { return d.Reason }),
			text("connector", "That told of it.", func(d disputeRow) string { return d.Connector }),
			text("processor_ref", "What the processor calls the case.", func(d disputeRow) string { return d.ProcessorRef }),
		},
		amount("amount", "What is contested.", func(d disputeRow) money.Amount { return d.Amount }),
		amount("double_loss", "What it took, when it opened, of what was given back or was on its way.",
			func(d disputeRow) money.Amount { return d.in(d.DoubleLoss) }),
		[]column[disputeRow]{
			flag("double_loss_risk", "It has a double loss, and is not won.", func(d disputeRow) bool {
				return d.IsDoubleLoss()
			}),
		},
		amount("exposure", "What of the payment is gone or may go now: refunded, reserved and disputed together.",
			func(d disputeRow) money.Amount { return d.in(d.exposure().Total) }),
		amount("exposed_twice", "What of that goes beyond what was taken, because a dispute took it too.",
			func(d disputeRow) money.Amount { return d.in(d.exposure().DoubleLoss) }),
		[]column[disputeRow]{
			word("currency", "ISO 4217.", func(d disputeRow) money.Currency { return d.Amount.Currency }),
			moment("created_at", "When it was opened.", func(d disputeRow) time.Time { return d.CreatedAt }),
			moment("ended_at", "When there was a verdict.", disputeRow.endedAt),
			moment("updated_at", "When it last changed.", func(d disputeRow) time.Time { return d.UpdatedAt }),
		},
	),
	func(ctx context.Context, q question, each func(disputeRow) error) error {
		filter := payment.DisputeFilter{From: q.From, Until: q.last(), Limit: pageRows}
		return pages(ctx, func() ([]payment.Dispute, error) {
			return q.reader.ListDisputes(ctx, q.Tenant, filter)
		}, func(last payment.Dispute) { filter.After = last.Place() }, func(page []payment.Dispute) error {
			of, err := paymentsOf(ctx, q, page, func(d payment.Dispute) payment.PaymentID { return d.Payment })
			if err != nil {
				return err
			}
			for _, d := range page {
				if err := each(disputeRow{d, of[d.Payment]}); err != nil {
					return err
				}
			}
			return nil
		})
	})
