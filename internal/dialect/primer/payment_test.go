package primer_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/refundry/refundry/internal/dialect/dialecttest"
	"github.com/refundry/refundry/internal/service"
)

// The beginning of a token says what becomes of a payment in the sandbox.
func TestTokens(t *testing.T) {
	t.Parallel()
	w := as(dialecttest.Start(t, "", func(c *service.Config) { c.PausesJobs = true }))
	for token, status := range map[string]string{
		"heNwnqaeRiqvY1UcslfQc3wxNjEzOTIxNjc4": "AUTHORIZED", "test_declined_by_issuer": "DECLINED", "test_failed": "FAILED",
		"test_pending": "PENDING", "test_settling": "SETTLING",
	} {
		got := w.post("/payments", fmt.Sprintf(createBody, 4200, token))
		w.ok(token, got, status)
		w.sums(token, got, 0, 0)
		if got.At("transactions.0.processorStatus") != status {
			t.Errorf("%s: %s", token, got)
		}
		why, isOver := got.At("statusReason.type"), status == "DECLINED" || status == "FAILED"
		if (why != nil) != isOver || got.At("transactions.0.processorStatusReason.type") != why {
			t.Errorf("%s: %s", token, got)
		}
		if why == "ISSUER_DECLINED" && (got.At("statusReason.declineType") == nil || got.At("statusReason.code") == nil) {
			t.Errorf("%s: %s", token, got)
		}
		id := got.At("id").(string)
		if list := w.get("/payments?status=" + status); list.At("data.0.id") != id || list.At("data.1") != nil {
			t.Errorf("%s: %s", token, list)
		}
		if status == "AUTHORIZED" {
			continue
		}
		w.refused("capture", w.post("/payments/"+id+"/capture", ""), 400, "InvalidPaymentStatus")
		w.refused("refund", w.post(refundOf(id), ""), 400, "InvalidPaymentStatus")
		if status != "PENDING" {
			w.refused("cancel", w.post("/payments/"+id+"/cancel", ""), 400, "InvalidPaymentStatus")
			w.refused("authorize", w.post("/payments/"+id+"/authorize", `{"processor":{"processorMerchantId":"a"}}`),
				400, "InvalidPaymentStatus")
		}
	}
}

// What settles later is told when it has.
func TestSettlingComesToItsEnd(t *testing.T) {
	w := setup(t)
	id := w.made(4200, "test_settling")
	for _, status := range []string{"AUTHORIZED", "SETTLING", "SETTLED"} {
		w.toldOf("PAYMENT.STATUS", id, status, 0)
	}
	w.ok("refund", w.post(refundOf(id), ""), "SETTLED")
	w.Clean()
}

// Switches of the sandbox and of answers.
func TestSwitches(t *testing.T) {
	w := setup(t)
	w.Set("primer.auto_capture", true)
	got := w.post("/payments", fmt.Sprintf(createBody, 4200, "t"))
	w.ok("captured at once", got, "SETTLED")
	w.sums("captured at once", got, 4200, 0)
	id := got.At("id").(string)
	w.Set("primer.emit_type_alias", true)
	w.Set("primer.amount_refunded_counts", "settled")
	got = w.post(refundOf(id), `{"amount":100,"reason":"refundry:PENDING"}`)
	w.sums("pending does not count", got, 4200, 0)
	if got.At("transactions.0.type") != "SALE" || got.At("transactions.1.type") != "REFUND" ||
		got.At("transactions.1.transactionType") != "REFUND" {
		t.Errorf("%s", got)
	}
	w.Set("primer.sync_refunds", true)
	got = w.post(refundOf(id), `{"amount":200}`)
	if got.At("transactions.2.processorStatus") != "SETTLED" {
		t.Errorf("the outcome is the answer: %s", got)
	}
	w.sums("settled counts", got, 4200, 200)
	got = w.post(refundOf(id), `{"amount":300,"reason":"refundry:DECLINED"}`)
	if got.At("transactions.3.processorStatus") != "FAILED" {
		t.Errorf("the outcome is the answer: %s", got)
	}
	w.Set("primer.amount_refunded_counts", "accepted")
	w.sums("both count", w.get("/payments/"+id), 4200, 300)
	w.Set("primer.default_version", "2.1")
	w.ok("an earlier version", w.Call(http.MethodGet, "/payments/"+id, "", "X-API-KEY", w.key), "SETTLED")
	w.Set("primer.rate_limit", int64(1))
	var limited dialecttest.Answered
	dialecttest.Eventually(t, "too many", func() bool {
		limited = w.get("/payments/" + id)
		return limited.Status != http.StatusOK
	})
	w.refused("too many", limited, 429, "TooManyRequests")
	if limited.Header.Get("Retry-After") == "" {
		t.Error("nothing says when")
	}
}

// A payment keeps what it was made with, and shows nothing that is null.
func TestPaymentsEchoWhatTheyWereMadeWith(t *testing.T) {
	w := setup(t)
	got := w.post("/payments", `{"paymentMethodToken":"t","orderId":"o","currencyCode":"JPY","amount":500,`+
		`"order":{"lineItems":[{"itemId":"shoe","amount":500,"quantity":null},null],"countryCode":"FR","x":{"y":[]}},`+
		`"customerId":null,"customer":{"email":"a@b.example","taxId":null,"billingAddress":{"city":"Älmhult"}},`+
		`"metadata":{"b":1,"a":"x"},"paymentMethod":{"descriptor":"Socks","paymentType":"ECOMMERCE","more":{}},"expand":null}`)
	w.ok("create", got, "AUTHORIZED")
	wellFormed(t, got.Raw)
	for what, want := range map[string]string{
		`"order":{"lineItems":[{"itemId":"shoe","amount":500}],"countryCode":"FR","x":{"y":[]}}`: "order",
		`"customer":{"emailAddress":"a@b.example","billingAddress":{"city":"Älmhult"}}`:          "customer",
		`"metadata":{"b":1,"a":"x"}`: "metadata", `"descriptor":"Socks"`: "descriptor", `"isVaulted":false`: "isVaulted",
	} {
		if !strings.Contains(got.Raw, what) {
			t.Errorf("%s: %s", want, got)
		}
	}
	if got.At("customerId") != nil {
		t.Errorf("%s", got)
	}
	id := got.At("id").(string)
	if len(id) != 9 {
		t.Errorf("the id is %s", id)
	}
	got = w.post("/payments/"+id+"/capture", `{"amount":100,"final":false,"metadata":{"a":"y","c":2},`+
		`"order":{"retailerCountryCode":"SE"}}`)
	w.ok("capture", got, "PARTIALLY_SETTLED")
	if !strings.Contains(got.Raw, `"metadata":{"b":1,"a":"y","c":2}`) || got.At("order.retailerCountryCode") != "SE" ||
		got.At("order.countryCode") != "FR" {
		t.Errorf("%s", got)
	}
	got = w.post("/payments/"+id+"/capture", `{"metadata":{"d":"z"}}`)
	if !strings.Contains(got.Raw, `"metadata":{"b":1,"a":"y","c":2,"d":"z"}`) {
		t.Errorf("nothing that was added is lost: %s", got)
	}
	bare := w.get("/payments/" + w.authorized(1))
	wellFormed(t, bare.Raw)
	for _, name := range []string{"order", "customer", "metadata"} {
		if members, ok := bare.At(name).(map[string]any); !ok || len(members) != 0 {
			t.Errorf("%s: %s", name, bare)
		}
	}
}

// A payment that is not valid is refused, and nothing is made.
func TestBadPayments(t *testing.T) {
	w := setup(t)
	const good = `"paymentMethodToken":"t","orderId":"o","currencyCode":"EUR","amount":42`
	validation := func(body, path string) {
		t.Helper()
		got := w.post("/payments", body)
		w.refused(body, got, 422, "RequestValidationError")
		if at := got.At("error.validationErrors.0.errors.0.path"); path != "" && at != path {
			t.Errorf("%s: %s", body, got)
		}
		if strings.Contains(got.Raw, "4111") {
			t.Errorf("what was sent is repeated: %s", got)
		}
	}
	validation("", "$")
	validation("null", "$")
	validation("[]", "$")
	validation(`{`+good+`,"processor":{}}`, "$")
	validation(`{"orderId":"o","currencyCode":"EUR","amount":42}`, "$.paymentMethodToken")
	validation(`{"paymentMethodToken":"","orderId":"o","currencyCode":"EUR","amount":42}`, "$.paymentMethodToken")
	validation(`{"paymentMethodToken":"4111111111111111","orderId":"o","currencyCode":"EUR","amount":42}`, "$.paymentMethodToken")
	for _, amount := range []string{`"42"`, "4.2", "4e1", "-1", "true"} {
		validation(`{"paymentMethodToken":"t","orderId":"o","currencyCode":"EUR","amount":`+amount+`}`, "$.amount")
	}
	for _, currency := range []string{`"eur"`, `"XYZ"`, `"EURO"`, "978", `{}`} {
		validation(`{"paymentMethodToken":"t","orderId":"o","amount":42,"currencyCode":`+currency+`}`, "$.currencyCode")
	}
	for _, missing := range []string{`"orderId":"o","currencyCode":"EUR"`, `"orderId":"o","amount":42`, `"currencyCode":"EUR","amount":42`} {
		validation(`{"paymentMethodToken":"t",`+missing+`}`, "")
	}
	validation(`{"paymentMethodToken":"t","orderId":"","currencyCode":"EUR","amount":null}`, "")
	validation(`{"paymentMethodToken":"t","currencyCode":"EUR","amount":42,"orderId":"`+strings.Repeat("o", 256)+`"}`, "$.orderId")
	for member, path := range map[string]string{
		`"metadata":{"a":1.5}`: "$.metadata", `"metadata":{"a":null}`: "$.metadata", `"metadata":{"a":{}}`: "$.metadata",
		`"metadata":{"a":true}`: "$.metadata", `"metadata":[]`: "$.metadata", `"metadata":{"a":4111111111111111}`: "$.metadata",
		`"order":[]`: "$.order", `"customer":"x"`: "$.customer", `"customer":{"firstName":"4111-1111-1111-1111"}`: "$.customer",
		`"paymentMethod":{"paymentType":"ONCE"}`: "$.paymentMethod.paymentType", `"paymentMethod":{"vaultOnSuccess":1}`: "$.paymentMethod.vaultOnSuccess",
		`"paymentMethod":[]`: "$.paymentMethod", `"expand":["x"]`: "$.expand", `"customerId":7`: "$.customerId",
		`"paymentMethod":{"authorizationType":"LATER"}`: "$.paymentMethod.authorizationType",
	} {
		validation(`{`+good+`,`+member+`}`, path)
	}
	for _, body := range []string{
		`{"paymentMethodToken":"t","orderId":"o","currencyCode":"EUR","amount":0}`,
		`{"paymentMethodToken":"t","orderId":"o","currencyCode":"EUR","amount":9223372036854775807}`,
		`{"paymentMethodToken":"t","orderId":"o","currencyCode":"ANG","amount":42}`,
	} {
		w.refused(body, w.post("/payments", body), 400, "PaymentError")
	}
	w.refused("an empty name", w.post("/payments", `{`+good+`,"metadata":{"":"x"}}`), 400, "MetadataContainsEmptyKey")
	if got := w.get("/payments"); got.At("data.0") != nil {
		t.Errorf("something was made: %s", got)
	}
	w.Clean()
}

// Captures take up to what is authorized until one of them is final.
func TestCaptures(t *testing.T) {
	w := setup(t)
	id := w.authorized(4200)
	capture := func(body string) dialecttest.Answered { return w.post("/payments/"+id+"/capture", body) }
	for body, path := range map[string]string{
		`{"amount":"1"}`: "$.amount", `{"amount":null}`: "$.amount", `{"amount":-1}`: "$.amount", `{"final":null}`: "$.final",
		`{"final":1}`: "$.final", `{"x":1}`: "$", `[]`: "$", `{"order":{"retailerCountryCode":"sweden"}}`: "$.order.retailerCountryCode",
		`{"order":null}`: "$.order", `{"metadata":{"a":[]}}`: "$.metadata", `{"expand":["x"]}`: "$.expand",
	} {
		got := capture(body)
		w.refused(body, got, 422, "RequestValidationError")
		if got.At("error.validationErrors.0.errors.0.path") != path {
			t.Errorf("%s: %s", body, got)
		}
	}
	w.refused("an empty name", capture(`{"metadata":{"":1}}`), 400, "MetadataContainsEmptyKey")
	w.refused("nothing", capture(`{"amount":0}`), 422, "UnprocessableCaptureAmount")
	w.refused("too much", capture(`{"amount":4201}`), 422, "UnprocessableCaptureAmount")
	w.ok("a part", capture(`{"amount":1000,"final":false}`), "PARTIALLY_SETTLED")
	w.ok("it can be refunded", w.post(refundOf(id), `{"amount":500}`), "PARTIALLY_SETTLED")
	w.refused("no more than it", w.post(refundOf(id), `{"amount":501}`), 422, "UnprocessableRefundAmount")
	w.refused("more than the rest", capture(`{"amount":3201}`), 422, "UnprocessableCaptureAmount")
	w.refused("no cancel", w.post("/payments/"+id+"/cancel", ""), 400, "InvalidPaymentStatus")
	got := capture(`{"amount":2000,"expand":["transactions.events"]}`)
	w.ok("the last", got, "SETTLED")
	w.sums("the last", got, 3000, 500)
	if fmt.Sprint(got.At("amount")) != "4200" || got.At("transactions.0.events.2.final") != true ||
		got.At("transactions.0.events.1.final") != false || fmt.Sprint(got.At("transactions.0.events.2.amount")) != "2000" {
		t.Errorf("%s", got)
	}
	w.refused("after the last", capture(""), 400, "InvalidPaymentStatus")
	for _, body := range []string{"", "{}", "null"} {
		w.ok("all", w.post("/payments/"+w.authorized(7)+"/capture", body), "SETTLED")
	}
	counts := w.together(5, func(int) dialecttest.Answered { return w.post("/payments/"+w.authorized(7)+"/capture", "") })
	if counts["200"] != 5 {
		t.Errorf("%v", counts)
	}
	id = w.authorized(4200)
	counts = w.together(5, func(int) dialecttest.Answered { return capture("") })
	if counts["200"] != 1 || counts["400 InvalidPaymentStatus"] != 4 {
		t.Errorf("%v", counts)
	}
	w.Clean()
}

// A payment can be given up until something was taken.
func TestCancels(t *testing.T) {
	w := setup(t)
	for _, body := range []string{"", "{}", "null", `{"reason":null}`} {
		got := w.post("/payments/"+w.authorized(7)+"/cancel", body)
		w.ok("cancel", got, "CANCELLED")
		if got.At("transactions.0.reason") != nil {
			t.Errorf("%s", got)
		}
	}
	pending := w.made(7, "test_pending")
	w.ok("pending", w.post("/payments/"+pending+"/cancel", `{"expand":["transactions.events"]}`), "CANCELLED")
	w.refused("again", w.post("/payments/"+pending+"/cancel", ""), 400, "InvalidPaymentStatus")
	w.refused("refund", w.post(refundOf(pending), ""), 400, "InvalidPaymentStatus")
	w.refused("more", w.post("/payments/"+pending+"/cancel", `{"amount":1}`), 422, "RequestValidationError")
	w.toldOf("PAYMENT.STATUS", pending, "CANCELLED", 0)
	w.Clean()
}

// A pending payment is authorized with a merchant account that the tenant has.
func TestAuthorizations(t *testing.T) {
	w := setup(t)
	authorize := func(id, body string) dialecttest.Answered { return w.post("/payments/"+id+"/authorize", body) }
	id := w.made(4200, "test_pending")
	for body, path := range map[string]string{
		"": "$", "null": "$", "{}": "$.processor.processorMerchantId", `{"processor":7}`: "$.processor",
		`{"processor":{"name":"STRIPE"}}`:         "$.processor.processorMerchantId",
		`{"processor":{"processorMerchantId":7}}`: "$.processor.processorMerchantId",
	} {
		got := authorize(id, body)
		w.refused(body, got, 422, "RequestValidationError")
		if got.At("error.validationErrors.0.errors.0.path") != path {
			t.Errorf("%s: %s", body, got)
		}
	}
	w.Set("primer.merchant_accounts", []string{"STRIPE/acct_1", "ADYEN/acct_1", "acct_2"})
	w.refused("unknown", authorize(id, `{"processor":{"processorMerchantId":"acct_3"}}`), 400, "MerchantAccountNotFound")
	w.refused("of another", authorize(id, `{"processor":{"processorMerchantId":"acct_1","name":"X"}}`), 400, "MerchantAccountNotFound")
	w.refused("two of them", authorize(id, `{"processor":{"processorMerchantId":"acct_1"}}`), 400, "MerchantAccountConflict")
	got := authorize(id, `{"processor":{"processorMerchantId":"acct_1","name":"STRIPE"},"ignored":{}}`)
	w.ok("authorized", got, "AUTHORIZED")
	if got.At("processor.name") != "STRIPE" || got.At("processor.processorMerchantId") != "acct_1" ||
		got.At("transactions.0.processorName") != "STRIPE" || got.At("transactions.0.processorMerchantId") != "acct_1" {
		t.Errorf("%s", got)
	}
	w.refused("again", authorize(id, `{"processor":{"processorMerchantId":"acct_2"}}`), 400, "PaymentAlreadyAuthorized")
	w.ok("capture", w.post("/payments/"+id+"/capture", ""), "SETTLED")
	w.toldOf("PAYMENT.STATUS", id, "PENDING", 0)
	w.toldOf("PAYMENT.STATUS", id, "AUTHORIZED", 0)
	w.Clean()
}

// What is authorized cannot be changed, and no payment waits to be resumed.
func TestAdjustAndResume(t *testing.T) {
	w := setup(t)
	id := w.authorized(4200)
	adjust := func(id, body string) dialecttest.Answered {
		return w.post("/payments/"+id+"/adjust-authorization", body)
	}
	for _, body := range []string{"", "{}", `{"amount":null}`, `{"amount":"1"}`, `{"amount":-1}`} {
		w.refused(body, adjust(id, body), 422, "RequestValidationError")
	}
	w.refused("unknown", adjust("nobody", `{"amount":1}`), 404, "EntityNotFound")
	w.refused("known", adjust(id, `{"amount":1,"x":1}`), 400, "AdjustAuthorizationNotSupported")
	w.refused("a key is not spent", adjust(id, `{"amount":1}`), 400, "AdjustAuthorizationNotSupported")
	for _, body := range []string{"", "{}", `{"resumeToken":null}`, `{"resumeToken":"x"}`, `{"resumeToken":7}`,
		`{"resumeToken":"493cde19-04f2-4913-b00b-71af806f4374","x":1}`} {
		w.refused(body, w.post("/payments/"+id+"/resume", body), 422, "RequestValidationError")
	}
	w.refused("unknown", w.post("/payments/nobody/resume", `{"resumeToken":"493cde19-04f2-4913-b00b-71af806f4374"}`), 400, "PaymentError")
	w.ok("nothing has happened", w.get("/payments/"+id), "AUTHORIZED")
}

// Outside a sandbox no payment is made or taken, and what would is not even read.
func TestNoPaymentsOutsideASandbox(t *testing.T) {
	t.Parallel()
	w := &world{World: dialecttest.Start(t, "", func(c *service.Config) { c.IsSandbox = false })}
	tenant := w.Operate(http.MethodPost, "/v1/tenants", `{"name":"shop"}`).At("id").(string)
	w.key = w.operateFor(tenant, http.MethodPost, "/v1/keys", `{"kind":"primer_key"}`).At("key").(string)
	for _, path := range []string{"/payments", "/payments/x/capture", "/payments/x/authorize"} {
		w.refused(path, w.post(path, `{"number":"4111111111111111"`), 403, "Forbidden")
		w.refused("a stranger", w.Call(http.MethodPost, path, "{}"), 401, "Unauthorized")
	}
	line := `{"home":"primer","payment_id":"kHdEw9EG","amount":4200,"currency":"EUR","status":"authorized"}`
	if got := w.operateFor(tenant, http.MethodPost, "/v1/payments/import", line); got.At("id") == nil {
		t.Fatalf("%s", got)
	}
	w.ok("read", w.get("/payments/kHdEw9EG"), "AUTHORIZED")
	w.ok("cancel", w.post("/payments/kHdEw9EG/cancel", ""), "CANCELLED")
}
