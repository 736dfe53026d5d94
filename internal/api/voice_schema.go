package api

import (
	"net/http"
	"slices"

	"github.com/refundry/refundry/internal/openapi"
)

// told are the webhooks of our own API, by the noun of their kind, and what
// their data has.
var told = []struct {
	noun, summary string
	data          []openapi.Member
}{
	{"payment", "Something has become of a payment", []openapi.Member{must("payment", paymentSchema, "As it was then.")}},
	{"refund", "Something has become of a refund", []openapi.Member{must("refund", refundSchema, "As it was then.")}},
	{"dispute", "Something has become of a dispute", []openapi.Member{must("dispute", disputeSchema, "As it was then.")}},
	{"batch", "Something has become of a batch", []openapi.Member{must("batch", batchID, "Read it to see it.")}},
	{"endpoint", "Somebody tests the endpoint, or another one was disabled or enabled", []openapi.Member{
		may("message", someText, "For people. Of `endpoint.tried` only."),
		may("endpoint", endpointID, "Which was disabled or enabled."),
		may("reason", disabledFor, "Why it was disabled."),
		may("failing_since", someTime, "Since when nothing could be delivered to it."),
	}},
}

// tellingSchema is what [Voice.Body] writes about a noun.
func tellingSchema(name string, data []openapi.Member) *openapi.Schema {
	return shown(name, "What happened, and what it is about, as it was then.",
		must("type", &openapi.Schema{Type: openapi.String, Example: "refund.succeeded"}, "The event's kind."),
		must("timestamp", someTime, "When it happened."),
		may("sequence", someVersion,
			"Grows with every event of a payment, or of what else it is about. Absent: it is about nothing that has any."),
		must("data", shown("", "", data...), ""),
	)
}

// webhookOperations are the requests that we make, as the document has them.
func webhookOperations() []openapi.Operation {
	header := func(name, doc, example string) openapi.Parameter {
		return openapi.Parameter{Name: name, In: "header", Doc: doc, IsRequired: true, Schema: someText, Example: example}
	}
	headers := []openapi.Parameter{
		header("webhook-id", "The delivery's id: the same at every attempt.", exampleID("dlv")),
		header("webhook-timestamp", "When this attempt was made, in Unix seconds.", "1772366400"),
		header("webhook-signature", "`v1,` and HMAC-SHA256, `v1a,` and Ed25519, with spaces between; two of the first while a "+
			"secret is rotated.", "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4="),
	}
	operations := make([]openapi.Operation, len(told))
	for i, told := range told {
		schema := tellingSchema("Telling"+titled(told.noun), told.data)
		operations[i] = openapi.Operation{
			Method: http.MethodPost, Path: told.noun, ID: "tell" + titled(told.noun), Summary: told.summary,
			Doc: "An attempt that any 2xx ends. It may come twice, and unless the endpoint wants otherwise out of order: " +
				"`webhook-id` and `sequence` tell.",
			Tag: string(tagEndpoints), Parameters: slices.Clone(headers),
			Body: &openapi.Content{Media: mediaJSON, Schema: schema}, BodyIsNeeded: true,
			Answers: []openapi.Answer{
				{Status: http.StatusNoContent, Doc: "It has been told."},
				{Status: http.StatusGone, Doc: "The endpoint is gone: it is disabled."},
				{Status: http.StatusServiceUnavailable, Doc: "Not now: it is told again, not before `Retry-After`."},
			},
		}
	}
	return operations
}

// titled returns a noun with a capital.
func titled(noun string) string { return string(noun[0]-'a'+'A') + noun[1:] }
