package payment

import (
	"time"

	"github.com/refundry/refundry/internal/money"
)

// Door is one of our front doors: the own API or a provider's dialect.
type Door string

// DoorAPI is our own API. Each dialect names its own door.
const DoorAPI Door = "api"

// OrderStatus is where an order is in its life, see [OrderLife].
type OrderStatus string

// The statuses of an order.
const (
	OrderOpen     OrderStatus = "open"     // takes payments
	OrderClosed   OrderStatus = "closed"   // takes no more
	OrderSplit    OrderStatus = "split"    // each recipient's part is set aside: no refund any more
	OrderSettled  OrderStatus = "settled"  // the parts are paid out
	OrderCanceled OrderStatus = "canceled" // never took a payment
)

// Order is what a door groups payments by: a session, a payment order. It may
// exist before any payment.
type Order struct {
	Tenant    TenantID
	ID        OrderID
	Home      Door
	Status    OrderStatus
	Currency  money.Currency // empty: not known yet
	Amount    money.Minor    // minor units; 0: not known yet
	Metadata  string         // JSON as received; empty: none
	Version   int64
	ErasedAt  time.Time // when what is personal about it was erased; zero: it was not
	CreatedAt time.Time
	UpdatedAt time.Time
}

// touch raises the order's version.
func (o *Order) touch(now time.Time) {
	o.Version++
	o.UpdatedAt = laterThan(o.UpdatedAt, now)
}

// laterThan returns now, or just after last where a clock stood still or ran
// back: times of one thing always grow.
func laterThan(last, now time.Time) time.Time {
	if next := last.Add(time.Microsecond); now.Before(next) {
		return next
	}
	return now
}
