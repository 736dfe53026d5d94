package api

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/refundry/refundry/internal/auth"
	"github.com/refundry/refundry/internal/money"
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
			"`totals=true` sums up all that they let through, and not only the page.",
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
	filter, err := readRefundFilter(r.URL.Query())
	if err != nil {
		return err
	}
	if text := r.URL.Query().Get("payment"); text != "" {
		if filter.Payment, err = a.paymentNamed(r.Context(), caller, text); err != nil {
			return err
		}
	}
	limit, next := filter.Limit, filter.After
	filter.Limit++ // one more says whether there is more
	refunds, err := a.config.Lists.ListRefunds(r.Context(), caller.Tenant, filter)
	if err != nil {
		return err
	}
	to := newWriter()
	to.begin("")
	to.beginList("refunds")
	for _, refund := range refunds[:min(limit, len(refunds))] {
		showRefundNow(to, refund, a.config.Now())
		next = refund.Place()
	}
	to.endList()
	showNext(to, next != payment.Place{}, next.String(), len(refunds) > limit)
	if r.URL.Query().Get("totals") != "" {
		sums, err := a.config.Lists.SumRefunds(r.Context(), caller.Tenant, filter)
		if err != nil {
			return err
		}
		showSums(to, sums)
	}
	to.end()
	write(w, http.StatusOK, false, to.text)
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

func readRefundFilter(query url.Values) (filter payment.RefundFilter, err error) {
	q := &filters{query: query}
	q.id("group", filter.Group.Parse)
	for _, word := range q.words("status", wordsOf(payment.RefundStatuses...)) {
		filter.Statuses = append(filter.Statuses, payment.RefundStatus(word))
	}
	filter.Reference, filter.Reason = q.text("reference"), q.text("reason")
	if filter.Door = payment.Door(query.Get("door")); !isPlain(string(filter.Door)) {
		q.wrong("door", "must be the name of a front door")
	}
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

// filters reads the parameters of a list. The first that is wrong is kept.
type filters struct {
	query url.Values
	err   error
}

func (q *filters) wrong(name, detail string) {
	if q.err == nil {
		q.err = wrongParameter(name, detail)
	}
}

// id reads an id, if there is one.
func (q *filters) id(name string, parse func(string) error) {
	if text := q.query.Get(name); text != "" && parse(text) != nil {
		q.wrong(name, "must be an id as it was answered")
	}
}

// text reads a text that something may be called.
func (q *filters) text(name string) string {
	text := q.query.Get(name)
	if !utf8.ValidString(text) || strings.ContainsRune(text, 0) || utf8.RuneCountInString(text) > nameMax {
		q.wrong(name, "must have at most "+strconv.Itoa(nameMax)+" letters")
	}
	return text
}

// word reads one of a few words; empty if it is absent.
func (q *filters) word(name string, words ...string) string {
	text := q.query.Get(name)
	if text != "" && !slices.Contains(words, text) {
		q.wrong(name, "must be one of "+strings.Join(words, ", "))
	}
	return text
}

// words reads some of a few words, each from a parameter of its own.
func (q *filters) words(name string, words []string) []string {
	given := q.query[name]
	for _, text := range given {
		if !slices.Contains(words, text) {
			q.wrong(name, "must be one of "+strings.Join(words, ", "))
		}
	}
	if len(given) > len(words) {
		q.wrong(name, "must be named at most "+strconv.Itoa(len(words))+" times")
	}
	return given
}

func (q *filters) currency(name string) money.Currency {
	text := q.query.Get(name)
	if text == "" {
		return ""
	}
	code, err := money.ParseCurrency(text)
	if err != nil || string(code) != text {
		q.wrong(name, "must be an ISO 4217 code in upper case")
	}
	return code
}

func (q *filters) amount(name string) money.Minor {
	text := q.query.Get(name)
	if text == "" {
		return 0
	}
	number, err := strconv.ParseInt(text, 10, 64)
	if err != nil || number < 1 || number > int64(money.Max) {
		q.wrong(name, "must be a whole number from 1 to "+strconv.FormatInt(int64(money.Max), 10))
	}
	return money.Minor(number)
}

func (q *filters) time(name string) time.Time {
	at, err := timeParameter(q.query, name)
	if q.err == nil {
		q.err = err
	}
	return at
}

// page reads which part of a list is wanted.
func (q *filters) page(from, until *time.Time, after *payment.Place, limit *int, byDefault, most int) {
	*from, *until = q.time("from"), q.time("until")
	var ok bool
	if *after, ok = payment.ParsePlace(q.query.Get("after")); !ok {
		q.wrong("after", "must be the next of an earlier answer")
	}
	*limit = q.limit(byDefault, most)
}

// limit reads how many rows a page may have.
func (q *filters) limit(byDefault, most int) int {
	limit, err := limitOf(q.query.Get("limit"), byDefault, most)
	if q.err == nil {
		q.err = err
	}
	return limit
}
