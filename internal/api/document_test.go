package api_test

import (
	"bytes"
	"fmt"
	"go/format"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/refundry/refundry/internal/api"
)

// kept compares a file that follows from the code with what is checked in, or
// with -update rewrites it.
func kept(t *testing.T, path string, want []byte) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, want, 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is out of date: go test ./internal/api -update, twice if examples have changed", path)
	}
}

// load returns the document as its readers do.
func load(t testing.TB) *openapi3.T {
	t.Helper()
	document, err := openapi3.NewLoader().LoadFromData(api.Document().JSON())
	if err != nil {
		t.Fatal(err)
	}
	return document
}

func TestDocumentIsUpToDate(t *testing.T) {
	t.Parallel()
	kept(t, "../../docs/openapi.json", api.Document().JSON())
}

func TestDocumentIsServed(t *testing.T) {
	t.Parallel()
	w := setup(t)
	got := send(t, w.server, "GET", "/openapi.json", "").want(t, 200)
	if got.text != string(api.Document().JSON()) {
		t.Error("another document is served")
	}
}

// The document is valid, its examples fit their schemas, and nothing is missing
// of what its readers look for.
func TestDocumentIsClean(t *testing.T) {
	t.Parallel()
	document := load(t)
	if err := document.Validate(t.Context(), openapi3.EnableExamplesValidation(), openapi3.EnableSchemaFormatValidation()); err != nil {
		t.Fatal(err)
	}
	if len(document.Servers) == 0 || document.Info.License == nil {
		t.Error("no servers, or no licence")
	}
	tags := map[string]bool{}
	for _, tag := range document.Tags {
		if tag.Description == "" {
			t.Errorf("tag %s says nothing", tag.Name)
		}
		tags[tag.Name] = true
	}
	used, ids := map[string]bool{}, map[string]bool{}
	for path, item := range document.Paths.Map() {
		for method, operation := range item.Operations() {
			name := method + " " + path
			if operation.Summary == "" || operation.OperationID == "" || ids[operation.OperationID] {
				t.Errorf("%s has no summary, or no id of its own", name)
			}
			ids[operation.OperationID] = true
			if len(operation.Tags) != 1 || !tags[operation.Tags[0]] {
				t.Errorf("%s has tags %v", name, operation.Tags)
			}
			used[operation.Tags[0]] = true
			checkOperation(t, name, operation)
		}
	}
	for tag := range tags {
		if !used[tag] {
			t.Errorf("nothing has the tag %s", tag)
		}
	}
}

func checkOperation(t *testing.T, name string, operation *openapi3.Operation) {
	t.Helper()
	if operation.Security == nil {
		t.Errorf("%s says nothing about keys", name)
	}
	hasRefusal, hasSuccess := false, false
	for status, answer := range operation.Responses.Map() {
		hasRefusal = hasRefusal || strings.HasPrefix(status, "4")
		hasSuccess = hasSuccess || strings.HasPrefix(status, "2")
		if answer.Value.Description == nil || *answer.Value.Description == "" {
			t.Errorf("%s: %s says nothing", name, status)
		}
		for media, content := range answer.Value.Content {
			if media != "application/json" && media != "application/problem+json" {
				continue
			}
			if content.Example == nil && len(content.Examples) == 0 {
				t.Errorf("%s: %s has no example", name, status)
			}
		}
	}
	if !hasSuccess || !hasRefusal {
		t.Errorf("%s declares no success, or no refusal", name)
	}
	if body := operation.RequestBody; body != nil {
		for media, content := range body.Value.Content {
			if content.Example == nil {
				t.Errorf("%s: the body of %s has no example", name, media)
			}
		}
	}
	for _, parameter := range operation.Parameters {
		if parameter.Value.Description == "" {
			t.Errorf("%s: %s says nothing", name, parameter.Value.Name)
		}
	}
}

// Every scope is needed by an operation, and every operation for merchants
// needs one, but that which says whose key it is.
func TestScopesAreOfOperations(t *testing.T) {
	t.Parallel()
	needed := map[string]bool{}
	for _, row := range api.Table() {
		if row.Scope == "" != (row.IsOperators || row.IsForAnybody || row.ID == "getOwnTenant") {
			t.Errorf("%s needs the scope %q", row.ID, row.Scope)
		}
		needed[row.Scope] = true
	}
	for _, scope := range api.Scopes() {
		if !needed[scope] {
			t.Errorf("nothing needs %s", scope)
		}
	}
}

// The codes stand in a page of the documents too.
func TestPageOfCodesIsUpToDate(t *testing.T) {
	t.Parallel()
	var page strings.Builder
	page.WriteString("# Codes of errors\n\nPrograms branch on `code`, which never changes. A running Refundry has a page for each " +
		"at `/errors/<code>`, with an example. This page follows from `internal/api/code.go`.\n")
	for _, code := range api.Codes() {
		title, means, todo, again, status := api.ExplainedText(code)
		fmt.Fprintf(&page, "\n## %s\n\n%d. **%s.** %s\n\n%s\n\n%s\n", code, status, title, means, todo, again)
	}
	kept(t, "../../docs/errors.md", []byte(page.String()))
}

// The codes of the Go client follow from the table of codes.
func TestClientKnowsEveryCode(t *testing.T) {
	t.Parallel()
	var file strings.Builder
	file.WriteString(`// Code generated by go test ./internal/api -update. DO NOT EDIT.

package client

// Code names what went wrong. It never changes. Each has a page at Refundry:
// /errors/<code>.
type Code string

// Error implements error, so that [errors.Is] can ask for a code.
func (c Code) Error() string { return "refundry: " + string(c) }

// The codes.
const (
`)
	for _, code := range api.Codes() {
		title, _, _, _, _ := api.ExplainedText(code)
		var name strings.Builder
		for part := range strings.SplitSeq(strings.ReplaceAll(code, "json", "JSON"), "_") {
			name.WriteString(strings.ToUpper(part[:1]) + part[1:])
		}
		fmt.Fprintf(&file, "\t%s Code = %q // %s\n", name.String(), code, title)
	}
	file.WriteString(")\n")
	text, err := format.Source([]byte(file.String()))
	if err != nil {
		t.Fatal(err)
	}
	kept(t, "../../client/code.go", text)
}

// The types of TypeScript follow from the document.
func TestTypesAreUpToDate(t *testing.T) {
	t.Parallel()
	kept(t, "../../client/typescript/refundry.d.ts", api.Document().TypeScript(
		"The types of Refundry's API, from docs/openapi.json. To make them again: go test ./internal/api -update"))
}
