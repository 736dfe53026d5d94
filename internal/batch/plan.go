package batch

import (
	"context"
	"errors"
	"slices"

	"github.com/refundry/refundry/internal/fault"
	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/payment"
)

// plan says which rows the caps allow to be asked for. Rows are taken in their
// order: where one would pass its currency's cap, it and all that come after
// it in this currency are skipped. Whether it does is known only when what was
// asked for before has been decided: until then, it is held. A row that would
// be refused passes nothing.
func (w *window) plan(ctx context.Context) {
	if len(w.batch.Caps) == 0 {
		return
	}
	w.cut()
	w.each(readersMax, func(a *asking) {
		if a.command.Ask.How == payment.AskAmount {
			a.Amount = money.Of(a.command.Ask.Amount, a.command.Currency)
		} else {
			w.foresee(ctx, a)
		}
	})
	isAsked, isHeld := map[money.Currency]bool{}, map[money.Currency]bool{}
	then := w.batch // if all that is asked for before is refunded
	for _, a := range w.asked {
		currency := a.Amount.Currency
		switch {
		case a.isOver || a.isHeld:
		case then.isShut(currency):
			a.end(a.skipped(SkipCap))
		case isHeld[currency]:
			a.isHeld = true
		case then.hasRoom(a.Amount):
			isAsked[currency] = true
			then.count(RowWaiting, Row{Status: RowRefunded, Amount: a.Amount})
		case isAsked[currency]:
			a.isHeld, isHeld[currency] = true, true
		default:
			if w.foresee(ctx, a); !a.isOver && !a.isHeld {
				a.end(a.skipped(SkipCap))
				then.Full = append(slices.Clone(then.Full), currency)
			}
		}
	}
}

// cut ends the window before a row whose amount follows from what an earlier
// row of it leaves of the same payment.
func (w *window) cut() {
	seen := map[payment.PaymentID]bool{}
	for i, a := range w.asked {
		if a.isOver || a.isHeld {
			continue
		}
		if seen[a.Payment] && a.command.Ask.How != payment.AskAmount {
			for _, later := range w.asked[i:] {
				later.isHeld = later.isHeld || !later.isOver
			}
			return
		}
		seen[a.Payment] = true
	}
}

// isShut reports whether the caps let nothing more be refunded in a currency.
func (b Batch) isShut(currency money.Currency) bool {
	most, isLimited := b.cap(currency)
	return isLimited && (most == 0 || slices.Contains(b.Full, currency))
}

// hasRoom reports whether the caps leave room for one more amount.
func (b Batch) hasRoom(amount money.Amount) bool {
	most, isLimited := b.cap(amount.Currency)
	return !isLimited || !b.isShut(amount.Currency) && amount.Minor <= most-b.sum(amount.Currency)
}

// foresee finds out how much a row would refund, or that it would be refused.
// The answer is guarded: nothing is opened if the payment has moved by then.
func (w *window) foresee(ctx context.Context, a *asking) {
	before, err := w.earlier(ctx, a.command)
	if err != nil {
		w.fail(a, err)
		return
	}
	if before != nil {
		a.Amount = before.Amount
		return
	}
	view, counters, err := w.look(ctx, a.command.Need())
	if err != nil {
		w.fail(a, err)
		return
	}
	previewed := payment.Preview(view, w.tenant, a.command, w.config.Now(), counters...)
	if previewed.Refusal != nil {
		w.fail(a, a.heard(previewed.Refusal))
		return
	}
	a.Amount, a.command.Expect = previewed.Amount, previewed.Digest
}

// opened is what a row has opened: a refund, or the first of several that were
// opened together.
type opened struct {
	Refund payment.RefundID
	Amount money.Amount
}

// earlier returns what a row's key has opened before, nil if it has opened
// nothing.
func (w *window) earlier(ctx context.Context, command payment.OpenRefund) (*opened, error) {
	record, err := w.config.Reader.Key(ctx, w.batch.Tenant, command.Key.Hash)
	if err != nil || record == nil {
		return nil, err
	}
	if record.Fingerprint != command.Key.Fingerprint {
		return nil, &payment.Refusal{
			Rule: payment.RuleKeyMisuse, Message: "the idempotency key was used for another request", Earlier: record,
		}
	}
	return w.openedBy(ctx, record)
}

// openedBy returns what a key has opened.
func (w *window) openedBy(ctx context.Context, record *payment.KeyRecord) (*opened, error) {
	view, err := w.config.Reader.View(ctx, record.Tenant, record.Payment)
	if fault.CodeOf(err) == fault.NotFound {
		return nil, errGone
	}
	if err != nil {
		return nil, err
	}
	return sumOf(view.Group(record.Subject))
}

// errGone means a bug of ours: keys and refunds are written together, and stay.
var errGone = errors.New("a key names a refund that is not there")

// sumOf returns what refunds are that were opened together.
func sumOf(refunds []payment.Refund) (*opened, error) {
	if len(refunds) == 0 {
		return nil, errGone
	}
	sum := opened{Refund: refunds[0].ID, Amount: money.Of(0, refunds[0].Amount.Currency)}
	for _, refund := range refunds {
		sum.Amount.Minor += refund.Amount.Minor
	}
	return &sum, nil
}
