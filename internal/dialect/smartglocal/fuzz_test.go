package smartglocal_test

import (
	"bytes"
	"crypto/rsa"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/refundry/refundry/internal/dialect/smartglocal"
	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/wire"
)

// unheard must not come back in what is said to be wrong.
const unheard = "hunter2hunter2"

// saysQuietly reports an error that is no caller's, or repeats what was sent.
func saysQuietly(t *testing.T, raw []byte, err error) {
	t.Helper()
	status, text := smartglocal.RenderError(err)
	if status >= http.StatusInternalServerError || status < http.StatusBadRequest || bytes.Contains(text, []byte(unheard)) {
		t.Errorf("%q: %d %s", raw, status, text)
	}
}

// Of a payment that is taken no card number is kept, and what is kept is JSON.
func FuzzPayment(f *testing.F) {
	card := func(number string) string {
		return `"payment_details":{"type":"card","card":{"type":"bank_card","bank_card":{"number":"` + number +
			`","expiration_month":"12","expiration_year":"30","security_code":"123"}}}`
	}
	for _, raw := range []string{
		"", "[]", "{}", "null", `{` + card("4242424242424242") + `}`, `{` + card("99999999999999") + `}`, `{` + card("1") + `}`,
		`{"payment_details":{"type":"card","card":{"number":"4242424242424242"}},"metadata":"` + unheard + `"}`,
		`{"amount_details":{"amount":100,"currency":"eur"},"customer":{"reference":"a","contacts":[{"email":"a@b"},1,{}]}}`,
		`{"amount_details":{"amount":9007199254740992,"currency":"EUR"}}`, `{"amount_details":{"amount":1,"currency":"ſek"}}`,
		`{"customer":{"reference":"4242424242424242"}}`, `{"metadata":{"a":[4242424242424242]}}`, `{"metadata":` + strings.Repeat("[", 40),
		`{"payment_options":{"return_url":"https://4242424242424242/"}}`, `{"payment_options":{"return_url":"` + unheard + `"}}`,
		`{"customer":{"reference":"` + unheard + `","contacts":{}},"amount_details":[],"payment_details":[]}`,
	} {
		f.Add([]byte(raw), raw == "")
		f.Add([]byte(raw), true)
	}
	f.Fuzz(func(t *testing.T, raw []byte, isPike bool) {
		brand := smartglocal.SmartGlocal
		if isPike {
			brand = smartglocal.Pike
		}
		amount, document, err := smartglocal.ReadPayment(brand, raw)
		if err != nil {
			saysQuietly(t, raw, err)
			return
		}
		value, err := wire.Parse(document)
		if err != nil || value.HasCardNumber() || amount.Minor < 0 || amount.Minor > money.Max ||
			(amount.Minor == 0) != (amount.Currency == "") {
			t.Errorf("%q is %v, kept as %s: %v", raw, amount, document, err)
		}
	})
}

// A refund asks for an amount that was sent, or says no; only where none was sent
// may it ask for all (C6).
func FuzzRefund(f *testing.F) {
	for _, raw := range []string{
		"", "[]", "{}", "[1]", `{"amount_details":{"amount":100,"currency":"EUR"},"metadata":{"a":1}}`, `{"amount_details":null}`,
		`{"amount_details":[]}`, `{"amount_details":{}}`, `{"amount_details":""}`, `{"amount_details":{"amount":"100","currency":"EUR"}}`,
		`{"amount_details":{"amount":1.0,"currency":"EUR"}}`, `{"amount_details":{"amount":-0,"currency":"EUR"}}`,
		`{"amount_details":{"amount":1,"currency":"` + unheard + `"}}`, `{"metadata":{"` + unheard + `":"4242 4242 4242 4242"}}`,
		`{"amount_details":{"amount":1,"currency":"ıdr"}}`, `{"metadata":[1e400]}`,
	} {
		f.Add([]byte(raw))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		command, err := smartglocal.ReadRefund(smartglocal.Pike, raw)
		if err != nil {
			saysQuietly(t, raw, err)
			if command.Ask.How != payment.AskAmount && command.Ask.How != 0 {
				t.Errorf("%q asks for all, and is wrong: %v", raw, err)
			}
			return
		}
		var sent, amount map[string]json.RawMessage
		_ = json.Unmarshal(raw, &sent) // of a list there are no members
		isGiven := len(sent["amount_details"]) > 0 && string(sent["amount_details"]) != "null"
		_ = json.Unmarshal(sent["amount_details"], &amount)
		var currency string
		_ = json.Unmarshal(amount["currency"], &currency)
		switch {
		case command.Metadata != "" && !json.Valid([]byte(command.Metadata)):
			t.Errorf("%q has the metadata %s", raw, command.Metadata)
		case isGiven != (command.Ask.How == payment.AskAmount):
			t.Errorf("%q asks for %d", raw, command.Ask.Amount)
		case isGiven && (string(amount["amount"]) != strconv.FormatInt(int64(command.Ask.Amount), 10) || command.Ask.Amount < 1 ||
			!strings.EqualFold(string(command.Currency), currency)):
			t.Errorf("%q asks for %d %s", raw, command.Ask.Amount, command.Currency)
		}
	})
}

// Of all signatures one verifies, for the body that it is of.
func FuzzSignature(f *testing.F) {
	key := func() *rsa.PrivateKey {
		private, _, err := wire.NewRSAKey()
		if err != nil {
			f.Fatal(err)
		}
		key, err := wire.ParseRSAPrivateKey(private)
		if err != nil {
			f.Fatal(err)
		}
		return key
	}
	ours, theirs := key(), key()
	body := []byte(`{"session_id":"ps_1"}`)
	good, err := wire.SignRSA(ours, body)
	if err != nil {
		f.Fatal(err)
	}
	forged, err := wire.SignRSA(theirs, body)
	if err != nil {
		f.Fatal(err)
	}
	for _, signature := range []string{"", good, good + "=", good + "\n", " " + good, good[:340], forged, strings.ToLower(good)} {
		f.Add(body, signature)
		f.Add([]byte("{}"), signature)
	}
	f.Fuzz(func(t *testing.T, sent []byte, signature string) {
		isGood := bytes.Equal(sent, body) && signature == good
		if got := smartglocal.Verify([]*rsa.PublicKey{&ours.PublicKey}, sent, signature); got != isGood {
			t.Errorf("%q with %q: %t", sent, signature, got)
		}
		if smartglocal.Verify(nil, sent, signature) {
			t.Errorf("%q with %q: a project without a key", sent, signature)
		}
	})
}

// A key is one header of visible letters, and two of them are two keys.
func FuzzKey(f *testing.F) {
	for _, text := range []string{"", "a", "A", " ", "é", unheard, strings.Repeat("k", 256)} {
		f.Add(text, "")
		f.Add(text, text)
	}
	f.Fuzz(func(t *testing.T, text, other string) {
		key, err := smartglocal.ReadKey([]string{text})
		if isKey := wire.IsVisible(text, 255); isKey != (err == nil) || isKey == (key == payment.Key{}) {
			t.Errorf("%q: %v, %v", text, key, err)
		}
		if err != nil {
			saysQuietly(t, []byte(text), err)
		}
		if second, err := smartglocal.ReadKey([]string{other}); err == nil && (second == key) != (text == other) {
			t.Errorf("%q and %q", text, other)
		}
		if _, err := smartglocal.ReadKey([]string{text, other}); err == nil {
			t.Errorf("%q and %q are one key", text, other)
		}
	})
}
