package payment

import (
	"github.com/refundry/refundry/internal/money"
)

// CaptureStatus is where a capture is in its life, see [CaptureLife].
type CaptureStatus string

// The statuses of a capture.
const (
	CapturePending CaptureStatus = "pending" // asked for; does not count yet
	CaptureSettled CaptureStatus = "settled" // taken
	CaptureFailed  CaptureStatus = "failed"
)

// Capture is one taking of all or part of an authorized amount.
type Capture struct {
	ID      CaptureID
	Amount  money.Minor // minor units of the payment's currency
	IsFinal bool        // nothing more will be captured
	Status  CaptureStatus
	History History[CaptureStatus]
}

func (c *Capture) become(to CaptureStatus, p *Payment) {
	c.Status = to
	c.History = c.History.reached(to, NoteNone, p.Version, p.UpdatedAt)
}
