package api

import (
	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/payment"
)

// paymentSchema is what showPayment writes.
var paymentSchema = shown("Payment", "What a payer agreed to hand to a merchant, and what has become of it.",
	must("id", paymentID, ""),
	must("ids", doorIDsSchema, ""),
	must("status", someWord("PaymentStatus", "Where a payment is in its life. A refund never changes it.",
		paymentStatuses...), ""),
	may("waiting_for", someWord("Gate", "What a payment waits for.",
		payment.GatePayer, payment.GateConfirmation, payment.GateCapture), ""),
	must("amount", someAmount, "What was agreed."),
	must("currency", someCurrency, ""),
	must("captured", someAmount, "Taken so far."),
	must("refunded", someAmount, "Given back."),
	must("reserved", someAmount, "Claimed by refunds on their way."),
	must("disputed", someAmount, "Taken by disputes that are open or lost."),
	may("excess", someAmount, "What facts from outside took beyond what was captured. Absent: nothing."),
	must("refundable", someAmount, "What a refund may still ask for."),
	may("reference", someText, "What the merchant calls it."),
	must("merchant", someText, "Who was paid."),
	may("method", methodSchema, ""),
	may("country", someText, "Of the payer (ISO 3166)."),
	may("payer", someText, "What the merchant calls the payer."),
	may("description", someText, ""),
	may("items", listOf(itemSchema), "Lines of what was bought. Absent: not known."),
	may("metadata", someMetadata, ""),
	must("home", someDoor, "The front door that it was made at."),
	may("order", orderID, ""),
	may("connector", someText, "Through which it was taken, and refunds go back."),
	may("processor_ref", someText, "What the processor calls it."),
	may("references", listOf(referenceSchema), "What others call it."),
	may("captures", listOf(captureSchema), "Oldest first. Absent: nothing was captured, or is being."),
	must("refunds", listOf(shown("RefundInShort", "A refund of a payment.",
		must("id", refundID, ""),
		must("amount", someAmount, ""),
		must("status", refundStatusSchema, ""),
		must("created_at", someTime, ""),
	)), "Oldest first."),
	may("disputes", listOf(disputeSchema), "Oldest first. Absent: none."),
	may("captured_at", someTime, "When money was first taken. Absent: never."),
	may("erased_at", someTime, "When what is personal about it was erased. Absent: it was not."),
	must("created_at", someTime, ""),
	must("updated_at", someTime, ""),
	must("version", someVersion, ""),
)

var methodSchema = shown("Method", "What it was paid with.",
	may("type", someText, ""), may("brand", someText, ""), may("last4", someText, "The last four digits."),
)

var referenceSchema = shown("Reference", "How another party calls something: an ARN, an RRN, a code.",
	must("kind", someText, ""), must("value", someText, ""),
)

// paymentJSON returns a payment as callers see it.
func paymentJSON(v payment.View) []byte {
	w := newWriter()
	showPayment(w, "", v)
	return w.text
}

// showPayment writes a payment with its captures, its items and a short list of
// its refunds.
func showPayment(w *writer, name string, v payment.View) {
	p := v.Payment
	w.begin(name)
	named(w, "id", p.ID)
	showDoorIDs(w, p)
	w.string("status", string(p.Status))
	w.maybe("waiting_for", string(p.WaitsAt()))
	w.number("amount", int64(p.Amount.Minor))
	w.string("currency", string(p.Amount.Currency))
	showTotals(w, p.Totals)
	w.maybe("reference", p.Reference)
	w.string("merchant", p.Merchant)
	showMethod(w, p.Method)
	w.maybe("country", p.Country)
	w.maybe("payer", p.Payer)
	w.maybe("description", p.Description)
	showItems(w, v)
	w.raw("metadata", p.Metadata)
	w.string("home", string(p.Home))
	named(w, "order", p.Order)
	w.maybe("connector", p.Connector)
	w.maybe("processor_ref", p.ProcessorRef)
	showReferences(w, p.References)
	showCaptures(w, v.Captures)
	showRefunds(w, v.Refunds)
	showDisputes(w, v.Disputes)
	w.time("captured_at", p.CapturedAt())
	w.time("erased_at", p.ErasedAt())
	w.time("created_at", p.CreatedAt)
	w.time("updated_at", p.UpdatedAt)
	w.number("version", p.Version)
	w.end()
}

func showTotals(w *writer, t payment.Totals) {
	w.number("captured", int64(t.Captured))
	w.number("refunded", int64(t.Refunded))
	w.number("reserved", int64(t.Reserved))
	w.number("disputed", int64(t.Disputed))
	if t.IsOverdrawn() {
		w.number("excess", int64(t.Excess))
	}
	w.number("refundable", int64(t.Refundable()))
}

func showMethod(w *writer, m payment.Method) {
	if m == (payment.Method{}) {
		return
	}
	w.begin("method")
	w.maybe("type", m.Type)
	w.maybe("brand", m.Brand)
	w.maybe("last4", m.Last4)
	w.end()
}

// showItems writes the lines as they are now: a refund can name no others.
func showItems(w *writer, v payment.View) {
	items := v.Current()
	if len(items) == 0 {
		return
	}
	left := v.LeftOfLines()
	w.beginList("items")
	for i, item := range items {
		showItem(w, item, left[i])
	}
	w.endList()
}

// itemSchema is what showItem writes.
var itemSchema = shown("Item", "A line of what was bought.",
	must("position", someCount, "How a refund names it: 1, 2, …; another list goes on counting."),
	must("name", someText, ""),
	must("quantity", someCount, ""),
	must("unit_amount", someAmount, "Of one unit."),
	may("tax_rate", someText, "In percent, as it was given."),
	must("tax", someAmount, "The part of the total that is tax."),
	must("total", someAmount, "Of the line."),
	must("refundable", someAmount, "What is left of the line."),
	may("merchant", someText, "Who is paid for it. Absent: the payment's merchant."),
	may("metadata", someMetadata, ""),
	may("tags", listOf(someText), ""),
)

func showItem(w *writer, item payment.Item, left money.Minor) {
	w.begin("")
	w.number("position", int64(item.Position))
	w.string("name", item.Name)
	w.number("quantity", item.Quantity)
	w.number("unit_amount", int64(item.UnitAmount))
	w.maybe("tax_rate", item.TaxRate)
	w.number("tax", int64(item.Tax))
	w.number("total", int64(item.Total))
	w.number("refundable", int64(left))
	w.maybe("merchant", item.Merchant)
	w.raw("metadata", item.Metadata)
	if len(item.Tags) > 0 {
		w.beginList("tags")
		for _, tag := range item.Tags {
			w.string("", tag)
		}
		w.endList()
	}
	w.end()
}

func showRefunds(w *writer, refunds []payment.Refund) {
	w.beginList("refunds")
	for _, r := range refunds {
		w.begin("")
		named(w, "id", r.ID)
		w.number("amount", int64(r.Amount.Minor))
		w.string("status", string(r.Status))
		w.time("created_at", r.CreatedAt)
		w.end()
	}
	w.endList()
}

func showDisputes(w *writer, disputes []payment.Dispute) {
	if len(disputes) == 0 {
		return
	}
	w.beginList("disputes")
	for _, d := range disputes {
		showDispute(w, "", d)
	}
	w.endList()
}

// disputeSchema is what showDispute writes.
var disputeSchema = shown("Dispute", "A case in which the payer contests a payment.",
	must("id", disputeID, ""),
	must("payment", paymentID, ""),
	must("kind", someWord("DisputeKind", "How serious a dispute is. An inquiry takes nothing.", disputeKinds...), ""),
	must("amount", someAmount, ""),
	must("currency", someCurrency, ""),
	must("status", someWord("DisputeStatus", "Where a dispute is in its life.", disputeStatuses...), ""),
	may("reason", someText, ""),
	may("processor_ref", someText, "What the processor calls the case. Absent: an operator opened it."),
	may("double_loss", someAmount, "What it took, when it opened, of what was given back or was on its way. Absent: nothing."),
	may("double_loss_risk", someFlag, "`true`: `double_loss` is lost twice unless the dispute is won."),
	must("created_at", someTime, ""),
	must("updated_at", someTime, ""),
	must("version", someVersion, ""),
)

// showDispute writes a dispute.
func showDispute(w *writer, name string, d payment.Dispute) {
	w.begin(name)
	named(w, "id", d.ID)
	named(w, "payment", d.Payment)
	w.string("kind", string(d.Kind))
	w.number("amount", int64(d.Amount.Minor))
	w.string("currency", string(d.Amount.Currency))
	w.string("status", string(d.Status))
	w.maybe("reason", d.Reason)
	w.maybe("processor_ref", d.ProcessorRef)
	if d.DoubleLoss > 0 {
		w.number("double_loss", int64(d.DoubleLoss))
	}
	if d.IsDoubleLoss() {
		w.flag("double_loss_risk", true)
	}
	w.time("created_at", d.CreatedAt)
	w.time("updated_at", d.UpdatedAt)
	w.number("version", d.Version)
	w.end()
}
