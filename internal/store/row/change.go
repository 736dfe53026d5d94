package row

import (
	"cmp"
	"slices"
	"time"

	"github.com/refundry/refundry/internal/payment"
)

// Item is a line with what refunds have taken of it.
type Item struct {
	payment.Item

	Totals payment.LineTotals
}

// Items returns which lines of a payment came to be since it was read, and which
// have changed: another list took their place, or refunds took of them. A line
// never leaves the list.
func Items(change *payment.ViewChange) (made, changed []Item) {
	read, totals := change.Read.Items, change.Read.LineTotals
	for i, item := range change.View.Items {
		item := Item{item, change.View.LineTotals[i]}
		switch {
		case i >= len(read) || read[i].Position != item.Position:
			made = append(made, item)
		case read[i].Until != item.Until || totals[i] != item.Totals:
			changed = append(changed, item)
		}
	}
	return made, changed
}

// Captures returns which captures of a payment came to be since it was read, and
// which have changed. None ever leaves the list.
func Captures(change *payment.ViewChange) (made, changed []payment.Capture) {
	read := change.Read.Captures
	for i, capture := range change.View.Captures {
		switch {
		case i >= len(read):
			made = append(made, capture)
		case read[i].Status != capture.Status || read[i].Reserved != capture.Reserved || read[i].Refunded != capture.Refunded:
			changed = append(changed, capture)
		}
	}
	return made, changed
}

// Refunds returns which refunds of a payment came to be since it was read, and
// which have changed, each with the version that was read of it. Of a payment
// that is being erased all are written again: an older version may have written
// what is personal in the clear.
func Refunds(change *payment.ViewChange) (made []payment.Refund, changed []ChangedRefund) {
	read, isErasing := change.Read.Refunds, IsErasing(change)
	for i, refund := range change.View.Refunds { // none ever leaves its place
		switch {
		case i >= len(read):
			made = append(made, refund)
		case read[i].Version != refund.Version || isErasing:
			changed = append(changed, ChangedRefund{refund, read[i].Version})
		}
	}
	return made, changed
}

// ChangedRefund is a refund with the version that was read of it.
type ChangedRefund struct {
	payment.Refund

	Read int64
}

// Resources returns resources without those that are put again in the same
// commit: the last body stays, and the first time.
func Resources(put []payment.Resource) []payment.Resource {
	var kept []payment.Resource
	for _, resource := range put {
		at := slices.IndexFunc(kept, func(k payment.Resource) bool {
			return k.Tenant == resource.Tenant && k.Door == resource.Door && k.Kind == resource.Kind && k.ID == resource.ID
		})
		if at < 0 {
			kept = append(kept, resource)
		} else {
			kept[at].Body = resource.Body
		}
	}
	return kept
}

// Thread is a thread of one tenant's deliveries.
type Thread struct {
	Tenant payment.TenantID
	ID     [16]byte
}

// Hurries returns the threads in which deliveries hurry, each with the last turn of theirs.
func Hurries(deliveries []payment.Delivery) map[Thread]int64 {
	var hurries map[Thread]int64
	for _, d := range deliveries {
		if !d.Hurries {
			continue
		}
		if hurries == nil {
			hurries = map[Thread]int64{}
		}
		thread := Thread{d.Event.Tenant, d.Thread}
		hurries[thread] = max(hurries[thread], d.Event.Version)
	}
	return hurries
}

// Start returns the place behind which a page begins, if nothing on it may be
// younger than until. The zero place is the beginning.
func Start(after payment.Place, until time.Time) payment.Place {
	if until.IsZero() {
		return after
	}
	end := payment.Place{At: until.Add(time.Microsecond)} // whatever its id, what was made until then is behind it
	if !after.At.IsZero() && !after.At.After(until) {
		return after
	}
	return end
}

// Counters returns what a commit counts, in the one order in which everybody
// locks counters. What has come to nothing is left out.
func Counters(changes []*payment.CounterChange) []*payment.CounterChange {
	kept := slices.DeleteFunc(slices.Clone(changes), func(c *payment.CounterChange) bool { return c.Delta == 0 })
	slices.SortFunc(kept, func(a, b *payment.CounterChange) int {
		return cmp.Or(a.Tenant.Compare(b.Tenant), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name),
			a.Day.Compare(b.Day), cmp.Compare(a.Currency, b.Currency))
	})
	return kept
}

// CountersOf returns the counters of a tenant that are named, each once and
// with nothing counted.
func CountersOf(tenant payment.TenantID, names []payment.CounterID) []payment.Counter {
	var counters []payment.Counter
	for _, name := range names {
		isKnown := slices.ContainsFunc(counters, func(c payment.Counter) bool { return c.CounterID == name })
		if name.Tenant == tenant && !isKnown {
			counters = append(counters, payment.Counter{CounterID: name})
		}
	}
	return counters
}

// PutCounter sets what was counted.
func PutCounter(counters []payment.Counter, read payment.Counter) {
	for i := range counters {
		if counters[i].CounterID == read.CounterID {
			counters[i].Value = read.Value
		}
	}
}
