package api

import (
	"net/http"
	"slices"
	"time"

	"github.com/refundry/refundry/internal/auth"
	"github.com/refundry/refundry/internal/openapi"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/wire"
)

func (a *API) retryOperation() operation {
	return operation{
		method: "POST", path: "/v1/refunds/{id}/retry", id: "retryRefund", tag: tagRefunds, summary: "Retry a refund",
		doc: "Asks once more for what a refund that ended without money moving asked for: a new refund, which names the old " +
			"one as `retry_of`. What the request names takes the place of what the old refund says. Always send an " +
			"Idempotency-Key.",
		scope: scopeWriteRefunds, takesKey: true, takesUser: true, parameters: []openapi.Parameter{pathID(refundID)},
		body: retryRequest, serve: a.retryRefund, codes: codesOf(refundRules...),
		answers: created("The new refund, as it stood right after it was accepted.", refundOpened, headerLocation),
	}
}

// retryRequest is what decodeRetry reads: a refund, but for what the old one says.
var retryRequest = &openapi.Schema{
	Name: "RetryRequest", Doc: "What is to be otherwise than with the refund that is retried.",
	Type: openapi.Object, IsClosed: true,
	Members: slices.DeleteFunc(slices.Clone(refundRequest.Members), func(m openapi.Member) bool {
		return m.Name == "payment" || m.Name == "retry_of"
	}),
	Needs: refundRequest.Needs,
	AllOf: []*openapi.Schema{{OneOf: append(slices.Clone(refundRequest.OneOf), &openapi.Schema{
		Doc: "With none of them: as much as before.", Not: &openapi.Schema{AnyOf: refundRequest.OneOf},
	})}},
}

// retryRefund asks once more for what a refund asked for in vain.
func (a *API) retryRefund(w http.ResponseWriter, r *http.Request, caller auth.Identity) error {
	key, err := idempotencyKey(r)
	if err != nil {
		return err
	}
	in, err := a.read(w, r)
	if err != nil {
		return err
	}
	command := decodeRetry(in, a.config.Now())
	if err := in.err(); err != nil {
		return err
	}
	earlier, err := a.refundNamed(r.Context(), caller, r.PathValue("id"))
	if err != nil {
		return err
	}
	command = again(in, command, earlier)
	command.Meta = meta(r, caller)
	command.Source = payment.SourceAPI
	if key != "" {
		command.Key = keyOf(caller.Tenant, keyScope, key, refundDigest(command))
	}
	answer, replayed, err := a.do(r.Context(), command)
	if err != nil {
		return err
	}
	writeOpened(w, replayed, answer)
	return nil
}

// decodeRetry reads what is to be otherwise.
func decodeRetry(in object, now time.Time) payment.OpenRefund {
	in.only(retryRequest.Members)
	command := decodeRefundMembers(in, now)
	if saysHowMuch(in) {
		command.Ask = decodeAsk(in)
	}
	command.Ask.Capture = readID[payment.CaptureID](in, "capture")
	return command
}

// saysHowMuch reports whether a request says by itself how much is to go back.
func saysHowMuch(in object) bool {
	return slices.ContainsFunc([]string{"amount", "items", "full"}, func(name string) bool {
		return !in.value.Get(name).Is(wire.Absent)
	})
}

// again returns the command that asks once more, with what the earlier refund
// says in the place of what the request does not.
func again(in object, c payment.OpenRefund, earlier payment.Refund) payment.OpenRefund {
	c.Payment, c.RetryOf = earlier.Payment, earlier.ID
	if !saysHowMuch(in) {
		capture := c.Ask.Capture
		c.Ask = askAgain(earlier)
		if !capture.IsZero() {
			c.Ask.Capture = capture
		}
	}
	for _, text := range []struct {
		name    string
		to      *string
		earlier string
	}{
		{"reason", &c.Reason, earlier.Reason},
		{"note", &c.Note, earlier.Note},
		{"message", &c.Message, earlier.Message},
		{"reference", &c.Reference, earlier.Reference},
		{"order_reference", &c.OrderReference, earlier.OrderReference},
		{"metadata", &c.Metadata, earlier.Metadata},
	} {
		if !in.value.Get(text.name).IsGiven() {
			*text.to = text.earlier
		}
	}
	return c
}

// askAgain returns how much a refund asked for. One of several that were opened
// together has parts of lines, which no units name.
func askAgain(r payment.Refund) payment.Ask {
	isOfUnits := r.How == payment.AskItems && r.Group.IsZero()
	if !isOfUnits {
		return payment.Ask{How: payment.AskAmount, Amount: r.Amount.Minor, Capture: r.Capture}
	}
	ask := payment.Ask{How: payment.AskItems, Capture: r.Capture}
	for _, line := range r.Lines {
		ask.Items = append(ask.Items, payment.ItemAsk{Position: line.Position, Quantity: line.Quantity})
	}
	return ask
}
