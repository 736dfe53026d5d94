package ping

import (
	"encoding/hex"
	"slices"

	"github.com/refundry/refundry/internal/payment"
)

// The providers and methods that payments are made with.
var (
	providers = []string{
		"swish", "open_payments", "verifone", "billmate", "bankgirot", "payment_iq", providerPing, providerDummy, "baase",
		"fortus", "vipps_mobilepay", "klarna", "quickpay", "paypal", "neonomics",
	}
	methods = []string{
		"e_commerce", "m_commerce", "recurring", "pis", methodCard, "invoice", "autogiro", "vipps", methodDeposit, "credit",
		"dummy", "bank_loan", "checkout", "hpp",
	}
)

// The providers and methods that something depends on.
const (
	providerPing  = "ping"
	providerDummy = "dummy"
	providerSwish = "swish"
	methodCard    = "card"
	methodDeposit = "deposit"
)

// refundable has the providers, or provider/method, with native refunds.
var refundable = []string{
	"swish", "payment_iq", "vipps_mobilepay", "ping/credit", "bankgirot/autogiro", "dummy",
}

// A payment that was made at another door shows this provider, which takes
// cards and gives money back.
const providerElsewhere, methodElsewhere = "payment_iq", "checkout"

// currencies are what payments here are made in.
var currencies = []string{"SEK", "NOK", "EUR", "GBP", "DKK"}

// providerMethod is a way to pay, as tenants and merchants list it.
type providerMethod struct {
	Method   string `json:"method"`
	Provider string `json:"provider"`
}

// tenantMethods are the ways to pay that a tenant has. Those that older clients
// do not know, and would fail on, are not listed; they work.
var tenantMethods = []providerMethod{
	{"e_commerce", providerSwish}, {"m_commerce", providerSwish}, {methodCard, "payment_iq"}, {"checkout", "vipps_mobilepay"},
	{"hpp", "klarna"}, {"autogiro", "bankgirot"}, {methodDeposit, providerPing}, {"credit", providerPing},
	{"dummy", providerDummy},
}

// merchantMethods are the ways to pay that a new merchant has.
var merchantMethods = []providerMethod{{"dummy", providerDummy}}

// openBanking are the providers whose parameters are called by a name of their
// own in errors.
var openBanking = []string{"open_payments", "neonomics"}

// bankAccount is where a deposit goes. It is nobody's.
type bankAccount struct {
	IBAN     string `json:"iban"`
	BBAN     string `json:"bban"`
	BIC      string `json:"bic"`
	Bankgiro string `json:"bankgiro_number"`
}

var sandboxAccount = bankAccount{IBAN: "SE0000000000000000000000", BBAN: "00000000", BIC: "SANDSESS", Bankgiro: "000-0000"}

// methodResponse returns what a provider answers when a payment is initiated:
// where the payer goes, what to scan, what to pay with.
func methodResponse(provider, method, reference, page string, id payment.PaymentID) map[string]any {
	switch {
	case provider == "quickpay" && method == "vipps":
		return map[string]any{"payment_link_url": page, "redirect_url": page}
	case provider == "quickpay":
		return map[string]any{"payment_link_url": page}
	case provider == "klarna":
		return map[string]any{"redirect_url": page}
	case provider == "vipps_mobilepay":
		return map[string]any{"checkout_url": page}
	case provider == "payment_iq", method == methodCard:
		return map[string]any{"pay_url": page}
	case provider == providerSwish && method == "m_commerce":
		token := hex.EncodeToString(id[:])
		return map[string]any{
			"url":     "swish://paymentrequest?token=" + token + "&callbackurl=",
			"qr_code": `<svg xmlns="http://www.w3.org/2000/svg"><title>` + token + `</title></svg>`,
		}
	case method == methodDeposit:
		return map[string]any{"reference": reference, "bank_account": sandboxAccount}
	default:
		return map[string]any{}
	}
}

func isKnown(words []string, word string) bool { return slices.Contains(words, word) }
