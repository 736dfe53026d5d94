package api

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"
	"strings"
	"time"

	"github.com/refundry/refundry/internal/auth"
	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/openapi"
	"github.com/refundry/refundry/internal/wire"
)

// pages are what browsers see. Redoc (MIT) is as its package of version 2.5.4
// has it, with its licences.
//
//go:embed page
var pages embed.FS

var templates = template.Must(template.ParseFS(pages, "page/error.html", "page/errors.html"))

const (
	mediaHTML   = "text/html"
	mediaText   = "text/plain"
	mediaScript = "text/javascript"

	// Nothing of a page comes from elsewhere, and nothing goes there.
	policyOfPages = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
	policyOfDocs  = policyOfPages + "; script-src 'self'; connect-src 'self'; img-src 'self' data:; worker-src blob:"
)

func (a *API) documentOperations() []operation {
	text := &openapi.Schema{Type: openapi.String}
	return []operation{
		{
			method: "GET", path: "/errors/{code}", id: "explainCode", tag: tagDocument, summary: "Explain a code",
			doc: "What it means, what to do, and an example.", access: forAnybody, serve: a.explainCode,
			parameters: []openapi.Parameter{{
				Name: "code", In: "path", Doc: "Of an error.", IsRequired: true, Schema: codeSchema, Example: "not_found",
			}},
			answers: []openapi.Answer{{
				Status: http.StatusOK, Doc: "A page for people, or a text for those who do not ask for HTML.",
				Contents: []openapi.Content{{Media: mediaText, Schema: text}, {Media: mediaHTML, Schema: text}},
			}},
		},
		{method: "GET", path: "/openapi.json", access: forAnybody, isUnlisted: true, serve: a.getDocument},
		{method: "GET", path: "/errors", access: forAnybody, isUnlisted: true, serve: a.listCodes},
		{method: "GET", path: "/docs", access: forAnybody, isUnlisted: true, serve: a.showDocs},
		{method: "GET", path: "/docs/redoc.standalone.js", access: forAnybody, isUnlisted: true, serve: a.showRedoc},
	}
}

// showDocs shows the document to people.
func (a *API) showDocs(w http.ResponseWriter, _ *http.Request, _ auth.Identity) error {
	return answerFile(w, "page/docs.html", mediaHTML+"; charset=utf-8", policyOfDocs)
}

// showRedoc answers with what shows the document.
func (a *API) showRedoc(w http.ResponseWriter, _ *http.Request, _ auth.Identity) error {
	return answerFile(w, "page/redoc.standalone.js", mediaScript+"; charset=utf-8", policyOfPages)
}

func answerFile(w http.ResponseWriter, name, media, policy string) error {
	text, err := pages.ReadFile(name)
	if err != nil {
		return fmt.Errorf("read a page: %w", err)
	}
	answerPage(w, media, policy, text)
	return nil
}

// answerPage answers with a page that may reach nothing but what its policy names.
func answerPage(w http.ResponseWriter, media, policy string, text []byte) {
	w.Header().Set("Content-Security-Policy", policy)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Referrer-Policy", "no-referrer")
	wire.Answer(w, http.StatusOK, media, text)
}

// explained is a code as its page has it.
type explained struct {
	Code                           code
	Status                         int
	Retryable                      bool
	Title, Retry, Key, Means, Todo string
	Example                        string
}

func explain(of code) explained {
	facts := problems[of]
	retry := "Sending the same request again will not help."
	if facts.retryable {
		retry = "The same request may succeed later, unchanged."
	}
	key := "The same Idempotency-Key may be used again, for this request or a corrected one: a refusal does not keep it."
	switch of {
	case codeKeyReused, codeKeyUsed:
		key = "The Idempotency-Key stays with the request that it was first used with: another request needs another key."
	case codeKey:
		key = "This Idempotency-Key is never taken."
	default:
	}
	var indented bytes.Buffer
	if err := json.Indent(&indented, exampleProblem(of).json(), "", "  "); err != nil {
		panic("api: a problem that is not JSON")
	}
	return explained{
		Code: of, Status: facts.status, Retryable: facts.retryable, Title: facts.title, Retry: retry, Key: key,
		Means: facts.means, Todo: facts.todo, Example: fmt.Sprintf("HTTP/1.1 %d %s\nContent-Type: %s\n\n%s", facts.status,
			http.StatusText(facts.status), mediaProblem, indented.String()),
	}
}

// exampleProblem is an answer with a code.
func exampleProblem(of code) *problem {
	p := &problem{code: of, detail: problems[of].detail}
	switch of {
	case codeInvalid:
		p.errors = []wrong{{Pointer: "#/amount", Detail: "must be a whole number from 1 to 9007199254740991"}}
	case codeCardNumber:
		p.errors = []wrong{{Pointer: "#/note", Detail: "looks like a card number"}}
	case "refundable_amount_exceeded", "expected_refundable_differs":
		p.refundable = &money.Amount{Minor: 6450, Currency: "EUR"}
	case "too_early", "velocity_exceeded":
		p.from = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	default: // says nothing more
	}
	return p
}

// wantsPage reports whether a browser asks.
func wantsPage(r *http.Request) bool { return strings.Contains(r.Header.Get("Accept"), mediaHTML) }

// listCodes shows all codes.
func (a *API) listCodes(w http.ResponseWriter, r *http.Request, _ auth.Identity) error {
	var all []explained
	for _, code := range codes() {
		all = append(all, explain(code))
	}
	var text bytes.Buffer
	if !wantsPage(r) {
		for _, one := range all {
			fmt.Fprintf(&text, "%-30s %d  %s\n", one.Code, one.Status, one.Title)
		}
		answerPage(w, mediaText+"; charset=utf-8", policyOfPages, text.Bytes())
		return nil
	}
	if err := templates.ExecuteTemplate(&text, "errors.html", all); err != nil {
		return fmt.Errorf("write a page: %w", err)
	}
	answerPage(w, mediaHTML+"; charset=utf-8", policyOfPages, text.Bytes())
	return nil
}

// explainCode explains one code.
func (a *API) explainCode(w http.ResponseWriter, r *http.Request, _ auth.Identity) error {
	of := code(r.PathValue("code"))
	if _, known := problems[of]; !known {
		return &problem{code: codeNotFound, detail: "there is no such code"}
	}
	one := explain(of)
	var text bytes.Buffer
	if !wantsPage(r) {
		fmt.Fprintf(&text, "%s\n\n%s. Status %d.\n\nWhat it means: %s\n\nWhat to do: %s\n\nThe same again: %s %s\n\n%s\n",
			one.Code, one.Title, one.Status, one.Means, one.Todo, one.Retry, one.Key, one.Example)
		answerPage(w, mediaText+"; charset=utf-8", policyOfPages, text.Bytes())
		return nil
	}
	if err := templates.ExecuteTemplate(&text, "error.html", one); err != nil {
		return fmt.Errorf("write a page: %w", err)
	}
	answerPage(w, mediaHTML+"; charset=utf-8", policyOfPages, text.Bytes())
	return nil
}
