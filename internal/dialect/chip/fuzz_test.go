package chip_test

import (
	"encoding/json"
	"math/big"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/refundry/refundry/internal/dialect/chip"
	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/wire"
)

// unheard must not come back in what is said to be wrong.
const unheard = "hunter2hunter2"

// saysQuietly reports an error that is no caller's, or repeats what was sent.
func saysQuietly(t *testing.T, sent string, err error) {
	t.Helper()
	status, text := chip.RenderError("create", err)
	if status != http.StatusBadRequest || strings.Contains(text, unheard) || !json.Valid([]byte(text)) {
		t.Errorf("%q: %d %s", sent, status, text)
	}
}

// A purchase that is taken is somebody's, comes to an amount, and is kept without
// a card number; its lines, where they are kept, add up to it.
func FuzzPurchase(f *testing.F) {
	brand := chip.BrandOf(payment.TenantID{})
	purchase := func(products, more string) string {
		return `{"brand_id":"` + brand + `","client":{"email":"a@b.c"},"purchase":{"products":[` + products + `]` + more + `}}`
	}
	for _, raw := range []string{
		"", "[]", "{}", "[1]", purchase(`{"name":"a","price":100}`, ""), purchase(`{"name":"a","price":"100.0","quantity":"1.5"}`, ""),
		purchase(`{"name":"a","price":9007199254740991,"quantity":999999999.9999,"tax_percent":"99.99"}`, ""),
		purchase(`{"name":"a","price":3,"quantity":1e2,"discount":1,"tax_percent":1e-2},{"name":"b","price":0}`, `,"debt":5`),
		purchase(`{"name":"a","price":1,"discount":2}`, `,"total_override":0`), purchase(`{"name":"a","price":1}`, `,"total_override":7`),
		purchase(`{"name":"a","price":1,"total_price_override":9007199254740991}`, `,"debt":9007199254740991`),
		purchase(`{"name":"4242 4242 4242 4242","price":1}`, `,"currency":"ſek","metadata":{"a":"`+unheard+`"}`),
		purchase(`1`, `,"notes":"`+unheard+`","language":1,"request_client_details":["x","x"],"shipping_options":{}`),
		strings.Replace(purchase(`{"name":"a","price":1}`, ""), `"client":{"email":"a@b.c"}`,
			`"client_id":"00000000-0000-0000-0000-000000000000"`, 1),
		strings.Replace(purchase(`{"name":"a","price":1}`, ""), `"client":{`, `"due":1e10,"issued":"2026-02-30","tags":["a"],"client":{`, 1),
		`{"brand_id":"` + unheard + `","success_redirect":"http://:1/","cancel_redirect":"javascript:` + unheard + `","purchase":[]}`,
	} {
		f.Add([]byte(raw))
	}
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, raw []byte) {
		total, items, kept, isSomebodys, err := chip.ReadPurchase(raw, now)
		if err != nil {
			saysQuietly(t, string(raw), err)
			return
		}
		value, err := wire.Parse(kept)
		if err != nil || value.Get("client").HasCardNumber() || value.Get("details").Get("metadata").HasCardNumber() {
			t.Errorf("%q is kept as %s: %v", raw, kept, err)
		}
		if !isSomebodys || !total.IsPositive() || total.Minor > money.Max || len(total.Currency) != 3 {
			t.Errorf("%q is %v, somebody's: %t", raw, total, isSomebodys)
		}
		var sum money.Minor
		for i, item := range items {
			sum += item.Total
			if item.Position != i+1 || item.Quantity < 1 || item.Tax < 0 || item.Tax > item.Total || item.Name == "" {
				t.Errorf("%q has the line %+v", raw, item)
			}
		}
		if items != nil && sum != total.Minor {
			t.Errorf("%q is %v, and %d in lines", raw, total, sum)
		}
	})
}

// A whole number is exactly the one that is written, or none.
func FuzzWhole(f *testing.F) {
	for _, text := range []string{
		"0", "-0", "1", "1e2", "1.0", "1.5", "100e-2", `"100.0"`, `"1e2"`, `"+7"`, `" 7"`, `"７"`, "9007199254740991", "9223372036854775808", "1e99",
		"1e400", `"1_0"`, `"0x1"`, `"1/2"`, `"Inf"`, "-1", "null", "[]", `""`, strings.Repeat("9", 65),
	} {
		f.Add([]byte(text), int64(0))
		f.Add([]byte(text), int64(1))
	}
	f.Fuzz(func(t *testing.T, text []byte, least int64) {
		value, err := wire.Parse(text)
		if err != nil {
			return
		}
		least &= 1
		number, code := chip.ReadWhole(value, money.Minor(least))
		if code != "" {
			if number != 0 {
				t.Errorf("%q is %d, and %s", text, number, code)
			}
			return
		}
		written, isText := value.Text()
		if !isText {
			written = value.Raw()
		}
		want, ok := new(big.Rat).SetString(written)
		isMost := ok && want.IsInt() && !want.Num().IsInt64() && number == 1<<63-1
		if !ok || !isMost && want.Cmp(new(big.Rat).SetInt64(int64(number))) != 0 || int64(number) < least {
			t.Errorf("%q is %d", text, number)
		}
	})
}

// Whatever a body is, it asks for all that is left, for an amount of at least
// one, or for nothing and is refused.
func FuzzRefundBody(f *testing.F) {
	for _, body := range []string{
		"", "{}", "[]", "null", `{"amount":120}`, `{"amount":"100.0"}`, `{"amount":1e2}`, `{"amount":-1e99}`, `{"a":1}`, `{"amount":null}`,
		`{"client_name":"` + unheard + `"}`, `{"Amount":1}`, "\ufeff{}", "\x00",
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		amount, code := chip.ReadAsk(body)
		if amount < 0 || amount > 0 && code != "" {
			t.Errorf("%q: %d %s", body, amount, code)
		}
		var members map[string]any
		isEmpty := json.Unmarshal(body, &members) != nil || len(members) == 0
		if _, isNamed := members["client_name"]; isNamed && len(members) == 1 {
			isEmpty = true
		}
		if amount == 0 && code == "" && !isEmpty {
			t.Errorf("%q says something and asks for everything", body)
		}
	})
}

// A webhook that is taken has somewhere to go, and something to tell.
func FuzzHook(f *testing.F) {
	for _, raw := range []string{
		"", "[]", `{"title":"a","callback":"https://shop.example/","all_events":true}`, `{"title":"","callback":"http://:80/","events":[]}`,
		`{"title":"a","callback":"https://a:b@c/","events":["purchase.paid"]}`, `{"title":"a","callback":"https://c/","events":["` + unheard + `"]}`,
		`{"title":"` + unheard + `","callback":"` + unheard + `","all_events":"yes"}`, `{"title":"a","callback":"https://c/%zz","events":null}`,
	} {
		f.Add([]byte(raw))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		to, detail, err := chip.ReadHook(raw)
		if err != nil {
			saysQuietly(t, string(raw), err)
			return
		}
		address, err := url.Parse(to)
		value, parseErr := wire.Parse(detail)
		all, _ := value.Get("all_events").Bool()
		if err != nil || parseErr != nil || address.Hostname() == "" || all != (len(value.Get("events").Elements()) == 0) {
			t.Errorf("%q goes to %q: %s, %v", raw, to, detail, err)
		}
	})
}

// Of a payer's card neither number nor code is kept, whatever is wrong with it.
func FuzzCard(f *testing.F) {
	for _, form := range []string{
		"", "card_number=4444333322221111&expires=12/30&cvc=123&cardholder_name=A", "card_number=4444+3333+2222+1111&expires=1/30",
		"card_number=" + unheard + "&cardholder_name=%ff", "card_number=4444333322221111&cardholder_name=4242424242424242",
		"card_number=4444333322221111&expires=13/30&cvc=999999&cardholder_name=%00", "card_number=4444333322221111&expires=12-30&cardholder_name=A",
	} {
		f.Add(form)
	}
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, text string) {
		form, err := url.ParseQuery(text)
		if err != nil {
			return
		}
		kept, code := chip.ReadCard(form, now)
		value, err := wire.Parse(kept)
		if err != nil || value.HasCardNumber() || (string(kept) == "null") && code == "" || strings.Contains(code, unheard) {
			t.Errorf("%q is kept as %s, %s: %v", text, kept, code, err)
		}
	})
}
