package api

import (
	"context"
	"net/http"
	"time"

	"github.com/refundry/refundry/internal/auth"
	"github.com/refundry/refundry/internal/fault"
	"github.com/refundry/refundry/internal/openapi"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/webhook"
	"github.com/refundry/refundry/internal/wire"
)

// EndpointDetail reads what somebody says of an endpoint that only its front
// door understands, and returns what is kept of it: JSON.
type EndpointDetail func(body wire.Value) (string, error)

// DoorSecret makes what a front door signs the webhooks of all of a tenant's
// endpoints with, and says for how long the one before it signs too. isFirst:
// only if there is none yet; else the secret is empty.
type DoorSecret func(ctx context.Context, by auth.By, tenant payment.TenantID, isFirst bool,
) (secret auth.Secret, overlap time.Duration, err error)

// detailRequests are the members that front doors of their own have.
var detailRequests = []openapi.Member{
	may("description", &openapi.Schema{}, "Of endpoints of Primer only: what its webhooks say of the endpoint."),
	may("types", &openapi.Schema{}, "Of endpoints of Primer only, and named together with `description`: the events that are "+
		"told, by its own names for them."),
}

// detail reads what only the endpoint's front door understands; what is absent
// stays.
func (a *API) detail(in object, of *auth.Endpoint) {
	isGiven := false
	for _, member := range detailRequests {
		value := in.value.Get(member.Name)
		isGiven = isGiven || value.IsGiven()
		if value.HasCardNumber() {
			in.hasCardNumber = true
			in.wrong(member.Name, "has something in it that looks like a card number")
			return
		}
	}
	if !isGiven {
		return
	}
	read, known := a.config.EndpointDetail[of.Door]
	if !known {
		in.wrong("", "description and types are of no front door that is known by that")
		return
	}
	detail, err := read(in.value)
	if err != nil {
		in.wrong("", fault.MessageOf(err))
		return
	}
	of.Detail = detail
}

// healthMax is over how many of the last deliveries health is told.
const healthMax = 100

// healthSchema is what showHealth writes.
var healthSchema = shown("EndpointHealth", "What came of the last deliveries, at most 100 of them.",
	must("deliveries", someCount, "How many were looked at."),
	must("delivered", someCount, ""),
	must("failing", someCount, "They are open, and have failed before."),
	must("given_up", someCount, ""),
	may("delivered_at", someTime, "When the last one arrived. Absent: none has."),
)

// getEndpoint shows an endpoint, and how it does.
func (a *API) getEndpoint(w http.ResponseWriter, r *http.Request, caller auth.Identity) error {
	endpoint, err := a.endpointNamed(r.Context(), caller.Tenant, r.PathValue("id"))
	if err != nil {
		return err
	}
	return a.writeWhole(r.Context(), w, endpoint)
}

// writeWhole answers with an endpoint, and how it does.
func (a *API) writeWhole(ctx context.Context, w http.ResponseWriter, endpoint auth.Endpoint) error {
	health, err := a.healthOf(ctx, endpoint)
	if err != nil {
		return err
	}
	return a.writeEndpoint(ctx, w, http.StatusOK, endpoint, func(to *writer) { showHealth(to, health) })
}

// health is what came of the last deliveries to an endpoint.
type health struct {
	deliveries, delivered, failing, givenUp int64
	deliveredAt                             time.Time
}

func (a *API) healthOf(ctx context.Context, endpoint auth.Endpoint) (health, error) {
	last, err := a.config.Deliveries.Deliveries(ctx, endpoint.Tenant, webhook.Filter{Endpoint: endpoint.ID, Limit: healthMax})
	h := health{deliveries: int64(len(last))}
	for _, delivery := range last {
		switch delivery.Status {
		case webhook.StatusDelivered:
			h.delivered++
			if delivery.EndedAt.After(h.deliveredAt) {
				h.deliveredAt = delivery.EndedAt
			}
		case webhook.StatusGivenUp:
			h.givenUp++
		case webhook.StatusOpen:
			if delivery.Attempts > 0 {
				h.failing++
			}
		case webhook.StatusCanceled:
		}
	}
	return h, err
}

func showHealth(w *writer, h health) {
	w.begin("health")
	w.number("deliveries", h.deliveries)
	w.number("delivered", h.delivered)
	w.number("failing", h.failing)
	w.number("given_up", h.givenUp)
	w.time("delivered_at", h.deliveredAt)
	w.end()
}

// showDetail writes what only the endpoint's front door understands.
func showDetail(w *writer, endpoint payment.Endpoint) {
	if value, err := wire.Parse([]byte(endpoint.Detail)); err == nil && value.Is(wire.Object) {
		w.raw("detail", value.Compact())
	}
}
