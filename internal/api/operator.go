package api

import (
	"net/http"
	"slices"

	"github.com/refundry/refundry/internal/auth"
	"github.com/refundry/refundry/internal/openapi"
	"github.com/refundry/refundry/internal/payment"
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

func (a *API) tenantOperations() []operation {
	return []operation{
		{
			method: "GET", path: "/v1/tenants", id: "listTenants", tag: tagOperators, summary: "List tenants",
			access: forAll, serve: a.listTenants,
			answers: ok("All tenants, by name.", all("TenantList", "tenants", tenantSchema)),
		},
		{
			method: "POST", path: "/v1/tenants", id: "createTenant", tag: tagOperators, summary: "Make a tenant",
			access: forAll, body: tenantRequest, answers: created("The tenant.", tenantSchema), codes: []code{codeConflict},
			serve: a.createTenant,
		},
	}
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

// listTenants shows all tenants.
func (a *API) listTenants(w http.ResponseWriter, r *http.Request, _ auth.Identity) error {
	tenants, err := a.config.Auth.Tenants(r.Context())
	if err != nil {
		return err
	}
	list(w, "tenants", tenants, showTenant)
	return nil
}

// tenantSchema is what showTenant writes.
var tenantSchema = shown("Tenant", "An organization whose data and keys are separate from all others.",
	must("id", tenantID, ""), must("name", someText, ""),
)

func showTenant(w *writer, tenant payment.Tenant) {
	w.begin("")
	named(w, "id", tenant.ID)
	w.string("name", tenant.Name)
	w.end()
}

// tenantNameMax is how long a tenant's or a key's name may be, so that it can be
// shown in a line.
const tenantNameMax = 100

// tenantRequest is what createTenant reads.
var tenantRequest = taken("TenantRequest", "A tenant that is made.",
	must("name", neededText(tenantNameMax, "shop"), "A line that no other tenant has."),
)

// createTenant makes a tenant.
func (a *API) createTenant(w http.ResponseWriter, r *http.Request, caller auth.Identity) error {
	in, err := a.read(w, r)
	if err != nil {
		return err
	}
	in.only(tenantRequest.Members)
	name := in.required("name", tenantNameMax)
	if err := in.err(); err != nil {
		return err
	}
	tenant, err := a.config.Auth.CreateTenant(r.Context(), by(r, caller), name)
	if err != nil {
		return err
	}
	to := newWriter()
	showTenant(to, tenant)
	write(w, http.StatusCreated, false, to.text)
	return nil
}
