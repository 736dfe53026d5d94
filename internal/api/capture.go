package api

import (
	"errors"
	"net/http"
	"slices"

	"github.com/refundry/refundry/internal/auth"
	"github.com/refundry/refundry/internal/openapi"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/wire"
)

// captureOperations are what can be recorded of an authorized payment.
func (a *API) captureOperations() []operation {
	one := []openapi.Parameter{pathID(paymentID)}
	return []operation{
		{
			method: "POST", path: "/v1/payments/{id}/capture", id: "capturePayment", tag: tagPayments,
			summary: "Record a capture",
			doc: "That all or a part of an authorized payment was taken, so that it can be refunded here from now on. No " +
				"processor is called. There may be several captures, until one is `final` or nothing is left.",
			scope: scopeWritePayments, takesKey: true, parameters: one, body: captureRequest,
			codes:   append(codesOf(payment.RuleStatus, payment.RuleOrder, payment.RuleCurrency), codeCapturable),
			answers: ok("The payment, with one more of `captures`.", paymentSchema), serve: a.capturePayment,
		},
		{
			method: "POST", path: "/v1/payments/{id}/cancel", id: "cancelPayment", tag: tagPayments,
			summary: "Record that a payment was canceled",
			doc: "That an authorization was given up (voided) before anything was captured. No processor is called. Nothing of " +
				"the payment can be captured or refunded any more.",
			scope: scopeWritePayments, takesKey: true, parameters: one, codes: codesOf(payment.RuleStatus),
			answers: ok("The payment, canceled.", paymentSchema), serve: a.cancelPayment,
		},
	}
}

// shownParts is what of a payment showPayment shows.
const shownParts = payment.PartCaptures | payment.PartItems | payment.PartRefunds | payment.PartDisputes

// captureRequest is what capturePayment reads.
var captureRequest = taken("CaptureRequest", "All or a part of an authorized payment, which was taken.",
	must("amount", neededAmount(4900), "What was taken, in minor units."),
	must("currency", someCurrency, "Of the payment."),
	may("final", anyFlag(true), "Nothing more will be captured: the rest was given up. What takes all that is left is final "+
		"by itself."),
)

// capturePayment records that money of an authorized payment was taken.
func (a *API) capturePayment(w http.ResponseWriter, r *http.Request, caller auth.Identity) error {
	key, err := idempotencyKey(r)
	if err != nil {
		return err
	}
	in, err := a.read(w, r)
	if err != nil {
		return err
	}
	in.only(captureRequest.Members)
	command := payment.CapturePayment{
		Amount: in.amount("amount"), Currency: in.currency("currency"), IsFinal: in.flag("final"), IsAtOnce: true,
		Parts: shownParts,
	}
	if in.value.Get("currency").Is(wire.Absent) {
		in.wrong("currency", "is required")
	}
	if err := in.err(); err != nil {
		return err
	}
	if command.Payment, err = a.paymentNamed(r.Context(), caller, r.PathValue("id")); err != nil {
		return err
	}
	command.Meta = meta(r, caller)
	command.Key = keyOf(caller.Tenant, keyScope, key, captureDigest(command))
	return a.answerPayment(w, r, command)
}

// captureDigest is what an idempotency key stands for.
func captureDigest(c payment.CapturePayment) *wire.Digest {
	isFinal := int64(0)
	if c.IsFinal {
		isFinal = 1
	}
	return new(wire.Digest).Text("capture").Bytes(c.Payment[:]).Number(int64(c.Amount)).Text(string(c.Currency)).Number(isFinal)
}

// cancelPayment records that an authorization was given up.
func (a *API) cancelPayment(w http.ResponseWriter, r *http.Request, caller auth.Identity) error {
	key, err := idempotencyKey(r)
	if err != nil {
		return err
	}
	id, err := a.paymentNamed(r.Context(), caller, r.PathValue("id"))
	if err != nil {
		return err
	}
	m := meta(r, caller)
	m.Key = keyOf(caller.Tenant, keyScope, key, new(wire.Digest).Text("cancel_payment").Bytes(id[:]))
	return a.answerPayment(w, r, payment.CancelPayment{
		Meta: m, Payment: id, From: []payment.PaymentStatus{payment.PaymentAuthorized}, Parts: shownParts,
	})
}

// answerPayment runs a command about a payment, and answers with what it is then.
func (a *API) answerPayment(w http.ResponseWriter, r *http.Request, command payment.Command) error {
	answer, replayed, err := a.do(r.Context(), command)
	if err != nil {
		return notCapturable(err)
	}
	write(w, http.StatusOK, replayed, paymentJSON(answer.View))
	return nil
}

// notCapturable says of a capture that asks for too much what could be captured:
// that is not what is left to refund.
func notCapturable(err error) error {
	refusal, ok := errors.AsType[*payment.Refusal](err)
	if !ok || refusal.Rule != payment.RuleAmount || refusal.Refundable.Currency == "" {
		return err
	}
	return &problem{code: codeCapturable, detail: refusal.Message, capturable: &refusal.Refundable}
}

// captureSchema is what showCaptures writes of each.
var captureSchema = shown("Capture", "One taking of all or a part of an authorized amount.",
	must("id", captureID, "A refund can name it."),
	must("amount", someAmount, ""),
	must("status", someWord("CaptureStatus", "`pending`: asked for, and not taken yet; it does not count.",
		payment.CapturePending, payment.CaptureSettled, payment.CaptureFailed), ""),
	must("is_final", someFlag, "Whether nothing more will be captured."),
	may("settled_at", someTime, "From when it counts. Absent: it does not."),
)

func showCaptures(w *writer, captures []payment.Capture) {
	if len(captures) == 0 {
		return
	}
	w.beginList("captures")
	for _, capture := range captures {
		w.begin("")
		named(w, "id", capture.ID)
		w.number("amount", int64(capture.Amount))
		w.string("status", string(capture.Status))
		w.flag("is_final", capture.IsFinal)
		w.time("settled_at", capture.History.ReachedAt(payment.CaptureSettled))
		w.end()
	}
	w.endList()
}

// connector reads through which connector a payment was taken: ours, unless one
// is named.
func (a *API) connector(in object) string {
	name := in.text("connector", nameMax)
	if name == "" || name == a.config.Connector {
		return a.config.Connector
	}
	if !slices.Contains(a.config.Connectors, name) {
		in.wrong("connector", "is not a connector that is known")
	}
	return name
}
