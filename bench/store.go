package main

import (
	"context"
	"strconv"

	"github.com/refundry/refundry/internal/payment"
)

// storeWorkers is how many batches are under way at a time: one per lane.
func (w *world) storeWorkers(connections int) int { return min(w.lanes, connections) }

// storeWork writes refunds with the store alone, in batches: what so many
// callers of one refund each could put together at the best.
func (w *world) storeWork(connections int) work {
	size := connections / w.storeWorkers(connections)
	return func(ctx context.Context) (func() (int, error), error) {
		return func() (int, error) { return size, w.commit(ctx, size) }, nil
	}
}

// commit writes a batch of refunds.
func (w *world) commit(ctx context.Context, size int) error {
	commands := make([]payment.OpenRefund, size)
	needs := make([]payment.Need, size)
	for i := range commands {
		n := w.count.Add(1)
		commands[i] = payment.OpenRefund{
			Meta: payment.Meta{
				Tenant: w.bare.tenant, Actor: "key:bench", Door: payment.DoorAPI,
				Key: payment.Key{Hash: payment.KeyHash(newID())},
			},
			Payment: w.bare.payments[n%int64(len(w.bare.payments))],
			Ask:     payment.Ask{How: payment.AskAmount, Amount: 1}, Currency: currency,
			Reason: reason, Reference: "bench-" + strconv.FormatInt(n, 10), Source: payment.SourceAPI,
		}
		needs[i] = commands[i].Need()
	}
	return w.bare.store.Commit(ctx, newID(), needs, func(book *payment.Book) error {
		for _, command := range commands {
			if _, err := command.Apply(book); err != nil {
				return err
			}
		}
		return nil
	})
}
