package sqlite

import (
	"errors"
	"fmt"
	"time"

	"github.com/refundry/refundry/internal/engine"
	"github.com/refundry/refundry/internal/fault"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/store/row"
)

// link is the newest commit row, kept in memory because there is one writer.
type link = row.Link

// newestLink reads the newest commit row; the chain begins with a zero one.
func newestLink(c *conn) (link, error) {
	var newest link
	const query = `SELECT number, batch_id, at, digests, hash FROM commit_row ORDER BY number DESC LIMIT 1`
	err := c.query(query, nil, func(r *cells) error {
		newest = scanLink(r)
		return nil
	})
	return newest, err
}

func scanLink(r *cells) link {
	l := link{Number: r.int(), Batch: r.uuid(), At: r.int(), Digests: r.bytes()}
	copy(l.Hash[:], r.bytes())
	return l
}

// seal writes the events and the commit row of a batch. It is the last thing
// in its database transaction.
func (s *Store) seal(c *conn, batch [16]byte, now time.Time, facts []row.Facts) error {
	if err := s.sealPersons(c, facts); err != nil {
		return err
	}
	next := link{
		Number: s.last.Number + 1, Batch: batch, At: max(row.Micros(now), s.last.At), Digests: row.Digests(facts),
	}.Follow(s.last.Hash)
	const insertEvent = `INSERT INTO event (tenant_id, commit_number, number, kind, payment_id, subject_id, version,
		at, actor, door, request, detail, person_id, sealed, address)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
	for _, f := range facts {
		for n, e := range f.Facts {
			if _, err := c.exec(insertEvent, ident(e.Tenant), next.Number, n, string(e.Kind), ident(e.Payment),
				e.Subject[:], e.Version, row.Micros(e.At), e.Actor, string(e.Door), e.Request, e.Detail,
				nullable(e.Person), maybeBytes(e.Sealed), e.Address); err != nil {
				return err
			}
		}
	}
	const insertLink = `INSERT INTO commit_row (number, batch_id, at, digests, hash) VALUES (?, ?, ?, ?, ?)`
	_, err := c.exec(insertLink, next.Number, next.Batch[:], next.At, next.Digests, next.Hash[:])
	if err != nil {
		return err
	}
	s.sealed = next
	return nil
}

// audited writes a change of settings together with the events that tell of it.
func (s *Store) audited(events []payment.Event, change func(*conn) error) error {
	batch := s.config.NewID()
	err := s.write(func(c *conn) error {
		if err := change(c); err != nil {
			return err
		}
		facts := row.FactsOf(payment.Changes{Tellings: tellings(events)}) // the change may have stamped them
		s.tenants = map[payment.TenantID]*payment.Tenant{}                // read again when next needed
		return s.seal(c, batch, s.config.Now(), facts)
	})
	if !errors.Is(err, engine.ErrUncertain) {
		return err
	}
	committed, fateErr := s.Committed(background, batch) // with one writer, it is decided by now
	switch {
	case fateErr != nil:
		return fmt.Errorf("%w: change %x: %w", engine.ErrFateUnknown, batch, errors.Join(err, fateErr))
	case committed:
		return nil
	default:
		return fault.Wrap(err, fault.Unavailable, "the database could not write; nothing was done")
	}
}

func tellings(events []payment.Event) []payment.Telling {
	told := make([]payment.Telling, len(events))
	for i, event := range events {
		told[i].Event = event
	}
	return told
}
