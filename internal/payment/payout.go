package payment

import (
	"time"

	"github.com/refundry/refundry/internal/money"
)

// Payout is what one recipient of a settled order is paid.
type Payout struct {
	Tenant   TenantID
	ID       PayoutID
	Order    OrderID
	Merchant string // the recipient
	Amount   money.Amount
	At       time.Time
}

// payOut makes one payout for each recipient of an order and currency.
func (b *Book) payOut(meta Meta, order Order, parts []part) {
	for _, part := range parts {
		payout := Payout{
			Tenant: order.Tenant, ID: b.newID(), Order: order.ID, Merchant: part.merchant,
			Amount: part.amount, At: order.UpdatedAt,
		}
		b.Changes.Payouts = append(b.Changes.Payouts, payout)
		b.Changes.Tellings = append(b.Changes.Tellings, Telling{
			Event: meta.event(EventPayoutCreated, payout.ID, order.Version, order.UpdatedAt), Payout: payout,
		})
	}
}
