package api

import (
	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/payment"
)

// paymentJSON returns a payment as callers see it.
func paymentJSON(v payment.View) []byte {
	w := newWriter()
	showPayment(w, "", v)
	return w.text
}

// showPayment writes a payment with its items and a short list of its refunds.
func showPayment(w *writer, name string, v payment.View) {
	p := v.Payment
	w.begin(name)
	named(w, "id", p.ID)
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
	showRefunds(w, v.Refunds)
	showDisputes(w, v.Disputes)
	w.time("captured_at", p.CapturedAt())
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

func showItems(w *writer, v payment.View) {
	if len(v.Items) == 0 {
		return
	}
	left := payment.Left(v.Items, v.Refunds)
	w.beginList("items")
	for i, item := range v.Items {
		showItem(w, item, left[i])
	}
	w.endList()
}

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
	w.time("created_at", d.CreatedAt)
	w.time("updated_at", d.UpdatedAt)
	w.number("version", d.Version)
	w.end()
}
