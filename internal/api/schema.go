package api

import (
	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/openapi"
	"github.com/refundry/refundry/internal/payment"
)

// The schemas of the document stand beside what reads and writes the same
// values, and are made of the functions here. Each of the first ones says what
// a method of [object] takes.

// must is a member that must be there.
func must(name string, schema *openapi.Schema, doc string) openapi.Member {
	return openapi.Member{Name: name, Doc: doc, IsRequired: true, Schema: schema}
}

// may is a member that may be absent.
func may(name string, schema *openapi.Schema, doc string) openapi.Member {
	return openapi.Member{Name: name, Doc: doc, Schema: schema}
}

// taken is an object of a request: it takes no other members.
func taken(name, doc string, members ...openapi.Member) *openapi.Schema {
	return &openapi.Schema{Name: name, Doc: doc, Type: openapi.Object, Members: members, IsClosed: true}
}

// shown is an object of an answer: later versions may show more members.
func shown(name, doc string, members ...openapi.Member) *openapi.Schema {
	return &openapi.Schema{Name: name, Doc: doc, Type: openapi.Object, Members: members}
}

// having is an object that has a member.
func having(name string) *openapi.Schema {
	return &openapi.Schema{Doc: "With `" + name + "`.", Members: []openapi.Member{must(name, &openapi.Schema{}, "")}}
}

// nullable returns the schema with null taken too.
func nullable(schema openapi.Schema) *openapi.Schema {
	schema.IsNullable = true
	return &schema
}

// showing returns the schema with an example.
func showing(schema *openapi.Schema, example any) *openapi.Schema {
	with := *schema
	with.Example = example
	return &with
}

// anyText is what [object.text] takes: null is as if it were absent.
func anyText(most int, example string) *openapi.Schema {
	return &openapi.Schema{Type: openapi.String, IsNullable: true, LengthMax: most, Example: example}
}

// neededText is what [object.required] takes.
func neededText(most int, example string) *openapi.Schema {
	return &openapi.Schema{Type: openapi.String, LengthMin: 1, LengthMax: most, Example: example}
}

// anyIdentifier is what [object.identifier] takes.
func anyIdentifier(example string) *openapi.Schema {
	return &openapi.Schema{Type: openapi.String, IsNullable: true, LengthMin: 1, LengthMax: nameMax, Example: example}
}

// anyWord is what [object.word] takes.
func anyWord(words ...string) *openapi.Schema {
	return &openapi.Schema{Type: openapi.String, IsNullable: true, Words: words, Example: words[0]}
}

// whole is what [object.number] takes.
func whole(least, most, example int64) *openapi.Schema {
	return &openapi.Schema{Type: openapi.Integer, Format: "int64", Min: &least, Max: &most, Example: example}
}

// neededAmount is what [object.amount] takes.
func neededAmount(example int64) *openapi.Schema { return whole(1, int64(money.Max), example) }

// anyFlag is what [object.flag] takes.
func anyFlag(example bool) *openapi.Schema {
	return &openapi.Schema{Type: openapi.Boolean, IsNullable: true, Example: example}
}

// anyTime is what [object.time] takes.
func anyTime(example string) *openapi.Schema {
	return &openapi.Schema{Type: openapi.String, IsNullable: true, Format: "date-time", Example: example}
}

// anyMetadata is what [object.metadata] takes.
var anyMetadata = &openapi.Schema{
	Type: openapi.Object, IsNullable: true, Doc: "An object of the caller's own, of at most 16 KiB.",
	Example: map[string]any{"shop": "Berlin"},
}

// anyTexts is what [object.texts] takes.
func anyTexts(most int, example ...string) *openapi.Schema {
	return &openapi.Schema{
		Type: openapi.Array, IsNullable: true, ItemsMax: most, Example: example,
		Items: &openapi.Schema{Type: openapi.String, LengthMin: 1, LengthMax: nameMax},
	}
}

// listOf is a list.
func listOf(items *openapi.Schema) *openapi.Schema {
	return &openapi.Schema{Type: openapi.Array, Items: items}
}

// The schemas of answers' simple values.
var (
	someText = &openapi.Schema{Type: openapi.String}
	someFlag = &openapi.Schema{Type: openapi.Boolean}
	someTime = &openapi.Schema{
		Name: "Time", Doc: "A time (RFC 3339) in UTC, with microseconds: such texts sort as the times do.",
		Type: openapi.String, Format: "date-time", Example: "2026-03-01T12:00:00.000000Z",
	}
	someAmount = &openapi.Schema{
		Name: "Minor", Type: openapi.Integer, Format: "int64", Min: new(int64), Max: new(int64(money.Max)), Example: 1234,
		Doc: "A whole number of the currency's minor units: EUR 12.34 is 1234, JPY 500 is 500.",
	}
	someCount   = &openapi.Schema{Type: openapi.Integer, Format: "int64", Min: new(int64)}
	someVersion = &openapi.Schema{
		Name: "Version", Type: openapi.Integer, Format: "int64", Min: new(int64), Example: 1,
		Doc: "The version of the payment at which this became so. Of two, the higher one is newer.",
	}
	someCurrency = &openapi.Schema{
		Name: "Currency", Doc: "An ISO 4217 code.", Type: openapi.String, Pattern: "^[A-Z]{3}$", Example: "EUR",
	}
	someMetadata = &openapi.Schema{Type: openapi.Object, Doc: "What the caller has sent."}
	someDoor     = &openapi.Schema{
		Name: "Door", Type: openapi.String, Example: "api",
		Doc: "A front door: `api`, or a provider's whose API Refundry speaks, as in `ping`.",
	}
)

// ids have one spelling at our own API.
func idOf(name, prefix, doc string) *openapi.Schema {
	return &openapi.Schema{
		Name: name, Doc: doc, Type: openapi.String, Pattern: "^" + prefix + "_[0-9a-hjkmnp-tv-z]{26}$",
		Example: exampleID(prefix),
	}
}

// exampleID is how ids of a kind look in examples.
func exampleID(prefix string) string { return prefix + "_06e40bvx550000000000000001" }

// The schemas of ids.
var (
	paymentID  = idOf("PaymentID", "pay", "Names a payment.")
	refundID   = idOf("RefundID", "rfd", "Names a refund.")
	disputeID  = idOf("DisputeID", "dsp", "Names a dispute.")
	orderID    = idOf("OrderID", "ord", "Names what a front door groups payments by.")
	payoutID   = idOf("PayoutID", "pyo", "Names what a recipient of a settled order is paid.")
	resourceID = idOf("ResourceID", "res", "Names a front door's own thing.")
	tenantID   = idOf("TenantID", "ten", "Names a tenant.")
	keyID      = idOf("KeyID", "key", "Names a key.")
	endpointID = idOf("EndpointID", "end", "Names a webhook endpoint.")
	personID   = idOf("PersonID", "per", "Names a person on whose behalf keys call. It follows from the name.")
	deliveryID = idOf("DeliveryID", "dlv", "Names a delivery.")
)

// wordsOf returns the words of a list of a domain's own type.
func wordsOf[S ~string](statuses ...S) []string {
	words := make([]string, len(statuses))
	for i, status := range statuses {
		words[i] = string(status)
	}
	return words
}

// someWord is one of the words of a domain's own type.
func someWord[S ~string](name, doc string, words ...S) *openapi.Schema {
	return &openapi.Schema{
		Name: name, Doc: doc, Type: openapi.String, Words: wordsOf(words...), Example: string(words[0]),
	}
}

// paymentStatuses are all statuses of a payment.
var paymentStatuses = []payment.PaymentStatus{
	payment.PaymentCreated, payment.PaymentPending, payment.PaymentAuthorized, payment.PaymentCaptured,
	payment.PaymentDeclined, payment.PaymentFailed, payment.PaymentCanceled, payment.PaymentExpired,
}
