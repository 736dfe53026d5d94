package ping

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/wire"
)

// merchant is somebody who is paid: what is kept, and what callers see. Its id
// is the resource's.
type merchant struct {
	ID           string           `json:"id"`
	Name         string           `json:"name"`
	Email        string           `json:"email"`
	PhoneNumber  string           `json:"phone_number"`
	Status       string           `json:"status"`
	Organization json.RawMessage  `json:"organization"`
	Person       json.RawMessage  `json:"person"`
	Methods      []providerMethod `json:"payment_provider_methods"`
}

// statusCreated is the status of a merchant: nobody approves it here.
const statusCreated = "CREATED"

// countries are where merchants may be.
var countries = []string{"SE", "NO", "DK", "FI", "DE", "AT"}

// The members that say who a merchant is, by what it is; each country has its
// own.
var (
	organizationNumbers = []string{
		"se_organization_number", "no_organization_number", "dk_organization_number", "fi_organization_number",
		"de_organization_number", "at_organization_number",
	}
	personNumbers = []string{"se_personal_identity_number", "dk_civil_registration_number", "no_identity_number"}
)

// createMerchant keeps a merchant.
func (d *Door) createMerchant(c *call) (any, error) {
	made := merchant{
		Name:         c.text(c.body.Get("name"), "name", nameMax, true),
		Email:        c.text(c.body.Get("email"), "email", nameMax, false),
		PhoneNumber:  c.text(c.body.Get("phone_number"), "phone_number", nameMax, false),
		Organization: c.party(c.body.Get("organization"), "organization", organizationNumbers),
		Person:       c.party(c.body.Get("person"), "person", personNumbers),
	}
	if err := c.err(); err != nil {
		return nil, err
	}
	answer, err := d.config.Engine.Do(c.ctx, payment.PutResource{Meta: c.meta(), Kind: kindMerchant, Body: wire.Encode(made)})
	if err != nil {
		return nil, err
	}
	return shownID{answer.Resource.ID.UUID()}, nil
}

// party reads an organization or a person: where it is, its name, and the
// number that it has there.
func (c *call) party(v wire.Value, property string, numbers []string) json.RawMessage {
	if !c.is(v, wire.Object, property, "object", false) {
		return nil
	}
	members := []string{
		`"country":` + quote(c.choice(v.Get("country"), at(property, "country"), countries, "unknown country")),
		`"name":` + quote(c.text(v.Get("name"), at(property, "name"), nameMax, false)),
	}
	for _, name := range numbers {
		if number := c.text(v.Get(name), at(property, name), tagMax, false); number != "" {
			members = append(members, strconv.Quote(name)+":"+quote(number))
		}
	}
	return json.RawMessage("{" + strings.Join(members, ",") + "}")
}

// quote returns a text as JSON; null for none.
func quote(text string) string {
	if text == "" {
		return "null"
	}
	return string(wire.Encode(text))
}

// readMerchant reads a merchant of ours.
func readMerchant(resource payment.Resource) (merchant, error) {
	shown := merchant{ID: resource.ID.UUID(), Status: statusCreated, Methods: merchantMethods}
	if err := json.Unmarshal(resource.Body, &shown); err != nil {
		return merchant{}, fmt.Errorf("read a merchant: %w", err)
	}
	shown.ID, shown.Status, shown.Methods = resource.ID.UUID(), statusCreated, merchantMethods
	return shown, nil
}

// getMerchant shows a merchant.
func (d *Door) getMerchant(c *call) (any, error) {
	id := c.id()
	if err := c.err(); err != nil {
		return nil, err
	}
	resource, err := d.config.Reader.Resource(c.ctx, c.tenant.ID, Name, kindMerchant, id)
	if isRule(err, payment.RuleExists) {
		return nil, noMerchant
	}
	if err != nil {
		return nil, err
	}
	return readMerchant(resource)
}

// listMerchants lists all merchants.
func (d *Door) listMerchants(c *call) (any, error) {
	l := c.readList()
	if err := c.err(); err != nil {
		return nil, err
	}
	return gather(l, source[payment.Resource]{
		read: func(after payment.Place, limit int) ([]payment.Resource, error) {
			return d.config.Reader.Resources(c.ctx, c.tenant.ID, Name, kindMerchant, after.ID, limit)
		},
		place: func(resource payment.Resource) payment.Place { return payment.Place{ID: resource.ID} },
		show: func(resource payment.Resource) ([]any, error) {
			shown, err := readMerchant(resource)
			return []any{shown}, err
		},
	})
}

// needMerchants refuses lines whose merchant is not there. In the sandbox it is
// made: a test need not create each.
func (d *Door) needMerchants(c *call, items []item, property string) error {
	return d.needNewMerchants(c, items, nil, property)
}

// needNewMerchants does so for recipients that are not among those known.
func (d *Door) needNewMerchants(c *call, items []item, known map[string]string, property string) error {
	var seen []string
	for i, line := range items {
		var id payment.ResourceID
		if known[line.recipient] != "" || id.ParseUUID(line.recipient) != nil || slices.Contains(seen, line.recipient) {
			continue // a liquidity account is not kept here
		}
		seen = append(seen, line.recipient)
		_, err := d.config.Reader.Resource(c.ctx, c.tenant.ID, Name, kindMerchant, id)
		switch {
		case !isRule(err, payment.RuleExists):
			if err != nil {
				return err
			}
		case d.config.IsSandbox && settingAutoCreateMerchants.Of(c.tenant.Settings):
			body := wire.Encode(merchant{Name: "Merchant " + line.recipient[:8]})
			put := payment.PutResource{Meta: c.meta(), Kind: kindMerchant, ID: id, Body: body}
			if _, err := d.config.Engine.Do(c.ctx, put); err != nil {
				return err
			}
		default:
			return invalid(invalidValue, at(property, strconv.Itoa(i), "merchant_id"), "unknown merchant")
		}
	}
	return nil
}

// hasNew reports whether lines name recipients that are not among those known.
func hasNew(items []item, known map[string]string) bool {
	return slices.ContainsFunc(items, func(line item) bool { return known[line.recipient] == "" })
}
