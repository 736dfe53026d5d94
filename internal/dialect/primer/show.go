package primer

import (
	"cmp"
	"encoding/json"
	"strings"
	"time"

	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/setting"
	"github.com/refundry/refundry/internal/wire"
)

// paid is a payment as the API shows it: the answer to nearly every call.
// Nothing in it is ever null: a member without a value is absent.
type paid struct {
	ID            string          `json:"id"`
	Date          string          `json:"date"`
	DateUpdated   string          `json:"dateUpdated"`
	Status        string          `json:"status"`
	CardTokenType string          `json:"cardTokenType,omitempty"`
	OrderID       string          `json:"orderId"`
	CurrencyCode  money.Currency  `json:"currencyCode"`
	Amount        money.Minor     `json:"amount"` // what was charged: refunds do not change it
	Order         json.RawMessage `json:"order"`
	CustomerID    string          `json:"customerId,omitempty"`
	Customer      json.RawMessage `json:"customer"`
	Metadata      json.RawMessage `json:"metadata"`
	PaymentMethod json.RawMessage `json:"paymentMethod"`
	Processor     processor       `json:"processor"`
	StatusReason  *reason         `json:"statusReason,omitempty"`
	Transactions  []transaction   `json:"transactions"`
}

type processor struct {
	Name           string      `json:"name"`
	MerchantID     string      `json:"processorMerchantId"`
	AmountCaptured money.Minor `json:"amountCaptured"`
	AmountRefunded money.Minor `json:"amountRefunded"`
}

// reason says why something ended without money.
type reason struct {
	Type        string `json:"type"`
	DeclineType string `json:"declineType,omitempty"`
	Code        string `json:"code,omitempty"`
	Message     string `json:"message,omitempty"`
}

// The statuses of a payment and of a transaction.
const (
	statusPending          = "PENDING"
	statusAuthorized       = "AUTHORIZED"
	statusSettling         = "SETTLING"
	statusPartiallySettled = "PARTIALLY_SETTLED"
	statusSettled          = "SETTLED"
	statusDeclined         = "DECLINED"
	statusFailed           = "FAILED"
	statusCancelled        = "CANCELLED"
)

// The words for a payment's status. A refund never changes it.
var paymentWords = map[payment.PaymentStatus]string{
	payment.PaymentCreated:    statusPending,
	payment.PaymentPending:    statusPending,
	payment.PaymentAuthorized: statusAuthorized,
	payment.PaymentCaptured:   statusSettled,
	payment.PaymentDeclined:   statusDeclined,
	payment.PaymentFailed:     statusFailed,
	payment.PaymentCanceled:   statusCancelled,
	payment.PaymentExpired:    statusCancelled,
}

// statusOf returns the word for a payment's status, which its captures refine:
// the first is under way, or the last is still to come. It needs PartCaptures.
func statusOf(v payment.View) string {
	word := paymentWords[v.Payment.Status]
	for _, capture := range v.Captures {
		switch {
		case word == statusAuthorized && capture.Status == payment.CapturePending:
			return statusSettling
		case capture.Status == payment.CaptureSettled && capture.IsFinal:
			return word
		}
	}
	if word == statusSettled {
		return statusPartiallySettled
	}
	return word
}

// shownParts is what of a payment an answer shows.
const shownParts = payment.PartCaptures | payment.PartRefunds | payment.PartFacets

// shower renders payments for one tenant.
type shower struct {
	settings   setting.Values
	withEvents bool
}

// show renders the payment that a call is about.
func (c *call) show(v payment.View, withEvents bool) *paid {
	return shower{settings: c.tenant.Settings, withEvents: withEvents}.payment(v)
}

// payment renders a payment.
func (s shower) payment(v payment.View) *paid {
	p, doc := v.Payment, documentOf(v)
	at := accountOf(p, doc)
	shown := &paid{
		ID: idOf(p, doc), Date: shownTime(p.CreatedAt), DateUpdated: shownTime(p.UpdatedAt), Status: statusOf(v),
		OrderID: orderIDOf(p, doc), CurrencyCode: p.Amount.Currency, Amount: p.Amount.Minor, CustomerID: p.Payer,
		Order: doc.shownOrder(), Customer: orEmpty(doc.Customer), Metadata: shownMetadata(p.Metadata, doc.added),
		PaymentMethod: shownMethod(p, doc), CardTokenType: cardTokenType(p, doc),
		Processor: processor{
			Name: at.Name, MerchantID: at.ID, AmountCaptured: p.Captured, AmountRefunded: s.refunded(v),
		},
	}
	shown.StatusReason = reasonOf(shown.Status)
	shown.Transactions = s.transactions(v, shown, doc)
	return shown
}

// refunded sums the refunds that count, as the tenant's choice has it.
func (s shower) refunded(v payment.View) money.Minor {
	var sum money.Minor
	countsPending := amountRefundedCounts.Of(s.settings) == accepted
	for _, refund := range v.FinalRefunds() {
		word := refundWords[refund.Status]
		if word == statusSettled || word == statusPending && countsPending {
			sum += refund.Amount.Minor
		}
	}
	return sum
}

// idOf returns a payment's id: the one it has elsewhere, its short one, or its UUID.
func idOf(p payment.Payment, doc document) string { return cmp.Or(doc.ID, p.ShortID, p.ID.UUID()) }

// shownID returns the id of a payment in view.
func shownID(v payment.View) string { return idOf(v.Payment, documentOf(v)) }

// orderIDOf returns the merchant's reference; a payment without one is its own.
func orderIDOf(p payment.Payment, doc document) string { return cmp.Or(p.Reference, idOf(p, doc)) }

// accountOf returns the merchant account that took a payment.
func accountOf(p payment.Payment, doc document) account {
	at := account{Name: strings.ToUpper(cmp.Or(p.Connector, "unknown")), ID: p.Merchant}
	if doc.Account != nil {
		at = account{Name: cmp.Or(doc.Account.Name, at.Name), ID: cmp.Or(doc.Account.ID, at.ID)}
	}
	return at
}

// reasonOf says why a payment ended without money, nil if it did not.
func reasonOf(status string) *reason {
	switch status {
	case statusDeclined:
		return &reason{
			Type: reasonIssuer, DeclineType: softDecline, Code: "DO_NOT_HONOR", Message: "The issuer declined the payment",
		}
	case statusFailed:
		return &reason{Type: reasonGateway, Message: "Payment rejected by the processor"}
	}
	return nil
}

// The types of reason that are told, and how final a decline is.
const (
	reasonIssuer      = "ISSUER_DECLINED"
	reasonGateway     = "GATEWAY_REJECTED"
	reasonApplication = "APPLICATION_ERROR"
	softDecline       = "SOFT_DECLINE"
	hardDecline       = "HARD_DECLINE"
)

// timeLayout has no zone, and always six fraction digits. It is UTC.
const timeLayout = "2006-01-02T15:04:05.000000"

func shownTime(at time.Time) string { return at.UTC().Format(timeLayout) }

var emptyObject = json.RawMessage("{}")

func orEmpty(stored json.RawMessage) json.RawMessage {
	if len(stored) == 0 {
		return emptyObject
	}
	return stored
}

// shownOrder returns the order as it was stored, with what a capture has said since.
func (d document) shownOrder() json.RawMessage {
	if d.Retailer == "" {
		return orEmpty(d.Order)
	}
	order := parseObject(d.Order)
	order.set("retailerCountryCode", wire.Encode(d.Retailer))
	return order.json()
}

// shownMetadata returns a payment's metadata, with what captures have added.
// Another door's may be any JSON: what clients of this one cannot read is left out.
func shownMetadata(stored string, added []json.RawMessage) json.RawMessage {
	members := newObject()
	for _, text := range append([]json.RawMessage{json.RawMessage(stored)}, added...) {
		value, err := wire.Parse(text)
		if err != nil {
			continue // there is none
		}
		for _, name := range value.Names() {
			if member := value.Get(name); isPlain(member) && name != "" {
				members.set(name, json.RawMessage(member.Raw()))
			}
		}
	}
	return members.json()
}
