package api

import (
	"context"
	"net/http"

	"github.com/refundry/refundry/internal/auth"
	"github.com/refundry/refundry/internal/openapi"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/wire"
)

func (a *API) disputeOperations() []operation {
	return []operation{
		a.listDisputesOperation(),
		{
			method: "POST", path: "/v1/disputes", id: "openDispute", tag: tagDisputes, summary: "Record a dispute",
			doc: "By an operator's word, a payer contests a payment. `amount` is all that is left unless it is named. With " +
				"`is_fact`, for what the processor says, it may be more than is left: see `excess` of the payment.",
			access: forOperators, takesKey: true, body: disputeRequest, serve: a.openDispute,
			answers: created("The dispute, and what it leaves of the payment.", disputeAnswer),
			codes: append(codesOf(payment.RuleStatus, payment.RuleCurrency, payment.RuleRefundable, payment.RuleNothingLeft,
				payment.RuleAmount, payment.RuleReached, payment.RuleAlias), codeNotFound),
		},
		{
			method: "GET", path: "/v1/disputes/{id}", id: "getDispute", tag: tagDisputes, summary: "Read a dispute",
			scope: scopeReadDisputes, parameters: []openapi.Parameter{pathID(disputeID)}, serve: a.getDispute,
			answers: ok("The dispute as it is now, and what it leaves of the payment.", disputeAnswer),
		},
		{
			method: "POST", path: "/v1/disputes/{id}/move", id: "moveDispute", tag: tagDisputes,
			summary: "Record what became of a dispute",
			doc:     "Won or canceled, its amount is refundable again; lost, accepted or expired, it is gone.",
			access:  forOperators, parameters: []openapi.Parameter{pathID(disputeID)}, body: disputeMoveRequest,
			answers: ok("The dispute, and what it leaves of the payment.", disputeAnswer),
			codes:   codesOf(payment.RuleStatus), serve: a.moveDispute,
		},
	}
}

var (
	disputeKinds = []payment.DisputeKind{
		payment.DisputeChargeback, payment.DisputeInquiry, payment.DisputePreArbitration,
	}
	disputeStatuses = append([]payment.DisputeStatus{payment.DisputeOpen}, disputeMoves...)
	disputeMoves    = []payment.DisputeStatus{
		payment.DisputeChallenged, payment.DisputeWon, payment.DisputeLost, payment.DisputeAccepted, payment.DisputeExpired,
		payment.DisputeCanceled,
	}
)

// disputeRequest is what openDispute reads.
var disputeRequest = taken("DisputeRequest", "A dispute that is recorded.",
	must("payment", paymentNameRequest, "The payment's id, spelled as any front door does."),
	may("amount", neededAmount(4000), "In minor units; all that is left, unless it is named."),
	may("currency", someCurrency, "Of the payment."),
	may("kind", anyWord(wordsOf(disputeKinds...)...), "`dispute` unless it is named. An inquiry takes nothing."),
	may("reason", anyText(nameMax, "not received"), "Why the payer contests the payment."),
	may("is_fact", anyFlag(true), "The processor says so: it may be more than is left."),
	may("processor_ref", anyIdentifier("case-1"), "What the processor calls the case."),
)

// disputeMoveRequest is what moveDispute reads.
var disputeMoveRequest = taken("DisputeMove", "What became of a dispute.",
	must("to", &openapi.Schema{Type: openapi.String, Words: wordsOf(disputeMoves...), Example: "won"}, ""),
)

// openDispute records, by an operator's word, that a payer contests a payment.
func (a *API) openDispute(w http.ResponseWriter, r *http.Request, caller auth.Identity) error {
	key, err := idempotencyKey(r)
	if err != nil {
		return err
	}
	in, err := a.read(w, r)
	if err != nil {
		return err
	}
	in.only(disputeRequest.Members)
	of := in.payment()
	command := payment.OpenDispute{
		Meta:         meta(r, caller),
		Kind:         payment.DisputeKind(in.word("kind", wordsOf(disputeKinds...)...)),
		Currency:     in.currency("currency"),
		IsFact:       in.flag("is_fact"),
		ProcessorRef: in.identifier("processor_ref"),
		Reason:       in.text("reason", nameMax),
	}
	if !in.value.Get("amount").Is(wire.Absent) {
		command.Amount = in.amount("amount")
	}
	if command.Kind == "" {
		command.Kind = payment.DisputeChargeback
	}
	if err := in.err(); err != nil {
		return err
	}
	if command.Payment, err = a.paymentNamed(r.Context(), caller, of); err != nil {
		return err
	}
	view, err := a.config.Reader.View(r.Context(), caller.Tenant, command.Payment)
	if err != nil {
		return err
	}
	command.Connector = view.Payment.Connector // whose case it is, whoever tells of it
	command.Key = keyOf(caller.Tenant, keyScope, key, disputeDigest(command))
	answer, replayed, err := a.do(r.Context(), command)
	if err != nil {
		return err
	}
	writeDispute(w, http.StatusCreated, replayed, answer)
	return nil
}

func disputeDigest(c payment.OpenDispute) *wire.Digest {
	isFact := int64(0)
	if c.IsFact {
		isFact = 1
	}
	return new(wire.Digest).Text("dispute").Bytes(c.Payment[:]).Text(string(c.Kind)).Number(int64(c.Amount)).
		Text(string(c.Currency)).Number(isFact).Text(c.ProcessorRef).Text(c.Reason)
}

// disputeAnswer is what writeDispute writes.
var disputeAnswer = shown("DisputeAnswer", "A dispute, and what it leaves of its payment.",
	must("dispute", disputeSchema, ""),
	must("payment", shown("PaymentTotals", "The sums of a payment.",
		must("id", paymentID, ""),
		must("captured", someAmount, ""),
		must("refunded", someAmount, ""),
		must("reserved", someAmount, ""),
		must("disputed", someAmount, ""),
		may("excess", someAmount, ""),
		must("refundable", someAmount, ""),
	), ""),
)

// writeDispute answers with a dispute and what it leaves of its payment.
func writeDispute(w http.ResponseWriter, status int, replayed bool, answer payment.Answer) {
	to := newWriter()
	to.begin("")
	showDispute(to, "dispute", answer.Dispute)
	to.begin("payment")
	named(to, "id", answer.View.Payment.ID)
	showTotals(to, answer.View.Payment.Totals)
	to.end()
	to.end()
	write(w, status, replayed, to.text)
}

// disputeNamed finds a dispute by its id.
func (a *API) disputeNamed(ctx context.Context, tenant payment.TenantID, text string,
) (payment.View, payment.Dispute, error) {
	var id payment.DisputeID
	if id.Parse(text) != nil {
		return payment.View{}, payment.Dispute{}, payment.NoSuch("dispute")
	}
	view, err := a.config.Reader.ViewOfDispute(ctx, tenant, id)
	if err != nil {
		return payment.View{}, payment.Dispute{}, err
	}
	dispute, found := view.Dispute(id)
	if !found {
		return payment.View{}, payment.Dispute{}, payment.NoSuch("dispute")
	}
	return view, dispute, nil
}

// getDispute shows a dispute.
func (a *API) getDispute(w http.ResponseWriter, r *http.Request, caller auth.Identity) error {
	view, dispute, err := a.disputeNamed(r.Context(), caller.Tenant, r.PathValue("id"))
	if err != nil {
		return err
	}
	writeDispute(w, http.StatusOK, false, payment.Answer{View: view, Dispute: dispute})
	return nil
}

// moveDispute records what became of a dispute.
func (a *API) moveDispute(w http.ResponseWriter, r *http.Request, caller auth.Identity) error {
	in, err := a.read(w, r)
	if err != nil {
		return err
	}
	in.only(disputeMoveRequest.Members)
	to := in.word("to", wordsOf(disputeMoves...)...)
	if !in.value.Get("to").IsGiven() {
		in.wrong("to", "is required")
	}
	if err := in.err(); err != nil {
		return err
	}
	_, dispute, err := a.disputeNamed(r.Context(), caller.Tenant, r.PathValue("id"))
	if err != nil {
		return err
	}
	answer, replayed, err := a.do(r.Context(), payment.MoveDispute{
		Meta: meta(r, caller), Payment: dispute.Payment, Dispute: dispute.ID, To: payment.DisputeStatus(to),
	})
	if err != nil {
		return err
	}
	writeDispute(w, http.StatusOK, replayed, answer)
	return nil
}
