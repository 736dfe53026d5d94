package api

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/refundry/refundry/internal/auth"
	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/openapi"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/wire"
)

// scheduleMax is how far ahead a refund can be scheduled.
const scheduleMax = 366 * 24 * time.Hour

func (a *API) refundOperations() []operation {
	return append([]operation{
		{
			method: "POST", path: "/v1/refunds", id: "createRefund", tag: tagRefunds, summary: "Ask for a refund",
			doc: "Exactly one of `amount` (with its `currency`), `items` and `full: true` says how much. Always send an " +
				"Idempotency-Key: if the connection breaks, the same request again is the same refund.",
			scope: scopeWriteRefunds, takesKey: true, takesUser: true, body: refundRequest, serve: a.createRefund,
			answers: created("The refund, as it stood right after it was accepted.", refundOpened, headerLocation),
			codes:   append(codesOf(refundRules...), codeNotFound),
		},
		a.listOperation(),
		a.previewOperation(),
		{
			method: "GET", path: "/v1/refunds/{id}", id: "getRefund", tag: tagRefunds, summary: "Read a refund",
			scope: scopeReadRefunds, parameters: []openapi.Parameter{pathID(refundID)}, serve: a.getRefund,
			answers: ok("The refund as it is now.", refundNow),
		},
	}, append(a.judgments(), a.reasonOperations()...)...)
}

// createRefund opens a refund: one commit, and nothing else is read.
func (a *API) createRefund(w http.ResponseWriter, r *http.Request, caller auth.Identity) error {
	command, err := a.readRefund(w, r, caller)
	if err != nil {
		return err
	}
	answer, replayed, err := a.do(r.Context(), command)
	if err != nil {
		return err
	}
	writeOpened(w, replayed, answer)
	return nil
}

// readRefund reads the command of a body that asks for a refund.
func (a *API) readRefund(w http.ResponseWriter, r *http.Request, caller auth.Identity) (payment.OpenRefund, error) {
	var none payment.OpenRefund
	key, err := idempotencyKey(r)
	if err != nil {
		return none, err
	}
	in, err := a.read(w, r)
	if err != nil {
		return none, err
	}
	command, of := decodeRefund(in, a.config.Now())
	if err := in.err(); err != nil {
		return none, err
	}
	if command.Payment, err = a.paymentNamed(r.Context(), caller, of); err != nil {
		return none, err
	}
	command.Meta = meta(r, caller)
	command.Source = payment.SourceAPI
	command.Key = keyOf(caller.Tenant, keyScope, key, refundDigest(command))
	return command, nil
}

// askedMembers are those of every refund that is asked for, alone or as a row
// of a batch.
var askedMembers = []openapi.Member{
	must("payment", paymentNameRequest, "The payment's id."),
	may("amount", neededAmount(2450), "In minor units, with the `currency`."),
	may("currency", someCurrency, "Of the payment. It must be there with an `amount`."),
	may("items", itemAsksRequest, "Units of line items."),
	may("full", &openapi.Schema{Type: openapi.Boolean, Const: true, Example: true}, "All that is left."),
	may("reason", anyText(nameMax, "returned"), "Why the money goes back."),
	may("note", anyText(noteMax, "The hat was too small"), "For your own records."),
	may("message", anyText(noteMax, "Your hat is back with us"), "For the payer."),
	may("reference", anyText(nameMax, "return-77"), "What you call the refund."),
	may("metadata", anyMetadata, ""),
}

// asking is the form of a refund that is asked for, with members of its own.
func asking(name string, own ...openapi.Member) *openapi.Schema {
	return &openapi.Schema{
		Name: name, Doc: "A refund that is asked for. Exactly one of `amount`, `items` and `full` says how much.",
		Type: openapi.Object, IsClosed: true, Members: slices.Concat(askedMembers, own),
		Needs: []openapi.Need{{If: "amount", Then: "currency"}},
		OneOf: []*openapi.Schema{having("amount"), having("items"), having("full")},
	}
}

// decodeTexts reads what a refund is called and why it is asked for.
func decodeTexts(in object) payment.OpenRefund {
	return payment.OpenRefund{
		Currency:  in.currency("currency"),
		Reason:    in.text("reason", nameMax),
		Note:      in.text("note", noteMax),
		Message:   in.text("message", noteMax),
		Reference: in.text("reference", nameMax),
		Metadata:  in.metadata("metadata"),
	}
}

// refundRequest is what decodeRefund reads.
var refundRequest = asking("RefundRequest",
	may("order_reference", anyText(nameMax, "order-1001"), "What you call the order."),
	may("expected_refundable", whole(0, int64(money.Max), 8900),
		"What you believe is left: a guard. The refund is refused if something else is."),
	may("not_before", anyTime("2026-03-02T12:00:00Z"), "It waits until then, and can be canceled meanwhile."),
	may("capture", takenID("cap"), "Gives back this capture, and no other."),
	may("retry_of", takenID("rfd"), "A refund of the payment that ended without money moving: this one takes its place."),
	may("allow_duplicate", anyFlag(true), "An equal refund a moment before is no mistake."),
	may("preview_token", previewToken, "Of a preview: the refund is refused if it would do something else."),
)

// decodeRefund reads a refund that is asked for, and which payment it is of.
func decodeRefund(in object, now time.Time) (command payment.OpenRefund, of string) {
	in.only(refundRequest.Members)
	of = in.payment()
	command = decodeRefundMembers(in, now)
	command.Ask = decodeAsk(in)
	command.Ask.Capture = readID[payment.CaptureID](in, "capture")
	command.RetryOf = readID[payment.RefundID](in, "retry_of")
	return command, of
}

// decodeRefundMembers reads what a refund has besides how much it is, and of what.
func decodeRefundMembers(in object, now time.Time) payment.OpenRefund {
	command := decodeTexts(in)
	command.OrderReference = in.text("order_reference", nameMax)
	command.NotBefore = in.time("not_before", now.Add(scheduleMax))
	command.Repeats = in.flag("allow_duplicate")
	if !in.value.Get("preview_token").Is(wire.Absent) {
		command.Expect = payment.Digest(in.neededIdentifier("preview_token"))
	}
	if !in.value.Get("expected_refundable").Is(wire.Absent) {
		expected := money.Minor(in.number("expected_refundable", 0, int64(money.Max), 0))
		command.Expected = &expected
	}
	return command
}

// decodeAsk reads how much a refund asks for: exactly one of three members, and
// the currency with an amount.
func decodeAsk(in object) payment.Ask {
	hasAmount := !in.value.Get("amount").Is(wire.Absent)
	hasItems := !in.value.Get("items").Is(wire.Absent)
	hasFull := !in.value.Get("full").Is(wire.Absent)
	switch {
	case hasAmount && !hasItems && !hasFull:
		if in.value.Get("currency").Is(wire.Absent) {
			in.wrong("currency", "is required with an amount")
		}
		return payment.Ask{How: payment.AskAmount, Amount: in.amount("amount")}
	case hasItems && !hasAmount && !hasFull:
		return payment.Ask{How: payment.AskItems, Items: decodeItemAsks(in)}
	case hasFull && !hasAmount && !hasItems:
		if full, _ := in.value.Get("full").Bool(); !full {
			in.wrong("full", "must be true")
		}
		return payment.Ask{How: payment.AskRemaining}
	default:
		in.wrong("", "needs exactly one of amount, items and full: true")
		return payment.Ask{How: payment.AskRemaining}
	}
}

// itemAsksRequest is what decodeItemAsks reads.
var itemAsksRequest = &openapi.Schema{
	Type: openapi.Array, ItemsMin: 1, ItemsMax: itemsMax, Example: []any{map[string]any{"position": 1, "quantity": 1}},
	Items: taken("ItemAsk", "Units of one line item.",
		must("position", whole(1, positionMax, 1), "The item's position."),
		must("quantity", whole(1, quantityMax, 1), "How many units."),
	),
}

func decodeItemAsks(in object) []payment.ItemAsk {
	items := in.objects("items", itemsMax)
	if len(items) == 0 && in.value.Get("items").Is(wire.Array) {
		in.wrong("items", "must not be empty")
	}
	asks := make([]payment.ItemAsk, 0, len(items))
	for _, item := range items {
		item.only(itemAsksRequest.Items.Members)
		ask := payment.ItemAsk{
			Position: int(item.number("position", 1, positionMax, 0)),
			Quantity: item.number("quantity", 1, quantityMax, 0),
		}
		if ask.Position == 0 || ask.Quantity == 0 {
			item.wrong("", "needs a position and a quantity")
		}
		asks = append(asks, ask)
	}
	return asks
}

// refundDigest is what an idempotency key stands for.
func refundDigest(c payment.OpenRefund) *wire.Digest {
	d := new(wire.Digest).Text("refund").Bytes(c.Payment[:]).Number(int64(c.Ask.How)).Number(int64(c.Ask.Amount))
	for _, item := range c.Ask.Items {
		d.Number(int64(item.Position)).Number(item.Quantity)
	}
	d.Text(string(c.Currency)).Text(c.Reason).Text(c.Note).Text(c.Message).Text(c.Reference).Text(c.OrderReference)
	d.Text(c.Metadata).Time(c.NotBefore)
	if c.Expected != nil {
		d.Number(int64(*c.Expected))
	}
	// What came later must leave the digests of older requests as they were.
	if !c.Ask.Capture.IsZero() {
		d.Text("capture").Bytes(c.Ask.Capture[:])
	}
	if !c.RetryOf.IsZero() {
		d.Text("retry_of").Bytes(c.RetryOf[:])
	}
	if c.Repeats {
		d.Text("allow_duplicate")
	}
	if c.Expect != "" {
		d.Text("preview_token").Text(string(c.Expect))
	}
	return d
}

// getRefund shows a refund.
func (a *API) getRefund(w http.ResponseWriter, r *http.Request, caller auth.Identity) error {
	refund, err := a.refundNamed(r.Context(), caller, r.PathValue("id"))
	if err != nil {
		return err
	}
	to := newWriter()
	showRefundNow(to, refund, a.config.Now())
	write(w, http.StatusOK, false, to.text)
	return nil
}

// refundNamed finds a refund by its id.
func (a *API) refundNamed(ctx context.Context, caller auth.Identity, text string) (payment.Refund, error) {
	var id payment.RefundID
	if id.Parse(text) != nil {
		return payment.Refund{}, payment.NoSuch("refund")
	}
	view, err := a.config.Reader.Refund(ctx, caller.Tenant, id)
	if err != nil {
		return payment.Refund{}, err
	}
	refund, found := view.Refund(id)
	if !found {
		return payment.Refund{}, payment.NoSuch("refund")
	}
	return refund, nil
}
