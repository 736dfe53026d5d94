// Package primer is the API of Primer as its clients know it. It translates
// requests into commands and payments into answers, and decides nothing about
// money.
//
// The wire format, with the meaning of its choices, is described in
// docs/dialects/primer.md.
package primer

import "github.com/refundry/refundry/internal/payment"

// Name is this front door.
const Name payment.Door = "primer"
