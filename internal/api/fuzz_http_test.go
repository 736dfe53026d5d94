package api_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/refundry/refundry/internal/api"
)

// Whatever a body of an operation is, it is taken only if it fits the document's
// schema, it is never a fault of ours, and the answer repeats none of it.
func FuzzOperation(f *testing.F) {
	document := load(f)
	w := setup(f)
	var rows []api.Row
	for _, row := range api.Table() {
		if !row.IsListed {
			continue
		}
		body := document.Paths.Value(row.Path).GetOperation(row.Method).RequestBody
		if body == nil || body.Value.Content["application/json"] == nil {
			continue
		}
		example := exampleRequest(f, row.ID)
		for _, text := range []string{
			example.body, "", "{}", "[]", `{"` + secret + `": 1}`, strings.ReplaceAll(example.body, `": "`, `": "`+secret),
			strings.ReplaceAll(example.body, `": "`, `": null, "x": "`),
		} {
			f.Add(len(rows), text)
		}
		rows = append(rows, row)
	}
	path := strings.NewReplacer("{id}", "res_"+zeroID[1:]+"1", "{door}", "api")
	f.Fuzz(func(t *testing.T, at int, text string) {
		row := rows[int(uint(at)%uint(len(rows)))]
		schema := document.Paths.Value(row.Path).GetOperation(row.Method).RequestBody.Value.Content["application/json"].Schema.Value
		server, header := w.server, "Bearer "+w.key
		if row.IsOperators {
			server, header = w.operator, ""
		}
		r := httptest.NewRequestWithContext(t.Context(), row.Method, path.Replace(row.Path), strings.NewReader(text))
		r.Header.Set("Authorization", header)
		r.Header.Set("Refundry-Tenant", "shop")
		answer := httptest.NewRecorder()
		server.Config.Handler.ServeHTTP(answer, r)
		isTaken := answer.Code < http.StatusMultipleChoices
		if answer.Code >= http.StatusInternalServerError || !isTaken && strings.Contains(answer.Body.String(), secret) {
			t.Errorf("%s: %q: %d %s", row.ID, text, answer.Code, answer.Body)
		}
		if isTaken && !fitsBody(schema, text) {
			t.Errorf("%s: %q is taken", row.ID, text)
		}
	})
}

// fitsBody reports whether a body is one that a schema takes; nothing at all is an
// object without members.
func fitsBody(schema *openapi3.Schema, text string) bool {
	var small any // a number may be larger than the judge can hold
	return valid(schema, text) == nil || text == "" && valid(schema, "{}") == nil || json.Unmarshal([]byte(text), &small) != nil
}
