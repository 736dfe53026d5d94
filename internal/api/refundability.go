package api

import (
	"context"
	"net/http"

	"github.com/refundry/refundry/internal/auth"
	"github.com/refundry/refundry/internal/openapi"
	"github.com/refundry/refundry/internal/payment"
)

func (a *API) refundabilityOperation() operation {
	return operation{
		method: "GET", path: "/v1/payments/{id}/refundability", id: "getRefundability", tag: tagPayments,
		summary: "Ask what can be refunded",
		doc: "What one refund of the payment may ask for now, why no more, and when. `exposure` is what of the payment is " +
			"gone, or may go, in one place.",
		scope: scopeReadPayments, parameters: []openapi.Parameter{pathID(paymentID)}, takesUser: true,
		answers: ok("What can be refunded now.", refundabilitySchema), serve: a.getRefundability,
	}
}

var captureID = idOf("CaptureID", "cap", "Names one taking of an authorized amount.")

// refundabilitySchema is what showAllowance writes.
var refundabilitySchema = shown("Refundability", "What one refund of a payment may ask for now, and why no more.",
	must("payment", paymentID, ""),
	must("currency", someCurrency, ""),
	must("max", someAmount, "The most that one refund may ask for; 0: nothing."),
	must("min", someAmount, "The least that one refund may ask for."),
	must("refusals", listOf(refusalSchema), "Each rule that says no to every refund now. Empty: none does."),
	may("earliest_at", someTime, "When refunds may leave. Absent: now."),
	may("latest_at", someTime, "After this it is too late. Absent: it never is."),
	must("is_disputed", someFlag, "Whether a dispute is open, or has taken something."),
	must("exposure", exposureSchema, ""),
	may("captures", listOf(shown("CaptureLeft", "What refunds have left of a capture.",
		must("id", captureID, "A refund can name it."),
		must("amount", someAmount, "Taken."),
		must("refundable", someAmount, "What is left of it."),
	)), "Oldest first. Absent: nothing was taken."),
	may("items", listOf(shown("ItemLeft", "What refunds have left of a line item.",
		must("position", someCount, "How a refund names it."),
		must("quantity", someCount, "Units that nobody has named."),
		must("refundable", someAmount, "What is left of the line."),
		must("tax", someAmount, "The part of `refundable` that is tax."),
	)), "In their order. Absent: the payment has none."),
)

// refusalSchema is what showRefusal writes.
var refusalSchema = shown("Refusal", "A rule's no.",
	must("code", codeSchema, "As an error would have it."),
	must("detail", someText, "For people."),
	must("retryable", someFlag, "Whether the same request may succeed later, unchanged."),
	may("refundable", someAmount, "What may be asked for instead."),
	may("from", someTime, "From when it would be possible."),
)

// exposureSchema is what showExposure writes.
var exposureSchema = shown("Exposure", "What of a payment is gone, or may go.",
	must("captured", someAmount, "Taken so far."),
	must("refunded", someAmount, "Given back."),
	must("reserved", someAmount, "Claimed by refunds on their way."),
	must("disputed", someAmount, "Taken by disputes that are open or lost."),
	must("total", someAmount, "The last three together."),
	must("double_loss", someAmount, "What of `total` is lost twice, unless a dispute is won: it was given back, and a dispute "+
		"took it too."),
)

// getRefundability shows what a refund of a payment may ask for now.
func (a *API) getRefundability(w http.ResponseWriter, r *http.Request, caller auth.Identity) error {
	id, err := a.paymentNamed(r.Context(), caller, r.PathValue("id"))
	if err != nil {
		return err
	}
	view, tenant, counters, err := a.weigh(r.Context(), payment.NeedOfRefundability(meta(r, caller), id))
	if err != nil {
		return err
	}
	to := newWriter()
	showAllowance(to, view.Payment, payment.Refundability(view, tenant, a.config.Now(), counters...))
	write(w, http.StatusOK, false, to.text)
	return nil
}

// weigh reads what decides about a refund of a payment: the payment, its
// tenant's policies, and what was counted where a policy asks.
func (a *API) weigh(ctx context.Context, need payment.Need) (payment.View, *payment.Tenant, []payment.Counter, error) {
	tenant, err := a.config.Auth.Tenant(ctx, need.Tenant)
	if err != nil {
		return payment.View{}, nil, nil, err
	}
	view, err := a.config.Reader.Needed(ctx, need, tenant, a.config.Now())
	if err != nil {
		return view, nil, nil, err
	}
	wanted := need.Counters(view.Payment, tenant, a.config.Now())
	counting, counts := a.config.Reader.(payment.Counting)
	if !counts || len(wanted) == 0 {
		return view, tenant, nil, nil
	}
	counters, err := counting.Counters(ctx, need.Tenant, wanted)
	return view, tenant, counters, err
}

func showAllowance(w *writer, p payment.Payment, allowed payment.Allowance) {
	w.begin("")
	named(w, "payment", p.ID)
	w.string("currency", string(p.Amount.Currency))
	w.number("max", int64(allowed.Max.Minor))
	w.number("min", int64(allowed.Min.Minor))
	w.beginList("refusals")
	for _, refusal := range allowed.Refusals {
		showRefusal(w, "", refusal)
	}
	w.endList()
	w.time("earliest_at", allowed.From)
	w.time("latest_at", allowed.Until)
	w.flag("is_disputed", allowed.Exposure.Disputed > 0)
	showExposure(w, allowed.Exposure)
	showLeft(w, allowed)
	w.end()
}

// showLeft writes what is left of each capture and each line item.
func showLeft(w *writer, allowed payment.Allowance) {
	if len(allowed.Captures) > 0 {
		w.beginList("captures")
		for _, of := range allowed.Captures {
			w.begin("")
			named(w, "id", of.Capture.ID)
			w.number("amount", int64(of.Capture.Amount))
			w.number("refundable", int64(of.Left))
			w.end()
		}
		w.endList()
	}
	if len(allowed.Items) > 0 {
		w.beginList("items")
		for _, of := range allowed.Items {
			w.begin("")
			w.number("position", int64(of.Position))
			w.number("quantity", of.Quantity)
			w.number("refundable", int64(of.Amount))
			w.number("tax", int64(of.Tax))
			w.end()
		}
		w.endList()
	}
}

func showRefusal(w *writer, name string, refusal *payment.Refusal) {
	of := ruleCodes[refusal.Rule]
	w.begin(name)
	w.string("code", string(of))
	w.string("detail", refusal.Message)
	w.flag("retryable", problems[of].retryable)
	if refusal.Refundable.Currency != "" {
		w.number("refundable", int64(refusal.Refundable.Minor))
	}
	w.time("from", refusal.From)
	w.end()
}

func showExposure(w *writer, e payment.Exposure) {
	w.begin("exposure")
	w.number("captured", int64(e.Captured))
	w.number("refunded", int64(e.Refunded))
	w.number("reserved", int64(e.Reserved))
	w.number("disputed", int64(e.Disputed))
	w.number("total", int64(e.Total))
	w.number("double_loss", int64(e.DoubleLoss))
	w.end()
}
