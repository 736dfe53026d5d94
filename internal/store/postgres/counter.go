package postgres

import (
	"context"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/refundry/refundry/internal/engine"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/store/row"
)

const selectCounters = `SELECT c.tenant_id, c.kind, c.name, c.day, c.currency, c.value
	FROM unnest($1::uuid[], $2::text[], $3::text[], $4::bigint[], $5::text[]) AS want (tenant_id, kind, name, day, currency)
	JOIN counter c USING (tenant_id, kind, name, day, currency)`

// counterArgs are the columns by which counters are named.
func counterArgs(names []payment.CounterID) []any {
	return []any{
		ids(names, func(c payment.CounterID) [16]byte { return c.Tenant }),
		col(names, func(c payment.CounterID) string { return string(c.Kind) }),
		col(names, func(c payment.CounterID) string { return c.Name }),
		col(names, func(c payment.CounterID) int64 { return row.Micros(c.Day) }),
		col(names, func(c payment.CounterID) string { return string(c.Currency) }),
	}
}

func scanCounter(r scanner) (payment.Counter, error) {
	var c payment.Counter
	var day int64
	err := r.Scan(raw(&c.Tenant), &c.Kind, &c.Name, &day, &c.Currency, &c.Value)
	c.Day = row.Time(day)
	return c, err
}

// queueCounters reads the counters that the batch's rules look at, where
// policies ask for any, without a lock: see [writer.counters].
func queueCounters(pipe *pgx.Batch, book *payment.Book, needs []payment.Need, views byPayment) {
	var wanted []payment.CounterID
	for _, need := range needs {
		view, found := views[[2][16]byte{need.Tenant, need.Payment}]
		if !found {
			continue
		}
		for _, counter := range need.Counters(view.Payment, book.Tenant(need.Tenant), book.Now) {
			if !slices.Contains(wanted, counter) {
				wanted = append(wanted, counter)
			}
		}
	}
	if len(wanted) == 0 {
		return
	}
	pipe.Queue(selectCounters, counterArgs(wanted)...).
		Query(func(rows pgx.Rows) error { return each(rows, scanCounter, book.PutCounter) })
}

// counters counts, last of all that a commit locks. Others may have counted
// since the counters were read: as long as the limit holds, that does not
// matter; beyond it the race is lost.
func (w *writer) counters(changes []*payment.CounterChange) {
	for _, c := range changes {
		if c.Delta < 0 { // of a day so long ago that nobody counts it any more there is nothing to give back
			w.pipe.Queue(`UPDATE counter SET value = greatest(0, value + $6)
				WHERE tenant_id = $1 AND kind = $2 AND name = $3 AND day = $4 AND currency = $5`,
				pgUUID(c.Tenant), string(c.Kind), c.Name, row.Micros(c.Day), string(c.Currency), c.Delta)
			continue
		}
		w.exactly(1, engine.ErrLostRace, `INSERT INTO counter AS c (tenant_id, kind, name, day, currency, value)
			VALUES ($1, $2, $3, $4, $5, $6)
			ON CONFLICT (tenant_id, kind, name, day, currency) DO UPDATE SET value = c.value + excluded.value
				WHERE c.value + excluded.value <= $7`,
			pgUUID(c.Tenant), string(c.Kind), c.Name, row.Micros(c.Day), string(c.Currency), c.Delta, c.Limit)
	}
}

// Counters implements [payment.Counting].
func (s *Store) Counters(ctx context.Context, tenant payment.TenantID, names []payment.CounterID,
) ([]payment.Counter, error) {
	counters := row.CountersOf(tenant, names)
	rows, err := s.pool.Query(ctx, selectCounters, counterArgs(col(counters,
		func(c payment.Counter) payment.CounterID { return c.CounterID }))...)
	if err != nil {
		return nil, unavailable(err)
	}
	err = each(rows, scanCounter, func(c payment.Counter) { row.PutCounter(counters, c) })
	return counters, unavailable(err)
}
