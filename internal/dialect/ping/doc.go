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
