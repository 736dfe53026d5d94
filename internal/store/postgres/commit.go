package postgres

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/refundry/refundry/internal/engine"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/store/row"
)

// Commit implements [engine.Store].
func (s *Store) Commit(ctx context.Context, batch [16]byte, needs []payment.Need, decide func(*payment.Book) error,
) error {
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return unavailable(err)
	}
	defer conn.Release()
	c := &commit{store: s, conn: conn.Conn(), batch: batch, ring: row.NewRing(s.config.Random)}
	if err := c.run(ctx, needs, decide); err != nil {
		rollback(conn.Conn())
		return err
	}
	return nil
}

// commit is one batch on its way.
type commit struct {
	store *Store
	conn  *pgx.Conn
	batch [16]byte
	ring  *row.Ring
}

func (c *commit) run(ctx context.Context, needs []payment.Need, decide func(*payment.Book) error) error {
	book := payment.NewBook(c.store.config.Now(), c.store.config.NewID)
	if err := c.load(ctx, book, needs); err != nil {
		return raced(fmt.Errorf("load: %w", err))
	}
	if err := decide(book); err != nil {
		return err
	}
	facts := row.FactsOf(book.Changes)
	keys, err := c.save(ctx, book, facts)
	if err != nil {
		return raced(fmt.Errorf("save: %w", err))
	}
	if err := row.Seal(facts, keys); err != nil {
		return fmt.Errorf("seal: %w", err)
	}
	return c.seal(ctx, book, facts)
}

// seal writes the commit row and what is numbered by it, events and postings,
// and commits, in one pipeline under a short lock: numbers follow the order of
// commits, and no reader of the feed or of the books can see a number before
// all lower ones are visible.
func (c *commit) seal(ctx context.Context, book *payment.Book, facts []row.Facts) error {
	pipe := &pgx.Batch{}
	queueSeal(pipe, c.batch, row.Micros(book.Now), facts)
	queuePostings(pipe, book.Changes.Entries)
	pipe.Queue("COMMIT")
	err := c.send(ctx, pipe)
	switch {
	case err == nil:
		return nil
	case isUnheard(err):
		return fmt.Errorf("%w: %w", engine.ErrUncertain, err)
	default:
		return raced(fmt.Errorf("seal: %w", err))
	}
}

// sealLock is the advisory lock under which commits are numbered ("refundry"
// as eight bytes). It ends with its database transaction.
const sealLock = 0x726566756e647279

func queueSeal(pipe *pgx.Batch, batch [16]byte, now int64, facts []row.Facts) {
	pipe.Queue(`SELECT pg_advisory_xact_lock($1)`, int64(sealLock))
	pipe.Queue(`WITH newest AS (SELECT number, at, hash FROM commit_row ORDER BY number DESC LIMIT 1),
		last AS (SELECT * FROM newest UNION ALL
			SELECT 0, 0, decode(repeat('00', 32), 'hex') WHERE NOT EXISTS (SELECT 1 FROM newest))
		INSERT INTO commit_row (number, batch_id, at, digests, hash)
		SELECT number + 1, $1, greatest($2, at), $3,
			sha256(hash || int8send(number + 1) || uuid_send($1) || $3::bytea) FROM last`,
		pgtype.UUID{Bytes: batch, Valid: true}, now, row.Digests(facts))
	type numbered struct {
		row.Fact

		number int64
	}
	var events []numbered
	for _, f := range facts {
		for n, fact := range f.Facts {
			events = append(events, numbered{fact, int64(n)})
		}
	}
	if len(events) == 0 {
		return
	}
	pipe.Queue(`INSERT INTO event (tenant_id, commit_number, number, kind, payment_id, subject_id, version, at, actor,
			door, request, detail, person_id, sealed, address)
		SELECT tenant_id, (SELECT max(number) FROM commit_row), number, kind, payment_id, subject_id, version, at,
			actor, door, request, detail, person_id, sealed, address
		FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::uuid[], $5::uuid[], $6::bigint[], $7::bigint[],
			$8::text[], $9::text[], $10::text[], $11::text[], $12::uuid[], $13::bytea[], $14::text[])
			AS e (tenant_id, number, kind, payment_id, subject_id, version, at, actor, door, request, detail, person_id,
				sealed, address)`,
		ids(events, func(e numbered) [16]byte { return e.Tenant }),
		col(events, func(e numbered) int64 { return e.number }),
		col(events, func(e numbered) string { return string(e.Kind) }),
		ids(events, func(e numbered) [16]byte { return e.Payment }),
		ids(events, func(e numbered) [16]byte { return e.Subject }),
		col(events, func(e numbered) int64 { return e.Version }),
		col(events, func(e numbered) int64 { return row.Micros(e.At) }),
		col(events, func(e numbered) string { return e.Actor }),
		col(events, func(e numbered) string { return string(e.Door) }),
		col(events, func(e numbered) string { return e.Request }),
		col(events, func(e numbered) string { return e.Detail }),
		maybeIDs(events, func(e numbered) [16]byte { return e.Person }),
		col(events, func(e numbered) []byte { return e.Sealed }),
		col(events, func(e numbered) string { return e.Address }))
}

// send runs a pipeline and returns the first error in it.
func (c *commit) send(ctx context.Context, pipe *pgx.Batch) error {
	return c.conn.SendBatch(ctx, pipe).Close()
}

// Committed implements [engine.Store].
func (s *Store) Committed(ctx context.Context, batch [16]byte) (found bool, err error) {
	err = s.pool.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM commit_row WHERE batch_id = $1)`,
		pgtype.UUID{Bytes: batch, Valid: true}).Scan(&found)
	return found, err
}

// wanted is what a batch needs of one payment.
type wanted struct {
	tenant  payment.TenantID
	payment payment.PaymentID
	need    payment.Need
	refunds []payment.RefundID
}

// wants collects what a batch needs, by payment.
type wants struct {
	list  []*wanted
	index map[[2][16]byte]*wanted
}

func (w *wants) add(need payment.Need, id payment.PaymentID) {
	key := [2][16]byte{need.Tenant, id}
	want, ok := w.index[key]
	if !ok {
		want = &wanted{tenant: need.Tenant, payment: id}
		w.index[key] = want
		w.list = append(w.list, want)
	}
	want.need = want.need.With(need)
	if !need.Refund.IsZero() {
		want.refunds = append(want.refunds, need.Refund)
	}
}

// sort puts what will be locked in the order in which everybody locks.
func (w *wants) sort() {
	slices.SortFunc(w.list, func(a, b *wanted) int {
		if order := a.tenant.Compare(b.tenant); order != 0 {
			return order
		}
		return a.payment.Compare(b.payment)
	})
}
