package sqlite

import (
	"errors"
	"fmt"
	"slices"

	"github.com/refundry/refundry/internal/engine"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/store/row"
)

// errVersion means that a row was not as it was read: with one writer, a bug.
var errVersion = errors.New("a row has changed since it was read")

// save writes what a batch changed, rows of one table together.
func (s *Store) save(c *conn, book *payment.Book) error {
	changes := &book.Changes
	if err := savePersonalKeys(c, changes); err != nil {
		return err
	}
	persons, err := s.personKeys(c, row.PersonsNamed(changes))
	if err != nil {
		return err
	}
	c.ring.PutPersons(persons)
	for _, change := range changes.Orders {
		if err := saveOrder(c, change); err != nil {
			return err
		}
	}
	for _, change := range changes.Views {
		if err := saveView(c, change); err != nil {
			return err
		}
	}
	for _, write := range []func(*conn, *payment.Changes) error{
		saveKeys, saveAliases, saveFacets, saveResources, savePayouts, s.savePostings, saveDeliveries, finishJobs,
		s.saveJobs, saveCounters,
	} {
		if err := write(c, changes); err != nil {
			return err
		}
	}
	if err := c.ring.Err(); err != nil {
		return err
	}
	return hurryJobs(c, row.Hurries(changes.Deliveries), row.Micros(book.Now))
}

// savePersonalKeys writes the keys of what came to be, and destroys those of
// what is erased, before anything is sealed.
func savePersonalKeys(c *conn, changes *payment.Changes) error {
	const insert = `INSERT INTO personal_key (tenant_id, owner_id, key) VALUES (?, ?, ?)`
	for _, owner := range c.ring.Make(row.Owners(changes)) {
		if _, err := c.exec(insert, ident(owner.Tenant), owner.ID[:], c.ring.Key(owner)); err != nil {
			return err
		}
	}
	return eraseChanges(c, changes)
}

func saveOrder(c *conn, change *payment.OrderChange) error {
	o := change.Order
	if change.Read.Version == 0 {
		_, err := c.exec(`INSERT INTO payment_order (tenant_id, id, home, status, currency, amount, metadata, version,
			created_at, updated_at, personal) VALUES (?, ?, ?, ?, ?, ?, '', ?, ?, ?, ?)`,
			ident(o.Tenant), ident(o.ID), string(o.Home), string(o.Status), string(o.Currency), int64(o.Amount),
			o.Version, row.Micros(o.CreatedAt), row.Micros(o.UpdatedAt), maybeBytes(c.ring.Order(o)))
		return err
	}
	return one(c.exec(`UPDATE payment_order SET status = ?, currency = ?, amount = ?, metadata = '', version = ?,
		updated_at = ?, personal = ? WHERE tenant_id = ? AND id = ? AND version = ?`,
		string(o.Status), string(o.Currency), int64(o.Amount), o.Version, row.Micros(o.UpdatedAt),
		maybeBytes(c.ring.Order(o)),
		ident(o.Tenant), ident(o.ID), change.Read.Version))
}

// one expects a statement to have changed one row.
func one(changed int64, err error) error {
	if err == nil && changed != 1 {
		return errVersion
	}
	return err
}

func saveView(c *conn, change *payment.ViewChange) error {
	if err := savePayment(c, change); err != nil {
		return err
	}
	p, read := change.View.Payment, change.Read
	if err := saveCaptures(c, change); err != nil {
		return err
	}
	if err := saveItems(c, change); err != nil {
		return err
	}
	if err := saveRefunds(c, change); err != nil {
		return err
	}
	for _, attempt := range change.View.Attempts {
		if err := saveAttempt(c, p.Tenant, read, attempt); err != nil {
			return err
		}
	}
	for _, dispute := range change.View.Disputes {
		if err := saveDispute(c, read, dispute); err != nil {
			return err
		}
	}
	return nil
}

func savePayment(c *conn, change *payment.ViewChange) error {
	p, read := change.View.Payment, change.Read.Payment
	if read.Version > 0 && len(p.History) == len(read.History) && p.OrderStatus == read.OrderStatus {
		return one(c.exec(`UPDATE payment SET captured = ?, refunded = ?, reserved = ?, disputed = ?, excess = ?,
			listed = ?, returned = ?, item_count = ?, failures = ?, version = ?, updated_at = ?
			WHERE tenant_id = ? AND id = ? AND version = ?`,
			int64(p.Captured), int64(p.Refunded), int64(p.Reserved), int64(p.Disputed), int64(p.Excess), int64(p.Listed),
			int64(p.Returned), p.ItemCount, p.Failures, p.Version, row.Micros(p.UpdatedAt), ident(p.Tenant), ident(p.ID),
			read.Version))
	}
	detail, sealed := row.PaymentDetail(p), maybeBytes(c.ring.Payment(p))
	if read.Version == 0 {
		_, err := c.exec(`INSERT INTO payment (tenant_id, id, order_id, order_status, home, connector, reference,
			amount, currency, status, captured, refunded, reserved, disputed, excess, listed, returned, item_count, failures,
			expires_at, history, detail, version, created_at, updated_at, personal)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			ident(p.Tenant), ident(p.ID), nullable(p.Order), string(p.OrderStatus), string(p.Home), p.Connector,
			p.Reference, int64(p.Amount.Minor), string(p.Amount.Currency), string(p.Status), int64(p.Captured),
			int64(p.Refunded), int64(p.Reserved), int64(p.Disputed), int64(p.Excess), int64(p.Listed), int64(p.Returned),
			p.ItemCount, p.Failures, row.Micros(p.ExpiresAt), row.History(p.History), detail, p.Version, row.Micros(p.CreatedAt),
			row.Micros(p.UpdatedAt), sealed)
		return err
	}
	return one(c.exec(`UPDATE payment SET order_status = ?, status = ?, captured = ?, refunded = ?, reserved = ?,
		disputed = ?, excess = ?, listed = ?, returned = ?, item_count = ?, failures = ?, expires_at = ?, history = ?,
		detail = ?, version = ?,
		updated_at = ?, personal = ? WHERE tenant_id = ? AND id = ? AND version = ?`,
		string(p.OrderStatus), string(p.Status), int64(p.Captured), int64(p.Refunded), int64(p.Reserved),
		int64(p.Disputed), int64(p.Excess), int64(p.Listed), int64(p.Returned), p.ItemCount, p.Failures,
		row.Micros(p.ExpiresAt), row.History(p.History), detail, p.Version, row.Micros(p.UpdatedAt), sealed, ident(p.Tenant),
		ident(p.ID), read.Version))
}

func saveCaptures(c *conn, change *payment.ViewChange) error {
	const insert = `INSERT INTO capture (tenant_id, payment_id, id, amount, is_final, status, history, reserved, refunded)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`
	const update = `UPDATE capture SET status = ?, history = ?, reserved = ?, refunded = ?
		WHERE tenant_id = ? AND payment_id = ? AND id = ?`
	p := change.View.Payment
	made, changed := row.Captures(change)
	for _, capture := range made {
		if _, err := c.exec(insert, ident(p.Tenant), ident(p.ID), ident(capture.ID), int64(capture.Amount), capture.IsFinal,
			string(capture.Status), row.History(capture.History), int64(capture.Reserved), int64(capture.Refunded)); err != nil {
			return err
		}
	}
	for _, capture := range changed {
		if err := one(c.exec(update, string(capture.Status), row.History(capture.History), int64(capture.Reserved),
			int64(capture.Refunded), ident(p.Tenant), ident(p.ID), ident(capture.ID))); err != nil {
			return err
		}
	}
	return nil
}

// saveItems writes the lines that came to be, the ends of those whose place
// others took, and what refunds have taken of any.
func saveItems(c *conn, change *payment.ViewChange) error {
	const insert = `INSERT INTO item (tenant_id, payment_id, position, name, quantity, unit_amount, tax_rate, tax, total,
		merchant, metadata, tags, since_version, until_version, came_back, personal, reserved_quantity, reserved_amount,
		reserved_tax, refunded_quantity, refunded_amount, refunded_tax)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
	const update = `UPDATE item SET until_version = ?, reserved_quantity = ?, reserved_amount = ?, reserved_tax = ?,
		refunded_quantity = ?, refunded_amount = ?, refunded_tax = ?
		WHERE tenant_id = ? AND payment_id = ? AND position = ?`
	p := change.View.Payment
	made, changed := row.Items(change)
	for _, item := range made {
		of := item.Totals
		if _, err := c.exec(insert, ident(p.Tenant), ident(p.ID), item.Position, item.Name, item.Quantity,
			int64(item.UnitAmount), item.TaxRate, int64(item.Tax), int64(item.Total), item.Merchant, row.Texts(item.Tags),
			item.Since, item.Until, item.CameBack, maybeBytes(c.ring.Item(p.Tenant, p.ID, item.Item)),
			of.Reserved.Quantity, int64(of.Reserved.Amount), int64(of.Reserved.Tax),
			of.Refunded.Quantity, int64(of.Refunded.Amount), int64(of.Refunded.Tax)); err != nil {
			return err
		}
	}
	for _, item := range changed {
		of := item.Totals
		if err := one(c.exec(update, item.Until, of.Reserved.Quantity, int64(of.Reserved.Amount), int64(of.Reserved.Tax),
			of.Refunded.Quantity, int64(of.Refunded.Amount), int64(of.Refunded.Tax),
			ident(p.Tenant), ident(p.ID), item.Position)); err != nil {
			return err
		}
	}
	return nil
}

func saveRefunds(c *conn, change *payment.ViewChange) error {
	made, changed := row.Refunds(change)
	for _, r := range made {
		detail, personal, persons := c.ring.Refund(r)
		if _, err := c.exec(`INSERT INTO refund (tenant_id, id, payment_id, amount, currency, status, needs_review, source,
			door, actor, reference, connector, submitted_at, history, detail, version, created_at, updated_at, reason,
			group_id, personal, batch_id, persons)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			ident(r.Tenant), ident(r.ID), ident(r.Payment), int64(r.Amount.Minor), string(r.Amount.Currency),
			string(r.Status), r.NeedsReview(), string(r.Source), string(r.Door), r.Actor, r.Reference, r.Connector,
			row.Micros(r.SubmittedAt), row.History(r.History), detail, r.Version, row.Micros(r.CreatedAt),
			row.Micros(r.UpdatedAt), r.Reason, nullable(r.Group), maybeBytes(personal), nullable(r.Batch), persons); err != nil {
			return err
		}
	}
	for _, r := range changed {
		detail, personal, persons := c.ring.Refund(r.Refund)
		if err := one(c.exec(`UPDATE refund SET status = ?, needs_review = ?, submitted_at = ?, history = ?, detail = ?,
			version = ?, updated_at = ?, personal = ?, persons = ? WHERE tenant_id = ? AND id = ? AND version = ?`,
			string(r.Status), r.NeedsReview(), row.Micros(r.SubmittedAt), row.History(r.History), detail, r.Version,
			row.Micros(r.UpdatedAt), maybeBytes(personal), persons, ident(r.Tenant), ident(r.ID), r.Read)); err != nil {
			return err
		}
	}
	return nil
}

func saveAttempt(c *conn, tenant payment.TenantID, read payment.View, a payment.Attempt) error {
	at := slices.IndexFunc(read.Attempts, func(r payment.Attempt) bool { return r.ID == a.ID })
	if at < 0 {
		_, err := c.exec(`INSERT INTO attempt (tenant_id, refund_id, number, id, connector, outcome, started_at,
			ended_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`, ident(tenant), ident(a.Refund), a.Number, ident(a.ID),
			a.Connector, string(a.Outcome), row.Micros(a.StartedAt), row.Micros(a.EndedAt))
		return err
	}
	if read.Attempts[at].Outcome == a.Outcome {
		return nil
	}
	return one(c.exec(`UPDATE attempt SET outcome = ?, ended_at = ?
		WHERE tenant_id = ? AND refund_id = ? AND number = ?`, string(a.Outcome), row.Micros(a.EndedAt),
		ident(tenant), ident(a.Refund), a.Number))
}

func saveDispute(c *conn, read payment.View, d payment.Dispute) error {
	before, existed := read.Dispute(d.ID)
	if existed && before.Version == d.Version {
		return nil
	}
	if !existed {
		_, err := c.exec(`INSERT INTO dispute (tenant_id, id, payment_id, kind, amount, currency, status, history,
			connector, processor_ref, reason, double_loss, version, created_at, updated_at)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			ident(d.Tenant), ident(d.ID), ident(d.Payment), string(d.Kind), int64(d.Amount.Minor),
			string(d.Amount.Currency), string(d.Status), row.History(d.History), d.Connector, d.ProcessorRef,
			d.Reason, int64(d.DoubleLoss), d.Version, row.Micros(d.CreatedAt), row.Micros(d.UpdatedAt))
		return err
	}
	return one(c.exec(`UPDATE dispute SET status = ?, history = ?, version = ?, updated_at = ?
		WHERE tenant_id = ? AND id = ? AND version = ?`, string(d.Status), row.History(d.History), d.Version,
		row.Micros(d.UpdatedAt), ident(d.Tenant), ident(d.ID), before.Version))
}

func saveKeys(c *conn, changes *payment.Changes) error {
	const insert = `INSERT INTO idempotency_key (tenant_id, hash, fingerprint, subject_id, payment_id, version,
		created_at) VALUES (?, ?, ?, ?, ?, ?, ?)`
	for _, k := range changes.Keys {
		if _, err := c.exec(insert, ident(k.Tenant), k.Hash[:], k.Fingerprint[:], k.Subject[:], ident(k.Payment),
			k.Version, row.Micros(k.At)); err != nil {
			return err
		}
	}
	return nil
}

// saveAliases writes aliases. Those that were looked up are free; one that was
// not may be taken, and then the batch runs again with other ids.
func saveAliases(c *conn, changes *payment.Changes) error {
	const insert = `INSERT INTO alias (tenant_id, kind, value, subject_id) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING`
	for _, a := range changes.Aliases {
		made, err := c.exec(insert, ident(a.Tenant), a.Alias.Kind, a.Alias.Value, a.Subject[:])
		if err != nil {
			return err
		}
		if made == 0 {
			return fmt.Errorf("%w: an alias is taken", engine.ErrLostRace)
		}
	}
	return nil
}

func saveFacets(c *conn, changes *payment.Changes) error {
	const insert = `INSERT INTO facet (tenant_id, payment_id, subject_id, door, version, body, personal)
		VALUES (?, ?, ?, ?, ?, ?, ?)`
	for _, f := range changes.Facets {
		open, sealed := c.ring.Facet(f)
		if _, err := c.exec(insert, ident(f.Tenant), ident(f.Payment), f.Facet.Subject[:], string(f.Facet.Door),
			f.Facet.Version, notNull(open), maybeBytes(sealed)); err != nil {
			return err
		}
	}
	return nil
}

func saveResources(c *conn, changes *payment.Changes) error {
	const put = `INSERT INTO resource (` + resourceColumns + `) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (tenant_id, door, kind, id) DO UPDATE SET body = excluded.body`
	for _, r := range changes.Resources {
		if _, err := c.exec(put, ident(r.Tenant), string(r.Door), string(r.Kind), ident(r.ID), notNull(r.Body),
			row.Micros(r.CreatedAt)); err != nil {
			return err
		}
	}
	const remove = `DELETE FROM resource WHERE tenant_id = ? AND door = ? AND kind = ? AND id = ?`
	for _, r := range changes.Removed {
		if _, err := c.exec(remove, ident(r.Tenant), string(r.Door), string(r.Kind), ident(r.ID)); err != nil {
			return err
		}
	}
	return nil
}

func savePayouts(c *conn, changes *payment.Changes) error {
	const insert = `INSERT INTO payout (` + payoutColumns + `) VALUES (?, ?, ?, ?, ?, ?, ?)`
	for _, p := range changes.Payouts {
		if _, err := c.exec(insert, ident(p.Tenant), ident(p.ID), ident(p.Order), p.Merchant, int64(p.Amount.Minor),
			string(p.Amount.Currency), row.Micros(p.At)); err != nil {
			return err
		}
	}
	return nil
}

// savePostings writes postings with the number of the commit that is under way:
// with one writer it is known.
func (s *Store) savePostings(c *conn, changes *payment.Changes) error {
	const insert = `INSERT INTO posting (tenant_id, subject_id, version, number, payment_id, cause, debit, credit,
		amount, currency, at, commit_number) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
	for _, change := range changes.Entries {
		entry := change.Entry
		for n, p := range entry.Postings {
			if _, err := c.exec(insert, ident(change.Tenant), entry.Subject[:], entry.Version, n,
				ident(change.Payment), string(entry.Cause), string(p.Debit), string(p.Credit), int64(p.Amount.Minor),
				string(p.Amount.Currency), row.Micros(entry.At), s.last.Number+1); err != nil {
				return err
			}
		}
	}
	return nil
}

func saveDeliveries(c *conn, changes *payment.Changes) error {
	const insert = `INSERT INTO delivery (tenant_id, id, endpoint_id, door, url, kind, payment_id, subject_id,
		version, event_at, word, detail, status, attempts, first_at, ended_at, body)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'open', 0, 0, 0, NULL)`
	for _, d := range changes.Deliveries {
		e := d.Event
		if _, err := c.exec(insert, ident(e.Tenant), ident(d.ID), ident(d.Endpoint.ID), string(d.Endpoint.Door),
			d.Endpoint.URL, string(e.Kind), ident(e.Payment), e.Subject[:], e.Version, row.Micros(e.At),
			d.Word, e.Detail); err != nil {
			return err
		}
	}
	return nil
}
