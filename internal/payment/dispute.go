package payment

import (
	"time"

	"github.com/refundry/refundry/internal/money"
)

// DisputeKind says how serious a dispute is.
type DisputeKind string

// The kinds of dispute.
const (
	DisputeInquiry        DisputeKind = "inquiry" // a question; no money moves
	DisputeChargeback     DisputeKind = "dispute" // the payer contests the payment
	DisputePreArbitration DisputeKind = "pre_arbitration"
)

// DisputeStatus is where a dispute is in its life, see [DisputeLife].
type DisputeStatus string

// The statuses of a dispute.
const (
	DisputeOpen       DisputeStatus = "open"
	DisputeChallenged DisputeStatus = "challenged" // evidence was sent
	DisputeWon        DisputeStatus = "won"
	DisputeLost       DisputeStatus = "lost"
	DisputeAccepted   DisputeStatus = "accepted" // given up: as lost
	DisputeExpired    DisputeStatus = "expired"  // nobody answered: as lost
	DisputeCanceled   DisputeStatus = "canceled" // withdrawn: as won
)

// Dispute is a case in which the payer contests a payment. Processors and
// operators open, change and close it; no refund call does.
type Dispute struct {
	Tenant       TenantID
	ID           DisputeID
	Payment      PaymentID
	Kind         DisputeKind
	Amount       money.Amount
	Status       DisputeStatus
	History      History[DisputeStatus]
	Connector    string
	ProcessorRef string // the processor's id of the case; empty: an operator opened it
	Reason       string
	DoubleLoss   money.Minor // what it took, when it opened, of what was given back or was on its way
	Version      int64       // the payment's version at the last change
	CreatedAt    time.Time
	UpdatedAt    time.Time
}

// Takes reports whether the dispute's amount is out of the refundable amount.
func (d Dispute) Takes() bool {
	if d.Kind == DisputeInquiry {
		return false
	}
	return d.Status != DisputeWon && d.Status != DisputeCanceled
}

// IsOpen reports whether there is no verdict yet.
func (d Dispute) IsOpen() bool { return !DisputeLife.IsEnd(d.Status) }

// IsDoubleLoss reports the risk of losing the same money twice: the dispute has
// taken what was given back, or is being given back, and is not won.
func (d Dispute) IsDoubleLoss() bool { return d.DoubleLoss > 0 && d.Takes() }

func (d *Dispute) become(to DisputeStatus, p *Payment) {
	d.Status = to
	d.note(NoteNone, p)
}

// note marks the status once more, at the payment's current version.
func (d *Dispute) note(note Note, p *Payment) {
	d.History = d.History.reached(d.Status, note, p.Version, p.UpdatedAt)
	d.Version, d.UpdatedAt = p.Version, p.UpdatedAt
}
