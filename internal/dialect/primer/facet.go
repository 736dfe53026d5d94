package primer

import (
	"encoding/json"
	"strings"

	"github.com/refundry/refundry/internal/fault"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/wire"
)

// document is the facet of a payment: what the domain does not know and
// answers must have. A later version holds only what a call has changed; all of
// them together are what is known. So two calls at once lose nothing of each other.
type document struct {
	ID            string          `json:"id,omitempty"` // its id, if it was made elsewhere
	Token         string          `json:"token,omitempty"`
	PaymentType   string          `json:"payment_type,omitempty"`
	Descriptor    string          `json:"descriptor,omitempty"`
	IsVaulted     bool            `json:"is_vaulted,omitempty"`
	Method        json.RawMessage `json:"method,omitempty"` // paymentMethod as it was shown elsewhere
	CardTokenType string          `json:"card_token_type,omitempty"`
	Card          json.RawMessage `json:"card,omitempty"` // paymentMethodData
	Order         json.RawMessage `json:"order,omitempty"`
	Retailer      string          `json:"retailer,omitempty"` // retailerCountryCode of a capture
	Customer      json.RawMessage `json:"customer,omitempty"`
	Metadata      json.RawMessage `json:"metadata,omitempty"`  // of a capture: it is added to the payment's
	Account       *account        `json:"processor,omitempty"` // that took the payment
	CancelReason  string          `json:"cancel_reason,omitempty"`

	added []json.RawMessage // metadata of all captures
}

// account is a processor's merchant account.
type account struct {
	Name string `json:"name,omitempty"`
	ID   string `json:"id,omitempty"`
}

// bytes returns the document as the domain keeps it.
func (d document) bytes() []byte { return wire.Encode(d) }

// documentOf returns all that is known of a payment.
func documentOf(v payment.View) document {
	var d document
	for _, facet := range v.Facets {
		if facet.Door != Name || facet.Subject != v.Payment.ID || len(facet.Body) == 0 {
			continue
		}
		d.Metadata = nil
		_ = json.Unmarshal(facet.Body, &d) // ours
		if d.Metadata != nil {
			d.added = append(d.added, d.Metadata)
		}
	}
	return d
}

// AliasKinds lists the kinds of alias by which an operator may name a payment
// that was made elsewhere. An id of Primer's is a short one, as ours are.
func AliasKinds() []string { return nil }

// Rest returns what of the documents about a payment is not personal, and stays
// when it is erased: its id, and who took it.
func Rest(v payment.View) []payment.Facet {
	if v.Facet(Name, v.Payment.ID) == nil {
		return nil
	}
	d := documentOf(v)
	kept := document{ID: d.ID, PaymentType: d.PaymentType, CardTokenType: d.CardTokenType, Account: d.Account}
	return []payment.Facet{{Subject: v.Payment.ID, Door: Name, Body: kept.bytes()}}
}

// ImportDocument returns what this door must know of a payment that was made
// elsewhere, from a line of an import: payment_id is its id at Primer, as in
// "kHdEw9EG"; document may have order, customer, paymentMethod, cardTokenType
// and processor (name, processorMerchantId), as Primer's API shows them.
func ImportDocument(line wire.Value) ([]byte, []payment.Alias, error) {
	var d document
	var aliases []payment.Alias
	if value := line.Get("payment_id"); value.IsGiven() {
		text, ok := value.Text()
		if !ok || !wire.IsVisible(text, idBytesMax) || strings.Contains(text, "/") {
			return nil, nil, fault.New(fault.Invalid, "payment_id is 1 to %d visible characters without a slash", idBytesMax)
		}
		aliases = append(aliases, payment.Alias{Kind: payment.ShortAlias, Value: text})
		d.ID = text
	}
	more := line.Get("document")
	for name, to := range map[string]*json.RawMessage{"order": &d.Order, "customer": &d.Customer, "paymentMethod": &d.Method} {
		value := more.Get(name)
		if !value.IsGiven() {
			continue
		}
		if !value.Is(wire.Object) {
			return nil, nil, fault.New(fault.Invalid, "document.%s is an object", name)
		}
		*to = withoutNulls(value, nil)
	}
	d.CardTokenType, _ = more.Get("cardTokenType").Text()
	name, _ := more.Get("processor").Get("name").Text()
	id, _ := more.Get("processor").Get("processorMerchantId").Text()
	if name != "" || id != "" {
		d.Account = &account{Name: name, ID: id}
	}
	return d.bytes(), aliases, nil
}
