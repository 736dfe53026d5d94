package sqlite

import (
	"context"
	"fmt"

	"github.com/refundry/refundry/internal/engine"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/store/row"
)

// findCounter reads how much was counted; what there is not has counted nothing.
func findCounter(c *conn, id payment.CounterID) (payment.Counter, error) {
	const query = `SELECT value FROM counter
		WHERE tenant_id = ? AND kind = ? AND name = ? AND day = ? AND currency = ?`
	counter := payment.Counter{CounterID: id}
	err := c.query(query, counterArgs(id), func(r *cells) error {
		counter.Value = r.int()
		return nil
	})
	return counter, err
}

func counterArgs(id payment.CounterID) []any {
	return []any{ident(id.Tenant), string(id.Kind), id.Name, row.Micros(id.Day), string(id.Currency)}
}

// loadCounters reads the counters that the batch's rules look at, where
// policies ask for any.
func loadCounters(c *conn, book *payment.Book, needs []payment.Need, of func(payment.Need) (payment.Payment, bool),
) error {
	for _, need := range needs {
		p, found := of(need)
		if !found {
			continue
		}
		for _, id := range need.Counters(p, book.Tenant(need.Tenant), book.Now) {
			counter, err := findCounter(c, id)
			if err != nil {
				return err
			}
			book.PutCounter(counter)
		}
	}
	return nil
}

// saveCounters counts. The limit holds here again: a payment that was made in
// the same batch had its counters not read.
func saveCounters(c *conn, changes *payment.Changes) error {
	const give = `UPDATE counter SET value = max(0, value + ?6)
		WHERE tenant_id = ?1 AND kind = ?2 AND name = ?3 AND day = ?4 AND currency = ?5`
	const count = `INSERT INTO counter (tenant_id, kind, name, day, currency, value) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
		ON CONFLICT (tenant_id, kind, name, day, currency) DO UPDATE SET value = value + excluded.value
			WHERE value + excluded.value <= ?7`
	for _, change := range row.Counters(changes.Counters) {
		args := append(counterArgs(change.CounterID), change.Delta)
		if change.Delta < 0 { // of a day so long ago that nobody counts it any more there is nothing to give back
			if _, err := c.exec(give, args...); err != nil {
				return err
			}
			continue
		}
		counted, err := c.exec(count, append(args, change.Limit)...)
		if err != nil {
			return err
		}
		if counted == 0 {
			return fmt.Errorf("%w: a counter is beyond its limit", engine.ErrLostRace)
		}
	}
	return nil
}

// Counters implements [payment.Counting].
func (s *Store) Counters(_ context.Context, tenant payment.TenantID, names []payment.CounterID,
) ([]payment.Counter, error) {
	counters := row.CountersOf(tenant, names)
	err := s.snapshot(func(c *conn) (err error) {
		for i := range counters {
			if counters[i], err = findCounter(c, counters[i].CounterID); err != nil {
				return err
			}
		}
		return nil
	})
	return counters, err
}
