package sqlite

import (
	"context"
	"encoding/hex"
	"errors"
	"time"

	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/store/row"
)

const paymentColumns = `tenant_id, id, order_id, order_status, home, connector, reference, amount, currency, status,
	captured, refunded, reserved, disputed, excess, listed, returned, item_count, failures, expires_at, history, detail, version,
	created_at, updated_at, personal, (SELECT key FROM personal_key k
		WHERE k.tenant_id = payment.tenant_id AND k.owner_id = payment.id)`

func scanPayment(r *cells) (payment.Payment, error) {
	p := payment.Payment{
		Tenant: r.uuid(), ID: r.uuid(), Order: r.uuid(), OrderStatus: payment.OrderStatus(r.text()),
		Home: payment.Door(r.text()), Connector: r.text(), Reference: r.text(),
		Amount: row.Amount(r.int(), r.text()), Status: payment.PaymentStatus(r.text()),
		Totals: payment.Totals{
			Captured: money.Minor(r.int()), Refunded: money.Minor(r.int()), Reserved: money.Minor(r.int()),
			Disputed: money.Minor(r.int()), Excess: money.Minor(r.int()), Listed: money.Minor(r.int()),
			Returned: money.Minor(r.int()),
		},
		ItemCount: int(r.int()), Failures: r.int(), ExpiresAt: row.Time(r.int()),
	}
	history, detail := r.text(), r.text()
	p.Version, p.CreatedAt, p.UpdatedAt = r.int(), row.Time(r.int()), row.Time(r.int())
	sealed, key := r.maybe(), r.key()
	if r.err != nil {
		return p, r.err
	}
	r.ring.Put(row.Owner{Tenant: p.Tenant, ID: p.ID}, key)
	var err error
	if p.History, err = row.ParseHistory[payment.PaymentStatus](history); err != nil {
		return p, err
	}
	return p, row.ParsePaymentDetail(detail, key, sealed, &p)
}

func findPayment(c *conn, tenant payment.TenantID, id payment.PaymentID) (found payment.Payment, ok bool, err error) {
	const query = `SELECT ` + paymentColumns + ` FROM payment WHERE tenant_id = ? AND id = ?`
	err = c.query(query, []any{ident(tenant), ident(id)}, func(r *cells) (err error) {
		found, err = scanPayment(r)
		ok = true
		return err
	})
	return found, ok, err
}

func findOrder(c *conn, tenant payment.TenantID, id payment.OrderID) (found payment.Order, ok bool, err error) {
	const query = `SELECT ` + orderColumns + ` FROM payment_order WHERE tenant_id = ? AND id = ?`
	err = c.query(query, []any{ident(tenant), ident(id)}, func(r *cells) (err error) {
		found, err = scanOrder(r)
		ok = true
		return err
	})
	return found, ok, err
}

const orderColumns = `tenant_id, id, home, status, currency, amount, metadata, version, created_at, updated_at, personal,
	(SELECT key FROM personal_key k WHERE k.tenant_id = payment_order.tenant_id AND k.owner_id = payment_order.id),
	coalesce((SELECT erased_at FROM personal_key k
		WHERE k.tenant_id = payment_order.tenant_id AND k.owner_id = payment_order.id), 0)`

func scanOrder(r *cells) (payment.Order, error) {
	o := payment.Order{
		Tenant: r.uuid(), ID: r.uuid(), Home: payment.Door(r.text()), Status: payment.OrderStatus(r.text()),
		Currency: money.Currency(r.text()), Amount: money.Minor(r.int()), Metadata: r.text(), Version: r.int(),
		CreatedAt: row.Time(r.int()), UpdatedAt: row.Time(r.int()),
	}
	sealed, key := r.maybe(), r.key()
	o.ErasedAt = row.Time(r.int())
	if r.err != nil {
		return o, r.err
	}
	r.ring.Put(row.Owner{Tenant: o.Tenant, ID: o.ID}, key)
	return o, key.OpenOrder(&o, sealed)
}

// loadParts reads the parts that a view says it has.
func loadParts(c *conn, v *payment.View) error {
	parts := []struct {
		part payment.Parts
		load func(*conn, *payment.View) error
	}{
		{payment.PartOrder, loadOrderOf},
		{payment.PartCaptures, loadCaptures},
		{payment.PartItems, loadItems},
		{payment.PartRefunds, loadRefunds},
		{payment.PartDisputes, loadDisputes},
		{payment.PartFacets, loadFacets},
	}
	for _, p := range parts {
		if v.Parts&p.part == 0 {
			continue
		}
		if err := p.load(c, v); err != nil {
			return err
		}
	}
	return nil
}

func loadOrderOf(c *conn, v *payment.View) (err error) {
	if !v.Payment.Order.IsZero() {
		v.Order, _, err = findOrder(c, v.Payment.Tenant, v.Payment.Order)
	}
	return err
}

func loadCaptures(c *conn, v *payment.View) error {
	const query = `SELECT id, amount, is_final, status, history, reserved, refunded FROM capture
		WHERE tenant_id = ? AND payment_id = ? ORDER BY id`
	return c.query(query, partArgs(v), func(r *cells) (err error) {
		capture := payment.Capture{
			ID: r.uuid(), Amount: money.Minor(r.int()), IsFinal: r.bool(), Status: payment.CaptureStatus(r.text()),
		}
		capture.History, err = row.ParseHistory[payment.CaptureStatus](r.text())
		capture.Reserved, capture.Refunded = money.Minor(r.int()), money.Minor(r.int())
		v.Captures = append(v.Captures, capture)
		return err
	})
}

func partArgs(v *payment.View) []any { return []any{ident(v.Payment.Tenant), ident(v.Payment.ID)} }

func loadItems(c *conn, v *payment.View) error {
	if v.Payment.ItemCount == 0 {
		return nil
	}
	const query = `SELECT position, name, quantity, unit_amount, tax_rate, tax, total, merchant, metadata, tags,
		since_version, until_version, came_back, reserved_quantity, reserved_amount, reserved_tax, refunded_quantity,
		refunded_amount, refunded_tax, personal, CASE WHEN personal IS NOT NULL THEN (SELECT key
			FROM personal_key k WHERE k.tenant_id = item.tenant_id AND k.owner_id = item.payment_id) END
		FROM item WHERE tenant_id = ? AND payment_id = ? ORDER BY position`
	return c.query(query, partArgs(v), func(r *cells) (err error) {
		item := payment.Item{
			Position: int(r.int()), Name: r.text(), Quantity: r.int(), UnitAmount: money.Minor(r.int()),
			TaxRate: r.text(), Tax: money.Minor(r.int()), Total: money.Minor(r.int()), Merchant: r.text(),
			Metadata: r.text(),
		}
		item.Tags, err = row.ParseTexts[string](r.text())
		item.Since, item.Until, item.CameBack = r.int(), r.int(), r.bool()
		totals := payment.LineTotals{Position: item.Position, Reserved: lineSum(r), Refunded: lineSum(r)}
		sealed, key := r.maybe(), r.key()
		err = errors.Join(err, key.OpenItem(v.Payment.ID, &item, sealed))
		v.Items, v.LineTotals = append(v.Items, item), append(v.LineTotals, totals)
		return err
	})
}

func lineSum(r *cells) payment.LineSum {
	return payment.LineSum{Quantity: r.int(), Amount: money.Minor(r.int()), Tax: money.Minor(r.int())}
}

const refundColumns = `tenant_id, id, payment_id, amount, currency, status, source, door, actor, reference, connector,
	submitted_at, history, detail, version, created_at, updated_at, personal,
	CASE WHEN personal IS NOT NULL THEN (SELECT key FROM personal_key k
		WHERE k.tenant_id = refund.tenant_id AND k.owner_id = refund.payment_id) END,
	CASE WHEN persons <> '[]' THEN (SELECT group_concat(hex(owner_id) || hex(key), '') FROM personal_key k
		WHERE k.tenant_id = refund.tenant_id AND k.owner_id IN (SELECT unhex(value) FROM json_each(refund.persons))
			AND k.erased_at = 0) END`

func scanRefund(r *cells) (payment.Refund, error) {
	refund := payment.Refund{
		Tenant: r.uuid(), ID: r.uuid(), Payment: r.uuid(), Amount: row.Amount(r.int(), r.text()),
		Status: payment.RefundStatus(r.text()), Source: payment.Source(r.text()), Door: payment.Door(r.text()),
		Actor: r.text(), Reference: r.text(), Connector: r.text(), SubmittedAt: row.Time(r.int()),
	}
	history, detail := r.text(), r.text()
	refund.Version, refund.CreatedAt, refund.UpdatedAt = r.int(), row.Time(r.int()), row.Time(r.int())
	sealed, key, joined := r.maybe(), r.key(), r.maybeText()
	if r.err != nil {
		return refund, r.err
	}
	pairs, err := hex.DecodeString(joined)
	if err != nil {
		return refund, err
	}
	persons, err := row.ParsePersonKeys(pairs)
	if err != nil {
		return refund, err
	}
	if refund.History, err = row.ParseHistory[payment.RefundStatus](history); err != nil {
		return refund, err
	}
	return refund, row.ParseRefundDetail(detail, key, sealed, persons, &refund)
}

// loadRefunds names the index: without statistics SQLite would rather read all
// of a tenant's refunds than sort a few.
func loadRefunds(c *conn, v *payment.View) error {
	const query = `SELECT ` + refundColumns + ` FROM refund INDEXED BY refund_by_payment
		WHERE tenant_id = ? AND payment_id = ? ORDER BY id`
	return c.query(query, partArgs(v), func(r *cells) error {
		refund, err := scanRefund(r)
		v.Refunds = append(v.Refunds, refund)
		return err
	})
}

// loadRefundsSince reads the refunds that were opened after a time.
func loadRefundsSince(c *conn, v *payment.View, since time.Time) error {
	const query = `SELECT ` + refundColumns + ` FROM refund INDEXED BY refund_by_payment
		WHERE tenant_id = ? AND payment_id = ? AND created_at > ? ORDER BY id`
	return c.query(query, append(partArgs(v), row.Micros(since)), func(r *cells) error {
		refund, err := scanRefund(r)
		v.Refunds = append(v.Refunds, refund)
		return err
	})
}

func findRefund(c *conn, tenant payment.TenantID, id payment.RefundID) (found payment.Refund, ok bool, err error) {
	const query = `SELECT ` + refundColumns + ` FROM refund WHERE tenant_id = ? AND id = ?`
	err = c.query(query, []any{ident(tenant), ident(id)}, func(r *cells) (err error) {
		found, err = scanRefund(r)
		ok = true
		return err
	})
	return found, ok, err
}

func listAttempts(c *conn, tenant payment.TenantID, id payment.RefundID) ([]payment.Attempt, error) {
	const query = `SELECT refund_id, id, number, connector, outcome, started_at, ended_at FROM attempt
		WHERE tenant_id = ? AND refund_id = ? ORDER BY number`
	var attempts []payment.Attempt
	err := c.query(query, []any{ident(tenant), ident(id)}, func(r *cells) error {
		attempts = append(attempts, payment.Attempt{
			Refund: r.uuid(), ID: r.uuid(), Number: int(r.int()), Connector: r.text(),
			Outcome: payment.AttemptOutcome(r.text()), StartedAt: row.Time(r.int()), EndedAt: row.Time(r.int()),
		})
		return nil
	})
	return attempts, err
}

const disputeColumns = `tenant_id, id, payment_id, kind, amount, currency, status, history, connector, processor_ref,
	reason, double_loss, version, created_at, updated_at`

func scanDispute(r *cells) (dispute payment.Dispute, err error) {
	dispute = payment.Dispute{
		Tenant: r.uuid(), ID: r.uuid(), Payment: r.uuid(), Kind: payment.DisputeKind(r.text()),
		Amount: row.Amount(r.int(), r.text()), Status: payment.DisputeStatus(r.text()),
	}
	dispute.History, err = row.ParseHistory[payment.DisputeStatus](r.text())
	dispute.Connector, dispute.ProcessorRef, dispute.Reason = r.text(), r.text(), r.text()
	dispute.DoubleLoss, dispute.Version = money.Minor(r.int()), r.int()
	dispute.CreatedAt, dispute.UpdatedAt = row.Time(r.int()), row.Time(r.int())
	return dispute, err
}

func loadDisputes(c *conn, v *payment.View) error {
	const query = `SELECT ` + disputeColumns + ` FROM dispute INDEXED BY dispute_by_payment
		WHERE tenant_id = ? AND payment_id = ? ORDER BY id`
	return c.query(query, partArgs(v), func(r *cells) error {
		dispute, err := scanDispute(r)
		v.Disputes = append(v.Disputes, dispute)
		return err
	})
}

func loadFacets(c *conn, v *payment.View) (err error) {
	v.Facets, err = listFacets(c, v.Payment.Tenant, v.Payment.ID)
	return err
}

// listFacets reads the documents of a payment and its refunds, or of an order
// without a payment. Those that were erased are not there.
func listFacets(c *conn, tenant payment.TenantID, id [16]byte) ([]payment.Facet, error) {
	const query = `SELECT subject_id, door, version, body, personal, (SELECT key FROM personal_key k
			WHERE k.tenant_id = facet.tenant_id AND k.owner_id = facet.payment_id)
		FROM facet WHERE tenant_id = ? AND payment_id = ? ORDER BY version`
	var facets []payment.Facet
	err := c.query(query, []any{ident(tenant), id[:]}, func(r *cells) error {
		facet := payment.Facet{Subject: r.uuid(), Door: payment.Door(r.text()), Version: r.int(), Body: r.bytes()}
		sealed, key := r.maybe(), r.key()
		if err := key.OpenFacet(&facet, sealed); err != nil {
			return err
		}
		if len(facet.Body) > 0 {
			facets = append(facets, facet)
		}
		return nil
	})
	return facets, err
}

func findAlias(c *conn, tenant payment.TenantID, alias payment.Alias) (subject [16]byte, ok bool, err error) {
	const query = `SELECT subject_id FROM alias WHERE tenant_id = ? AND kind = ? AND value = ?`
	err = c.query(query, []any{ident(tenant), alias.Kind, alias.Value}, func(r *cells) error {
		subject, ok = r.uuid(), true
		return nil
	})
	return subject, ok, err
}

func loadKey(c *conn, tenant payment.TenantID, hash payment.KeyHash) (*payment.KeyRecord, error) {
	const query = `SELECT fingerprint, subject_id, payment_id, version, created_at FROM idempotency_key
		WHERE tenant_id = ? AND hash = ?`
	var found *payment.KeyRecord
	err := c.query(query, []any{ident(tenant), hash[:]}, func(r *cells) error {
		found = &payment.KeyRecord{
			Tenant: tenant, Hash: hash, Fingerprint: r.uuid(), Subject: r.uuid(), Payment: r.uuid(),
			Version: r.int(), At: row.Time(r.int()),
		}
		return nil
	})
	return found, err
}

// View implements [payment.Reader].
func (s *Store) View(_ context.Context, tenant payment.TenantID, id payment.PaymentID) (payment.View, error) {
	var view payment.View
	err := s.snapshot(func(c *conn) (err error) {
		view, err = wholeView(c, tenant, id)
		return err
	})
	return view, err
}

// Needed implements [payment.Reader].
func (s *Store) Needed(_ context.Context, need payment.Need, tenant *payment.Tenant, now time.Time) (payment.View, error) {
	w := &wanted{tenant: need.Tenant, payment: need.Payment, need: need}
	if !need.Refund.IsZero() {
		w.refunds = []payment.RefundID{need.Refund}
	}
	var view payment.View
	err := s.snapshot(func(c *conn) error {
		var found bool
		var err error
		if view, found, err = loadView(c, w, tenant, now); err == nil && !found {
			err = payment.NoSuch("payment")
		}
		return err
	})
	return view, err
}

// wholeView reads a payment with all its parts, and the attempts of some refunds.
func wholeView(c *conn, tenant payment.TenantID, id payment.PaymentID, attemptsOf ...payment.RefundID,
) (payment.View, error) {
	p, found, err := findPayment(c, tenant, id)
	if err != nil {
		return payment.View{}, err
	}
	if !found {
		return payment.View{}, payment.NoSuch("payment")
	}
	view := payment.View{Payment: p, Parts: payment.PartAll}
	if err := loadParts(c, &view); err != nil {
		return payment.View{}, err
	}
	for _, refund := range attemptsOf {
		attempts, err := listAttempts(c, tenant, refund)
		if err != nil {
			return payment.View{}, err
		}
		view.Attempts = append(view.Attempts, attempts...)
	}
	return view, nil
}

// ViewOfRefund implements [payment.Reader].
func (s *Store) ViewOfRefund(_ context.Context, tenant payment.TenantID, id payment.RefundID) (payment.View, error) {
	return s.viewOf(tenant, `SELECT payment_id FROM refund WHERE tenant_id = ? AND id = ?`, id[:], "refund", id)
}

// Refund implements [payment.Reader].
func (s *Store) Refund(_ context.Context, tenant payment.TenantID, id payment.RefundID) (payment.View, error) {
	var view payment.View
	err := s.snapshot(func(c *conn) error {
		refund, found, err := findRefund(c, tenant, id)
		if err != nil {
			return err
		}
		if !found {
			return payment.NoSuch("refund")
		}
		view.Refunds = []payment.Refund{refund}
		if view.Payment, _, err = findPayment(c, tenant, refund.Payment); err != nil {
			return err
		}
		view.Attempts, err = listAttempts(c, tenant, id)
		return err
	})
	return view, err
}

// ViewOfDispute implements [payment.Reader].
func (s *Store) ViewOfDispute(_ context.Context, tenant payment.TenantID, id payment.DisputeID,
) (payment.View, error) {
	return s.viewOf(tenant, `SELECT payment_id FROM dispute WHERE tenant_id = ? AND id = ?`, id[:], "dispute")
}

func (s *Store) viewOf(tenant payment.TenantID, query string, id []byte, noun string, attemptsOf ...payment.RefundID,
) (payment.View, error) {
	var view payment.View
	err := s.snapshot(func(c *conn) error {
		var of payment.PaymentID
		err := c.query(query, []any{ident(tenant), id}, func(r *cells) error {
			of = r.uuid()
			return nil
		})
		if err != nil {
			return err
		}
		if of.IsZero() {
			return payment.NoSuch(noun)
		}
		view, err = wholeView(c, tenant, of, attemptsOf...)
		return err
	})
	return view, err
}

// Order implements [payment.Reader].
func (s *Store) Order(_ context.Context, tenant payment.TenantID, id payment.OrderID,
) (payment.Order, []payment.Facet, error) {
	var order payment.Order
	var facets []payment.Facet
	err := s.snapshot(func(c *conn) error {
		var found bool
		var err error
		if order, found, err = findOrder(c, tenant, id); err != nil {
			return err
		}
		if !found {
			return payment.NoSuch("order")
		}
		facets, err = listFacets(c, tenant, id)
		return err
	})
	return order, facets, err
}

// Find implements [payment.Reader].
func (s *Store) Find(_ context.Context, tenant payment.TenantID, alias payment.Alias,
) (subject [16]byte, found bool, err error) {
	err = s.read(func(c *conn) (err error) {
		subject, found, err = findAlias(c, tenant, alias)
		return err
	})
	return subject, found, err
}

// Key implements [payment.Reader].
func (s *Store) Key(_ context.Context, tenant payment.TenantID, hash payment.KeyHash,
) (record *payment.KeyRecord, err error) {
	err = s.read(func(c *conn) (err error) {
		record, err = loadKey(c, tenant, hash)
		return err
	})
	return record, err
}
