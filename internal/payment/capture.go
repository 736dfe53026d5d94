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

	// What is kept of refunds that named it, see [LineTotals].
	Reserved money.Minor // by those on their way
	Refunded money.Minor // by those that succeeded
}

func (c *Capture) become(to CaptureStatus, p *Payment) {
	c.Status = to
	c.History = c.History.reached(to, NoteNone, p.Version, p.UpdatedAt)
}

// Capture returns one of the view's captures.
func (v View) Capture(id CaptureID) (Capture, bool) {
	for _, capture := range v.Captures {
		if capture.ID == id {
			return capture, true
		}
	}
	return Capture{}, false
}

// Left returns what refunds that named a capture have left of it. Those that
// named none do not count.
func (c Capture) Left() money.Minor { return max(0, c.Amount-c.Reserved-c.Refunded) }

// finalLeftOf returns what refunds that named a capture have left of it where
// success is final: money that came back stays counted.
func (v View) finalLeftOf(capture Capture) money.Minor {
	if v.Payment.Returned == 0 {
		return capture.Left()
	}
	left := capture.Amount
	for _, refund := range v.final().refunds {
		counts := refund.Status.Effect() != EffectNone || refund.Status == RefundReturned
		if refund.Capture == capture.ID && counts {
			left -= refund.Amount.Minor
		}
	}
	return max(0, min(left, capture.Left())) // one that is not shown there has taken as well
}

// CaptureLeft is what refunds have left of a capture.
type CaptureLeft struct {
	Capture Capture
	Left    money.Minor
}

// LeftOfCaptures returns what refunds have left of each settled capture, the
// oldest first. What names no capture, because it was made elsewhere, takes
// from the oldest. It needs the captures of the view.
func (v View) LeftOfCaptures() []CaptureLeft {
	unnamed := v.Payment.Refunded + v.Payment.Reserved
	for _, capture := range v.Captures {
		unnamed -= capture.Reserved + capture.Refunded
	}
	var lefts []CaptureLeft
	for _, capture := range v.Captures {
		if capture.Status != CaptureSettled {
			continue
		}
		left := capture.Left()
		took := min(left, unnamed)
		unnamed -= took
		lefts = append(lefts, CaptureLeft{capture, left - took})
	}
	return lefts
}

// left returns how much may be asked for of a capture, or of the payment if
// that is none. isFinal says that money which came back stays counted.
func (v View) left(capture Capture, isFinal bool) money.Minor {
	left := v.Payment.Totals.Refundable()
	if isFinal {
		left = min(left, v.FinalLeft())
	}
	if v.Payment.PerCapture {
		var sum money.Minor
		for _, of := range v.LeftOfCaptures() {
			if capture.ID.IsZero() || capture.ID == of.Capture.ID {
				sum += of.Left
			}
		}
		left = min(left, sum)
	}
	switch {
	case capture.ID.IsZero():
	case isFinal:
		left = min(left, v.finalLeftOf(capture))
	default:
		left = min(left, capture.Left())
	}
	return left
}
