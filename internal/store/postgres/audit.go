package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/refundry/refundry/internal/audit"
	"github.com/refundry/refundry/internal/engine"
	"github.com/refundry/refundry/internal/fault"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/store/row"
)

// persons queues what reads persons' keys, and makes those of persons who are
// named for the first time. Of two replicas that make the same key at once, the
// second waits for the first and reads its key, in a statement of its own: the
// one that waited would not see it. The keys are there when the pipeline has run.
func (w *writer) persons(owners []row.Owner, random io.Reader) (map[row.Owner]row.PersonalKey, error) {
	if len(owners) == 0 {
		return nil, nil
	}
	tenants := ids(owners, func(o row.Owner) [16]byte { return o.Tenant })
	persons := ids(owners, func(o row.Owner) [16]byte { return o.ID })
	fresh := make([][]byte, len(owners))
	for i := range fresh {
		key, err := row.NewPersonalKey(random)
		if err != nil {
			return nil, err
		}
		fresh[i] = key
	}
	w.pipe.Queue(`INSERT INTO personal_key (tenant_id, owner_id, key)
		SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::bytea[]) ON CONFLICT DO NOTHING`, tenants, persons, fresh)
	keys := map[row.Owner]row.PersonalKey{}
	w.pipe.Queue(`SELECT k.tenant_id, k.owner_id, k.key FROM unnest($1::uuid[], $2::uuid[]) AS o (tenant_id, owner_id)
		JOIN personal_key k USING (tenant_id, owner_id)`, tenants, persons).Query(func(rows pgx.Rows) error {
		var owner row.Owner
		var key []byte
		_, err := pgx.ForEachRow(rows, []any{raw(&owner.Tenant), &owner.ID, &key}, func() error {
			keys[owner] = append(row.PersonalKey(nil), key...)
			return nil
		})
		return err
	})
	return keys, nil
}

// sendSealed sends what is queued, and seals it. Only events that name persons
// take a second round trip: their keys must be known before.
func (s *Store) sendSealed(ctx context.Context, tx pgx.Tx, w *writer, batch [16]byte, facts []row.Facts) error {
	keys, err := w.persons(row.Persons(facts), s.config.Random)
	if err != nil {
		return err
	}
	if keys != nil {
		if err := tx.SendBatch(ctx, &w.pipe).Close(); err != nil {
			return err
		}
		w = &writer{}
	}
	if err := row.Seal(facts, keys); err != nil {
		return fmt.Errorf("seal: %w", err)
	}
	queueSeal(&w.pipe, batch, row.Micros(s.config.Now()), facts)
	return tx.SendBatch(ctx, &w.pipe).Close()
}

// ErasePerson implements [audit.Store]. The row that held the key is dead; its
// bytes go when Postgres vacuums the table.
func (s *Store) ErasePerson(ctx context.Context, event payment.Event) (err error) {
	for range eraseTries {
		err = s.heard(ctx, func(ctx context.Context, batch [16]byte) error {
			return s.inTx(ctx, pgx.TxOptions{}, func(tx pgx.Tx) error {
				return s.erasePerson(ctx, tx, batch, event)
			})
		})
		if !errors.Is(raced(err), engine.ErrLostRace) {
			break
		}
	}
	switch {
	case errors.Is(err, errErasedBefore):
		return nil
	case errors.Is(raced(err), engine.ErrLostRace):
		return fault.Wrap(err, fault.Unavailable, "somebody else was faster; nothing was done")
	default:
		return err
	}
}

// eraseTries is how often an erasure is tried that lost a race: another replica
// may be at the same keys.
const eraseTries = 3

// erasePerson destroys a person's key in a database transaction. It waits for
// the keys of everybody whom it touches, in the order in which all do, before it
// changes any: whoever changed one first would make others wait, and be waited for.
func (s *Store) erasePerson(ctx context.Context, tx pgx.Tx, batch [16]byte, event payment.Event) error {
	if err := wantNamed(ctx, tx, event); err != nil {
		return err
	}
	facts := row.FactsOf(payment.Changes{Tellings: []payment.Telling{{Event: event}}})
	person := row.Owner{Tenant: event.Tenant, ID: event.Subject}
	w := &writer{}
	keys, err := w.persons(row.Persons(facts, person), s.config.Random)
	if err != nil {
		return err
	}
	isDestroyed := false
	w.destroyKeys([]row.Erasure{{Owner: person, At: event.At}}).Exec(func(tag pgconn.CommandTag) error {
		isDestroyed = tag.RowsAffected() > 0
		return nil
	})
	if err := tx.SendBatch(ctx, &w.pipe).Close(); err != nil {
		return err
	}
	if !isDestroyed {
		return errErasedBefore
	}
	if err := forgetNames(ctx, tx, person); err != nil {
		return err
	}
	delete(keys, person) // who erases itself is not named any more
	if err := row.Seal(facts, keys); err != nil {
		return fmt.Errorf("seal: %w", err)
	}
	pipe := &pgx.Batch{}
	queueSeal(pipe, batch, row.Micros(s.config.Now()), facts)
	return tx.SendBatch(ctx, pipe).Close()
}

// wantNamed fails unless an event of the tenant names the person: keys of
// payments and orders lie beside those of persons, and are not for the taking.
func wantNamed(ctx context.Context, tx pgx.Tx, event payment.Event) error {
	var isNamed bool
	err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM event WHERE tenant_id = $1 AND person_id = $2)`,
		pgUUID(event.Tenant), pgUUID(event.Subject)).Scan(&isNamed)
	if err == nil && !isNamed {
		err = fault.New(fault.NotFound, "nobody was ever named so")
	}
	return err
}

// errErasedBefore ends a change that was made before.
var errErasedBefore = errors.New("the person was erased before")

// Trail implements [audit.Store].
func (s *Store) Trail(ctx context.Context, tenant payment.TenantID, r audit.Range) ([]audit.Entry, error) {
	q := &question{}
	q.add(`SELECT e.commit_number, e.number, e.tenant_id, e.kind, e.payment_id, e.subject_id, e.version, e.at, e.actor,
		e.door, e.request, e.detail, e.person_id, e.sealed, e.address, k.key
		FROM event e LEFT JOIN personal_key k ON k.tenant_id = e.tenant_id AND k.owner_id = e.person_id
		WHERE e.tenant_id = ?`, pgUUID(tenant))
	if !r.Payment.IsZero() {
		q.add(` AND e.payment_id = ? AND e.payment_id <> '00000000-0000-0000-0000-000000000000'`, pgUUID(r.Payment))
	}
	if !r.Person.IsZero() {
		q.add(` AND e.person_id = ?`, pgUUID(r.Person))
	}
	if r.First > 0 {
		q.add(` AND e.commit_number >= ?`, r.First)
	}
	if r.End > 0 {
		q.add(` AND e.commit_number < ?`, r.End)
	}
	if r.Before.Commit > 0 {
		q.add(` AND (e.commit_number, e.number) < (?, ?)`, r.Before.Commit, r.Before.Index)
	}
	q.add(` ORDER BY e.commit_number DESC, e.number DESC LIMIT ?`, r.Limit)
	entries, err := ask(ctx, s.pool, q, scanEntry)
	return entries, unavailable(err)
}

func scanEntry(r scanner) (audit.Entry, error) {
	var e payment.FeedEvent
	var at int64
	var person pgtype.UUID
	var sealed, key []byte
	err := r.Scan(&e.Cursor.Commit, &e.Cursor.Index, raw(&e.Tenant), &e.Kind, raw(&e.Payment), &e.Subject, &e.Version,
		&at, &e.Actor, &e.Door, &e.Request, &e.Detail, &person, &sealed, &e.Address, &key)
	e.At = row.Time(at)
	return audit.Open(e.Cursor, row.Fact{Event: e.Event, Person: person.Bytes, Sealed: sealed}, key), err
}

// CommitAt implements [audit.Store].
func (s *Store) CommitAt(ctx context.Context, at time.Time) (number int64, err error) {
	err = s.snapshot(ctx, func(tx pgx.Tx) error {
		newest, err := findLink(ctx, tx, 0)
		if err != nil {
			return err
		}
		number, err = audit.Search(newest.Number, at, func(number int64) (at int64, err error) {
			err = tx.QueryRow(ctx, `SELECT at FROM commit_row WHERE number >= $1 ORDER BY number LIMIT 1`, number).Scan(&at)
			return at, err
		})
		return err
	})
	return number, err
}

// Checkpoint implements [audit.Store].
func (s *Store) Checkpoint(ctx context.Context, tenant payment.TenantID, number int64) (audit.Checkpoint, error) {
	l, err := findLink(ctx, s.pool, number)
	if err == nil && l.Number == 0 {
		err = audit.ErrNoCommit
	}
	return audit.CheckpointOf(l, tenant), unavailable(err)
}

// findLink returns a commit row, 0: the newest; a zero one if there is none.
func findLink(ctx context.Context, db querier, number int64) (l row.Link, err error) {
	rows, err := db.Query(ctx, `SELECT number, batch_id, at, digests, hash FROM commit_row
		WHERE number = CASE WHEN $1::bigint = 0 THEN (SELECT max(number) FROM commit_row) ELSE $1 END`, number)
	if err != nil {
		return l, err
	}
	err = each(rows, scanLink, func(found row.Link) { l = found })
	return l, err
}

// Links implements [audit.Store].
func (s *Store) Links(ctx context.Context, after, last int64, limit int) ([]row.Link, error) {
	links, err := listLinks(ctx, s.pool, after+1, last, limit)
	return links, unavailable(err)
}

// Parts implements [audit.Store].
func (s *Store) Parts(ctx context.Context, tenant payment.TenantID, after, last int64, limit int,
) (parts []audit.Part, err error) {
	err = s.snapshot(ctx, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, `SELECT number, batch_id, at, digests, hash FROM commit_row WHERE number IN (
				SELECT DISTINCT commit_number FROM event WHERE tenant_id = $1 AND commit_number > $2 AND commit_number <= $3
				ORDER BY commit_number LIMIT $4) ORDER BY number`, pgUUID(tenant), after, last, limit)
		if err != nil {
			return err
		}
		var links []row.Link
		if err := each(rows, scanLink, func(l row.Link) { links = append(links, l) }); err != nil || len(links) == 0 {
			return err
		}
		facts, err := listFacts(ctx, tx, []payment.TenantID{tenant}, links[0].Number, links[len(links)-1].Number)
		if err != nil {
			return err
		}
		for _, l := range links {
			part := audit.Part{Checkpoint: audit.CheckpointOf(l, tenant), Facts: row.Facts{Tenant: tenant}}
			if written, ok := facts[factsKey{l.Number, tenant}]; ok {
				part.Facts = *written
			}
			parts = append(parts, part)
		}
		return nil
	})
	return parts, err
}
