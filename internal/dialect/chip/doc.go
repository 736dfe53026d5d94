// Package chip is the API of CHIP as its clients know it. It translates
// requests into commands and payments into answers, and decides nothing about
// money.
//
// The wire format, with the meaning of its choices, is described in
// docs/dialects/chip.md.
package chip

import "github.com/refundry/refundry/internal/payment"

// Name is this front door.
const Name payment.Door = "chip"
