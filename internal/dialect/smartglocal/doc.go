// Package smartglocal is the API of Smart Glocal and of Pike as their clients
// know it: one protocol, two brands. It translates requests into commands and
// payments into sessions, and decides nothing about money.
//
// The wire format, with the meaning of C1 to C25 in comments, is described in
// docs/dialects/smartglocal-pike.md.
package smartglocal

import "github.com/refundry/refundry/internal/payment"

// Brand is one of the two: a project belongs to one.
type Brand string

// The brands. Each is a front door of its own.
const (
	SmartGlocal Brand = "smartglocal"
	Pike        Brand = "pike"
)

// Brands lists both.
var Brands = []Brand{SmartGlocal, Pike}

// Door returns the brand's front door.
func (b Brand) Door() payment.Door { return payment.Door(b) }

// sessionAlias is the kind of alias that a session has that was made elsewhere.
func (b Brand) sessionAlias() string { return string(b) + ".session" }

// paymentAlias is the kind of alias that a payment has that was made elsewhere.
func (b Brand) paymentAlias() string { return string(b) + ".payment" }

// Version is a version of the protocol. They differ in field names only.
type Version string

// The versions.
const (
	V1 Version = "v1"
	V2 Version = "v2"
)

// AliasKinds lists the kinds of alias by which an operator may name a payment
// that was made elsewhere.
func AliasKinds() []string {
	return []string{
		SmartGlocal.sessionAlias(), SmartGlocal.paymentAlias(), Pike.sessionAlias(), Pike.paymentAlias(),
	}
}
