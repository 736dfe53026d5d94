package api

import (
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/refundry/refundry/internal/auth"
	"github.com/refundry/refundry/internal/openapi"
	"github.com/refundry/refundry/internal/payment"
)

const (
	refundsDefault = 50
	refundsMax     = 500
)

func (a *API) listOperation() operation {
	return operation{
		method: "GET", path: "/v1/refunds", id: "listRefunds", tag: tagRefunds, summary: "List refunds",
		doc: "The newest first, whichever front door asked for them. Filters narrow the list, all of them together; " +
			"`totals=true` sums up all that they let through, and not only the page. With `pending_reason`, " +
			"`expected_before`, `stuck` or `older_than` one request looks at 10,000 refunds at the most: a page may be short, " +
			"or empty, while `has_more`.",
		scope: scopeReadRefunds, parameters: refundFilters, codes: []code{codeNotFound}, serve: a.listRefunds,
		answers: []openapi.Answer{answering(http.StatusOK, "Refunds, the newest first.", refundPage)},
	}
}

var refundSources = []payment.Source{
	payment.SourceAPI, payment.SourceDialect, payment.SourceConsole, payment.SourceBulk, payment.SourceAdopted,
	payment.SourceAlert,
}

// refundFilters are what readRefundFilter reads.
var refundFilters = append([]openapi.Parameter{
	inQuery("payment", showing(paymentNameRequest, exampleID("pay")), "Only refunds of this payment."),
	inQuery("group", groupID, "Only refunds that were opened together."),
	inQuery("batch", batchID, "Only refunds that this batch asked for."),
	inQuery("status", &openapi.Schema{
		Type: openapi.Array, ItemsMax: len(payment.RefundStatuses), Example: []string{"pending"},
		Items: &openapi.Schema{Type: openapi.String, Words: wordsOf(payment.RefundStatuses...)},
	}, "Only refunds that are so. Named several times: any of them."),
	inQuery("reference", showing(filterText, "return-77"), "Only refunds that the merchant calls so."),
	inQuery("reason", showing(filterText, "returned"), "Only refunds for this reason."),
	inQuery("door", showing(&openapi.Schema{Type: openapi.String, LengthMax: nameMax}, "api"),
		"Only refunds that this front door asked for."),
	inQuery("source", &openapi.Schema{Type: openapi.String, Words: wordsOf(refundSources...), Example: "api"},
		"Only refunds that come from there."),
	inQuery("needs_review", filterFlag, "Only refunds at which a person must look, or at which nobody need look."),
	inQuery("currency", someCurrency, "Only refunds in this currency."),
	inQuery("amount_from", showing(neededAmount(1), 1), "Only refunds of this amount or more, in minor units."),
	inQuery("amount_until", showing(neededAmount(1), 10_000), "Only refunds of this amount or less, in minor units."),
	inQuery("from", showing(filterTime, "2026-03-01T00:00:00Z"), "Only refunds that were asked for at this time or later."),
	inQuery("until", showing(filterTime, "2026-04-01T00:00:00Z"), "Only refunds that were asked for at this time or earlier."),
	inQuery("pending_reason", &openapi.Schema{
		Type: openapi.Array, ItemsMax: len(pendingReasons), Example: []string{"processor"},
		Items: &openapi.Schema{Type: openapi.String, Words: wordsOf(pendingReasons...)},
	}, "Only refunds that have not ended for this reason. Named several times: for any of them."),
	inQuery("expected_before", showing(filterTime, "2026-03-05T00:00:00Z"),
		"Only refunds on their way that should have arrived before this time."),
	inQuery("stuck", &openapi.Schema{Type: openapi.String, Words: []string{"true"}, Example: "true"},
		"Only refunds that are on their way for longer than a policy bears."),
	inQuery("older_than", whole(1, olderMax, 86_400), "Only refunds that are on their way for so many seconds or longer."),
	inQuery("totals", &openapi.Schema{Type: openapi.String, Words: []string{"true"}, Example: "true"},
		"Sum up all that the filters let through. It takes longer the more there is."),
}, pageParameters(refundsDefault, refundsMax)...)

// The schemas of filters.
var (
	filterText = &openapi.Schema{Type: openapi.String, LengthMax: nameMax}
	filterTime = &openapi.Schema{Type: openapi.String, Format: "date-time"}
	filterFlag = &openapi.Schema{Type: openapi.String, Words: []string{"true", "false"}, Example: "true"}
)

// refundNow is what showRefundNow writes.
var refundNow = shown("RefundNow", "A refund as it is now.", append(slices.Clone(refundMembers),
	must("age_seconds", someCount, "How long it is on its way, or was until it ended."),
)...)

// showRefundNow writes a refund with what only the clock knows.
func showRefundNow(w *writer, r payment.Refund, now time.Time) {
	w.begin("")
	showRefundMembers(w, r)
	w.number("age_seconds", int64(r.Age(now)/time.Second))
	w.end()
}

var refundPage = func() *openapi.Schema {
	schema := page("RefundPage", "refunds", refundNow)
	schema.Members = append(schema.Members, may("totals", listOf(shown("RefundTotal", "Refunds of one currency and status.",
		must("currency", someCurrency, ""),
		must("status", refundStatusSchema, ""),
		must("count", someCount, "How many."),
		must("amount", someCount, "What they come to, in minor units."),
	)), "By currency and status, over all that the filters let through. Absent: nobody asked."))
	return schema
}()

// listRefunds shows refunds, the newest first.
func (a *API) listRefunds(w http.ResponseWriter, r *http.Request, caller auth.Identity) error {
	filter, err := a.readRefundFilter(r.URL.Query())
	if err != nil {
		return err
	}
	if text := r.URL.Query().Get("payment"); text != "" {
		if filter.Payment, err = a.paymentNamed(r.Context(), caller, text); err != nil {
			return err
		}
	}
	limit := filter.Limit
	aging, err := readAging(r.URL.Query(), a.config.Now())
	if err != nil {
		return err
	}
	if !aging.IsZero() {
		return a.listAging(w, r, caller, filter, aging)
	}
	filter.Limit++ // one more says whether there is more
	refunds, err := a.config.Lists.ListRefunds(r.Context(), caller.Tenant, filter)
	if err != nil {
		return err
	}
	var sums []payment.RefundSum
	wantsTotals := r.URL.Query().Get("totals") != ""
	if wantsTotals {
		if sums, err = a.config.Lists.SumRefunds(r.Context(), caller.Tenant, filter); err != nil {
			return err
		}
	}
	now := a.config.Now()
	part := partOf(r, refunds, limit, func(refund payment.Refund) string { return refund.Place().String() })
	part.write(w, "refunds", func(to *writer, refund payment.Refund) { showRefundNow(to, refund, now) }, func(to *writer) {
		if wantsTotals {
			showSums(to, sums)
		}
	})
	return nil
}

func showSums(w *writer, sums []payment.RefundSum) {
	w.beginList("totals")
	for _, sum := range sums {
		w.begin("")
		w.string("currency", string(sum.Currency))
		w.string("status", string(sum.Status))
		w.number("count", sum.Count)
		w.number("amount", sum.Minor)
		w.end()
	}
	w.endList()
}

func (a *API) readRefundFilter(query url.Values) (filter payment.RefundFilter, err error) {
	q := &filters{query: query}
	if !parseParameter(query, "group", &filter.Group) {
		q.wrong("group", "must be an id as it was answered")
	}
	if !parseParameter(query, "batch", &filter.Batch) {
		q.wrong("batch", "must be an id as it was answered")
	}
	for _, word := range q.words("status", wordsOf(payment.RefundStatuses...)) {
		filter.Statuses = append(filter.Statuses, payment.RefundStatus(word))
	}
	filter.Reference, filter.Reason = q.text("reference"), q.text("reason")
	filter.Door = payment.Door(q.word("door", a.doors()...))
	filter.Source = payment.Source(q.word("source", wordsOf(refundSources...)...))
	if word := q.word("needs_review", "true", "false"); word != "" {
		filter.NeedsReview = new(word == "true")
	}
	filter.Currency = q.currency("currency")
	filter.Least, filter.Most = q.amount("amount_from"), q.amount("amount_until")
	q.word("totals", "true")
	q.page(&filter.From, &filter.Until, &filter.After, &filter.Limit, refundsDefault, refundsMax)
	return filter, q.err
}
