package ping

import (
	"github.com/refundry/refundry/internal/auth"
	"github.com/refundry/refundry/internal/fault"
	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/wire"
)

// What an endpoint of a tenant is told, as its detail says. One without a
// detail was made by an operator and is told everything.
const (
	tellsRefunds       = "refund"
	tellsDisbursements = "disbursement"
	tellsMerchants     = "merchant_status"
	tellsTopUps        = "credit_account_top_up"
)

// callbackURL is one of a tenant's URLs: what goes there, and by which names
// callers set it. The first is the one that is shown.
type callbackURL struct {
	detail string
	names  []string
}

var callbackURLs = []callbackURL{
	{tellsTopUps, []string{"credit_account_top_up_callback_url"}},
	{tellsDisbursements, []string{"disbursement_callback_url"}},
	{tellsMerchants, []string{"merchant_status_callback_url"}},
	{tellsRefunds, []string{
		"payment_refund_callback_url", "payment_refund_status_callback_url", "refund_callback_url",
		"refund_status_callback_url",
	}},
}

// shownTenant is a tenant as callers see it.
type shownTenant struct {
	ID                  string            `json:"id"`
	Name                string            `json:"name"`
	Accounts            shownAccounts     `json:"accounts"`
	SigningKey          *string           `json:"callback_signing_key"`
	TopUpURL            *string           `json:"credit_account_top_up_callback_url"`
	DisbursementURL     *string           `json:"disbursement_callback_url"`
	MerchantURL         *string           `json:"merchant_status_callback_url"`
	RefundURL           *string           `json:"payment_refund_callback_url"`
	Organization        shownOrganization `json:"organization"`
	ProviderMethodsList []providerMethod  `json:"payment_provider_methods"`
}

type shownAccounts struct {
	Credit []shownCredit `json:"credit"`
}

type shownCredit struct {
	Balance  money.Minor    `json:"balance"`
	Currency money.Currency `json:"currency"`
}

type shownOrganization struct {
	Country string `json:"country"`
	Name    string `json:"name"`
	Number  string `json:"se_organization_number"`
}

// getTenant shows the tenant.
func (d *Door) getTenant(c *call) (any, error) {
	if err := c.err(); err != nil {
		return nil, err
	}
	shown := shownTenant{
		ID: c.tenant.ID.UUID(), Name: c.tenant.Name, Accounts: shownAccounts{[]shownCredit{{0, "SEK"}}},
		Organization:        shownOrganization{Country: "SE", Name: c.tenant.Name},
		ProviderMethodsList: tenantMethods,
	}
	key, err := d.signingKey(c.ctx, c.tenant.ID)
	switch {
	case err == nil:
		shown.SigningKey = &key.Public
	case fault.CodeOf(err) != fault.NotFound:
		return nil, err
	}
	endpoints, err := d.config.Auth.Endpoints(c.ctx, c.tenant.ID)
	if err != nil {
		return nil, err
	}
	places := map[string]**string{
		tellsTopUps: &shown.TopUpURL, tellsDisbursements: &shown.DisbursementURL, tellsMerchants: &shown.MerchantURL,
		tellsRefunds: &shown.RefundURL,
	}
	for _, endpoint := range endpoints {
		if place, ok := places[endpoint.Detail]; ok && endpoint.Door == Name {
			*place = &endpoint.URL
		}
	}
	return shown, nil
}

// urlChange is what a caller says of one of its URLs.
type urlChange struct {
	isGiven bool // else it stays as it is
	url     string
}

// updateTenant changes where the tenant is called back. What is not named stays
// as it is; null takes a URL away.
func (d *Door) updateTenant(c *call) (any, error) {
	changes := map[string]urlChange{}
	for _, of := range callbackURLs {
		changes[of.detail] = c.urlChange(of)
	}
	if err := c.err(); err != nil {
		return nil, err
	}
	return nil, d.config.Auth.ChangeEndpoints(c.ctx, c.by(), c.tenant.ID, func(inUse []auth.Endpoint) (changed []auth.Endpoint) {
		for _, of := range callbackURLs {
			if change := changes[of.detail]; change.isGiven {
				changed = append(changed, d.putURL(inUse, of.detail, change.url)...)
			}
		}
		return changed
	})
}

// urlChange reads one URL by any of its names. Two names must not differ.
func (c *call) urlChange(of callbackURL) (change urlChange) {
	for _, name := range of.names {
		given := c.body.Get(name)
		if given.Is(wire.Absent) {
			continue
		}
		url := c.url(given, name, false, c.isSandbox)
		if change.isGiven && change.url != url {
			c.wrong(invalidValue, name, "two names of one URL have different values")
		}
		change = urlChange{true, url}
	}
	return change
}

// putURL returns what must change so that what a detail is about goes to a URL,
// or nowhere.
func (d *Door) putURL(inUse []auth.Endpoint, detail, url string) (changed []auth.Endpoint) {
	isDone := url == ""
	for _, endpoint := range inUse {
		if endpoint.Door != Name || endpoint.Detail != detail {
			continue
		}
		switch {
		case isDone: // there is one of each
			endpoint.DeletedAt = d.config.Now()
			changed = append(changed, endpoint)
		case endpoint.URL != url:
			endpoint.URL = url
			changed = append(changed, endpoint)
		}
		isDone = true
	}
	if !isDone {
		changed = append(changed, auth.Endpoint{Endpoint: payment.Endpoint{Door: Name, URL: url, Detail: detail}})
	}
	return changed
}

// poke sends one callback that tells nothing.
func (d *Door) poke(c *call) (any, error) {
	url := c.url(c.body.Get("callback_url"), "callback_url", true, c.isSandbox)
	if err := c.err(); err != nil {
		return nil, err
	}
	_, err := d.config.Engine.Do(c.ctx, payment.TryEndpoint{Meta: c.meta(), Endpoint: payment.Endpoint{URL: url}})
	if err != nil {
		return nil, err
	}
	return struct{}{}, nil
}
