package api

import (
	"net/http"
	"slices"

	"github.com/refundry/refundry/internal/auth"
	"github.com/refundry/refundry/internal/openapi"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/webhook"
	"github.com/refundry/refundry/internal/wire"
)

const (
	deliveriesDefault = 50
	deliveriesMax     = 500
)

var deliveryStatuses = []webhook.Status{
	webhook.StatusOpen, webhook.StatusDelivered, webhook.StatusGivenUp, webhook.StatusCanceled,
}

func (a *API) deliveryOperations() []operation {
	one := []openapi.Parameter{pathID(deliveryID)}
	return []operation{
		{
			method: "GET", path: "/v1/deliveries", id: "listDeliveries", tag: tagDeliveries, summary: "List deliveries",
			doc: "Events that are told to endpoints, the newest first.", scope: scopeReadDeliveries, parameters: deliveryFilters,
			answers: ok("Deliveries, the newest first.", page("DeliveryPage", "deliveries", deliverySchema)),
			codes:   []code{codeNotFound}, serve: a.listDeliveries,
		},
		{
			method: "GET", path: "/v1/deliveries/{id}", id: "getDelivery", tag: tagDeliveries, summary: "Read a delivery",
			doc: "With its body, and every attempt to make it.", scope: scopeReadDeliveries, parameters: one,
			answers: ok("The delivery.", deliveryWhole), serve: a.getDelivery,
		},
		{
			method: "POST", path: "/v1/deliveries/{id}/resend", id: "resendDelivery", tag: tagDeliveries,
			summary: "Resend a delivery",
			doc:     "Makes one that has ended once more, with the same body and its schedule from the start.",
			scope:   scopeWriteDeliveries, parameters: one, codes: []code{codeConflict}, serve: a.resendDelivery,
			answers: []openapi.Answer{answering(http.StatusAccepted, "The delivery, open again.", deliverySchema)},
		},
	}
}

// deliveryFilters are what deliveryFilter reads.
var deliveryFilters = append([]openapi.Parameter{
	inQuery("payment", showing(paymentNameRequest, exampleID("pay")), "Only deliveries about this payment."),
	inQuery("endpoint", endpointID, "Only deliveries to this endpoint."),
	inQuery("since", deliveryID, "Only this delivery, and newer ones."),
	inQuery("status", &openapi.Schema{Type: openapi.String, Words: wordsOf(deliveryStatuses...), Example: "open"},
		"Only deliveries that are so."),
}, pageParameters(deliveriesDefault, deliveriesMax)...)

// listDeliveries shows deliveries, the newest first.
func (a *API) listDeliveries(w http.ResponseWriter, r *http.Request, caller auth.Identity) error {
	filter, err := a.deliveryFilter(r, caller)
	if err != nil {
		return err
	}
	limit := filter.Limit
	filter.Limit++ // one more says whether there is more
	deliveries, err := a.config.Deliveries.Deliveries(r.Context(), caller.Tenant, filter)
	if err != nil {
		return err
	}
	part := partOf(r, deliveries, limit, func(delivery webhook.Delivery) string { return delivery.ID.String() })
	part.write(w, "deliveries", func(to *writer, delivery webhook.Delivery) {
		to.begin("")
		showDelivery(to, delivery)
		to.end()
	})
	return nil
}

func (a *API) deliveryFilter(r *http.Request, caller auth.Identity) (filter webhook.Filter, err error) {
	query := r.URL.Query()
	if filter.Limit, err = limitOf(query.Get("limit"), deliveriesDefault, deliveriesMax); err != nil {
		return filter, err
	}
	if text := query.Get("payment"); text != "" {
		if filter.Payment, err = a.paymentNamed(r.Context(), caller, text); err != nil {
			return filter, err
		}
	}
	if !parseParameter(query, "endpoint", &filter.Endpoint) {
		return filter, wrongParameter("endpoint", "must be an endpoint's id")
	}
	if !parseParameter(query, "since", &filter.Since) {
		return filter, wrongParameter("since", "must be a delivery's id")
	}
	if !parseParameter(query, "after", &filter.Before) {
		return filter, wrongPlace
	}
	filter.Status = webhook.Status(query.Get("status"))
	if filter.Status != "" && !slices.Contains(deliveryStatuses, filter.Status) {
		return filter, wrongParameter("status", "must be open, delivered, given_up or canceled")
	}
	return filter, nil
}

// deliveryMembers are what showDelivery writes.
var deliveryMembers = []openapi.Member{
	must("id", deliveryID, "Also the header `webhook-id` of every attempt."),
	may("endpoint", endpointID, "Absent: it goes to a URL of the payment's own."),
	must("door", someDoor, "In whose words it is told."),
	must("url", someText, "That the last attempt called. Before the first: as the endpoint had it when the event happened."),
	must("kind", someText, "The event's kind."),
	may("word", someText, "What the door calls it, where that is something else."),
	may("payment", paymentID, ""), may("refund", refundID, ""), may("dispute", disputeID, ""), may("order", orderID, ""),
	may("payout", payoutID, ""), may("resource", resourceID, ""),
	must("version", someVersion, "The payment's, as of which it is told; 0: it is about none."),
	must("status", someWord("DeliveryStatus", "Where a delivery is in its life. `canceled`: its endpoint is gone or disabled, "+
		"or there is nothing left to tell.", deliveryStatuses...), ""),
	must("attempts", someCount, "How many have been made."),
	must("at", someTime, "When the event happened."),
	may("first_at", someTime, "When the first attempt was made."),
	may("ended_at", someTime, ""),
}

var deliverySchema = shown("Delivery", "One event for one endpoint.", deliveryMembers...)

// deliveryWhole is what getDelivery writes.
var deliveryWhole = shown("DeliveryWithAttempts", "A delivery, what it says, and every attempt to make it.",
	append(slices.Clone(deliveryMembers),
		must("attempt_list", listOf(shown("DeliveryAttempt", "One try to make a delivery.",
			must("number", someCount, "1, 2, …"),
			must("at", someTime, ""),
			must("took_ms", someCount, "Milliseconds."),
			may("status_code", someCount, "Absent: no answer came."),
			may("error", someText, "Why no answer came."),
			may("answer", someText, "The beginning of the answer's body."),
		)), "Oldest first."),
		may("body", &openapi.Schema{}, "What is sent. Absent: no attempt has been made yet."),
		may("body_note", someText, "What each attempt says anew in the body. Absent: nothing."),
	)...)

// writeDelivery answers with a delivery.
func writeDelivery(w http.ResponseWriter, status int, delivery webhook.Delivery) {
	to := newWriter()
	to.begin("")
	showDelivery(to, delivery)
	to.end()
	write(w, status, false, to.text)
}

func showDelivery(w *writer, d webhook.Delivery) {
	named(w, "id", d.ID)
	named(w, "endpoint", d.Endpoint)
	w.string("door", string(d.Door))
	w.string("url", d.URL)
	w.string("kind", string(d.Event.Kind))
	if d.Event.Word != string(d.Event.Kind) {
		w.maybe("word", d.Event.Word)
	}
	named(w, "payment", d.Event.Payment)
	showSubject(w, payment.Event{Kind: d.Event.Kind, Subject: d.Event.Subject})
	w.number("version", d.Event.Version)
	w.string("status", string(d.Status))
	w.number("attempts", int64(d.Attempts))
	w.time("at", d.Event.At)
	w.time("first_at", d.FirstAt)
	w.time("ended_at", d.EndedAt)
}

// getDelivery shows a delivery, what it says, and every attempt to make it.
func (a *API) getDelivery(w http.ResponseWriter, r *http.Request, caller auth.Identity) error {
	var id payment.DeliveryID
	if id.Parse(r.PathValue("id")) != nil {
		return payment.NoSuch("delivery")
	}
	delivery, err := a.config.Deliveries.Delivery(r.Context(), caller.Tenant, id)
	if err != nil {
		return err
	}
	attempts, err := a.config.Deliveries.Attempts(r.Context(), caller.Tenant, id)
	if err != nil {
		return err
	}
	to := newWriter()
	to.begin("")
	showDelivery(to, delivery)
	to.beginList("attempt_list")
	for _, attempt := range attempts {
		showDeliveryAttempt(to, attempt)
	}
	to.endList()
	if _, err := wire.Parse(delivery.Body); err == nil {
		to.raw("body", string(delivery.Body))
	} else {
		to.maybe("body", string(delivery.Body))
	}
	if note, has := a.config.BodyNotes[delivery.Door]; has && len(delivery.Body) > 0 {
		to.maybe("body_note", note(delivery.Event.Word))
	}
	to.end()
	write(w, http.StatusOK, false, to.text)
	return nil
}

func showDeliveryAttempt(w *writer, attempt webhook.Attempt) {
	w.begin("")
	w.number("number", int64(attempt.Number))
	w.time("at", attempt.At)
	w.number("took_ms", attempt.Took.Milliseconds())
	if attempt.StatusCode > 0 {
		w.number("status_code", int64(attempt.StatusCode))
	}
	w.maybe("error", attempt.Error)
	w.maybe("answer", attempt.Answer)
	w.end()
}

// resendDelivery makes a delivery that has ended once more.
func (a *API) resendDelivery(w http.ResponseWriter, r *http.Request, caller auth.Identity) error {
	var id payment.DeliveryID
	if id.Parse(r.PathValue("id")) != nil {
		return payment.NoSuch("delivery")
	}
	if err := a.config.Deliveries.Resend(r.Context(), caller.Tenant, id); err != nil {
		return err
	}
	delivery, err := a.config.Deliveries.Delivery(r.Context(), caller.Tenant, id)
	if err != nil {
		return err
	}
	writeDelivery(w, http.StatusAccepted, delivery)
	return nil
}
