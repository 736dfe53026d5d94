package api

import (
	"net/http"
	"net/url"

	"github.com/refundry/refundry/internal/auth"
	"github.com/refundry/refundry/internal/openapi"
	"github.com/refundry/refundry/internal/payment"
)

const (
	paymentsDefault = 50
	paymentsMax     = 200 // each is read and shown with its captures, items, refunds and disputes
)

// paymentFilters are what readPaymentFilter reads.
var paymentFilters = append([]openapi.Parameter{
	inQuery("status", &openapi.Schema{
		Type: openapi.Array, ItemsMax: len(paymentStatuses), Example: []string{"captured"},
		Items: &openapi.Schema{Type: openapi.String, Words: wordsOf(paymentStatuses...)},
	}, "Only payments that are so. Named several times: any of them."),
	inQuery("home", showing(&openapi.Schema{Type: openapi.String, LengthMax: nameMax}, "api"),
		"Only payments that were made at this front door."),
	inQuery("reference", showing(filterText, "order-1001"), "Only payments that you call so."),
	inQuery("order", orderID, "Only payments of this order."),
	inQuery("from", showing(&openapi.Schema{Type: openapi.String, Format: "date-time"}, "2026-03-01T00:00:00Z"),
		"Only payments that were made at this time or later."),
	inQuery("until", showing(&openapi.Schema{Type: openapi.String, Format: "date-time"}, "2026-04-01T00:00:00Z"),
		"Only payments that were made at this time or earlier."),
}, pageParameters(paymentsDefault, paymentsMax)...)

// listPayments shows payments, the newest first.
func (a *API) listPayments(w http.ResponseWriter, r *http.Request, caller auth.Identity) error {
	filter, err := a.readPaymentFilter(r.URL.Query())
	if err != nil {
		return err
	}
	limit := filter.Limit
	filter.Limit++ // one more says whether there is more
	payments, err := a.config.Reader.Payments(r.Context(), caller.Tenant, filter)
	if err != nil {
		return err
	}
	part := partOf(r, payments, limit, func(view payment.View) string { return view.Payment.Place().String() })
	part.write(w, "payments", func(to *writer, view payment.View) { showPayment(to, "", view) })
	return nil
}

func (a *API) readPaymentFilter(query url.Values) (filter payment.PaymentFilter, err error) {
	q := &filters{query: query}
	filter.Parts = shownParts
	for _, word := range q.words("status", wordsOf(paymentStatuses...)) {
		filter.Statuses = append(filter.Statuses, payment.PaymentStatus(word))
	}
	filter.Reference, filter.Home = q.text("reference"), payment.Door(q.word("home", a.doors()...))
	if !parseParameter(query, "order", &filter.Order) {
		q.wrong("order", "must be the id of an order")
	}
	q.page(&filter.From, &filter.Until, &filter.After, &filter.Limit, paymentsDefault, paymentsMax)
	return filter, q.err
}
