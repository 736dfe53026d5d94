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
// then says whether it has a word for it. What happened elsewhere and long ago
// is told nobody.
func (r *Router) Route(telling payment.Telling, tenant *payment.Tenant) []engine.Route {
	if telling.To != nil {
		return r.tell(nil, telling, tenant, *telling.To)
	}
	if telling.IsImport {
		return nil
	}
	var routes []engine.Route
	for _, endpoint := range tenant.Endpoints {
		if !endpoint.Disabled && concerns(telling, endpoint.Door) && Wants(endpoint, telling.Event.Kind) {
			routes = r.tell(routes, telling, tenant, endpoint)
		}
	}
	if telling.Payment.Callback != "" {
		routes = r.tell(routes, telling, tenant, payment.Endpoint{Door: telling.Payment.Home, URL: telling.Payment.Callback})
	}
	return routes
}

// tell adds what an endpoint is told.
func (r *Router) tell(routes []engine.Route, telling payment.Telling, tenant *payment.Tenant, endpoint payment.Endpoint,
) []engine.Route {
	voice, ok := r.voices[endpoint.Door]
	if !ok {
		return routes
	}
	for _, told := range voice.Tells(telling, tenant, endpoint) {
		routes = append(routes, engine.Route{
			Endpoint: endpoint, Word: told.Word, Thread: threadAt(endpoint.ID, told.Thread), Queue: queueOf(endpoint),
			Hurries: told.Hurries,
		})
	}
	return routes
}

// concerns reports whether a door is told of an event at all. What is about no
// payment is told by the door that it was done at.
func concerns(telling payment.Telling, door payment.Door) bool {
	if telling.Event.Payment.IsZero() {
		return door == telling.Event.Door
	}
	return door == payment.DoorAPI || door == telling.Payment.Home || door == telling.Refund.Door
}

// Wants reports whether an endpoint that names kinds of event names this one.
func Wants(endpoint payment.Endpoint, kind payment.EventKind) bool {
	return len(endpoint.Kinds) == 0 || slices.Contains(endpoint.Kinds, kind)
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
