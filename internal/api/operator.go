package api

import (
	"net/http"

	"github.com/refundry/refundry/internal/auth"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/wire"
)

func (a *API) operatorRoutes() []route {
	return []route{
		{"GET /v1/tenants", a.listTenants, forAll},
		{"POST /v1/tenants", a.createTenant, forAll},
		{"GET /v1/keys", a.listKeys, forOperators},
		{"POST /v1/keys", a.createKey, forOperators},
		{"DELETE /v1/keys/{id}", a.revokeKey, forOperators},
		{"GET /v1/settings", a.listSettings, forOperators},
		{"PATCH /v1/settings", a.changeSettings, forOperators},
		{"GET /v1/endpoints", a.listEndpoints, forOperators},
		{"POST /v1/endpoints", a.createEndpoint, forOperators},
		{"DELETE /v1/endpoints/{id}", a.removeEndpoint, forOperators},
		{"GET /v1/deliveries", a.listDeliveries, forOperators},
		{"GET /v1/deliveries/{id}", a.getDelivery, forOperators},
		{"POST /v1/deliveries/{id}/resend", a.resendDelivery, forOperators},
		{"POST /v1/disputes", a.openDispute, forOperators},
		{"GET /v1/disputes/{id}", a.getDispute, forOperators},
		{"POST /v1/disputes/{id}/move", a.moveDispute, forOperators},
		{"POST /v1/payments/import", a.importPayments, forOperators},
		{"GET /v1/reports/{name}", a.getReport, forOperators},
	}
}

// by says who changes settings.
func by(r *http.Request, caller auth.Identity) auth.By {
	return auth.By{Actor: caller.Actor, Request: wire.RequestID(r.Context())}
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

func showTenant(w *writer, tenant payment.Tenant) {
	w.begin("")
	named(w, "id", tenant.ID)
	w.string("name", tenant.Name)
	w.end()
}

// createTenant makes a tenant.
func (a *API) createTenant(w http.ResponseWriter, r *http.Request, caller auth.Identity) error {
	in, err := a.read(w, r)
	if err != nil {
		return err
	}
	in.only("name")
	name := in.required("name", nameMax)
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
