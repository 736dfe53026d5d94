package job

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/refundry/refundry/internal/id"
	"github.com/refundry/refundry/internal/payment"
)

// Config is what a runner is made of.
type Config struct {
	Store    Store
	Handlers map[payment.TaskKind]Handler
	Places   Places
	Lease    time.Duration
	Now      func() time.Time // domain time, which a test clock may move
	NewID    id.Source
	Luck     func() float64 // between 0 and 1
	Log      *slog.Logger
	Metrics  Metrics
}

// Metrics hears about every run.
type Metrics interface {
	Ran(kind payment.TaskKind, took time.Duration, failed bool)
}

const (
	pollPause  = 50 * time.Millisecond // between two looks for due jobs
	reapLimit  = 1000                  // jobs per look
	runsMax    = 20                    // claims without an end: the job takes its holders with it
	failedMax  = 11                    // failed runs that count: pauses grow no longer then, see Backoff
	prunePause = time.Minute
	pruneLimit = 1000
	keepBuried = 30 * 24 * time.Hour
	endLimit   = 256 // endings in one database transaction
)

// Runner runs jobs. Make one with [New], and [Runner.Run] it.
type Runner struct {
	config  Config
	endings chan Ending

	mutex   sync.Mutex
	running map[string]int                // taken places by queue
	taken   int                           // taken places in all
	held    map[payment.TaskRef]time.Time // leases of this replica
	stopped bool
	work    sync.WaitGroup
	poked   chan struct{}
	base    context.Context //nolint:containedctx // what handlers run under: ends after the runner
}

// New returns a runner.
func New(config Config) *Runner {
	return &Runner{
		config:  config,
		endings: make(chan Ending, endLimit),
		running: map[string]int{},
		held:    map[payment.TaskRef]time.Time{},
		poked:   make(chan struct{}, 1),
		base:    context.Background(),
	}
}

// Run works until ctx ends. Then it lets running handlers come to their end
// and returns when all is quiet.
func (r *Runner) Run(ctx context.Context) {
	var helpers sync.WaitGroup
	helping, stop := context.WithCancel(context.WithoutCancel(ctx))
	helpers.Go(func() { r.endAll(helping) })
	helpers.Go(func() { r.every(helping, r.config.Lease/3, r.renew) })
	helpers.Go(func() { r.every(ctx, min(time.Second, r.config.Lease/4), r.reap) })
	helpers.Go(func() { r.every(ctx, prunePause, r.prune) })
	for ctx.Err() == nil {
		more := r.claim(ctx)
		if !more {
			pause(ctx, pollPause, r.poked)
		}
	}
	r.mutex.Lock()
	r.stopped = true
	r.mutex.Unlock()
	r.work.Wait()
	stop()
	helpers.Wait()
}

// every calls a function again and again, with pauses.
func (r *Runner) every(ctx context.Context, gap time.Duration, do func(context.Context)) {
	for pause(ctx, gap, nil); ctx.Err() == nil; pause(ctx, gap, nil) {
		do(ctx)
	}
}

func pause(ctx context.Context, gap time.Duration, poked <-chan struct{}) {
	timer := time.NewTimer(gap)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-poked:
	case <-ctx.Done():
	}
}

// Poke lets the runner look for due jobs at once.
func (r *Runner) Poke() {
	select {
	case r.poked <- struct{}{}:
	default:
	}
}

// claim leases due jobs and starts them. It reports whether there may be more.
func (r *Runner) claim(ctx context.Context) bool {
	r.mutex.Lock()
	claim := Claim{
		ID: r.config.NewID(), Now: r.config.Now(), Lease: r.config.Lease,
		InAll: r.config.Places.InAll - r.taken, PerQueue: r.config.Places.PerQueue, Busy: map[string]int{},
	}
	for queue, taken := range r.running {
		claim.Busy[queue] = max(0, r.config.Places.PerQueue-taken)
	}
	r.mutex.Unlock()
	if claim.InAll <= 0 {
		return false
	}
	asked := time.Now() //nolint:forbidigo // leases are machine time
	jobs, err := r.config.Store.Claim(ctx, claim)
	if err != nil {
		if ctx.Err() == nil {
			r.config.Log.WarnContext(ctx, "jobs not claimed", "error", err)
		}
		return false
	}
	for _, job := range jobs {
		if !r.take(job.Queue) { // somebody has reserved the place meanwhile
			r.endings <- Ending{TaskRef: job.Ref(), Again: claim.Now, Runs: job.Runs - 1}
			continue
		}
		job.LeaseUntil = asked.Add(r.config.Lease)
		r.start(job)
	}
	return len(jobs) > 0
}

// take takes a place of a queue, if one is free.
func (r *Runner) take(queue string) bool {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if r.stopped || r.taken >= r.config.Places.InAll || r.running[queue] >= r.config.Places.PerQueue {
		return false
	}
	r.running[queue]++
	r.taken++
	return true
}

// give gives a place back.
func (r *Runner) give(queue string) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.free(queue)
}

// free gives a place back; the caller holds the mutex.
func (r *Runner) free(queue string) {
	r.taken--
	if r.running[queue]--; r.running[queue] == 0 {
		delete(r.running, queue)
	}
}

// start runs a job that has its place. A runner that has stopped lets its
// lease end: another one runs it then.
func (r *Runner) start(job Job) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if r.stopped {
		r.free(job.Queue)
		return
	}
	r.held[job.Ref()] = job.LeaseUntil
	r.work.Go(func() { r.run(job) }) // before Run can wait for it: both hold the mutex
}

// run runs a job and passes on how it ended.
func (r *Runner) run(job Job) {
	defer r.give(job.Queue)
	began := time.Now() //nolint:forbidigo // metrics are machine time
	verdict, err := r.handle(job)
	runs := 0
	r.config.Metrics.Ran(job.Kind, time.Since(began), err != nil)
	if err != nil {
		r.config.Log.WarnContext(r.base, "job failed", "kind", string(job.Kind), "runs", job.Runs, "error", err)
		verdict = Again(r.config.Now().Add(Backoff(job.Runs, r.config.Luck())))
		runs = min(job.Runs, failedMax)
	}
	if verdict.ended {
		r.drop(job.Ref())
		return
	}
	r.endings <- Ending{TaskRef: job.Ref(), Again: verdict.again, Runs: runs}
}

// drop forgets a lease.
func (r *Runner) drop(task payment.TaskRef) {
	r.mutex.Lock()
	delete(r.held, task)
	r.mutex.Unlock()
}
