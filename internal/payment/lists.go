package payment

import (
	"context"
	"slices"
	"time"

	"github.com/refundry/refundry/internal/money"
)

// Lists reads lists of refunds and disputes, whosever payments they are of, and
// the payments.
type Lists interface {
	// ListRefunds returns refunds, the newest first.
	ListRefunds(ctx context.Context, tenant TenantID, filter RefundFilter) ([]Refund, error)
	// RefundsEnd returns the place of the refund that stands so many places behind
	// another in the list of all, or of a batch's, the newest first; false if there
	// are not so many. Of the filter it reads Batch, Until and After.
	RefundsEnd(ctx context.Context, tenant TenantID, filter RefundFilter, places int) (Place, bool, error)
	// SumRefunds returns how many refunds a filter lets through, and what they
	// come to, by currency and status. It counts behind no place, and to no limit.
	SumRefunds(ctx context.Context, tenant TenantID, filter RefundFilter) ([]RefundSum, error)
	// UsedReasons returns which of some reasons any refund has.
	UsedReasons(ctx context.Context, tenant TenantID, reasons []string) ([]string, error)
	// ListDisputes returns disputes, the newest first.
	ListDisputes(ctx context.Context, tenant TenantID, filter DisputeFilter) ([]Dispute, error)
	// NamedPayments returns the payments that there are of those that are named,
	// each once and in any order.
	NamedPayments(ctx context.Context, tenant TenantID, ids []PaymentID) ([]Payment, error)
}

// RefundFilter narrows a list of refunds. Zero fields do not.
type RefundFilter struct {
	Payment     PaymentID
	Group       GroupID
	Batch       BatchID
	Statuses    []RefundStatus
	Reference   string // of at most 255 letters
	Reason      string
	Door        Door
	Source      Source
	Currency    money.Currency
	Least, Most money.Minor // what the amount may be
	NeedsReview *bool
	From        time.Time // opened at this time or later
	Until       time.Time // opened at this time or earlier
	After       Place     // behind this place
	To          Place     // not behind this one
	Limit       int       // at most this many; a list needs it
}

// Aging narrows a list of refunds to some of those that are on their way. Zero
// fields do not.
type Aging struct {
	Reasons        []PendingReason
	ExpectedBefore time.Time // they should have arrived before this time
	IsStuck        bool      // see [Refund.IsStuck]
	Since          time.Time // they were asked for at this time or earlier
}

// IsZero reports whether nothing is narrowed.
func (a Aging) IsZero() bool {
	return len(a.Reasons) == 0 && a.ExpectedBefore.IsZero() && !a.IsStuck && a.Since.IsZero()
}

// Lets reports whether a refund is one of those.
func (a Aging) Lets(r Refund) bool {
	return r.Status.IsRunning() &&
		(len(a.Reasons) == 0 || slices.Contains(a.Reasons, r.PendingReason)) &&
		(a.ExpectedBefore.IsZero() || !r.ExpectedBy.IsZero() && r.ExpectedBy.Before(a.ExpectedBefore)) &&
		(!a.IsStuck || r.IsStuck()) &&
		(a.Since.IsZero() || !r.CreatedAt.After(a.Since))
}

// Place returns the place of a refund in a list.
func (r Refund) Place() Place { return Place{r.CreatedAt, r.ID} }

// RefundSum is how many refunds of a currency are in a status.
type RefundSum struct {
	Currency money.Currency
	Status   RefundStatus
	Count    int64
	Minor    int64 // what they come to, in minor units; it may be beyond what one amount can be
}

// DisputeFilter narrows a list of disputes. Zero fields do not.
type DisputeFilter struct {
	Payment      PaymentID
	Kinds        []DisputeKind
	Statuses     []DisputeStatus
	IsDoubleLoss bool      // only those that took what was given back, see [Dispute.IsDoubleLoss]
	From         time.Time // opened at this time or later
	Until        time.Time // opened at this time or earlier
	After        Place     // behind this place
	Limit        int       // at most this many; it must be given
}

// Place returns the place of a dispute in a list.
func (d Dispute) Place() Place { return Place{d.CreatedAt, d.ID} }
