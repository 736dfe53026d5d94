package report

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/payment"
)

// refundRow is a refund beside its payment.
type refundRow struct {
	payment.Refund

	of payment.Payment
}

// refunds has a row for each refund. What people wrote about it, notes and
// messages and metadata, is left out, and so is on whose behalf it was asked for.
var refunds = define("refunds", "A row for each refund that was asked for in the time, the newest first.", SpanRange,
	slices.Concat(
		[]column[refundRow]{
			named("id", "Of the refund.", func(r refundRow) payment.RefundID { return r.ID }),
			text("reference", "What the merchant calls it.", func(r refundRow) string { return r.Reference }),
			named("payment", "That it refers to.", func(r refundRow) payment.PaymentID { return r.Payment }),
			text("payment_reference", "What the merchant calls the payment.", func(r refundRow) string { return r.of.Reference }),
			named("order", "Of the payment.", func(r refundRow) payment.OrderID { return r.of.Order }),
			text("order_reference", "What the merchant calls the order.", func(r refundRow) string { return r.OrderReference }),
		},
		amount("amount", "How much.", func(r refundRow) money.Amount { return r.Amount }),
		[]column[refundRow]{
			word("currency", "ISO 4217.", func(r refundRow) money.Currency { return r.Amount.Currency }),
			word("status", "As it is now.", func(r refundRow) payment.RefundStatus { return r.Status }),
			word("pending_reason", "Why it has not ended.", func(r refundRow) payment.PendingReason { return r.PendingReason }),
			text("failure_code", "Why it did not happen.", func(r refundRow) string { return r.Failure.Code }),
			text("reason", "Why the money goes back, in the merchant's words.", func(r refundRow) string { return r.Reason }),
			word("source", "Where it came from.", func(r refundRow) payment.Source { return r.Source }),
			word("door", "The front door that asked for it.", func(r refundRow) payment.Door { return r.Door }),
			text("actor", "The key or operator that asked for it.", func(r refundRow) string { return r.Actor }),
			text("connector", "That carries it out.", func(r refundRow) string { return r.Connector }),
			moment("created_at", "When it was asked for.", func(r refundRow) time.Time { return r.CreatedAt }),
			moment("submitted_at", "When it left.", func(r refundRow) time.Time { return r.SubmittedAt }),
			moment("succeeded_at", "When it succeeded, though it may have come back later.", func(r refundRow) time.Time {
				return r.History.ReachedAt(payment.RefundSucceeded)
			}),
			moment("ended_at", "When it reached its outcome.", func(r refundRow) time.Time { return r.EndedAt() }),
			moment("expected_by", "When it should have arrived.", func(r refundRow) time.Time { return r.ExpectedBy }),
			flag("is_stuck", "It is on its way for longer than expected.", func(r refundRow) bool { return r.IsStuck() }),
			flag("needs_review", "Its outcome is not known, and a person must look.", func(r refundRow) bool {
				return r.NeedsReview()
			}),
			text("arn", "Acquirer reference number.", func(r refundRow) string { return r.referenced("arn") }),
			text("rrn", "Retrieval reference number.", func(r refundRow) string { return r.referenced("rrn") }),
			text("processor_ref", "The processor's id of it.", func(r refundRow) string { return r.ProcessorRef }),
			text("executed_as", "refund or void.", func(r refundRow) string { return r.ExecutedAs }),
			named("retry_of", "Which it gives back once more.", func(r refundRow) payment.RefundID { return r.RetryOf }),
			named("corrects", "Which was taken for failed, and had succeeded.", func(r refundRow) payment.RefundID {
				return r.Corrects
			}),
			named("group", "Of refunds that were opened together.", func(r refundRow) payment.GroupID { return r.Group }),
			named("capture", "Which it gives back.", func(r refundRow) payment.CaptureID { return r.Capture }),
			named("batch", "Which asked for it.", func(r refundRow) payment.BatchID { return r.Batch }),
		},
	),
	func(ctx context.Context, q question, each func(refundRow) error) error {
		return q.refunds(ctx, payment.RefundFilter{From: q.From, Until: q.last()}, func(page []payment.Refund) error {
			of, err := paymentsOf(ctx, q, page, func(r payment.Refund) payment.PaymentID { return r.Payment })
			if err != nil {
				return err
			}
			for _, r := range page {
				if err := each(refundRow{r, of[r.Payment]}); err != nil {
					return err
				}
			}
			return nil
		})
	})

// referenced returns what others call a refund, with spaces between.
func (r refundRow) referenced(kind string) string {
	var values []string
	for _, reference := range r.References {
		if strings.EqualFold(reference.Kind, kind) {
			values = append(values, reference.Value)
		}
	}
	return strings.Join(values, " ")
}

// refunds reads refunds, the newest first, page after page.
func (q question) refunds(ctx context.Context, filter payment.RefundFilter, each func([]payment.Refund) error) error {
	return pages(ctx, func() ([]payment.Refund, error) {
		filter.Limit = pageRows
		return q.reader.ListRefunds(ctx, q.Tenant, filter)
	}, func(last payment.Refund) { filter.After = last.Place() }, each)
}

// pages reads a list page after page, as long as somebody waits for it.
func pages[T any](ctx context.Context, read func() ([]T, error), goOn func(last T), each func([]T) error) error {
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		page, err := read()
		if err != nil {
			return err
		}
		if err := each(page); err != nil {
			return err
		}
		if len(page) < pageRows {
			return nil
		}
		goOn(page[len(page)-1])
	}
}

// paymentsOf reads the payments that rows are about.
func paymentsOf[T any](ctx context.Context, q question, rows []T, of func(T) payment.PaymentID,
) (map[payment.PaymentID]payment.Payment, error) {
	if len(rows) == 0 {
		return nil, nil
	}
	ids := make([]payment.PaymentID, len(rows))
	for i, row := range rows {
		ids[i] = of(row)
	}
	payments, err := q.reader.NamedPayments(ctx, q.Tenant, ids)
	named := make(map[payment.PaymentID]payment.Payment, len(payments))
	for _, p := range payments {
		named[p.ID] = p
	}
	return named, err
}
