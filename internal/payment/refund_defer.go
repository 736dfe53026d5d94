package payment

// DeferRefund tells the caller who waits for a refund's outcome that it takes
// longer. What has ended by now, or was deferred before, stays so: the answer
// is then what the caller waited for.
type DeferRefund struct {
	Meta

	Payment PaymentID
	Refund  RefundID
	Parts   Parts // what the door's answer shows
}

// Need implements [Command].
func (c DeferRefund) Need() Need {
	return Need{Tenant: c.Tenant, Payment: c.Payment, Refund: c.Refund, Parts: c.Parts}
}

// Apply implements [Command].
func (c DeferRefund) Apply(b *Book) (Answer, error) {
	v, r, err := b.refund(c.Tenant, c.Payment, c.Refund)
	if err != nil {
		return Answer{}, err
	}
	if !r.Status.IsRunning() || r.IsDeferred() {
		return Answer{View: v, Refund: r, Unchanged: true}, nil
	}
	v.Payment.touch(b.Now)
	r.note(NoteDeferred, &v.Payment)
	v.putRefund(r)
	b.tell(c.Meta, EventRefundDeferred, r.ID, v.Payment, r)
	b.save(v)
	return Answer{View: v, Refund: r}, nil
}

// deferral is the task that defers a refund whose caller, or the replica it
// waits at, is gone.
func deferral(r Refund) Task {
	return Task{
		Tenant: r.Tenant, Kind: TaskDeferRefund, Subject: r.ID, Payment: r.Payment,
		Queue: SystemQueue, DueAt: r.AnswerBy,
	}
}
