package payment

import (
	"slices"
	"time"
)

// Life is a table of legal moves. What is not in it cannot happen.
type Life[S ~string] map[S][]S

// Allows reports whether a move is legal.
func (l Life[S]) Allows(from, to S) bool { return slices.Contains(l[from], to) }

// IsEnd reports whether nothing leads out of a status.
func (l Life[S]) IsEnd(status S) bool { return len(l[status]) == 0 }

// OrderLife is the life of an order.
var OrderLife = Life[OrderStatus]{
	OrderOpen:     {OrderClosed, OrderSplit, OrderSettled, OrderCanceled},
	OrderClosed:   {OrderSplit, OrderSettled},
	OrderSplit:    {OrderSettled},
	OrderSettled:  {},
	OrderCanceled: {},
}

// PaymentLife is the life of a payment. Steps may be skipped; a captured
// payment may be captured further until a capture is final.
var PaymentLife = Life[PaymentStatus]{
	PaymentCreated: {
		PaymentPending, PaymentAuthorized, PaymentCaptured,
		PaymentDeclined, PaymentFailed, PaymentCanceled, PaymentExpired,
	},
	PaymentPending: {
		PaymentAuthorized, PaymentCaptured,
		PaymentDeclined, PaymentFailed, PaymentCanceled, PaymentExpired,
	},
	PaymentAuthorized: {PaymentCaptured, PaymentFailed, PaymentCanceled, PaymentExpired},
	PaymentCaptured:   {},
	PaymentDeclined:   {},
	PaymentFailed:     {},
	PaymentCanceled:   {},
	PaymentExpired:    {},
}

// CaptureLife is the life of a capture.
var CaptureLife = Life[CaptureStatus]{
	CapturePending: {CaptureSettled, CaptureFailed},
	CaptureSettled: {},
	CaptureFailed:  {},
}

// RefundLife is the life of a refund. A pending refund may be scheduled or
// canceled only while it has not been submitted, see [Refund.IsSubmitted].
var RefundLife = Life[RefundStatus]{
	RefundAwaitingApproval: {RefundScheduled, RefundPending, RefundCanceled},
	RefundScheduled:        {RefundPending, RefundCanceled},
	RefundPending: {
		RefundUnknown, RefundSucceeded, RefundDeclined, RefundFailed,
		RefundScheduled, RefundCanceled,
	},
	RefundUnknown:   {RefundPending, RefundSucceeded, RefundDeclined, RefundFailed},
	RefundSucceeded: {RefundReturned}, // the money came back: the payer's account was closed, say
	RefundDeclined:  {},
	RefundFailed:    {},
	RefundCanceled:  {},
	RefundReturned:  {},
}

// DisputeLife is the life of a dispute.
var DisputeLife = Life[DisputeStatus]{
	DisputeOpen: {
		DisputeChallenged, DisputeWon, DisputeLost,
		DisputeAccepted, DisputeExpired, DisputeCanceled,
	},
	DisputeChallenged: {DisputeWon, DisputeLost, DisputeAccepted, DisputeExpired, DisputeCanceled},
	DisputeWon:        {},
	DisputeLost:       {},
	DisputeAccepted:   {},
	DisputeExpired:    {},
	DisputeCanceled:   {},
}

// Note says more about a mark than its status does.
type Note string

// The notes. A payment that waits at a gate is noted with the gate's kind.
const (
	NoteNone      Note = ""
	NoteSubmitted Note = "submitted"    // the refund left
	NoteNotSent   Note = "not_sent"     // it turned out that it had not left
	NoteReview    Note = "needs_review" // the inquiries are over: a person must look
	NoteCanceling Note = "canceling"    // the merchant has asked to give the payment up
	NoteDeferred  Note = "deferred"     // its caller was told that the refund takes longer
	NoteItems     Note = "items"        // another list of lines took the place of the payment's
	NoteDocument  Note = "document"     // its door learned something that only it knows
	NoteHalted    Note = "halted"       // a policy has stopped the refund before it left
	NoteStuck     Note = "stuck"        // the refund is on its way for longer than expected
	NoteInquired  Note = "inquired"     // a person has let the processor be asked once more
	NoteResent    Note = "resent"       // a person has let the refund be sent once more
	NoteErased    Note = "erased"       // what is personal about the payment was erased
	// NoteDoubleLoss says that a dispute took what was given back, or is being given back.
	NoteDoubleLoss Note = "double_loss"
)

// orderNote is how a payment remembers what its order became.
func orderNote(status OrderStatus) Note { return Note("order_" + string(status)) }

// Mark is a status that was reached: at which version of the payment, and when.
// A status may be marked again to note something.
type Mark[S ~string] struct {
	Status  S
	Note    Note
	Version int64
	At      time.Time
}

// History is every status that a thing reached, oldest first. It is what
// makes a thing readable as it was at an earlier version.
type History[S ~string] []Mark[S]

// reached returns the history with one more mark. It never writes into the
// array it was given: views share it.
func (h History[S]) reached(status S, note Note, version int64, at time.Time) History[S] {
	return append(slices.Clip(h), Mark[S]{Status: status, Note: note, Version: version, At: at})
}

// AsOf returns the part of the history that had happened at a version.
func (h History[S]) AsOf(version int64) History[S] {
	for n := len(h); n > 0; n-- {
		if h[n-1].Version <= version {
			return h[:n:n]
		}
	}
	return nil
}

// at returns the version at which a note was made last, 0 if never.
func (h History[S]) at(note Note) int64 {
	for _, mark := range slices.Backward(h) {
		if mark.Note == note {
			return mark.Version
		}
	}
	return 0
}

// Last returns the newest mark, the zero mark of an empty history.
func (h History[S]) Last() Mark[S] {
	if len(h) == 0 {
		return Mark[S]{}
	}
	return h[len(h)-1]
}

// First returns the oldest mark, the zero mark of an empty history.
func (h History[S]) First() Mark[S] {
	if len(h) == 0 {
		return Mark[S]{}
	}
	return h[0]
}

// ReachedAt returns when a status was first reached, the zero time if never.
func (h History[S]) ReachedAt(status S) time.Time {
	for _, mark := range h {
		if mark.Status == status {
			return mark.At
		}
	}
	return time.Time{}
}
