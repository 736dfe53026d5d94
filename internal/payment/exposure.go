package payment

import "github.com/refundry/refundry/internal/money"

// Exposure is what of a payment is gone, or may go: refunds and disputes in one
// place, in minor units of the payment's currency.
type Exposure struct {
	Totals

	Total      money.Minor // refunded, reserved and disputed together
	DoubleLoss money.Minor // what of it goes beyond what was taken, because a dispute took it too
}

// Exposure returns what of the payment is gone, or may go.
func (v View) Exposure() Exposure {
	totals := v.Payment.Totals
	return Exposure{
		Totals: totals, Total: totals.claimed(),
		DoubleLoss: min(totals.Disputed, totals.Refunded+totals.Reserved, totals.over()),
	}
}
