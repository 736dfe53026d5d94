package chip

import (
	"net/url"
	"strings"
	"time"

	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/wire"
)

// The ways in which a purchase is paid.
const (
	flowPage   = "payform"     // on the hosted page
	flowDirect = "direct_post" // by the merchant's own form
	flowServer = "server_to_server"
	flowImport = "import" // somebody said so
)

// methodFPX is a bank transfer, of which nothing but that is known.
const methodFPX = "fpx"

// testCards are the cards with which the sandbox lets a payer pay.
var testCards = map[string]struct{ brand, masked string }{
	"4444333322221111": {"visa", "444433******1111"},
	"5555555555554444": {"mastercard", "555555******4444"},
}

const (
	testCode    = "123"
	testCountry = "MY"
	codeMax     = 4
	expiryMax   = len("MM/YY")
	holderMax   = 64
)

// methodOfCard returns what a card is called as a method.
func methodOfCard(of *card) string {
	if of == nil {
		return ""
	}
	return of.Brand
}

// readCard reads a card from a payer's form. The number and the code are looked
// at and forgotten. What is kept of the card comes also with what is wrong with it.
func readCard(values url.Values, now time.Time) (*card, *flaw) {
	number := strings.NewReplacer(" ", "", "-", "").Replace(values.Get("card_number"))
	known, isKnown := testCards[number]
	holder := strings.TrimSpace(values.Get("cardholder_name"))
	month, year, isDate := readExpiry(values.Get("expires"))
	switch {
	case number == "":
		return nil, wrongCard("card_number", "not_provided")
	case !isKnown:
		return nil, wrongCard("card_number", "invalid")
	case holder == "":
		return nil, wrongCard("cardholder_name", "not_provided")
	case len(holder) > holderMax:
		return nil, wrongCard("cardholder_name", "too_long")
	case wire.HasCardNumber(holder) || !isPlain(holder):
		return nil, wrongCard("cardholder_name", "invalid")
	}
	kept := &card{
		Type: "credit", Brand: known.brand, Masked: known.masked, Year: year, Month: month, Holder: holder,
		IssuedIn: testCountry,
	}
	expires, code := values.Get("expires"), values.Get("cvc")
	switch {
	case expires == "":
		return kept, wrongCard("expires", "not_provided")
	case !isDate || isPast(month, year, now):
		return kept, wrongCard("expires", "invalid")
	case code == "":
		return kept, wrongCard("cvc", "not_provided")
	case len(code) > codeMax:
		return kept, wrongCard("cvc", "too_long")
	case code != testCode:
		return kept, wrongCard("cvc", "invalid")
	}
	return kept, nil
}

// wrongCard says what is wrong with a member of a payer's form.
func wrongCard(name, what string) *flaw {
	return &flaw{"`" + name + "` is " + strings.ReplaceAll(what, "_", " "), "validation_" + name + "_" + what}
}

// isPlain reports whether a text can be stored and shown.
func isPlain(text string) bool {
	return strings.ToValidUTF8(text, "") == text && !strings.ContainsRune(text, 0)
}

// readExpiry reads MM/YY.
func readExpiry(text string) (month, year int, ok bool) {
	if len(text) != expiryMax || text[2] != '/' || !wire.IsDigits(text[:2]+text[3:], 4, 4) {
		return 0, 0, false
	}
	month, year = int(text[0]-'0')*10+int(text[1]-'0'), int(text[3]-'0')*10+int(text[4]-'0')
	return month, year, month >= 1 && month <= 12
}

// isPast reports whether a card's last month is over.
func isPast(month, year int, now time.Time) bool {
	return !now.UTC().Before(time.Date(2000+year, time.Month(month)+1, 1, 0, 0, 0, 0, time.UTC))
}

// completion returns the command by which a purchase is paid, or held if its
// merchant wants to capture later.
func completion(meta payment.Meta, tenant *payment.Tenant, of payment.PaymentID, doc document, with paid,
) payment.CompletePayment {
	with.Availability = refundAvailability.Of(tenant.Settings)
	command := payment.CompletePayment{
		Meta: meta, Payment: of, To: payment.PaymentCaptured, Method: payment.Method{Type: methodFPX},
		Availability: availabilities[with.Availability], Document: document{Paid: &with}.bytes(), Parts: purchaseParts,
	}
	if with.Card != nil {
		masked := with.Card.Masked
		command.Method = payment.Method{Type: "card", Brand: with.Card.Brand, Last4: masked[len(masked)-4:]}
	}
	if doc.Options != nil && doc.Options.SkipCapture {
		command.To = payment.PaymentAuthorized
	}
	return command
}

// payByItself pays a purchase that was just made, as a payer with the first
// test card would (C6).
func (d *Door) payByItself(c *call, v payment.View) error {
	doc := documentOf(v)
	holder := doc.Client.FullName
	if holder == "" {
		holder = "Buyer"
	}
	visa := testCards["4444333322221111"]
	now := d.config.Now().UTC()
	with := paid{
		Flow: flowPage, Method: visa.brand, Country: testCountry, IP: doc.IP, IsToken: doc.Options.ForceRecurring,
		Card: &card{
			Type: "credit", Brand: visa.brand, Masked: visa.masked, Month: int(now.Month()), Year: (now.Year() + 1) % 100,
			Holder: holder, IssuedIn: testCountry,
		},
	}
	meta := c.meta()
	meta.Actor, meta.Key, meta.Address = actorPayer, payment.Key{}, ""
	_, err := d.config.Engine.Do(c.ctx, completion(meta, c.tenant, v.Payment.ID, doc, with))
	return err
}
