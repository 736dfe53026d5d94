package primer_test

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/refundry/refundry/internal/dialect/dialecttest"
	"github.com/refundry/refundry/internal/dialect/primer"
	"github.com/refundry/refundry/internal/fault"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/webhook"
)

// forClients are the examples that only a client of Primer's meets, and why.
var forClients = map[string]string{
	"webhook-dispute-status": "a form that Primer publishes beside the schema's; we send the schema's",
}

// examples has a claim for every example that a server receives or sends.
var examples = map[string]func(t *testing.T, w *world){
	"payment-create-request":              exampleCreate,
	"payment-create-response":             exampleCreate,
	"payment-get-response-observed":       exampleObserved,
	"payment-list-response":               exampleList,
	"capture-request-partial":             exampleCapture,
	"cancel-request":                      exampleCancel,
	"refund-request-empty-object":         exampleWholeRefunds,
	"refund-request-null":                 exampleWholeRefunds,
	"refund-request-expand":               exampleWholeRefunds,
	"refund-request-partial":              exampleParts,
	"refund-request-order-and-reason":     exampleParts,
	"refund-request-event":                exampleEvent,
	"refund-response":                     exampleSettled,
	"refund-response-partial-pending":     examplePending,
	"refund-response-expand-events":       exampleEvent,
	"resume-response-202":                 exampleResume,
	"error-payment-not-found":             exampleNotFound,
	"error-authorize-payment-not-found":   exampleNotFound,
	"error-invalid-payment-status":        exampleStatus,
	"error-refund-not-settled":            exampleStatus,
	"error-payment-already-refunded":      exampleNothingLeft,
	"error-idempotency-key-exists":        exampleKey,
	"error-create-idempotency-key-exists": exampleKey,
	"error-request-limit-exceeded":        exampleLimit,
	"error-unprocessable-refund-amount":   exampleTooMuch,
	"error-refund-amount-over-remainder":  exampleTooMuch,
	"error-request-validation":            exampleInvalid,
	"error-event-not-refundable":          exampleInvalid,
	"error-create-missing-fields":         exampleInvalid,
	"error-metadata-empty-key":            exampleInvalid,
	"error-payment-not-created":           exampleInvalid,
	"error-refund-disputed":               exampleDispute,
	"webhook-dispute-opened":              exampleDispute,
	"webhook-dispute-status-schema-shape": exampleDispute,
	"error-unsupported-version":           exampleCallers,
	"error-unauthorized":                  exampleCallers,
	"error-forbidden":                     exampleCallers,
	"error-gateway-timeout":               exampleTimeout,
	"webhook-payment-refund":              exampleWebhooks,
	"webhook-payment-refund-failed":       exampleWebhooks,
	"webhook-payment-status":              exampleWebhooks,
	"webhook-test":                        exampleTry,
	"vector-webhook-signature":            exampleVector,
}

// Every example body that a server receives or sends is exercised.
func TestEveryExampleIsExercised(t *testing.T) {
	t.Parallel()
	files, err := os.ReadDir("testdata/examples")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(file.Name(), ".json")
		if _, isOne := examples[name]; !isOne && forClients[name] == "" {
			t.Errorf("nobody exercises %s", name)
		}
	}
	if len(files) != len(examples)+len(forClients) {
		t.Errorf("%d files, %d claims", len(files), len(examples)+len(forClients))
	}
}

// Requests of the examples get the answers of the examples.
func TestExamples(t *testing.T) {
	t.Parallel()
	w := as(dialecttest.Start(t, ""))
	w.Tell(primer.Name)
	done := map[string]bool{}
	for name, claim := range examples {
		if at := fmt.Sprintf("%p", claim); !done[at] {
			done[at] = true
			t.Run(name, func(t *testing.T) { claim(t, w.in(t)) })
		}
	}
	w.Clean()
}

// in returns the world for a test within its own.
func (w *world) in(t *testing.T) *world {
	inner := *w.World
	inner.T = t
	return &world{&inner, w.key}
}

// likeError is how an error is like its example: but for the request's id.
var likeError = likeness{vary: []string{"error.diagnosticsId"}}

// says fails the test unless a call was refused as an example has it.
func (w *world) says(name string, got dialecttest.Answered, status int, vary ...string) {
	w.T.Helper()
	if got.Status != status {
		w.T.Errorf("%s: %d %s", name, got.Status, got)
	}
	like(w.T, name, got.Body, likeness{vary: append(vary, likeError.vary...)})
}

func exampleCreate(t *testing.T, w *world) {
	got := w.post("/payments", readFile(t, "payment-create-request"))
	w.ok("create", got, "AUTHORIZED")
	like(t, "payment-create-response", got.Body, likePayment())
	wellFormed(t, got.Raw)
}

// asExample makes the payment of the examples, with another amount.
func (w *world) asExample(amount int) string {
	w.T.Helper()
	body := strings.Replace(readFile(w.T, "payment-create-request"), `"amount": 42`, fmt.Sprintf(`"amount": %d`, amount), 1)
	made := w.post("/payments", body)
	w.ok("create", made, "AUTHORIZED")
	return made.At("id").(string)
}

func exampleSettled(t *testing.T, w *world) {
	id := w.asExample(42)
	w.post("/payments/"+id+"/capture", "")
	w.Set("primer.sync_refunds", true)
	defer w.Set("primer.sync_refunds", nil)
	got := w.post(refundOf(id), `{"reason":"Customer returned order #1234."}`)
	like(t, "refund-response", got.Body, likePayment())
}

func examplePending(t *testing.T, w *world) {
	id := w.asExample(4200)
	w.post("/payments/"+id+"/capture", "")
	got := w.post(refundOf(id), `{"amount":1000,"orderId":"rfd_01HZX","reason":"Customer returned order #1234."}`)
	like(t, "refund-response-partial-pending", got.Body, likePayment())
}

func exampleEvent(t *testing.T, w *world) {
	id := w.asExample(4200)
	first := w.post("/payments/"+id+"/capture", readFile(t, "capture-request-partial"))
	w.ok("a part", first, "PARTIALLY_SETTLED")
	w.ok("the rest", w.post("/payments/"+id+"/capture", ""), "SETTLED")
	event := w.get("/payments/" + id + "?expand=transactions.events").At("transactions.0.events.1.id").(string)
	body := strings.Replace(readFile(t, "refund-request-event"), "493cde19-04f2-4913-b00b-71af806f4374", event, 1)
	got := w.post(refundOf(id), strings.Replace(body, "{", `{"expand":["transactions.events"],`, 1))
	like(t, "refund-response-expand-events", got.Body, likePayment())
}

// exampleObserved shows a payment as Primer showed it once: it was made there.
func exampleObserved(t *testing.T, w *world) {
	seen := dialecttest.Decode(readFile(t, "payment-get-response-observed")).(map[string]any)
	method := string(encoded(t, seen["paymentMethod"]))
	line := `{"home":"primer","payment_id":"tCXw51bG","amount":10000,"currency":"SEK","reference":"orderId",` +
		`"payer":"customerId","processor_ref":"aishdlaKAmkd","created_at":"2023-02-22T08:29:08.670525Z",` +
		`"captured_at":"2023-02-22T08:29:08.903566Z","document":{"order":{},"customer":{},"paymentMethod":` + method +
		`,"processor":{"name":"PRIMER_PROCESSOR","processorMerchantId":"online-store"}}}`
	if got := w.Operate(http.MethodPost, "/v1/payments/import", line); got.At("id") == nil {
		t.Fatalf("import: %s", got)
	}
	got := w.get("/payments/tCXw51bG")
	like(t, "payment-get-response-observed", got.Body, likeness{
		vary:   []string{"transactions.*.date"}, // its SALE is as old as the payment
		exceed: []string{"dateUpdated", "metadata", "transactions.*.orderId"},
	})
	w.ok("refund", w.post(refundOf("tCXw51bG"), "{}"), "SETTLED")
	w.toldOf("PAYMENT.REFUND", "tCXw51bG", "SETTLED", 1)
}

func exampleList(t *testing.T, w *world) {
	for range 2 {
		made := w.post("/payments", `{"orderId":"my-order-123","currencyCode":"EUR","amount":700,"paymentMethodToken":"t",`+
			`"metadata":{"productId":123,"merchantId":"a13bsd62s"}}`)
		w.post("/payments/"+made.At("id").(string)+"/capture", "")
	}
	got := w.get("/payments?order_id=my-order-123&limit=1")
	like(t, "payment-list-response", got.Body, likeness{vary: []string{
		"data.*.id", "data.*.date", "data.*.dateUpdated", "data.*.processor.name", "data.*.processor.processorMerchantId",
		"nextCursor",
	}})
}

func exampleCapture(t *testing.T, w *world) {
	id := w.authorized(4200)
	got := w.post("/payments/"+id+"/capture", readFile(t, "capture-request-partial"))
	w.ok("not final", got, "PARTIALLY_SETTLED")
	if fmt.Sprint(got.At("processor.amountCaptured")) != "1000" || fmt.Sprint(got.At("amount")) != "4200" {
		t.Errorf("%s", got)
	}
}

func exampleCancel(t *testing.T, w *world) {
	got := w.post("/payments/"+w.authorized(4200)+"/cancel", readFile(t, "cancel-request"))
	w.ok("cancel", got, "CANCELLED")
	if got.At("transactions.0.reason") != "Customer cancelled order #1234." || got.At("transactions.0.processorStatus") != "CANCELLED" {
		t.Errorf("%s", got)
	}
}

func exampleWholeRefunds(t *testing.T, w *world) {
	for _, name := range []string{"refund-request-empty-object", "refund-request-null", "refund-request-expand"} {
		got := w.post(refundOf(w.settled(4200)), readFile(t, name), "Content-Type", "application/json")
		w.ok(name, got, "SETTLED")
		if fmt.Sprint(got.At("processor.amountRefunded")) != "4200" || len(statuses(got.Body)) != 1 {
			t.Errorf("%s: %s", name, got)
		}
		if hasEvents := got.At("transactions.0.events") != nil; hasEvents != (name == "refund-request-expand") {
			t.Errorf("%s: %s", name, got)
		}
	}
}

func exampleParts(t *testing.T, w *world) {
	id := w.settled(4200)
	w.ok("a part", w.post(refundOf(id), readFile(t, "refund-request-partial")), "SETTLED")
	got := w.post(refundOf(id), readFile(t, "refund-request-order-and-reason"))
	w.ok("with order and reason", got, "SETTLED")
	if got.At("transactions.2.orderId") != "order-1234-refund" || got.At("transactions.1.orderId") != "order-123" ||
		got.At("transactions.2.reason") != "Customer returned order #1234." || fmt.Sprint(got.At("processor.amountRefunded")) != "84" {
		t.Errorf("%s", got)
	}
}

func exampleResume(t *testing.T, w *world) {
	got := w.post("/payments/"+w.authorized(1)+"/resume", `{"resumeToken":"493cde19-04f2-4913-b00b-71af806f4374"}`)
	w.says("resume-response-202", got, http.StatusAccepted)
}

func exampleNotFound(t *testing.T, w *world) {
	for _, action := range []string{"/refund", "/capture", "/cancel"} {
		w.says("error-payment-not-found", w.post("/payments/kHdEw9EG"+action, ""), http.StatusBadRequest)
	}
	w.says("error-payment-not-found", w.get("/payments/kHdEw9EG"), http.StatusBadRequest)
	w.says("error-authorize-payment-not-found",
		w.post("/payments/kHdEw9EG/authorize", `{"processor":{"processorMerchantId":"acct"}}`), http.StatusNotFound)
}

func exampleStatus(t *testing.T, w *world) {
	w.says("error-invalid-payment-status",
		w.post("/payments/"+w.settled(1)+"/authorize", `{"processor":{"processorMerchantId":"acct"}}`), http.StatusBadRequest)
	w.says("error-refund-not-settled", w.post(refundOf(w.authorized(1)), ""), http.StatusBadRequest)
}

func exampleNothingLeft(t *testing.T, w *world) {
	id := w.settled(4200)
	w.ok("all", w.post(refundOf(id), ""), "SETTLED")
	w.says("error-payment-already-refunded", w.post(refundOf(id), ""), http.StatusConflict)
}

func exampleKey(t *testing.T, w *world) {
	id := w.settled(4200)
	w.ok("first", w.post(refundOf(id), `{"amount":1}`, "X-Idempotency-Key", "1234567898"), "SETTLED")
	again := w.post(refundOf(id), `{"amount":1}`, "X-Idempotency-Key", "1234567898")
	w.says("error-idempotency-key-exists", again, http.StatusConflict, "error.paymentId")
	w.Set("primer.create_idempotency_status", "400")
	defer w.Set("primer.create_idempotency_status", nil)
	body := fmt.Sprintf(createBody, 42, "t")
	made := w.post("/payments", body, "X-Idempotency-Key", "IDEMPOTENCY_KEY")
	w.post("/payments/"+made.At("id").(string)+"/capture", "")
	w.says("error-create-idempotency-key-exists", w.post("/payments", body, "X-Idempotency-Key", "IDEMPOTENCY_KEY"),
		http.StatusBadRequest, "error.paymentId")
}

func exampleLimit(t *testing.T, w *world) {
	id := w.settled(4200)
	for range 100 {
		w.post(refundOf(id), `{"amount":4201}`)
	}
	w.says("error-request-limit-exceeded", w.post(refundOf(id), ""), http.StatusConflict)
}

func exampleTooMuch(t *testing.T, w *world) {
	id := w.settled(4200)
	w.says("error-unprocessable-refund-amount", w.post(refundOf(id), `{"amount":4201}`), http.StatusUnprocessableEntity)
	w.ok("a part", w.post(refundOf(id), `{"amount":2000}`), "SETTLED")
	w.says("error-refund-amount-over-remainder", w.post(refundOf(id), `{"amount":2201}`), http.StatusUnprocessableEntity)
}

func exampleInvalid(t *testing.T, w *world) {
	id := w.settled(4200)
	w.says("error-request-validation", w.post(refundOf(id), `{"amount":"42"}`), http.StatusUnprocessableEntity)
	w.says("error-event-not-refundable",
		w.post(refundOf(id), `{"transactionEventId":"493cde19-04f2-4913-b00b-71af806f4374"}`), http.StatusUnprocessableEntity)
	w.says("error-create-missing-fields",
		w.post("/payments", `{"paymentMethodToken":"t","orderId":"o","currencyCode":"EUR"}`), http.StatusUnprocessableEntity)
	w.says("error-metadata-empty-key", w.post("/payments",
		`{"paymentMethodToken":"t","orderId":"o","currencyCode":"EUR","amount":1,"metadata":{"":1}}`), http.StatusBadRequest)
	w.says("error-payment-not-created",
		w.post("/payments", `{"paymentMethodToken":"t","orderId":"o","currencyCode":"EUR","amount":0}`), http.StatusBadRequest)
}

func exampleCallers(t *testing.T, w *world) {
	id := w.settled(1)
	w.says("error-unsupported-version", w.post(refundOf(id), "", "X-API-VERSION", "9.9"), http.StatusBadRequest)
	w.says("error-unauthorized", w.Call(http.MethodPost, refundOf(id), ""), http.StatusUnauthorized)
	made := w.Operate(http.MethodPost, "/v1/keys", `{"kind":"primer_key","scopes":["transactions:retrieve"]}`)
	reader := &world{w.World, made.At("key").(string)}
	reader.says("error-forbidden", reader.post(refundOf(id), ""), http.StatusForbidden)
	reader.ok("it may read", reader.get("/payments/"+id), "SETTLED")
}

func exampleTimeout(t *testing.T, _ *world) {
	status, body := primer.RenderError(fault.New(fault.Unavailable, "stopping"), "1234567898")
	if status != http.StatusGatewayTimeout {
		t.Errorf("%d", status)
	}
	like(t, "error-gateway-timeout", dialecttest.Decode(string(body)), likeness{})
}

// likeTold is how a webhook is like its example, which leaves out much of the payment.
var likeTold = likeness{
	vary: []string{
		"date", "notificationConfig.id", "notificationConfig.description", "signedAt", "payment.id", "payment.date",
		"payment.dateUpdated", "payment.processor.name", "payment.processor.processorMerchantId", "payment.transactions.*.date",
		"payment.transactions.*.processorTransactionId", "payment.transactions.*.processorName",
		"payment.transactions.*.processorMerchantId",
	},
	exceed: []string{
		"payment.cardTokenType", "payment.order", "payment.customer", "payment.metadata", "payment.paymentMethod",
		"payment.transactions.*.orderId", "payment.transactions.*.cardTokenType",
	},
}

// toldOf waits for a webhook of a type about a payment in a status, with so many refunds.
func (w *world) toldOf(eventType, id, status string, refunds int) dialecttest.Webhook {
	w.T.Helper()
	return w.Receiver.Await(w.T, "/primer", 1, eventType+" "+status, func(came dialecttest.Webhook) bool {
		return came.At("eventType") == eventType && came.At("payment.id") == id && came.At("payment.status") == status &&
			len(statuses(came.At("payment"))) == refunds
	})
}

func exampleWebhooks(t *testing.T, w *world) {
	made := func() string {
		got := w.post("/payments", `{"orderId":"order-123","currencyCode":"GBP","amount":3000,"paymentMethodToken":"t","customerId":"cust-123"}`)
		id := got.At("id").(string)
		w.post("/payments/"+id+"/capture", "")
		return id
	}
	id := made()
	like(t, "webhook-payment-status", w.toldOf("PAYMENT.STATUS", id, "SETTLED", 0).Body, likeTold)
	w.post(refundOf(id), `{"reason":"Item returned."}`)
	told := w.toldOf("PAYMENT.REFUND", id, "SETTLED", 1)
	like(t, "webhook-payment-refund", told.Body, likeTold)
	wellFormed(t, told.Raw)
	id = made()
	w.post(refundOf(id), `{"reason":"refundry:FAILED"}`)
	failed := likeTold
	failed.vary = append([]string{
		"payment.transactions.*.reason", "payment.transactions.*.processorStatusReason.message",
	}, likeTold.vary...)
	like(t, "webhook-payment-refund-failed", w.toldOf("PAYMENT.REFUND", id, "SETTLED", 1).Body, failed)
}

func exampleDispute(t *testing.T, w *world) {
	made := w.post("/payments", `{"orderId":"order-123","currencyCode":"GBP","amount":3000,"paymentMethodToken":"t"}`)
	id := made.At("id").(string)
	w.post("/payments/"+id+"/capture", "")
	opened := w.Operate(http.MethodPost, "/v1/disputes", `{"payment":"`+id+`","amount":1000,"reason":"Fraudulent transaction",`+
		`"processor_ref":"adyen_ref_123"}`)
	w.says("error-refund-disputed", w.post(refundOf(id), ""), http.StatusBadRequest)
	like(t, "webhook-dispute-opened", w.disputeTold("DISPUTE.OPENED", id, nil).Body, likeness{
		vary:  []string{"primerAccountId", "transactionId", "processorId", "paymentId"},
		lacks: []string{"raw_processor_callback"}, // ours came from an operator
	})
	w.Operate(http.MethodPost, "/v1/disputes/"+opened.At("dispute.id").(string)+"/move", `{"to":"challenged"}`)
	told := w.disputeTold("DISPUTE.STATUS", id, "CHALLENGED")
	like(t, "webhook-dispute-status-schema-shape", told.Body, likeness{
		vary: []string{
			"primerAccountId", "transactionId", "orderId", "paymentId", "processor", "processorDisputeId", "receivedAt", "merchantId",
			"processorReason",
		},
		lacks: []string{"challengeRequiredBy", "reasonCode"}, // nobody has told us
	})
	if told.At("transactionId") != w.disputeTold("DISPUTE.OPENED", id, nil).At("transactionId") {
		t.Error("the SALE has two ids")
	}
}

// disputeTold waits for a webhook about a payment's dispute.
func (w *world) disputeTold(eventType, id string, status any) dialecttest.Webhook {
	w.T.Helper()
	return w.Receiver.Await(w.T, "/primer", 1, eventType, func(came dialecttest.Webhook) bool {
		return came.At("eventType") == eventType && came.At("paymentId") == id && came.At("status") == status
	})
}

func exampleTry(t *testing.T, _ *world) {
	voice := primer.New(config{}.dialect()).Voices()[0]
	told := voice.Tells(payment.Telling{Event: payment.Event{Kind: payment.EventEndpointTried}}, &payment.Tenant{}, payment.Endpoint{
		Detail: `{"types":["PAYMENT.REFUND"]}`,
	})
	if len(told) != 1 {
		t.Fatalf("told: %v", told)
	}
	body, err := voice.Body(webhook.Event{Word: told[0].Word}, payment.View{}, &payment.Tenant{})
	if err != nil {
		t.Fatal(err)
	}
	like(t, "webhook-test", dialecttest.Decode(string(body)), likeness{})
}

func exampleVector(t *testing.T, _ *world) {
	vector := dialecttest.Decode(readFile(t, "vector-webhook-signature"))
	body := []byte(strings.TrimSuffix(readFile(t, "webhook-payment-refund"), "\n"))
	if fmt.Sprint(len(body)) != fmt.Sprint(dialecttest.At(vector, "body_bytes")) {
		t.Fatalf("%d bytes", len(body))
	}
	for secret, header := range map[string]string{"secret_new": "X-Signature-Primary", "secret_old": "X-Signature-Secondary"} {
		key := []byte(dialecttest.At(vector, secret).(string))
		if got := primer.Sign(key, body); got != dialecttest.At(vector, header) {
			t.Errorf("%s: %s", header, got)
		}
		if primer.Sign(key, append(body[:len(body)-1:len(body)-1], ' ')) == dialecttest.At(vector, header) {
			t.Error("another body has the same signature")
		}
	}
	second := primer.Sign([]byte("an-s8-payments-signing-secret"), []byte(`{"event":"payment.succeeded","id":"pay_1"}`))
	if second != "txMbR/4p0b5zezBZNGOyTR+8fYUjLLVhl1eLg2iLvXY=" {
		t.Errorf("the second vector: %s", second)
	}
}
