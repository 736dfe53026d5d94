package payment

import (
	"slices"
	"strings"
	"time"
)

// Facet is a door's own document about an order, payment or refund: what it
// must echo, statuses only it knows. It is opaque here, and read for answers only.
type Facet struct {
	Subject [16]byte // the order, payment or refund
	Door    Door
	Version int64 // of the payment, or of the order before it has one
	Body    []byte
}

// Parts says what of a payment, besides itself, has been or must be loaded.
type Parts uint8

// The parts.
const (
	PartOrder Parts = 1 << iota
	PartCaptures
	PartItems
	PartRefunds
	PartDisputes
	PartFacets
	PartNone Parts = 0
	PartAll        = PartOrder | PartCaptures | PartItems | PartRefunds | PartDisputes | PartFacets
)

// View is a payment with what hangs on it. A view of one version never
// changes: commands work on copies.
type View struct {
	Parts      Parts
	Order      Order // zero: the payment stands alone
	Payment    Payment
	Captures   []Capture    // oldest first
	Items      []Item       // by position
	LineTotals []LineTotals // what refunds have taken of each of Items
	Refunds    []Refund     // oldest first
	Disputes   []Dispute    // oldest first
	Attempts   []Attempt    // of the refunds that were named, oldest first
	Facets     []Facet      // oldest first
}

// Refund returns one of the view's refunds.
func (v View) Refund(id RefundID) (Refund, bool) {
	for i := range v.Refunds { // which are not small, and may be very many
		if v.Refunds[i].ID == id {
			return v.Refunds[i], true
		}
	}
	return Refund{}, false
}

// Group returns a refund with those that were opened by the same command,
// oldest first. It needs all refunds of the view.
func (v View) Group(id RefundID) []Refund {
	refund, ok := v.Refund(id)
	if !ok {
		return nil
	}
	if refund.Group.IsZero() {
		return []Refund{refund}
	}
	return slices.DeleteFunc(slices.Clone(v.Refunds), func(r Refund) bool { return r.Group != refund.Group })
}

// Dispute returns one of the view's disputes.
func (v View) Dispute(id DisputeID) (Dispute, bool) {
	at := slices.IndexFunc(v.Disputes, func(d Dispute) bool { return d.ID == id })
	if at < 0 {
		return Dispute{}, false
	}
	return v.Disputes[at], true
}

// Facet returns the newest document of a door about a subject, nil if there is none.
func (v View) Facet(door Door, subject [16]byte) []byte {
	for _, facet := range slices.Backward(v.Facets) {
		if facet.Door == door && facet.Subject == subject {
			return facet.Body
		}
	}
	return nil
}

// Running returns how many refunds have no outcome yet.
func (v View) Running() int {
	running := 0
	for _, refund := range v.Refunds {
		if refund.Status.IsRunning() {
			running++
		}
	}
	return running
}

// putRefund replaces or appends a refund.
func (v *View) putRefund(refund Refund) { v.Refunds = put(v.Refunds, refund, sameRefund) }

func sameRefund(a, b Refund) bool { return a.ID == b.ID }

// put returns the list with an element replaced or appended. It never writes
// into the array it was given: other views share it.
func put[T any](list []T, element T, same func(a, b T) bool) []T {
	at := slices.IndexFunc(list, func(other T) bool { return same(other, element) })
	if at < 0 {
		return append(slices.Clip(list), element)
	}
	list = slices.Clone(list)
	list[at] = element
	return list
}

// AsOf returns the view as it stood at an earlier version of the payment, so
// that webhooks and replayed answers can be rendered at any time. It needs all
// parts of the view.
func (v View) AsOf(version int64) View {
	if version >= v.Payment.Version {
		return v
	}
	then := v
	p := &then.Payment
	p.rewind(version)
	if !then.Order.ID.IsZero() {
		then.Order.Status = p.OrderStatus
	}
	then.Captures = capturesAsOf(v.Captures, version)
	then.Items = itemsAsOf(v.Items, version)
	then.Refunds = refundsAsOf(v.Refunds, version)
	then.Disputes = disputesAsOf(v.Disputes, version)
	then.Facets = slices.DeleteFunc(slices.Clone(v.Facets), func(f Facet) bool { return f.Version > version })
	p.Totals = then.Recount()
	then.LineTotals, then.Captures = then.RecountParts()
	p.Version, p.UpdatedAt = version, then.lastChange()
	return then
}

// rewind sets what a payment knows of itself to what it was at an earlier
// version. Which gates were still ahead of the next one is not remembered.
func (p *Payment) rewind(version int64) {
	p.History = p.History.AsOf(version)
	p.Status = p.History.Last().Status
	p.References = referencesAsOf(p.References, version)
	p.Gates, p.ExpiresAt = nil, time.Time{}
	if gate := p.WaitsAt(); gate != "" {
		p.Gates = []Gate{{Kind: gate}}
	} else if p.History.Last().Note == NoteCanceling {
		p.Gates = []Gate{{Kind: GateCancel}}
	}
	for _, mark := range p.History {
		if status, ok := strings.CutPrefix(string(mark.Note), string(orderNote(""))); ok {
			p.OrderStatus = OrderStatus(status)
		}
	}
}

func capturesAsOf(captures []Capture, version int64) []Capture {
	var then []Capture
	for _, capture := range captures {
		if capture.History = capture.History.AsOf(version); len(capture.History) > 0 {
			capture.Status = capture.History.Last().Status
			then = append(then, capture)
		}
	}
	return then
}

func refundsAsOf(refunds []Refund, version int64) []Refund {
	then := make([]Refund, 0, len(refunds)) // there may be very many
	for i := range refunds {
		if past, existed := refunds[i].AsOf(version); existed {
			then = append(then, past)
		}
	}
	if len(then) == 0 {
		return nil
	}
	return then
}

// AsOf returns the refund as it stood at an earlier version of its payment,
// and whether it existed then.
func (r Refund) AsOf(version int64) (Refund, bool) {
	if version >= r.Version {
		return r, true
	}
	r.History = r.History.AsOf(version)
	if len(r.History) == 0 {
		return Refund{}, false
	}
	last := r.History.Last()
	r.Status, r.Version, r.UpdatedAt = last.Status, last.Version, last.At
	r.Expectations = slices.DeleteFunc(slices.Clone(r.Expectations), func(e Expectation) bool { return e.Version > version })
	r.derive()
	if r.Status.Effect() != EffectNone {
		r.Failure = Failure{}
	}
	if r.Status != RefundSucceeded && r.Status != RefundReturned {
		r.ExecutedAs = ""
	}
	if !r.IsSubmitted() {
		r.ProcessorRef = ""
	}
	r.References = referencesAsOf(r.References, version)
	r.Approvals = slices.DeleteFunc(slices.Clone(r.Approvals), func(a Approval) bool { return a.At.After(last.At) })
	r.Evidence = slices.DeleteFunc(slices.Clone(r.Evidence), func(e Evidence) bool { return e.At.After(last.At) })
	return r, true
}

func disputesAsOf(disputes []Dispute, version int64) []Dispute {
	var then []Dispute
	for _, dispute := range disputes {
		dispute.History = dispute.History.AsOf(version)
		if len(dispute.History) == 0 {
			continue
		}
		last := dispute.History.Last()
		dispute.Status, dispute.Version, dispute.UpdatedAt = last.Status, last.Version, last.At
		then = append(then, dispute)
	}
	return then
}

// Recount sums captures, refunds and disputes. It is how the past, and
// `refundry verify`, know what the totals of a payment must be. It needs all
// parts of the view.
func (v View) Recount() Totals {
	var sums Totals
	for _, capture := range v.Captures {
		if capture.Status == CaptureSettled {
			sums.Captured += capture.Amount
		}
	}
	for _, refund := range v.Refunds {
		sums = sums.moved(refund, "", refund.Status)
	}
	for _, dispute := range v.Disputes {
		if dispute.Takes() {
			sums.Disputed += dispute.Amount.Minor
		}
	}
	return sums.forced()
}

// lastChange returns the newest time in all histories of the view.
func (v View) lastChange() time.Time {
	at := v.Payment.History.Last().At
	newest := func(other time.Time) {
		if other.After(at) {
			at = other
		}
	}
	for _, capture := range v.Captures {
		newest(capture.History.Last().At)
	}
	for _, refund := range v.Refunds {
		newest(refund.History.Last().At)
	}
	for _, dispute := range v.Disputes {
		newest(dispute.History.Last().At)
	}
	return at
}
