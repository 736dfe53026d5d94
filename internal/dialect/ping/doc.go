// Package ping is the API of Ping Payments as its clients know it. It translates
// requests into commands and payments into answers, and decides nothing about
// money.
//
// The wire format, with the meaning of its choices, is described in
// docs/dialects/ping.md.
package ping

import "github.com/refundry/refundry/internal/payment"

// Name is this front door.
const Name payment.Door = "ping"

// The kinds of things that only this door knows.
const (
	kindMerchant payment.ResourceKind = "merchant"

	// paymentAlias is the kind of alias that a payment has that was made elsewhere.
	paymentAlias = "ping.payment"

	// orderAlias is the kind of alias by which such a payment is found by the id of
	// the order that it had. One payment of an order has it, if its import says so.
	orderAlias = "ping.payment_order"
)

// AliasKinds lists the kinds of alias by which an operator may name a payment
// that was made elsewhere.
func AliasKinds() []string { return []string{paymentAlias} }

// OrderKinds lists the kinds of alias that the imported payments of one order share.
func OrderKinds() []string { return []string{orderAlias} }
