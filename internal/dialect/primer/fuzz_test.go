package primer_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/refundry/refundry/internal/dialect/primer"
	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/wire"
)

// unheard must not come back in what is said to be wrong.
const unheard = "hunter2hunter2"

// saysQuietly reports an error that is no caller's, or repeats what was sent.
func saysQuietly(t *testing.T, sent string, err error) {
	t.Helper()
	status, text := primer.RenderError(err, "")
	if status >= http.StatusInternalServerError || status < http.StatusBadRequest || bytes.Contains(text, []byte(unheard)) {
		t.Errorf("%q: %d %s", sent, status, text)
	}
}

// members returns the members of an object as encoding/json reads them.
func members(raw []byte) map[string]json.RawMessage {
	var members map[string]json.RawMessage
	_ = json.Unmarshal(raw, &members) // what is no object has none
	return members
}

// A cursor is spelled in one way, and only the first page begins at the beginning.
func FuzzCursor(f *testing.F) {
	place := "64c3d0f3e9d40-019c40af7d2940008000000000000001"
	for _, text := range []string{
		"", "0", "00", ".", place, place + ".", place + "." + place, place + ".0", "0." + place, strings.Repeat(place+".", 32) + place,
		"-1-019c40af7d2940008000000000000001", "7fffffffffffffff-019c40af7d2940008000000000000001", strings.ToUpper(place),
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		spelled, places, ok := primer.ReadCursor(text)
		if ok && (spelled != text || (places == 0) != (text == "0") || places > 32) {
			t.Errorf("%q: %d places, spelled %q", text, places, spelled)
		}
	})
}

// A refund asks for the amount that was sent, and of what was left only where none
// was; what names a capture is never read as if it named none.
func FuzzRefund(f *testing.F) {
	for _, raw := range []string{
		"", "null", "{}", "[]", `{"amount":100,"orderId":"o","reason":"r"}`, `{"amount":null}`, `{"amount":0}`, `{"amount":-1}`,
		`{"amount":"1"}`, `{"amount":1.0}`, `{"amount":9223372036854775808}`, `{"transactionEventId":"00000000-0000-0000-0000-000000000000"}`,
		`{"transactionEventId":"019c40af-7d29-4000-8000-000000000001","amount":5}`, `{"transactionEventId":null}`,
		`{"` + unheard + `":1}`, `{"reason":"` + unheard + ` 4242424242424242","expand":["` + unheard + `"]}`, `{"expand":null}`,
	} {
		f.Add([]byte(raw))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		command, err := primer.ReadRefund(raw)
		if err != nil {
			saysQuietly(t, string(raw), err)
			return
		}
		sent := members(raw)
		var amount money.Minor
		hasAmount := json.Unmarshal(sent["amount"], &amount) == nil
		_, hasCapture := sent["transactionEventId"]
		if hasAmount != (command.Ask.How == payment.AskAmount) || command.Ask.Amount != amount || amount < 0 ||
			hasCapture == command.Ask.Capture.IsZero() {
			t.Errorf("%q asks for %+v", raw, command.Ask)
		}
	})
}

// Of a payment that is taken no card number is kept, and what is kept is JSON
// without nulls.
func FuzzPayment(f *testing.F) {
	good := `"paymentMethodToken":"t","orderId":"o","amount":100,"currencyCode":"EUR"`
	for _, raw := range []string{
		"", "{}", "[]", `{` + good + `}`, `{` + good + `,"metadata":{"":1}}`, `{` + good + `,"metadata":{"a":null}}`,
		`{` + good + `,"customer":{"email":"a@b","emailAddress":null,"billing":[null,{"x":null}]},"order":{"a":1e400}}`,
		`{` + good + `,"customer":{"email":"a","emailAddress":"b"}}`, `{` + good + `,"order":{"4242424242424242":1}}`,
		`{` + good + `,"paymentMethod":{"paymentType":"` + unheard + `","vaultOnSuccess":1,"descriptor":null}}`,
		`{"paymentMethodToken":"` + unheard + `","currencyCode":"ſek","amount":1e2}`, `{` + good + `,"` + unheard + `":1}`,
	} {
		f.Add([]byte(raw))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		command, err := primer.ReadPayment(raw)
		if err != nil {
			saysQuietly(t, string(raw), err)
			return
		}
		value, err := wire.Parse(command.Document)
		if err != nil || value.Get("order").HasCardNumber() || value.Get("customer").HasCardNumber() ||
			command.Metadata != "" && !json.Valid([]byte(command.Metadata)) {
			t.Errorf("%q is kept as %s with %s: %v", raw, command.Document, command.Metadata, err)
		}
		for _, name := range []string{"order", "customer"} {
			if hasNull(value.Get(name)) {
				t.Errorf("%q is kept as %s", raw, command.Document)
			}
		}
		if command.Amount.Minor < 0 || len(command.Amount.Currency) != 3 || command.Reference == "" {
			t.Errorf("%q is %v, %q", raw, command.Amount, command.Reference)
		}
	})
}

// hasNull reports whether there is a null inside a value.
func hasNull(value wire.Value) bool {
	for _, element := range value.Elements() {
		if element.Is(wire.Null) || hasNull(element) {
			return true
		}
	}
	for _, name := range value.Names() {
		if member := value.Get(name); member.Is(wire.Null) || hasNull(member) {
			return true
		}
	}
	return false
}

// What narrows a list is read as something, or is wrong.
func FuzzFilter(f *testing.F) {
	names := []string{
		"status", "currency_code", "from_date", "to_date", "min_amount", "max_amount", "limit", "cursor", "order_id", "last_4_digits",
	}
	for at := range names {
		for _, text := range []string{
			"", unheard, "\f,", "0", "1", "-1", "+1", "100", "101", "SETTLED", "SETTLED,,AUTHORIZED", ",", "EUR", "eur", "ſEK", "2026-03-01",
			"2026-03-01T12:00:00Z", "2026-03-01 12:00:00.5+01:00", "0001-01-01T00:00:00Z", "0001-01-01", "9999-12-31",
			"64c3d0f3e9d40-019c40af7d2940008000000000000001",
		} {
			f.Add(at, text)
		}
	}
	f.Fuzz(func(t *testing.T, at int, text string) {
		name := names[int(uint(at)%uint(len(names)))]
		filter, err := primer.ReadFilter(url.Values{name: {text}})
		if err != nil {
			saysQuietly(t, text, err)
			return
		}
		isBlank := strings.TrimSpace(strings.ReplaceAll(text, ",", " ")) == ""
		isNarrow := map[string]bool{
			"from_date": !filter.From.IsZero(), "to_date": !filter.Until.IsZero(), "cursor": !filter.IsFirst || text == "0",
			"status": len(filter.Texts["status"]) > 0, "currency_code": len(filter.Texts["currency_code"]) > 0,
		}
		if narrows, isOne := isNarrow[name]; isOne && !isBlank && !narrows {
			t.Errorf("%s=%q narrows nothing: %+v", name, text, filter)
		}
		if filter.Limit < 1 || filter.Limit > 100 || filter.Least < 0 || filter.Most < 0 {
			t.Errorf("%s=%q: %+v", name, text, filter)
		}
	})
}

// A key is one header of visible letters.
func FuzzKey(f *testing.F) {
	for _, text := range []string{"", "a", " ", "é", unheard, strings.Repeat("k", 256)} {
		f.Add(text, false)
		f.Add(text, true)
	}
	f.Fuzz(func(t *testing.T, text string, isTwice bool) {
		values := []string{text}
		if isTwice {
			values = append(values, text)
		}
		key, err := primer.ReadKey(values)
		if err != nil {
			saysQuietly(t, text, err)
		}
		if isGood := !isTwice && (text == "" || wire.IsVisible(text, 255)); isGood != (err == nil) || isGood && key != text || err != nil && key != "" {
			t.Errorf("%q: %q, %v", values, key, err)
		}
	})
}
