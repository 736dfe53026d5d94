package api

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/refundry/refundry/internal/auth"
	"github.com/refundry/refundry/internal/id"
	"github.com/refundry/refundry/internal/openapi"
	"github.com/refundry/refundry/internal/payment"
)

const (
	paymentsDefault = 50
	paymentsMax     = 200 // each is read and shown with its items, refunds and disputes
)

// paymentFilters are what readPaymentFilter reads.
var paymentFilters = append([]openapi.Parameter{
	inQuery("status", &openapi.Schema{
		Type: openapi.Array, ItemsMax: len(paymentStatuses), Example: []string{"captured"},
		Items: &openapi.Schema{Type: openapi.String, Words: wordsOf(paymentStatuses...)},
	}, "Only payments that are so. Named several times: any of them."),
	inQuery("home", showing(&openapi.Schema{Type: openapi.String, LengthMax: nameMax}, "api"),
		"Only payments that were made at this front door."),
	inQuery("order", orderID, "Only payments of this order."),
	inQuery("from", showing(&openapi.Schema{Type: openapi.String, Format: "date-time"}, "2026-03-01T00:00:00Z"),
		"Only payments that were made at this time or later."),
	inQuery("until", showing(&openapi.Schema{Type: openapi.String, Format: "date-time"}, "2026-04-01T00:00:00Z"),
		"Only payments that were made at this time or earlier."),
}, pageParameters(paymentsDefault, paymentsMax)...)

// listPayments shows payments, the newest first.
func (a *API) listPayments(w http.ResponseWriter, r *http.Request, caller auth.Identity) error {
	filter, err := readPaymentFilter(r.URL.Query())
	if err != nil {
		return err
	}
	limit := filter.Limit
	filter.Limit++ // one more says whether there is more
	payments, err := a.config.Reader.Payments(r.Context(), caller.Tenant, filter)
	if err != nil {
		return err
	}
	to := newWriter()
	to.begin("")
	to.beginList("payments")
	next := filter.After
	for _, view := range payments[:min(limit, len(payments))] {
		showPayment(to, "", view)
		next = view.Payment.Place()
	}
	to.endList()
	showNext(to, next != payment.Place{}, next.String(), len(payments) > limit)
	to.end()
	write(w, http.StatusOK, false, to.text)
	return nil
}

// showNext says how to go on in a list; there is no place before its beginning.
func showNext(w *writer, hasPlace bool, place string, hasMore bool) {
	if !hasPlace {
		place = ""
	}
	w.string("next", place)
	w.flag("has_more", hasMore)
}

func readPaymentFilter(query url.Values) (filter payment.PaymentFilter, err error) {
	filter.Parts = payment.PartItems | payment.PartRefunds | payment.PartDisputes
	for _, word := range query["status"] {
		status := payment.PaymentStatus(word)
		if !slices.Contains(paymentStatuses, status) {
			return filter, wrongParameter("status", "must be a status of a payment")
		}
		filter.Statuses = append(filter.Statuses, status)
	}
	if len(filter.Statuses) > len(paymentStatuses) {
		return filter, wrongParameter("status", "must be named at most "+strconv.Itoa(len(paymentStatuses))+" times")
	}
	if filter.Home = payment.Door(query.Get("home")); !isPlain(string(filter.Home)) {
		return filter, wrongParameter("home", "must be the name of a front door")
	}
	if !parseParameter(query, "order", &filter.Order) {
		return filter, wrongParameter("order", "must be the id of an order")
	}
	if filter.From, err = timeParameter(query, "from"); err != nil {
		return filter, err
	}
	if filter.Until, err = timeParameter(query, "until"); err != nil {
		return filter, err
	}
	var ok bool
	if filter.After, ok = payment.ParsePlace(query.Get("after")); !ok {
		return filter, wrongPlace
	}
	filter.Limit, err = limitOf(query.Get("limit"), paymentsDefault, paymentsMax)
	return filter, err
}

// parseParameter reads an id of the query, and reports whether it is one, or
// absent. The zero id names nothing: it would narrow nothing.
func parseParameter[K id.Kind](query url.Values, name string, to *id.ID[K]) bool {
	text := query.Get(name)
	return text == "" || to.Parse(text) == nil && !to.IsZero()
}

var wrongPlace = wrongParameter("after", "must be the next of an earlier answer")

// isPlain reports whether a text of a query can be looked for at all.
func isPlain(text string) bool {
	return len(text) <= nameMax && isMadeOf(text, ' ', '~')
}

// latest is behind any time that a store keeps.
var latest = time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)

// timeParameter reads a time of the query; zero if it is absent.
func timeParameter(query url.Values, name string) (time.Time, error) {
	text := query.Get(name)
	if text == "" {
		return time.Time{}, nil
	}
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil || at.Before(earliest) || at.After(latest) {
		return time.Time{}, wrongParameter(name, "must be a time as in 2026-03-01T12:00:00Z (RFC 3339)")
	}
	return at.UTC(), nil
}
