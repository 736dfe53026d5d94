package api

import (
	"context"
	"math/bits"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/refundry/refundry/internal/auth"
	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/openapi"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/wire"
)

func (a *API) paymentOperations() []operation {
	return append([]operation{
		{
			method: "POST", path: "/v1/payments", id: "createPayment", tag: tagPayments, summary: "Record a payment",
			doc: "What was paid, so that it can be refunded here. No money moves.", scope: scopeWritePayments, takesKey: true,
			body:    paymentRequest,
			answers: created("The payment, as it was recorded.", paymentSchema, headerLocation),
			codes: codesOf(payment.RuleAmount, payment.RuleItems, payment.RuleListSum, payment.RuleStatus,
				payment.RuleCurrency, payment.RuleAlias),
			serve: a.createPayment,
		},
		{
			method: "GET", path: "/v1/payments", id: "listPayments", tag: tagPayments, summary: "List payments",
			doc:   "The newest first. Filters narrow the list, all of them together.",
			scope: scopeReadPayments, parameters: paymentFilters, serve: a.listPayments,
			answers: ok("Payments, the newest first.", page("PaymentPage", "payments", paymentSchema)),
		},
		{
			method: "GET", path: "/v1/payments/{id}", id: "getPayment", tag: tagPayments, summary: "Read a payment",
			scope: scopeReadPayments, parameters: []openapi.Parameter{pathID(paymentID)}, serve: a.getPayment,
			answers: ok("The payment as it is now.", paymentSchema),
		},
		a.refundabilityOperation(),
		a.eraseOperation(),
	}, a.captureOperations()...)
}

// createPayment records a payment, so that it can be refunded here.
func (a *API) createPayment(w http.ResponseWriter, r *http.Request, caller auth.Identity) error {
	key, err := idempotencyKey(r)
	if err != nil {
		return err
	}
	in, err := a.read(w, r)
	if err != nil {
		return err
	}
	in.only(paymentRequest.Members)
	command := a.decodePayment(in)
	command.Connector = a.connector(in)
	if err := in.err(); err != nil {
		return err
	}
	command.Meta = meta(r, caller)
	if key != "" {
		digest := paymentDigest(command)
		if command.Connector != a.config.Connector { // what came later leaves the digests of older requests as they were
			digest.Text("connector").Text(command.Connector)
		}
		command.Key = keyOf(caller.Tenant, keyScope, key, digest)
	}
	answer, replayed, err := a.do(r.Context(), command)
	if err != nil {
		return err
	}
	w.Header().Set("Location", "/v1/payments/"+answer.View.Payment.ID.String())
	write(w, http.StatusCreated, replayed, paymentJSON(answer.View))
	return nil
}

// paymentRequest is what decodePayment reads.
var paymentRequest = paymentTaken("PaymentRequest", "A payment that was made elsewhere.", paymentRequestMembers)

// paymentTaken is a payment of a request: only one that is captured has a time
// of capture.
func paymentTaken(name, doc string, members []openapi.Member) *openapi.Schema {
	schema := taken(name, doc, members...)
	schema.Not = &openapi.Schema{Members: []openapi.Member{
		must("status", &openapi.Schema{Const: "authorized"}, ""), must("captured_at", &openapi.Schema{Type: openapi.String}, ""),
	}}
	return schema
}

var paymentRequestMembers = []openapi.Member{
	must("amount", neededAmount(8900), "What was paid, in minor units."),
	must("currency", someCurrency, ""),
	may("status", anyWord("captured", "authorized"), "`captured` unless it is named."),
	may("reference", anyText(nameMax, "order-1001"), "What you call it."),
	may("merchant", anyText(nameMax, "main"), "Who was paid; `main` unless it is named."),
	may("method", methodRequest, ""),
	may("country", &openapi.Schema{
		Type: openapi.String, IsNullable: true, Pattern: "^([A-Z]{2})?$", LengthMax: 2, Example: "DE",
	}, "Of the payer: an ISO 3166 code of two upper-case letters."),
	may("payer", anyText(nameMax, "buyer-77"), "What you call the payer."),
	may("description", anyText(noteMax, "Two hats and a tie"), ""),
	may("items", itemsRequest, "Lines of what was bought. They add up to the amount."),
	may("metadata", anyMetadata, ""),
	may("processor_ref", anyText(nameMax, "ch_1"), "What the processor calls it. No two payments of a connector have the same: "+
		"what was taken once can be refunded once."),
	may("connector", anyText(nameMax, "sandbox"), "Through which it was taken, and refunds go back; the server's first, unless "+
		"it is named."),
	may("captured_at", anyTime("2026-02-28T12:00:00Z"), "Now, unless it is named. Of a captured payment only."),
	may("created_at", anyTime("2026-02-28T12:00:00Z"), "The time of capture, unless it is named."),
}

// decodePayment reads a payment that was made elsewhere.
func (a *API) decodePayment(in object) payment.CreatePayment {
	latest := a.config.Now().Add(clockTolerance)
	command := payment.CreatePayment{
		Amount:       money.Of(in.amount("amount"), in.currency("currency")),
		Status:       payment.PaymentStatus(in.word("status", "captured", "authorized")),
		Reference:    in.text("reference", nameMax),
		Merchant:     in.text("merchant", nameMax),
		Method:       decodeMethod(in),
		Country:      decodeCountry(in),
		Payer:        in.text("payer", nameMax),
		Description:  in.text("description", noteMax),
		Items:        decodeItems(in),
		Metadata:     in.metadata("metadata"),
		ProcessorRef: in.text("processor_ref", nameMax),
		CapturedAt:   in.time("captured_at", latest),
		CreatedAt:    in.time("created_at", latest),
	}
	if in.value.Get("currency").Is(wire.Absent) {
		in.wrong("currency", "is required")
	}
	if command.Status == "" {
		command.Status = payment.PaymentCaptured
	}
	if command.Status != payment.PaymentCaptured && !command.CapturedAt.IsZero() {
		in.wrong("captured_at", "belongs to a captured payment only")
	}
	if command.CreatedAt.IsZero() {
		command.CreatedAt = command.CapturedAt
	}
	return command
}

// methodRequest is what decodeMethod reads.
var methodRequest = nullable(openapi.Schema{
	Type: openapi.Object, IsClosed: true, Doc: "What it was paid with; never a card number.",
	Example: map[string]any{"type": "card", "brand": "visa", "last4": "4242"},
	Members: []openapi.Member{
		may("type", anyText(nameMax, "card"), ""),
		may("brand", anyText(nameMax, "visa"), ""),
		may("last4", &openapi.Schema{
			Type: openapi.String, IsNullable: true, Pattern: "^([0-9]{4})?$", LengthMax: 4, Example: "4242",
		}, "The last four digits."),
	},
})

func decodeMethod(in object) payment.Method {
	method, given := in.object("method")
	if !given {
		return payment.Method{}
	}
	method.only(methodRequest.Members)
	last4 := method.text("last4", nameMax)
	if last4 != "" && (len(last4) != 4 || !isMadeOf(last4, '0', '9')) {
		method.wrong("last4", "must be four digits")
		last4 = ""
	}
	return payment.Method{Type: method.text("type", nameMax), Brand: method.text("brand", nameMax), Last4: last4}
}

func decodeCountry(in object) string {
	country := in.text("country", nameMax)
	if country != "" && (len(country) != 2 || !isMadeOf(country, 'A', 'Z')) {
		in.wrong("country", "must be an ISO 3166 code of two upper-case letters")
		return ""
	}
	return country
}

func isMadeOf(text string, from, to byte) bool {
	for i := range len(text) {
		if text[i] < from || text[i] > to {
			return false
		}
	}
	return true
}

// itemsRequest is what decodeItems reads.
var itemsRequest = &openapi.Schema{
	Type: openapi.Array, ItemsMax: itemsMax,
	Example: []any{map[string]any{"name": "Wool hat", "unit_amount": 8900}},
	Items: taken("ItemRequest", "A line of what was bought.",
		must("name", neededText(nameMax, "Wool hat"), ""),
		may("quantity", whole(1, quantityMax, 1), "1 unless it is named."),
		must("unit_amount", whole(0, int64(money.Max), 8900), "Of one unit, in minor units."),
		may("tax_rate", anyText(nameMax, "19"), "In percent, as a text of yours."),
		may("tax", whole(0, int64(money.Max), 1421), "The part of the total that is tax; 0 unless it is named."),
		may("total", whole(0, int64(money.Max), 8900), "Of the line; quantity × unit unless it is named."),
		may("merchant", anyText(nameMax, "main"), "Who is paid for the line; the payment's, unless it is named."),
		may("metadata", anyMetadata, ""),
		may("tags", anyTexts(tagsMax, "winter"), ""),
	),
}

func decodeItems(in object) []payment.Item {
	var items []payment.Item
	for i, line := range in.objects("items", itemsMax) {
		line.only(itemsRequest.Items.Members)
		item := payment.Item{
			Position:   i + 1,
			Name:       line.required("name", nameMax),
			Quantity:   line.number("quantity", 1, quantityMax, 1),
			UnitAmount: money.Minor(line.number("unit_amount", 0, int64(money.Max), 0)),
			TaxRate:    line.text("tax_rate", nameMax),
			Tax:        money.Minor(line.number("tax", 0, int64(money.Max), 0)),
			Merchant:   line.text("merchant", nameMax),
			Metadata:   line.metadata("metadata"),
			Tags:       line.texts("tags", tagsMax),
		}
		if line.value.Get("unit_amount").Is(wire.Absent) {
			line.wrong("unit_amount", "is required: a whole number of minor units")
		}
		whole := product(item.Quantity, item.UnitAmount)
		item.Total = money.Minor(line.number("total", 0, int64(money.Max), int64(whole)))
		items = append(items, item)
	}
	return items
}

// product returns quantity × unit, and more than any amount may be if it does
// not fit: then the items cannot add up.
func product(quantity int64, unit money.Minor) money.Minor {
	high, low := bits.Mul64(uint64(quantity), uint64(unit))
	if high > 0 || low > uint64(money.Max) {
		return money.Max + 1
	}
	return money.Minor(low)
}

// paymentDigest is what an idempotency key stands for.
func paymentDigest(c payment.CreatePayment) *wire.Digest {
	d := new(wire.Digest).Text("payment").Number(int64(c.Amount.Minor)).Text(string(c.Amount.Currency))
	d.Text(string(c.Status)).Text(c.Reference).Text(c.Merchant).Text(c.Method.Type).Text(c.Method.Brand)
	d.Text(c.Method.Last4).Text(c.Country).Text(c.Payer).Text(c.Description).Text(c.Metadata).Text(c.ProcessorRef)
	d.Time(c.CapturedAt).Time(c.CreatedAt).Number(int64(len(c.Items)))
	for _, item := range c.Items {
		d.Text(item.Name).Number(item.Quantity).Number(int64(item.UnitAmount)).Text(item.TaxRate)
		d.Number(int64(item.Tax)).Number(int64(item.Total)).Text(item.Merchant).Text(item.Metadata)
		d.Number(int64(len(item.Tags)))
		for _, tag := range item.Tags {
			d.Text(tag)
		}
	}
	return d
}

// getPayment shows a payment.
func (a *API) getPayment(w http.ResponseWriter, r *http.Request, caller auth.Identity) error {
	id, err := a.paymentNamed(r.Context(), caller, r.PathValue("id"))
	if err != nil {
		return err
	}
	view, err := a.config.Reader.View(r.Context(), caller.Tenant, id)
	if err != nil {
		return err
	}
	write(w, http.StatusOK, false, paymentJSON(view))
	return nil
}

// paymentNameRequest is what [object.payment] reads.
var paymentNameRequest = &openapi.Schema{
	Type: openapi.String, LengthMin: 1, LengthMax: nameMax, Example: exampleID("pay"),
}

// payment reads the payment that a request is about.
func (o object) payment() string {
	text := o.identifier("payment")
	if !o.value.Get("payment").IsGiven() {
		o.wrong("payment", "is required: the id of a payment")
	}
	return text
}

// paymentNamed returns the id that a text spells: our own spelling, which is not
// looked up here, or one by which a door knows a payment of the caller's tenant.
func (a *API) paymentNamed(ctx context.Context, caller auth.Identity, text string) (payment.PaymentID, error) {
	id, err := a.paymentSpelled(ctx, caller, text)
	if err == nil && id.IsZero() { // it names nothing, and as a filter it would narrow nothing
		err = payment.NoSuch("payment")
	}
	return id, err
}

func (a *API) paymentSpelled(ctx context.Context, caller auth.Identity, text string) (payment.PaymentID, error) {
	var id payment.PaymentID
	switch {
	case id.Parse(text) == nil:
		return id, nil
	case len(text) > nameMax, !utf8.ValidString(text), strings.ContainsRune(text, 0):
		return id, payment.NoSuch("payment")
	case id.ParseUUID(text) == nil:
		return id, nil
	}
	for _, kind := range a.config.AliasKinds {
		subject, found, err := a.config.Reader.Find(ctx, caller.Tenant, payment.Alias{Kind: kind, Value: text})
		if err != nil || found {
			return subject, err
		}
	}
	if _, digits, ok := strings.Cut(text, "_"); ok && id.ParseDecimal(digits) == nil {
		return id, nil
	}
	return id, payment.NoSuch("payment")
}
