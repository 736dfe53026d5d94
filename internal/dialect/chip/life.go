package chip

import (
	"cmp"
	"slices"
	"time"

	"github.com/refundry/refundry/internal/payment"
)

// The provider's words for where a purchase is.
const (
	statusCreated        = "created"
	statusViewed         = "viewed"
	statusError          = "error"
	statusCancelled      = "cancelled"
	statusExpired        = "expired"
	statusHold           = "hold"
	statusReleased       = "released"
	statusPendingExecute = "pending_execute"
	statusPendingRelease = "pending_release"
	statusPaid           = "paid"
	statusPendingRefund  = "pending_refund"
	statusRefunded       = "refunded"
	statusChargeback     = "chargeback"
)

// paymentWords are the words for a payment's status, as long as no refund and
// no chargeback is about it.
var paymentWords = map[payment.PaymentStatus]string{
	payment.PaymentCreated:    statusCreated,
	payment.PaymentPending:    statusPendingExecute, // or still created, see [paymentWord]
	payment.PaymentAuthorized: statusHold,
	payment.PaymentCaptured:   statusPaid,
	payment.PaymentDeclined:   statusError,
	payment.PaymentFailed:     statusError,
	payment.PaymentCanceled:   statusCancelled, // or released
	payment.PaymentExpired:    statusExpired,
}

// refundWords are the words for a purchase while a refund of it is in a
// status, or has just reached it. A refund that is pending is not shown at
// once, see [refundChanges]; one that came to nothing leaves what was before.
var refundWords = map[payment.RefundStatus]string{
	payment.RefundAwaitingApproval: statusPendingRefund,
	payment.RefundScheduled:        statusPendingRefund,
	payment.RefundPending:          statusPendingRefund,
	payment.RefundUnknown:          statusPendingRefund,
	payment.RefundSucceeded:        statusRefunded,
	payment.RefundDeclined:         "",
	payment.RefundFailed:           "",
	payment.RefundCanceled:         "",
	payment.RefundReturned:         "",
}

// step is an entry of a purchase's history.
type step struct {
	Status        string  `json:"status"`
	Timestamp     int64   `json:"timestamp"`
	RelatedObject *object `json:"related_object,omitempty"`
}

// object names something.
type object struct {
	Type string `json:"type"`
	ID   string `json:"id"`
}

// life is where a purchase is, and has been.
type life struct {
	status string
	steps  []step // latest last

	base     string              // what it would be without refunds and chargebacks
	wasHeld  bool                // it was authorized before it was captured, or given up
	running  int                 // refunds without an outcome
	pending  int                 // … of which is told
	counted  []payment.RefundID  // refunds that count, oldest first
	fresh    []payment.RefundID  // … which have succeeded just now
	undone   bool                // a refund has come to nothing just now, after it was told of
	disputes []payment.DisputeID // that have taken something
	shown    []payment.DisputeID // … of which is told
}

// change is what happened to a purchase at a version of its payment.
type change struct {
	version int64
	at      time.Time
	apply   func(*life)
}

// lifeOf goes once more through all that happened to a purchase. Of what one
// commit did only the end is an entry of the history; each refund that
// succeeded is one.
func lifeOf(v payment.View, doc document) *life {
	changes := slices.Concat(paymentChanges(v), doc.changes())
	for _, refund := range v.Refunds {
		changes = append(changes, refundChanges(refund)...)
	}
	for _, dispute := range v.Disputes {
		if dispute.Amount.Minor > 0 { // else there was nothing left to take
			changes = append(changes, disputeChanges(dispute)...)
		}
	}
	slices.SortStableFunc(changes, func(a, b change) int { return cmp.Compare(a.version, b.version) })
	l := &life{base: statusCreated}
	if v.Payment.History.First().Status != payment.PaymentCreated {
		l.enter(statusCreated, v.Payment.CreatedAt, nil) // it was made elsewhere
	}
	var at time.Time // of the commit
	for i, c := range changes {
		c.apply(l)
		if c.at.After(at) {
			at = c.at
		}
		if i+1 == len(changes) || changes[i+1].version != c.version {
			l.conclude(at)
		}
	}
	return l
}

// paymentChanges returns what happened to the payment itself.
func paymentChanges(v payment.View) []change {
	changes := make([]change, 0, len(v.Payment.History))
	for _, mark := range v.Payment.History {
		changes = append(changes, change{mark.Version, mark.At, func(l *life) {
			isOpen := l.base == statusViewed || l.base == statusError
			l.wasHeld = l.wasHeld || mark.Status == payment.PaymentAuthorized
			word := paymentWord(mark, l.wasHeld)
			if word != statusCreated || !isOpen {
				l.base = word
			}
		}})
	}
	return changes
}

// paymentWord returns the word for what a payment's mark says. One that waits
// for its payer has not begun, as far as one sees from here.
func paymentWord(mark payment.Mark[payment.PaymentStatus], wasHeld bool) string {
	isWaiting := mark.Note == payment.Note(payment.GatePayer) || mark.Note == payment.Note(payment.GateConfirmation) ||
		mark.Note == payment.NoteDocument
	switch {
	case mark.Status == payment.PaymentPending && isWaiting:
		return statusCreated
	case mark.Status == payment.PaymentAuthorized && mark.Note == payment.NoteCanceling:
		return statusPendingRelease
	case mark.Status == payment.PaymentCanceled && wasHeld:
		return statusReleased
	}
	return paymentWords[mark.Status]
}

// changes returns what only this door knows: that the purchase's page was
// looked at, that somebody tried to pay in vain. The payment's own mark of that
// version has the time.
func (d document) changes() []change {
	changes := make([]change, 0, len(d.states))
	for _, entered := range d.states {
		changes = append(changes, change{version: entered.version, apply: func(l *life) {
			if l.base == statusCreated || l.base == statusViewed && entered.state == statusError {
				l.base = entered.state
			}
		}})
	}
	return changes
}

// refundChanges returns what happened to one refund. Its caller waits a while
// for the outcome: until the refund is deferred, nobody is told that it is
// pending. One of another door is pending at once.
func refundChanges(r payment.Refund) []change {
	var changes []change
	var last payment.RefundStatus
	isTold := false
	for _, mark := range r.History {
		before, wasTold := last, isTold
		isTold = mark.Status.IsRunning() && (isTold || r.Door != Name || mark.Note == payment.NoteDeferred)
		last = mark.Status
		tells := isTold
		changes = append(changes, change{mark.Version, mark.At, func(l *life) {
			l.running += count(mark.Status.IsRunning()) - count(before.IsRunning())
			l.pending += count(tells) - count(wasTold)
			l.undone = l.undone || refundWords[mark.Status] == "" && (wasTold || before == payment.RefundSucceeded)
			switch {
			case before == mark.Status:
			case mark.Status == payment.RefundSucceeded:
				l.counted, l.fresh = append(l.counted, r.ID), append(l.fresh, r.ID)
			case before == payment.RefundSucceeded:
				l.counted = slices.DeleteFunc(l.counted, func(id payment.RefundID) bool { return id == r.ID })
			}
		}})
	}
	return changes
}

func count(is bool) int {
	if is {
		return 1
	}
	return 0
}

// disputeChanges returns what a dispute took, and gave back.
func disputeChanges(d payment.Dispute) []change {
	var changes []change
	for _, mark := range d.History {
		then := d
		then.Status = mark.Status
		changes = append(changes, change{mark.Version, mark.At, func(l *life) {
			isThis := func(id payment.DisputeID) bool { return id == d.ID }
			l.disputes = slices.DeleteFunc(l.disputes, isThis)
			if then.Takes() {
				l.disputes = append(l.disputes, d.ID)
				return
			}
			l.shown = slices.DeleteFunc(l.shown, isThis)
		}})
	}
	return changes
}

// conclude adds what a commit has come to.
func (l *life) conclude(at time.Time) {
	if l.running == 0 {
		l.shown = slices.Clone(l.disputes) // a chargeback is told of when no refund runs any more
	}
	for _, refund := range l.fresh {
		l.enter(statusRefunded, at, &object{"payment", refund.UUID()})
	}
	status := l.word()
	if status != l.status || l.undone {
		l.enter(status, at, nil)
	}
	l.fresh, l.undone = nil, false
}

// word returns the word for where the purchase is.
func (l *life) word() string {
	switch {
	case l.base != statusPaid:
		return l.base
	case len(l.shown) > 0:
		return statusChargeback
	case l.pending > 0:
		return statusPendingRefund
	case len(l.counted) > 0:
		return statusRefunded
	}
	return statusPaid
}

// enter adds an entry to the history. Every refunded one names a refund: where
// none is new, the last one that still counts.
func (l *life) enter(status string, at time.Time, of *object) {
	if status == statusRefunded && of == nil {
		of = &object{"payment", l.counted[len(l.counted)-1].UUID()}
	}
	l.status = status
	l.steps = append(l.steps, step{Status: status, Timestamp: at.Unix(), RelatedObject: of})
}
