package api_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/refundry/refundry/internal/api"
	"github.com/refundry/refundry/internal/batch"
	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/payment"
)

// fuzzBody states of the body of an operation, or of a line: what is taken fits the
// document's schema, which is another reading of it, and means the same without
// insignificant space; what is not is a refusal of a caller's fault, which points at
// places and repeats nothing.
func fuzzBody(f *testing.F, id, schema string, check func(t *testing.T, asked any, body []byte), bodies ...string) {
	f.Helper()
	document := load(f)
	fits := document.Components.Schemas[schema].Value
	example := strings.NewReplacer("\n", " ").Replace(exampleRequest(f, id).body)
	for _, body := range append(bodies, "", "{}", "[]", "null", `{"`+secret+`": "`+secret+`"}`, example) {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		asked, err := api.Decode(id, body, began)
		if err != nil {
			refusesQuietly(t, err, string(body))
			return
		}
		if len(bytes.TrimSpace(body)) == 0 {
			body = []byte("{}")
		}
		var small any // a number may be larger than the judge can hold
		if err := valid(fits, string(body)); err != nil && json.Unmarshal(body, &small) == nil {
			t.Errorf("%q is taken: %v", body, err)
		}
		var compact bytes.Buffer
		if err := json.Compact(&compact, body); err != nil {
			t.Fatalf("%q: %v", body, err)
		}
		if again, err := api.Decode(id, compact.Bytes(), began); err != nil || !reflect.DeepEqual(again, asked) {
			t.Errorf("%q is %+v, and %+v when it is compact: %v", body, asked, again, err)
		}
		if check != nil {
			check(t, asked, body)
		}
	})
}

// refusesQuietly reports an error that is not a caller's fault, or repeats what was
// sent.
func refusesQuietly(t *testing.T, err error, sent string) {
	t.Helper()
	var wrongs batch.Wrongs
	if errors.As(err, &wrongs) {
		if len(wrongs) == 0 || strings.Contains(wrongs.Error(), secret) {
			t.Errorf("%q: %v", sent, wrongs)
		}
		return
	}
	status, text := api.ProblemOf(err)
	var problem struct {
		Errors []struct{ Pointer, Parameter, Detail string }
	}
	if status != http.StatusBadRequest && status != http.StatusUnprocessableEntity || strings.Contains(text, secret) ||
		json.Unmarshal([]byte(text), &problem) != nil || len(problem.Errors) > 20 {
		t.Errorf("%q: %d %s", sent, status, text)
	}
	for _, wrong := range problem.Errors {
		if !strings.HasPrefix(wrong.Pointer, "#") && wrong.Parameter == "" || wrong.Detail == "" {
			t.Errorf("%q: %s", sent, text)
		}
	}
}

// names reports whether a body has a member that is not null.
func names(body []byte, member string) bool {
	var members map[string]json.RawMessage
	return json.Unmarshal(body, &members) == nil && len(members[member]) > 0 && string(members[member]) != "null"
}

// zeroID is what a caller may send who has no id.
var zeroID = strings.Repeat("0", 26)

// Whatever narrows a refund that is asked for narrows what is decoded: what names
// nothing is refused.
func checkAsked(t *testing.T, asked any, body []byte) {
	t.Helper()
	command, ok := asked.(payment.OpenRefund)
	if row, isRow := asked.(batch.Asked); isRow {
		command, ok = row.Command, true
	}
	if !ok {
		t.Fatalf("%T", asked)
	}
	for member, isThere := range map[string]bool{
		"capture": !command.Ask.Capture.IsZero(), "retry_of": !command.RetryOf.IsZero(), "preview_token": command.Expect != "",
		"expected_refundable": command.Expected != nil, "not_before": !command.NotBefore.IsZero(),
		"amount": command.Ask.How == payment.AskAmount, "items": command.Ask.How == payment.AskItems,
	} {
		if names(body, member) != isThere {
			t.Errorf("%s is read without its %s: %+v", body, member, command)
		}
	}
	if command.Ask.How == payment.AskAmount && (command.Ask.Amount < 1 || command.Ask.Amount > money.Max || command.Currency == "") {
		t.Errorf("%s asks for %d %s", body, command.Ask.Amount, command.Currency)
	}
	if !command.NotBefore.IsZero() && command.NotBefore.After(began.Add(400*24*time.Hour)) {
		t.Errorf("%s waits until %s", body, command.NotBefore)
	}
}

const somePayment = `"payment": "pay_06e40bvx550000000000000004"`

func FuzzRefund(f *testing.F) {
	fuzzBody(f, "createRefund", "RefundRequest", checkAsked,
		`{`+somePayment+`, "full": true, "capture": "cap_`+zeroID+`"}`,
		`{`+somePayment+`, "full": true, "retry_of": "rfd_`+zeroID+`"}`,
		`{`+somePayment+`, "full": true, "preview_token": "`+secret+`", "expected_refundable": 0, "allow_duplicate": true}`,
		`{`+somePayment+`, "full": true, "preview_token": ""}`, `{`+somePayment+`, "full": true, "preview_token": null}`,
		`{`+somePayment+`, "full": true, "not_before": "2026-03-02T1:00:00Z"}`,
		`{`+somePayment+`, "full": true, "not_before": "2026-03-02T12:00:00,5Z"}`,
		`{`+somePayment+`, "full": true, "not_before": "2026-03-02T12:00:00+24:59"}`,
		`{`+somePayment+`, "items": [{"position": 1, "quantity": 1000000000}], "metadata": {"a": [1e400]}}`,
		`{`+somePayment+`, "amount": 9007199254740991, "currency": "JPY", "note": "`+secret+`", "reason": "4242424242424242"}`,
	)
}

func FuzzRetry(f *testing.F) {
	fuzzBody(f, "retryRefund", "RetryRequest", nil,
		`{"capture": "cap_`+zeroID+`"}`, `{"amount": 1, "currency": "EUR"}`, `{"items": null}`, `{"full": true, "note": null}`)
}

func FuzzBatchRow(f *testing.F) {
	fuzzBody(f, "addBatchRows", "BatchRow", checkAsked,
		`{`+somePayment+`, "full": true, "key": "k"}`, `{`+somePayment+`, "full": true, "key": ""}`,
		`{`+somePayment+`, "full": true, "key": "`+strings.Repeat("k", 256)+`"}`, `{`+somePayment+`, "full": true, "key": null}`)
}

// checkPayment checks the bounds of a payment that was read.
func checkPayment(t *testing.T, asked any, body []byte) {
	t.Helper()
	p, _ := asked.(payment.CreatePayment)
	latest := began.Add(5 * time.Minute)
	if p.Amount.Minor < 1 || p.Amount.Minor > money.Max || p.Amount.Currency == "" || p.CapturedAt.After(latest) ||
		p.CreatedAt.After(latest) || p.CreatedAt.IsZero() != p.CapturedAt.IsZero() && !names(body, "created_at") ||
		p.Status != payment.PaymentCaptured && !p.CapturedAt.IsZero() || p.Method.Last4 != "" && len(p.Method.Last4) != 4 {
		t.Errorf("%s is read as %+v", body, p)
	}
	for i, item := range p.Items {
		if item.Position != i+1 || item.Quantity < 1 || item.UnitAmount < 0 || item.Total < 0 || item.Tax < 0 {
			t.Errorf("%s has the line %+v", body, item)
		}
	}
}

const aPayment = `"amount": 8900, "currency": "EUR"`

func FuzzPayment(f *testing.F) {
	fuzzBody(f, "createPayment", "PaymentRequest", checkPayment,
		`{`+aPayment+`, "items": [{"name": "a", "unit_amount": 9007199254740991, "quantity": 1000000000, "tags": ["x", ""]}]}`,
		`{`+aPayment+`, "method": {"type": "card", "last4": "4242", "`+secret+`": 1}, "country": "DE", "payer": "`+secret+`"}`,
		`{`+aPayment+`, "status": "authorized", "captured_at": "2026-02-28T12:00:00Z"}`, `{`+aPayment+`, "method": null, "items": null}`,
		`{`+aPayment+`, "created_at": "0001-01-01T00:00:00Z"}`, `{`+aPayment+`, "created_at": "2026-02-28T12:00:00.1234567899+01:00"}`,
		`{`+aPayment+`, "captured_at": "2026-02-30T12:00:00Z"}`, `{`+aPayment+`, "captured_at": "2026-02-28t12:00:00z"}`,
	)
}

func FuzzImportLine(f *testing.F) {
	fuzzBody(f, "importPayments", "ImportLine", checkPayment,
		`{`+aPayment+`, "id": "4242424242424242", "aliases": [{"kind": "till", "value": "4711"}, {"kind": "", "value": null}]}`,
		`{`+aPayment+`, "home": "`+secret+`", "connector": "x", "session": 1, "payment_id": {}, "document": ["4242424242424242"]}`,
	)
}

func FuzzBatch(f *testing.F) {
	fuzzBody(f, "createBatch", "BatchRequest", nil,
		`{"caps": [{"amount": 1, "currency": "EUR"}, {"amount": 2, "currency": "EUR"}]}`, `{"per_second": 0, "is_dry_run": "true"}`,
		`{"reference": "`+secret+`", "pauses_on_failure": null, "caps": []}`)
}

func FuzzDecision(f *testing.F) {
	fuzzBody(f, "settleRefund", "Settlement", nil,
		`{"to": "succeeded", "evidence": " "}`, `{"to": "`+secret+`", "evidence": "`+secret+`"}`,
		`{"to": "succeeded", "evidence": "x", "references": [{"kind": "arn", "value": ""}, 1]}`)
}

// The header is a key, bare or in quotes, or it is refused: never another key than
// the one that was sent.
func FuzzIdempotencyKey(f *testing.F) {
	for _, text := range []string{
		"", `""`, `"`, `"a"`, "a", `a"b`, `"a"b"`, `"a\"`, `"a`, "a b", "é", strings.Repeat("k", 255), `"` + strings.Repeat("k", 255) + `"`,
		strings.Repeat("k", 256), "a\r\nb", secret,
	} {
		f.Add(text, "", false)
		f.Add(text, text, true)
	}
	f.Fuzz(func(t *testing.T, text, other string, isTwice bool) {
		values := []string{text}
		if isTwice {
			values = append(values, other)
		}
		key, err := api.IdempotencyKey(values)
		if err != nil {
			refusesQuietly(t, err, text)
			if key != "" {
				t.Errorf("%q: %q beside %v", text, key, err)
			}
			return
		}
		if key == "" || len(key) > 255 || isTwice || key != text && `"`+key+`"` != text {
			t.Errorf("%q is the key %q", values, key)
		}
		quoted, err := api.IdempotencyKey([]string{`"` + key + `"`})
		if isPlain := !strings.ContainsAny(key, `"\`); isPlain != (err == nil) || isPlain && quoted != key {
			t.Errorf("%q is %q, and %q in quotes: %v", text, key, quoted, err)
		}
	})
}

// filtered are the lists that are narrowed, and how many rows a page has at the most.
var filtered = map[string]int{
	"listRefunds": 1000, "listPayments": 1000, "listDisputes": 1000, "listBatches": 1000, "listEntries": 1000,
	"listDeliveries": 1000, "listAudit": 1000,
}

// A parameter that is taken fits the document, which is another reading of it, and
// narrows: a list that was to be narrowed is never read as the whole one.
func FuzzFilter(f *testing.F) {
	document := load(f)
	lists, parameters := map[string]*openapi3.Operation{}, []string{}
	for _, row := range api.Table() {
		if _, known := filtered[row.ID]; known {
			lists[row.ID] = document.Paths.Value(row.Path).GetOperation(row.Method)
			for _, parameter := range lists[row.ID].Parameters {
				parameters = append(parameters, row.ID+" "+parameter.Value.Name)
				for _, text := range textsFor(parameter.Value.Schema.Value) {
					f.Add(len(parameters)-1, text)
				}
			}
		}
	}
	for at := range parameters {
		for _, text := range []string{
			secret, "+1", "01", "-0", "1_0", "\x00", "\xff", zeroID, "grp_" + zeroID, "2026-03-01T1:00:00Z", "2026-03-01T12:00:00,5Z",
			"0001-01-01T00:00:00Z", "1-0", "64c3d0f3e9d40-019c40af7d2940008000000000000001", "1-2-019c40af7d2940008000000000000001", "ſek",
		} {
			f.Add(at, text)
		}
	}
	f.Fuzz(func(t *testing.T, at int, text string) {
		list, name, _ := strings.Cut(parameters[int(uint(at)%uint(len(parameters)))], " ")
		if name == "payment" || name == "subject" { // they are looked up
			return
		}
		asked, limit, err := api.Filter(list, url.Values{name: {text}}, began)
		if err != nil {
			refusesQuietly(t, err, text)
			return
		}
		index := slices.IndexFunc(lists[list].Parameters, func(p *openapi3.ParameterRef) bool { return p.Value.Name == name })
		schema := lists[list].Parameters[index].Value.Schema.Value
		if text != "" && !fits(schema, text) {
			t.Errorf("%s: %s=%q does not fit and is taken", list, name, text)
		}
		if limit < 1 || limit > filtered[list] || name == "limit" && text != "" && strconv.Itoa(limit) != text {
			t.Errorf("%s: %s=%q: %d rows", list, name, text, limit)
		}
		whole, _, _ := api.Filter(list, url.Values{}, began)
		isNarrow := text != "" && name != "totals" && name != "limit"
		if isNarrow && reflect.DeepEqual(asked, whole) {
			t.Errorf("%s: %s=%q narrows nothing", list, name, text)
		}
	})
}
