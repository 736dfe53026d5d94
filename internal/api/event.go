package api

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/refundry/refundry/internal/auth"
	"github.com/refundry/refundry/internal/payment"
)

const (
	eventsDefault = 100
	eventsMax     = 1000
)

// listEvents shows what happened behind a cursor, in the order of commits.
func (a *API) listEvents(w http.ResponseWriter, r *http.Request, caller auth.Identity) error {
	query := r.URL.Query()
	after, ok := payment.ParseCursor(query.Get("after"))
	if !ok {
		return wrongParameter("after", "must be a cursor from an earlier answer")
	}
	limit, err := limitOf(query.Get("limit"), eventsDefault, eventsMax)
	if err != nil {
		return err
	}
	events, err := a.config.Feed.Events(r.Context(), caller.Tenant, after, limit)
	if err != nil {
		return err
	}
	to := newWriter()
	to.begin("")
	to.beginList("events")
	for _, event := range events {
		showEvent(to, event)
		after = event.Cursor
	}
	to.endList()
	next := ""
	if after != (payment.Cursor{}) {
		next = after.String()
	}
	to.string("next", next)
	to.flag("has_more", len(events) == limit)
	to.end()
	write(w, http.StatusOK, false, to.text)
	return nil
}

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
	limit, err := strconv.Atoi(text)
	if err != nil || limit < 1 || limit > most {
		return 0, wrongParameter("limit", "must be a whole number from 1 to "+strconv.Itoa(most))
	}
	return limit, nil
}

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
	case "endpoint":
		named(w, noun, payment.EndpointID(event.Subject))
	case "key":
		named(w, noun, auth.CredentialID(event.Subject))
	case "tenant", "settings":
		named(w, "tenant", payment.TenantID(event.Subject))
	}
}
