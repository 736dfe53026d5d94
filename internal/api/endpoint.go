package api

import (
	"context"
	"encoding/base64"
	"net/http"
	"slices"
	"strings"

	"github.com/refundry/refundry/internal/auth"
	"github.com/refundry/refundry/internal/openapi"
	"github.com/refundry/refundry/internal/payment"
)

const (
	urlMax         = 2000
	kindsMax       = 50
	secretBytesMin = 24 // as Standard Webhooks has it
	secretBytesMax = 64
	secretPrefix   = "whsec_"
)

func (a *API) endpointOperations() []operation {
	one := []openapi.Parameter{pathID(endpointID)}
	return append([]operation{
		{
			method: "GET", path: "/v1/endpoints", id: "listEndpoints", tag: tagEndpoints, summary: "List webhook endpoints",
			scope: scopeReadEndpoints, serve: a.listEndpoints,
			answers: ok("All endpoints that have not been removed.", all("EndpointList", "endpoints", endpointSchema)),
		},
		{
			method: "POST", path: "/v1/endpoints", id: "createEndpoint", tag: tagEndpoints, summary: "Add a webhook endpoint",
			doc: "From now on, events are told there. The secret is shown this once.", scope: scopeWriteEndpoints,
			body: endpointRequest, answers: created("The endpoint, with its secret.", endpointMade, headerLocation),
			serve: a.createEndpoint,
		},
		{
			method: "GET", path: "/v1/endpoints/{id}", id: "getEndpoint", tag: tagEndpoints, summary: "Read a webhook endpoint",
			scope: scopeReadEndpoints, parameters: one, answers: ok("The endpoint.", endpointWhole), serve: a.getEndpoint,
		},
	}, a.endpointChanges(one)...)
}

// endpointMembers are what showEndpoint writes.
var endpointMembers = []openapi.Member{
	must("id", endpointID, ""),
	must("door", someDoor, "In whose words, and with whose signature and schedule, events are told."),
	must("url", someText, ""),
	may("kinds", listOf(someText), "The kinds of event that are told; others may come. Absent: all."),
	must("is_disabled", someFlag, "Whether it is told nothing for now."),
	may("disabled_for", disabledFor, "Why it is disabled. Absent: it is not, or that was long ago."),
	may("is_ordered", someFlag, "`true`: the webhooks of a payment come one after the other, in order."),
	may("format", &openapi.Schema{Type: openapi.String, Words: []string{string(FormatCloudEvents)}},
		"Absent: our own; else CloudEvents 1.0."),
	may("detail", &openapi.Schema{Type: openapi.Object}, "What another front door than ours keeps of it."),
	must("created_at", someTime, ""),
}

var disabledFor = someWord("DisabledFor", "Why an endpoint is disabled: somebody asked for it, its receiver answered 410, or "+
	"for days nothing could be delivered.", payment.DisabledAsked, payment.DisabledGone, payment.DisabledFailing)

var endpointSchema = shown("Endpoint", "Where a tenant is told what happens.", endpointMembers...)

// endpointWhole is what writeEndpoint writes.
var endpointWhole = shown("EndpointWithKey", "An endpoint, and by what a receiver knows that we have called.",
	slices.Concat(endpointMembers, []openapi.Member{publicKey, must("health", healthSchema, "")})...)

// endpointMade is an endpoint with its secret.
var endpointMade = shown("EndpointWithSecret", "An endpoint, and what its deliveries are signed with.",
	slices.Concat(endpointMembers, []openapi.Member{
		publicKey,
		may("secret", &openapi.Schema{Type: openapi.String, Example: "whsec_…"},
			"Shown this once. Absent: the door signs with a key of its own."),
		may("previous_until", someTime, "The secret before it signs too, until then."),
	})...)

var publicKey = may("public_key", &openapi.Schema{Type: openapi.String, Example: "whpk_…"},
	"Verifies the `v1a` signatures (Ed25519). Absent: the door signs with keys of its own.")

func showEndpoint(w *writer, endpoint auth.Endpoint) {
	named(w, "id", endpoint.ID)
	w.string("door", string(endpoint.Door))
	w.string("url", endpoint.URL)
	if len(endpoint.Kinds) > 0 {
		w.any("kinds", endpoint.Kinds)
	}
	w.flag("is_disabled", endpoint.Disabled)
	w.maybe("disabled_for", string(endpoint.DisabledFor))
	if endpoint.Door == payment.DoorAPI {
		options := optionsOf(endpoint.Endpoint)
		if options.IsOrdered {
			w.flag("is_ordered", true)
		}
		w.maybe("format", string(options.Format))
	} else {
		showDetail(w, endpoint.Endpoint)
	}
	w.time("created_at", endpoint.CreatedAt)
}

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

// The members of requests about endpoints.
var (
	urlRequest = &openapi.Schema{
		Type: openapi.String, LengthMin: 1, LengthMax: urlMax, Pattern: "^https?://", Example: "https://shop.example/refunds",
	}
	kindsRequest = &openapi.Schema{
		Type: openapi.Array, IsNullable: true, ItemsMax: kindsMax,
		Items:   &openapi.Schema{Type: openapi.String, Words: toldKinds},
		Example: []string{"refund.succeeded", "refund.declined", "refund.failed", "refund.canceled", "refund.returned"},
	}
	orderedRequest = may("is_ordered", anyFlag(true),
		"The webhooks of a payment come one after the other, in order. Of endpoints of our own API only.")
	formats       = []string{"plain", string(FormatCloudEvents)}
	formatRequest = may("format", anyWord(formats...), "How webhooks are written. Of endpoints of our own API only.")
)

// secretPattern is the prefix, or none, and Base64 of 24 to 64 bytes.
const secretPattern = "^(whsec_)?(([A-Za-z0-9+/]{4}){8,20}([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{4})?" +
	"|([A-Za-z0-9+/]{4}){21}[A-Za-z0-9+/]{2}==)$"

// endpointRequest is what createEndpoint reads.
var endpointRequest = taken("EndpointRequest", "A webhook endpoint that is added.",
	must("url", urlRequest, "http:// or https://, without user, password or fragment."),
	may("kinds", kindsRequest, "The events that are told; all, unless they are named."),
	may("door", anyText(nameMax, "api"), "In whose words events are told; `api` unless it is named."),
	may("secret", &openapi.Schema{
		Type: openapi.String, IsNullable: true, LengthMax: nameMax, Pattern: secretPattern,
	}, "`whsec_` and Base64 of 24 to 64 bytes; a fresh one, unless it is named."),
	orderedRequest, formatRequest, detailRequests[0], detailRequests[1],
)

// createEndpoint makes a webhook endpoint. Its secret is shown this once.
func (a *API) createEndpoint(w http.ResponseWriter, r *http.Request, caller auth.Identity) error {
	in, err := a.read(w, r)
	if err != nil {
		return err
	}
	in.only(endpointRequest.Members)
	endpoint := auth.Endpoint{Tenant: caller.Tenant}
	if endpoint.Door = payment.Door(in.text("door", nameMax)); endpoint.Door == "" {
		endpoint.Door = payment.DoorAPI
	}
	if endpoint.Door != payment.DoorAPI && !slices.Contains(a.config.Doors, endpoint.Door) {
		in.wrong("door", "is not a front door that is known")
	}
	endpoint.URL, endpoint.Kinds = a.urlOf(in), in.kinds()
	in.options(&endpoint)
	a.detail(in, &endpoint)
	secret, raw := a.secretOf(in)
	if err := in.err(); err != nil {
		return err
	}
	if endpoint, err = a.config.Auth.PutEndpoint(r.Context(), by(r, caller), endpoint, raw); err != nil {
		return err
	}
	if endpoint.Door != payment.DoorAPI { // the dialects sign with keys of their own
		secret = ""
	}
	if makes, known := a.config.DoorSecrets[endpoint.Door]; known {
		if secret, _, err = makes(r.Context(), by(r, caller), caller.Tenant, true); err != nil {
			return err
		}
	}
	w.Header().Set("Location", "/v1/endpoints/"+endpoint.ID.String())
	return a.writeEndpoint(r.Context(), w, http.StatusCreated, endpoint, func(to *writer) {
		to.maybe("secret", secret.Reveal())
	})
}

// urlOf reads where an endpoint is.
func (a *API) urlOf(in object) string {
	url := in.required("url", urlMax)
	if !a.config.Reaches(url) {
		in.wrong("url", "names an address that is not public: webhooks go there only if the operator allows it, by "+
			"`refundry serve --allow` or REFUNDRY_ALLOW")
	}
	return url
}

// kinds reads which events an endpoint is told of. With one that is never told,
// somebody would wait in vain.
func (o object) kinds() []payment.EventKind {
	var kinds []payment.EventKind
	for _, kind := range o.texts("kinds", kindsMax) {
		if !slices.Contains(toldKinds, kind) {
			o.wrong("kinds", "has a kind of event that no endpoint is told: see docs/webhooks.md")
			return nil
		}
		kinds = append(kinds, payment.EventKind(kind))
	}
	return kinds
}

// options reads what an endpoint of our own may choose; what is absent stays.
func (o object) options(of *auth.Endpoint) {
	hasOrder, format := o.value.Get("is_ordered").IsGiven(), o.word("format", formats...)
	if !hasOrder && format == "" {
		return
	}
	if of.Door != payment.DoorAPI {
		o.wrong("", "is_ordered and format are of endpoints of our own API only")
		return
	}
	options := optionsOf(of.Endpoint)
	if hasOrder {
		options.IsOrdered = o.flag("is_ordered")
	}
	switch format {
	case string(FormatCloudEvents):
		options.Format = FormatCloudEvents
	case formats[0]:
		options.Format = FormatPlain
	}
	of.Detail = options.Detail()
}

// secretOf reads the secret of an endpoint, or makes one; raw is its bytes.
func (a *API) secretOf(in object) (secret auth.Secret, raw []byte) {
	secret = auth.Secret(in.text("secret", nameMax))
	if !in.value.Get("secret").IsGiven() {
		secret = auth.NewEndpointSecret(a.config.Random)
	}
	raw, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret.Reveal(), secretPrefix))
	if err != nil || len(raw) < secretBytesMin || len(raw) > secretBytesMax {
		in.wrong("secret", "must be whsec_ and Base64 of 24 to 64 bytes")
	}
	return secret, raw
}

// endpointNamed finds an endpoint by its id.
func (a *API) endpointNamed(ctx context.Context, tenant payment.TenantID, text string) (auth.Endpoint, error) {
	var id payment.EndpointID
	if id.Parse(text) != nil {
		return auth.Endpoint{}, payment.NoSuch("endpoint")
	}
	all, err := a.config.Auth.Endpoints(ctx, tenant)
	if err != nil {
		return auth.Endpoint{}, err
	}
	at := slices.IndexFunc(all, func(e auth.Endpoint) bool { return e.ID == id })
	if at < 0 {
		return auth.Endpoint{}, payment.NoSuch("endpoint")
	}
	return all[at], nil
}

// writeEndpoint answers with an endpoint, and what more there is to say.
func (a *API) writeEndpoint(ctx context.Context, w http.ResponseWriter, status int, endpoint auth.Endpoint, more func(*writer),
) error {
	to := newWriter()
	to.begin("")
	showEndpoint(to, endpoint)
	if endpoint.Door == payment.DoorAPI {
		_, public, err := signingKey(ctx, a.config.Auth, endpoint.Tenant)
		if err != nil {
			return err
		}
		to.string("public_key", public)
	}
	if more != nil {
		more(to)
	}
	to.end()
	write(w, status, false, to.text)
	return nil
}
