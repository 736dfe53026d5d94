package api

import (
	"net/http"
	"slices"

	"github.com/refundry/refundry/internal/auth"
	"github.com/refundry/refundry/internal/openapi"
	"github.com/refundry/refundry/internal/wire"
)

func (a *API) operatorOperations() []operation {
	return slices.Concat(a.tenantOperations(), a.keyOperations(), a.settingOperations(), []operation{
		{
			method: "POST", path: "/v1/payments/import", id: "importPayments", tag: tagOperators, summary: "Import payments",
			doc: "NDJSON: a payment a line. Each line gets a line: its number, and the payment's id or a problem. A bad line " +
				"harms no other. `id` is your name of the line: sent again, it changes nothing (`replayed`), so a broken " +
				"import is simply run again.",
			access: forOperators, body: importSchema, bodyMedia: mediaLines, serve: a.importPayments,
			answers: []openapi.Answer{{
				Status: http.StatusOK, Doc: "A line for each line.",
				Contents: []openapi.Content{{Media: mediaLines, Schema: linesOf(importAnswer)}},
			}},
		},
	})
}

// by says who changes settings.
func by(r *http.Request, caller auth.Identity) auth.By {
	user, _ := userOf(r) // an operation that takes it has refused a wrong one
	return auth.By{Actor: caller.Actor, Request: wire.RequestID(r.Context()), User: user, Address: wire.Address(r.Context())}
}

// list answers with a list under one name.
func list[T any](w http.ResponseWriter, name string, rows []T, show func(*writer, T)) {
	to := newWriter()
	to.begin("")
	to.beginList(name)
	for _, row := range rows {
		show(to, row)
	}
	to.endList()
	to.end()
	write(w, http.StatusOK, false, to.text)
}
