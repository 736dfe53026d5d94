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

// Capture returns one of the view's captures.
func (v View) Capture(id CaptureID) (Capture, bool) {
	for _, capture := range v.Captures {
		if capture.ID == id {
			return capture, true
		}
	}
	return Capture{}, false
}

// LeftOf returns what refunds that named a capture have left of it. Those that
// named none do not count.
func (v View) LeftOf(capture Capture) money.Minor { return leftOf(capture, v.Refunds, false) }

// leftOf returns what some refunds that named a capture have left of it.
// isFinal says that money which came back stays counted.
func leftOf(capture Capture, refunds []Refund, isFinal bool) money.Minor {
	left := capture.Amount
	for _, refund := range refunds {
		counts := refund.Status.Effect() != EffectNone || isFinal && refund.Status == RefundReturned
		if refund.Capture == capture.ID && counts {
			left -= refund.Amount.Minor
		}
	}
	return max(0, left)
}

// CaptureLeft is what refunds have left of a capture.
type CaptureLeft struct {
	Capture Capture
	Left    money.Minor
}

// LeftOfCaptures returns what refunds have left of each settled capture, the
// oldest first. What names no capture, because it was made elsewhere, takes
// from the oldest. It needs captures and refunds of the view.
func (v View) LeftOfCaptures() []CaptureLeft {
	var unnamed money.Minor
	for _, refund := range v.Refunds {
		if refund.Capture.IsZero() && refund.Status.Effect() != EffectNone {
			unnamed += refund.Amount.Minor
		}
	}
	var lefts []CaptureLeft
	for _, capture := range v.Captures {
		if capture.Status != CaptureSettled {
			continue
		}
		left := v.LeftOf(capture)
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
		left = min(left, leftOf(capture, v.FinalRefunds(), true))
	default:
		left = min(left, v.LeftOf(capture))
	}
	return left
}
