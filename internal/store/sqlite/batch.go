package sqlite

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/refundry/refundry/internal/batch"
	"github.com/refundry/refundry/internal/engine"
	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/store/row"
)

// ChangeBatch implements [batch.Store].
func (s *Store) ChangeBatch(_ context.Context, tenant payment.TenantID, id batch.ID, rows []int64,
	decide func(*payment.Book, batch.Batch, []batch.Row) (batch.Change, error),
) error {
	err := s.write(func(c *conn) error {
		book := payment.NewBook(s.config.Now(), s.config.NewID)
		known, err := s.tenant(c, tenant)
		if err != nil {
			return err
		}
		book.PutTenant(known)
		before, err := findBatch(c, tenant, id)
		if err != nil {
			return err
		}
		named, err := findBatchRows(c, tenant, id, rows)
		if err != nil {
			return err
		}
		change, err := decide(book, before, named)
		if err != nil {
			return err
		}
		if err := s.batchKey(c, change); err != nil {
			return fmt.Errorf("key of a batch: %w", err)
		}
		if err := saveBatch(c, before, change); err != nil {
			return fmt.Errorf("save batch: %w", err)
		}
		if err := s.save(c, book); err != nil {
			return fmt.Errorf("save: %w", err)
		}
		if len(book.Changes.Tellings) == 0 {
			return nil // nothing that the audit trail tells
		}
		return s.seal(c, s.config.NewID(), book.Now, row.FactsOf(book.Changes))
	})
	if errors.Is(err, engine.ErrUncertain) {
		return fmt.Errorf("%w: %w", engine.ErrFateUnknown, err)
	}
	return err
}

const batchColumns = `tenant_id, id, status, pause, reference, is_dry_run, per_second, caps, pauses_on_failure,
	received, waiting, refunded, allowed, refused, invalid, skipped, sums, full_currencies, bytes, passed,
	next_at, created_by, started_by, started_for, version, created_at, updated_at, started_at, ended_at,
	personal`

// batchKeyColumn is what of a batch is sealed under.
const batchKeyColumn = `, (SELECT key FROM personal_key k WHERE k.tenant_id = batch.tenant_id AND k.owner_id = batch.id)`

func scanBatch(r *cells) (batch.Batch, error) {
	b := batch.Batch{Tenant: r.uuid(), ID: r.uuid(), Status: batch.Status(r.text()), Pause: batch.Pause(r.text())}
	b.Reference, b.IsDryRun, b.PerSecond = r.text(), r.bool(), int(r.int())
	texts := row.BatchTexts{Caps: r.text()}
	b.PausesOnFailure = r.bool()
	r.int() // received: the sum of what follows
	b.Counts = batch.Counts{
		Waiting: r.int(), Refunded: r.int(), Allowed: r.int(), Refused: r.int(), Invalid: r.int(), Skipped: r.int(),
	}
	texts.Sums, texts.Full = r.text(), r.text()
	b.Bytes, b.Passed, b.NextAt, b.CreatedBy = r.int(), r.int(), row.Time(r.int()), r.text()
	b.StartedBy, b.StartedFor, b.Version = r.text(), r.text(), r.int()
	b.CreatedAt, b.UpdatedAt, b.StartedAt, b.EndedAt = row.Time(r.int()), row.Time(r.int()), row.Time(r.int()), row.Time(r.int())
	sealed, key := r.maybe(), r.key()
	if r.err != nil {
		return b, r.err
	}
	return b, errors.Join(texts.Parse(&b), key.OpenBatch(&b, sealed))
}

// findBatch returns a batch, the zero one if there is none.
func findBatch(c *conn, tenant payment.TenantID, id batch.ID) (found batch.Batch, err error) {
	const query = `SELECT ` + batchColumns + batchKeyColumn + ` FROM batch WHERE tenant_id = ? AND id = ?`
	err = c.query(query, []any{ident(tenant), ident(id)}, func(r *cells) (err error) {
		found, err = scanBatch(r)
		return err
	})
	return found, err
}

// batchKey gets the key under which the rows of a batch are sealed, makes it when
// the first of them come, and destroys it once nobody needs what they say.
func (s *Store) batchKey(c *conn, change batch.Change) error {
	owner := row.Owner{Tenant: change.Batch.Tenant, ID: change.Batch.ID}
	if row.NeedsBatchKey(change) {
		key, err := s.personalKey(c, owner)
		if err != nil {
			return err
		}
		c.ring.Put(owner, key)
	}
	if !change.Batch.IsOver() {
		return nil
	}
	removed, err := c.exec(`DELETE FROM personal_key WHERE tenant_id = ? AND owner_id = ?`, ident(owner.Tenant), owner.ID[:])
	if removed > 0 {
		c.ring.Destroy([]row.Erasure{{Owner: owner}})
	}
	return err
}

// saveBatch writes what has become of a batch and its rows.
func saveBatch(c *conn, before batch.Batch, change batch.Change) error {
	if err := putBatch(c, before, change.Batch); err != nil {
		return err
	}
	if err := addBatchRows(c, change); err != nil {
		return err
	}
	b := change.Batch
	const update = `UPDATE batch_row SET status = ?, key = ?, body = ?, is_sealed = ?, payment_id = ?, refund_id = ?, amount = ?,
		currency = ?, reason = ? WHERE tenant_id = ? AND batch_id = ? AND number = ?`
	for _, r := range change.Rows {
		args := append(batchRowArgs(c, b, r), ident(b.Tenant), ident(b.ID), r.Number)
		if err := one(c.exec(update, args...)); err != nil {
			return err
		}
	}
	if change.Skip.Rows == 0 {
		return nil
	}
	const skip = `UPDATE batch_row SET status = 'skipped', body = NULL, is_sealed = 0, reason = ?
		WHERE tenant_id = ?2 AND batch_id = ?3 AND number IN (SELECT number FROM batch_row INDEXED BY batch_row_waiting
			WHERE tenant_id = ?2 AND batch_id = ?3 AND status = 'waiting' ORDER BY number LIMIT ?4)`
	skipped, err := c.exec(skip, row.Reason(change.Skip.Reason), ident(b.Tenant), ident(b.ID), change.Skip.Rows)
	if err == nil && skipped != change.Skip.Rows {
		return errVersion
	}
	return err
}

func putBatch(c *conn, before, b batch.Batch) error {
	texts := row.TextsOfBatch(b)
	n := b.Counts
	args := []any{
		ident(b.Tenant), ident(b.ID), string(b.Status), string(b.Pause), b.Reference, b.IsDryRun, b.PerSecond, texts.Caps,
		b.PausesOnFailure, b.Received(), n.Waiting, n.Refunded, n.Allowed, n.Refused, n.Invalid, n.Skipped,
		texts.Sums, texts.Full, b.Bytes, b.Passed, row.Micros(b.NextAt), b.CreatedBy, b.StartedBy, "", b.Version,
		row.Micros(b.CreatedAt), row.Micros(b.UpdatedAt), row.Micros(b.StartedAt), row.Micros(b.EndedAt),
		maybeBytes(c.ring.Batch(b)),
	}
	if before.Version == 0 {
		_, err := c.exec(`INSERT INTO batch (`+batchColumns+`)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, args...)
		return err
	}
	return one(c.exec(`UPDATE batch SET status = ?3, pause = ?4, received = ?10, waiting = ?11, refunded = ?12,
		allowed = ?13, refused = ?14, invalid = ?15, skipped = ?16, sums = ?17, full_currencies = ?18, bytes = ?19,
		passed = ?20, next_at = ?21, started_by = ?23, started_for = ?24, version = ?25, updated_at = ?27, started_at = ?28,
		ended_at = ?29, personal = ?30 WHERE tenant_id = ?1 AND id = ?2 AND version = ?31`, append(args, before.Version)...))
}

// batchRowArgs are the columns of a row, from its status on.
func batchRowArgs(c *conn, b batch.Batch, r batch.Row) []any {
	var key any
	if r.Key != "" {
		key = r.Key
	}
	sealed := c.ring.BatchRow(b, r)
	return []any{
		string(r.Status), key, maybeBytes(sealed), sealed != nil, nullable(r.Payment), nullable(r.Refund), int64(r.Amount.Minor),
		string(r.Amount.Currency), row.Reason(r.Reason),
	}
}

// addBatchRows writes rows that have come.
func addBatchRows(c *conn, change batch.Change) error {
	const insert = `INSERT INTO batch_row (status, key, body, is_sealed, payment_id, refund_id, amount, currency, reason,
		tenant_id, batch_id, number) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
	for _, r := range change.Add {
		args := append(batchRowArgs(c, change.Batch, r), ident(change.Batch.Tenant), ident(change.Batch.ID), r.Number)
		if _, err := c.exec(insert, args...); err != nil {
			return err
		}
	}
	return nil
}

const batchRowColumns = `number, status, key, payment_id, refund_id, amount, currency, reason`

func scanBatchRow(r *cells) (found batch.Row, err error) {
	found = batch.Row{Number: r.int(), Status: batch.RowStatus(r.text()), Key: r.maybeText()}
	found.Payment, found.Refund = r.uuid(), r.uuid()
	found.Amount = money.Of(money.Minor(r.int()), money.Currency(r.text()))
	reason := r.text()
	if r.err != nil {
		return found, r.err
	}
	found.Reason, err = row.ParseReason(reason)
	return found, err
}

// maybeText reads a text; NULL is empty.
func (c *cells) maybeText() string {
	if c.values[c.next] == nil {
		c.next++
		return ""
	}
	return c.text()
}

// findBatchRows returns the rows that are named, without their bodies.
func findBatchRows(c *conn, tenant payment.TenantID, id batch.ID, numbers []int64) ([]batch.Row, error) {
	const query = `SELECT ` + batchRowColumns + ` FROM batch_row WHERE tenant_id = ? AND batch_id = ? AND number = ?`
	rows := make([]batch.Row, 0, len(numbers))
	for _, number := range numbers {
		err := c.query(query, []any{ident(tenant), ident(id), number}, func(r *cells) error {
			found, err := scanBatchRow(r)
			rows = append(rows, found)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return rows, nil
}

// Batch implements [batch.Store].
func (s *Store) Batch(_ context.Context, tenant payment.TenantID, id batch.ID) (found batch.Batch, err error) {
	err = s.read(func(c *conn) (err error) {
		found, err = findBatch(c, tenant, id)
		return err
	})
	if err == nil && found.Version == 0 {
		err = payment.NoSuch("batch")
	}
	return found, err
}

// Batches implements [batch.Store].
func (s *Store) Batches(_ context.Context, tenant payment.TenantID, filter batch.Filter) (list []batch.Batch, err error) {
	q := &question{}
	q.add(`SELECT `+batchColumns+batchKeyColumn+` FROM batch WHERE tenant_id = ?`, ident(tenant))
	if len(filter.Statuses) > 0 {
		q.add(` AND status IN (SELECT value FROM json_each(?))`, row.Texts(filter.Statuses))
	}
	q.page("created_at", time.Time{}, time.Time{}, filter.After, filter.Limit)
	err = s.read(func(c *conn) (err error) {
		list, err = ask(c, q, scanBatch)
		return err
	})
	return list, err
}

// BatchRows implements [batch.Store].
func (s *Store) BatchRows(_ context.Context, tenant payment.TenantID, id batch.ID, after int64, limit int,
) (rows []batch.Seen, err error) {
	const query = `SELECT ` + batchRowColumns + `,
			(SELECT reference FROM payment WHERE tenant_id = b.tenant_id AND id = b.payment_id),
			(SELECT CASE WHEN r.group_id IS NULL THEN r.status ELSE
				(SELECT CASE WHEN min(g.status) < max(g.status) THEN 'mixed' ELSE min(g.status) END
					FROM refund g INDEXED BY refund_by_group WHERE g.tenant_id = r.tenant_id AND g.group_id = r.group_id) END
				FROM refund r WHERE r.tenant_id = b.tenant_id AND r.id = b.refund_id)
		FROM batch_row b WHERE tenant_id = ? AND batch_id = ? AND number > ? ORDER BY number LIMIT ?`
	err = s.read(func(c *conn) error {
		return c.query(query, []any{ident(tenant), ident(id), after, limit}, func(r *cells) error {
			row, err := scanBatchRow(r)
			rows = append(rows, batch.Seen{
				Row: row, PaymentReference: r.maybeText(), RefundStatus: payment.RefundStatus(r.maybeText()),
			})
			return err
		})
	})
	return rows, err
}

// WaitingRows implements [batch.Store].
func (s *Store) WaitingRows(_ context.Context, tenant payment.TenantID, id batch.ID, after int64, limit, bytes int,
) ([]batch.Row, error) {
	const query = `SELECT ` + batchRowColumns + batchRowText + ` FROM batch_row INDEXED BY batch_row_waiting
		WHERE tenant_id = ? AND batch_id = ? AND number > ? AND status = 'waiting' ORDER BY number LIMIT ?`
	return s.batchRows(query, id, bytes, ident(tenant), ident(id), after, limit)
}

// AllowedRows implements [batch.Store].
func (s *Store) AllowedRows(_ context.Context, tenant payment.TenantID, id batch.ID, of payment.PaymentID, limit int,
) ([]batch.Row, error) {
	const query = `SELECT ` + batchRowColumns + batchRowText + ` FROM batch_row INDEXED BY batch_row_allowed
		WHERE tenant_id = ? AND batch_id = ? AND payment_id = ? AND status = 'allowed' ORDER BY number LIMIT ?`
	return s.batchRows(query, id, batch.BytesMax, ident(tenant), ident(id), ident(of), limit)
}

// errEnough ends a question early.
var errEnough = errors.New("enough")

// batchRowText is what a row says, and what it was sealed under.
const batchRowText = `, body, is_sealed,
	(SELECT key FROM personal_key k WHERE k.tenant_id = batch_row.tenant_id AND k.owner_id = batch_row.batch_id)`

// batchRows reads rows, with their bodies up to so many bytes.
func (s *Store) batchRows(query string, of batch.ID, bytes int, args ...any) (rows []batch.Row, err error) {
	err = s.read(func(c *conn) error {
		left := bytes
		return c.query(query, args, func(r *cells) error {
			found, err := scanBatchRow(r)
			if err != nil {
				return err
			}
			body, isSealed, key := r.maybe(), r.bool(), r.key()
			err = key.OpenBatchRow(of, &found, body, isSealed)
			left -= len(found.Body)
			rows = append(rows, found)
			if err == nil && left <= 0 {
				return errEnough
			}
			return err
		})
	})
	if errors.Is(err, errEnough) {
		err = nil
	}
	return rows, err
}

// TakenRowKeys implements [batch.Store].
func (s *Store) TakenRowKeys(_ context.Context, tenant payment.TenantID, id batch.ID, keys []string) ([]string, error) {
	const query = `SELECT key FROM batch_row INDEXED BY batch_row_by_key
		WHERE tenant_id = ? AND batch_id = ? AND key = ? AND status <> 'invalid'`
	var taken []string
	err := s.read(func(c *conn) error {
		for _, key := range keys {
			err := c.query(query, []any{ident(tenant), ident(id), key}, func(r *cells) error {
				taken = append(taken, r.text())
				return nil
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	return taken, err
}
