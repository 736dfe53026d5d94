package batch

import (
	"context"

	"github.com/refundry/refundry/internal/payment"
)

// Store keeps batches and their rows. What rows say, and on whose behalf a batch
// was started, is kept sealed under a key of the batch, which is destroyed once the batch [Batch.IsOver]. A body that cannot
// be opened is nil.
type Store interface {
	// ChangeBatch locks a batch, reads the rows that are named, lets decide change
	// them, and writes all of it durably, with what it leaves in the book: events,
	// tasks, deliveries, keys. Of a batch that is not there decide gets the zero
	// batch, and makes it. It calls decide at most once. On an error, decide's own
	// too, nothing was written, except on [engine.ErrFateUnknown].
	ChangeBatch(ctx context.Context, tenant payment.TenantID, id ID, rows []int64,
		decide func(*payment.Book, Batch, []Row) (Change, error)) error
	// Batch returns a batch; [payment.RuleExists].
	Batch(ctx context.Context, tenant payment.TenantID, id ID) (Batch, error)
	// Batches returns batches, the newest first.
	Batches(ctx context.Context, tenant payment.TenantID, filter Filter) ([]Batch, error)
	// BatchRows returns at most limit rows behind a number, in order, without their
	// bodies, each with what it has led to.
	BatchRows(ctx context.Context, tenant payment.TenantID, id ID, after int64, limit int) ([]Seen, error)
	// WaitingRows returns the first rows behind a number that wait, in order: at
	// most limit of them, and no more once their bodies have so many bytes.
	WaitingRows(ctx context.Context, tenant payment.TenantID, id ID, after int64, limit, bytes int) ([]Row, error)
	// TakenRowKeys returns which of the keys a row of the batch has already.
	TakenRowKeys(ctx context.Context, tenant payment.TenantID, id ID, keys []string) ([]string, error)
	// AllowedRows returns the first rows of a dry run that were allowed of a payment, in order, with their bodies.
	AllowedRows(ctx context.Context, tenant payment.TenantID, id ID, of payment.PaymentID, limit int) ([]Row, error)
}

// Filter narrows a list of batches. Zero fields do not.
type Filter struct {
	Statuses []Status
	After    payment.Place // behind this place
	Limit    int           // at most this many; it must be given
}

// Change is what a store writes of a batch.
type Change struct {
	Batch Batch // as it is from now on
	Add   []Row // that have come
	Rows  []Row // that were decided
	Skip  Skipping
}

// Skipping skips the first rows that wait, so many.
type Skipping struct {
	Rows   int64
	Reason Reason
}
