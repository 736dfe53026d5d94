package sqlite

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/refundry/refundry/internal/audit"
	"github.com/refundry/refundry/internal/fault"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/store/row"
)

// scanCaller reads who stands behind an event, and where it was asked for.
func scanCaller(r *cells, fact *row.Fact) {
	fact.Person, fact.Sealed, fact.Address = r.uuid(), r.maybe(), r.text()
}

// sealPersons seals who stands behind events, each under a key that is made
// when a person is first named. Events that name nobody cost nothing.
func (s *Store) sealPersons(c *conn, facts []row.Facts) error {
	keys, err := s.personKeys(c, row.Persons(facts))
	if err != nil {
		return err
	}
	return row.Seal(facts, keys)
}

// personKeys returns the keys of persons, and makes those that there are not.
func (s *Store) personKeys(c *conn, persons []row.Owner) (map[row.Owner]row.PersonalKey, error) {
	keys := map[row.Owner]row.PersonalKey{}
	for _, person := range persons {
		if _, known := keys[person]; known {
			continue
		}
		key, err := s.personalKey(c, person)
		if err != nil {
			return nil, fmt.Errorf("key of a person: %w", err)
		}
		keys[person] = key
	}
	return keys, nil
}

// personalKey returns an owner's key, and makes it if there is none. It is
// empty if it was destroyed.
func (s *Store) personalKey(c *conn, owner row.Owner) (key row.PersonalKey, err error) {
	found := false
	const query = `SELECT key FROM personal_key WHERE tenant_id = ? AND owner_id = ?`
	if err := c.query(query, []any{ident(owner.Tenant), owner.ID[:]}, func(r *cells) error {
		key, found = r.bytes(), true
		return nil
	}); err != nil || found {
		return key, err
	}
	if key, err = row.NewPersonalKey(s.config.Random); err != nil {
		return nil, err
	}
	const insert = `INSERT INTO personal_key (tenant_id, owner_id, key) VALUES (?, ?, ?)`
	_, err = c.exec(insert, ident(owner.Tenant), owner.ID[:], []byte(key))
	return key, err
}

// ErasePerson implements [audit.Store]. The key's bytes are gone from the file
// and its WAL when it returns or, if a reader is in the way, soon after.
func (s *Store) ErasePerson(_ context.Context, event payment.Event) error {
	err := s.audited([]payment.Event{event}, func(c *conn) error {
		if err := wantNamed(c, event); err != nil {
			return err
		}
		erasure := row.Erasure{Owner: row.Owner{Tenant: event.Tenant, ID: event.Subject}, At: event.At}
		isDestroyed, err := destroyKey(c, erasure)
		if err == nil && !isDestroyed {
			err = errErasedBefore
		}
		if err != nil {
			return err
		}
		return forgetNames(c, erasure.Owner)
	})
	if errors.Is(err, errErasedBefore) {
		return nil
	}
	if err == nil {
		s.scrub(scrubPatience)
	}
	return err
}

// scrubPatience is for how long, in milliseconds, who erases holds up commits
// for readers that keep an old WAL from being emptied.
const scrubPatience = 50

// scrub empties the WAL: what was destroyed in the file is still in it. If a
// reader is in the way for longer than patience, in milliseconds, the next
// checkpoint tries again.
func (s *Store) scrub(patience int) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	isBusy := true
	_, err := s.writer.exec(fmt.Sprintf("PRAGMA busy_timeout(%d)", patience))
	if err == nil {
		err = s.writer.query("PRAGMA wal_checkpoint(TRUNCATE)", nil, func(r *cells) error {
			isBusy = r.bool()
			return nil
		})
	}
	_, backErr := s.writer.exec(fmt.Sprintf("PRAGMA busy_timeout(%d)", busyTimeout))
	if err := errors.Join(err, backErr); err != nil {
		s.config.Log.Warn("WAL not emptied", "error", err)
	}
	if err == nil && !isBusy {
		s.scrubs.Store(false)
	}
}

// wantNamed fails unless an event of the tenant names the person: keys of
// payments and orders lie beside those of persons, and are not for the taking.
func wantNamed(c *conn, event payment.Event) error {
	err := error(fault.New(fault.NotFound, "nobody was ever named so"))
	const query = `SELECT 1 FROM event INDEXED BY event_by_person WHERE tenant_id = ? AND person_id = ? LIMIT 1`
	if readErr := c.query(query, []any{ident(event.Tenant), event.Subject[:]}, func(*cells) error {
		err = nil
		return nil
	}); readErr != nil {
		return readErr
	}
	return err
}

// errErasedBefore ends a change that was made before.
var errErasedBefore = errors.New("the person was erased before")

// Trail implements [audit.Store].
func (s *Store) Trail(_ context.Context, tenant payment.TenantID, r audit.Range) (entries []audit.Entry, err error) {
	q := &question{}
	q.add(`SELECT e.commit_number, e.number, e.tenant_id, e.kind, e.payment_id, e.subject_id, e.version, e.at, e.actor,
		e.door, e.request, e.detail, e.person_id, e.sealed, e.address, k.key
		FROM event e `)
	switch {
	case !r.Payment.IsZero():
		q.add(`INDEXED BY event_by_payment `)
	case !r.Person.IsZero():
		q.add(`INDEXED BY event_by_person `)
	}
	q.add(`LEFT JOIN personal_key k ON k.tenant_id = e.tenant_id AND k.owner_id = e.person_id
		WHERE e.tenant_id = ?`, ident(tenant))
	if !r.Payment.IsZero() {
		q.add(` AND e.payment_id = ? AND e.payment_id <> x'00000000000000000000000000000000'`, ident(r.Payment))
	}
	if !r.Person.IsZero() {
		q.add(` AND e.person_id = ?`, ident(r.Person))
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
	err = s.read(func(c *conn) error {
		return c.query(q.text.String(), q.args, func(r *cells) error {
			event := scanEvent(r)
			fact := row.Fact{Event: event.Event}
			scanCaller(r, &fact)
			entries = append(entries, audit.Open(event.Cursor, fact, r.maybe()))
			return nil
		})
	})
	return entries, err
}

// CommitAt implements [audit.Store].
func (s *Store) CommitAt(_ context.Context, at time.Time) (number int64, err error) {
	err = s.snapshot(func(c *conn) error {
		newest, err := newestLink(c)
		if err != nil {
			return err
		}
		number, err = audit.Search(newest.Number, at, func(number int64) (at int64, err error) {
			const query = `SELECT at FROM commit_row WHERE number >= ? ORDER BY number LIMIT 1`
			err = c.query(query, []any{number}, func(r *cells) error {
				at = r.int()
				return nil
			})
			return at, err
		})
		return err
	})
	return number, err
}

// Checkpoint implements [audit.Store].
func (s *Store) Checkpoint(_ context.Context, tenant payment.TenantID, number int64) (found audit.Checkpoint, err error) {
	err = s.read(func(c *conn) error {
		l, err := findLink(c, number)
		if err == nil && l.Number == 0 {
			err = audit.ErrNoCommit
		}
		found = audit.CheckpointOf(l, tenant)
		return err
	})
	return found, err
}

// findLink returns a commit row, 0: the newest; a zero one if there is none.
func findLink(c *conn, number int64) (found link, err error) {
	if number == 0 {
		return newestLink(c)
	}
	const query = `SELECT number, batch_id, at, digests, hash FROM commit_row WHERE number = ?`
	err = c.query(query, []any{number}, func(r *cells) error {
		found = scanLink(r)
		return nil
	})
	return found, err
}

// Links implements [audit.Store].
func (s *Store) Links(_ context.Context, after, last int64, limit int) (links []row.Link, err error) {
	err = s.read(func(c *conn) error {
		links, err = listLinks(c, after+1, last, limit)
		return err
	})
	return links, err
}

// listLinks reads at most limit commit rows from one number to another, in order.
func listLinks(c *conn, first, last int64, limit int) (links []link, err error) {
	const query = `SELECT number, batch_id, at, digests, hash FROM commit_row WHERE number BETWEEN ? AND ?
		ORDER BY number LIMIT ?`
	err = c.query(query, []any{first, last, limit}, func(r *cells) error {
		links = append(links, scanLink(r))
		return nil
	})
	return links, err
}

// Parts implements [audit.Store].
func (s *Store) Parts(_ context.Context, tenant payment.TenantID, after, last int64, limit int) (parts []audit.Part, err error) {
	err = s.snapshot(func(c *conn) error {
		var numbers []int64
		const query = `SELECT DISTINCT commit_number FROM event WHERE tenant_id = ? AND commit_number > ?
			AND commit_number <= ? ORDER BY commit_number LIMIT ?`
		if err := c.query(query, []any{ident(tenant), after, last, limit}, func(r *cells) error {
			numbers = append(numbers, r.int())
			return nil
		}); err != nil {
			return err
		}
		for _, number := range numbers {
			l, err := findLink(c, number)
			if err != nil {
				return err
			}
			facts, err := factsOf(c, tenant, number)
			if err != nil {
				return err
			}
			parts = append(parts, audit.Part{Checkpoint: audit.CheckpointOf(l, tenant), Facts: facts})
		}
		return nil
	})
	return parts, err
}
