package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/refundry/refundry/internal/auth"
	"github.com/refundry/refundry/internal/engine"
	"github.com/refundry/refundry/internal/openapi"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/webhook"
)

// endpointChanges are the operations that change an endpoint, or let it be
// told something.
func (a *API) endpointChanges(one []openapi.Parameter) []operation {
	return []operation{
		{
			method: "PATCH", path: "/v1/endpoints/{id}", id: "changeEndpoint", tag: tagEndpoints,
			summary: "Change, disable or enable a webhook endpoint",
			doc: "Members that are absent stay as they are. A disabled endpoint is told nothing, and what was still open for " +
				"it is canceled: replay it later. To enable it again is to forget for how long it has failed.",
			scope: scopeWriteEndpoints, parameters: one, body: endpointChange, serve: a.changeEndpoint,
			answers: ok("The endpoint as it is now.", endpointWhole), codes: []code{codeConflict},
		},
		{
			method: "DELETE", path: "/v1/endpoints/{id}", id: "removeEndpoint", tag: tagEndpoints,
			summary: "Remove a webhook endpoint", doc: "What was still open for it is canceled.", scope: scopeWriteEndpoints,
			parameters: one, answers: nothing("It is gone."), serve: a.removeEndpoint,
		},
		{
			method: "POST", path: "/v1/endpoints/{id}/rotate", id: "rotateEndpointSecret", tag: tagEndpoints,
			summary: "Rotate an endpoint's secret",
			doc: "From now on, deliveries are signed with the new secret, and until the overlap ends with the old one too: " +
				"a receiver takes either. The new secret is shown this once.",
			scope: scopeWriteEndpoints, parameters: one, body: rotateRequest, serve: a.rotateEndpoint,
			answers: ok("The endpoint, with its new secret.", endpointMade), codes: []code{codeConflict},
		},
		{
			method: "POST", path: "/v1/endpoints/{id}/test", id: "testEndpoint", tag: tagEndpoints,
			summary: "Test a webhook endpoint",
			doc: "Sends one webhook that tells nothing, `endpoint.tried`, signed as any other. Read the delivery to see what " +
				"came of it: its id is in the answer.",
			scope: scopeWriteEndpoints, parameters: one, codes: []code{codeConflict}, serve: a.testEndpoint,
			answers: []openapi.Answer{
				answering(http.StatusAccepted, "The delivery, on its way.", deliverySchema, headerLocation),
			},
		},
		{
			method: "POST", path: "/v1/endpoints/{id}/replay", id: "replayEvents", tag: tagEndpoints,
			summary: "Tell an endpoint what it missed",
			doc: "Each event of a part of the feed becomes a new delivery, as if the endpoint had been there. One request " +
				"reads at most 10,000 events: go on from `next` while `has_more`.",
			scope: scopeWriteEndpoints, parameters: one, body: replayRequest, codes: []code{codeConflict}, serve: a.replayEvents,
			answers: []openapi.Answer{answering(http.StatusAccepted, "How many deliveries are on their way.", replaySchema)},
		},
	}
}

// endpointChange is what changeEndpoint reads.
var endpointChange = taken("EndpointChange", "What is to change of a webhook endpoint.",
	may("url", nullable(*urlRequest), "Whatever is told from now on goes there, what waits too; its health begins anew."),
	may("kinds", kindsRequest, "The events that are told; an empty list: all."),
	may("is_disabled", anyFlag(true), "Whether it is told nothing for now."),
	orderedRequest, formatRequest, detailRequests[0], detailRequests[1],
)

// changeEndpoint changes what is named of an endpoint.
func (a *API) changeEndpoint(w http.ResponseWriter, r *http.Request, caller auth.Identity) error {
	in, err := a.read(w, r)
	if err != nil {
		return err
	}
	in.only(endpointChange.Members)
	var id payment.EndpointID
	if id.Parse(r.PathValue("id")) != nil {
		return payment.NoSuch("endpoint")
	}
	endpoint, err := a.config.Auth.ChangeEndpoint(r.Context(), by(r, caller), caller.Tenant, id,
		func(endpoint *auth.Endpoint) error { return a.changed(in, endpoint) })
	if err != nil {
		return err
	}
	return a.writeWhole(r.Context(), w, endpoint)
}

// changed reads what is to change of an endpoint.
func (a *API) changed(in object, endpoint *auth.Endpoint) error {
	if in.value.Get("url").IsGiven() {
		endpoint.URL = a.urlOf(in)
	}
	if kinds := in.kinds(); in.value.Get("kinds").IsGiven() {
		endpoint.Kinds = kinds
	}
	if isDisabled := in.flag("is_disabled"); in.value.Get("is_disabled").IsGiven() {
		endpoint.Disabled = isDisabled
	}
	in.options(endpoint)
	a.detail(in, endpoint)
	return in.err()
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

// ourEndpoint finds an endpoint of our own API, which alone is signed and told
// as our own API does.
func (a *API) ourEndpoint(r *http.Request, caller auth.Identity) (auth.Endpoint, error) {
	endpoint, err := a.endpointNamed(r.Context(), caller.Tenant, r.PathValue("id"))
	if err == nil && endpoint.Door != payment.DoorAPI {
		err = &problem{code: codeConflict, detail: "the endpoint is another front door's"}
	}
	return endpoint, err
}

// openEndpoint finds an endpoint of our own API that may be told something.
func (a *API) openEndpoint(r *http.Request, caller auth.Identity) (auth.Endpoint, error) {
	endpoint, err := a.ourEndpoint(r, caller)
	if err == nil && endpoint.Disabled {
		err = &problem{code: codeConflict, detail: "the endpoint is disabled"}
	}
	return endpoint, err
}

const (
	overlapDefault = 24 * time.Hour     // in which a receiver takes over the new secret
	overlapMax     = 7 * 24 * time.Hour // longer, and an old secret is never out of use
)

// rotateRequest is what rotateEndpoint reads.
var rotateRequest = taken("RotateRequest", "How a secret is rotated.",
	may("overlap_seconds", whole(0, seconds(overlapMax), 3600), "How long the old secret signs too; a day, unless it is named."),
)

func seconds(of time.Duration) int64 { return int64(of / time.Second) }

// rotateEndpoint gives an endpoint a fresh secret.
func (a *API) rotateEndpoint(w http.ResponseWriter, r *http.Request, caller auth.Identity) error {
	in, err := a.read(w, r)
	if err != nil {
		return err
	}
	in.only(rotateRequest.Members)
	overlap := time.Duration(in.number("overlap_seconds", 0, seconds(overlapMax), seconds(overlapDefault))) * time.Second
	if err := in.err(); err != nil {
		return err
	}
	endpoint, err := a.endpointNamed(r.Context(), caller.Tenant, r.PathValue("id"))
	if err != nil {
		return err
	}
	var secret auth.Secret
	if makes, known := a.config.DoorSecrets[endpoint.Door]; known {
		if in.value.Get("overlap_seconds").IsGiven() {
			in.wrong("overlap_seconds", "is of endpoints of our own API only")
			return in.err()
		}
		secret, overlap, err = makes(r.Context(), by(r, caller), caller.Tenant, false)
	} else if endpoint, err = a.ourEndpoint(r, caller); err == nil {
		secret, err = a.config.Auth.RotateEndpointSecret(r.Context(), by(r, caller), caller.Tenant, endpoint.ID, "", overlap)
	}
	if err != nil {
		return err
	}
	until := a.config.Now().Add(overlap)
	return a.writeEndpoint(r.Context(), w, http.StatusOK, endpoint, func(to *writer) {
		to.string("secret", secret.Reveal())
		to.time("previous_until", until)
	})
}

// testEndpoint sends a webhook that tells nothing.
func (a *API) testEndpoint(w http.ResponseWriter, r *http.Request, caller auth.Identity) error {
	endpoint, err := a.openEndpoint(r, caller)
	if err != nil {
		return err
	}
	command := payment.TryEndpoint{Meta: meta(r, caller), Endpoint: endpoint.Endpoint}
	answer, err := a.config.Engine.Do(r.Context(), command)
	if err != nil {
		return err
	}
	delivery, err := a.config.Deliveries.Delivery(r.Context(), caller.Tenant, answer.Delivery)
	if err != nil {
		return err
	}
	w.Header().Set("Location", "/v1/deliveries/"+delivery.ID.String())
	writeDelivery(w, http.StatusAccepted, delivery)
	return nil
}

// Replay tells an endpoint once more what happened, see [webhook.Replayer].
type Replay func(ctx context.Context, meta payment.Meta, tenant *payment.Tenant, replay webhook.Replay,
) (webhook.Replayed, error)

// replayRequest is what replayEvents reads.
var replayRequest = taken("ReplayRequest", "A part of the feed.",
	may("after", &openapi.Schema{
		Type: openapi.String, IsNullable: true, LengthMax: nameMax, Pattern: "^([0-9a-f]+-[0-9a-f]+)?$", Example: "1-0",
	}, "Events behind this cursor; all, unless it is named."),
	may("from", anyTime("2026-03-01T00:00:00Z"), "Of these, those that happened at this time or later."),
	may("until", anyTime("2026-03-02T00:00:00Z"),
		"Of these, those that happened before this time; up to now, unless it is named."),
	may("only_missed", anyFlag(true), "Only events of which no delivery to this endpoint has arrived or is on its way."),
	may("limit", whole(1, webhook.ReplayMax, 1000), "How many events are read at the most; 10,000, unless it is named."),
)

// replaySchema is what replayEvents writes.
var replaySchema = shown("Replayed", "What a replay came to.",
	must("deliveries", someCount, "How many were made."),
	may("first", deliveryID, "The oldest of them: `GET /v1/deliveries` lists them with it as `since`, and this endpoint. "+
		"Absent: none was made."),
	must("next", someText, "Where the next request goes on: its `after`."),
	must("has_more", someFlag, "Whether there is more now."),
)

// replayEvents tells an endpoint what it missed.
func (a *API) replayEvents(w http.ResponseWriter, r *http.Request, caller auth.Identity) error {
	in, err := a.read(w, r)
	if err != nil {
		return err
	}
	in.only(replayRequest.Members)
	after, ok := payment.ParseCursor(in.text("after", nameMax))
	if !ok {
		in.wrong("after", "must be a cursor from the feed")
	}
	replay := webhook.Replay{
		After: after, From: in.time("from", latest), Until: in.time("until", latest),
		Limit: int(in.number("limit", 1, webhook.ReplayMax, webhook.ReplayMax)), IsMissed: in.flag("only_missed"),
	}
	if err := in.err(); err != nil {
		return err
	}
	endpoint, err := a.openEndpoint(r, caller)
	if err != nil {
		return err
	}
	tenant, err := a.config.Auth.Tenant(r.Context(), caller.Tenant)
	if err != nil {
		return err
	}
	replay.Endpoint = endpoint.Endpoint
	replayed, err := a.config.Replay(r.Context(), meta(r, caller), tenant, replay)
	if err != nil && (replayed.Next == after || errors.Is(err, engine.ErrFateUnknown)) {
		return err
	} // one that broke off later says how far it came
	to := newWriter()
	to.begin("")
	to.number("deliveries", int64(replayed.Deliveries))
	named(to, "first", replayed.First)
	showNext(to, replayed.Next != payment.Cursor{}, replayed.Next.String(), !replayed.IsOver)
	to.end()
	write(w, http.StatusAccepted, false, to.text)
	return nil
}
