package chip_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/refundry/refundry/internal/dialect/dialecttest"
	"github.com/refundry/refundry/internal/service"
)

// A payer looks at the page, mistypes the code, and pays: each step is in the
// history, each try among the attempts, the newest first.
func TestPayerPays(t *testing.T) {
	s := setup(t)
	s.hook("/hook")
	id := s.create()
	is(t, "created", s.purchase(id), "created", "none", 0)
	page := s.Call(http.MethodGet, "/p/"+id+"/", "")
	if page.Status != 200 || !strings.Contains(page.Raw, "59.00 MYR") || !strings.HasPrefix(page.Header.Get("Content-Type"), "text/html") {
		t.Errorf("the page: %s", page)
	}
	s.Call(http.MethodGet, "/p/"+id, "") // once more changes nothing
	viewed := s.purchase(id)
	is(t, "viewed", viewed, "viewed", "none", 0)
	if number(viewed.At("viewed_on")) < 1 {
		t.Errorf("viewed: %s", viewed.Raw)
	}
	if got := s.submit(id, card("cvc", "321")); got.Status != http.StatusUnprocessableEntity || !strings.Contains(got.Raw, "cvc") {
		t.Errorf("a wrong code: %d %s", got.Status, got.Raw)
	}
	wrong := s.purchase(id)
	is(t, "a wrong code", wrong, "error", "none", 0)
	if wrong.At("payment") != nil || wrong.At("transaction_data.attempts.0.error.code") != "validation_cvc_invalid" ||
		wrong.At("transaction_data.attempts.0.successful") != false || wrong.At("transaction_data.attempts.0.type") != "execute" ||
		wrong.At("transaction_data.attempts.0.extra.masked_pan") != "444433******1111" {
		t.Errorf("a wrong code: %s", wrong.Raw)
	}
	if got := s.submit(id, card("card_number", "5555 5555 5555 4444")); got.Status != 200 {
		t.Errorf("pay: %d %s", got.Status, got.Raw)
	}
	paid := s.purchase(id)
	is(t, "paid", paid, "paid", "all", 5900)
	if steps(paid) != "created viewed error paid" || paid.At("transaction_data.attempts.0.successful") != true ||
		paid.At("transaction_data.attempts.0.error") != nil || paid.At("transaction_data.attempts.1.successful") != false ||
		paid.At("transaction_data.payment_method") != "mastercard" || paid.At("transaction_data.extra.masked_pan") != "555555******4444" ||
		paid.At("transaction_data.attempts.0.client_ip") != "127.0.0.1" || paid.At("viewed_on") != viewed.At("viewed_on") {
		t.Errorf("paid: %s", paid.Raw)
	}
	s.told("/hook", "purchase.paid", 1)
	if got := s.events("/hook"); got != "purchase.created purchase.payment_failure purchase.paid" {
		t.Errorf("told: %s", got)
	}
	if failure := s.told("/hook", "purchase.payment_failure", 1); failure.At("status") != "error" || failure.At("payment") != nil {
		t.Errorf("told: %s", failure.Raw)
	}
	for what, got := range map[string]dialecttest.Answered{
		"once more": s.submit(id, card()), "by another form": s.submit(id, card("flow", "")),
	} {
		if got.Status != http.StatusConflict {
			t.Errorf("%s: %d", what, got.Status)
		}
	}
	if got := s.Call(http.MethodGet, "/p/"+id+"/invoice/", ""); got.Status != 200 || !strings.Contains(got.Raw, "paid") {
		t.Errorf("the invoice: %s", got)
	}
}

// Each flaw of a card has its code.
func TestBadCards(t *testing.T) {
	s := setup(t)
	for form, code := range map[string]string{
		card("card_number", ""):                          "validation_card_number_not_provided",
		card("card_number", "4242424242424242"):          "validation_card_number_invalid",
		card("card_number", "1"):                         "validation_card_number_invalid",
		card("cardholder_name", " "):                     "validation_cardholder_name_not_provided",
		card("cardholder_name", strings.Repeat("a", 65)): "validation_cardholder_name_too_long",
		card("cardholder_name", "4444333322221111"):      "validation_cardholder_name_invalid",
		card("cardholder_name", "\xff"):                  "validation_cardholder_name_invalid",
		card("expires", ""):                              "validation_expires_not_provided",
		card("expires", "13/39"):                         "validation_expires_invalid",
		card("expires", "10-39"):                         "validation_expires_invalid",
		card("expires", "01/24"):                         "validation_expires_invalid",
		card("cvc", ""):                                  "validation_cvc_not_provided",
		card("cvc", "12345"):                             "validation_cvc_too_long",
		card("cvc", "124"):                               "validation_cvc_invalid",
		"":                                               "validation_card_number_not_provided",
	} {
		id := s.create()
		s.submit(id, form)
		if got := s.purchase(id); got.At("transaction_data.attempts.0.error.code") != code || got.At("status") != "error" {
			t.Errorf("%q: %v, want %s", form, got.At("transaction_data.attempts.0.error"), code)
		}
	}
	id := s.create()
	for range 20 {
		s.submit(id, card("cvc", "124"))
	}
	if got := s.submit(id, card()); got.Status != http.StatusConflict {
		t.Errorf("after 20 tries: %d", got.Status)
	}
	if attempts, _ := s.purchase(id).At("transaction_data.attempts").([]any); len(attempts) != 20 {
		t.Errorf("%d attempts", len(attempts))
	}
}

// A merchant's own form posts to direct_post_url, and leads back to the merchant.
func TestDirectPost(t *testing.T) {
	s := setup(t)
	redirects := []string{"success_redirect", `"https://shop.example/yes?a=1&b=2"`, "failure_redirect", `"https://shop.example/no"`}
	id := s.create(redirects...)
	path := strings.TrimPrefix(text(s.purchase(id).At("direct_post_url")), s.URL)
	post := func(form string) dialecttest.Answered {
		return s.Call(http.MethodPost, path, form, "Content-Type", "application/x-www-form-urlencoded")
	}
	if got := post(card("flow", "", "cvc", "999")); got.Status != 302 || got.Header.Get("Location") != "https://shop.example/no" {
		t.Errorf("in vain: %d %v", got.Status, got.Header)
	}
	if s.purchase(id).At("direct_post_url") == nil {
		t.Error("it can be tried again")
	}
	if got := post(card("flow", "", "remember_card", "on")); got.Status != 302 || got.Header.Get("Location") != "https://shop.example/yes?a=1&b=2" {
		t.Errorf("paid: %d %v", got.Status, got.Header)
	}
	paid := s.purchase(id)
	if paid.At("transaction_data.flow") != "direct_post" || paid.At("is_recurring_token") != true || paid.At("direct_post_url") != nil {
		t.Errorf("paid: %s", paid.Raw)
	}
	if got := s.purchase(s.create("success_redirect", `"https://shop.example/yes"`)); got.At("direct_post_url") != nil {
		t.Errorf("without failure_redirect: %s", got.Raw)
	}
	if got := s.Call(http.MethodPut, path, ""); got.Status != 405 {
		t.Errorf("PUT: %d", got.Status)
	}
}

// FPX moves ringgits, and has no card.
func TestFPX(t *testing.T) {
	s := setup(t)
	id := s.create()
	if got := s.submit(id, "flow=payform&payment_method=fpx"); got.Status != 200 {
		t.Fatalf("pay: %d %s", got.Status, got.Raw)
	}
	paid := s.purchase(id)
	if paid.At("transaction_data.payment_method") != "fpx" || text(paid.At("transaction_data.extra")) != "map[]" {
		t.Errorf("paid: %s", paid.Raw)
	}
	if got := must(t, s.refund(id, ""), 200); text(got.At("transaction_data.extra")) != "map[amount:5900]" {
		t.Errorf("refunded: %s", got.Raw)
	}
	euros := s.create("purchase.currency", `"EUR"`)
	s.submit(euros, "flow=payform&payment_method=fpx")
	is(t, "euros", s.purchase(euros), "error", "none", 0)
}

// Pages of nobody's, of another door's payments, and of given up purchases.
func TestNothingToPay(t *testing.T) {
	s := setup(t)
	foreign := must(t, s.API(http.MethodPost, "/v1/payments", `{"amount":5900,"currency":"MYR"}`), 201)
	for _, path := range []string{"/p/", "/p/nobody/", "/p/4a0f6f3e-2d53-4f53-8c0a-0c3f7f1f9d02/", "/p/" + uuidOf(t, foreign) + "/"} {
		if got := s.Call(http.MethodGet, path, ""); got.Status != 404 {
			t.Errorf("%s: %d", path, got.Status)
		}
	}
	id := s.create()
	must(t, s.post("purchases/"+id+"/cancel/", ""), 200)
	if got := s.Call(http.MethodGet, "/p/"+id+"/", ""); got.Status != http.StatusConflict {
		t.Errorf("given up: %d", got.Status)
	}
	if got := s.submit(id, card()); got.Status != http.StatusConflict {
		t.Errorf("given up: %d", got.Status)
	}
	if got := s.submit(s.create(), strings.Repeat("a", 5000)); got.Status != 400 {
		t.Errorf("a large form: %d", got.Status)
	}
}

// Neither a card's number nor its code is in any file of ours afterwards.
func TestCardsAreForgotten(t *testing.T) {
	var folder string
	s := setup(t, func(c *service.Config) { folder = c.Data })
	id := s.create()
	s.submit(id, card("cvc", "987"))
	s.submit(id, card("card_number", "4012888888881881", "cvc", "987"))
	s.pay(id)
	must(t, s.refund(id, ""), 200)
	count := 0
	err := filepath.Walk(folder, func(path string, info os.FileInfo, err error) error {
		if err != nil || info.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		for _, secret := range []string{"4444333322221111", "4012888888881881", "401288", `"987"`} {
			if strings.Contains(string(content), secret) {
				t.Errorf("%s has %s", filepath.Base(path), secret)
			}
		}
		count++
		return err
	})
	if err != nil || count == 0 {
		t.Errorf("%d files, %v", count, err)
	}
}
