package chip

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/refundry/refundry/internal/dialect"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/wire"
)

// kindClient is the kind of resource that a client is. Its body is a [client].
const kindClient payment.ResourceKind = "client"

// client is who pays, as the provider calls it.
type client struct {
	Email                 string          `json:"email"`
	Phone                 string          `json:"phone"`
	FullName              string          `json:"full_name"`
	PersonalCode          string          `json:"personal_code"`
	StreetAddress         string          `json:"street_address"`
	Country               string          `json:"country"`
	City                  string          `json:"city"`
	ZipCode               string          `json:"zip_code"`
	State                 string          `json:"state"`
	ShippingStreetAddress string          `json:"shipping_street_address"`
	ShippingCountry       string          `json:"shipping_country"`
	ShippingCity          string          `json:"shipping_city"`
	ShippingZipCode       string          `json:"shipping_zip_code"`
	ShippingState         string          `json:"shipping_state"`
	CC                    []string        `json:"cc"`
	BCC                   []string        `json:"bcc"`
	LegalName             string          `json:"legal_name"`
	BrandName             string          `json:"brand_name"`
	RegistrationNumber    string          `json:"registration_number"`
	TaxNumber             string          `json:"tax_number"`
	BankAccount           string          `json:"bank_account"`
	BankCode              string          `json:"bank_code"`
	ClientType            *string         `json:"client_type"`
	DeliveryMethods       json.RawMessage `json:"delivery_methods"`
}

// byEmail is how a client is reached if nothing else is said.
const byEmail = `[{"method":"email","options":{}}]`

// newClient returns a client of whom nothing is known but an address.
func newClient(email string) *client {
	return &client{Email: email, CC: []string{}, BCC: []string{}, DeliveryMethods: json.RawMessage(byEmail)}
}

// readClient reads a client as a purchase's body has it.
func readClient(f form) *client {
	c := newClient("")
	if _, ok := f.required("email"); ok {
		if c.Email = f.email("email"); c.Email == "" && f.wrong.isEmpty() {
			f.flaw("email", codeMinLength, "This field may not be blank.")
		}
	}
	for name, to := range map[string]*string{
		"phone": &c.Phone, "full_name": &c.FullName, "personal_code": &c.PersonalCode,
		"street_address": &c.StreetAddress, "country": &c.Country, "city": &c.City, "zip_code": &c.ZipCode,
		"state": &c.State, "shipping_street_address": &c.ShippingStreetAddress, "shipping_country": &c.ShippingCountry,
		"shipping_city": &c.ShippingCity, "shipping_zip_code": &c.ShippingZipCode, "shipping_state": &c.ShippingState,
		"legal_name": &c.LegalName, "brand_name": &c.BrandName, "registration_number": &c.RegistrationNumber,
		"tax_number": &c.TaxNumber, "bank_account": &c.BankAccount, "bank_code": &c.BankCode,
	} {
		*to = f.text(name, textMax)
	}
	for name, to := range map[string]*[]string{"cc": &c.CC, "bcc": &c.BCC} {
		if texts := f.texts(name, emailMax); texts != nil {
			*to = texts
		}
	}
	if f.has("client_type") {
		kind := f.text("client_type", textMax)
		c.ClientType = &kind
	}
	if methods := f.raw("delivery_methods", wire.Array); methods != "" {
		c.DeliveryMethods = json.RawMessage(methods)
	}
	return c
}

// clientOf returns the id of the client with an address: the same for each
// purchase of theirs.
func clientOf(tenant payment.TenantID, email string) payment.ResourceID {
	return payment.ResourceID(derived(tenant, "chip client", strings.ToLower(email)))
}

// keepClient makes the client of an address, if there is none yet.
func (d *Door) keepClient(c *call, made *client) (payment.ResourceID, error) {
	of := clientOf(c.tenant.ID, made.Email)
	_, err := d.config.Reader.Resource(c.ctx, c.tenant.ID, Name, kindClient, of)
	if !dialect.IsRule(err, payment.RuleExists) {
		return of, err
	}
	meta := c.meta()
	meta.Key = payment.Key{}
	_, err = d.config.Engine.Do(c.ctx, payment.PutResource{Meta: meta, Kind: kindClient, ID: of, Body: wire.Encode(made)})
	return of, err
}

// knownClient returns a client by its id; nil if there is none.
func (d *Door) knownClient(ctx context.Context, tenant payment.TenantID, of payment.ResourceID) (*client, error) {
	resource, err := d.config.Reader.Resource(ctx, tenant, Name, kindClient, of)
	if dialect.IsRule(err, payment.RuleExists) {
		return nil, nil //nolint:nilnil // nobody is known by this id, and nothing is wrong
	}
	if err != nil {
		return nil, err
	}
	known := newClient("")
	return known, json.Unmarshal(resource.Body, known)
}
