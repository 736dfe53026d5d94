package primer_test

import (
	"encoding/pem"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/refundry/refundry/internal/dialect/dialecttest"
	"github.com/refundry/refundry/internal/dialect/primer"
	"github.com/refundry/refundry/internal/wire"
)

// A payment that was made at Primer keeps its id, at every call and in every webhook.
func TestImportedPaymentsKeepTheirIDs(t *testing.T) {
	dialecttest.OnBoth(t, func(t *testing.T, plain *dialecttest.World) {
		w := as(plain)
		w.Tell(primer.Name)
		line := `{"home":"primer","payment_id":"kHdEw9EG","amount":4200,"currency":"EUR","reference":"order-abc",` +
			`"metadata":{"productId":123},"method":{"type":"card","brand":"mastercard","last4":"4444"},` +
			`"document":{"customer":{"emailAddress":"a@b.example"},"cardTokenType":"NETWORK_TOKEN"}}`
		for range 2 {
			if got := w.Operate(http.MethodPost, "/v1/payments/import", line); got.At("id") == nil {
				t.Fatalf("%s", got)
			}
		}
		got := w.get("/payments/kHdEw9EG")
		w.ok("read", got, "SETTLED")
		if got.At("id") != "kHdEw9EG" || got.At("customer.emailAddress") != "a@b.example" || got.At("cardTokenType") != "NETWORK_TOKEN" ||
			got.At("paymentMethod.paymentMethodData.network") != "Mastercard" || got.At("paymentMethod.paymentMethodData.last4Digits") != "4444" {
			t.Errorf("%s", got)
		}
		wellFormed(t, got.Raw)
		w.ok("refund", w.post(refundOf("kHdEw9EG"), `{"amount":1000}`, "X-Idempotency-Key", "k"), "SETTLED")
		again := w.post(refundOf("kHdEw9EG"), `{"amount":1000}`, "X-Idempotency-Key", "k")
		if again.At("error.paymentId") != "kHdEw9EG" {
			t.Errorf("%s", again)
		}
		if told := w.toldOf("PAYMENT.REFUND", "kHdEw9EG", "SETTLED", 1); told.At("payment.orderId") != "order-abc" {
			t.Errorf("%s", told.Raw)
		}
		if list := w.get("/payments"); list.At("data.0.id") != "kHdEw9EG" || list.At("data.1") != nil {
			t.Errorf("%s", list)
		}
		taken := w.Operate(http.MethodPost, "/v1/payments/import", strings.Replace(line, "4200", "1", 1))
		if taken.At("error") == nil {
			t.Errorf("an id is given twice: %s", taken)
		}
		w.Clean()
	})
}

// What is said of an imported payment is read strictly.
func TestBadImportsAreRefused(t *testing.T) {
	t.Parallel()
	for _, line := range []string{
		`{"payment_id":7}`, `{"payment_id":""}`, `{"payment_id":"a b"}`, `{"payment_id":"a/b"}`,
		`{"payment_id":"` + strings.Repeat("x", 65) + `"}`, `{"document":{"order":[]}}`, `{"document":{"paymentMethod":"card"}}`,
	} {
		if _, _, err := primer.ImportDocument(parsed(t, line)); err == nil {
			t.Errorf("%s is taken", line)
		}
	}
}

// A payment that another door has under way is not authorized here: it has a
// way of its own there.
func TestAnotherDoorsPaymentsAreNotAuthorizedHere(t *testing.T) {
	w := setup(t)
	w.Set("smartglocal.require_action", true)
	key, err := os.ReadFile(w.File.SmartGlocal.PrivateKeyFile)
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(key)
	private, err := wire.ParseRSAPrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	body := `{"payment_details":{"type":"card","card":{"type":"bank_card","bank_card":{"number":"4242424242424242",` +
		`"expiration_month":"05","expiration_year":"35","security_code":"123"}}},"amount_details":{"amount":20000,"currency":"eur"}}`
	signature, err := wire.SignRSA(private, []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	w.Call(http.MethodPost, "/api/v1/session/init/payment", body, "X-PARTNER-PROJECT", w.File.SmartGlocal.Project,
		"X-PARTNER-SIGN", signature)
	id := w.get("/payments").At("data.0.id").(string)
	got := w.post("/payments/"+id+"/authorize", `{"processor":{"processorMerchantId":"a"}}`)
	w.refused("authorize", got, 400, "InvalidPaymentStatus")
	w.ok("it waits", w.get("/payments/"+id), "PENDING")
}

// A payment of another door shows what this one can say of it, and all that
// clients rely on.
func TestPaymentsOfOtherDoors(t *testing.T) {
	w := setup(t)
	for _, body := range []string{
		`{"amount":4200,"currency":"EUR"}`,
		`{"amount":4200,"currency":"EUR","metadata":{"a":{"b":1},"c":1.5,"d":"x","e":7},"method":{"type":"swish"}}`,
		`{"amount":4200,"currency":"EUR","method":{"type":"card","brand":"sebanken","last4":"0007"},"payer":"p"}`,
	} {
		w.API(http.MethodPost, "/v1/payments", body)
		id := w.get("/payments?limit=1").At("data.0.id").(string)
		got := w.get("/payments/" + id)
		w.ok(body, got, "SETTLED")
		wellFormed(t, got.Raw)
		for _, name := range []string{
			"id", "date", "dateUpdated", "status", "orderId", "currencyCode", "amount", "order", "customer", "metadata", "paymentMethod",
			"processor", "transactions",
		} {
			if got.At(name) == nil {
				t.Errorf("%s is missing: %s", name, got)
			}
		}
		if got.At("orderId") != id {
			t.Errorf("a payment without a reference is its own: %s", got)
		}
		w.ok("refund", w.post(refundOf(id), `{"amount":1}`), "SETTLED")
	}
	swish := w.get("/payments?payment_method_type=SWISH").At("data.0.id").(string)
	got := w.get("/payments/" + swish)
	if !strings.Contains(got.Raw, `"metadata":{"d":"x","e":7}`) || got.At("cardTokenType") != nil ||
		got.At("paymentMethod.paymentMethodType") != "SWISH" || got.At("paymentMethod.paymentMethodData") != nil {
		t.Errorf("%s", got)
	}
	w.Clean()
}
