package webhook

import (
	"crypto/sha256"
	"slices"

	"github.com/refundry/refundry/internal/engine"
	"github.com/refundry/refundry/internal/payment"
)

// Router decides, in the commit of an event, who is told about it.
type Router struct {
	voices map[payment.Door]Voice
}

// NewRouter returns a router for the voices of all front doors.
func NewRouter(voices ...Voice) *Router { return &Router{voices: byDoor(voices)} }

func byDoor(voices []Voice) map[payment.Door]Voice {
	doors := make(map[payment.Door]Voice, len(voices))
	for _, voice := range voices {
		doors[voice.Door()] = voice
	}
	return doors
}

// Route implements [engine.Router]. A change is told by the payment's home, by
// the door that asked for the refund, and by our own API; the voice of each
// then says whether it has a word for it.
func (r *Router) Route(telling payment.Telling, tenant *payment.Tenant) []engine.Route {
	if telling.Event.Payment.IsZero() {
		return nil // an order that nobody has paid: there is nothing to show yet
	}
	var routes []engine.Route
	for _, endpoint := range tenant.Endpoints {
		if endpoint.Disabled || !concerns(telling, endpoint.Door) ||
			(len(endpoint.Kinds) > 0 && !slices.Contains(endpoint.Kinds, telling.Event.Kind)) {
			continue
		}
		voice, ok := r.voices[endpoint.Door]
		if !ok {
			continue
		}
		thread, tells := voice.Tells(telling, tenant)
		if !tells {
			continue
		}
		routes = append(routes, engine.Route{
			Endpoint: endpoint, Thread: threadAt(endpoint.ID, thread), Queue: EndpointQueue(endpoint.ID),
		})
	}
	return routes
}

// concerns reports whether a door is told of an event at all.
func concerns(telling payment.Telling, door payment.Door) bool {
	return door == payment.DoorAPI || door == telling.Payment.Home || door == telling.Refund.Door
}

// threadAt returns the thread of one endpoint's deliveries about a subject:
// one endpoint's must not wait for another's.
func threadAt(endpoint payment.EndpointID, thread [16]byte) [16]byte {
	if thread == [16]byte{} {
		return thread
	}
	sum := sha256.Sum256(append(endpoint[:], thread[:]...))
	return [16]byte(sum[:16])
}
