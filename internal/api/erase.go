package api

import (
	"net/http"

	"github.com/refundry/refundry/internal/auth"
	"github.com/refundry/refundry/internal/openapi"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/wire"
)

// eraseOperation is how what is personal about a payment is erased.
func (a *API) eraseOperation() operation {
	return operation{
		method: "POST", path: "/v1/payments/{id}/erase", id: "erasePayment", tag: tagPayments,
		summary: "Erase what is personal about a payment",
		doc: "Destroys, for good, the key under which everything personal is kept: who paid, descriptions, metadata, the " +
			"card's last digits, words of its refunds, what front doors and webhooks hold of it. Amounts, statuses, " +
			"references and books stay. What its front door keeps of the payer beside it, such as CHIP's client, goes too. It " +
			"can still be refunded, without note, message and metadata. One that was erased before stays as it is.",
		scope: scopeErasePayments, takesKey: true, parameters: []openapi.Parameter{pathID(paymentID)},
		codes:   codesOf(payment.RuleErasable),
		answers: ok("The payment, with `erased_at` and without anything personal.", paymentSchema), serve: a.erasePayment,
	}
}

// erasePayment erases what is personal about a payment.
func (a *API) erasePayment(w http.ResponseWriter, r *http.Request, caller auth.Identity) error {
	key, err := idempotencyKey(r)
	if err != nil {
		return err
	}
	id, err := a.paymentNamed(r.Context(), caller, r.PathValue("id"))
	if err != nil {
		return err
	}
	m := meta(r, caller)
	m.Key = keyOf(caller.Tenant, keyScope, key, new(wire.Digest).Text("erase").Bytes(id[:]))
	for try := 1; ; try++ {
		view, err := a.config.Reader.View(r.Context(), caller.Tenant, id)
		if err != nil {
			return err
		}
		answer, replayed, err := a.do(r.Context(), a.erasure(m, view))
		if err == nil {
			write(w, http.StatusOK, replayed, paymentJSON(answer.View))
			return nil
		}
		now, readErr := a.config.Reader.View(r.Context(), caller.Tenant, id)
		if try == eraseTriesMax || readErr != nil || now.Payment.Version == view.Payment.Version {
			return err
		}
	}
}

// eraseTriesMax is how often a payment is looked at anew that changes while it is
// erased. What has ended changes rarely.
const eraseTriesMax = 3

// erasure is the command that erases a payment as it was read.
func (a *API) erasure(m payment.Meta, view payment.View) payment.ErasePayment {
	command := payment.ErasePayment{
		Meta: m, Payment: view.Payment.ID, Order: view.Payment.Order, Read: view.Payment.Version,
	}
	if persons := a.config.Persons[view.Payment.Home]; persons != nil {
		command.Persons = persons(view)
	}
	for _, rest := range a.config.Rest {
		command.Rest = append(command.Rest, rest(view)...)
	}
	return command
}
