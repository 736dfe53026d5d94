package api

import (
	"context"
	"net/http"

	"github.com/refundry/refundry/internal/auth"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/wire"
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
	in.only("payment", "amount", "currency", "kind", "reason", "is_fact", "processor_ref")
	of := in.payment()
	command := payment.OpenDispute{
		Meta:         meta(r, caller),
		Kind:         payment.DisputeKind(in.word("kind", "inquiry", "dispute", "pre_arbitration")),
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
	command.Connector = a.config.Connector
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
	in.only("to")
	in.required("to", nameMax)
	to := in.word("to", "challenged", "won", "lost", "accepted", "expired", "canceled")
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
