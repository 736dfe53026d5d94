package engine

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"time"

	"github.com/refundry/refundry/internal/fault"
	"github.com/refundry/refundry/internal/payment"
)

// commitTimeout bounds one try of a batch. It must be longer than a failover.
const commitTimeout = 60 * time.Second

// run commits a batch, whatever it takes: a lost race is run again, a batch
// that fails otherwise is halved until the culprit is alone.
func (e *Engine) run(batch []*request) {
	batch = e.dropAbandoned(batch)
	if len(batch) == 0 {
		return
	}
	results, err := e.commit(batch)
	switch {
	case err == nil:
		for i, req := range batch {
			req.result <- results[i]
		}
	case len(batch) > 1 && !errors.Is(err, ErrFateUnknown):
		e.run(batch[:len(batch)/2])
		e.run(batch[len(batch)/2:])
	default:
		e.config.Log.Error("commit failed", "commands", len(batch), "error", err)
		for _, req := range batch {
			req.result <- result{err: asUnavailable(err)}
		}
	}
}

// dropAbandoned leaves out requests whose callers have gone.
func (e *Engine) dropAbandoned(batch []*request) []*request {
	kept := batch[:0]
	for _, req := range batch {
		if err := req.ctx.Err(); err != nil {
			req.result <- result{err: fault.Wrap(err, fault.Unavailable, "the caller has gone; nothing was done")}
			continue
		}
		kept = append(kept, req)
	}
	return kept
}

func asUnavailable(err error) error {
	if errors.Is(err, ErrFateUnknown) || fault.CodeOf(err) != fault.Internal {
		return err
	}
	return fault.Wrap(err, fault.Internal, "nothing was done")
}

// commit runs a batch until it is committed or cannot be. Every try has the
// same id, which only one of them can commit.
func (e *Engine) commit(batch []*request) ([]result, error) {
	id := e.config.NewID()
	var unheard []result // of the try whose COMMIT got no answer
	for races := 0; ; {
		began := time.Now() //nolint:forbidigo // metrics are machine time
		results, err := e.try(id, batch)
		if err == nil {
			e.config.Metrics.Committed(len(batch), time.Since(began))
			return results, nil
		}
		switch {
		case errors.Is(err, ErrCommitted) && unheard != nil:
			return unheard, nil
		case errors.Is(err, ErrUncertain):
			committed, err := e.fate(id)
			if err != nil {
				e.release(results)
				return nil, err
			}
			if committed {
				return results, nil
			}
			e.release(results)
			unheard = results
		case errors.Is(err, ErrLostRace) && races < racesMax:
			e.config.Metrics.LostRace()
			races++
		default:
			return nil, e.giveUp(id, unheard, err)
		}
	}
}

// giveUp returns the error of a batch that could not be committed. If an
// earlier try was not heard, its fate comes first.
func (e *Engine) giveUp(id [16]byte, unheard []result, err error) error {
	if unheard == nil {
		return err
	}
	return fmt.Errorf("%w: batch %x: %w", ErrFateUnknown, id, err)
}

// try runs a batch once.
func (e *Engine) try(id [16]byte, batch []*request) ([]result, error) {
	ctx, cancel := context.WithTimeout(context.Background(), commitTimeout)
	defer cancel()
	needs := make([]payment.Need, len(batch))
	for i, req := range batch {
		needs[i] = req.command.Need()
	}
	results := make([]result, len(batch))
	var book *payment.Book
	err := e.config.Store.Commit(ctx, id, needs, func(b *payment.Book) error {
		book = b
		return e.decide(b, batch, results)
	})
	if book != nil {
		e.sortBorn(book, results, err)
	}
	return results, err
}

// decide applies each command to the book. A refused one leaves it untouched
// and the others go on; a bug stops the batch, which is then halved.
func (e *Engine) decide(book *payment.Book, batch []*request, results []result) (err error) {
	defer func() {
		if bug := recover(); bug != nil {
			err = fmt.Errorf("bug in a command: %v\n%s", bug, debug.Stack())
		}
	}()
	book.PutConnectors(e.config.Connectors)
	for i, req := range batch {
		tellings, tasks, deliveries := len(book.Changes.Tellings), len(book.Changes.Tasks), len(book.Changes.Deliveries)
		answer, err := req.command.Apply(book)
		results[i] = result{answer: answer, err: err}
		if err != nil {
			continue
		}
		for _, task := range req.finish {
			book.Finish(task)
		}
		for _, telling := range book.Changes.Tellings[tellings:] {
			Deliver(book, e.config.Router, telling)
		}
		if len(book.Changes.Deliveries) > deliveries {
			results[i].answer.Delivery = book.Changes.Deliveries[deliveries].ID
		}
		results[i].born = e.reserve(book, tasks)
	}
	return nil
}

// Deliver lets everybody be told whom a router names.
func Deliver(book *payment.Book, router Router, telling payment.Telling) {
	for _, route := range router.Route(telling, book.Tenant(telling.Event.Tenant)) {
		book.Deliver(payment.Delivery{
			Endpoint: route.Endpoint, Event: telling.Event, Word: route.Word, Thread: route.Thread, Hurries: route.Hurries,
		}, route.Queue)
	}
}

// reserve lets the tasks from a position on be born leased to this replica, as
// far as it has free places, and returns them. Of a thread only the first can
// be: the store takes the claim away if others were there before.
func (e *Engine) reserve(book *payment.Book, from int) []payment.Task {
	var born []payment.Task
	for i := from; i < len(book.Changes.Tasks); i++ {
		task := &book.Changes.Tasks[i]
		if task.DueAt.After(book.Now) || isBehind(book.Changes.Tasks[:i], task.After.Thread) {
			continue
		}
		if claim, ok := e.config.Starter.Reserve(*task); ok {
			task.Claim = claim
			born = append(born, *task)
		}
	}
	return born
}

// isBehind reports whether a task of a thread is not the first in its commit.
func isBehind(earlier []payment.Task, thread [16]byte) bool {
	return thread != [16]byte{} && slices.ContainsFunc(earlier, func(t payment.Task) bool { return t.After.Thread == thread })
}

// sortBorn gives back the places of tasks that were not born: those of a try
// that failed, and those that existed already (the store takes their claim away).
func (e *Engine) sortBorn(book *payment.Book, results []result, err error) {
	if err != nil && !errors.Is(err, ErrUncertain) {
		e.release(results)
		return
	}
	live := map[[16]byte]bool{}
	for _, task := range book.Changes.Tasks {
		live[task.Claim] = true
	}
	for i := range results {
		results[i].born = slices.DeleteFunc(results[i].born, func(task payment.Task) bool {
			if !live[task.Claim] {
				e.config.Starter.Release(task)
			}
			return !live[task.Claim]
		})
	}
}

// release gives back all places that a try had reserved.
func (e *Engine) release(results []result) {
	for i := range results {
		for _, task := range results[i].born {
			e.config.Starter.Release(task)
		}
		results[i].born = nil
	}
}

// fate finds out whether a batch whose COMMIT got no answer was committed.
func (e *Engine) fate(id [16]byte) (bool, error) {
	ctx, cancel := context.WithTimeout(context.Background(), fateDeadline)
	defer cancel()
	for {
		committed, err := e.config.Store.Committed(ctx, id)
		if err == nil {
			return committed, nil
		}
		select {
		case <-time.After(fatePause):
		case <-ctx.Done():
			return false, fmt.Errorf("%w: batch %x: %w", ErrFateUnknown, id, err)
		}
	}
}
