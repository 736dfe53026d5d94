// Package engine is the one road for changes: it lets commands that wait
// together commit together.
//
// A command goes to a lane. A lane takes what is waiting, without a timer, and
// commits it as one database transaction: an idle system answers at once, a
// busy one batches by itself. Callers get their answers after the commit, and
// only then. See docs/adr/0002-group-commit.md for the reasons.
package engine

import (
	"context"
	"errors"
	"hash/maphash"
	"log/slog"
	"sync"
	"time"

	"github.com/refundry/refundry/internal/fault"
	"github.com/refundry/refundry/internal/id"
	"github.com/refundry/refundry/internal/payment"
)

// Store commits what commands decide.
type Store interface {
	// Commit locks and reads what is needed, lets decide fill a book, and writes
	// its changes durably, all in one database transaction under the batch's id.
	// It calls decide at most once. On any error but [ErrUncertain] and
	// [ErrCommitted] nothing was written.
	Commit(ctx context.Context, batch [16]byte, needs []payment.Need, decide func(*payment.Book) error) error

	// Committed reports whether a batch was committed.
	Committed(ctx context.Context, batch [16]byte) (bool, error)
}

// What a store's Commit may return besides errors that mean "not now".
var (
	// ErrLostRace means that somebody else was faster: the batch may be run again.
	ErrLostRace = errors.New("lost a race")
	// ErrUncertain means that nobody heard the answer to COMMIT.
	ErrUncertain = errors.New("commit without an answer")
	// ErrCommitted means that the batch's id has been committed before.
	ErrCommitted = errors.New("batch committed before")
)

// ErrFateUnknown tells a caller that its command may or may not have been
// done. It gets no answer: a server closes the connection.
var ErrFateUnknown = errors.New("fate of the command unknown")

// Router decides, in the commit of an event, who is told about it.
type Router interface {
	Route(telling payment.Telling, tenant *payment.Tenant) []Route
}

// Route is one delivery to be made.
type Route struct {
	Endpoint payment.Endpoint
	Word     string   // what the endpoint's door calls what is told
	Thread   [16]byte // zero: in any order
	Queue    string
	Hurries  bool // the earlier deliveries of the thread are looked at at once
}

// Starter runs tasks that are born leased to this replica, so that they need
// not be found first.
type Starter interface {
	// Reserve takes a free place for a task, if there is one. The place is kept
	// until Start or Release. The claim names this replica's lease of the task.
	Reserve(task payment.Task) (claim [16]byte, ok bool)
	// Start runs tasks with reserved places, once the answer that ctx belongs
	// to has been written.
	Start(ctx context.Context, tasks []payment.Task)
	// Release gives back the place of a task that was not born after all.
	Release(task payment.Task)
}

// Config is what an engine is made of.
type Config struct {
	Store   Store
	Router  Router
	Starter Starter
	NewID   id.Source
	Lanes   int // 1 for SQLite, a few for Postgres
	Log     *slog.Logger
	Metrics Metrics

	Connectors payment.Connectors // that there are, for every decision
}

// Metrics hears about every commit.
type Metrics interface {
	Committed(commands int, took time.Duration)
	LostRace()
}

const (
	batchMax     = 256                    // more only adds latency, see docs/performance.md
	waitingMax   = 4096                   // commands in line per lane; then callers wait outside
	racesMax     = 2                      // lost in a row before a batch is halved
	fateDeadline = 15 * time.Second       // how long the fate of a commit is looked for
	fatePause    = 100 * time.Millisecond // between two looks
)

// Engine runs commands. Make one with [New], and [Engine.Run] it.
type Engine struct {
	config Config
	lanes  []chan *request
	seed   maphash.Seed
	done   chan struct{}
}

// request is one command on its way.
type request struct {
	ctx     context.Context //nolint:containedctx // the caller's: says whether anybody still waits
	command payment.Command
	finish  []payment.TaskRef
	result  chan result
}

type result struct {
	answer payment.Answer
	err    error
	born   []payment.Task
}

// New returns an engine.
func New(config Config) *Engine {
	e := &Engine{config: config, seed: maphash.MakeSeed(), done: make(chan struct{})}
	for range config.Lanes {
		e.lanes = append(e.lanes, make(chan *request, waitingMax))
	}
	return e
}

// Run works until ctx ends, then finishes what is waiting and returns.
func (e *Engine) Run(ctx context.Context) {
	var running sync.WaitGroup
	for _, lane := range e.lanes {
		running.Go(func() { e.work(ctx, lane) })
	}
	running.Wait()
	close(e.done)
}

// Do runs a command and returns what came of it, after it was committed. A
// [*payment.Refusal] means no; any other error means that nothing was done,
// except [ErrFateUnknown]. The tasks in finish end in the command's commit.
func (e *Engine) Do(ctx context.Context, command payment.Command, finish ...payment.TaskRef) (payment.Answer, error) {
	req := &request{ctx: ctx, command: command, finish: finish, result: make(chan result, 1)}
	lane := command.Need().Lane()
	select {
	case e.lanes[maphash.Bytes(e.seed, lane[:])%uint64(len(e.lanes))] <- req:
	case <-ctx.Done():
		return payment.Answer{}, fault.Wrap(ctx.Err(), fault.Unavailable, "too busy; nothing was done")
	case <-e.done:
		return payment.Answer{}, errStopped
	}
	select {
	case res := <-req.result:
		e.start(ctx, res.born)
		return res.answer, res.err
	case <-e.done:
	}
	select { // the last answers were given before the end
	case res := <-req.result:
		e.start(ctx, res.born)
		return res.answer, res.err
	default:
		return payment.Answer{}, errStopped
	}
}

var errStopped = fault.New(fault.Unavailable, "the server is stopping; nothing was done")

func (e *Engine) start(ctx context.Context, born []payment.Task) {
	if len(born) > 0 {
		e.config.Starter.Start(ctx, born)
	}
}

// work takes what is waiting in a lane, again and again. After ctx ends it
// takes what is still there, and returns when the lane is empty.
func (e *Engine) work(ctx context.Context, lane <-chan *request) {
	for {
		select {
		case first := <-lane:
			e.run(gather(first, lane))
			continue
		case <-ctx.Done():
		}
		select {
		case first := <-lane:
			e.run(gather(first, lane))
		default:
			return
		}
	}
}

// gather returns the first request and those that wait behind it.
func gather(first *request, lane <-chan *request) []*request {
	batch := []*request{first}
	for len(batch) < batchMax {
		select {
		case next := <-lane:
			batch = append(batch, next)
		default:
			return batch
		}
	}
	return batch
}
