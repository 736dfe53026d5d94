package chip

import (
	"encoding/json"
	"strings"

	"github.com/refundry/refundry/internal/fault"
	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/wire"
)

// AliasKinds lists the kinds of alias by which an operator may name a payment
// that was made elsewhere.
func AliasKinds() []string { return []string{purchaseAlias} }

// purchaseAlias is the kind of alias that the id is which a purchase has at CHIP.
const purchaseAlias = "chip.purchase"

// document is the facet of a purchase, and of a refund: what the domain does
// not know and answers must have. Each version says only what became known with it, so that
// two who write at the same time never undo each other; see [documentOf].
type document struct {
	ID        string      `json:"id,omitempty"`                  // at CHIP, if it was made there
	Generated string      `json:"reference_generated,omitempty"` // of the purchase, or of a refund's Payment
	Fee       money.Minor `json:"fee,omitempty"`                 // of a refund, as it was set when it was asked for (C14)
	BaseURL   string      `json:"base_url,omitempty"`            // where the payer reaches the sandbox
	IP        string      `json:"ip,omitempty"`                  // of who created it
	ClientID  string      `json:"client_id,omitempty"`
	Client    *client     `json:"client,omitempty"`
	Details   *details    `json:"purchase,omitempty"`
	Options   *options    `json:"options,omitempty"`

	State    string `json:"state,omitempty"`     // viewed or error, while it is not paid
	ViewedOn int64  `json:"viewed_on,omitempty"` // when its page was first looked at
	Try      *try   `json:"try,omitempty"`       // in vain

	Paid *paid `json:"paid,omitempty"`

	tries  []try     // all of them, oldest first
	states []entered // all of them, oldest first
}

// entered is a state of a purchase that is not paid, and the payment's version
// at which it came to be.
type entered struct {
	state   string
	version int64
}

// try is the payer's try to pay, in vain.
type try struct {
	Error *flaw  `json:"error"`
	Flow  string `json:"flow"`
	Card  *card  `json:"card,omitempty"`
	IP    string `json:"ip"`
	At    int64  `json:"at"`

	version int64
}

// paid is how a purchase was paid, or authorized.
type paid struct {
	Flow         string `json:"flow"`
	Method       string `json:"method"` // visa, mastercard, fpx; empty: outside
	Card         *card  `json:"card,omitempty"`
	Country      string `json:"country,omitempty"`
	IP           string `json:"ip,omitempty"`
	Availability string `json:"availability,omitempty"`
	Token        string `json:"token,omitempty"`     // the recurring token that it was paid with
	IsToken      bool   `json:"is_token,omitempty"`  // others can be paid with it
	IsMarked     bool   `json:"is_marked,omitempty"` // somebody said that it is paid
	PaidOn       int64  `json:"paid_on,omitempty"`   // … and when
}

// bytes returns the document as the domain keeps it.
func (d document) bytes() []byte { return wire.Encode(d) }

// readDocument reads a document of ours; nothing is an empty one.
func readDocument(body []byte) document {
	var d document
	if len(body) > 0 {
		_ = json.Unmarshal(body, &d) // ours, or empty
	}
	return d
}

// documentOf returns all that is known of a purchase: its first document, and
// what later ones add.
func documentOf(v payment.View) document {
	var whole document
	isFirst := true
	for _, facet := range v.Facets {
		if facet.Door != Name || facet.Subject != v.Payment.ID {
			continue
		}
		more := readDocument(facet.Body)
		if isFirst {
			whole, isFirst = more, false
			continue
		}
		if more.State != "" {
			whole.states = append(whole.states, entered{more.State, facet.Version})
		}
		if whole.ViewedOn == 0 {
			whole.ViewedOn = more.ViewedOn
		}
		if more.Try != nil {
			more.Try.version = facet.Version
			whole.tries = append(whole.tries, *more.Try)
		}
		if more.Paid != nil {
			whole.Paid = more.Paid
		}
	}
	return whole
}

// ImportDocument returns what this door must know of a payment that was made
// elsewhere, from a line of an import: the member payment_id has its id at
// CHIP, document may have client (with an email) and reference_generated.
func ImportDocument(line wire.Value) ([]byte, []payment.Alias, error) {
	var d document
	var aliases []payment.Alias
	if given := line.Get("payment_id"); given.IsGiven() {
		text, _ := given.Text()
		var id payment.PaymentID
		if id.ParseUUID(text) != nil {
			return nil, nil, fault.New(fault.Invalid, "payment_id is not a UUID")
		}
		d.ID = id.UUID()
		aliases = append(aliases, payment.Alias{Kind: purchaseAlias, Value: d.ID})
	}
	more := form{line.Get("document"), &flaws{}}
	if more.value.IsGiven() && !more.value.Is(wire.Object) {
		return nil, nil, fault.New(fault.Invalid, "document is not an object")
	}
	d.Generated = more.text("reference_generated", referenceMax)
	if more.has("client") {
		d.Client = readClient(more.object("client"))
	}
	if !more.wrong.isEmpty() {
		return nil, nil, fault.New(fault.Invalid, "document.client or document.reference_generated is not as CHIP has it")
	}
	return d.bytes(), aliases, nil
}

// Persons returns what this door keeps about the payer of a payment beside it:
// the client, whom other purchases may share.
func Persons(v payment.View) []payment.ResourceRef {
	var id payment.ResourceID
	if id.ParseUUID(documentOf(v).ClientID) != nil || id.IsZero() {
		return nil
	}
	return []payment.ResourceRef{{Door: Name, Kind: kindClient, ID: id}}
}

// Rest returns what of the documents about a payment is not personal, and stays
// when it is erased: ids, numbers, fees, and how it was paid.
func Rest(v payment.View) (rest []payment.Facet) {
	if v.Facet(Name, v.Payment.ID) != nil {
		d := documentOf(v)
		kept := document{ID: d.ID, Generated: d.Generated}
		if d.Paid != nil {
			kept.Paid = &paid{
				Flow: d.Paid.Flow, Method: d.Paid.Method, Country: d.Paid.Country, Availability: d.Paid.Availability,
				IsMarked: d.Paid.IsMarked, PaidOn: d.Paid.PaidOn,
			}
		}
		rest = append(rest, payment.Facet{Subject: v.Payment.ID, Door: Name, Body: kept.bytes()})
	}
	for _, r := range v.Refunds {
		if body := v.Facet(Name, r.ID); body != nil {
			d := readDocument(body)
			kept := document{Generated: d.Generated, Fee: d.Fee}
			rest = append(rest, payment.Facet{Subject: r.ID, Door: Name, Body: kept.bytes()})
		}
	}
	return rest
}

// aliasOf returns the alias that a purchase's id may be.
func aliasOf(id string) payment.Alias {
	return payment.Alias{Kind: purchaseAlias, Value: strings.ToLower(id)}
}
