package payment

import "time"

// watch leaves the task that looks whether a refund that has left is stuck,
// where a policy says when that is.
func (b *Book) watch(t *Tenant, r Refund) {
	if at := r.stuckAt(t); !at.IsZero() {
		b.do(Task{
			Tenant: r.Tenant, Kind: TaskWatchRefund, Subject: r.ID, Payment: r.Payment, Queue: SystemQueue, DueAt: at,
		})
	}
}

// stuckAt returns from when on a refund that has left counts as stuck, the
// zero time if never. Where nobody says how long it takes, it was expected at once.
func (r Refund) stuckAt(t *Tenant) time.Time {
	hours := PolicyStuckHours.Of(t.Settings)
	if hours == 0 || !r.IsSubmitted() || !r.Status.IsRunning() {
		return time.Time{}
	}
	expected := r.ExpectedBy
	if expected.IsZero() {
		expected = r.SubmittedAt
	}
	return expected.Add(time.Duration(hours) * time.Hour)
}

// WatchRefund looks whether a refund is on its way for too long, and tells so
// once. One that is expected later by now is looked at again then.
type WatchRefund struct {
	Meta

	Payment PaymentID
	Refund  RefundID
}

// Need implements [Command].
func (c WatchRefund) Need() Need { return Need{Tenant: c.Tenant, Payment: c.Payment, Refund: c.Refund} }

// Apply implements [Command].
func (c WatchRefund) Apply(b *Book) (Answer, error) {
	v, r, err := b.refund(c.Tenant, c.Payment, c.Refund)
	if err != nil {
		return Answer{}, err
	}
	tenant := b.Tenant(c.Tenant)
	at := r.stuckAt(tenant)
	switch {
	case at.IsZero() || r.IsStuck():
		return Answer{}, refuse(RuleStatus, "the refund is %s and not watched", r.Status)
	case at.After(b.Now):
		b.watch(tenant, r)
		return Answer{View: v, Refund: r, Unchanged: true}, nil
	}
	v.Payment.touch(b.Now)
	r.note(NoteStuck, &v.Payment)
	v.putRefund(r)
	b.tell(c.Meta, EventRefundStuck, r.ID, v.Payment, r)
	b.save(v)
	return Answer{View: v, Refund: r}, nil
}
