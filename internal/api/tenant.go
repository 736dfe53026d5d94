package api

import (
	"net/http"

	"github.com/refundry/refundry/internal/auth"
	"github.com/refundry/refundry/internal/openapi"
	"github.com/refundry/refundry/internal/payment"
)

func (a *API) tenantOperations() []operation {
	one := []openapi.Parameter{pathID(tenantID)}
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
		{
			method: "GET", path: "/v1/tenants/{id}", id: "getTenant", tag: tagOperators, summary: "Read a tenant",
			access: forAll, parameters: one, answers: ok("The tenant.", tenantSchema), serve: a.getTenant,
		},
		{
			method: "PATCH", path: "/v1/tenants/{id}", id: "renameTenant", tag: tagOperators, summary: "Rename a tenant",
			access: forAll, parameters: one, body: tenantRequest, answers: ok("The tenant, as it is now.", tenantSchema),
			codes: []code{codeConflict}, serve: a.renameTenant,
		},
		{
			method: "GET", path: "/v1/tenant", id: "getOwnTenant", tag: tagOperators, summary: "Read whose key this is",
			doc:     "The tenant that the caller belongs to, or that an operator names.",
			answers: ok("The tenant.", tenantSchema), serve: a.getOwnTenant,
		},
	}
}

// listTenants shows all tenants.
func (a *API) listTenants(w http.ResponseWriter, r *http.Request, _ auth.Identity) error {
	tenants, err := a.config.Auth.Tenants(r.Context())
	if err != nil {
		return err
	}
	list(w, "tenants", tenants, a.showTenant)
	return nil
}

// tenantSchema is what showTenant writes.
var tenantSchema = shown("Tenant", "An organization whose data and keys are separate from all others.",
	must("id", tenantID, ""), must("name", someText, ""), must("created_at", someTime, ""),
	must("doors", listOf(someDoor), "The front doors that it can use, if it has a key for them."),
)

func (a *API) showTenant(w *writer, tenant payment.Tenant) {
	w.begin("")
	named(w, "id", tenant.ID)
	w.string("name", tenant.Name)
	w.time("created_at", tenant.CreatedAt)
	w.any("doors", append([]payment.Door{payment.DoorAPI}, a.config.Doors...))
	w.end()
}

// tenantNameMax is how long a tenant's or a key's name may be, so that it can be
// shown in a line.
const tenantNameMax = 100

// tenantRequest is what createTenant and renameTenant read.
var tenantRequest = taken("TenantRequest", "What a tenant is called.",
	must("name", neededText(tenantNameMax, "shop"), "A line that no other tenant has."),
)

// readTenantName reads what a tenant is to be called.
func (a *API) readTenantName(w http.ResponseWriter, r *http.Request) (string, error) {
	in, err := a.read(w, r)
	if err != nil {
		return "", err
	}
	in.only(tenantRequest.Members)
	name := in.required("name", tenantNameMax)
	return name, in.err()
}

// createTenant makes a tenant.
func (a *API) createTenant(w http.ResponseWriter, r *http.Request, caller auth.Identity) error {
	name, err := a.readTenantName(w, r)
	if err != nil {
		return err
	}
	tenant, err := a.config.Auth.CreateTenant(r.Context(), by(r, caller), name)
	if err != nil {
		return err
	}
	return a.writeTenant(w, r, http.StatusCreated, tenant.ID)
}

// writeTenant answers with a tenant.
func (a *API) writeTenant(w http.ResponseWriter, r *http.Request, status int, id payment.TenantID) error {
	tenant, err := a.config.Auth.Tenant(r.Context(), id)
	if err != nil {
		return err
	}
	to := newWriter()
	a.showTenant(to, *tenant)
	write(w, status, false, to.text)
	return nil
}

// getTenant shows a tenant.
func (a *API) getTenant(w http.ResponseWriter, r *http.Request, _ auth.Identity) error {
	var id payment.TenantID
	if id.Parse(r.PathValue("id")) != nil {
		return payment.NoSuch("tenant")
	}
	return a.writeTenant(w, r, http.StatusOK, id)
}

// getOwnTenant shows the caller's tenant.
func (a *API) getOwnTenant(w http.ResponseWriter, r *http.Request, caller auth.Identity) error {
	return a.writeTenant(w, r, http.StatusOK, caller.Tenant)
}

// renameTenant gives a tenant another name.
func (a *API) renameTenant(w http.ResponseWriter, r *http.Request, caller auth.Identity) error {
	name, err := a.readTenantName(w, r)
	if err != nil {
		return err
	}
	var id payment.TenantID
	if id.Parse(r.PathValue("id")) != nil {
		return payment.NoSuch("tenant")
	}
	if err := a.config.Auth.RenameTenant(r.Context(), by(r, caller), id, name); err != nil {
		return err
	}
	return a.writeTenant(w, r, http.StatusOK, id)
}
