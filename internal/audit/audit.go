// Package audit is the trail: who did what and when, sealed commit by commit in
// one chain. It says how the trail is read, what an export holds, and how one
// is checked without us.
package audit

import (
	"context"
	"sort"
	"time"

	"github.com/refundry/refundry/internal/fault"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/store/row"
)

// Entry is an event as the trail shows it, with its user and address if they
// can be read.
type Entry struct {
	payment.FeedEvent

	Person    payment.PersonID // zero: nobody was named
	IsErased  bool             // who it was cannot be read any more
	IsDamaged bool             // it is not what was sealed
}

// Range is the part of a tenant's trail that is read. Zero fields do not narrow it.
type Range struct {
	Payment payment.PaymentID
	Person  payment.PersonID
	First   int64          // the first commit
	End     int64          // before this commit
	Before  payment.Cursor // older than this entry
	Limit   int            // at most this many; it must be given
}

// Checkpoint is the chain at one commit: whoever has kept its number and hash
// can prove later that nothing before it was changed.
type Checkpoint struct {
	Number int64
	Hash   [32]byte
	At     time.Time
	Digest []byte // of the tenant's own part; nil: it has none
}

// Part is what one commit has written of one tenant, with what its digest covers.
type Part struct {
	Checkpoint
	Facts row.Facts
}

// Checkpoints reads the chain.
type Checkpoints interface {
	// Checkpoint returns the chain at a commit, 0: at the newest; [ErrNoCommit].
	Checkpoint(ctx context.Context, tenant payment.TenantID, number int64) (Checkpoint, error)
	// Links returns at most limit commit rows behind a number, and up to another, in order.
	Links(ctx context.Context, after, last int64, limit int) ([]row.Link, error)
}

// Store keeps the trail.
type Store interface {
	Checkpoints
	// Trail returns entries, the newest first.
	Trail(ctx context.Context, tenant payment.TenantID, r Range) ([]Entry, error)
	// CommitAt returns the number of the first commit at a time or later, one
	// more than the newest if there is none.
	CommitAt(ctx context.Context, at time.Time) (int64, error)
	// Parts returns what at most limit commits behind a number, and up to
	// another, have written of a tenant, in order. Each call is a question of
	// its own: nothing is held between two.
	Parts(ctx context.Context, tenant payment.TenantID, after, last int64, limit int) ([]Part, error)
	// ErasePerson destroys the key of the person that the event is about, and
	// writes the event. A person who was erased before is left alone;
	// fault.NotFound if the person was never named.
	ErasePerson(ctx context.Context, event payment.Event) error
}

// ErrNoCommit means that there is no such commit.
var ErrNoCommit = fault.New(fault.NotFound, "no such commit")

// Open returns an event as the trail shows it, with what its person's key opens.
func Open(at payment.Cursor, fact row.Fact, key row.PersonalKey) Entry {
	isErased, err := row.Unseal(&fact, key)
	return Entry{
		FeedEvent: payment.FeedEvent{Event: fact.Event, Cursor: at}, Person: fact.Person, IsErased: isErased,
		IsDamaged: err != nil,
	}
}

// CheckpointOf returns the chain at a link, as a tenant may see it.
func CheckpointOf(l row.Link, tenant payment.TenantID) Checkpoint {
	return Checkpoint{Number: l.Number, Hash: l.Hash, At: row.Time(l.At), Digest: l.DigestOf(tenant)}
}

// Search returns the number of the first commit at a time or later, one more
// than the newest if there is none. The times of commits never fall, so it asks
// for few of them.
func Search(newest int64, at time.Time, timeOf func(number int64) (micros int64, err error)) (int64, error) {
	var failed error
	below := sort.Search(int(newest), func(i int) bool {
		if failed != nil {
			return true
		}
		micros, err := timeOf(int64(i) + 1)
		failed = err
		return micros >= row.Micros(at)
	})
	return int64(below) + 1, failed
}
