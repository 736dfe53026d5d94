package payment

import "time"

// EventKind says what happened, as in "refund.succeeded".
type EventKind string

// The kinds of event. A refund, payment or dispute that reaches a status
// tells "refund.<status>", "payment.<status>", "dispute.<status>"; these are
// the others.
const (
	EventRefundCreated     EventKind = "refund.created"
	EventRefundApproved    EventKind = "refund.approved" // one more yes, not yet enough
	EventRefundSubmitted   EventKind = "refund.submitted"
	EventRefundNotSent     EventKind = "refund.not_sent"
	EventRefundNeedsReview EventKind = "refund.needs_review"
	EventRefundAdopted     EventKind = "refund.adopted"
	EventRefundUpdated     EventKind = "refund.updated"  // references became known
	EventRefundHalted      EventKind = "refund.halted"   // it would have left, but a policy has stopped refunds
	EventRefundStuck       EventKind = "refund.stuck"    // it is on its way for longer than expected
	EventRefundInquired    EventKind = "refund.inquired" // a person has let the processor be asked once more
	EventRefundResent      EventKind = "refund.resent"   // a person has let it be sent once more
	EventPaymentWaiting    EventKind = "payment.waiting"
	EventPaymentCapturing  EventKind = "payment.capturing"
	EventPaymentCanceling  EventKind = "payment.canceling"
	// EventPaymentCaptureFailed tells that one more capture was refused; what was captured before stays.
	EventPaymentCaptureFailed EventKind = "payment.capture_failed"
	EventPaymentOrderMoved    EventKind = "payment.order_moved" // its order was closed, split or settled
	// EventDisputeDoubleLoss tells that a dispute took what was given back, or is being given back.
	EventDisputeDoubleLoss EventKind = "dispute.double_loss_risk"
	EventOrderCreated      EventKind = "order.created"
	EventOrderUpdated      EventKind = "order.updated"          // its door's document was replaced
	EventPaymentUpdated    EventKind = "payment.updated"        // its door's document was replaced
	EventPaymentItems      EventKind = "payment.items_replaced" // another list of lines took the place of the old
	EventPaymentTryFailed  EventKind = "payment.try_failed"     // the payer tried to pay in vain, and may again
	EventRefundDeferred    EventKind = "refund.deferred"        // the caller who waited was told that it takes longer
	EventPaymentErased     EventKind = "payment.erased"         // what is personal about it is gone
	EventOrderErased       EventKind = "order.erased"           // … about it, and about all its payments
	EventPayoutCreated     EventKind = "payout.created"
	EventResourcePut       EventKind = "resource.put"
	EventResourceRemoved   EventKind = "resource.removed"  // with the erased payment of the person that it is about
	EventEndpointReplayed  EventKind = "endpoint.replayed" // it is told once more what has happened
	EventEndpointTried     EventKind = "endpoint.tried"    // somebody asked for a webhook that tells nothing
)

func refundEvent(status RefundStatus) EventKind   { return EventKind("refund." + string(status)) }
func paymentEvent(status PaymentStatus) EventKind { return EventKind("payment." + string(status)) }
func disputeEvent(status DisputeStatus) EventKind { return EventKind("dispute." + string(status)) }
func orderEvent(status OrderStatus) EventKind     { return EventKind("order." + string(status)) }

// IsImport reports whether an event is the one of the payment's import.
func (p Payment) IsImport(event Event) bool {
	return p.IsImported && len(p.History) > 0 && event.Version == p.History[0].Version &&
		event.Kind == paymentEvent(p.History[0].Status)
}

// Event is a fact that happened: the row of the feed, and of the audit trail.
// It holds ids and a version; bodies are rendered when somebody reads.
type Event struct {
	Tenant  TenantID
	Kind    EventKind
	Payment PaymentID // zero: an order without one
	Subject [16]byte  // the order, payment, refund or dispute
	Version int64     // of the payment, or of the order that has none
	At      time.Time
	Actor   string
	Door    Door
	Request string // the request id, for logs
	User    string // the person on whose behalf; empty: nobody was named, or the reader must not know
	Address string // where it was asked for; empty: not known, or the reader must not know
	Detail  string // what a change of settings changed, as JSON; empty for everything else
}

// Telling is an event with what decides, in its own commit, who is told.
type Telling struct {
	Event    Event
	Payment  Payment
	Refund   Refund    // zero: the event is not about a refund
	Dispute  Dispute   // zero: the event is not about a dispute
	Disputes []Dispute // of the payment, where something is disputed
	Refunds  []Refund  // of the payment, where something is disputed
	Payout   Payout    // zero: the event is not about a payout
	To       *Endpoint // set: only this endpoint is told
	IsImport bool      // it happened elsewhere and long ago: nobody waits to hear of it
}
