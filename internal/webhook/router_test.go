package webhook_test

import (
	"testing"

	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/webhook"
)

// doorVoice is the test's voice at another door.
type doorVoice struct {
	voice

	door payment.Door
}

func (v *doorVoice) Door() payment.Door { return v.door }

func TestRouterTellsTheHomeTheRefundsDoorAndOurOwn(t *testing.T) {
	t.Parallel()
	const home, other payment.Door = "home", "other"
	endpoint := payment.Endpoint{ID: payment.EndpointID{1}}
	at := func(door payment.Door) payment.Endpoint {
		e := endpoint
		e.Door = door
		return e
	}
	disabled := at(home)
	disabled.Disabled = true
	ofKind := func(kinds ...payment.EventKind) payment.Endpoint {
		e := at(home)
		e.Kinds = kinds
		return e
	}
	created := payment.Telling{
		Event:   payment.Event{Kind: payment.EventRefundCreated, Payment: payment.PaymentID{1}},
		Payment: payment.Payment{ID: payment.PaymentID{1}, Home: home},
		Refund:  payment.Refund{Door: shop},
	}
	captured, order := created, created
	captured.Event.Kind, captured.Refund = "payment.captured", payment.Refund{}
	order.Event.Payment = payment.PaymentID{}

	tests := map[string]struct {
		telling  payment.Telling
		endpoint payment.Endpoint
		told     bool
	}{
		"the payment's home":                      {created, at(home), true},
		"the door that asked for the refund":      {created, at(shop), true},
		"our own API":                             {created, at(payment.DoorAPI), true},
		"another door":                            {created, at(other), false},
		"a door without a voice":                  {created, at("mute"), false},
		"an endpoint that is disabled":            {created, disabled, false},
		"an endpoint for this kind of event":      {created, ofKind("x", payment.EventRefundCreated), true},
		"an endpoint for other kinds of event":    {created, ofKind("x"), false},
		"an event that the voice has no word for": {captured, at(home), false},
		"an order without a payment":              {order, at(home), false},
	}
	router := webhook.NewRouter(&doorVoice{door: home}, &doorVoice{door: shop}, &doorVoice{door: other},
		&doorVoice{door: payment.DoorAPI})
	for name, test := range tests {
		routes := router.Route(test.telling, &payment.Tenant{Endpoints: []payment.Endpoint{test.endpoint}})
		if told := len(routes) == 1; told != test.told {
			t.Errorf("%s: told %v, want %v", name, told, test.told)
		}
		if test.told && (routes[0].Endpoint.ID != endpoint.ID || routes[0].Queue != webhook.EndpointQueue(endpoint.ID)) {
			t.Errorf("%s: route %+v", name, routes[0])
		}
	}
}

func TestThreadIsOfOneEndpointAndSubject(t *testing.T) {
	t.Parallel()
	tenant := &payment.Tenant{Endpoints: []payment.Endpoint{
		{ID: payment.EndpointID{1}, Door: shop}, {ID: payment.EndpointID{2}, Door: shop},
	}}
	threads := func(v *voice, id payment.PaymentID) (first, second [16]byte) {
		routes := webhook.NewRouter(v).Route(payment.Telling{
			Event:   payment.Event{Kind: payment.EventRefundCreated, Payment: id},
			Payment: payment.Payment{ID: id, Home: shop},
		}, tenant)
		return routes[0].Thread, routes[1].Thread
	}
	first, second := threads(&voice{}, payment.PaymentID{1})
	again, _ := threads(&voice{}, payment.PaymentID{1})
	another, _ := threads(&voice{}, payment.PaymentID{2})
	if first == second || first == another || first != again || first == [16]byte{} {
		t.Errorf("threads %x and %x of two endpoints, %x again, %x of another payment", first, second, again, another)
	}
	if none, _ := threads(&voice{anyOrder: true}, payment.PaymentID{1}); none != [16]byte{} {
		t.Errorf("thread %x of a voice that wants no order", none)
	}
}
