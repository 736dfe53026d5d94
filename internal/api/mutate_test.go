package api_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
)

// driveQueries sends parameters that are right, wrong and unknown.
func (d *driver) driveQueries(t *testing.T) {
	t.Helper()
	path, _, _ := strings.Cut(d.example.path, "?")
	for _, parameter := range d.operation.Parameters {
		if parameter.Value.In != openapi3.ParameterInQuery {
			continue
		}
		schema := parameter.Value.Schema.Value
		values := append(textsFor(schema), "\x00", "\xff", strings.Repeat("9", 3000), "")
		if parameter.Value.Example != nil {
			values = append(values, fmt.Sprint(parameter.Value.Example))
		}
		for _, value := range values {
			r := d.example
			r.path = path + "?" + parameter.Value.Name + "=" + url.QueryEscape(value)
			what := fmt.Sprintf("%s=%.40q", parameter.Value.Name, value)
			got := d.send(t, what, r)
			isRefused := got.status == http.StatusUnprocessableEntity || got.status == http.StatusNotFound
			if value != "" && !fits(schema, value) && !isRefused {
				t.Errorf("%s: %s does not fit and is taken: %d", d.row.ID, what, got.status)
			}
		}
	}
	if d.row.IsForAnybody {
		return
	}
	r := d.example
	r.path = path + "?nonsense=1"
	if got := d.send(t, "an unknown parameter", r); got.status != http.StatusUnprocessableEntity {
		t.Errorf("%s: an unknown parameter: %d", d.row.ID, got.status)
	}
}

// fits reports whether a text is what a parameter takes.
func fits(schema *openapi3.Schema, text string) bool {
	switch {
	case schema.Type.Is("array"):
		return fits(schema.Items.Value, text)
	case schema.Type.Is("integer"):
		return valid(schema, text) == nil
	default:
		quoted, _ := json.Marshal(text)
		return valid(schema, string(quoted)) == nil
	}
}

// textsFor returns texts that a parameter might take and might not.
func textsFor(schema *openapi3.Schema) []string {
	texts := []string{"x", "0", "-1", "1", "1.5", "9007199254740992", "true", "null", "2026-03-01", "2026-03-01T12:00:00Z"}
	for _, word := range schema.Enum {
		texts = append(texts, fmt.Sprint(word))
	}
	if schema.Min != nil {
		texts = append(texts, fmt.Sprint(*schema.Min), fmt.Sprint(*schema.Min-1))
	}
	if schema.Max != nil {
		texts = append(texts, fmt.Sprintf("%.0f", *schema.Max), fmt.Sprintf("%.0f", *schema.Max+1))
	}
	return texts
}

// driveKeys sends idempotency keys that are none, and one that is used again.
func (d *driver) driveKeys(t *testing.T) {
	t.Helper()
	if !d.row.TakesKey {
		return
	}
	with := func(key string) request {
		r := d.example
		r.headers = []string{"Idempotency-Key: " + key}
		return r
	}
	for _, key := range []string{`""`, "a b", "é", strings.Repeat("k", 256), `"a"b"`} {
		if got := d.send(t, "the key "+key, with(key)); got.status != http.StatusUnprocessableEntity {
			t.Errorf("%s: the key %.20s: %d", d.row.ID, key, got.status)
		}
	}
	r := with("again-" + d.row.ID)
	filled, _ := d.world.fill(t, r.path+"\x00"+r.body)
	r.path, r.body, _ = strings.Cut(filled, "\x00")
	first, again := d.send(t, "a key", r), d.send(t, "a key again", r)
	if first.status != again.status || first.text != again.text || again.header.Get("Idempotent-Replayed") != "true" {
		t.Errorf("%s: a key again: %d %s, at first %d %s", d.row.ID, again.status, again.text, first.status, first.text)
	}
	if d.operation.RequestBody == nil {
		return
	}
	r.body = strings.Replace(r.body, "{", `{"message": "another",`, 1)
	if _, hasMessage := d.bodySchema().Properties["message"]; hasMessage && strings.Count(r.body, `"message"`) == 1 {
		if got := d.send(t, "a key with another body", r); got.body["code"] != "idempotency_key_reused" {
			t.Errorf("%s: a key with another body: %d %s", d.row.ID, got.status, got.text)
		}
	}
}

// bodySchema returns what a body, or each line of one, must be.
func (d *driver) bodySchema() *openapi3.Schema {
	content := d.operation.RequestBody.Value.Content
	if content["application/json"] == nil {
		return d.contract.document.Components.Schemas[requestLines[d.row.ID]].Value
	}
	return content["application/json"].Schema.Value
}

// notJSON are bodies that nothing takes.
var notJSON = []string{
	`{`, `{"a":}`, `{} x`, `{"a": 1, "a": 1}`, `{"a": "\u0000"}`, `{"a": "\ud800"}`, "{\"a\": \"\xff\"}", `nul`,
	strings.Repeat("[", 100) + strings.Repeat("]", 100),
}

// driveBodies sends bodies that are right, and bodies with one thing wrong.
func (d *driver) driveBodies(t *testing.T) {
	t.Helper()
	isLines := d.operation.RequestBody.Value.Content["application/json"] == nil
	for _, body := range notJSON {
		r := d.example
		r.body = body
		if got := d.send(t, "no JSON", r); !isLines && got.status != http.StatusBadRequest {
			t.Errorf("%s: %.40q: %d %s", d.row.ID, body, got.status, got.text)
		}
	}
	if !isLines {
		r := d.example
		r.body = `{"` + strings.Repeat("x", 300<<10) + `": 1}`
		if got := d.send(t, "a huge body", r); got.status != http.StatusRequestEntityTooLarge {
			t.Errorf("%s: a huge body: %d", d.row.ID, got.status)
		}
		r = d.example
		r.headers = []string{"Content-Type: text/plain"}
		if got := d.send(t, "a text", r); got.status != http.StatusUnsupportedMediaType {
			t.Errorf("%s: a text: %d", d.row.ID, got.status)
		}
	}
	text, _, _ := strings.Cut(d.example.body, "\n{") // the first line, of several
	var base any
	if err := json.Unmarshal([]byte(text), &base); err != nil {
		t.Fatal(err)
	}
	schema := d.bodySchema()
	if len(schema.Properties) == 0 && len(schema.AnyOf) > 0 { // the example is of the first kind
		schema = schema.AnyOf[0].Value
	}
	for _, mutant := range mutants(base, schema) {
		d.driveBody(t, mutant)
	}
}

// driveBody sends one body: the server and the schema must be of one mind.
func (d *driver) driveBody(t *testing.T, m mutant) {
	t.Helper()
	text, err := json.Marshal(m.value)
	if err != nil {
		t.Fatal(err)
	}
	r := d.example
	r.body = string(text)
	got := d.send(t, m.what, r)
	code, status := fmt.Sprint(got.body["code"]), got.status
	if line, isLine := got.body["error"].(map[string]any); isLine {
		code, status = fmt.Sprint(line["code"]), http.StatusUnprocessableEntity
	}
	if rows, isBatch := got.body["rows"].(map[string]any); isBatch && fmt.Sprint(rows["invalid"]) != "0" {
		code, status = "invalid_request", http.StatusUnprocessableEntity
	}
	mismatch := d.contract.judge(d.bodySchema(), d.row.ID, string(text))
	knowsLess := strings.Contains(got.text, "that is known") || strings.Contains(got.text, "bytes") // than the server
	switch {
	case mismatch != nil && status != http.StatusUnprocessableEntity:
		t.Errorf("%s: %s: the schema refuses and the server takes: %d %.200s", d.row.ID, m.what, got.status, got.text)
	case mismatch == nil && code == "invalid_request" && !m.isBeyondSchemas && !knowsLess:
		t.Errorf("%s: %s: the schema takes and the server refuses: %.300s", d.row.ID, m.what, got.text)
	}
}

// mutant is a body with one thing changed.
type mutant struct {
	what            string
	value           any
	isBeyondSchemas bool // no schema can say that it is wrong
}

// mutants returns bodies that differ from a good one in one place.
func mutants(base any, schema *openapi3.Schema) []mutant {
	all := []mutant{{what: "as it is", value: base}}
	for _, value := range []any{[]any{}, "x", 7, true, nil} {
		all = append(all, mutant{what: fmt.Sprintf("instead of all, %v", value), value: value})
	}
	return append(all, changes(base, schema, "", func(changed any) any { return changed })...)
}

// changes returns mutants of an object: whole puts a changed one in its place.
func changes(base any, schema *openapi3.Schema, at string, whole func(any) any) []mutant {
	object, _ := base.(map[string]any)
	var all []mutant
	add := func(what string, value any, isBeyond bool) {
		all = append(all, mutant{what: at + what, value: whole(value), isBeyondSchemas: isBeyond})
	}
	with := func(name string, value any) map[string]any {
		changed := maps.Clone(object)
		changed[name] = value
		return changed
	}
	if schema.AdditionalProperties.Schema == nil {
		add("/nonsense added", with("nonsense", 1), false)
	}
	for name, member := range schema.Properties {
		without := maps.Clone(object)
		delete(without, name)
		add("/"+name+" missing", without, false)
		for _, value := range valuesFor(member.Value) {
			add(fmt.Sprintf("/%s %.60v", name, value), with(name, value), false)
		}
		for _, value := range beyond {
			add(fmt.Sprintf("/%s %.60v", name, value), with(name, value), true)
		}
		all = append(all, inner(member.Value, at+"/"+name, func(changed any) any { return whole(with(name, changed)) })...)
	}
	if rest := schema.AdditionalProperties.Schema; rest != nil {
		for name := range object {
			for _, value := range valuesFor(rest.Value) {
				add(fmt.Sprintf("/%s %.60v", name, value), with(name, value), true)
			}
		}
	}
	return all
}

// beyond are values about which a schema says too little.
var beyond = []any{"4242424242424242", "is 4242 4242 4242 4242 ok", map[string]any{"a": strings.Repeat("x", 20<<10)}}

// inner returns mutants of what is in a member, beginning with its example.
func inner(schema *openapi3.Schema, at string, whole func(any) any) []mutant {
	if len(schema.Examples) == 0 {
		return nil
	}
	example := schema.Examples[0]
	switch {
	case schema.Type.Includes("object") && len(schema.Properties) > 0:
		return changes(example, schema, at, whole)
	case schema.Type.Includes("array") && schema.Items.Value.Type.Is("object"):
		list, _ := example.([]any)
		return changes(list[0], schema.Items.Value, at+"/0", func(changed any) any {
			return whole(append([]any{changed}, list[1:]...))
		})
	default:
		return nil
	}
}

// valuesFor returns values that a place might take and might not.
func valuesFor(schema *openapi3.Schema) []any {
	values := []any{nil, 7, -1, 1.5, "7", "", "x", true, false, []any{}, map[string]any{}, []any{1}, []any{""}, []any{"x", "x"}}
	values = append(append(values, schema.Examples...), schema.Enum...)
	if schema.Min != nil {
		values = append(values, int64(*schema.Min), int64(*schema.Min)-1)
	}
	if schema.Max != nil {
		values = append(values, int64(*schema.Max), int64(*schema.Max)+1)
	}
	if most := schema.MaxLength; most != nil {
		values = append(values, strings.Repeat("x", int(*most)), strings.Repeat("x", int(*most)+1), strings.Repeat("é", int(*most)))
	}
	if most := schema.MaxItems; most != nil {
		element := any("x")
		if schema.Items != nil && len(schema.Items.Value.Properties) > 0 {
			element = map[string]any{}
		}
		values = append(values, slices.Repeat([]any{element}, int(*most)+1))
	}
	if schema.Format == "date-time" {
		values = append(values, "2026-03-01", "2026-13-01T00:00:00Z", "2026-03-01T00:00:00+01:00")
	}
	return values
}
