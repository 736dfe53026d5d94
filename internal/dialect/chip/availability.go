package chip

import (
	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/payment"
)

// The provider's words for how far a purchase can be refunded.
const (
	availableAll         = "all"
	availableFullOnly    = "full_only"
	availablePartialOnly = "partial_only"
	availablePISAll      = "pis_all"
	availablePISPartial  = "pis_partial"
	availableNone        = "none"
)

// availabilities says what the words mean.
var availabilities = map[string]payment.Availability{
	availableAll:         payment.RefundsAll,
	availableFullOnly:    payment.RefundsWholeOnly,
	availablePISAll:      payment.RefundsWholeOnly,
	availablePartialOnly: payment.RefundsPartialOnly,
	availablePISPartial:  payment.RefundsPartialOnly,
	availableNone:        payment.RefundsNone,
}

// availabilityWords are the words for payments that were made elsewhere.
var availabilityWords = map[payment.Availability]string{
	"":                         availableAll,
	payment.RefundsAll:         availableAll,
	payment.RefundsWholeOnly:   availableFullOnly,
	payment.RefundsPartialOnly: availablePartialOnly,
	payment.RefundsNone:        availableNone,
}

// availability returns how far the purchase can be refunded now.
func (s shown) availability() string {
	p := s.view.Payment
	word := availabilityWords[p.Availability]
	if s.doc.Paid != nil && s.doc.Paid.Availability != "" {
		word = s.doc.Paid.Availability
	}
	switch s.life.status {
	case statusPaid, statusRefunded:
	default:
		return availableNone
	}
	switch {
	case s.refundable() == 0:
		return availableNone
	case s.life.status == statusRefunded && word == availableAll:
		return afterPartial.Of(s.tenant.Settings)
	}
	return word
}

// refundable returns how much can still be refunded. A refund on its way does
// not lower it.
func (s shown) refundable() money.Minor {
	p := s.view.Payment
	isOver := p.OrderStatus == payment.OrderSplit || p.OrderStatus == payment.OrderSettled
	if p.Availability == payment.RefundsNone || isOver {
		return 0
	}
	switch s.life.status {
	case statusPaid, statusRefunded, statusPendingRefund:
		return max(0, p.Captured-p.Refunded)
	}
	return 0
}
