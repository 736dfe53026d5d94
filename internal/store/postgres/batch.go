package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/refundry/refundry/internal/batch"
	"github.com/refundry/refundry/internal/engine"
	"github.com/refundry/refundry/internal/fault"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/store/row"
)

// ChangeBatch implements [batch.Store]. Everybody locks the batch first, then
// jobs, then the chain of commits.
func (s *Store) ChangeBatch(ctx context.Context, tenant payment.TenantID, id batch.ID, rows []int64,
	decide func(*payment.Book, batch.Batch, []batch.Row) (batch.Change, error),
) error {
	err := s.inTx(ctx, pgx.TxOptions{}, func(tx pgx.Tx) error {
		book := payment.NewBook(s.config.Now(), s.config.NewID)
		before, err := lockBatch(ctx, tx, tenant, id)
		if err != nil {
			return err
		}
		known, err := findTenant(ctx, tx, tenant)
		if err != nil {
			return err
		}
		book.PutTenant(known)
		named, err := findBatchRows(ctx, tx, tenant, id, rows)
		if err != nil {
			return err
		}
		change, err := decide(book, before, named)
		if err != nil {
			return err
		}
		w := &writer{ring: row.NewRing(s.config.Random)}
		if err := s.batchKey(ctx, tx, w, change); err != nil {
			return err
		}
		w.batch(before, change.Batch)
		w.addBatchRows(change.Batch, change.Add)
		w.changeBatchRows(change.Batch, change.Rows)
		w.skipBatchRows(change.Batch, change.Skip)
		w.keys(book.Changes.Keys)
		w.deliveries(book.Changes.Deliveries)
		w.jobs(book.Changes.Tasks, s.config.Lease.Microseconds())
		if err := w.ring.Err(); err != nil {
			return err
		}
		if len(book.Changes.Tellings) > 0 {
			return s.sendSealed(ctx, tx, w, s.config.NewID(), row.FactsOf(book.Changes))
		}
		return tx.SendBatch(ctx, &w.pipe).Close()
	})
	switch {
	case errors.Is(err, engine.ErrUncertain):
		return fmt.Errorf("%w: %w", engine.ErrFateUnknown, err)
	case errors.Is(raced(err), engine.ErrLostRace):
		return fault.Wrap(err, fault.Unavailable, "somebody else was faster; nothing was done")
	default:
		return err
	}
}

// batchKey gets the key under which the rows of a batch are sealed, makes it when
// the first of them come, and destroys it once nobody needs what they say.
func (s *Store) batchKey(ctx context.Context, tx pgx.Tx, w *writer, change batch.Change) error {
	owner := row.Owner{Tenant: change.Batch.Tenant, ID: change.Batch.ID}
	if row.NeedsBatchKey(change) {
		read := &writer{}
		keys, err := read.persons([]row.Owner{owner}, s.config.Random)
		if err != nil {
			return err
		}
		if err := tx.SendBatch(ctx, &read.pipe).Close(); err != nil {
			return err
		}
		w.ring.Put(owner, keys[owner])
	}
	if change.Batch.IsOver() {
		w.pipe.Queue(`DELETE FROM personal_key WHERE tenant_id = $1 AND owner_id = $2`, pgUUID(owner.Tenant), pgUUID(owner.ID))
		w.ring.Destroy([]row.Erasure{{Owner: owner}})
	}
	return nil
}

const batchColumns = `tenant_id, id, status, pause, reference, is_dry_run, per_second, caps, pauses_on_failure,
	received, waiting, refunded, allowed, refused, invalid, skipped, sums, full_currencies, bytes, passed,
	next_at, created_by, started_by, started_for, version, created_at, updated_at, started_at, ended_at,
	personal, (SELECT key FROM personal_key k WHERE k.tenant_id = batch.tenant_id AND k.owner_id = batch.id)`

func scanBatch(r scanner) (b batch.Batch, err error) {
	var texts row.BatchTexts
	var sealed, key []byte
	var received, nextAt, createdAt, updatedAt, startedAt, endedAt int64
	n := &b.Counts
	if err := r.Scan(raw(&b.Tenant), raw(&b.ID), &b.Status, &b.Pause, &b.Reference, &b.IsDryRun, &b.PerSecond, &texts.Caps,
		&b.PausesOnFailure, &received, &n.Waiting, &n.Refunded, &n.Allowed, &n.Refused, &n.Invalid,
		&n.Skipped, &texts.Sums, &texts.Full, &b.Bytes, &b.Passed, &nextAt, &b.CreatedBy, &b.StartedBy, &b.StartedFor,
		&b.Version, &createdAt,
		&updatedAt, &startedAt, &endedAt, &sealed, &key); err != nil {
		return b, err
	}
	b.NextAt, b.CreatedAt, b.UpdatedAt = row.Time(nextAt), row.Time(createdAt), row.Time(updatedAt)
	b.StartedAt, b.EndedAt = row.Time(startedAt), row.Time(endedAt)
	return b, errors.Join(texts.Parse(&b), row.PersonalKey(key).OpenBatch(&b, sealed))
}

// lockBatch returns a batch, locked; the zero one if there is none. It is read by
// a statement of its own: the one that waited for the lock might not see its key.
func lockBatch(ctx context.Context, tx pgx.Tx, tenant payment.TenantID, id batch.ID) (batch.Batch, error) {
	const lock = `SELECT FROM batch WHERE tenant_id = $1 AND id = $2 FOR UPDATE`
	if _, err := tx.Exec(ctx, lock, pgUUID(tenant), pgUUID(id)); err != nil {
		return batch.Batch{}, err
	}
	found, err := scanBatch(tx.QueryRow(ctx, `SELECT `+batchColumns+` FROM batch WHERE tenant_id = $1 AND id = $2`,
		pgUUID(tenant), pgUUID(id)))
	if errors.Is(err, pgx.ErrNoRows) {
		return batch.Batch{}, nil
	}
	return found, err
}

// batch writes a batch: a new one, or what has become of one that is locked.
func (w *writer) batch(before, b batch.Batch) {
	texts := row.TextsOfBatch(b)
	n := b.Counts
	args := []any{
		pgUUID(b.Tenant), pgUUID(b.ID), string(b.Status), string(b.Pause), b.Received(), n.Waiting, n.Refunded, n.Allowed,
		n.Refused, n.Invalid, n.Skipped, texts.Sums, texts.Full, b.Bytes, b.Passed, row.Micros(b.NextAt),
		b.StartedBy, w.ring.Batch(b), b.Version, row.Micros(b.UpdatedAt), row.Micros(b.StartedAt), row.Micros(b.EndedAt),
	}
	if before.Version > 0 {
		w.exactly(1, errVersion, `UPDATE batch SET status = $3, pause = $4, received = $5, waiting = $6, refunded = $7,
			allowed = $8, refused = $9, invalid = $10, skipped = $11, sums = $12, full_currencies = $13, bytes = $14,
			passed = $15, next_at = $16, started_by = $17, started_for = '', personal = $18, version = $19, updated_at = $20,
			started_at = $21, ended_at = $22 WHERE tenant_id = $1 AND id = $2 AND version = $23`, append(args, before.Version)...)
		return
	}
	w.pipe.Queue(`INSERT INTO batch (tenant_id, id, status, pause, received, waiting, refunded, allowed, refused, invalid,
			skipped, sums, full_currencies, bytes, passed, next_at, started_by, personal, version, updated_at, started_at,
			ended_at,
			reference, is_dry_run, per_second, caps, pauses_on_failure, created_by, created_at, started_for)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23,
			$24, $25, $26, $27, $28, $29, '')`,
		append(args, b.Reference, b.IsDryRun, b.PerSecond, texts.Caps, b.PausesOnFailure, b.CreatedBy,
			row.Micros(b.CreatedAt))...)
}

// batchRowArgs are the columns of rows, from their numbers on. Empty texts and
// bodies are NULL where they can be.
func (w *writer) batchRowArgs(b batch.Batch, rows []batch.Row) []any {
	return []any{
		pgUUID(b.Tenant), pgUUID(b.ID),
		col(rows, func(r batch.Row) int64 { return r.Number }),
		col(rows, func(r batch.Row) string { return string(r.Status) }),
		col(rows, func(r batch.Row) string { return r.Key }),
		col(rows, func(r batch.Row) []byte { return w.ring.BatchRow(b, r) }),
		maybeIDs(rows, func(r batch.Row) [16]byte { return r.Payment }),
		maybeIDs(rows, func(r batch.Row) [16]byte { return r.Refund }),
		col(rows, func(r batch.Row) int64 { return int64(r.Amount.Minor) }),
		col(rows, func(r batch.Row) string { return string(r.Amount.Currency) }),
		col(rows, func(r batch.Row) string { return row.Reason(r.Reason) }),
	}
}

const batchRowArrays = `unnest($3::bigint[], $4::text[], $5::text[], $6::bytea[], $7::uuid[], $8::uuid[], $9::bigint[],
	$10::text[], $11::text[]) AS r (number, status, key, body, payment_id, refund_id, amount, currency, reason)`

// addBatchRows writes rows that have come.
func (w *writer) addBatchRows(b batch.Batch, rows []batch.Row) {
	if len(rows) == 0 {
		return
	}
	w.pipe.Queue(`INSERT INTO batch_row (tenant_id, batch_id, number, status, key, body, is_sealed, payment_id, refund_id,
			amount, currency, reason)
		SELECT $1, $2, number, status, nullif(key, ''), body, body IS NOT NULL, payment_id, refund_id, amount, currency, reason
		FROM `+batchRowArrays, w.batchRowArgs(b, rows)...)
}

// changeBatchRows writes what came of rows.
func (w *writer) changeBatchRows(b batch.Batch, rows []batch.Row) {
	if len(rows) == 0 {
		return
	}
	w.exactly(len(rows), errVersion, `UPDATE batch_row SET status = r.status, key = nullif(r.key, ''), body = r.body,
			is_sealed = r.body IS NOT NULL, payment_id = r.payment_id, refund_id = r.refund_id, amount = r.amount,
			currency = r.currency, reason = r.reason
		FROM `+batchRowArrays+`
		WHERE batch_row.tenant_id = $1 AND batch_row.batch_id = $2 AND batch_row.number = r.number`,
		w.batchRowArgs(b, rows)...)
}

// skipBatchRows skips the first rows that wait.
func (w *writer) skipBatchRows(b batch.Batch, skip batch.Skipping) {
	if skip.Rows == 0 {
		return
	}
	w.exactly(int(skip.Rows), errVersion, `UPDATE batch_row SET status = 'skipped', body = NULL, is_sealed = false, reason = $3
		WHERE tenant_id = $1 AND batch_id = $2 AND number IN (SELECT number FROM batch_row
			WHERE tenant_id = $1 AND batch_id = $2 AND status = 'waiting' ORDER BY number LIMIT $4)`,
		pgUUID(b.Tenant), pgUUID(b.ID), row.Reason(skip.Reason), skip.Rows)
}

const batchRowColumns = `number, status, coalesce(key, ''), payment_id, refund_id, amount, currency, reason`

// scanBatchRow reads a row, and its body where the question asks for it.
func scanBatchRow(r scanner, more ...any) (found batch.Row, err error) {
	var paid, refunded *[16]byte
	var reason string
	if err := r.Scan(append([]any{
		&found.Number, &found.Status, &found.Key, &paid, &refunded, &found.Amount.Minor, &found.Amount.Currency, &reason,
	}, more...)...); err != nil {
		return found, err
	}
	if paid != nil {
		found.Payment = *paid
	}
	if refunded != nil {
		found.Refund = *refunded
	}
	found.Reason, err = row.ParseReason(reason)
	return found, err
}

// findBatchRows returns the rows that are named, without their bodies.
func findBatchRows(ctx context.Context, tx pgx.Tx, tenant payment.TenantID, id batch.ID, numbers []int64,
) ([]batch.Row, error) {
	if len(numbers) == 0 {
		return nil, nil
	}
	q := &question{}
	q.add(`SELECT `+batchRowColumns+` FROM batch_row WHERE tenant_id = ? AND batch_id = ? AND number = ANY(?)`,
		pgUUID(tenant), pgUUID(id), numbers)
	return ask(ctx, tx, q, func(r scanner) (batch.Row, error) { return scanBatchRow(r) })
}

// batchRowText is what a row says, and what it was sealed under.
const batchRowText = `, body, is_sealed,
	(SELECT key FROM personal_key k WHERE k.tenant_id = batch_row.tenant_id AND k.owner_id = batch_row.batch_id)`

// batchRows reads rows, with their bodies up to so many bytes.
func batchRows(ctx context.Context, db querier, of batch.ID, bytes int, query string, args ...any) (all []batch.Row, err error) {
	rows, err := db.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	left := bytes
	for rows.Next() {
		var body, key []byte
		var isSealed bool
		found, err := scanBatchRow(rows, &body, &isSealed, &key)
		if err != nil {
			return nil, err
		}
		if err := row.PersonalKey(key).OpenBatchRow(of, &found, body, isSealed); err != nil {
			return nil, err
		}
		all = append(all, found)
		if left -= len(found.Body); left <= 0 {
			return all, nil // enough: the others wait
		}
	}
	return all, rows.Err()
}

// Batch implements [batch.Store].
func (s *Store) Batch(ctx context.Context, tenant payment.TenantID, id batch.ID) (batch.Batch, error) {
	found, err := scanBatch(s.pool.QueryRow(ctx, `SELECT `+batchColumns+` FROM batch WHERE tenant_id = $1 AND id = $2`,
		pgUUID(tenant), pgUUID(id)))
	if errors.Is(err, pgx.ErrNoRows) {
		return batch.Batch{}, payment.NoSuch("batch")
	}
	return found, unavailable(err)
}

// Batches implements [batch.Store].
func (s *Store) Batches(ctx context.Context, tenant payment.TenantID, filter batch.Filter) ([]batch.Batch, error) {
	q := &question{}
	q.add(`SELECT `+batchColumns+` FROM batch WHERE tenant_id = ?`, pgUUID(tenant))
	if len(filter.Statuses) > 0 {
		q.add(` AND status = ANY(?)`, texts(filter.Statuses))
	}
	q.page("created_at", time.Time{}, time.Time{}, filter.After, filter.Limit)
	list, err := ask(ctx, s.pool, q, scanBatch)
	return list, unavailable(err)
}

// BatchRows implements [batch.Store].
func (s *Store) BatchRows(ctx context.Context, tenant payment.TenantID, id batch.ID, after int64, limit int,
) ([]batch.Seen, error) {
	q := &question{}
	q.add(`SELECT `+batchRowColumns+`,
			coalesce((SELECT reference FROM payment WHERE tenant_id = b.tenant_id AND id = b.payment_id), ''),
			coalesce((SELECT CASE WHEN r.group_id IS NULL THEN r.status ELSE
				(SELECT CASE WHEN min(g.status) < max(g.status) THEN 'mixed' ELSE min(g.status) END
					FROM refund g WHERE g.tenant_id = r.tenant_id AND g.group_id = r.group_id) END
				FROM refund r WHERE r.tenant_id = b.tenant_id AND r.id = b.refund_id), '')
		FROM batch_row b WHERE tenant_id = ? AND batch_id = ? AND number > ? ORDER BY number LIMIT ?`,
		pgUUID(tenant), pgUUID(id), after, limit)
	rows, err := ask(ctx, s.pool, q, func(r scanner) (seen batch.Seen, err error) {
		seen.Row, err = scanBatchRow(r, &seen.PaymentReference, &seen.RefundStatus)
		return seen, err
	})
	return rows, unavailable(err)
}

// WaitingRows implements [batch.Store].
func (s *Store) WaitingRows(ctx context.Context, tenant payment.TenantID, id batch.ID, after int64, limit, bytes int,
) ([]batch.Row, error) {
	rows, err := batchRows(ctx, s.pool, id, bytes, `SELECT `+batchRowColumns+batchRowText+` FROM batch_row
		WHERE tenant_id = $1 AND batch_id = $2 AND number > $3 AND status = 'waiting' ORDER BY number LIMIT $4`,
		pgUUID(tenant), pgUUID(id), after, limit)
	return rows, unavailable(err)
}

// AllowedRows implements [batch.Store].
func (s *Store) AllowedRows(ctx context.Context, tenant payment.TenantID, id batch.ID, of payment.PaymentID, limit int,
) ([]batch.Row, error) {
	rows, err := batchRows(ctx, s.pool, id, batch.BytesMax, `SELECT `+batchRowColumns+batchRowText+` FROM batch_row
		WHERE tenant_id = $1 AND batch_id = $2 AND payment_id = $3 AND status = 'allowed' ORDER BY number LIMIT $4`,
		pgUUID(tenant), pgUUID(id), pgUUID(of), limit)
	return rows, unavailable(err)
}

// TakenRowKeys implements [batch.Store].
func (s *Store) TakenRowKeys(ctx context.Context, tenant payment.TenantID, id batch.ID, keys []string) ([]string, error) {
	rows, err := s.pool.Query(ctx, `SELECT key FROM batch_row
		WHERE tenant_id = $1 AND batch_id = $2 AND key = ANY($3) AND status <> 'invalid'`,
		pgUUID(tenant), pgUUID(id), keys)
	if err != nil {
		return nil, unavailable(err)
	}
	taken, err := pgx.CollectRows(rows, pgx.RowTo[string])
	return taken, unavailable(err)
}
