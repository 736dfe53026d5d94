package chip

import (
	"strconv"
	"strings"

	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/payment"
)

// paymentObject is money that moved because of a purchase: a refund, or a
// chargeback.
type paymentObject struct {
	Type               string          `json:"type"`
	ID                 string          `json:"id"`
	CreatedOn          int64           `json:"created_on"`
	UpdatedOn          int64           `json:"updated_on"`
	Status             string          `json:"status"`
	Client             person          `json:"client"`
	Payment            paymentDetails  `json:"payment"`
	TransactionData    transactionData `json:"transaction_data"`
	RelatedTo          related         `json:"related_to"`
	Reference          string          `json:"reference"`
	Generated          string          `json:"reference_generated"`
	CompanyID          string          `json:"company_id"`
	AccountID          string          `json:"account_id"`
	BrandID            string          `json:"brand_id"`
	IsTest             bool            `json:"is_test"`
	UserID             *string         `json:"user_id"`
	FeeAmount          money.Minor     `json:"fee_amount"`
	AccountExtra       struct{}        `json:"account_extra"`
	AccountFXRate      *string         `json:"account_fx_rate"`
	AccountFXCurrency  *string         `json:"account_fx_currency"`
	AccountFXBuyAmount *string         `json:"account_fx_buy_amount"`
	AuditLogEntries    []string        `json:"audit_log_entries"`
	CurrencyConversion *string         `json:"currency_conversion"`
	RefundAvailability string          `json:"refund_availability"`
	EventType          string          `json:"event_type,omitempty"`
}

// person is a purchase's client as its Payments have it.
type person struct {
	*client
	ClientID  *string `json:"client_id"`
	FirstName string  `json:"first_name"`
	LastName  string  `json:"last_name"`
}

// related names the purchase.
type related struct {
	Type      string `json:"type"`
	ID        string `json:"id"`
	Reference string `json:"reference"`
}

// The words for a Payment's status. A refund that did not succeed is no Payment.
const (
	paymentSuccess     = "success"
	paymentChargedBack = "charged_back"
)

// refund renders a refund that succeeded.
func (s shown) refund(r payment.Refund) *paymentObject {
	succeeded := r.History.ReachedAt(payment.RefundSucceeded)
	number := readDocument(s.view.Facet(Name, r.ID)).Generated
	if number == "" { // another door asked for it
		number = r.ID.Decimal()
	}
	shown := s.object(r.ID.UUID(), number, r.Amount)
	shown.CreatedOn, shown.UpdatedOn, shown.Status = r.CreatedAt.Unix(), r.UpdatedAt.Unix(), paymentSuccess
	fee := s.fee(r)
	shown.FeeAmount, shown.Payment.FeeAmount, shown.Payment.NetAmount = fee, fee, r.Amount.Minor-fee
	shown.Payment.IsOutgoing, shown.Payment.PaymentType = true, "refund"
	shown.Payment.Description = describe("Refund: ", s.reference())
	shown.Payment.PaidOn, shown.Payment.RemotePaidOn = succeeded.Unix(), succeeded.Unix()
	return shown
}

// chargeback renders a dispute that has taken something, or given it back.
func (s shown) chargeback(d payment.Dispute) *paymentObject {
	shown := s.object(d.ID.UUID(), d.ID.Decimal(), d.Amount)
	shown.CreatedOn, shown.UpdatedOn, shown.Status = d.CreatedAt.Unix(), d.UpdatedAt.Unix(), paymentSuccess
	if d.Takes() {
		shown.Status = paymentChargedBack
	}
	shown.Payment.PaymentType = "purchase"
	shown.Payment.Description = describe("Chargeback: ", s.reference())
	shown.Payment.PaidOn, shown.Payment.RemotePaidOn = d.CreatedAt.Unix(), d.CreatedAt.Unix()
	return shown
}

// object returns what refunds and chargebacks have in common.
func (s shown) object(id, generated string, amount money.Amount) *paymentObject {
	data := s.data()
	data.Attempts, data.Extra.Amount = nil, &amount.Minor
	return &paymentObject{
		Type: "payment", ID: id, Client: person{client: s.client()},
		Payment:         paymentDetails{Amount: amount.Minor, Currency: amount.Currency, NetAmount: amount.Minor},
		TransactionData: data, RelatedTo: related{"purchase", s.id(), s.reference()}, Generated: generated,
		CompanyID: s.tenant.ID.UUID(), AccountID: accountOf(s.tenant.ID), BrandID: BrandOf(s.tenant.ID), IsTest: s.isTest,
		AuditLogEntries: []string{}, RefundAvailability: availableNone,
	}
}

// fee returns what a refund is shown to cost (C14): what was set when it was
// asked for here, never more than it gives back.
func (s shown) fee(r payment.Refund) money.Minor {
	return min(r.Amount.Minor, readDocument(s.view.Facet(Name, r.ID)).Fee)
}

// descriptionMax is how long a description may be.
const descriptionMax = 256

func describe(what, reference string) string {
	letters := []rune(what + reference)
	return string(letters[:min(len(letters), descriptionMax)])
}

// decimalOf writes a whole number with decimals.
func decimalOf(number int64, places int) string {
	return strconv.FormatInt(number, 10) + "." + strings.Repeat("0", places)
}
