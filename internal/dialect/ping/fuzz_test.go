package ping_test

import (
	"encoding/json"
	"math"
	"net/url"
	"strings"
	"testing"

	"github.com/refundry/refundry/internal/dialect/ping"
	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/wire"
)

// secret must not come back in what is said to be wrong.
const secret = "hunter2hunter2"

// parsed returns a body that a call would go on with.
func parsed(body string) (wire.Value, bool) {
	value, err := wire.Parse([]byte(body))
	return value, err == nil
}

// saysQuietly reports something wrong that has no place, or repeats what was sent.
func saysQuietly(t *testing.T, body string, wrongs []string) {
	t.Helper()
	for _, said := range wrongs {
		if words := strings.SplitN(said, " ", 3); len(words) < 3 || words[0] == "" || words[1] == "" || words[2] == "" ||
			strings.Contains(said, secret) {
			t.Errorf("%s: %s", body, said)
		}
	}
}

// A cursor is spelled in one way, and only nothing is the beginning.
func FuzzCursor(f *testing.F) {
	mark := strings.Repeat("A", 35)
	for _, text := range []string{"", mark, mark[:34] + "\n", mark[:20] + "\r\n" + mark[20:], mark[:34] + "B", strings.Repeat("A", 2000), "=="} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if n, spelled, ok := ping.ParseMarks(text); ok && ((n == 0) != (text == "") || spelled != text) {
			t.Errorf("%q: %d marks, spelled %q", text, n, spelled)
		}
	})
}

// A refund asks for an amount of a currency, for a reason of the list, or something
// is wrong, and somewhere.
func FuzzRefund(f *testing.F) {
	for _, body := range []string{
		refunding(1, line(2, marios)), `{}`, `[]`, `{"` + secret + `":"` + secret + `","amount":"` + secret + `","reason":"` + secret + `"}`,
		`{"amount":1e400,"currency":"SEK","order_items":[{"vat_rate":"9e9","tags":[null]}]}`,
		`{"amount":-1,"currency":"SEK","reason":"other"}`, `{"amount":0,"currency":"SEK","reason":"other"}`, refunding(-1, line(2, marios)),
		`{"amount":9223372036854775807,"currency":"ſek","reason":"other"}`, `{"amount":9223372036854775808,"currency":"SEK","reason":"other"}`,
		`{"amount":1,"currency":"SEK","reason":"other","order_items":[{"vat_rate":"NaN","amount":-0,"name":"4242424242424242"}]}`,
	} {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		value, ok := parsed(body)
		if !ok {
			return
		}
		amount, currency, reason, wrongs := ping.ReadRefund(value)
		saysQuietly(t, body, wrongs)
		given, isWhole := value.Get("amount").Int()
		if len(wrongs) == 0 && (!isWhole || amount != given || amount < 1 || len(currency) != 3 || reason == "") {
			t.Errorf("%s asks for %d %s: %s", body, amount, currency, reason)
		}
	})
}

// A payment is the sum of its lines, which are as they are to be kept and shown.
func FuzzPayment(f *testing.F) {
	good := `"currency":"SEK","provider":"dummy","method":"dummy","provider_method_parameters":{}`
	for _, body := range []string{
		`{}`, `[]`, `{"` + secret + `":1,"currency":"` + secret + `","payer":{"a":"` + secret + `"},"status_callback_url":"` + secret + `"}`,
		`{"total_amount":3,` + good + `,"order_items":[` + line(3, marios) + `]}`,
		`{"total_amount":9223372036854775807,` + good + `,"order_items":[` + line(math.MaxInt64, marios) + `,` + line(1, marios) + `]}`,
		`{"total_amount":1,` + good + `,"order_items":[]}`, `{"total_amount":0,` + good + `,"order_items":[` + line(0, marios) + `]}`,
		`{"total_amount":1,` + good + `,"order_items":[` + with(line(1, marios), `"metadata":{"b":[1e400]},"tags":["x"]`) + `]}`,
		`{"total_amount":1,` + good + `,"order_items":[` + with(line(1, marios), `"liquidity_account_id":"x"`) + `]}`,
		`{"total_amount":1,"status_callback_url":"http://:1/",` + good + `,"order_items":[` + line(1, marios) + `]}`,
	} {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		value, ok := parsed(body)
		if !ok {
			return
		}
		command, wrongs := ping.ReadPayment(value)
		if saysQuietly(t, body, wrongs); len(wrongs) > 0 {
			return
		}
		var sum money.Minor
		for _, item := range command.Items {
			sum += item.Total
			if item.Total < 0 || item.Name == "" || item.Merchant == "" || !json.Valid([]byte(item.TaxRate)) ||
				item.Metadata != "" && !json.Valid([]byte(item.Metadata)) {
				t.Errorf("%s has the line %+v", body, item)
			}
		}
		if command.Items != nil && sum != command.Amount.Minor || command.Amount.Minor < 1 || command.Amount.Currency == "" ||
			command.Status == "" || !json.Valid(command.Document) {
			t.Errorf("%s is %v of %d in lines: %+v", body, command.Amount, sum, command)
		}
		if to, err := url.Parse(command.Callback); err != nil || command.Callback != "" && to.Hostname() == "" {
			t.Errorf("%s is told to %q", body, command.Callback)
		}
	})
}

// How an order is split is kept as JSON.
func FuzzOrder(f *testing.F) {
	for _, body := range []string{
		`{}`, `{"split_tree_id":"` + marios + `","split_parameters":{"a":1}}`, `{"split_tree_id":null,"split_parameters":null}`,
		`{"split_tree_id":"` + secret + `","split_parameters":"` + secret + `"}`, `{"split_parameters":{"a":4242424242424242}}`,
	} {
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		value, ok := parsed(body)
		if !ok {
			return
		}
		document, wrongs := ping.ReadOrder(value)
		if saysQuietly(t, body, wrongs); !json.Valid(document) {
			t.Errorf("%s is kept as %s", body, document)
		}
	})
}

// What narrows a list is read as something, or is wrong.
func FuzzQuery(f *testing.F) {
	for _, text := range []string{
		"", "1", "200", "201", "+7", "-1", secret, marios, "00000000-0000-0000-0000-000000000000", "2025-03-06", "2025-03-05",
		"2026-03-01T12:00:00Z", "2026-03-01t12:00:00 01:00", "0001-01-01T00:00:00Z", "2026-03-01T12:00:00,5Z",
		"2026-03-01T12:00:00.1234567891Z", "9999-12-31T23:59:59-23:59",
	} {
		f.Add(text, text, text, text)
		f.Add("10", text, "", "2025-03-06")
		f.Add("10", "", text, "2025-03-06")
	}
	f.Fuzz(func(t *testing.T, limit, from, merchant, version string) {
		rows, at, id, wrongs := ping.ReadQuery(url.Values{
			"limit": {limit}, "from": {from}, "merchant_id": {merchant},
		}, version)
		saysQuietly(t, limit+from+merchant, wrongs)
		if len(wrongs) == 0 && (rows < 1 || (from == "") != at.IsZero() || (merchant == "") != id.IsZero()) {
			t.Errorf("%q, %q, %q: %d rows from %s of %s", limit, from, merchant, rows, at, id)
		}
	})
}
