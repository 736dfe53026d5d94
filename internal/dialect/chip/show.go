package chip

import (
	"encoding/json"

	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/payment"
)

// purchase is the whole of what clients know of one. Every member is there,
// with its default if nothing is known.
type purchase struct {
	Type             string          `json:"type"`
	ID               string          `json:"id"`
	CreatedOn        int64           `json:"created_on"`
	UpdatedOn        int64           `json:"updated_on"`
	Client           *client         `json:"client"`
	Details          *details        `json:"purchase"`
	Payment          *paymentDetails `json:"payment"`
	IssuerDetails    issuer          `json:"issuer_details"`
	TransactionData  transactionData `json:"transaction_data"`
	Status           string          `json:"status"`
	StatusHistory    []step          `json:"status_history"`
	ViewedOn         *int64          `json:"viewed_on"`
	CompanyID        string          `json:"company_id"`
	IsTest           bool            `json:"is_test"`
	UserID           *string         `json:"user_id"`
	BrandID          string          `json:"brand_id"`
	BillingTemplate  *string         `json:"billing_template_id"`
	ClientID         string          `json:"client_id"`
	IsRecurringToken bool            `json:"is_recurring_token"`
	RecurringToken   *string         `json:"recurring_token"`
	Generated        string          `json:"reference_generated"`
	*options
	RefundAvailability    string            `json:"refund_availability"`
	RefundableAmount      money.Minor       `json:"refundable_amount"`
	CurrencyConversion    *string           `json:"currency_conversion"`
	CreatedFromIP         string            `json:"created_from_ip"`
	InvoiceURL            *string           `json:"invoice_url"`
	CheckoutURL           string            `json:"checkout_url"`
	DirectPostURL         *string           `json:"direct_post_url"`
	MarkedAsPaid          bool              `json:"marked_as_paid"`
	UpsellCampaigns       []json.RawMessage `json:"upsell_campaigns"`
	ReferralCampaignID    *string           `json:"referral_campaign_id"`
	ReferralCode          *string           `json:"referral_code"`
	ReferralCodeDetails   *string           `json:"referral_code_details"`
	ReferralCodeGenerated *string           `json:"referral_code_generated"`
	RetainLevelDetails    *string           `json:"retain_level_details"`
	CanRetrieve           bool              `json:"can_retrieve"`
	CanChargeback         bool              `json:"can_chargeback"`
	CanReverseChargeback  bool              `json:"can_reverse_chargeback"`
	EventType             string            `json:"event_type,omitempty"`
}

// issuer is the merchant's address, of which nothing is known here.
type issuer struct {
	Website            string   `json:"website"`
	LegalStreetAddress string   `json:"legal_street_address"`
	LegalCountry       string   `json:"legal_country"`
	LegalCity          string   `json:"legal_city"`
	LegalZipCode       string   `json:"legal_zip_code"`
	BankAccounts       []string `json:"bank_accounts"`
	LegalName          string   `json:"legal_name"`
	BrandName          string   `json:"brand_name"`
	RegistrationNumber string   `json:"registration_number"`
	TaxNumber          string   `json:"tax_number"`
}

// paymentDetails is money that moved.
type paymentDetails struct {
	IsOutgoing         bool           `json:"is_outgoing"`
	PaymentType        string         `json:"payment_type"`
	Amount             money.Minor    `json:"amount"`
	Currency           money.Currency `json:"currency"`
	NetAmount          money.Minor    `json:"net_amount"`
	FeeAmount          money.Minor    `json:"fee_amount"`
	PendingAmount      money.Minor    `json:"pending_amount"`
	PendingUnfreezeOn  *int64         `json:"pending_unfreeze_on"`
	Description        string         `json:"description"`
	PaidOn             int64          `json:"paid_on"`
	RemotePaidOn       int64          `json:"remote_paid_on"`
	OwnedBankCode      *string        `json:"owned_bank_code"`
	OwnedBankAccount   *string        `json:"owned_bank_account"`
	OwnedBankAccountID *string        `json:"owned_bank_account_id"`
}

// shower renders answers and webhooks to one tenant.
type shower struct {
	tenant *payment.Tenant
	isTest bool
}

func (d *Door) shower(tenant *payment.Tenant) shower { return shower{tenant, d.config.IsSandbox} }

// shown is a payment about to be shown.
type shown struct {
	shower
	view payment.View
	doc  document
	life *life
}

func (s shower) of(v payment.View) shown {
	doc := documentOf(v)
	return shown{s, v, doc, lifeOf(v, doc)}
}

// purchase renders a payment as a purchase. It needs all of the view that can
// be refunded or disputed, and its facets.
func (s shower) purchase(v payment.View) *purchase { return s.of(v).purchase() }

func (s shown) purchase() *purchase {
	p := s.view.Payment
	shown := &purchase{
		Type: "purchase", ID: s.id(), CreatedOn: p.CreatedAt.Unix(), UpdatedOn: p.UpdatedAt.Unix(),
		Client: s.client(), Details: s.details(), Payment: s.payment(), IssuerDetails: issuer{BankAccounts: []string{}},
		TransactionData: s.data(), Status: s.life.status, StatusHistory: s.life.steps,
		CompanyID: s.tenant.ID.UUID(), IsTest: s.isTest, BrandID: BrandOf(s.tenant.ID), ClientID: s.clientID(),
		Generated: s.generated(), options: s.options(), CreatedFromIP: s.doc.IP,
		RefundAvailability: s.availability(), RefundableAmount: s.refundable(), UpsellCampaigns: []json.RawMessage{},
	}
	if s.doc.ViewedOn != 0 {
		shown.ViewedOn = &s.doc.ViewedOn
	}
	if paid := s.doc.Paid; paid != nil {
		shown.IsRecurringToken, shown.MarkedAsPaid = paid.IsToken, paid.IsMarked
		if paid.Token != "" {
			shown.RecurringToken = &paid.Token
		}
	}
	shown.CheckoutURL, shown.DirectPostURL = s.urls(shown.options)
	return shown
}

// urls returns where the payer goes, and where the merchant's own form may
// post to; none while that cannot be.
func (s shown) urls(o *options) (checkout string, direct *string) {
	p := s.view.Payment
	if s.doc.BaseURL == "" {
		return "", nil
	}
	checkout = s.doc.BaseURL + PayerPath + p.ID.UUID() + "/"
	switch {
	case p.Captured > 0:
		checkout += "invoice/"
	case isPayable(p) && o.SuccessRedirect != "" && o.FailureRedirect != "":
		direct = &checkout
	}
	return checkout, direct
}

// isPayable reports whether a payer may pay.
func isPayable(p payment.Payment) bool {
	isCanceling := len(p.Gates) > 0 && p.Gates[0].Kind == payment.GateCancel
	return (p.Status == payment.PaymentCreated || p.Status == payment.PaymentPending) && !isCanceling
}

func (s shown) id() string {
	if s.doc.ID != "" {
		return s.doc.ID
	}
	return s.view.Payment.ID.UUID()
}

// generated returns the number that stands for a reference if the merchant
// gives none. What was made elsewhere was not counted here: its id is its number.
func (s shown) generated() string {
	if s.doc.Generated != "" {
		return s.doc.Generated
	}
	return string(purchaseNumbers) + s.view.Payment.ID.Decimal()
}

// reference returns what the purchase is called.
func (s shown) reference() string {
	if reference := s.view.Payment.Reference; reference != "" {
		return reference
	}
	return s.generated()
}

func (s shown) client() *client {
	if s.doc.Client != nil {
		return s.doc.Client
	}
	return newClient("")
}

// clientID is never null: a payment that was made elsewhere has a client of
// its payer's reference, or of its own.
func (s shown) clientID() string {
	if s.doc.ClientID != "" {
		return s.doc.ClientID
	}
	if s.doc.Client != nil {
		return clientOf(s.tenant.ID, s.doc.Client.Email).UUID()
	}
	payer := s.view.Payment.Payer
	if payer == "" {
		payer = s.view.Payment.ID.UUID()
	}
	return derived(s.tenant.ID, "chip payer", payer).UUID()
}

// details returns what was bought. Of a payment that was made elsewhere that is
// its lines, or one line that is all of it.
func (s shown) details() *details {
	if s.doc.Details != nil {
		return s.doc.Details
	}
	p := s.view.Payment
	d := newDetails()
	d.Currency, d.Total = p.Amount.Currency, p.Amount.Minor
	for _, item := range s.view.Current() {
		line := product{
			Name: item.Name, Quantity: decimalOf(item.Quantity, quantityPlaces), Price: item.UnitAmount,
			TaxPercent: decimalOf(0, taxPlaces),
		}
		if item.UnitAmount*money.Minor(item.Quantity) != item.Total {
			line.TotalPriceOverride = &item.Total
		}
		d.Products = append(d.Products, line)
	}
	if len(d.Products) == 0 {
		d.Products = append(d.Products, product{
			Name: "Payment", Quantity: decimalOf(1, quantityPlaces), Price: p.Amount.Minor, TaxPercent: decimalOf(0, taxPlaces),
		})
	}
	return d
}

// options returns what the merchant said of the purchase.
func (s shown) options() *options {
	if s.doc.Options != nil {
		return s.doc.Options
	}
	o := newOptions(s.view.Payment.CreatedAt)
	o.Reference = s.view.Payment.Reference
	return o
}

// payment returns the money that came in, nil as long as none has. Refunds do
// not change it.
func (s shown) payment() *paymentDetails {
	p := s.view.Payment
	if p.Captured == 0 {
		return nil
	}
	paidOn := p.CapturedAt().Unix()
	kind := "purchase"
	if s.doc.Paid != nil && s.doc.Paid.IsMarked {
		kind = "custom"
		if s.doc.Paid.PaidOn != 0 {
			paidOn = s.doc.Paid.PaidOn
		}
	}
	return &paymentDetails{
		PaymentType: kind, Amount: p.Captured, Currency: p.Amount.Currency, NetAmount: p.Captured, PaidOn: paidOn,
		RemotePaidOn: paidOn,
	}
}
