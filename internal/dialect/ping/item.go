package ping

import (
	"encoding/json"
	"math"
	"regexp"
	"strconv"
	"strings"

	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/wire"
)

// item is a line of an order as a caller sends it.
type item struct {
	amount    int64
	name      string
	vatRate   string // percent, as a JSON number
	recipient string // who is paid for it, as the books name it
	metadata  string // an object, empty: none
	tags      []string
}

// What a list of lines may have.
const (
	itemsMax = 500
	tagsMax  = 50
)

// liquidityPrefix begins the name of a recipient that is a liquidity account.
const liquidityPrefix = "liquidity:"

// items reads a list of lines; none is as good as an empty one.
func (f *form) items(v wire.Value, property string) []item {
	if !f.is(v, wire.Array, property, "array", false) {
		return nil
	}
	elements := v.Elements()
	if len(elements) > itemsMax {
		f.wrong(outOfRange, property, "there are too many order items")
		return nil
	}
	list := make([]item, 0, len(elements))
	for i, element := range elements {
		list = append(list, f.item(element, at(property, strconv.Itoa(i))))
	}
	return list
}

// item reads one line.
func (f *form) item(v wire.Value, property string) item {
	if !f.is(v, wire.Object, property, "object", true) {
		return item{}
	}
	return item{
		amount:    f.amount(v.Get("amount"), at(property, "amount"), 0),
		name:      f.text(v.Get("name"), at(property, "name"), nameMax, true),
		vatRate:   f.vatRate(v.Get("vat_rate"), at(property, "vat_rate")),
		recipient: f.recipient(v, property),
		metadata:  f.object(v.Get("metadata"), at(property, "metadata")),
		tags:      f.tags(v.Get("tags"), at(property, "tags")),
	}
}

// vatForm is how a percentage is written: as JSON writes a number, of at most
// two digits and four decimals.
var vatForm = regexp.MustCompile(`^(0|[1-9][0-9]?)(\.[0-9]{1,4})?$`)

const vatRateMax = 99.99

// vatRate reads a percentage: a number, or a string with one in it, as the
// provider's pages have it. It is given back as a number.
func (f *form) vatRate(v wire.Value, property string) string {
	if !f.given(v, property, "number", true) {
		return ""
	}
	text, isText := v.Text()
	if v.Is(wire.Number) {
		text = v.Raw()
	} else if !isText {
		f.wrong(invalidType, property, "number expected")
		return ""
	}
	rate, err := strconv.ParseFloat(text, 64)
	switch {
	case err == nil && (rate < 0 || rate > vatRateMax):
		f.wrong(outOfRange, property, "the number is out of range")
		return ""
	case !vatForm.MatchString(text):
		f.wrong(invalidValue, property, "percentage expected")
		return ""
	}
	return text
}

// recipient reads who is paid: exactly one of a merchant and a liquidity account.
func (f *form) recipient(v wire.Value, property string) string {
	merchant, liquidity := v.Get("merchant_id"), v.Get("liquidity_account_id")
	switch {
	case merchant.IsGiven() && liquidity.IsGiven():
		f.wrong(invalidValue, at(property, "liquidity_account_id"), "there must be one of merchant_id and liquidity_account_id")
		return ""
	case liquidity.IsGiven():
		if id := f.uuid(liquidity, at(property, "liquidity_account_id")); id != "" {
			return liquidityPrefix + id
		}
		return ""
	default:
		f.given(merchant, at(property, "merchant_id"), "string", true)
		return f.uuid(merchant, at(property, "merchant_id"))
	}
}

func (f *form) tags(v wire.Value, property string) []string {
	if !f.is(v, wire.Array, property, "array", false) {
		return nil
	}
	if len(v.Elements()) > tagsMax {
		f.wrong(outOfRange, property, "there are too many tags")
		return nil
	}
	var tags []string
	for i, element := range v.Elements() {
		tags = append(tags, f.text(element, at(property, strconv.Itoa(i)), tagMax, true))
	}
	return tags
}

// sum adds amounts up; beyond 64 bits it stays at the most.
func sum(first int64, list []item) int64 {
	total := first
	for _, line := range list {
		if line.amount > math.MaxInt64-total {
			return math.MaxInt64
		}
		total += line.amount
	}
	return total
}

// lines returns the list as the domain has it. A recipient may have another
// name there than here.
func lines(list []item, names map[string]string) []payment.Item {
	kept := make([]payment.Item, 0, len(list))
	for i, line := range list {
		merchant := line.recipient
		if name, ok := names[merchant]; ok {
			merchant = name
		}
		kept = append(kept, payment.Item{
			Position: i + 1, Name: line.name, Quantity: 1, UnitAmount: minor(line.amount), Total: minor(line.amount),
			TaxRate: line.vatRate, Merchant: merchant, Metadata: line.metadata, Tags: line.tags,
		})
	}
	return kept
}

func totalOf(list []payment.Item) (total money.Minor) {
	for _, line := range list {
		total += line.Total
	}
	return total
}

// shownItem is a line as callers see it. The rate is a number: clients cannot
// read it otherwise.
type shownItem struct {
	Amount    money.Minor     `json:"amount"`
	Name      string          `json:"name"`
	VATRate   json.RawMessage `json:"vat_rate"`
	Merchant  *string         `json:"merchant_id"`
	Liquidity *string         `json:"liquidity_account_id"`
	Metadata  json.RawMessage `json:"metadata"`
	Tags      []string        `json:"tags"`
}

// items renders lines.
func (s shower) items(list []payment.Item) []shownItem {
	shown := make([]shownItem, 0, len(list))
	for _, line := range list {
		to := s.recipient(line.Merchant)
		shown = append(shown, shownItem{
			Amount: line.Total, Name: line.Name, VATRate: shownRate(line.TaxRate), Merchant: text(to.merchant),
			Liquidity: text(to.liquidity), Metadata: shownObject(line.Metadata), Tags: append([]string{}, line.Tags...),
		})
	}
	return shown
}

// shownRate returns a percentage as a number; 0 for what is none, in lines that
// another door has made.
func shownRate(rate string) json.RawMessage {
	if vatForm.MatchString(rate) {
		return json.RawMessage(rate)
	}
	return json.RawMessage("0")
}

// shownObject returns JSON as an object: {} for what is none.
func shownObject(text string) json.RawMessage {
	if isObject(text) {
		return json.RawMessage(text)
	}
	return json.RawMessage("{}")
}

// recipient is who is paid, as callers see it: one of the two is set.
type recipient struct {
	merchant  string
	liquidity string
}

// recipient returns how somebody who is paid is called here. A merchant of
// another door's has no UUID for a name: it gets one that is always the same.
func (s shower) recipient(name string) recipient {
	if account, ok := strings.CutPrefix(name, liquidityPrefix); ok {
		return recipient{liquidity: account}
	}
	var id payment.ResourceID
	if id.ParseUUID(name) == nil {
		return recipient{merchant: id.UUID()} // in lower case, as lists have it that come in
	}
	return recipient{merchant: derivedID("merchant", s.tenant.ID.UUID(), name)}
}

// names returns what recipients of a payment are called in the books that are
// called otherwise here.
func (s shower) names(v payment.View) map[string]string {
	names := map[string]string{}
	for _, line := range v.List() {
		if called := s.recipient(line.Merchant).merchant; called != "" {
			names[called] = line.Merchant
		}
	}
	return names
}

// derivedID returns a UUID that follows from texts: the same each time.
func derivedID(texts ...string) string {
	digest := new(wire.Digest).Text(string(Name))
	for _, text := range texts {
		digest.Text(text)
	}
	id := payment.ResourceID(digest.Sum())
	id[6], id[8] = id[6]&0x0f|0x80, id[8]&0x3f|0x80 // version 8: made by us
	return id.UUID()
}

// text returns a text that may be missing.
func text(given string) *string {
	if given == "" {
		return nil
	}
	return &given
}
