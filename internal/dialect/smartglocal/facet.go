package smartglocal

import (
	"encoding/json"
	"time"

	"github.com/refundry/refundry/internal/fault"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/wire"
)

// document is the facet of an order, a payment or a refund: what the domain
// does not know and answers must have.
type document struct {
	Version     Version         `json:"version,omitempty"`    // of the call that made it
	Session     string          `json:"session,omitempty"`    // its id, if it was made elsewhere
	Payment     string          `json:"payment,omitempty"`    // its id, if it was made elsewhere
	CreatedAt   time.Time       `json:"created_at,omitzero"`  // of the session, if it is older than the payment
	Customer    json.RawMessage `json:"customer,omitempty"`   // what of it is echoed
	Metadata    json.RawMessage `json:"metadata,omitempty"`   // of a session without a payment
	Card        *card           `json:"card,omitempty"`       // of a session without a payment
	Bin         string          `json:"bin,omitempty"`        // the first six digits
	BaseURL     string          `json:"base_url,omitempty"`   // where the payer reaches the sandbox
	ReturnURL   string          `json:"return_url,omitempty"` // where the payer goes afterwards
	Submerchant string          `json:"submerchant,omitempty"`
}

// card is what is kept of one: never its number.
type card struct {
	Brand string `json:"brand"`
	Last4 string `json:"last4"`
	Bin   string `json:"bin"`
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

// Rest returns what of a brand's documents about a payment is not personal, and
// stays when it is erased: its ids, and in which version of the API they were made.
func Rest(brand Brand) func(payment.View) []payment.Facet {
	return func(v payment.View) (rest []payment.Facet) {
		keep := func(subject [16]byte) {
			if body := v.Facet(brand.Door(), subject); body != nil {
				d := readDocument(body)
				kept := document{Version: d.Version, Session: d.Session, Payment: d.Payment, CreatedAt: d.CreatedAt}
				rest = append(rest, payment.Facet{Subject: subject, Door: brand.Door(), Body: kept.bytes()})
			}
		}
		keep(v.Payment.ID)
		for _, r := range v.Refunds {
			keep(r.ID)
		}
		return rest
	}
}

// ImportDocument returns what this brand must know of a payment that was made
// elsewhere, from a line of an import: the members session and payment_id have
// its ids there, as in "ps_3230" and "pm_2705", document may have customer,
// bin and version.
func ImportDocument(brand Brand) func(line wire.Value) ([]byte, []payment.Alias, error) {
	return func(line wire.Value) ([]byte, []payment.Alias, error) {
		var d document
		var aliases []payment.Alias
		for name, to := range map[string]struct {
			id     *string
			prefix string
			kind   string
		}{
			"session":    {&d.Session, sessionPrefix, brand.sessionAlias()},
			"payment_id": {&d.Payment, paymentPrefix, brand.paymentAlias()},
		} {
			value := line.Get(name)
			if !value.IsGiven() {
				continue
			}
			text, ok := value.Text()
			if !ok || !isID(text, to.prefix) {
				return nil, nil, fault.New(fault.Invalid, "%s is not %s and digits", name, to.prefix)
			}
			*to.id = text
			aliases = append(aliases, payment.Alias{Kind: to.kind, Value: text})
		}
		more := line.Get("document")
		if more.IsGiven() {
			if err := d.readImported(more); err != nil {
				return nil, nil, err
			}
		}
		return d.bytes(), aliases, nil
	}
}

// readImported reads what else an import may say.
func (d *document) readImported(more wire.Value) error {
	var err error
	if d.Customer, err = readCustomer(more.Get("customer"), false); err != nil {
		return err
	}
	d.Bin, _ = more.Get("bin").Text()
	version, _ := more.Get("version").Text()
	if d.Version = Version(version); d.Version != "" && d.Version != V1 && d.Version != V2 {
		return fault.New(fault.Invalid, "document.version is v1 or v2")
	}
	if d.Bin != "" && !wire.IsDigits(d.Bin, 6, 8) {
		return fault.New(fault.Invalid, "document.bin has 6 to 8 digits")
	}
	return nil
}
