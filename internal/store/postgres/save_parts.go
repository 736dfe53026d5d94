package postgres

import (
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/store/row"
)

func (w *writer) insertCaptures(captures []of[payment.Capture]) {
	if len(captures) == 0 {
		return
	}
	w.pipe.Queue(`INSERT INTO capture (tenant_id, payment_id, id, amount, is_final, status, history, reserved, refunded)
		SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::bigint[], $5::boolean[], $6::text[], $7::text[],
			$8::bigint[], $9::bigint[])`,
		ids(captures, func(c of[payment.Capture]) [16]byte { return c.tenant }),
		ids(captures, func(c of[payment.Capture]) [16]byte { return c.payment }),
		ids(captures, func(c of[payment.Capture]) [16]byte { return c.row.ID }),
		col(captures, func(c of[payment.Capture]) int64 { return int64(c.row.Amount) }),
		col(captures, func(c of[payment.Capture]) bool { return c.row.IsFinal }),
		col(captures, func(c of[payment.Capture]) string { return string(c.row.Status) }),
		col(captures, func(c of[payment.Capture]) string { return row.History(c.row.History) }),
		col(captures, func(c of[payment.Capture]) int64 { return int64(c.row.Reserved) }),
		col(captures, func(c of[payment.Capture]) int64 { return int64(c.row.Refunded) }))
}

func (w *writer) updateCaptures(captures []of[payment.Capture]) {
	if len(captures) == 0 {
		return
	}
	w.exactly(len(captures), errVersion, `UPDATE capture t SET status = c.status, history = c.history, reserved = c.reserved,
			refunded = c.refunded
		FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::bigint[], $7::bigint[])
			AS c (tenant_id, payment_id, id, status, history, reserved, refunded)
		WHERE t.tenant_id = c.tenant_id AND t.payment_id = c.payment_id AND t.id = c.id`,
		ids(captures, func(c of[payment.Capture]) [16]byte { return c.tenant }),
		ids(captures, func(c of[payment.Capture]) [16]byte { return c.payment }),
		ids(captures, func(c of[payment.Capture]) [16]byte { return c.row.ID }),
		col(captures, func(c of[payment.Capture]) string { return string(c.row.Status) }),
		col(captures, func(c of[payment.Capture]) string { return row.History(c.row.History) }),
		col(captures, func(c of[payment.Capture]) int64 { return int64(c.row.Reserved) }),
		col(captures, func(c of[payment.Capture]) int64 { return int64(c.row.Refunded) }))
}

// items writes the lines that came to be, the ends of those whose place others
// took, and what refunds have taken of any.
func (w *writer) items(changes []*payment.ViewChange) {
	var made, moved []of[row.Item]
	for _, change := range changes {
		p := change.View.Payment
		came, changed := row.Items(change)
		for _, item := range came {
			made = append(made, of[row.Item]{p.Tenant, p.ID, item})
		}
		for _, item := range changed {
			moved = append(moved, of[row.Item]{p.Tenant, p.ID, item})
		}
	}
	w.insertItems(made)
	w.updateItems(moved)
}

func (w *writer) updateItems(items []of[row.Item]) {
	if len(items) == 0 {
		return
	}
	w.exactly(len(items), errVersion, `UPDATE item i SET until_version = c.until_version,
			reserved_quantity = c.reserved_quantity, reserved_amount = c.reserved_amount, reserved_tax = c.reserved_tax,
			refunded_quantity = c.refunded_quantity, refunded_amount = c.refunded_amount, refunded_tax = c.refunded_tax
		FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[],
			$8::bigint[], $9::bigint[], $10::bigint[])
			AS c (tenant_id, payment_id, position, until_version, reserved_quantity, reserved_amount, reserved_tax,
				refunded_quantity, refunded_amount, refunded_tax)
		WHERE i.tenant_id = c.tenant_id AND i.payment_id = c.payment_id AND i.position = c.position`,
		ids(items, func(i of[row.Item]) [16]byte { return i.tenant }),
		ids(items, func(i of[row.Item]) [16]byte { return i.payment }),
		col(items, func(i of[row.Item]) int64 { return int64(i.row.Position) }),
		col(items, func(i of[row.Item]) int64 { return i.row.Until }),
		col(items, func(i of[row.Item]) int64 { return i.row.Totals.Reserved.Quantity }),
		col(items, func(i of[row.Item]) int64 { return int64(i.row.Totals.Reserved.Amount) }),
		col(items, func(i of[row.Item]) int64 { return int64(i.row.Totals.Reserved.Tax) }),
		col(items, func(i of[row.Item]) int64 { return i.row.Totals.Refunded.Quantity }),
		col(items, func(i of[row.Item]) int64 { return int64(i.row.Totals.Refunded.Amount) }),
		col(items, func(i of[row.Item]) int64 { return int64(i.row.Totals.Refunded.Tax) }))
}

func (w *writer) insertItems(items []of[row.Item]) {
	if len(items) == 0 {
		return
	}
	w.pipe.Queue(`INSERT INTO item (tenant_id, payment_id, position, name, quantity, unit_amount, tax_rate, tax, total,
			merchant, personal, tags, since_version, until_version, came_back, reserved_quantity, reserved_amount, reserved_tax,
			refunded_quantity, refunded_amount, refunded_tax, metadata)
		SELECT *, '' FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::text[], $5::bigint[], $6::bigint[], $7::text[],
			$8::bigint[], $9::bigint[], $10::text[], $11::bytea[], $12::text[], $13::bigint[], $14::bigint[],
			$15::boolean[], $16::bigint[], $17::bigint[], $18::bigint[], $19::bigint[], $20::bigint[], $21::bigint[])`,
		ids(items, func(i of[row.Item]) [16]byte { return i.tenant }),
		ids(items, func(i of[row.Item]) [16]byte { return i.payment }),
		col(items, func(i of[row.Item]) int64 { return int64(i.row.Position) }),
		col(items, func(i of[row.Item]) string { return i.row.Name }),
		col(items, func(i of[row.Item]) int64 { return i.row.Quantity }),
		col(items, func(i of[row.Item]) int64 { return int64(i.row.UnitAmount) }),
		col(items, func(i of[row.Item]) string { return i.row.TaxRate }),
		col(items, func(i of[row.Item]) int64 { return int64(i.row.Tax) }),
		col(items, func(i of[row.Item]) int64 { return int64(i.row.Total) }),
		col(items, func(i of[row.Item]) string { return i.row.Merchant }),
		col(items, func(i of[row.Item]) []byte { return w.ring.Item(i.tenant, i.payment, i.row.Item) }),
		col(items, func(i of[row.Item]) string { return row.Texts(i.row.Tags) }),
		col(items, func(i of[row.Item]) int64 { return i.row.Since }),
		col(items, func(i of[row.Item]) int64 { return i.row.Until }),
		col(items, func(i of[row.Item]) bool { return i.row.CameBack }),
		col(items, func(i of[row.Item]) int64 { return i.row.Totals.Reserved.Quantity }),
		col(items, func(i of[row.Item]) int64 { return int64(i.row.Totals.Reserved.Amount) }),
		col(items, func(i of[row.Item]) int64 { return int64(i.row.Totals.Reserved.Tax) }),
		col(items, func(i of[row.Item]) int64 { return i.row.Totals.Refunded.Quantity }),
		col(items, func(i of[row.Item]) int64 { return int64(i.row.Totals.Refunded.Amount) }),
		col(items, func(i of[row.Item]) int64 { return int64(i.row.Totals.Refunded.Tax) }))
}

func (w *writer) insertRefunds(refunds []payment.Refund) {
	if len(refunds) == 0 {
		return
	}
	details, sealed, persons := w.refundTexts(refunds)
	w.pipe.Queue(`INSERT INTO refund (tenant_id, id, payment_id, amount, currency, status, needs_review, source, door,
			actor, reference, connector, submitted_at, history, detail, version, created_at, updated_at, reason, group_id,
			personal, batch_id, persons)
		SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::bigint[], $5::text[], $6::text[], $7::boolean[],
			$8::text[], $9::text[], $10::text[], $11::text[], $12::text[], $13::bigint[], $14::text[], $15::text[],
			$16::bigint[], $17::bigint[], $18::bigint[], $19::text[], $20::uuid[], $21::bytea[], $22::uuid[], $23::text[])`,
		ids(refunds, func(r payment.Refund) [16]byte { return r.Tenant }),
		ids(refunds, func(r payment.Refund) [16]byte { return r.ID }),
		ids(refunds, func(r payment.Refund) [16]byte { return r.Payment }),
		col(refunds, func(r payment.Refund) int64 { return int64(r.Amount.Minor) }),
		col(refunds, func(r payment.Refund) string { return string(r.Amount.Currency) }),
		col(refunds, func(r payment.Refund) string { return string(r.Status) }),
		col(refunds, payment.Refund.NeedsReview),
		col(refunds, func(r payment.Refund) string { return string(r.Source) }),
		col(refunds, func(r payment.Refund) string { return string(r.Door) }),
		col(refunds, func(r payment.Refund) string { return r.Actor }),
		col(refunds, func(r payment.Refund) string { return r.Reference }),
		col(refunds, func(r payment.Refund) string { return r.Connector }),
		col(refunds, func(r payment.Refund) int64 { return row.Micros(r.SubmittedAt) }),
		col(refunds, func(r payment.Refund) string { return row.History(r.History) }),
		details,
		col(refunds, func(r payment.Refund) int64 { return r.Version }),
		col(refunds, func(r payment.Refund) int64 { return row.Micros(r.CreatedAt) }),
		col(refunds, func(r payment.Refund) int64 { return row.Micros(r.UpdatedAt) }),
		col(refunds, func(r payment.Refund) string { return r.Reason }),
		maybeIDs(refunds, func(r payment.Refund) [16]byte { return r.Group }),
		sealed,
		maybeIDs(refunds, func(r payment.Refund) [16]byte { return r.Batch }),
		persons)
}

// refundTexts writes what of refunds no query asks for, what is personal, and
// whom they name.
func (w *writer) refundTexts(refunds []payment.Refund) (details []string, sealed [][]byte, persons []string) {
	for _, refund := range refunds {
		detail, personal, named := w.ring.Refund(refund)
		details, sealed, persons = append(details, detail), append(sealed, personal), append(persons, named)
	}
	return details, sealed, persons
}

func (w *writer) updateRefunds(refunds []row.ChangedRefund) {
	if len(refunds) == 0 {
		return
	}
	details, sealed, persons := w.refundTexts(col(refunds, func(r row.ChangedRefund) payment.Refund { return r.Refund }))
	w.exactly(len(refunds), errVersion, `UPDATE refund r SET status = c.status, needs_review = c.needs_review,
			submitted_at = c.submitted_at, history = c.history, detail = c.detail, version = c.version,
			updated_at = c.updated_at, personal = c.personal, persons = c.persons
		FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::text[], $5::boolean[], $6::bigint[], $7::text[],
			$8::text[], $9::bigint[], $10::bigint[], $11::bytea[], $12::text[])
			AS c (tenant_id, id, read, status, needs_review, submitted_at, history, detail, version, updated_at, personal,
				persons)
		WHERE r.tenant_id = c.tenant_id AND r.id = c.id AND r.version = c.read`,
		ids(refunds, func(r row.ChangedRefund) [16]byte { return r.Tenant }),
		ids(refunds, func(r row.ChangedRefund) [16]byte { return r.ID }),
		col(refunds, func(r row.ChangedRefund) int64 { return r.Read }),
		col(refunds, func(r row.ChangedRefund) string { return string(r.Status) }),
		col(refunds, func(r row.ChangedRefund) bool { return r.NeedsReview() }),
		col(refunds, func(r row.ChangedRefund) int64 { return row.Micros(r.SubmittedAt) }),
		col(refunds, func(r row.ChangedRefund) string { return row.History(r.History) }),
		details,
		col(refunds, func(r row.ChangedRefund) int64 { return r.Version }),
		col(refunds, func(r row.ChangedRefund) int64 { return row.Micros(r.UpdatedAt) }),
		sealed, persons)
}

func (w *writer) insertAttempts(attempts []of[payment.Attempt]) {
	if len(attempts) == 0 {
		return
	}
	w.pipe.Queue(`INSERT INTO attempt (tenant_id, refund_id, number, id, connector, outcome, started_at, ended_at)
		SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::uuid[], $5::text[], $6::text[], $7::bigint[],
			$8::bigint[])`,
		ids(attempts, func(a of[payment.Attempt]) [16]byte { return a.tenant }),
		ids(attempts, func(a of[payment.Attempt]) [16]byte { return a.row.Refund }),
		col(attempts, func(a of[payment.Attempt]) int64 { return int64(a.row.Number) }),
		ids(attempts, func(a of[payment.Attempt]) [16]byte { return a.row.ID }),
		col(attempts, func(a of[payment.Attempt]) string { return a.row.Connector }),
		col(attempts, func(a of[payment.Attempt]) string { return string(a.row.Outcome) }),
		col(attempts, func(a of[payment.Attempt]) int64 { return row.Micros(a.row.StartedAt) }),
		col(attempts, func(a of[payment.Attempt]) int64 { return row.Micros(a.row.EndedAt) }))
}

func (w *writer) updateAttempts(attempts []of[payment.Attempt]) {
	if len(attempts) == 0 {
		return
	}
	w.exactly(len(attempts), errVersion, `UPDATE attempt a SET outcome = c.outcome, ended_at = c.ended_at
		FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::text[], $5::bigint[])
			AS c (tenant_id, refund_id, number, outcome, ended_at)
		WHERE a.tenant_id = c.tenant_id AND a.refund_id = c.refund_id AND a.number = c.number`,
		ids(attempts, func(a of[payment.Attempt]) [16]byte { return a.tenant }),
		ids(attempts, func(a of[payment.Attempt]) [16]byte { return a.row.Refund }),
		col(attempts, func(a of[payment.Attempt]) int64 { return int64(a.row.Number) }),
		col(attempts, func(a of[payment.Attempt]) string { return string(a.row.Outcome) }),
		col(attempts, func(a of[payment.Attempt]) int64 { return row.Micros(a.row.EndedAt) }))
}

func (w *writer) insertDisputes(disputes []payment.Dispute) {
	if len(disputes) == 0 {
		return
	}
	w.pipe.Queue(`INSERT INTO dispute (`+disputeColumns+`)
		SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::bigint[], $6::text[], $7::text[],
			$8::text[], $9::text[], $10::text[], $11::text[], $12::bigint[], $13::bigint[], $14::bigint[], $15::bigint[])`,
		ids(disputes, func(d payment.Dispute) [16]byte { return d.Tenant }),
		ids(disputes, func(d payment.Dispute) [16]byte { return d.ID }),
		ids(disputes, func(d payment.Dispute) [16]byte { return d.Payment }),
		col(disputes, func(d payment.Dispute) string { return string(d.Kind) }),
		col(disputes, func(d payment.Dispute) int64 { return int64(d.Amount.Minor) }),
		col(disputes, func(d payment.Dispute) string { return string(d.Amount.Currency) }),
		col(disputes, func(d payment.Dispute) string { return string(d.Status) }),
		col(disputes, func(d payment.Dispute) string { return row.History(d.History) }),
		col(disputes, func(d payment.Dispute) string { return d.Connector }),
		col(disputes, func(d payment.Dispute) string { return d.ProcessorRef }),
		col(disputes, func(d payment.Dispute) string { return d.Reason }),
		col(disputes, func(d payment.Dispute) int64 { return int64(d.DoubleLoss) }),
		col(disputes, func(d payment.Dispute) int64 { return d.Version }),
		col(disputes, func(d payment.Dispute) int64 { return row.Micros(d.CreatedAt) }),
		col(disputes, func(d payment.Dispute) int64 { return row.Micros(d.UpdatedAt) }))
}

func (w *writer) updateDispute(read int64, d payment.Dispute) {
	w.exactly(1, errVersion, `UPDATE dispute SET status = $1, history = $2, version = $3, updated_at = $4
		WHERE tenant_id = $5 AND id = $6 AND version = $7`,
		string(d.Status), row.History(d.History), d.Version, row.Micros(d.UpdatedAt), pgUUID(d.Tenant), pgUUID(d.ID),
		read)
}
