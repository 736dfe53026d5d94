package primer

import (
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"strings"

	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/wire"
)

// method is paymentMethod.
type method struct {
	PaymentType       string          `json:"paymentType,omitempty"`
	Token             string          `json:"paymentMethodToken,omitempty"`
	IsVaulted         bool            `json:"isVaulted"`
	AuthorizationType string          `json:"authorizationType"`
	Descriptor        string          `json:"descriptor,omitempty"`
	AnalyticsID       string          `json:"analyticsId"`
	Type              string          `json:"paymentMethodType"`
	Data              json.RawMessage `json:"paymentMethodData,omitempty"`
	ThreeDSecure      threeDSecure    `json:"threeDSecureAuthentication"`
}

type threeDSecure struct {
	ResponseCode string `json:"responseCode"`
}

// card is paymentMethodData of a card. It never has the number.
type card struct {
	First6Digits       string  `json:"first6Digits,omitempty"`
	Last4Digits        string  `json:"last4Digits"`
	ExpirationMonth    string  `json:"expirationMonth"`
	ExpirationYear     string  `json:"expirationYear"`
	CardholderName     string  `json:"cardholderName,omitempty"`
	Network            string  `json:"network"`
	IsNetworkTokenized bool    `json:"isNetworkTokenized"`
	BinData            binData `json:"binData"`
}

type binData struct {
	Network                    string `json:"network"`
	RegionalRestriction        string `json:"regionalRestriction"`
	AccountNumberType          string `json:"accountNumberType"`
	AccountFundingType         string `json:"accountFundingType"`
	PrepaidReloadableIndicator string `json:"prepaidReloadableIndicator"`
	ProductUsageType           string `json:"productUsageType"`
	ProductCode                string `json:"productCode"`
	ProductName                string `json:"productName"`
}

const (
	methodCard = "card" // a method's type in the domain
	typeCard   = "PAYMENT_CARD"
	tokenOfPAN = "CARD_PAN"
)

// networks says how a card's network is spelled, for people and for machines.
var networks = map[string]struct{ name, code string }{
	"visa":       {"Visa", "VISA"},
	"mastercard": {"Mastercard", "MASTERCARD"},
	"amex":       {"American Express", "AMEX"},
	"discover":   {"Discover", "DISCOVER"},
	"jcb":        {"JCB", "JCB"},
	"maestro":    {"Maestro", "MAESTRO"},
	"mir":        {"Mir", "MIR"},
	"unionpay":   {"UnionPay", "UNIONPAY"},
}

// otherNetwork is a network that the API has no word for, or that is not known.
const otherNetwork = "OTHER"

// newCard returns a card of which little is known. The date, which the API
// always has, is a sample.
func newCard(brand, last4 string) card {
	network, known := networks[strings.ToLower(brand)]
	if !known {
		network.name, network.code = otherNetwork, otherNetwork
	}
	return card{
		Last4Digits: cmp.Or(last4, "0000"), ExpirationMonth: "12", ExpirationYear: "2030", Network: network.name,
		BinData: binData{
			Network: network.code, RegionalRestriction: unknown, AccountNumberType: unknown, AccountFundingType: unknown,
			PrepaidReloadableIndicator: "NOT_APPLICABLE", ProductUsageType: unknown, ProductCode: network.code,
			ProductName: network.code,
		},
	}
}

const unknown = "UNKNOWN"

// sampleMethod and sampleCard are what payments of the sandbox are made with:
// no card comes with a payment, only a token for one.
var sampleMethod = payment.Method{Type: methodCard, Brand: "visa", Last4: "1111"}

func sampleCard() json.RawMessage {
	sample := newCard(sampleMethod.Brand, sampleMethod.Last4)
	sample.First6Digits, sample.CardholderName = "411111", "John Biggins"
	return wire.Encode(sample)
}

// shownMethod returns paymentMethod: as it was shown elsewhere, or as far as we
// know it. Nothing can be authorized here that is not final.
func shownMethod(p payment.Payment, doc document) json.RawMessage {
	if doc.Method != nil {
		return doc.Method
	}
	shown := method{
		PaymentType: doc.PaymentType, Token: doc.Token, IsVaulted: doc.IsVaulted, AuthorizationType: "FINAL",
		Descriptor: doc.Descriptor, AnalyticsID: analyticsID(p.ID), Type: methodType(p, doc), Data: doc.Card,
		ThreeDSecure: threeDSecure{"NOT_PERFORMED"},
	}
	if shown.Data == nil && shown.Type == typeCard {
		shown.Data = wire.Encode(newCard(p.Method.Brand, p.Method.Last4))
	}
	return wire.Encode(shown)
}

// methodType returns paymentMethodType.
func methodType(p payment.Payment, doc document) string {
	if doc.Method != nil {
		if text, ok := memberText(doc.Method, "paymentMethodType"); ok {
			return text
		}
	}
	if p.Method.Type == methodCard || p.Method.Type == "" {
		return typeCard
	}
	return strings.ToUpper(p.Method.Type)
}

func cardTokenType(p payment.Payment, doc document) string {
	switch {
	case doc.CardTokenType != "":
		return doc.CardTokenType
	case doc.Method == nil && methodType(p, doc) == typeCard:
		return tokenOfPAN
	}
	return ""
}

// networkOf returns the code of a card's network, empty if it was no card.
func networkOf(p payment.Payment, doc document) string {
	if methodType(p, doc) != typeCard {
		return ""
	}
	return newCard(p.Method.Brand, p.Method.Last4).BinData.Network
}

const analyticsIDBytes = 18 // 24 letters

// analyticsID returns an id of the payment's method that follows from the payment.
func analyticsID(id payment.PaymentID) string {
	sum := sha256.Sum256(append([]byte("analytics\x00"), id[:]...))
	return base64.RawURLEncoding.EncodeToString(sum[:analyticsIDBytes])
}

// memberText returns a text in a stored object.
func memberText(stored json.RawMessage, name string) (string, bool) {
	value, err := wire.Parse(stored)
	if err != nil {
		return "", false
	}
	return value.Get(name).Text()
}
