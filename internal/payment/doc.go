// Package payment is the domain: what an order, a payment, a refund and a
// dispute are, what may happen to them, and what a rule's no looks like.
//
// It is pure. Nothing here waits, asks the clock or knows how things are
// stored or spelled on a wire. A change is a [Command] that is applied to a
// [Book]: what one commit has locked and read, and what it will write. Start
// at [OpenRefund]; the lives of all things are the tables in life.go.
package payment
