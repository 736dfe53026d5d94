package row

import (
	"slices"
	"time"

	"github.com/refundry/refundry/internal/payment"
)

// Items returns which lines of a payment came to be since it was read, and of
// which another list took the place. A line never leaves the list.
func Items(change *payment.ViewChange) (made, ended []payment.Item) {
	read := change.Read.Items
	for i, item := range change.View.Items {
		switch {
		case i >= len(read) || read[i].Position != item.Position:
			made = append(made, item)
		case read[i].Until != item.Until:
			ended = append(ended, item)
		}
	}
	return made, ended
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
