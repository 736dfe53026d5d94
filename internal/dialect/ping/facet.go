package ping

import (
	"encoding/json"
	"slices"

	"github.com/refundry/refundry/internal/fault"
	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/wire"
)

// document is the facet of a payment: what the domain does not know and answers
// must have.
type document struct {
	Provider string          `json:"provider,omitempty"`
	Method   string          `json:"method,omitempty"`
	Payer    json.RawMessage `json:"payer,omitempty"`
	Status   string          `json:"status,omitempty"`     // a status that only this door knows
	Total    money.Minor     `json:"total,omitempty"`      // what was asked for, if another amount came in; until it is taken
	Items    []payment.Item  `json:"items,omitempty"`      // … and the lines that this was for
	Payment  string          `json:"payment_id,omitempty"` // its id, if it was made elsewhere
	Order    string          `json:"payment_order_id,omitempty"`
}

// orderDocument is the facet of an order. Both members are kept for their
// owner only.
type orderDocument struct {
	SplitTree  string          `json:"split_tree_id,omitempty"`
	Parameters json.RawMessage `json:"split_parameters,omitempty"`
}

// bytes returns the document as the domain keeps it.
func (d document) bytes() []byte { return wire.Encode(d) }

// bytes returns the document as the domain keeps it.
func (d orderDocument) bytes() []byte { return wire.Encode(d) }

// documentOf returns what is known of a payment here. One that another door
// has made shows a way to pay that every client knows.
func documentOf(v payment.View) document { return documentAt(v, v.Payment.Version) }

// documentAt returns what was known of a payment at a version of it. What was
// asked for counts no longer once what came in was taken.
func documentAt(v payment.View, version int64) document {
	var d document
	for _, facet := range v.Facets {
		if facet.Door == Name && facet.Subject == v.Payment.ID && facet.Version <= version {
			d.add(facet.Body)
		}
	}
	if v.Payment.Status == payment.PaymentCaptured {
		d.Total, d.Items = 0, nil
	}
	if d.Provider == "" {
		d.Provider, d.Method = providerElsewhere, methodElsewhere
		if v.Payment.Method.Type == methodCard {
			d.Method = methodCard
		}
	}
	return d
}

// add reads one version of the document over those before it.
func (d *document) add(body []byte) {
	if len(body) == 0 {
		return
	}
	items := d.Items
	d.Items = nil               // lines are replaced whole
	_ = json.Unmarshal(body, d) // ours
	if d.Items == nil {
		d.Items = items
	}
}

// paymentID returns a payment's id as it is known here.
func (d document) paymentID(p payment.Payment) string {
	if d.Payment != "" {
		return d.Payment
	}
	return p.ID.UUID()
}

// orderID returns the id of a payment's order. One that stands alone is its own.
func (d document) orderID(p payment.Payment) string {
	switch {
	case d.Order != "":
		return d.Order
	case p.Order.IsZero():
		return d.paymentID(p)
	default:
		return p.Order.UUID()
	}
}

// Rest returns what of the documents about a payment is not personal, and stays
// when it is erased: its ids, and how it was paid.
func Rest(v payment.View) []payment.Facet {
	if v.Facet(Name, v.Payment.ID) == nil {
		return nil
	}
	d := documentOf(v)
	kept := document{Provider: d.Provider, Method: d.Method, Status: d.Status, Payment: d.Payment, Order: d.Order}
	return []payment.Facet{{Subject: v.Payment.ID, Door: Name, Body: kept.bytes()}}
}

// orderDocumentOf returns what is known of an order here.
func orderDocumentOf(facets []payment.Facet) orderDocument {
	var d orderDocument
	for _, facet := range slices.Backward(facets) {
		if facet.Door == Name {
			_ = json.Unmarshal(facet.Body, &d) // ours
			break
		}
	}
	return d
}

// ImportDocument returns what this door must know of a payment that was made
// elsewhere, from a line of an import: the member payment_id has its id at the
// provider, document may have payment_order_id, provider and method.
func ImportDocument(line wire.Value) ([]byte, []payment.Alias, error) {
	var d document
	var aliases []payment.Alias
	more, read := line.Get("document"), form{}
	d.Payment = read.uuid(line.Get(pathPayment), pathPayment)
	d.Order = read.uuid(more.Get(pathOrder), at("document", pathOrder))
	if len(read.problems) > 0 {
		return nil, nil, fault.New(fault.Invalid, "%s is not a UUID", read.problems[0].Property)
	}
	if d.Payment != "" {
		aliases = append(aliases, payment.Alias{Kind: paymentAlias, Value: d.Payment})
	}
	if d.Order != "" {
		aliases = append(aliases, payment.Alias{Kind: orderAlias, Value: d.Order})
	}
	for name, to := range map[string]struct {
		text  *string
		words []string
	}{"provider": {&d.Provider, providers}, "method": {&d.Method, methods}} {
		value := more.Get(name)
		if !value.IsGiven() {
			continue
		}
		if *to.text, _ = value.Text(); !isKnown(to.words, *to.text) {
			return nil, nil, fault.New(fault.Invalid, "document.%s is not one of Ping Payments'", name)
		}
	}
	if (d.Provider == "") != (d.Method == "") {
		return nil, nil, fault.New(fault.Invalid, "document has provider and method, or neither")
	}
	return d.bytes(), aliases, nil
}
