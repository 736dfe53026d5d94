package api_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/refundry/refundry/internal/api"
)

// contract is the document, by which requests and answers are judged.
type contract struct {
	document *openapi3.T // as it is served
	strict   *openapi3.T // the same, but answers have no member that it does not name

	mutex    sync.Mutex
	verdicts map[string]error // on answers that were seen before
}

func newContract(t *testing.T) *contract {
	t.Helper()
	var raw map[string]any
	if err := json.Unmarshal(api.Document().JSON(), &raw); err != nil {
		t.Fatal(err)
	}
	components, _ := raw["components"].(map[string]any)
	schemas, _ := components["schemas"].(map[string]any)
	for _, schema := range schemas {
		closeSchema(schema)
	}
	text, err := json.Marshal(raw)
	if err != nil {
		t.Fatal(err)
	}
	strict, err := openapi3.NewLoader().LoadFromData(text)
	if err != nil {
		t.Fatal(err)
	}
	return &contract{document: load(t), strict: strict, verdicts: map[string]error{}}
}

// closeSchema lets an object have no members but those that are named.
func closeSchema(schema any) {
	body, _ := schema.(map[string]any)
	members, _ := body["properties"].(map[string]any)
	if _, isSaid := body["additionalProperties"]; members != nil && !isSaid {
		body["additionalProperties"] = false
	}
	for _, member := range members {
		closeSchema(member)
	}
	if items, ok := body["items"]; ok {
		closeSchema(items)
	}
}

// operation returns what the document says of a row of the table.
func operation(t *testing.T, document *openapi3.T, row api.Row) *openapi3.Operation {
	t.Helper()
	item := document.Paths.Value(row.Path)
	if item == nil || item.GetOperation(row.Method) == nil {
		t.Fatalf("%s is not in the document", row.ID)
	}
	return item.GetOperation(row.Method)
}

// check fails the test unless an answer is declared, and valid.
func (c *contract) check(t *testing.T, row api.Row, what string, got answer) {
	t.Helper()
	if got.status >= http.StatusInternalServerError {
		t.Errorf("%s: %s: %d %s", row.ID, what, got.status, got.text)
	}
	declared := operation(t, c.strict, row).Responses.Value(strconv.Itoa(got.status))
	if declared == nil {
		t.Errorf("%s: %s: the answer %d is not declared: %s", row.ID, what, got.status, got.text)
		return
	}
	for name, header := range declared.Value.Headers {
		if header.Value.Required && got.header.Get(name) == "" {
			t.Errorf("%s: %s: %d has no header %s", row.ID, what, got.status, name)
		}
	}
	media, _, _ := strings.Cut(got.header.Get("Content-Type"), ";")
	content := declared.Value.Content[media]
	switch {
	case len(declared.Value.Content) == 0 && got.text == "":
		return
	case content == nil:
		t.Errorf("%s: %s: %d comes as %s, which is not declared", row.ID, what, got.status, media)
		return
	case !strings.HasSuffix(media, "json"):
		return
	}
	schemas := []*openapi3.Schema{content.Schema.Value}
	values := []string{got.text}
	if media == "application/x-ndjson" {
		schemas[0], values = c.strict.Components.Schemas[answerLines[row.ID]].Value, strings.Split(strings.TrimSpace(got.text), "\n")
	}
	for _, value := range values {
		if value == "" && media == "application/x-ndjson" { // there are no lines
			continue
		}
		if err := c.judge(schemas[0], row.ID+media+strconv.Itoa(got.status), value); err != nil {
			t.Errorf("%s: %s: the answer is not as declared: %v\n%s", row.ID, what, err, value)
		}
	}
}

// The schemas of lines, by the operations that answer with them or take them.
var (
	answerLines = map[string]string{
		"importPayments": "ImportAnswer", "getBatchResult": "BatchResult", "getReport": "ReportRow", "exportAudit": "AuditLine",
	}
	requestLines = map[string]string{"importPayments": "ImportLine", "addBatchRows": "BatchRow"}
)

// judge reports what is wrong with a value.
func (c *contract) judge(schema *openapi3.Schema, name, text string) error {
	c.mutex.Lock()
	err, known := c.verdicts[name+text]
	c.mutex.Unlock()
	if known {
		return err
	}
	err = valid(schema, text)
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.verdicts[name+text] = err
	return err
}

func valid(schema *openapi3.Schema, text string) error {
	var value any
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		return err
	}
	// Without a keyword of JSON Schema 2020-12, kin-openapi judges as OpenAPI 3.0
	// would, to which null fits nothing.
	asOf31 := *schema
	asOf31.Defs = openapi3.Schemas{"any": &openapi3.SchemaRef{Value: &openapi3.Schema{}}}
	return asOf31.VisitJSON(value, openapi3.EnableJSONSchema2020())
}

// Every operation takes what its schema takes and refuses what it refuses, and
// every answer is one that the document declares.
func TestAnswersKeepTheContract(t *testing.T) {
	c := newContract(t)
	table := api.Table()
	at := slices.IndexFunc(table, func(row api.Row) bool { return row.ID == "exportAudit" })
	table[0], table[at] = table[at], table[0] // it exports all that the others have done
	onBoth(t, func(t *testing.T, w *world) {
		for _, row := range table {
			if row.IsListed {
				t.Run(row.ID, func(t *testing.T) { c.drive(t, w, row) })
			}
		}
	})
}

// drive sends an operation its example, and whatever is wrong with it.
func (c *contract) drive(t *testing.T, w *world, row api.Row) {
	t.Helper()
	d := &driver{contract: c, world: w, row: row, example: exampleRequest(t, row.ID)}
	d.operation = operation(t, c.document, row)
	_, things := w.fill(t, d.example.path+d.example.body)
	d.things = things
	if got := d.send(t, "the example", d.example); got.status >= http.StatusMultipleChoices && got.status != http.StatusConflict {
		t.Fatalf("the example: %d %s", got.status, got.text)
	}
	d.things = things
	d.send(t, "the example once more", d.example) // what has ended may not allow it
	_, d.things = w.fill(t, d.example.path+d.example.body)
	d.driveCallers(t)
	d.drivePaths(t)
	d.driveQueries(t)
	d.driveKeys(t)
	if d.operation.RequestBody != nil {
		d.driveBodies(t)
	}
}

// driver sends requests to one operation.
type driver struct {
	contract  *contract
	world     *world
	row       api.Row
	operation *openapi3.Operation
	example   request // with variables
	things    map[string]string
}

// send sends a request, with things in the place of variables, and checks the
// answer. Things are used until something was done with them.
func (d *driver) send(t *testing.T, what string, r request) answer {
	t.Helper()
	if d.things == nil {
		_, d.things = d.world.fill(t, d.example.path+d.example.body)
	}
	for variable, id := range d.things {
		r.path, r.body = strings.ReplaceAll(r.path, variable, id), strings.ReplaceAll(r.body, variable, id)
	}
	r.headers = slices.DeleteFunc(slices.Clone(r.headers), func(header string) bool {
		return strings.HasPrefix(header, "Idempotency-Key: ") && header == d.keyOfExample() // it is used once
	})
	got := d.world.ask(t, d.row, r)
	d.contract.check(t, d.row, what, got)
	if got.status < http.StatusBadRequest {
		d.things = nil
	}
	return got
}

func (d *driver) keyOfExample() string {
	for _, header := range d.example.headers {
		if strings.HasPrefix(header, "Idempotency-Key: ") {
			return header
		}
	}
	return ""
}

// driveCallers sends requests of callers who are not known, or may not call.
func (d *driver) driveCallers(t *testing.T) {
	t.Helper()
	if d.row.IsForAnybody {
		return
	}
	path := strings.NewReplacer(replacements(d.things)...).Replace(d.example.path)
	for what, header := range map[string]string{
		"no key": "X-Nothing: x", "an unknown key": "Authorization: Bearer rfk_unknown",
		"a long key": "Authorization: Bearer " + strings.Repeat("x", 4000), "another scheme": "Authorization: Basic eDp5",
	} {
		got := send(t, d.world.server, d.row.Method, path, d.example.body, header)
		d.contract.check(t, d.row, what, got)
		if got.status != http.StatusUnauthorized {
			t.Errorf("%s: %s: %d", d.row.ID, what, got.status)
		}
	}
	if d.row.IsOperators {
		got := d.world.call(t, d.row.Method, path, d.example.body)
		d.contract.check(t, d.row, "a key", got)
		if got.status != http.StatusForbidden {
			t.Errorf("%s: a key: %d", d.row.ID, got.status)
		}
	}
}

func replacements(things map[string]string) []string {
	var all []string
	for variable, id := range things {
		all = append(all, variable, id)
	}
	return all
}

// drivePaths sends requests about things that are not there.
func (d *driver) drivePaths(t *testing.T) {
	t.Helper()
	start, end := strings.Index(d.row.Path, "{"), strings.Index(d.row.Path, "}")
	if start < 0 {
		return
	}
	prefix := ""
	for variable := range d.things {
		prefix = api.VariablesOfExamples()[variable]
	}
	for _, id := range []string{
		"x", "%00", "%ff", "x%2fy", "0", strings.Repeat("x", 3000), prefix + "_00000000000000000000000000",
		prefix + "_0000000000000000000000000z", strings.ToUpper(api.IDOfExamples(prefix)), "019c40af-7d29-0000-0000-000000000000",
	} {
		r := d.example
		r.path = d.row.Path[:start] + id + d.row.Path[end+1:]
		if got := d.send(t, "the id "+id[:min(len(id), 40)], r); got.status != http.StatusNotFound {
			t.Errorf("%s: the id %.40s: %d %s", d.row.ID, id, got.status, got.text)
		}
	}
}
