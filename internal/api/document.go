package api

import (
	"embed"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/refundry/refundry/internal/auth"
	"github.com/refundry/refundry/internal/openapi"
	"github.com/refundry/refundry/internal/wire"
)

// schemeKey is how merchants prove who they are.
const schemeKey = "key"

// operatorServer is where operators' operations are found.
var operatorServer = openapi.Server{
	URL: "/", Doc: "The operator's socket in the data folder. No key is needed there, and none is enough elsewhere.",
}

// describe returns the OpenAPI document of the table.
func (a *API) describe() []byte { return a.openAPI().JSON() }

// openAPI returns the table as a document.
func (a *API) openAPI() openapi.Document {
	document := openapi.Document{
		Title: "Refundry", Version: "1", License: "Apache-2.0", Servers: []openapi.Server{{URL: "/", Doc: "This server."}},
		Doc: documentText,
		Tags: []openapi.Tag{
			{Name: string(tagPayments), Doc: "What was paid, so that it can be refunded."},
			{Name: string(tagRefunds), Doc: "Money on its way back."},
			{Name: string(tagBatches), Doc: "Up to a million refunds that are asked for together."},
			{Name: string(tagDisputes), Doc: "Payments that their payers contest."},
			{Name: string(tagEvents), Doc: "Everything that happened, in the order in which it was committed."},
			{Name: string(tagEndpoints), Doc: "Where events are told, as Standard Webhooks has it."},
			{Name: string(tagDeliveries), Doc: "One event for one endpoint, with every attempt to tell it."},
			{Name: string(tagLedger), Doc: "The books, in double entry."},
			{Name: string(tagReports), Doc: "What there is, as files for spreadsheets and programs."},
			{Name: string(tagAudit), Doc: "Who did what, and when: sealed in one chain, so that a change is found."},
			{Name: string(tagOperators), Doc: "For the operator's command line, over the socket in the data folder."},
			{Name: string(tagDocument), Doc: "A page for each code of an error. Nobody needs a key to read it."},
		},
		Schemes: []openapi.Scheme{{
			Name: schemeKey, HTTP: "bearer",
			Doc: "A key of the tenant: `Authorization: Bearer rfk_…`. A key may have scopes; one without any may do everything.",
		}},
		Webhooks: webhookOperations(),
	}
	for _, operation := range a.table {
		if !operation.isUnlisted {
			document.Operations = append(document.Operations, operation.describe())
		}
	}
	return document
}

// documentText says what holds for all operations.
//
//go:embed page/document.md
var documentText string

// describe returns the operation as the document has it.
func (o operation) describe() openapi.Operation {
	example := exampleOf(o.id)
	described := openapi.Operation{
		Method: o.method, Path: o.path, ID: o.id, Summary: o.summary, Doc: o.doc, Tag: string(o.tag), Parameters: o.parameters,
	}
	switch {
	case o.isOperators():
		described.Servers = []openapi.Server{operatorServer}
	case o.access == forMerchants:
		described.Scheme, described.Roles = schemeKey, []string{string(o.scope)}
	}
	if o.takesKey {
		described.Parameters = append(slices.Clip(described.Parameters), keyParameter)
	}
	if o.takesUser {
		described.Parameters = append(slices.Clip(described.Parameters), userParameter)
	}
	if o.access == forOperators {
		described.Parameters = append(slices.Clip(described.Parameters), tenantParameter)
	}
	if o.body != nil {
		described.Body = &openapi.Content{Media: o.bodyMedia, Schema: o.body, Example: example.request}
		if o.bodyMedia == "" {
			described.Body.Media = mediaJSON
		}
		described.BodyIsNeeded = isNeeded(o.body)
	}
	for _, answer := range o.answers {
		answer.Headers = append(slices.Clip(answer.Headers), headerRequest)
		if o.takesKey {
			answer.Headers = append(answer.Headers, headerReplayed)
		}
		answer.Contents = slices.Clone(answer.Contents)
		for i := range answer.Contents {
			if answer.Status == example.status && answer.Contents[i].Media == example.media {
				answer.Contents[i].Example = example.answer
			}
		}
		described.Answers = append(described.Answers, answer)
	}
	described.Answers = append(described.Answers, problemAnswers(o.allCodes())...)
	return described
}

// isNeeded reports whether a body must have members.
func isNeeded(body *openapi.Schema) bool {
	return len(body.OneOf) > 0 || body.Type != openapi.Object ||
		slices.ContainsFunc(body.Members, func(m openapi.Member) bool { return m.IsRequired })
}

var keyParameter = openapi.Parameter{
	Component: "IdempotencyKey", Name: keyHeader, In: "header", Example: "return-77",
	Doc: "Your name for what you want done once: 1 to 255 visible ASCII characters, quoted or bare.",
	Schema: &openapi.Schema{
		Type: openapi.String, LengthMin: 1, LengthMax: keyTextMax + len(`""`), Pattern: "^[!-~]+$",
	},
}

var tenantParameter = openapi.Parameter{
	Component: "Tenant", Name: tenantHeader, In: "header", Example: "shop",
	Doc:    "The tenant's name or id. The only one need not be named.",
	Schema: &openapi.Schema{Type: openapi.String},
}

// problemAnswers returns the answers with some codes, by status.
func problemAnswers(all []code) []openapi.Answer {
	byStatus := map[int][]code{}
	for _, code := range all {
		status := problems[code].status
		byStatus[status] = append(byStatus[status], code)
	}
	answers := make([]openapi.Answer, 0, len(byStatus))
	for _, status := range sortedStatuses(byStatus) {
		answers = append(answers, problemAnswer(status, byStatus[status]))
	}
	return answers
}

func sortedStatuses(byStatus map[int][]code) []int {
	statuses := make([]int, 0, len(byStatus))
	for status := range byStatus {
		statuses = append(statuses, status)
	}
	slices.Sort(statuses)
	return statuses
}

// problemAnswer returns the answer with a status and one of some codes. Those
// that have the same codes share a component.
func problemAnswer(status int, all []code) openapi.Answer {
	content := openapi.Content{Media: mediaProblem, Schema: &openapi.Schema{AllOf: []*openapi.Schema{problemSchema, {
		Members: []openapi.Member{{Name: "code", IsRequired: true, Schema: &openapi.Schema{Words: wordsOf(all...)}}},
	}}}}
	titles := make([]string, len(all))
	for i, code := range all {
		titles[i] = fmt.Sprintf("`%s`: %s.", code, strings.ToLower(problems[code].title[:1])+problems[code].title[1:])
		content.Examples = append(content.Examples, openapi.Example{
			Name: string(code), Title: problems[code].title, Doc: problems[code].means,
			Value: openapi.Raw(string(exampleProblem(code).json())),
		})
	}
	headers := []openapi.Header{headerRequest}
	switch status {
	case http.StatusUnauthorized:
		headers = append(headers, headerAuthenticate)
	case http.StatusServiceUnavailable:
		headers = append(headers, headerRetryAfter)
	}
	answer := openapi.Answer{
		Status: status, Doc: strings.Join(titles, " "), Headers: headers, Contents: []openapi.Content{content},
	}
	if len(all) <= sharedCodesMax {
		answer.Component = strings.Join(wordsOf(all...), "_or_")
	}
	return answer
}

// sharedCodesMax is up to how many codes the name of an answer can be read.
const sharedCodesMax = 3

// example is a request to an operation, and what it is answered with.
type example struct {
	request any // the body
	status  int
	media   string
	answer  any // the body
}

// examples has a file for each operation: a request, and the answer to it. A
// test sends the requests and compares, or with -update rewrites, the answers.
//
//go:embed examples/*.http
var examples embed.FS

// exampleOf returns the example of an operation, with ids in the place of what
// tests fill in; nothing if there is none.
func exampleOf(id string) example {
	text, err := examples.ReadFile("examples/" + id + ".http")
	if err != nil {
		return example{}
	}
	request, answer, _ := strings.Cut(string(text), "\n\nHTTP/1.1 ")
	_, requestBody, _ := strings.Cut(request, "\n\n")
	head, answerBody, _ := strings.Cut(answer, "\n\n")
	var e example
	_, _ = fmt.Sscan(head, &e.status)
	_, e.media, _ = strings.Cut(head, "Content-Type: ")
	e.media, _, _ = strings.Cut(strings.TrimSpace(e.media), ";")
	e.request, e.answer = exampleValue(filledIn(requestBody)), exampleValue(answerBody)
	return e
}

// exampleValue returns a body as a document shows it: JSON as it is, else a text.
func exampleValue(body string) any {
	body = strings.TrimSpace(body)
	switch {
	case body == "":
		return nil
	case json.Valid([]byte(body)):
		return openapi.Raw(body)
	default:
		return body + "\n"
	}
}

// exampleVariables are the things that examples are about, by what stands for
// their ids in a request.
var exampleVariables = map[string]string{
	"$REVIEWED": "rfd", "$DECLINED": "rfd", "$AUTHORIZED": "pay",
	"$PAYMENT": "pay", "$REFUND": "rfd", "$SCHEDULED": "rfd", "$WAITING": "rfd", "$DISPUTE": "dsp", "$ENDPOINT": "end",
	"$DELIVERY": "dlv", "$KEY": "key", "$BATCH": "bat", "$READY": "bat", "$RUNNING": "bat", "$PAUSED": "bat", "$DONE": "bat",
	"$PERSON": "per", "$TENANT": "ten",
}

func filledIn(text string) string {
	for variable, prefix := range exampleVariables {
		text = strings.ReplaceAll(text, variable, exampleID(prefix))
	}
	return text
}

// getDocument answers with the document.
func (a *API) getDocument(w http.ResponseWriter, _ *http.Request, _ auth.Identity) error {
	wire.Answer(w, http.StatusOK, mediaJSON, a.document())
	return nil
}
