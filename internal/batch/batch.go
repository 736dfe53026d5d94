// Package batch refunds many payments at once: up to a million rows, each
// decided as if it had been asked for alone.
//
// A batch is created empty, receives its rows ([Clerk.Receive]) and is started.
// A leased job then works through it ([Clerk.Work]) in windows: it asks the
// engine for the refunds of some rows, and writes down what came of them in
// one commit, with the batch's progress. Each row has an idempotency key, so a
// row is one refund however often it is asked for: after a crash, by two
// replicas, by a holder whose lease has ended. What may happen to a batch and
// to a row are the tables [Life] and [RowLife].
//
// Nothing here knows HTTP. A [Door] reads the rows, as our own API reads a
// refund; a [Store] keeps them.
package batch

import (
	"math"
	"slices"
	"strings"
	"time"

	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/payment"
)

// ID names a batch.
type ID = payment.BatchID

// Status is where a batch is in its life, see [Life].
type Status string

// The statuses of a batch.
const (
	Receiving Status = "receiving" // its rows have not come whole
	Ready     Status = "ready"     // they have: it can be started
	Running   Status = "running"
	Paused    Status = "paused"
	Canceled  Status = "canceled" // what still waited is skipped; what was refunded stays
	Done      Status = "done"     // no row waits
)

// Statuses lists every status, for tables that must have a row for each.
var Statuses = []Status{Receiving, Ready, Running, Paused, Canceled, Done}

// Life is the life of a batch. Rows that come after the others make a batch
// receive again; once started, it takes none.
var Life = payment.Life[Status]{
	Receiving: {Ready, Canceled},
	Ready:     {Receiving, Running, Canceled},
	Running:   {Paused, Canceled, Done},
	Paused:    {Running, Canceled},
	Canceled:  {},
	Done:      {},
}

// Pause says why a batch is paused.
type Pause string

// The reasons for a pause.
const (
	PauseNone    Pause = ""
	PauseAsked   Pause = "asked"   // somebody asked for it
	PauseFailure Pause = "failure" // a row was refused, and the batch stops then
	PauseHalted  Pause = "halted"  // a policy has stopped refunds
)

// The kinds of event by which the progress of batches is told.
const (
	EventCreated  payment.EventKind = "batch.created"
	EventStarted  payment.EventKind = "batch.started"
	EventPaused   payment.EventKind = "batch.paused"
	EventResumed  payment.EventKind = "batch.resumed"
	EventCanceled payment.EventKind = "batch.canceled"
	EventDone     payment.EventKind = "batch.done"
)

// EventKinds say what the kinds of event tell.
var EventKinds = []payment.KindDoc{
	{Kind: EventCreated, Doc: "A batch of refunds is received."},
	{Kind: EventStarted, Doc: "Its rows are being worked through."},
	{Kind: EventPaused, Doc: "It has stopped for now."},
	{Kind: EventResumed, Doc: "It goes on."},
	{Kind: EventCanceled, Doc: "An end: the rows that were left are not worked through."},
	{Kind: EventDone, Doc: "An end: every row has been worked through."},
}

// Options is what a batch is created with.
type Options struct {
	Reference       string         // what its owner calls it
	IsDryRun        bool           // rows are decided, and nothing is refunded
	PerSecond       int            // the most refunds a second; 0: as many as there can be
	Caps            []money.Amount // the most that is refunded, per currency; with any, no other currency is refunded
	PausesOnFailure bool           // it pauses at the first row that is refused
}

// Batch is many refunds that are asked for together.
type Batch struct {
	Options

	Tenant     payment.TenantID
	ID         ID
	Status     Status
	Pause      Pause
	Counts     Counts
	Sums       []money.Amount   // refunded so far, or allowed by a dry run: one per currency, in their order
	Full       []money.Currency // whose cap was reached: what comes after is skipped
	Bytes      int64            // of rows that have come
	Passed     int64            // no row up to this number waits: where a window begins to look
	NextAt     time.Time        // no window begins before: what keeps the pace of PerSecond
	CreatedBy  string           // actor
	StartedBy  string           // actor: who asks for the refunds
	StartedFor string           // user: on whose behalf; empty: nobody says, or it is over
	Version    int64            // raised by every change
	CreatedAt  time.Time
	UpdatedAt  time.Time
	StartedAt  time.Time
	EndedAt    time.Time
}

// Place returns the place of a batch in a list.
func (b Batch) Place() payment.Place { return payment.Place{At: b.CreatedAt, ID: b.ID} }

// Received returns how many rows have come: the offset at which the next go on.
func (b Batch) Received() int64 { return b.Counts.All() }

// IsOver reports that no row's text is needed any more, nor who stands behind
// them: the batch has ended, and nothing waits.
func (b Batch) IsOver() bool { return Life.IsEnd(b.Status) && b.Counts.Waiting == 0 }

// become changes the status, against the table.
func (b *Batch) become(to Status, now time.Time) error {
	if !Life.Allows(b.Status, to) {
		return &payment.Refusal{
			Rule: payment.RuleStatus, Message: "the batch is " + string(b.Status) + " and cannot become " + string(to),
		}
	}
	b.Status = to
	if to != Paused {
		b.Pause = PauseNone
	}
	if Life.IsEnd(to) {
		b.EndedAt = now
	}
	return nil
}

// cap returns the most that is refunded in a currency, and whether there is a
// limit at all.
func (b Batch) cap(currency money.Currency) (most money.Minor, isLimited bool) {
	for _, limit := range b.Caps {
		if limit.Currency == currency {
			return limit.Minor, true
		}
	}
	return 0, len(b.Caps) > 0
}

// sum returns what was refunded in a currency.
func (b Batch) sum(currency money.Currency) money.Minor {
	for _, sum := range b.Sums {
		if sum.Currency == currency {
			return sum.Minor
		}
	}
	return 0
}

// count moves a row from one status to another in the batch's counts and
// sums. A sum that does not fit stays at the most that does: nobody has so
// much money, and a batch must not stop over it.
func (b *Batch) count(from RowStatus, to Row) {
	b.Counts.add(from, -1)
	b.Counts.add(to.Status, 1)
	if !to.Status.Takes() {
		return
	}
	at, known := slices.BinarySearchFunc(b.Sums, to.Amount.Currency, func(sum money.Amount, currency money.Currency) int {
		return strings.Compare(string(sum.Currency), string(currency))
	})
	b.Sums = slices.Clone(b.Sums) // another try of the same decision may share it
	if !known {
		b.Sums = slices.Insert(b.Sums, at, money.Of(0, to.Amount.Currency))
	}
	sum, err := b.Sums[at].Add(to.Amount)
	if err != nil {
		sum.Minor = math.MaxInt64
	}
	b.Sums[at].Minor = sum.Minor
}

// Counts says how many rows of a batch have each status.
type Counts struct {
	Waiting, Refunded, Allowed, Refused, Invalid, Skipped int64
}

// All returns how many rows there are.
func (c Counts) All() int64 {
	return c.Waiting + c.Refunded + c.Allowed + c.Refused + c.Invalid + c.Skipped
}

// Of returns how many rows have a status.
func (c *Counts) Of(status RowStatus) int64 { return *c.at(status) }

func (c *Counts) add(status RowStatus, n int64) { *c.at(status) += n }

func (c *Counts) at(status RowStatus) *int64 {
	switch status {
	case RowRefunded:
		return &c.Refunded
	case RowAllowed:
		return &c.Allowed
	case RowRefused:
		return &c.Refused
	case RowInvalid:
		return &c.Invalid
	case RowSkipped:
		return &c.Skipped
	case RowWaiting:
		return &c.Waiting
	default:
		panic("batch: a row of no status")
	}
}
