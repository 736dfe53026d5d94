package api

import (
	"net/http"

	"github.com/refundry/refundry/internal/openapi"
)

// The functions here say, in the table of operations, what they take and what
// comes back.

const mediaJSON = "application/json"

// pathID is the id in an operation's path.
func pathID(schema *openapi.Schema) openapi.Parameter {
	return openapi.Parameter{
		Name: "id", In: "path", Doc: schema.Doc, IsRequired: true, Schema: schema, Example: schema.Example,
	}
}

// inQuery is a parameter that may be left out.
func inQuery(name string, schema *openapi.Schema, doc string) openapi.Parameter {
	return openapi.Parameter{Name: name, In: "query", Doc: doc, Schema: schema, Example: schema.Example}
}

// pageParameters are how a list is read in pages.
func pageParameters(byDefault, most int64) []openapi.Parameter {
	return []openapi.Parameter{
		inQuery("after", &openapi.Schema{Type: openapi.String}, "Go on from here: `next` of an earlier answer."),
		inQuery("limit", &openapi.Schema{
			Type: openapi.Integer, Min: new(int64(1)), Max: &most, Default: byDefault, Example: 10,
		}, "How many a page has at the most."),
	}
}

// answering is an answer of a status with one body.
func answering(status int, doc string, schema *openapi.Schema, headers ...openapi.Header) openapi.Answer {
	return openapi.Answer{
		Status: status, Doc: doc, Headers: headers, Contents: []openapi.Content{{Media: mediaJSON, Schema: schema}},
	}
}

// ok is the answer of what reads or changes something.
func ok(doc string, schema *openapi.Schema) []openapi.Answer {
	return []openapi.Answer{answering(http.StatusOK, doc, schema)}
}

// created is the answer of what makes something.
func created(doc string, schema *openapi.Schema, headers ...openapi.Header) []openapi.Answer {
	return []openapi.Answer{answering(http.StatusCreated, doc, schema, headers...)}
}

// nothing is the answer of what ends something.
func nothing(doc string) []openapi.Answer {
	return []openapi.Answer{{Status: http.StatusNoContent, Doc: doc}}
}

// page is a list under one name, and how to go on.
func page(name, list string, of *openapi.Schema) *openapi.Schema {
	return shown(name, "A page of a list.",
		must(list, listOf(of), ""),
		must("next", someText, "Where to go on: the next request's `after`. Empty at the beginning of an empty list."),
		must("has_more", someFlag, "Whether there is more now."),
	)
}

// whole is a list under one name.
func all(name, list string, of *openapi.Schema) *openapi.Schema {
	return shown(name, "A whole list.", must(list, listOf(of), ""))
}

// The headers of answers.
var (
	headerLocation = openapi.Header{
		Name: "Location", Doc: "Where the thing can be read.", IsRequired: true, Schema: someText,
		Example: "/v1/refunds/" + exampleID("rfd"),
	}
	headerReplayed = openapi.Header{
		Name: "Idempotent-Replayed", Doc: "`true`: the Idempotency-Key was used before, and this is the first answer once more.",
		Schema: &openapi.Schema{Type: openapi.String, Words: []string{"true"}}, Example: "true",
	}
	headerRequest = openapi.Header{
		Name: "X-Request-Id", Doc: "Names the request in our logs. A caller's own is kept, if it is short and plain.",
		IsRequired: true, Schema: someText, Example: "req_06e40bvx550000000000000001",
	}
	headerRetryAfter = openapi.Header{
		Name: "Retry-After", Doc: "Seconds to wait before the same request is sent again.", IsRequired: true,
		Schema: &openapi.Schema{Type: openapi.Integer, Min: new(int64)}, Example: 1,
	}
	headerAuthenticate = openapi.Header{
		Name: "WWW-Authenticate", Doc: "How callers prove who they are.", IsRequired: true, Schema: someText, Example: "Bearer",
	}
)
