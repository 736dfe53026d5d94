package batch

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/refundry/refundry/internal/engine"
	"github.com/refundry/refundry/internal/fault"
	"github.com/refundry/refundry/internal/id"
	"github.com/refundry/refundry/internal/job"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/wire"
)

// Engine is the one road for changes of payments and refunds.
type Engine interface {
	Do(ctx context.Context, command payment.Command, finish ...payment.TaskRef) (payment.Answer, error)
}

// Reader answers what a clerk must know of payments.
type Reader interface {
	// View returns a payment with all its parts; [payment.RuleExists].
	View(ctx context.Context, tenant payment.TenantID, id payment.PaymentID) (payment.View, error)
	// Needed returns what a command needs of its payment; [payment.RuleExists].
	Needed(ctx context.Context, need payment.Need, tenant *payment.Tenant, now time.Time) (payment.View, error)
	// Key returns what an idempotency key was used for, nil if it is new.
	Key(ctx context.Context, tenant payment.TenantID, hash payment.KeyHash) (*payment.KeyRecord, error)
	payment.Counting
	// Tenant returns a tenant with its settings; fault.NotFound.
	Tenant(ctx context.Context, tenant payment.TenantID) (payment.Tenant, error)
}

// Config is what a clerk is made of.
type Config struct {
	Engine    Engine
	Store     Store
	Reader    Reader
	Router    engine.Router // who is told of a batch's progress
	Door      Door
	LeaseLeft func(j job.Job) time.Duration
	Lease     time.Duration    // of a job
	Now       func() time.Time // domain time
	NewID     id.Source
	Log       *slog.Logger
}

// Clerk receives batches, starts and stops them, and works through them.
type Clerk struct{ config Config }

// New returns a clerk.
func New(config Config) *Clerk { return &Clerk{config} }

// queue is what the jobs of batches compete in: one batch must not hold up
// others, nor anything else.
const queue = "batches"

// referenceMax is how many letters a batch's reference has at the most.
const referenceMax = 255

// check says what is wrong with options; [Wrongs].
func (o Options) check() error {
	var wrongs Wrongs
	say := func(pointer, detail string) { wrongs = append(wrongs, Wrong{pointer, detail}) }
	switch {
	case utf8.RuneCountInString(o.Reference) > referenceMax:
		say("#/reference", "must have at most "+strconv.Itoa(referenceMax)+" letters")
	case wire.HasCardNumber(o.Reference):
		say("#/reference", "looks like a card number")
	}
	if o.PerSecond < 0 || o.PerSecond > PerSecondMax {
		say("#/per_second", "must be a whole number from 1 to "+strconv.Itoa(PerSecondMax))
	}
	if len(o.Caps) > CapsMax {
		say("#/caps", "must be a list of at most "+strconv.Itoa(CapsMax))
		return wrongs
	}
	for i, limit := range o.Caps {
		for _, other := range o.Caps[:i] {
			if other.Currency == limit.Currency {
				say("#/caps/"+strconv.Itoa(i), "names a currency a second time")
			}
		}
	}
	if len(wrongs) == 0 {
		return nil
	}
	return wrongs
}

// Create makes an empty batch. A key that was used for the same before returns
// the batch as it was then, and true; [Wrongs], [payment.RuleKeyMisuse].
func (c *Clerk) Create(ctx context.Context, meta payment.Meta, options Options,
) (made Batch, replayed bool, err error) {
	if err := options.check(); err != nil {
		return Batch{}, false, err
	}
	if made, replayed, err = c.replay(ctx, meta); err != nil || replayed {
		return made, replayed, err
	}
	id := ID(c.config.NewID())
	err = c.config.Store.ChangeBatch(ctx, meta.Tenant, id, nil, func(book *payment.Book, _ Batch, _ []Row) (Change, error) {
		made = Batch{
			Options: options, Tenant: meta.Tenant, ID: id, Status: Receiving, CreatedBy: meta.Actor,
			Version: 1, CreatedAt: book.Now, UpdatedAt: book.Now,
		}
		if meta.Key.Hash != (payment.KeyHash{}) {
			book.Changes.Keys = append(book.Changes.Keys, &payment.KeyRecord{
				Tenant: meta.Tenant, Hash: meta.Key.Hash, Fingerprint: meta.Key.Fingerprint, Subject: id, At: book.Now,
			})
		}
		c.tell(book, meta, EventCreated, made)
		return Change{Batch: made}, nil
	})
	if err == nil {
		wire.Changed(ctx)
	}
	if err != nil && !errors.Is(err, engine.ErrFateUnknown) {
		if made, replayed, again := c.replay(ctx, meta); again == nil && replayed {
			return made, true, nil // the same key was faster
		}
	}
	return made, false, err
}

// replay returns the batch that a key has made before, as it was then: empty.
func (c *Clerk) replay(ctx context.Context, meta payment.Meta) (Batch, bool, error) {
	if meta.Key.Hash == (payment.KeyHash{}) {
		return Batch{}, false, nil
	}
	record, err := c.config.Reader.Key(ctx, meta.Tenant, meta.Key.Hash)
	switch {
	case err != nil || record == nil:
		return Batch{}, false, err
	case record.Fingerprint != meta.Key.Fingerprint:
		return Batch{}, false, &payment.Refusal{
			Rule: payment.RuleKeyMisuse, Message: "the idempotency key was used for another request", Earlier: record,
			Asked: meta.Key.Fingerprint,
		}
	}
	now, err := c.Get(ctx, meta.Tenant, record.Subject)
	return Batch{
		Options: now.Options, Tenant: now.Tenant, ID: now.ID, Status: Receiving, CreatedBy: now.CreatedBy,
		Version: 1, CreatedAt: now.CreatedAt, UpdatedAt: now.CreatedAt,
	}, err == nil, err
}

// Get returns a batch; [payment.RuleExists].
func (c *Clerk) Get(ctx context.Context, tenant payment.TenantID, id ID) (Batch, error) {
	return c.config.Store.Batch(ctx, tenant, id)
}

// List returns batches, the newest first.
func (c *Clerk) List(ctx context.Context, tenant payment.TenantID, filter Filter) ([]Batch, error) {
	return c.config.Store.Batches(ctx, tenant, filter)
}

// Start lets a batch whose rows have come be worked through. Who starts it
// asks for its refunds. Started again, it is unchanged.
func (c *Clerk) Start(ctx context.Context, meta payment.Meta, id ID) (Batch, error) {
	return c.control(ctx, meta, id, EventStarted, func(b *Batch, now time.Time) error {
		switch b.Status {
		case Receiving:
			return &payment.Refusal{
				Rule: payment.RuleStatus, Message: "the rows of the batch have not come whole: send the rest first",
			}
		case Paused:
			return &payment.Refusal{Rule: payment.RuleStatus, Message: "the batch is paused: resume it"}
		case Ready, Running, Canceled, Done:
		}
		b.StartedBy, b.StartedFor, b.StartedAt = meta.Actor, meta.User, now
		return b.become(Running, now)
	}, Running)
}

// Pause holds a batch up, once the rows that are being worked on are done.
func (c *Clerk) Pause(ctx context.Context, meta payment.Meta, id ID) (Batch, error) {
	return c.control(ctx, meta, id, EventPaused, func(b *Batch, now time.Time) error {
		b.Pause = PauseAsked
		return b.become(Paused, now)
	}, Paused)
}

// Resume lets a paused batch go on.
func (c *Clerk) Resume(ctx context.Context, meta payment.Meta, id ID) (Batch, error) {
	return c.control(ctx, meta, id, EventResumed, func(b *Batch, now time.Time) error {
		if b.Status == Ready {
			return &payment.Refusal{Rule: payment.RuleStatus, Message: "the batch has not been started"}
		}
		return b.become(Running, now)
	}, Running)
}

// Cancel ends a batch: what waits is skipped, what was refunded stays.
func (c *Clerk) Cancel(ctx context.Context, meta payment.Meta, id ID) (Batch, error) {
	return c.control(ctx, meta, id, EventCanceled, func(b *Batch, now time.Time) error {
		return b.become(Canceled, now)
	}, Canceled)
}

// control moves a batch because somebody asks for it. A batch that is there
// already is left as it is: a request that is sent again does no harm.
func (c *Clerk) control(ctx context.Context, meta payment.Meta, id ID, kind payment.EventKind,
	move func(b *Batch, now time.Time) error, to Status,
) (after Batch, err error) {
	err = c.change(ctx, meta.Tenant, id, nil, func(book *payment.Book, b *Batch, _ []Row) (Change, error) {
		after = *b
		if b.Status == to {
			return Change{}, errUnchanged
		}
		if err := move(b, book.Now); err != nil {
			return Change{}, err
		}
		b.touch(book.Now)
		c.tell(book, meta, kind, *b)
		if to == Running || to == Canceled {
			book.Changes.Tasks = append(book.Changes.Tasks, b.task(book.Now))
		}
		after = *b
		return Change{}, nil
	})
	return after, err
}

// errUnchanged ends a decision that has nothing to write.
var errUnchanged = errors.New("nothing has changed")

// change changes a batch that is there. decide changes the copy that it gets,
// and returns what is written of rows.
func (c *Clerk) change(ctx context.Context, tenant payment.TenantID, id ID, rows []int64,
	decide func(*payment.Book, *Batch, []Row) (Change, error),
) error {
	err := c.config.Store.ChangeBatch(ctx, tenant, id, rows, func(book *payment.Book, b Batch, rows []Row) (Change, error) {
		if b.Version == 0 {
			return Change{}, payment.NoSuch("batch")
		}
		change, err := decide(book, &b, rows)
		if b.IsOver() {
			b.StartedFor = ""
		}
		change.Batch = b
		return change, err
	})
	switch {
	case err == nil:
		wire.Changed(ctx)
	case errors.Is(err, errUnchanged):
		return nil
	}
	return err
}

// touch stamps the batch with its next version.
func (b *Batch) touch(now time.Time) {
	b.Version++
	b.UpdatedAt = now
}

// task is the job that works through the batch.
func (b Batch) task(due time.Time) payment.Task {
	return payment.Task{
		Tenant: b.Tenant, Kind: payment.TaskRunBatch, Subject: b.ID, Queue: queue, DueAt: due,
	}
}

// tell records that something happened to a batch, and who is told.
func (c *Clerk) tell(book *payment.Book, meta payment.Meta, kind payment.EventKind, b Batch) {
	telling := payment.Telling{Event: payment.Event{
		Tenant: b.Tenant, Kind: kind, Subject: b.ID, Version: b.Version, At: book.Now,
		Actor: meta.Actor, Door: payment.DoorAPI, Request: meta.Request, User: meta.User, Address: meta.Address,
	}}
	book.Changes.Tellings = append(book.Changes.Tellings, telling)
	engine.Deliver(book, c.config.Router, telling)
}

// errOffset says at which row an upload goes on.
func errOffset(b Batch) error {
	return fault.New(fault.Conflict, "%d rows have come: go on with offset=%d", b.Received(), b.Received())
}
