package job

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"github.com/refundry/refundry/internal/payment"
)

// handle calls the handler of a job's kind. A bug in it fails the job, not the process.
func (r *Runner) handle(job Job) (verdict Verdict, err error) {
	defer func() {
		if bug := recover(); bug != nil {
			err = fmt.Errorf("bug in a job: %v\n%s", bug, debug.Stack())
		}
	}()
	handler, ok := r.config.Handlers[job.Kind]
	if !ok {
		return Verdict{}, fmt.Errorf("no handler for jobs of kind %s", job.Kind)
	}
	return handler(r.base, job)
}

// renew prolongs all leases that are held. A lease that is lost is forgotten:
// its job goes on elsewhere, and what its holder here still learns is recorded.
func (r *Runner) renew(ctx context.Context) {
	r.mutex.Lock()
	tasks := make([]payment.TaskRef, 0, len(r.held))
	for task := range r.held {
		tasks = append(tasks, task)
	}
	r.mutex.Unlock()
	if len(tasks) == 0 {
		return
	}
	asked := time.Now() //nolint:forbidigo // leases are machine time
	kept, err := r.config.Store.Renew(ctx, tasks, r.config.Lease)
	if err != nil {
		r.config.Log.WarnContext(ctx, "leases not renewed", "error", err)
		return
	}
	r.mutex.Lock()
	defer r.mutex.Unlock()
	for _, task := range kept {
		if _, held := r.held[task]; held {
			r.held[task] = asked.Add(r.config.Lease)
		}
	}
}

// CallTime returns how long a call to the outside may take that would like to
// take wanted, and how much of a lease must be left when it starts: so much
// that its answer can still be written down under it.
func CallTime(lease, wanted time.Duration) (timeout, needed time.Duration) {
	timeout = min(wanted, lease*2/5)
	return timeout, timeout + min(2*time.Second, lease/20)
}

// LeaseLeft returns how much of a job's lease is left, by this machine's
// clock: never more than what is left of it in the database.
func (r *Runner) LeaseLeft(job Job) time.Duration {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	until, held := r.held[job.Ref()]
	if !held {
		until = job.LeaseUntil
	}
	return time.Until(until)
}

func (r *Runner) reap(ctx context.Context) {
	reaped, buried, err := r.config.Store.Reap(ctx, runsMax, reapLimit)
	switch {
	case err != nil:
		if ctx.Err() == nil {
			r.config.Log.WarnContext(ctx, "ended leases not reaped", "error", err)
		}
	case buried > 0:
		r.config.Log.ErrorContext(ctx, "jobs buried: they took their holders with them", "jobs", buried)
	case reaped > 0:
		r.config.Log.InfoContext(ctx, "leases ended without an end of their jobs", "jobs", reaped)
	}
	if reaped > 0 {
		r.Poke()
	}
}

func (r *Runner) prune(ctx context.Context) {
	for {
		pruned, err := r.config.Store.Prune(ctx, r.config.Now().Add(-keepBuried), pruneLimit)
		if err != nil && ctx.Err() == nil {
			r.config.Log.WarnContext(ctx, "old jobs not pruned", "error", err)
		}
		if err != nil || pruned < pruneLimit {
			return
		}
	}
}

// endAll ends jobs, those together that wait together, until ctx ends and
// nothing waits.
func (r *Runner) endAll(ctx context.Context) {
	for {
		select {
		case first := <-r.endings:
			r.end(r.gather(first))
			continue
		case <-ctx.Done():
		}
		select {
		case first := <-r.endings:
			r.end(r.gather(first))
		default:
			return
		}
	}
}

func (r *Runner) gather(first Ending) []Ending {
	batch := []Ending{first}
	for len(batch) < endLimit {
		select {
		case next := <-r.endings:
			batch = append(batch, next)
		default:
			return batch
		}
	}
	return batch
}

// end ends jobs. If that fails, their leases end by themselves.
func (r *Runner) end(batch []Ending) {
	if err := r.config.Store.End(r.base, batch); err != nil {
		r.config.Log.Warn("jobs not ended; they will run again", "jobs", len(batch), "error", err)
	}
	again := false
	for _, ending := range batch {
		r.drop(ending.TaskRef)
		again = again || !ending.Again.IsZero()
	}
	if again {
		r.Poke()
	}
}

// holdKey is the context key of a hold.
type holdKey struct{}

// hold keeps tasks back until an answer is written.
type hold struct {
	mutex sync.Mutex
	open  bool
	tasks []payment.Task
}

// Hold returns a context under which started tasks wait for release: an HTTP
// server calls it when the answer has been written.
func (r *Runner) Hold(ctx context.Context) (held context.Context, release func()) {
	h := &hold{}
	return context.WithValue(ctx, holdKey{}, h), func() {
		h.mutex.Lock()
		defer h.mutex.Unlock()
		h.open = true
		r.startAll(h.tasks)
		h.tasks = nil
	}
}

// Unheld returns a context under which started tasks do not wait: for a caller
// who waits for what they come to.
func Unheld(ctx context.Context) context.Context { return context.WithValue(ctx, holdKey{}, nil) }

// Reserve takes a free place for a task, if there is one. It implements [engine.Starter].
func (r *Runner) Reserve(task payment.Task) (claim [16]byte, ok bool) {
	if !r.take(task.Queue) {
		return claim, false
	}
	return r.config.NewID(), true
}

// Release gives back a place that [Runner.Reserve] took.
func (r *Runner) Release(task payment.Task) { r.give(task.Queue) }

// Start runs tasks with reserved places: at once, or when the hold of ctx is released.
func (r *Runner) Start(ctx context.Context, tasks []payment.Task) {
	if h, ok := ctx.Value(holdKey{}).(*hold); ok {
		h.mutex.Lock()
		defer h.mutex.Unlock()
		if !h.open {
			h.tasks = append(h.tasks, tasks...)
			return
		}
	}
	r.startAll(tasks)
}

// startAll runs tasks whose lease began with their commit, shortly before.
func (r *Runner) startAll(tasks []payment.Task) {
	until := time.Now().Add(r.config.Lease / 2) //nolint:forbidigo // leases are machine time
	for _, task := range tasks {
		r.start(Job{Task: task, Runs: 1, LeaseUntil: until})
	}
}
