package api_test

import (
	"strings"
	"testing"
)

// secret is in every bad request, and must never come back or be logged.
const secret = "hunter2hunter2"

// badAmounts are values that are no amounts.
var badAmounts = []string{
	`0`, `null`, `-1`, `1.5`, `1.0`, `1e2`, `"100"`, `9007199254740992`, `99999999999999999999999`, `[]`, `{}`, `true`, `"` + secret + `"`,
}

// badRefunds are bodies without an effect; PAY stands for a payment of 1000 EUR.
var badRefunds = map[string]struct {
	body   string
	status int
}{
	"empty":                 {``, 422},
	"no object":             {`[]`, 422},
	"a text":                {`"` + secret + `"`, 422},
	"broken":                {`{"payment": "` + secret, 400},
	"trailing":              {`{"payment": "PAY", "full": true} x`, 400},
	"name twice":            {`{"payment": "PAY", "full": true, "full": true}`, 400},
	"NUL":                   {`{"payment": "PAY", "full": true, "note": "\u0000"}`, 400},
	"half a surrogate":      {`{"payment": "PAY", "full": true, "note": "\ud800"}`, 400},
	"no UTF-8":              {"{\"payment\": \"PAY\", \"full\": true, \"note\": \"\xff\"}", 400},
	"too deep":              {strings.Repeat("[", 100) + strings.Repeat("]", 100), 400},
	"nothing asked":         {`{"payment": "PAY", "currency": "EUR"}`, 422},
	"two ways":              {`{"payment": "PAY", "currency": "EUR", "amount": 1, "full": true}`, 422},
	"amount and items":      {`{"payment": "PAY", "currency": "EUR", "amount": 1, "items": [{"position": 1, "quantity": 1}]}`, 422},
	"not full":              {`{"payment": "PAY", "full": false}`, 422},
	"full as text":          {`{"payment": "PAY", "full": "true"}`, 422},
	"null beside full":      {`{"payment": "PAY", "amount": null, "full": true}`, 422},
	"no currency":           {`{"payment": "PAY", "amount": 1}`, 422},
	"wrong currency":        {`{"payment": "PAY", "amount": 1, "currency": "USD"}`, 422},
	"unknown currency":      {`{"payment": "PAY", "amount": 1, "currency": "` + secret + `"}`, 422},
	"small currency":        {`{"payment": "PAY", "amount": 1, "currency": "eur"}`, 422},
	"null currency":         {`{"payment": "PAY", "amount": 1, "currency": null}`, 422},
	"no payment":            {`{"full": true}`, 422},
	"payment as number":     {`{"payment": 1, "full": true}`, 422},
	"payment unknown":       {`{"payment": "pay_00000000000000000000000000", "full": true}`, 404},
	"payment misspelled":    {`{"payment": "` + secret + `", "full": true}`, 404},
	"unknown member":        {`{"payment": "PAY", "full": true, "` + secret + `": 1}`, 422},
	"items empty":           {`{"payment": "PAY", "items": []}`, 422},
	"items as object":       {`{"payment": "PAY", "items": {"position": 1}}`, 422},
	"item no object":        {`{"payment": "PAY", "items": [1]}`, 422},
	"item without quantity": {`{"payment": "PAY", "items": [{"position": 1}]}`, 422},
	"item unknown":          {`{"payment": "PAY", "items": [{"position": 1, "quantity": 1}]}`, 422},
	"note as number":        {`{"payment": "PAY", "full": true, "note": 5}`, 422},
	"note too long":         {`{"payment": "PAY", "full": true, "note": "` + strings.Repeat(secret, 200) + `"}`, 422},
	"card in note":          {`{"payment": "PAY", "full": true, "note": "is 4242 4242 4242 4242 ok"}`, 422},
	"card in metadata":      {`{"payment": "PAY", "full": true, "metadata": {"a": [{"4242424242424242": 1}]}}`, 422},
	"card as number":        {`{"payment": "PAY", "full": true, "metadata": {"a": 4242424242424242}}`, 422},
	"metadata a list":       {`{"payment": "PAY", "full": true, "metadata": ["` + secret + `"]}`, 422},
	"metadata too long":     {`{"payment": "PAY", "full": true, "metadata": {"a": "` + strings.Repeat("x", 16<<10) + `"}}`, 422},
	"not_before no time":    {`{"payment": "PAY", "full": true, "not_before": "` + secret + `"}`, 422},
	"not_before too late":   {`{"payment": "PAY", "full": true, "not_before": "2099-01-01T00:00:00Z"}`, 422},
	"expected a text":       {`{"payment": "PAY", "full": true, "expected_refundable": "1000"}`, 422},
	"expected null":         {`{"payment": "PAY", "full": true, "expected_refundable": null}`, 422},
	"expected differs":      {`{"payment": "PAY", "full": true, "expected_refundable": 999}`, 409},
	"too large":             {`{"payment": "PAY", "full": true, "note": "` + strings.Repeat("x", 256<<10) + `"}`, 413},
	"more than is left":     {`{"payment": "PAY", "amount": 1001, "currency": "EUR"}`, 409},
}

// A bad request has no effect, is told what is wrong, and never gets back what
// it sent.
func TestBadRefundsHaveNoEffect(t *testing.T) {
	t.Parallel()
	w := setup(t)
	of := w.capture(t, "1000")
	before := w.call(t, "GET", "/v1/payments/"+of, "").text
	events := w.call(t, "GET", "/v1/events?limit=1000", "").text
	check := func(name, body string, status int) {
		got := w.call(t, "POST", "/v1/refunds", strings.ReplaceAll(body, "PAY", of), "Idempotency-Key: bad")
		if got.status != status || got.body["code"] == nil {
			t.Errorf("%s: got %d %s, want %d", name, got.status, got.text, status)
		}
		if strings.Contains(got.text, secret) || strings.Contains(got.text, "4242") {
			t.Errorf("%s: the answer repeats what was sent: %s", name, got.text)
		}
		if status == 422 && got.body["errors"] == nil && got.body["code"] == "invalid_request" {
			t.Errorf("%s: the answer points at nothing: %s", name, got.text)
		}
	}
	for name, test := range badRefunds {
		check(name, test.body, test.status)
	}
	for _, amount := range badAmounts {
		check("amount "+amount, `{"payment": "PAY", "currency": "EUR", "amount": `+amount+`}`, 422)
	}
	if after := w.call(t, "GET", "/v1/payments/"+of, "").text; after != before {
		t.Errorf("the payment has changed:\n%s\n%s", before, after)
	}
	if after := w.call(t, "GET", "/v1/events?limit=1000", "").text; after != events {
		t.Error("there are new events")
	}
	if log := w.log.String(); strings.Contains(log, secret) || strings.Contains(log, "4242") || strings.Contains(log, w.key) {
		t.Errorf("the log repeats what was sent: %s", log)
	}
}

// badPayments are members that make a good payment of 1000 EUR a bad one.
var badPayments = map[string]string{
	"currency missing":      `"amount": 1000`,
	"amount missing":        `"currency": "EUR"`,
	"status":                `"amount": 1000, "currency": "EUR", "status": "` + secret + `"`,
	"last4":                 `"amount": 1000, "currency": "EUR", "method": {"last4": "42424"}`,
	"card as last4":         `"amount": 1000, "currency": "EUR", "method": {"last4": "4242424242424242"}`,
	"method member":         `"amount": 1000, "currency": "EUR", "method": {"` + secret + `": 1}`,
	"country":               `"amount": 1000, "currency": "EUR", "country": "de"`,
	"withdrawn currency":    `"amount": 1000, "currency": "DEM"`,
	"items that differ":     `"amount": 1000, "currency": "EUR", "items": [{"name": "a", "unit_amount": 999}]`,
	"item without amount":   `"amount": 1000, "currency": "EUR", "items": [{"name": "a"}]`,
	"item quantity":         `"amount": 1000, "currency": "EUR", "items": [{"name": "a", "unit_amount": 1000, "quantity": 0}]`,
	"item overflow":         `"amount": 1000, "currency": "EUR", "items": [{"name": "a", "unit_amount": 9007199254740991, "quantity": 1000000000}]`,
	"item tax over total":   `"amount": 1000, "currency": "EUR", "items": [{"name": "a", "unit_amount": 1000, "tax": 1001}]`,
	"item tags":             `"amount": 1000, "currency": "EUR", "items": [{"name": "a", "unit_amount": 1000, "tags": [1]}]`,
	"captured in future":    `"amount": 1000, "currency": "EUR", "captured_at": "2027-01-01T00:00:00Z"`,
	"captured long ago":     `"amount": 1000, "currency": "EUR", "captured_at": "0001-01-01T00:00:00Z"`,
	"authorized and before": `"amount": 1000, "currency": "EUR", "status": "authorized", "captured_at": "2026-01-01T00:00:00Z"`,
	"card as payer":         `"amount": 1000, "currency": "EUR", "payer": "4242-4242-4242-4242"`,
}

func TestBadPaymentsAreNotMade(t *testing.T) {
	t.Parallel()
	w := setup(t)
	events := w.call(t, "GET", "/v1/events?limit=1000", "").text
	check := func(name, body string) {
		got := w.call(t, "POST", "/v1/payments", body)
		if got.status != 422 {
			t.Errorf("%s: got %d %s, want 422", name, got.status, got.text)
		}
		if strings.Contains(got.text, secret) || strings.Contains(got.text, "4242") {
			t.Errorf("%s: the answer repeats what was sent: %s", name, got.text)
		}
	}
	for name, members := range badPayments {
		check(name, "{"+members+"}")
	}
	for _, amount := range badAmounts {
		check("amount "+amount, `{"currency": "EUR", "amount": `+amount+`}`)
	}
	if after := w.call(t, "GET", "/v1/events?limit=1000", "").text; after != events {
		t.Error("there are new events")
	}
}

func TestOnlyJSONIsTaken(t *testing.T) {
	t.Parallel()
	w := setup(t)
	body := `{"amount": 1, "currency": "EUR"}`
	w.call(t, "POST", "/v1/payments", body, "Content-Type: application/json; charset=utf-8").want(t, 201)
	w.call(t, "POST", "/v1/payments", body, "Content-Type: text/plain").wantCode(t, 415, "unsupported_media_type")
	w.call(t, "POST", "/v1/payments", body, "Content-Type: application/x-www-form-urlencoded").
		wantCode(t, 415, "unsupported_media_type")
}

func TestErrorsPointAtTheirPlace(t *testing.T) {
	t.Parallel()
	w := setup(t)
	got := w.call(t, "POST", "/v1/payments", `{"amount": 0, "currency": "EUR", "items": [{"name": "a", "unit_amount": -1}]}`).
		wantCode(t, 422, "invalid_request")
	for _, pointer := range []string{`"#/amount"`, `"#/items/0/unit_amount"`} {
		if !strings.Contains(got.text, pointer) {
			t.Errorf("no %s in %s", pointer, got.text)
		}
	}
}
