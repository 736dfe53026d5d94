package api

import (
	"net/http"
	"net/url"

	"github.com/refundry/refundry/internal/auth"
	"github.com/refundry/refundry/internal/openapi"
	"github.com/refundry/refundry/internal/payment"
)

const (
	disputesDefault = 50
	disputesMax     = 500
)

func (a *API) listDisputesOperation() operation {
	return operation{
		method: "GET", path: "/v1/disputes", id: "listDisputes", tag: tagDisputes, summary: "List disputes",
		doc:   "The newest first. Filters narrow the list, all of them together.",
		scope: scopeReadDisputes, parameters: disputeFilters, codes: []code{codeNotFound}, serve: a.listDisputes,
		answers: ok("Disputes, the newest first.", page("DisputePage", "disputes", disputeSchema)),
	}
}

// disputeFilters are what readDisputeFilter reads.
var disputeFilters = append([]openapi.Parameter{
	inQuery("payment", showing(paymentNameRequest, exampleID("pay")), "Only disputes of this payment."),
	inQuery("kind", &openapi.Schema{
		Type: openapi.Array, ItemsMax: len(disputeKinds), Example: []string{"dispute"},
		Items: &openapi.Schema{Type: openapi.String, Words: wordsOf(disputeKinds...)},
	}, "Only disputes of this kind. Named several times: of any of them."),
	inQuery("status", &openapi.Schema{
		Type: openapi.Array, ItemsMax: len(disputeStatuses), Example: []string{"open"},
		Items: &openapi.Schema{Type: openapi.String, Words: wordsOf(disputeStatuses...)},
	}, "Only disputes that are so. Named several times: any of them."),
	inQuery("double_loss_risk", &openapi.Schema{Type: openapi.String, Words: []string{"true"}, Example: "true"},
		"Only disputes that took what was given back, and are not won."),
	inQuery("from", showing(filterTime, "2026-03-01T00:00:00Z"), "Only disputes that were opened at this time or later."),
	inQuery("until", showing(filterTime, "2026-04-01T00:00:00Z"), "Only disputes that were opened at this time or earlier."),
}, pageParameters(disputesDefault, disputesMax)...)

// listDisputes shows disputes, the newest first.
func (a *API) listDisputes(w http.ResponseWriter, r *http.Request, caller auth.Identity) error {
	filter, err := readDisputeFilter(r.URL.Query())
	if err != nil {
		return err
	}
	if text := r.URL.Query().Get("payment"); text != "" {
		if filter.Payment, err = a.paymentNamed(r.Context(), caller, text); err != nil {
			return err
		}
	}
	limit := filter.Limit
	filter.Limit++ // one more says whether there is more
	disputes, err := a.config.Lists.ListDisputes(r.Context(), caller.Tenant, filter)
	if err != nil {
		return err
	}
	part := partOf(r, disputes, limit, func(dispute payment.Dispute) string { return dispute.Place().String() })
	part.write(w, "disputes", func(to *writer, dispute payment.Dispute) { showDispute(to, "", dispute) })
	return nil
}

func readDisputeFilter(query url.Values) (filter payment.DisputeFilter, err error) {
	q := &filters{query: query}
	for _, word := range q.words("kind", wordsOf(disputeKinds...)) {
		filter.Kinds = append(filter.Kinds, payment.DisputeKind(word))
	}
	for _, word := range q.words("status", wordsOf(disputeStatuses...)) {
		filter.Statuses = append(filter.Statuses, payment.DisputeStatus(word))
	}
	filter.IsDoubleLoss = q.word("double_loss_risk", "true") != ""
	q.page(&filter.From, &filter.Until, &filter.After, &filter.Limit, disputesDefault, disputesMax)
	return filter, q.err
}
