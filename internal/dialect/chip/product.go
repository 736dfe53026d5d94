package chip

import (
	"encoding/json"
	"fmt"
	"math/big"

	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/wire"
)

// details is what is bought.
type details struct {
	Currency              money.Currency  `json:"currency"`
	Products              []product       `json:"products"`
	Total                 money.Minor     `json:"total"`
	Language              string          `json:"language"`
	Notes                 string          `json:"notes"`
	Debt                  money.Minor     `json:"debt"`
	SubtotalOverride      *money.Minor    `json:"subtotal_override"`
	TotalTaxOverride      *money.Minor    `json:"total_tax_override"`
	TotalDiscountOverride *money.Minor    `json:"total_discount_override"`
	TotalOverride         *money.Minor    `json:"total_override"`
	RequestClientDetails  []string        `json:"request_client_details"`
	Timezone              string          `json:"timezone"`
	DueStrict             bool            `json:"due_strict"`
	EmailMessage          string          `json:"email_message"`
	ShippingOptions       json.RawMessage `json:"shipping_options"`
	PaymentMethodDetails  json.RawMessage `json:"payment_method_details"`
	HasUpsellProducts     bool            `json:"has_upsell_products"`
	Metadata              json.RawMessage `json:"metadata"`
}

// product is one line of what is bought. Decimal numbers are texts.
type product struct {
	Name               string       `json:"name"`
	Quantity           string       `json:"quantity"`
	Price              money.Minor  `json:"price"`
	Discount           money.Minor  `json:"discount"`
	TaxPercent         string       `json:"tax_percent"`
	Category           string       `json:"category"`
	TotalPriceOverride *money.Minor `json:"total_price_override,omitempty"`
}

// newDetails returns what is bought with all that need not be said.
func newDetails() *details {
	return &details{
		Currency: "MYR", Products: []product{}, Language: "en", RequestClientDetails: []string{}, Timezone: "UTC",
		ShippingOptions: json.RawMessage("[]"), PaymentMethodDetails: json.RawMessage("{}"),
		Metadata: json.RawMessage(noMetadata),
	}
}

// noMetadata is what is shown if there is none.
const noMetadata = "{}"

const (
	notesMax       = 10_000
	productNameMax = 256
	quantityPlaces = 4
	taxPlaces      = 2
	decimalMax     = 1_000_000_000 // no quantity and no tax is as large
)

// readDetails reads what is bought, and the lines that it amounts to.
func readDetails(f form) (*details, []payment.Item) {
	d := newDetails()
	if f.has("currency") {
		code := f.text("currency", textMax)
		currency, err := money.ParseCurrency(code)
		isOne := err == nil && string(currency) == code && !currency.IsWithdrawn()
		if d.Currency = currency; !isOne && f.wrong.at("currency").isEmpty() {
			f.flaw("currency", codeChoice, "This is not a valid choice.")
		}
	}
	d.Notes = f.text("notes", notesMax)
	d.EmailMessage = f.text("email_message", notesMax)
	d.DueStrict, d.HasUpsellProducts = f.flag("due_strict"), f.flag("has_upsell_products")
	d.Debt, _ = f.whole("debt", 0)
	d.SubtotalOverride, d.TotalTaxOverride = f.optional("subtotal_override"), f.optional("total_tax_override")
	d.TotalDiscountOverride, d.TotalOverride = f.optional("total_discount_override"), f.optional("total_override")
	for name, to := range map[string]*string{"language": &d.Language, "timezone": &d.Timezone} {
		if text := f.text(name, textMax); text != "" {
			*to = text
		}
	}
	if texts := f.texts("request_client_details", textMax); texts != nil {
		d.RequestClientDetails = texts
	}
	echo(&d.ShippingOptions, f.raw("shipping_options", wire.Array))
	echo(&d.PaymentMethodDetails, f.raw("payment_method_details", wire.Object))
	echo(&d.Metadata, f.raw("metadata", wire.Object))
	items := d.readProducts(f)
	return d, items
}

func echo(to *json.RawMessage, given string) {
	if given != "" {
		*to = json.RawMessage(given)
	}
}

// readProducts reads the lines, and sums them up. As items they are kept only
// if they are the whole of what is paid, in whole units.
func (d *details) readProducts(f form) []payment.Item {
	given, ok := f.required("products")
	if !ok {
		return nil
	}
	if !given.Is(wire.Array) || len(given.Elements()) > listMax {
		f.flaw("products", codeInvalid, fmt.Sprintf("This must be a list of at most %d products.", listMax))
		return nil
	}
	if len(given.Elements()) == 0 {
		f.flaw("products", codeMinLength, "This list may not be empty.")
		return nil
	}
	items := make([]payment.Item, 0, len(given.Elements()))
	isWhole := d.Debt == 0 && d.TotalOverride == nil
	for at, element := range given.Elements() {
		line := readProduct(form{element, f.wrong.at("products").element()})
		d.Products = append(d.Products, line.product)
		d.Total += line.total // 100 of the largest amounts do not overflow
		isWhole = isWhole && line.units > 0
		items = append(items, payment.Item{
			Position: at + 1, Name: line.Name, Quantity: line.units, UnitAmount: line.Price, TaxRate: line.TaxPercent,
			Tax: line.tax, Total: line.total,
		})
	}
	d.Total += d.Debt
	if d.TotalOverride != nil {
		d.Total = *d.TotalOverride
	}
	if !isWhole {
		return nil
	}
	return items
}

// line is a product with what it amounts to.
type line struct {
	product

	total money.Minor
	tax   money.Minor // the part of total that is tax
	units int64       // 0: no whole number
}

func readProduct(f form) line {
	var l line
	if !f.value.Is(wire.Object) {
		f.flaw(all, codeInvalid, "A product must be an object.")
		return l
	}
	l.Name = f.needed("name", productNameMax)
	if _, ok := f.required("price"); ok {
		l.Price, _ = f.whole("price", 0)
	}
	l.Discount, _ = f.whole("discount", 0)
	l.TotalPriceOverride = f.optional("total_price_override")
	for _, name := range []string{"quantity", "discount", "tax_percent", "category"} {
		if f.value.Get(name).Is(wire.Null) {
			f.flaw(name, codeNull, "This field may not be null.")
		}
	}
	l.Category = f.text("category", textMax)
	quantity := f.decimal("quantity", 1, quantityPlaces)
	tax := f.decimal("tax_percent", 0, taxPlaces)
	l.Quantity, l.TaxPercent = quantity.FloatString(quantityPlaces), tax.FloatString(taxPlaces)
	if quantity.IsInt() {
		l.units = quantity.Num().Int64()
	}
	if f.wrong.isEmpty() {
		l.sum(f, quantity, tax)
	}
	return l
}

// sum computes (price × quantity − discount) × (1 + tax / 100), rounded half up.
func (l *line) sum(f form, quantity, tax *big.Rat) {
	net := new(big.Rat).Mul(new(big.Rat).SetInt64(int64(l.Price)), quantity)
	net.Sub(net, new(big.Rat).SetInt64(int64(l.Discount)))
	if net.Sign() < 0 {
		f.flaw(all, "product_subtotal_negative", "Discount can't be larger than price * quantity!")
		return
	}
	rate := new(big.Rat).Quo(tax, big.NewRat(100, 1))
	gross := roundHalfUp(new(big.Rat).Mul(net, rate.Add(rate, big.NewRat(1, 1))))
	if l.TotalPriceOverride != nil {
		l.total = *l.TotalPriceOverride
		return
	}
	if !gross.IsInt64() || gross.Int64() > int64(money.Max) {
		f.flaw("price", codeMaxValue, maxText(money.Max))
		return
	}
	l.total = money.Minor(gross.Int64())
	l.tax = l.total - min(l.total, money.Minor(roundHalfUp(net).Int64()))
}

// roundHalfUp returns the nearest whole number to one that is not negative.
func roundHalfUp(number *big.Rat) *big.Int {
	twice := new(big.Int).Lsh(number.Num(), 1)
	twice.Add(twice, number.Denom())
	return twice.Quo(twice, new(big.Int).Lsh(number.Denom(), 1))
}

// decimal returns a number that is not negative, with so many decimals at the most.
func (f form) decimal(name string, byDefault int64, places int) *big.Rat {
	absent := new(big.Rat).SetInt64(byDefault)
	value := f.value.Get(name)
	if !value.IsGiven() {
		return absent
	}
	number, ok := readDecimal(value)
	scale := new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(places)), nil))
	switch {
	case !ok:
		f.flaw(name, codeInvalid, "A valid number is required.")
	case number.Sign() < 0:
		f.flaw(name, codeMinValue, "Ensure this value is greater than or equal to 0.")
	case number.Cmp(new(big.Rat).SetInt64(decimalMax)) >= 0:
		f.flaw(name, codeMaxValue, fmt.Sprintf("Ensure this value is less than %d.", decimalMax))
	case !new(big.Rat).Mul(number, scale).IsInt():
		f.flaw(name, codeMaxPlaces, fmt.Sprintf("Ensure that there are no more than %d decimal places.", places))
	default:
		return number
	}
	return absent
}
