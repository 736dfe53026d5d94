package payment

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// Reader answers questions about what has been committed. Every question
// names its tenant: what is another's is not found.
type Reader interface {
	// View returns a payment with all its parts; [RuleExists] if there is none.
	View(ctx context.Context, tenant TenantID, id PaymentID) (View, error)
	// Needed returns what a command that says so needs of its payment, as it would
	// have it in a commit now; [RuleExists] if there is none.
	Needed(ctx context.Context, need Need, tenant *Tenant, now time.Time) (View, error)
	// ViewOfRefund returns a refund's payment with all its parts.
	ViewOfRefund(ctx context.Context, tenant TenantID, id RefundID) (View, error)
	// Refund returns a refund with its attempts and its payment, and nothing else
	// of that: however many refunds there are, it costs the same.
	Refund(ctx context.Context, tenant TenantID, id RefundID) (View, error)
	// ViewOfDispute returns a dispute's payment with all its parts.
	ViewOfDispute(ctx context.Context, tenant TenantID, id DisputeID) (View, error)
	// Order returns an order with its facets; [RuleExists] if there is none.
	Order(ctx context.Context, tenant TenantID, id OrderID) (Order, []Facet, error)
	// Find returns what an alias stands for, false if it is not taken.
	Find(ctx context.Context, tenant TenantID, alias Alias) (subject [16]byte, found bool, err error)
	// Key returns what an idempotency key was used for, nil if it is new.
	Key(ctx context.Context, tenant TenantID, hash KeyHash) (*KeyRecord, error)
	// Payments returns payments with the parts that the filter names, the newest first.
	Payments(ctx context.Context, tenant TenantID, filter PaymentFilter) ([]View, error)
	// Orders returns orders, the newest first.
	Orders(ctx context.Context, tenant TenantID, filter OrderFilter) ([]OrderView, error)
	// Payouts returns payouts, the newest first.
	Payouts(ctx context.Context, tenant TenantID, filter PayoutFilter) ([]Payout, error)
	// Resource returns a door's own thing; [RuleExists] if there is none.
	Resource(ctx context.Context, tenant TenantID, door Door, kind ResourceKind, id ResourceID) (Resource, error)
	// Resources returns a door's own things of a kind, the newest first: at most
	// limit of those older than before (zero: from the newest on).
	Resources(ctx context.Context, tenant TenantID, door Door, kind ResourceKind, before ResourceID, limit int,
	) ([]Resource, error)
}

// Counting reads what was counted, see [Need.Counters].
type Counting interface {
	// Counters returns a tenant's counters that are named, each once; one that
	// there is not has counted nothing.
	Counters(ctx context.Context, tenant TenantID, ids []CounterID) ([]Counter, error)
}

// RefundRef names one refund of one tenant.
type RefundRef struct {
	Tenant TenantID
	ID     RefundID
}

// Place is a place in a list whose newest come first: behind the thing that
// was made at this time and has this id. The zero place is the beginning.
type Place struct {
	At time.Time
	ID [16]byte
}

// String returns the place as callers see it: opaque to them.
func (p Place) String() string { return fmt.Sprintf("%x-%x", p.At.UnixMicro(), p.ID) }

// ParsePlace reads what String wrote; the empty text is the beginning.
func ParsePlace(text string) (Place, bool) {
	if text == "" {
		return Place{}, true
	}
	var micros int64
	var id []byte
	if _, err := fmt.Fscanf(strings.NewReader(text), "%x-%x", &micros, &id); err != nil || len(id) != len(Place{}.ID) {
		return Place{}, false
	}
	place := Place{At: time.UnixMicro(micros).UTC(), ID: [16]byte(id)}
	return place, !place.At.IsZero() && place.String() == text // behind the zero time would be the beginning
}

// PaymentFilter narrows a list of payments. Zero fields do not.
type PaymentFilter struct {
	Order     OrderID
	Reference string // what the merchant calls it; longer ones than 255 letters are not found
	Home      Door
	Statuses  []PaymentStatus
	From      time.Time // made at this time or later
	Until     time.Time // made at this time or earlier
	After     Place     // behind this place
	Limit     int       // at most this many; it must be given
	Parts     Parts
}

// Place returns the place of a payment in a list.
func (p Payment) Place() Place { return Place{p.CreatedAt, p.ID} }

// OrderFilter narrows a list of orders. Zero fields do not.
type OrderFilter struct {
	Home     Door
	Statuses []OrderStatus
	From     time.Time // made at this time or later
	Until    time.Time // made at this time or earlier
	After    Place     // behind this place
	Limit    int       // at most this many; it must be given
}

// Place returns the place of an order in a list.
func (o Order) Place() Place { return Place{o.CreatedAt, o.ID} }

// OrderView is an order with what its doors keep of it.
type OrderView struct {
	Order  Order
	Facets []Facet // oldest first
}

// PayoutFilter narrows a list of payouts. Zero fields do not.
type PayoutFilter struct {
	ID    PayoutID
	Order OrderID
	From  time.Time // made at this time or later
	Until time.Time // made at this time or earlier
	After Place     // behind this place
	Limit int       // at most this many; it must be given
}

// Place returns the place of a payout in a list.
func (p Payout) Place() Place { return Place{p.At, p.ID} }
