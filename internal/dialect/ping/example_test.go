package ping_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/refundry/refundry/internal/dialect/dialecttest"
	"github.com/refundry/refundry/internal/dialect/ping"
	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/webhook"
)

// Every example body that a server receives is sent, and every one that it
// answers or calls back with is compared with ours, member by member.
func TestExamples(t *testing.T) {
	w := start(t)
	t.Cleanup(func() {
		files, err := os.ReadDir(examples)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if _, ok := exercised.Load(file.Name()); !ok {
				t.Errorf("%s is not exercised", file.Name())
			}
		}
	})
	w.exampleMerchants(t)
	w.exampleTenant(t)
	w.exampleLists(t)
	w.exampleLife(t)
	w.exampleSettlement(t)
	w.exampleErrors(t)
	exampleCallbacks(t)
	exampleVector(t)
	w.Clean()
}

func (w world) exampleMerchants(t *testing.T) {
	made := w.must("merchant", w.post("merchants", example(t, "merchant-create-request")), 200)
	matches(t, "merchant-create-response", made.Raw)
	matches(t, "merchant-get-response", w.get("merchants/"+made.At("id").(string)).Raw)
}

func (w world) exampleTenant(t *testing.T) {
	w.must("observed", w.put("tenant", example(t, "tenant-update-request-observed")), 204)
	w.must("refund URL", w.put("tenant", example(t, "tenant-update-request-refund-url")), 204)
	w.must("null", w.put("tenant", `{"credit_account_top_up_callback_url":null,"merchant_status_callback_url":null,`+
		`"disbursement_callback_url":"https://merchant.example/ping/disbursements"}`), 204)
	matches(t, "signing-key-generate-response", w.must("generate", w.post("signing_key/generate", ""), 200).Raw)
	matches(t, "signing-key-get-response", w.must("key", w.get("signing_key"), 200).Raw)
	got := w.must("tenant", w.get("tenant"), 200)
	like(t, "tenant", dialecttest.Decode(example(t, "tenant-get-response")), got.Body)
	if got.At("payment_refund_callback_url") != "https://merchant.example/ping/refunds" {
		t.Errorf("%s", got.Raw)
	}
	if got := w.must("poke", w.post("poke", example(t, "poke-request")), 200); got.Raw != "{}" {
		t.Errorf("poke: %s", got.Raw)
	}
	w.must("poke", w.post("poke", `{"callback_url":"`+w.Receiver.URL+`/poke"}`), 200)
	came := w.Receiver.Await(t, "/poke", 1, "a poke", func(dialecttest.Webhook) bool { return true })
	matches(t, "callback-poke", came.Raw)
}

// lists are asked for when the first payment that is shown is there.
func (w world) exampleLists(t *testing.T) {
	matches(t, "payment-list-response-empty", w.call(http.MethodGet, "payments", "", "x-api-version", version).Raw)
	matches(t, "payment-order-create-response",
		w.must("order", w.post("payment_orders", example(t, "payment-order-create-request")), 200).Raw)
	order := w.order()
	for _, name := range []string{"payment-initiate-request-dummy", "payment-initiate-request-csharp-shape"} {
		made := w.must(name, w.post(order+"/payments", example(t, name)), 200)
		matches(t, "payment-initiate-response-dummy", made.Raw)
		w.until(order+"/payments/"+made.At("id").(string), "status", "COMPLETED")
	}
	card := w.must("card", w.post(order+"/payments", asking("payment_iq", "card", "{}", 100, line(100, marios))), 200)
	matches(t, "payment-initiate-response-card", card.Raw)
	w.until(order+"/payments/"+card.At("id").(string), "status", "COMPLETED")
}

// swish makes a payment like the one in the examples.
func (w world) swish(callback string) (order, at string) {
	w.T.Helper()
	order = w.order()
	body := strings.TrimSuffix(asking("swish", "e_commerce", `{"message":"hello"}`, 29900, line(29900, marios)), "}")
	made := w.must("swish", w.post(order+"/payments", body+`,"status_callback_url":"`+callback+`"}`), 200)
	at = order + "/payments/" + made.At("id").(string)
	w.until(at, "status", "COMPLETED")
	return order, at
}

func (w world) exampleLife(t *testing.T) {
	order, at := w.swish(w.Receiver.URL + "/payment")
	matches(t, "payment-get-response", w.get(at).Raw)
	matches(t, "payment-order-get-response", w.get(order).Raw)
	came := w.Receiver.Await(t, "/payment", 1, "the payment's callback", completed)
	matches(t, "callback-payment-status", came.Raw)

	w.tell()
	part := strings.TrimSuffix(refunding(10000, line(19900, marios)), "}") + `,"description":"Test refund"}`
	w.must("part", w.post(at+"/refund", part), 200)
	w.until(at, "refund.amount", number(10000))
	matches(t, "payment-get-response-refunded", w.get(at).Raw)
	matches(t, "callback-refund-completed", w.Receiver.Await(t, "/refunds", 1, "COMPLETED", completed).Raw)

	w.must("another page", w.post(at+"/refund", `{"amount":1,"currency":"SEK","reason":"other","order_items":[`+
		line(19899, marios)+`]}`), 200)
	w.until(at, "refund.amount", number(10001))
	_, at = w.swish(w.Receiver.URL)
	got := w.must("partial", w.post(at+"/refund", part), 200)
	matches(t, "refund-response-partial", got.Raw)
	w.until(at, "refund.amount", number(10000))
	list := w.call(http.MethodGet, "payments?limit=1&is_refund_requested=true", "", "x-api-version", version)
	matches(t, "payment-list-response-page", list.Raw)

	_, at = w.swish(w.Receiver.URL)
	matches(t, "refund-response-partial", w.must("partial", w.post(at+"/refund", example(t, "refund-request-partial")), 200).Raw)
	w.until(at, "order_items.0.vat_rate", number(0))
	w.must("second", w.post(at+"/refund", example(t, "refund-request-second-partial")), 200)
	w.until(at, "order_items.0.amount", number(15000))
	_, at = w.swish(w.Receiver.URL)
	matches(t, "refund-response-full", w.must("full", w.post(at+"/refund", example(t, "refund-request-full")), 200).Raw)
	at = w.dummy(w.order(), "COMPLETED", 500)
	w.must("no items", w.post(at+"/refund", example(t, "refund-request-no-order-items")), 200)
	w.until(at, "refund.amount", number(500))
}

func completed(came dialecttest.Webhook) bool { return came.At("status") == "COMPLETED" }

func (w world) exampleSettlement(t *testing.T) {
	merchant := w.must("merchant", w.post("merchants", example(t, "merchant-create-request")), 200).At("id").(string)
	order := w.order()
	at := w.dummy(order, "COMPLETED", 29900, line(29900, merchant))
	w.must("refund", w.post(at+"/refund", refunding(10000, line(19900, merchant))), 200)
	w.until(at, "refund.amount", number(10000))
	w.must("close", w.put(order+"/close", ""), 204)
	w.must("split", w.put(order+"/split", "{}"), 204)
	list := "allocations?payment_order_id=" + strings.TrimPrefix(order, "payment_orders/")
	matches(t, "allocation-list-response", w.call(http.MethodGet, list, "", "x-api-version", version).Raw)
	w.must("settle", w.put(order+"/settle", `{"fast_forward":false}`), 204)
	came := w.Receiver.Await(t, "/disbursements", 1, "a disbursement", func(dialecttest.Webhook) bool { return true })
	matches(t, "callback-disbursement", came.Raw)
	if at, _ := came.At("disbursed_at").(string); !regexp.MustCompile(`^[0-9-]{10} [0-9:]{8}\.[0-9]{6}Z$`).MatchString(at) {
		t.Errorf("disbursed_at: %s", at)
	}
	matches(t, "disbursement-get-response", w.get("disbursements/"+came.At("id").(string)).Raw)
}

func (w world) exampleErrors(t *testing.T) {
	order := w.order()
	full, part := refunding(29900), refunding(10000, line(19900, marios))
	says := func(name, path, body string, status int, header ...string) {
		t.Helper()
		got := w.post(path, body, header...)
		if got.Status != status {
			t.Errorf("%s: %d %s", name, got.Status, got.Raw)
		}
		matches(t, name, got.Raw)
	}
	says("error-unauthorized", "payment_orders", "{}", 401, "x-api-secret", "wrong")
	says("error-not-found", order+"/payments/"+marios+"/refund", full, 404)
	says("error-null-value", order+"/payments",
		asking("open_payments", "pis", `{"success_url":null}`, 100, line(100, marios)), 422)

	at := w.paid()
	says("error-refund-invalid-reason", at+"/refund", strings.Replace(full, "requested_by_customer", "regret", 1), 422)
	says("error-refund-currency-mismatch", at+"/refund", strings.Replace(full, "SEK", "EUR", 1), 422)
	says("error-refund-amount-mismatch", at+"/refund", refunding(10001, line(19900, marios)), 422)
	w.Set("ping.refund_max_amount", int64(29899))
	says("error-refund-threshold-exceeded", at+"/refund", full, 403)
	w.Set("ping.refund_max_amount", int64(0))
	w.must("pending", w.post(at+"/refund", strings.TrimSuffix(part, "}")+`,"message":"refundry:PENDING"}`), 200)
	says("error-refund-in-progress", at+"/refund", part, 403)

	at = w.paid()
	w.must("refund", w.post(at+"/refund", full), 200)
	w.until(at, "refund.amount", number(29900))
	says("error-refund-already-refunded", at+"/refund", full, 403)
	says("error-refund-payment-not-completed", w.dummy(order, "PENDING", 29900)+"/refund", full, 403)
	says("error-refund-provider-not-refundable", w.by("klarna", "hpp", 29900)+"/refund", full, 403)

	order = w.order()
	at = w.dummy(order, "COMPLETED", 29900)
	got := w.put(at+"/funding/reconcile", `{"order_items":null}`)
	if got.Status != 403 {
		t.Errorf("reconcile: %d", got.Status)
	}
	matches(t, "error-operation-forbidden", got.Raw)
	w.must("close", w.put(order+"/close", "{}"), 204)
	says("error-payment-order-closed", order+"/payments", asking("dummy", "dummy", "{}", 100, line(100, marios)), 403)
	w.must("split", w.put(order+"/split", ""), 204)
	says("error-refund-order-split", at+"/refund", full, 403)
}

// callback renders a refund's callback as of a view that is made by hand.
func callback(t *testing.T, kind payment.EventKind, refund payment.Refund, at time.Time) []byte {
	t.Helper()
	var order payment.OrderID
	var id payment.PaymentID
	for to, text := range map[*[16]byte]string{
		(*[16]byte)(&order):     "6ccbf39e-6075-4565-87c4-c43a0d1a9265",
		(*[16]byte)(&id):        "c7a35333-7d56-4fc7-8f68-67a7f8f7a0a3",
		(*[16]byte)(&refund.ID): "e2fbcec8-4858-40f0-ba7f-7fcf82653f58",
	} {
		var read payment.ResourceID
		if err := read.ParseUUID(text); err != nil {
			t.Fatal(err)
		}
		*to = read
	}
	refund.Amount = money.Of(10000, "SEK")
	view := payment.View{
		Payment: payment.Payment{ID: id, Order: order, Status: payment.PaymentCaptured, Amount: money.Of(29900, "SEK")},
		Refunds: []payment.Refund{refund},
		Facets:  []payment.Facet{{Subject: id, Door: ping.Name, Body: ping.Document("swish", "e_commerce")}},
	}
	body, err := ping.Voice().Body(webhook.Event{Kind: kind, Word: "refund", Subject: refund.ID, At: at}, view, nil)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// The callbacks of a refund have every byte of the examples.
func exampleCallbacks(t *testing.T) {
	end := time.Date(2025, time.June, 27, 8, 43, 1, 367125000, time.UTC)
	for name, test := range map[string]struct {
		kind   payment.EventKind
		at     time.Time
		refund payment.Refund
	}{
		"pending":   {payment.EventRefundCreated, end.Add(-3247125 * time.Microsecond), payment.Refund{Status: payment.RefundPending}},
		"completed": {"refund.succeeded", end, payment.Refund{Status: payment.RefundSucceeded}},
		"declined": {"refund.declined", end, payment.Refund{
			Status: payment.RefundDeclined, Failure: payment.Failure{Message: "Payer account closed", ProcessorCode: "05"},
		}},
		"failed": {"refund.failed", end, payment.Refund{
			Status: payment.RefundFailed, Failure: payment.Failure{Message: "Provider did not answer", ProcessorCode: "500"},
		}},
	} {
		var want bytes.Buffer
		if err := json.Compact(&want, []byte(example(t, "callback-refund-"+name))); err != nil {
			t.Fatal(err)
		}
		if got := callback(t, test.kind, test.refund, test.at); string(got) != want.String() {
			t.Errorf("%s: %s, want %s", name, got, want.String())
		}
	}
}

// The signature's vector verifies, and so does nothing that differs from it.
func exampleVector(t *testing.T) {
	vector := dialecttest.Decode(example(t, "vector-callback-signature"))
	text := func(name string) string { return dialecttest.At(vector, name).(string) }
	body := []byte(example(t, strings.TrimSuffix(text("body_file"), ".json")))
	sum := sha256.Sum256(body)
	if hex.EncodeToString(sum[:]) != text("body_sha256_hex") {
		t.Error("the body is another one")
	}
	seed, err := hex.DecodeString(text("private_seed_hex"))
	if err != nil {
		t.Fatal(err)
	}
	if got := ping.Signature(seed, body, "base64"); got != text("signature_base64") {
		t.Errorf("%s, want %s", got, text("signature_base64"))
	}
	if !verifies(t, text("public_key_base64"), body, text("signature_base64")) {
		t.Error("the vector does not verify")
	}
	for i := range body {
		changed := bytes.Clone(body)
		changed[i] ^= 1
		if verifies(t, text("public_key_base64"), changed, text("signature_base64")) {
			t.Errorf("byte %d may change", i)
		}
	}
}
