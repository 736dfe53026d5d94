package api

import (
	"net/http"
	"slices"

	"github.com/refundry/refundry/internal/auth"
	"github.com/refundry/refundry/internal/payment"
)

const (
	urlMax   = 2000
	kindsMax = 50
)

// listEndpoints shows where a tenant is told.
func (a *API) listEndpoints(w http.ResponseWriter, r *http.Request, caller auth.Identity) error {
	endpoints, err := a.config.Auth.Endpoints(r.Context(), caller.Tenant)
	if err != nil {
		return err
	}
	list(w, "endpoints", endpoints, func(to *writer, endpoint auth.Endpoint) {
		to.begin("")
		showEndpoint(to, endpoint)
		to.end()
	})
	return nil
}

func showEndpoint(w *writer, endpoint auth.Endpoint) {
	named(w, "id", endpoint.ID)
	w.string("door", string(endpoint.Door))
	w.string("url", endpoint.URL)
	if len(endpoint.Kinds) > 0 {
		w.any("kinds", endpoint.Kinds)
	}
	if endpoint.Disabled {
		w.flag("is_disabled", true)
	}
	w.time("created_at", endpoint.CreatedAt)
}

// createEndpoint makes a webhook endpoint. Its secret is shown this once.
func (a *API) createEndpoint(w http.ResponseWriter, r *http.Request, caller auth.Identity) error {
	in, err := a.read(w, r)
	if err != nil {
		return err
	}
	in.only("door", "url", "kinds", "secret")
	door := payment.Door(in.text("door", nameMax))
	if door == "" {
		door = payment.DoorAPI
	}
	if door != payment.DoorAPI && !slices.Contains(a.config.Doors, door) {
		in.wrong("door", "is not a front door that is known")
	}
	url := in.required("url", urlMax)
	var kinds []payment.EventKind
	for _, kind := range in.texts("kinds", kindsMax) {
		kinds = append(kinds, payment.EventKind(kind))
	}
	secret := auth.Secret(in.text("secret", nameMax))
	if err := in.err(); err != nil {
		return err
	}
	endpoint, secret, err := a.config.Auth.AddEndpoint(r.Context(), by(r, caller), caller.Tenant,
		door, url, kinds, secret)
	if err != nil {
		return err
	}
	to := newWriter()
	to.begin("")
	showEndpoint(to, endpoint)
	if door == payment.DoorAPI { // the dialects sign with keys of their own
		to.string("secret", secret.Reveal())
	}
	to.end()
	write(w, http.StatusCreated, false, to.text)
	return nil
}

// removeEndpoint ends an endpoint.
func (a *API) removeEndpoint(w http.ResponseWriter, r *http.Request, caller auth.Identity) error {
	var id payment.EndpointID
	if id.Parse(r.PathValue("id")) != nil {
		return payment.NoSuch("endpoint")
	}
	if err := a.config.Auth.RemoveEndpoint(r.Context(), by(r, caller), caller.Tenant, id); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
