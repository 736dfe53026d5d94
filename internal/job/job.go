// Package job runs what commits leave to be done, on leases.
//
// A job is a row in the same database, written in the commit that causes it.
// A replica claims jobs in batches for the length of a lease, runs them, and
// ends them; a replica that dies loses nothing and delays its jobs by no more
// than a lease. Handlers must bear being run twice: a lease may end while its
// holder still lives.
package job

import (
	"context"
	"time"

	"github.com/refundry/refundry/internal/payment"
)

// Job is a claimed task.
type Job struct {
	payment.Task

	Runs       int       // how often it was claimed, this time included
	LeaseUntil time.Time // by this machine's clock: never later than the database's
}

// Verdict is what a handler says of a job that it ran.
type Verdict struct {
	again time.Time
	ended bool
}

// Done says that nothing is left to do.
func Done() Verdict { return Verdict{} }

// Ended says that a commit has ended the job already, see [payment.Book.Finish].
func Ended() Verdict { return Verdict{ended: true} }

// Again says that the job must run again, at a domain time.
func Again(at time.Time) Verdict { return Verdict{again: at} }

// Handler runs a job. An error lets it run again later, with growing pauses.
type Handler func(ctx context.Context, job Job) (Verdict, error)

// Places says how many jobs of a queue may run at a time.
type Places struct {
	PerQueue int // of one endpoint or one connector: a slow one must not hold up the others
	InAll    int
}

// Claim asks for due jobs.
type Claim struct {
	ID       [16]byte
	Now      time.Time     // domain time
	Lease    time.Duration // by the database's clock
	InAll    int
	PerQueue int            // free places of a queue that is not in Busy
	Busy     map[string]int // free places of queues that have running jobs
}

// Ending is how a job ends that no commit has ended.
type Ending struct {
	payment.TaskRef

	Again time.Time // zero: it is done; otherwise when it is due again
	Runs  int       // how many runs count on: what ended well begins anew, or it would be buried for being patient
}

// Store keeps jobs.
type Store interface {
	// Claim leases due jobs to one replica. A job whose turn has not come, see
	// [payment.Turn], is not due.
	Claim(ctx context.Context, claim Claim) ([]Job, error)
	// Renew prolongs leases, from now by the database's clock, and returns those that still stand.
	Renew(ctx context.Context, tasks []payment.TaskRef, lease time.Duration) ([]payment.TaskRef, error)
	// End ends jobs whose claims still stand. Others are left as they are.
	End(ctx context.Context, endings []Ending) error
	// Reap makes jobs whose lease has ended claimable again, or buries those
	// that were claimed runsMax times: they take their holders with them.
	Reap(ctx context.Context, runsMax, limit int) (reaped, buried int, err error)
	// Prune deletes jobs that were buried before a domain time, and what else
	// is kept for a while only.
	Prune(ctx context.Context, before time.Time, limit int) (int, error)
	// Count returns how many jobs there are, by kind, and how many are buried.
	Count(ctx context.Context) (waiting map[payment.TaskKind]int, buried int, err error)
}
