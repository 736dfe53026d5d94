package api

import (
	"net/http"

	"github.com/refundry/refundry/internal/auth"
	"github.com/refundry/refundry/internal/openapi"
	"github.com/refundry/refundry/internal/payment"
)

func (a *API) previewOperation() operation {
	return operation{
		method: "POST", path: "/v1/refunds/preview", id: "previewRefund", tag: tagRefunds, summary: "Preview a refund",
		doc: "Exactly what the same request to `POST /v1/refunds` would do now, without doing it. Send it there with the " +
			"`preview_token`, and it is refused (`preview_outdated`) rather than doing something else.",
		scope: scopeWriteRefunds, body: refundRequest, parameters: []openapi.Parameter{keyOfPreview},
		takesUser: true, answers: ok("What would happen, or which rule would say no.", previewSchema),
		codes: []code{codeNotFound, codeKey}, serve: a.previewRefund,
	}
}

// keyOfPreview is a key that is looked at, and not used.
var keyOfPreview = func() openapi.Parameter {
	parameter := keyParameter
	parameter.Component = "PreviewedKey"
	parameter.Doc = "The key that the refund would have: with one, an equal refund a moment before is no mistake, and if " +
		"it was used before, that is what is shown. It is not used up."
	return parameter
}()

// previewSchema is what showPreview writes.
var previewSchema = shown("Preview", "What a refund would do.",
	must("payment", paymentID, ""),
	must("is_allowed", someFlag, "Whether it would be accepted."),
	may("replays", refundID, "The Idempotency-Key was used for the same request: it would be answered with this refund once "+
		"more, whose numbers these are, and nothing would be opened."),
	may("refusal", refusalSchema, "The first rule that would say no: the numbers are those that it says no to."),
	may("key_used", usedSchema, "What the Idempotency-Key was used for before, if that is what says no."),
	must("amount", someAmount, "What would go back."),
	must("tax", someAmount, "The part of it that is tax, as far as line items are known."),
	must("currency", someCurrency, ""),
	must("refunds", listOf(shown("PreviewedRefund", "A refund that would be opened.",
		must("amount", someAmount, ""),
		must("status", refundStatusSchema, "In which it would begin."),
		may("capture", captureID, "Which it would give back. Absent: it names none."),
		may("items", listOf(refundLineSchema), "How the amount falls on line items. Absent: the payment has none."),
	)), "One; or one for each capture, where the processor refunds captures."),
	must("approvals_needed", someCount, "How many must agree; 0: nobody."),
	may("not_before", someTime, "It would wait until then, and could be canceled. Absent: it would leave at once."),
	must("refundable", someAmount, "What would be left of the payment."),
	may("preview_token", previewToken,
		"Binds a refund to these numbers. Absent: it would be refused, or nothing would be opened."),
)

var previewToken = &openapi.Schema{
	Type: openapi.String, LengthMin: 1, LengthMax: nameMax, Example: "9f86d081884c7d659a2feaa0c55ad015",
}

// previewRefund says what a refund would do.
func (a *API) previewRefund(w http.ResponseWriter, r *http.Request, caller auth.Identity) error {
	command, err := a.readRefund(w, r, caller)
	if err != nil {
		return err
	}
	view, tenant, counters, err := a.weigh(r.Context(), command.Need())
	if err != nil {
		return err
	}
	previewed := payment.Preview(view, tenant, command, a.config.Now(), counters...)
	if command.Key != (payment.Key{}) {
		record, err := a.config.Reader.Key(r.Context(), caller.Tenant, command.Key.Hash)
		if err != nil {
			return err
		}
		if record != nil {
			if view, err = a.config.Reader.View(r.Context(), caller.Tenant, record.Payment); err != nil {
				return err
			}
			previewed = previewed.Used(view, command.Key, record)
		}
	}
	var used *keyUsed
	if refusal := previewed.Refusal; refusal != nil && refusal.Rule == payment.RuleKeyMisuse && refusal.Earlier != nil {
		used = a.usedFor(r.Context(), refusal)
	}
	to := newWriter()
	showPreview(to, command.Payment, previewed, used)
	write(w, http.StatusOK, false, to.text)
	return nil
}

func showPreview(w *writer, of payment.PaymentID, p payment.Previewed, used *keyUsed) {
	w.begin("")
	named(w, "payment", of)
	w.flag("is_allowed", p.Refusal == nil)
	named(w, "replays", p.Replays)
	if p.Refusal != nil {
		showRefusal(w, "refusal", p.Refusal)
	}
	if used != nil {
		w.any("key_used", used)
	}
	w.number("amount", int64(p.Amount.Minor))
	w.number("tax", int64(p.Tax))
	w.string("currency", string(p.Amount.Currency))
	w.beginList("refunds")
	for _, refund := range p.Refunds {
		w.begin("")
		w.number("amount", int64(refund.Amount.Minor))
		w.string("status", string(refund.Status))
		named(w, "capture", refund.Capture)
		showLines(w, refund.Lines)
		w.end()
	}
	w.endList()
	w.number("approvals_needed", int64(p.ApprovalsNeeded))
	w.time("not_before", p.NotBefore)
	w.number("refundable", int64(p.Left.Minor))
	if p.Refusal == nil {
		w.maybe("preview_token", string(p.Digest))
	}
	w.end()
}
