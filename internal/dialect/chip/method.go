package chip

import (
	"net/http"

	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/payment"
)

// paymentMethods says with what purchases can be paid.
func (d *Door) paymentMethods(c *call) (int, any, error) {
	query := c.request.URL.Query()
	wrong := &flaws{}
	var brand payment.TenantID // spelled like any id
	switch text := query.Get("brand_id"); {
	case text == "":
		wrong.at("brand_id").add(codeRequired, "This field is required.")
	case brand.ParseUUID(text) != nil || brand.UUID() != BrandOf(c.tenant.ID):
		wrong.at("brand_id").add(codeInvalid, "There is no such brand.")
	}
	currency := money.Currency(query.Get("currency"))
	if currency == "" {
		wrong.at("currency").add(codeRequired, "This field is required.")
	} else if known, err := money.ParseCurrency(string(currency)); err != nil || known != currency {
		wrong.at("currency").add(codeChoice, "This is not a valid choice.")
	}
	if !wrong.isEmpty() {
		return 0, nil, &problem{http.StatusBadRequest, wrong}
	}
	return http.StatusOK, methodsFor(currency), nil
}

// offer is what a payer may pay with.
type offer struct {
	Available    []string            `json:"available_payment_methods"`
	ByCountry    map[string][]string `json:"by_country"`
	CountryNames map[string]string   `json:"country_names"`
	Names        map[string]string   `json:"names"`
	Logos        struct{}            `json:"logos"`
	CardMethods  []string            `json:"card_methods"`
}

// methodsFor returns what a payer may pay in a currency with: FPX moves
// ringgits only.
func methodsFor(currency money.Currency) offer {
	cards := []string{"visa", "mastercard"}
	shown := offer{
		Available: cards, ByCountry: map[string][]string{"any": {"card"}}, CountryNames: map[string]string{"any": "Other"},
		Names: map[string]string{"visa": "Visa", "mastercard": "Mastercard"}, CardMethods: cards,
	}
	if currency == fpxCurrency {
		shown.Available = append(shown.Available[:2:2], methodFPX)
		shown.ByCountry["any"] = append(shown.ByCountry["any"], methodFPX)
		shown.Names[methodFPX] = "FPX"
	}
	return shown
}

// fpxCurrency is what FPX moves.
const fpxCurrency money.Currency = "MYR"
