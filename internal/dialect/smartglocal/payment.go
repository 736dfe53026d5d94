package smartglocal

import (
	"encoding/json"
	"strings"

	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/wire"
)

// asked is a payment as calls ask for it. Of a card only what may be kept is here.
type asked struct {
	card     *card
	amount   money.Amount
	payer    string
	metadata string
	document document
}

// readPayment reads what a call says of a payment; what it does not say may
// come with another call.
func (c *call) readPayment() (asked, *word) {
	var a asked
	var said *word
	if given := c.body.Get("payment_details"); !isBlank(given) {
		if a.card, said = readCard(given); said != nil {
			return a, said
		}
	}
	if given := c.body.Get("amount_details"); !isBlank(given) {
		if a.amount.Minor, a.amount.Currency, said = readAmount(given); said != nil {
			return a, said
		}
	}
	var err error
	if a.document.Customer, err = readCustomer(c.body.Get("customer"), c.brand == Pike); err != nil {
		return a, wordOf(err)
	}
	a.payer = payerOf(a.document.Customer)
	if a.metadata, said = readMetadata(c.body.Get("metadata")); said != nil {
		return a, said
	}
	url := c.body.Get("payment_options").Get("return_url")
	a.document.ReturnURL, _ = url.Text()
	if len(a.document.ReturnURL) > urlBytesMax || !isWebURL(a.document.ReturnURL) ||
		wire.HasCardNumber(a.document.ReturnURL) {
		return a, invalid("payment_options.return_url is not a URL")
	}
	return a, nil
}

const urlBytesMax = 2000

// isBlank reports whether nothing is said: another call may say it. PHP
// clients write an empty object as [].
func isBlank(given wire.Value) bool {
	return !given.IsGiven() || given.IsEmptyArray() || (given.Is(wire.Object) && len(given.Names()) == 0)
}

func isWebURL(text string) bool {
	return text == "" || strings.HasPrefix(text, "https://") || strings.HasPrefix(text, "http://")
}

// complete takes what session/create has said already.
func (a *asked) complete(created document, order payment.Order) {
	if a.card == nil {
		a.card = created.Card
	}
	if a.amount.Minor == 0 {
		a.amount = money.Of(order.Amount, order.Currency)
	}
	if a.document.Customer == nil {
		a.document.Customer = created.Customer
		a.payer = payerOf(created.Customer)
	}
	if a.metadata == "" {
		a.metadata = string(created.Metadata)
	}
	if a.document.ReturnURL == "" {
		a.document.ReturnURL = created.ReturnURL
	}
	a.document.Version = created.Version
}

// missing says what a payment still needs.
func (a *asked) missing(brand Brand) *word {
	switch {
	case a.card == nil:
		return invalid("payment_details is required")
	case a.amount.Minor == 0:
		return invalid("amount_details is required")
	case a.document.Customer == nil && brand == Pike:
		return invalid("customer is required")
	}
	return nil
}

// readCard reads payment_details. The number, the date and the code are looked
// at and forgotten. The date may be past: printed examples are.
func readCard(given wire.Value) (*card, *word) {
	if kind, _ := given.Get("type").Text(); kind != "card" {
		return nil, invalid("payment_details.type must be card")
	}
	inner := given.Get("card")
	if inner.Get("bank_card").IsGiven() { // else the outdated flat form (C4)
		if kind := inner.Get("type"); kind.IsGiven() && kind.Raw() != `"bank_card"` {
			return nil, invalid("payment_details.card.type must be bank_card")
		}
		inner = inner.Get("bank_card")
	}
	number, _ := inner.Get("number").Text()
	month, _ := inner.Get("expiration_month").Text()
	year, _ := inner.Get("expiration_year").Text()
	code, _ := inner.Get("security_code").Text()
	switch {
	case !wire.IsDigits(number, 14, 19):
		return nil, invalid("the card's number must have 14 to 19 digits")
	case !wire.IsDigits(month, 2, 2) || month < "01" || month > "12":
		return nil, invalid("the card's expiration_month must be 01 to 12")
	case !wire.IsDigits(year, 2, 2):
		return nil, invalid("the card's expiration_year must have two digits")
	case !wire.IsDigits(code, 3, 4):
		return nil, invalid("the card's security_code must have 3 or 4 digits")
	}
	return &card{Brand: schemeOf(number), Last4: number[len(number)-4:], Bin: number[:6]}, nil
}

// schemes says which numbers belong to which scheme, by their first digits.
// The first range that fits is taken.
var schemes = []struct{ from, to, brand string }{
	{"2200", "2204", "mir"},
	{"2221", "2720", "mastercard"},
	{"34", "34", "amex"},
	{"37", "37", "amex"},
	{"3528", "3589", "jcb"},
	{"4", "4", "visa"},
	{"51", "55", "mastercard"},
	{"62", "62", "unionpay"},
	{"50", "50", "maestro"},
	{"56", "69", "maestro"},
}

func schemeOf(number string) string {
	for _, s := range schemes {
		if first := number[:len(s.from)]; first >= s.from && first <= s.to {
			return s.brand
		}
	}
	return "unknown"
}

// customer is what of a customer is kept and echoed.
type customer struct {
	Reference string    `json:"reference,omitempty"`
	Contacts  []contact `json:"contacts,omitempty"`
}

type contact struct {
	Email string `json:"email,omitempty"`
	Phone string `json:"phone,omitempty"`
}

const (
	referenceBytesMax = 255
	contactsMax       = 20
)

// readCustomer reads a customer and returns what is echoed, nil if there is none.
func readCustomer(given wire.Value, isNeeded bool) (json.RawMessage, error) {
	if isBlank(given) {
		return nil, nil
	}
	if !given.Is(wire.Object) {
		return nil, invalid("customer must be an object")
	}
	var kept customer
	var ok bool
	if reference := given.Get("reference"); reference.IsGiven() {
		if kept.Reference, ok = reference.Text(); !ok || len(kept.Reference) > referenceBytesMax {
			return nil, invalid("customer.reference must be a string of at most 255 bytes")
		}
	}
	if kept.Reference == "" && isNeeded {
		return nil, invalid("customer.reference is required")
	}
	if len(given.Get("contacts").Elements()) > contactsMax {
		return nil, invalid("customer has too many contacts")
	}
	for _, element := range given.Get("contacts").Elements() {
		var c contact
		c.Email, _ = element.Get("email").Text()
		c.Phone, _ = element.Get("phone").Text()
		if len(c.Email)+len(c.Phone) > referenceBytesMax {
			return nil, invalid("a contact of the customer is too long")
		}
		if c != (contact{}) {
			kept.Contacts = append(kept.Contacts, c)
		}
	}
	text := wire.Encode(kept)
	if wire.HasCardNumber(string(text)) {
		return nil, invalid("customer must not have a card number in it")
	}
	return text, nil
}

// payerOf returns the payer's reference of a kept customer.
func payerOf(kept json.RawMessage) string {
	var c customer
	if len(kept) > 0 {
		_ = json.Unmarshal(kept, &c) // ours, or empty
	}
	return c.Reference
}
