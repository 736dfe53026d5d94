package chip_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// Totals are summed up line by line, each rounded half up.
func TestTotals(t *testing.T) {
	s := setup(t)
	for products, want := range map[string]int64{
		`[{"name":"a","price":10000,"tax_percent":"6"}]`:                                           10600,
		`[{"name":"a","price":10000,"tax_percent":6}]`:                                             10600,
		`[{"name":"a","price":100,"quantity":"1.555"},{"name":"a","price":100,"quantity":1.555}]`:  312,
		`[{"name":"a","price":100,"discount":1,"quantity":3}]`:                                     299,
		`[{"name":"a","price":100,"discount":1,"quantity":"1.5"}]`:                                 149,
		`[{"name":"a","price":100,"quantity":"1.555","tax_percent":10}]`:                           171,
		`[{"name":"a","price":100,"quantity":"1.5550"},{"name":"b","price":100,"quantity":"0.5"}]`: 206,
		`[{"name":"a","price":"100"},{"name":"b","price":100.0},{"name":"c","price":1e2}]`:         300,
		`[{"name":"a","price":0},{"name":"b","price":7}]`:                                          7,
		`[{"name":"a","price":7,"quantity":0},{"name":"b","price":7}]`:                             7,
		`[{"name":"a","price":500,"total_price_override":123}]`:                                    123,
		`[{"name":"a","price":9007199254740991}]`:                                                  9007199254740991,
		`[{"name":"a","price":1,"quantity":"9e8"}]`:                                                900000000,
	} {
		got := s.post("purchases/", s.body("purchase.products", products))
		if got.Status != 201 || number(got.At("purchase.total")) != want {
			t.Errorf("%s: %d %v, want %d: %s", products, got.Status, got.At("purchase.total"), want, got.Raw)
		}
	}
	for edits, want := range map[[2]string]int64{
		{"purchase.debt", "100"}: 6000, {"purchase.total_override", "42"}: 42, {"purchase.total", "1"}: 5900,
		{"purchase.subtotal_override", "1"}: 5900,
	} {
		id := s.create(edits[0], edits[1])
		if got := s.purchase(s.pay(id)); number(got.At("purchase.total")) != want || number(got.At("payment.amount")) != want ||
			number(got.At("refundable_amount")) != want {
			t.Errorf("%s %s: %s", edits[0], edits[1], got.Raw)
		}
	}
	got := must(t, s.post("purchases/", s.body("purchase.products",
		`[{"name":"a","price":"100","quantity":2.5,"tax_percent":"6","category":"c","discount":10}]`)), 201)
	if line := got.At("purchase.products.0"); text(line) !=
		"map[category:c discount:10 name:a price:100 quantity:2.5000 tax_percent:6.00]" {
		t.Errorf("the line: %v", line)
	}
}

// Everything that a purchase's body can have wrong is said in its place; of
// several flaws all are said.
func TestBadPurchases(t *testing.T) {
	s := setup(t)
	product := func(member, value string) string { return fmt.Sprintf(`[{"name":"a","price":1,%q:%s}]`, member, value) }
	long := `"` + strings.Repeat("é", 501) + `"`
	for _, bad := range []struct{ member, value, code string }{
		{"brand_id", "", "brand_id required"},
		{"brand_id", "null", "brand_id null"},
		{"brand_id", `"nobody"`, "brand_id invalid"},
		{"brand_id", `7`, "brand_id invalid"},
		{"brand_id", `"9c1f2a77-3f0e-4a0c-9b0d-52b6f9b3d6a1"`, "brand_id invalid"},
		{"client", "", "__all__ purchase_client_or_id_required"},
		{"client", "null", "__all__ purchase_client_or_id_required"},
		{"client_id", `"9c1f2a77-3f0e-4a0c-9b0d-52b6f9b3d6a1"`, "__all__ purchase_client_or_id_only"},
		{"client_id", `7`, "client_id invalid"},
		{"client", `{}`, "client.email required"},
		{"client", `[]`, "client.email required"},
		{"client", `7`, "client invalid"},
		{"client.email", "null", "client.email null"},
		{"client.email", `""`, "client.email min_length"},
		{"client.email", `"nobody"`, "client.email invalid"},
		{"client.email", `7`, "client.email invalid"},
		{"client.phone", `7`, "client.phone invalid"},
		{"client.full_name", `"4444 3333 2222 1111"`, "client.full_name invalid"},
		{"client.cc", `"a@example.com"`, "client.cc invalid"},
		{"purchase", "", "purchase required"},
		{"purchase", "null", "purchase null"},
		{"purchase", "7", "purchase invalid"},
		{"purchase.currency", `"XXQ"`, "purchase.currency invalid_choice"},
		{"purchase.currency", `"myr"`, "purchase.currency invalid_choice"},
		{"purchase.currency", `7`, "purchase.currency invalid"},
		{"purchase.currency", `"DEM"`, "purchase.currency invalid_choice"},
		{"purchase.products", "", "purchase.products required"},
		{"purchase.products", "null", "purchase.products null"},
		{"purchase.products", "[]", "purchase.products min_length"},
		{"purchase.products", "{}", "purchase.products invalid"},
		{"purchase.products", "[7]", "purchase.products.0.__all__ invalid"},
		{"purchase.products", `[{"name":"a","price":1},{"price":1}]`, "purchase.products.1.name required"},
		{"purchase.products", `[{"name":"a"}]`, "purchase.products.0.price required"},
		{"purchase.products", `[{"name":"","price":1}]`, "purchase.products.0.name min_length"},
		{"purchase.products", `[{"name":"` + strings.Repeat("a", 257) + `","price":1}]`, "purchase.products.0.name max_length"},
		{"purchase.products", priced(-1), "purchase.products.0.price min_value"},
		{"purchase.products", `[{"name":"a","price":null}]`, "purchase.products.0.price null"},
		{"purchase.products", `[{"name":"a","price":""}]`, "purchase.products.0.price invalid"},
		{"purchase.products", `[{"name":"a","price":10.5}]`, "purchase.products.0.price invalid"},
		{"purchase.products", `[{"name":"a","price":"1e2"}]`, "purchase.products.0.price invalid"},
		{"purchase.products", `[{"name":"a","price":true}]`, "purchase.products.0.price invalid"},
		{"purchase.products", `[{"name":"a","price":9223372036854775807}]`, "purchase.products.0.price max_value"},
		{"purchase.products", `[{"name":"a","price":9223372036854775808}]`, "purchase.products.0.price max_value"},
		{"purchase.products", `[{"name":"a","price":1e99}]`, "purchase.products.0.price max_value"},
		{"purchase.products", `[{"name":"a","price":1e999999999}]`, "purchase.products.0.price invalid"},
		{"purchase.products", product("quantity", "-1"), "purchase.products.0.quantity min_value"},
		{"purchase.products", product("quantity", "null"), "purchase.products.0.quantity null"},
		{"purchase.products", product("quantity", `"1.55555"`), "purchase.products.0.quantity max_decimal_places"},
		{"purchase.products", product("quantity", `"many"`), "purchase.products.0.quantity invalid"},
		{"purchase.products", product("quantity", "1e9"), "purchase.products.0.quantity max_value"},
		{"purchase.products", product("discount", "-1"), "purchase.products.0.discount min_value"},
		{"purchase.products", product("discount", "2"), "purchase.products.0.__all__ product_subtotal_negative"},
		{"purchase.products", product("tax_percent", "6.123"), "purchase.products.0.tax_percent max_decimal_places"},
		{"purchase.products", product("category", "null"), "purchase.products.0.category null"},
		{"purchase.products", product("total_price_override", "-100"), "purchase.products.0.total_price_override min_value"},
		{"purchase.products", `[{"name":"a","price":9007199254740991,"quantity":2}]`, "purchase.products.0.price max_value"},
		{"purchase.products", `[{"name":"a","price":9007199254740991},{"name":"b","price":1}]`, "__all__ invalid"},
		{"purchase.products", priced(0), "__all__ invalid"},
		{"purchase.total_override", "0", "__all__ invalid"},
		{"purchase.debt", "-1", "purchase.debt min_value"},
		{"purchase.metadata", `"a"`, "purchase.metadata invalid"},
		{"purchase.metadata", `{"card":4444333322221111}`, "purchase.metadata invalid"},
		{"purchase.metadata", `{"a":"` + strings.Repeat("a", 16<<10) + `"}`, "purchase.metadata max_length"},
		{"purchase.notes", `"card 5555-5555-5555-4444"`, "purchase.notes invalid"},
		{"reference", `"` + strings.Repeat("a", 129) + `"`, "reference max_length"},
		{"reference", `"4444333322221111"`, "reference invalid"},
		{"creator_agent", long, "creator_agent max_length"},
		{"skip_capture", `"yes"`, "skip_capture invalid"},
		{"success_redirect", `"javascript:alert(1)"`, "success_redirect invalid"},
		{"failure_redirect", `"/no"`, "failure_redirect invalid"},
		{"success_callback", `"https://user:pass@shop.example/"`, "success_callback invalid"},
		{"success_callback", `"https://shop.example/` + strings.Repeat("a", 500) + `"`, "success_callback max_length"},
		{"due", "1", "due due_not_greater_than_now"},
		{"due", `"soon"`, "due invalid"},
		{"due", "9007199254740991", "due max_value"},
		{"issued", `"yesterday"`, "issued invalid"},
		{"payment_method_whitelist", `"visa"`, "payment_method_whitelist invalid"},
	} {
		got := s.post("purchases/", s.body(bad.member, bad.value))
		refuses(t, bad.member+" "+bad.value[:min(len(bad.value), 60)], got, 400, bad.code)
		if strings.Contains(got.Raw, "4444333322221111") {
			t.Errorf("%s repeats what was sent: %s", bad.member, got.Raw)
		}
	}
	for _, raw := range []string{"", "{}", "[]"} {
		got := s.post("purchases/", raw)
		if got.Status != 400 || got.At("brand_id.0.code") != "required" || got.At("purchase.0.code") != "required" {
			t.Errorf("%q: %s", raw, got.Raw)
		}
	}
	for _, raw := range []string{"{", "7", "null", `"a"`, "a=b", `{"a":1,"a":2}`, "{\"a\":\"\xff\"}", `{"a":"\u0000"}`} {
		refuses(t, raw, s.post("purchases/", raw), 400, "__all__ parse_error")
	}
}

// A client is made once for each address, and can be named afterwards.
func TestClients(t *testing.T) {
	s := setup(t)
	first := must(t, s.post("purchases/", s.body("client.phone", `"+60"`)), 201)
	again := must(t, s.post("purchases/", s.body("client.email", `"BUYER@example.com"`)), 201)
	other := must(t, s.post("purchases/", s.body("client.email", `"other@example.com"`)), 201)
	if first.At("client_id") != again.At("client_id") || first.At("client_id") == other.At("client_id") {
		t.Errorf("clients: %s, %s, %s", first.At("client_id"), again.At("client_id"), other.At("client_id"))
	}
	named := must(t, s.post("purchases/", s.body("client", "", "client_id", `"`+text(first.At("client_id"))+`"`)), 201)
	if named.At("client_id") != first.At("client_id") || named.At("client.email") != "buyer@example.com" ||
		named.At("client.phone") != "+60" {
		t.Errorf("by its id: %s", named.Raw)
	}
	refuses(t, "nobody", s.post("purchases/", s.body("client", "", "client_id", `"9c1f2a77-3f0e-4a0c-9b0d-52b6f9b3d6a1"`)),
		400, "client_id invalid")
}

// What a merchant says of a purchase is echoed.
func TestEcho(t *testing.T) {
	s := setup(t)
	due := time.Now().Add(48 * time.Hour).Unix()
	got := must(t, s.post("purchases/", s.body(
		"reference", `"order-7"`, "notes", `"n"`, "send_receipt", "true", "success_redirect", `"https://shop.example/yes"`,
		"failure_redirect", `"https://shop.example/no?a=1&b=2"`, "cancel_redirect", `"https://shop.example/off"`,
		"success_callback", `"https://shop.example:8443/hook"`, "creator_agent", `"Woo"`, "platform", `"woocommerce"`,
		"payment_method_whitelist", `["visa"]`, "due", fmt.Sprint(due), "issued", `"2024-06-01"`, "order_id", `"7"`,
		"tags", `["a","b"]`, "purchase.notes", `"a <note> & more"`, "purchase.language", `"ms"`,
		"purchase.timezone", `"Asia/Kuala_Lumpur"`, "purchase.metadata", `{"a":[1, 2]}`, "unknown", `{"a":1}`,
	)), 201)
	for member, want := range map[string]string{
		"reference": "order-7", "notes": "n", "send_receipt": "true", "success_redirect": "https://shop.example/yes",
		"failure_redirect": "https://shop.example/no?a=1&b=2", "cancel_redirect": "https://shop.example/off",
		"success_callback": "https://shop.example:8443/hook", "creator_agent": "Woo", "platform": "woocommerce",
		"payment_method_whitelist": "[visa]", "due": fmt.Sprint(due), "issued": "2024-06-01", "order_id": "7", "tags": "[a b]",
		"purchase.notes": "a <note> & more", "purchase.language": "ms", "purchase.timezone": "Asia/Kuala_Lumpur",
		"purchase.metadata": "map[a:[1 2]]", "unknown": "<nil>", "is_test": "true", "status": "created",
		"direct_post_url": text(got.At("checkout_url")),
	} {
		if text(got.At(member)) != want {
			t.Errorf("%s is %v, want %s", member, got.At(member), want)
		}
	}
	id := s.pay(text(got.At("id")))
	if paid := s.purchase(id); paid.At("direct_post_url") != nil || !strings.HasSuffix(text(paid.At("checkout_url")), "/p/"+id+"/invoice/") {
		t.Errorf("paid: %s", paid.Raw)
	}
	if refunded := must(t, s.refund(id, ""), 200); refunded.At("payment.description") != "Refund: order-7" ||
		refunded.At("related_to.reference") != "order-7" || refunded.At("reference") != "" {
		t.Errorf("a refund: %s", refunded.Raw)
	}
	s.Set("chip.callback_ports_allowed", false)
	refuses(t, "a port", s.post("purchases/", s.body("success_callback", `"https://shop.example:8443/"`)), 400, "success_callback invalid")
	refuses(t, "a port", s.post("webhooks/", `{"title":"a","all_events":true,"callback":"https://shop.example:8443/"}`), 400, "callback invalid")
}

// A purchase that must be paid in time expires; any other can be paid later.
func TestDue(t *testing.T) {
	s := setup(t)
	due := fmt.Sprint(time.Now().Add(time.Hour).Unix())
	strict, relaxed := s.create("due", due, "purchase.due_strict", "true"), s.create("due", due)
	early := s.pay(s.create("due", due, "purchase.due_strict", "true"))
	if got := s.Call(http.MethodGet, "/p/"+strict+"/", ""); got.Status != 200 {
		t.Errorf("the page: %s", got)
	}
	s.Advance("2h")
	s.becomes(strict, "expired")
	if got := s.submit(strict, card()); got.Status != http.StatusConflict {
		t.Errorf("late: %d", got.Status)
	}
	is(t, "late", s.purchase(s.pay(relaxed)), "paid", "all", 5900)
	is(t, "in time", s.purchase(early), "paid", "all", 5900)
	if got := steps(s.purchase(strict)); got != "created viewed expired" {
		t.Errorf("history: %s", got)
	}
}

// A purchase can be paid as soon as it is created, if its merchant wants so.
func TestAutoPay(t *testing.T) {
	s := setup(t)
	s.Set("chip.auto_pay", true)
	s.hook("/hook")
	id := s.create()
	is(t, "at once", s.purchase(id), "paid", "all", 5900)
	s.told("/hook", "purchase.paid", 1)
	if got := s.events("/hook"); got != "purchase.created purchase.paid" {
		t.Errorf("told: %s", got)
	}
	must(t, s.refund(id, ""), 200)
}

// The methods depend on the brand and the currency.
func TestPaymentMethods(t *testing.T) {
	s := setup(t)
	brand := s.File.CHIP.BrandID
	if got := must(t, s.get("payment_methods/?brand_id="+brand+"&currency=EUR"), 200); text(got.At("available_payment_methods")) != "[visa mastercard]" {
		t.Errorf("in euros: %s", got.Raw)
	}
	refuses(t, "no brand", s.get("payment_methods/?currency=MYR"), 400, "brand_id required")
	refuses(t, "another brand", s.get("payment_methods/?currency=MYR&brand_id=nobody"), 400, "brand_id invalid")
	refuses(t, "no currency", s.get("payment_methods/?brand_id="+brand), 400, "currency required")
	refuses(t, "another currency", s.get("payment_methods/?currency=XXQ&brand_id="+brand), 400, "currency invalid_choice")
}

// Behind a proxy that ends TLS, the payer is sent to https.
func TestCheckoutBehindAProxy(t *testing.T) {
	s := setup(t)
	got := must(t, s.post("purchases/", s.body(), "X-Forwarded-Proto", "https"), 201)
	if checkout := text(got.At("checkout_url")); !strings.HasPrefix(checkout, strings.Replace(s.URL, "http:", "https:", 1)+"/p/") {
		t.Errorf("checkout: %s", checkout)
	}
}
