package api

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/refundry/refundry/internal/auth"
	"github.com/refundry/refundry/internal/batch"
	"github.com/refundry/refundry/internal/openapi"
	"github.com/refundry/refundry/internal/payment"
)

const (
	eventsDefault = 100
	eventsMax     = 1000
)

func (a *API) eventOperations() []operation {
	return []operation{{
		method: "GET", path: "/v1/events", id: "listEvents", tag: tagEvents, summary: "Read what happened",
		doc: "Everything that happened, in the order in which it was committed. Begin without `after`, and go on from `next`: " +
			"nothing ever appears behind a cursor that you have passed.\n\nWith `Accept: text/event-stream` the answer does " +
			"not end: events follow as they are committed, as server-sent events whose `id` is the cursor. A broken stream " +
			"goes on from the header `Last-Event-ID`, which browsers send by themselves.",
		scope: scopeReadEvents, serve: a.getEvents,
		parameters: append(pageParameters(eventsDefault, eventsMax), openapi.Parameter{
			Name: "Last-Event-ID", In: "header", Schema: &openapi.Schema{Type: openapi.String},
			Doc: "Where a stream goes on: it counts for more than `after`.",
		}),
		answers: []openapi.Answer{{
			Status: http.StatusOK, Doc: "Events, oldest first.", Contents: []openapi.Content{
				{Media: mediaJSON, Schema: page("EventPage", "events", eventSchema)},
				{Media: mediaStream, Schema: &openapi.Schema{
					Type: openapi.String, Doc: "Server-sent events: `id` has the cursor, `event` the kind, `data` the event. " +
						"Lines that begin with a colon say that the stream is alive.",
				}},
			},
		}},
	}}
}

// getEvents shows events: a page of them, or those that come as they come.
func (a *API) getEvents(w http.ResponseWriter, r *http.Request, caller auth.Identity) error {
	if wantsStream(r) {
		return a.streamEvents(w, r, caller)
	}
	return a.listEvents(w, r, caller)
}

// listEvents shows what happened behind a cursor, in the order of commits.
func (a *API) listEvents(w http.ResponseWriter, r *http.Request, caller auth.Identity) error {
	query := r.URL.Query()
	after, ok := payment.ParseCursor(query.Get("after"))
	if !ok {
		return wrongCursor
	}
	limit, err := limitOf(query.Get("limit"), eventsDefault, eventsMax)
	if err != nil {
		return err
	}
	events, err := a.config.Feed.Events(r.Context(), caller.Tenant, after, limit+1) // one more says whether there is more
	if err != nil {
		return err
	}
	part := partOf(r, events, limit, func(event payment.FeedEvent) string { return event.Cursor.String() })
	part.write(w, "events", showEvent)
	return nil
}

var wrongCursor = wrongParameter("after", "must be a cursor from an earlier answer")

func wrongParameter(name, detail string) error {
	return &problem{
		code: codeInvalid, detail: "the query is not valid: see errors",
		errors: []wrong{{Parameter: name, Detail: detail}},
	}
}

// limitOf reads how many rows a page may have.
func limitOf(text string, byDefault, most int) (int, error) {
	if text == "" {
		return byDefault, nil
	}
	limit, ok := parseWhole(text, 1, int64(most))
	if !ok {
		return 0, wrongParameter("limit", "must be a whole number from 1 to "+strconv.Itoa(most))
	}
	return int(limit), nil
}

// eventSchema is what showEvent writes.
var eventSchema = shown("Event", "A fact that happened. It names things; read them to see them.",
	must("cursor", someText, "The event's place in the feed."),
	must("kind", &openapi.Schema{Type: openapi.String, Example: "refund.succeeded"},
		"What happened. New kinds may come: leave alone what you do not know."),
	may("payment", paymentID, "The payment that it is about."),
	may("refund", refundID, ""), may("dispute", disputeID, ""), may("order", orderID, ""), may("payout", payoutID, ""),
	may("batch", batchID, ""), may("resource", resourceID, ""), may("endpoint", endpointID, ""), may("key", keyID, ""),
	may("tenant", tenantID, ""), may("person", personID, ""),
	may("version", someVersion, "The payment's, when it happened; else the order's, the batch's or the tenant's."),
	must("at", someTime, ""),
	must("actor", someText, "Who did it: `key:…`, `operator:…`, or a part of Refundry."),
	may("door", someDoor, "Where it was asked for."),
	may("request_id", someText, "The request that asked for it."),
	may("detail", &openapi.Schema{Type: openapi.Object}, "What a change of settings changed."),
)

func showEvent(w *writer, event payment.FeedEvent) {
	w.begin("")
	w.string("cursor", event.Cursor.String())
	w.string("kind", string(event.Kind))
	named(w, "payment", event.Payment)
	showSubject(w, event.Event)
	if event.Version > 0 {
		w.number("version", event.Version)
	}
	w.time("at", event.At)
	w.string("actor", event.Actor)
	w.maybe("door", string(event.Door))
	w.maybe("request_id", event.Request)
	w.raw("detail", event.Detail)
	w.end()
}

// showSubject names what an event is about, spelled as its kind has it.
func showSubject(w *writer, event payment.Event) {
	noun, _, _ := strings.Cut(string(event.Kind), ".")
	switch noun {
	case "refund":
		named(w, noun, payment.RefundID(event.Subject))
	case "dispute":
		named(w, noun, payment.DisputeID(event.Subject))
	case "order":
		named(w, noun, payment.OrderID(event.Subject))
	case "payout":
		named(w, noun, payment.PayoutID(event.Subject))
	case "batch":
		named(w, noun, batch.ID(event.Subject))
	case "resource":
		named(w, noun, payment.ResourceID(event.Subject))
	case "endpoint":
		if event.Kind != payment.EventEndpointTried { // whose subject is the try itself
			named(w, noun, payment.EndpointID(event.Subject))
		}
	case "key":
		named(w, noun, auth.CredentialID(event.Subject))
	case "person":
		named(w, noun, payment.PersonID(event.Subject))
	case "tenant", "settings":
		named(w, "tenant", payment.TenantID(event.Subject))
	}
}
