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
var healthSchema = shown("EndpointHealth", "How deliveries to an endpoint go.",
	must("state", someWord("EndpointState", "`failing`: every attempt since `failing_since` was in vain.", healthStates...), ""),
	may("failing_since", someTime,
		"The first attempt in vain behind the last that arrived, and behind the last time it was enabled."),
	may("last_success_at", someTime, "The last attempt that arrived."),
	may("last_failure", shown("EndpointFailure", "An attempt in vain.",
		must("at", someTime, ""),
		may("status_code", someCount, "Absent: there was no answer."),
		may("error", someText, "Why there was none."),
	), "The last attempt in vain."),
	must("waiting", someCount, "Deliveries that wait for an attempt; no more than 1,000 are counted."),
	may("next_attempt_at", someTime, "When the first of these is due."),
	must("deliveries", someCount, "How many of the last deliveries were looked at, at most 100; of them:"),
	must("delivered", someCount, ""),
	must("failing", someCount, "They are open, and have failed before."),
	must("given_up", someCount, ""),
)

var healthStates = []string{"healthy", "failing", "disabled"}

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

// health is how deliveries to an endpoint go, and what came of the last ones.
type health struct {
	webhook.Health

	state                                   string
	deliveries, delivered, failing, givenUp int64
}

func (a *API) healthOf(ctx context.Context, endpoint auth.Endpoint) (h health, err error) {
	if h.Health, err = a.config.Deliveries.Health(ctx, endpoint.Tenant, endpoint.ID); err != nil {
		return h, err
	}
	last, err := a.config.Deliveries.Deliveries(ctx, endpoint.Tenant, webhook.Filter{Endpoint: endpoint.ID, Limit: healthMax})
	switch h.state = "healthy"; {
	case endpoint.Disabled:
		h.state = "disabled"
	case !h.FailingSince.IsZero():
		h.state = "failing"
	}
	h.deliveries = int64(len(last))
	for _, delivery := range last {
		switch delivery.Status {
		case webhook.StatusDelivered:
			h.delivered++
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
	w.string("state", h.state)
	w.time("failing_since", h.FailingSince)
	w.time("last_success_at", h.SucceededAt)
	if !h.FailedAt.IsZero() {
		w.begin("last_failure")
		w.time("at", h.FailedAt)
		if h.StatusCode > 0 {
			w.number("status_code", int64(h.StatusCode))
		}
		w.maybe("error", h.Error)
		w.end()
	}
	w.number("waiting", int64(h.Waiting))
	w.time("next_attempt_at", h.NextAt)
	w.number("deliveries", h.deliveries)
	w.number("delivered", h.delivered)
	w.number("failing", h.failing)
	w.number("given_up", h.givenUp)
	w.end()
}

// showDetail writes what only the endpoint's front door understands.
func showDetail(w *writer, endpoint payment.Endpoint) {
	if value, err := wire.Parse([]byte(endpoint.Detail)); err == nil && value.Is(wire.Object) {
		w.raw("detail", value.Compact())
	}
}
