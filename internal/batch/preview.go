package batch

import (
	"context"
	"slices"

	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/payment"
)

// rehearsal is a payment as a dry run has left it: nobody else sees it so.
type rehearsal struct {
	view     payment.View
	counters []payment.Counter // as they were read
	err      error             // why it cannot be rehearsed
	isLong   bool              // too many rows of the payment were allowed to follow them all
}

// rehearse decides the rows without effect, by the rules by which they would be
// decided, one after the other: each sees what those before it would have done.
func (w *window) rehearse(ctx context.Context) {
	w.each(readersMax, func(a *asking) { w.recall(ctx, a) })
	payments := w.set(ctx)
	done := w.batch // as it would be after the rows before
	for _, a := range w.asked {
		func() {
			defer w.survive(a)
			w.rehearseOne(a, payments[a.Payment], done)
		}()
		if !a.isOver || !a.Status.Takes() {
			continue
		}
		if !done.hasRoom(a.Amount) {
			a.end(a.skipped(SkipCap))
			done.Full = append(slices.Clone(done.Full), a.Amount.Currency)
			continue
		}
		payments[a.Payment].take(a.previewed, w.config.NewID)
		done.count(RowWaiting, a.Row)
	}
}

// recall allows a row whose key was used before: it would be that refund again.
// A key that follows from a dry run was never used.
func (w *window) recall(ctx context.Context, a *asking) {
	if a.Key == "" {
		return
	}
	before, err := w.earlier(ctx, a.command)
	if err != nil {
		w.fail(a, err)
	} else if before != nil {
		a.end(a.allowed(*before))
	}
	a.isRecalled = a.isOver
}

// set reads the payments that the rows are about, each with what the dry run
// has allowed of it before.
func (w *window) set(ctx context.Context) map[payment.PaymentID]*rehearsal {
	payments := map[payment.PaymentID]*rehearsal{}
	for _, a := range w.asked {
		if !a.isHeld && payments[a.Payment] == nil {
			payments[a.Payment] = &rehearsal{}
		}
	}
	isRead := map[payment.PaymentID]bool{}
	var first []*asking
	for _, a := range w.asked {
		if !a.isOver && !a.isHeld && !isRead[a.Payment] {
			isRead[a.Payment] = true
			first = append(first, a)
		}
	}
	each(first, readersMax, func(a *asking) {
		defer w.survive(a)
		*payments[a.Payment] = w.prepare(ctx, a.command)
	})
	return payments
}

// prepare reads the payment of a command, and lets the rows that were allowed
// before take their parts of it.
func (w *window) prepare(ctx context.Context, command payment.OpenRefund) (r rehearsal) {
	need := command.Need().With(payment.Need{Parts: payment.PartAll}) // other rows may need what this one does not
	if r.view, r.counters, r.err = w.look(ctx, need); r.err != nil {
		return r
	}
	before, err := w.config.Store.AllowedRows(ctx, w.batch.Tenant, w.batch.ID, command.Payment, followMax)
	if err != nil {
		r.err = err
		return r
	}
	r.isLong = len(before) == followMax
	for _, row := range before {
		asked, err := w.config.Door.ReadRow(row.Body)
		if err != nil {
			continue // a later version reads rows otherwise
		}
		asked.Command.Payment, asked.Command.Meta = command.Payment, command.Meta
		asked.Command.Key = payment.Key{}
		r.take(payment.Preview(r.view, w.tenant, asked.Command, w.config.Now()).Refunds, w.config.NewID)
	}
	return r
}

// look reads what a preview of a command needs.
func (w *window) look(ctx context.Context, need payment.Need) (payment.View, []payment.Counter, error) {
	view, err := w.config.Reader.Needed(ctx, need, w.tenant, w.config.Now())
	if err != nil {
		return view, nil, err
	}
	ids := need.Counters(view.Payment, w.tenant, w.config.Now())
	if len(ids) == 0 {
		return view, nil, nil
	}
	counters, err := w.config.Reader.Counters(ctx, w.batch.Tenant, ids)
	return view, counters, err
}

// take lets refunds that were previewed claim their parts.
func (r *rehearsal) take(refunds []payment.Refund, newID func() [16]byte) {
	for _, refund := range refunds {
		refund.ID = newID()
		r.view = r.view.With(refund)
	}
}

// rehearseOne decides one row.
func (w *window) rehearseOne(a *asking, r *rehearsal, done Batch) {
	isAmount := a.command.Ask.How == payment.AskAmount
	switch {
	case a.isHeld || a.isOver && !a.isRecalled:
		return
	case isAmount && done.isShut(a.command.Currency): // it would not be asked for
		a.Amount = money.Of(a.command.Ask.Amount, a.command.Currency)
		a.end(a.skipped(SkipCap))
		return
	case a.isOver:
		return
	case r.err != nil:
		w.fail(a, r.err)
		return
	case r.isLong:
		a.end(a.skipped(SkipLong))
		return
	}
	previewed := payment.Preview(r.view, w.tenant, a.command, w.config.Now(), counted(r.counters, done)...)
	if previewed.Refusal != nil {
		a.end(a.refused(previewed.Refusal))
		return
	}
	a.previewed = previewed.Refunds
	a.end(a.allowed(opened{Amount: previewed.Amount}))
}

// counted returns the counters as they would be by now: all rows of a batch are
// asked for by the same actor, so that all count.
func counted(read []payment.Counter, done Batch) []payment.Counter {
	counters := slices.Clone(read)
	for i, counter := range counters {
		if counter.Currency == "" {
			counters[i].Value += done.Counts.Allowed
		} else {
			counters[i].Value += int64(done.sum(counter.Currency))
		}
	}
	return counters
}
