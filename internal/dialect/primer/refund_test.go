package primer_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/refundry/refundry/internal/dialect/dialecttest"
)

// sums fails the test unless a payment shows these sums.
func (w *world) sums(what string, got dialecttest.Answered, captured, refunded int) {
	w.T.Helper()
	if fmt.Sprint(got.At("processor.amountCaptured")) != fmt.Sprint(captured) ||
		fmt.Sprint(got.At("processor.amountRefunded")) != fmt.Sprint(refunded) {
		w.T.Errorf("%s: %s, want captured %d, refunded %d", what, got, captured, refunded)
	}
}

// Parts add up to the whole, an omitted amount is the rest, and neither status
// nor amount of the payment ever changes.
func TestPartsAndTheRest(t *testing.T) {
	dialecttest.OnBoth(t, func(t *testing.T, plain *dialecttest.World) {
		w := as(plain)
		id := w.settled(4200)
		w.refused("too much", w.post(refundOf(id), `{"amount":4201}`), http.StatusUnprocessableEntity, "UnprocessableRefundAmount")
		w.post(refundOf(id), `{"amount":1000}`)
		w.post(refundOf(id), `{"amount":1000}`)
		got := w.post(refundOf(id), `{}`)
		w.ok("the rest", got, "SETTLED")
		w.sums("the rest", got, 4200, 4200)
		if fmt.Sprint(got.At("transactions.3.amount")) != "2200" || fmt.Sprint(got.At("amount")) != "4200" ||
			got.At("transactions.4") != nil || got.At("transactions.0.transactionType") != "SALE" {
			t.Errorf("%s", got)
		}
		if last := got.At("transactions.3"); dialecttest.At(last, "transactionType") != "REFUND" ||
			dialecttest.At(last, "processorStatus") != "PENDING" || got.At("dateUpdated") != dialecttest.At(last, "date") {
			t.Errorf("%s", got)
		}
		for _, body := range []string{"", `{"amount":1}`, "null"} {
			w.refused("nothing left", w.post(refundOf(id), body), http.StatusConflict, "PaymentAlreadyRefunded")
		}
		w.ok("afterwards", w.becomes(id, "SETTLED", "SETTLED", "SETTLED"), "SETTLED")
		w.Clean()
	})
}

// An amount is a whole number of minor units and nothing else.
func TestAmounts(t *testing.T) {
	w := setup(t)
	const validation, amount = "RequestValidationError", "UnprocessableRefundAmount"
	id := w.settled(4200)
	for given, errorID := range map[string]string{
		"0": amount, "-1": validation, "null": validation, `""`: validation, `"100"`: validation, "1e2": validation,
		"10.5": validation, "9223372036854775807": amount, "9223372036854775808": validation, "4201": amount, "true": validation,
		"[]": validation, "{}": validation, "-0": amount, "4242424242424242": amount,
	} {
		got := w.post(refundOf(id), `{"amount":`+given+`}`)
		w.refused(given, got, http.StatusUnprocessableEntity, errorID)
		if errorID == validation && (got.At("error.validationErrors.0.errors.0.path") != "$.amount" ||
			got.At("error.validationErrors.0.model") != "PaymentRefundAPIRequest") {
			t.Errorf("%s: %s", given, got)
		}
	}
	for given, says := range map[string]string{"0": "greater than 0", "9223372036854775807": "authorized amount (4200)"} {
		if got := w.post(refundOf(id), `{"amount":`+given+`}`); !strings.Contains(got.Raw, says) {
			t.Errorf("%s: %s", given, got)
		}
	}
	w.sums("nothing has happened", w.get("/payments/"+id), 4200, 0)
	got := w.post(refundOf(id), `{"orderId":"","expand":null}`)
	w.sums("absent: the whole", got, 4200, 4200)
	if got.At("transactions.1.orderId") != "order-123" {
		t.Errorf("an empty order id is none: %s", got)
	}
	w.Clean()
}

// A body that the schema does not have is refused before the payment is looked for.
func TestBadBodies(t *testing.T) {
	w := setup(t)
	id := w.settled(4200)
	for body, path := range map[string]string{
		`[]`: "$", `"x"`: "$", `42`: "$", `{`: "$", `{"amount":1}x`: "$", `{"amount":1,"amount":2}`: "$", "\xff": "$", " ": "$",
		`{"amount":1,"currency":"EUR"}`: "$", `{"AMOUNT":1}`: "$",
		`{"orderId":null}`: "$.orderId", `{"orderId":7}`: "$.orderId", `{"reason":null}`: "$.reason", `{"reason":{}}`: "$.reason",
		`{"reason":"card 4111 1111 1111 1111"}`:          "$.reason",
		`{"orderId":"4111111111111111"}`:                 "$.orderId",
		`{"orderId":"` + strings.Repeat("ö", 256) + `"}`: "$.orderId",
		`{"reason":"` + strings.Repeat("x", 1025) + `"}`: "$.reason",
		`{"transactionEventId":null}`:                    "$.transactionEventId", `{"transactionEventId":"x"}`: "$.transactionEventId",
		`{"transactionEventId":"493cde1904f24913b00b71af806f4374"}`: "$.transactionEventId",
		`{"expand":"transactions.events"}`:                          "$.expand", `{"expand":["transactions"]}`: "$.expand",
		`{"expand":[null]}`: "$.expand", `{"expand":{}}`: "$.expand",
	} {
		for _, of := range []string{id, "nobody"} {
			got := w.post(refundOf(of), body)
			w.refused(body, got, http.StatusUnprocessableEntity, "RequestValidationError")
			if got.At("error.validationErrors.0.errors.0.path") != path || strings.Contains(got.Raw, "1111") {
				t.Errorf("%s: %s", body, got)
			}
		}
	}
	large := w.post(refundOf(id), `{"reason":"`+strings.Repeat("x", 256<<10)+`"}`)
	w.refused("too large", large, http.StatusUnprocessableEntity, "RequestValidationError")
	several := w.post(refundOf(id), `{"amount":"1","orderId":2,"reason":3}`)
	if several.At("error.validationErrors.0.errors.2.path") == nil {
		t.Errorf("everything is said at once: %s", several)
	}
	w.sums("nothing has happened", w.get("/payments/"+id), 4200, 0)
	longest := `{"orderId":"` + strings.Repeat("ö", 255) + `","reason":"` + strings.Repeat("x", 1024) + `","expand":[]}`
	w.ok("the longest texts", w.post(refundOf(id), longest), "SETTLED")
	w.Clean()
}

// The checks of a refund are in the protocol's order: of two that fail, the
// first is said.
func TestChecksAreInOrder(t *testing.T) {
	dialecttest.OnBoth(t, func(t *testing.T, plain *dialecttest.World) {
		w := as(plain)
		open := w.authorized(4200)
		w.refused("scope before version", w.Call(http.MethodPost, refundOf(open), "[]", "X-API-VERSION", "9"), 401, "Unauthorized")
		w.refused("version before body", w.post(refundOf(open), "[]", "X-API-VERSION", "9"), 400, "UnsupportedApiVersion")
		w.refused("body before payment", w.post(refundOf("nobody"), "[]"), 422, "RequestValidationError")
		used := w.settled(1)
		w.ok("a key is used", w.post(refundOf(used), "", "X-Idempotency-Key", "k"), "SETTLED")
		w.refused("payment before key", w.post(refundOf("nobody"), "", "X-Idempotency-Key", "k"), 400, "PaymentError")
		for range 99 {
			w.refused("failing", w.post(refundOf(open), ""), 400, "InvalidPaymentStatus")
		}
		w.refused("the hundredth", w.post(refundOf(open), ""), 400, "InvalidPaymentStatus")
		w.refused("key before failures", w.post(refundOf(open), "", "X-Idempotency-Key", "k"), 409, "IdempotencyKeyAlreadyExists")
		w.refused("failures before status", w.post(refundOf(open), ""), 409, "PaymentRequestLimitExceeded")

		event := `"transactionEventId":"493cde19-04f2-4913-b00b-71af806f4374"`
		fresh := w.authorized(4200)
		w.refused("status before event", w.post(refundOf(fresh), "{"+event+"}"), 400, "InvalidPaymentStatus")
		w.post("/payments/"+fresh+"/capture", "")
		w.refused("event before amount", w.post(refundOf(fresh), `{"amount":4201,`+event+"}"), 422, "RequestValidationError")
		w.dispute(fresh, `"amount":4200`)
		w.refused("dispute before remainder", w.post(refundOf(fresh), ""), 400, "InvalidPaymentStatus")
		gone := w.settled(1)
		w.post(refundOf(gone), "")
		w.refused("remainder before event", w.post(refundOf(gone), "{"+event+"}"), 409, "PaymentAlreadyRefunded")
		w.Clean()
	})
}

// dispute opens a dispute of a payment, and returns its id.
func (w *world) dispute(id, more string) string {
	w.T.Helper()
	opened := w.Operate(http.MethodPost, "/v1/disputes", `{"payment":"`+id+`",`+more+`}`)
	if opened.Status != http.StatusCreated {
		w.T.Fatalf("dispute: %s", opened)
	}
	return opened.At("dispute.id").(string)
}

func (w *world) moveDispute(dispute, to string) {
	w.T.Helper()
	if got := w.Operate(http.MethodPost, "/v1/disputes/"+dispute+"/move", `{"to":"`+to+`"}`); got.Status != http.StatusOK {
		w.T.Fatalf("move: %s", got)
	}
}

// together calls at once, and returns how often each answer came: a status and
// an errorId.
func (w *world) together(n int, call func(i int) dialecttest.Answered) map[string]int {
	w.T.Helper()
	answers := make([]dialecttest.Answered, n)
	var running sync.WaitGroup
	for i := range n {
		running.Go(func() { answers[i] = call(i) })
	}
	running.Wait()
	counts := map[string]int{}
	for _, got := range answers {
		what := fmt.Sprint(got.Status)
		if id := got.At("error.errorId"); id != nil {
			what += " " + id.(string)
		}
		counts[what]++
	}
	return counts
}

// However many refunds of the whole come at once, one is made; parts are made
// as long as they fit.
func TestRefundsAtOnceNeverExceed(t *testing.T) {
	dialecttest.OnBoth(t, func(t *testing.T, plain *dialecttest.World) {
		w := as(plain)
		id := w.settled(4200)
		got := w.together(10, func(int) dialecttest.Answered { return w.post(refundOf(id), "") })
		if got["200"] != 1 || got["409 PaymentAlreadyRefunded"] != 9 {
			t.Errorf("%v", got)
		}
		id = w.settled(4200)
		got = w.together(10, func(int) dialecttest.Answered { return w.post(refundOf(id), `{"amount":1000}`) })
		if got["200"] != 4 || got["422 UnprocessableRefundAmount"] != 6 {
			t.Errorf("%v", got)
		}
		w.sums("parts", w.get("/payments/"+id), 4200, 4000)
		id = w.settled(4200)
		got = w.together(10, func(int) dialecttest.Answered {
			return w.post(refundOf(id), `{"amount":10}`, "X-Idempotency-Key", "one")
		})
		if got["200"] != 1 || got["409 IdempotencyKeyAlreadyExists"] != 9 {
			t.Errorf("%v", got)
		}
		w.Clean()
	})
}

// A key is the account's, whatever it was used for. It is spent by what was
// accepted, even if that fails later, and by nothing else; a repeat is refused
// and never replayed.
func TestKeysAreSpent(t *testing.T) {
	dialecttest.OnBoth(t, func(t *testing.T, plain *dialecttest.World) {
		w := as(plain)
		key := []string{"X-Idempotency-Key", "key-1"}
		first, second := w.settled(4200), w.settled(4200)
		w.refused("not valid", w.post(refundOf(first), `{"amount":"1"}`, key...), 422, "RequestValidationError")
		w.refused("too much", w.post(refundOf(first), `{"amount":4201}`, key...), 422, "UnprocessableRefundAmount")
		w.refused("not found", w.post(refundOf("nobody"), ``, key...), 400, "PaymentError")
		w.ok("a refusal frees it", w.post(refundOf(first), `{"amount":9,"reason":"refundry:FAILED"}`, key...), "SETTLED")
		w.becomes(first, "FAILED")
		for what, got := range map[string]dialecttest.Answered{
			"the same":   w.post(refundOf(first), `{"amount":9,"reason":"refundry:FAILED"}`, key...),
			"another":    w.post(refundOf(first), `{"amount":10}`, key...),
			"elsewhere":  w.post(refundOf(second), "", key...),
			"capture":    w.post("/payments/"+w.authorized(1)+"/capture", "", key...),
			"cancel":     w.post("/payments/"+w.authorized(1)+"/cancel", "", key...),
			"authorize":  w.post("/payments/"+w.made(1, "test_pending")+"/authorize", `{"processor":{"processorMerchantId":"a"}}`, key...),
			"adjustment": w.post("/payments/"+w.authorized(1)+"/adjust-authorization", `{"amount":2}`, key...),
			"create":     w.post("/payments", fmt.Sprintf(createBody, 1, "t"), key...),
		} {
			w.refused(what, got, 409, "IdempotencyKeyAlreadyExists")
			if got.At("error.paymentId") != first || got.At("error.paymentStatus") != "SETTLED" {
				t.Errorf("%s: %s", what, got)
			}
		}
		w.sums("one refund", w.get("/payments/"+first), 4200, 0)
		for _, bad := range []string{strings.Repeat("k", 256), "two words", "clé"} {
			w.refused("a key that is none", w.post(refundOf(second), "", "X-Idempotency-Key", bad), 422, "RequestValidationError")
		}
		w.ok("255 letters", w.post(refundOf(second), `{"amount":1}`, "X-Idempotency-Key", strings.Repeat("k", 255)), "SETTLED")
		for range 2 {
			w.ok("an empty key is none", w.post(refundOf(second), `{"amount":1}`, "X-Idempotency-Key", ""), "SETTLED")
		}
		for _, any := range []string{"key-1", "two words"} {
			resumed := w.post("/payments/"+first+"/resume", `{"resumeToken":"493cde19-04f2-4913-b00b-71af806f4374"}`, key[0], any)
			w.refused("resume has no keys", resumed, 202, "NoActionsToHandle")
		}
		card := w.post(refundOf(second), `{"amount":1}`, "X-Idempotency-Key", "4111111111111111")
		w.ok("digits", card, "SETTLED")
		if again := w.post(refundOf(second), "", "X-Idempotency-Key", "4111111111111111"); strings.Contains(again.Raw, "4111") {
			t.Errorf("what may be a card is repeated: %s", again)
		}
		w.Clean()
	})
}

// The account of another tenant has keys and payments of its own.
func TestTenantsAreApart(t *testing.T) {
	w := setup(t)
	id := w.settled(4200)
	tenant := w.Operate(http.MethodPost, "/v1/tenants", `{"name":"other"}`).At("id").(string)
	made := w.operateFor(tenant, http.MethodPost, "/v1/keys", `{"kind":"primer_key"}`)
	other := &world{w.World, made.At("key").(string)}
	w.ok("a key", w.post(refundOf(id), `{"amount":1}`, "X-Idempotency-Key", "k"), "SETTLED")
	for what, got := range map[string]dialecttest.Answered{
		"read": other.get("/payments/" + id), "refund": other.post(refundOf(id), "", "X-Idempotency-Key", "k"),
		"capture": other.post("/payments/"+id+"/capture", ""), "cancel": other.post("/payments/"+id+"/cancel", ""),
	} {
		other.refused(what, got, 400, "PaymentError")
	}
	if got := other.get("/payments"); got.Status != 200 || got.At("data.0") != nil {
		t.Errorf("list: %s", got)
	}
	mine := other.settled(1)
	w.refused("read", w.get("/payments/"+mine), 400, "PaymentError")
	other.ok("the same key", other.post(refundOf(mine), "", "X-Idempotency-Key", "k"), "SETTLED")
}

// A refund of one capture gives back no more than that capture.
func TestCapturesByTheirEvents(t *testing.T) {
	w := setup(t)
	id := w.authorized(4200)
	w.ok("a part", w.post("/payments/"+id+"/capture", `{"amount":1000,"final":false}`), "PARTIALLY_SETTLED")
	w.ok("the rest", w.post("/payments/"+id+"/capture", ""), "SETTLED")
	shown := w.get("/payments/" + id + "?expand=transactions.events")
	event := func(n int) string {
		return fmt.Sprintf(`"transactionEventId":%q`, shown.At(fmt.Sprintf("transactions.0.events.%d.id", n)))
	}
	w.refused("an authorization", w.post(refundOf(id), "{"+event(0)+"}"), 422, "RequestValidationError")
	none := `"transactionEventId":"00000000-0000-0000-0000-000000000000"`
	w.refused("no capture", w.post(refundOf(id), "{"+none+"}"), 422, "RequestValidationError")
	w.refused("more than it", w.post(refundOf(id), `{"amount":1001,`+event(1)+"}"), 422, "UnprocessableRefundAmount")
	got := w.post(refundOf(id), "{"+strings.ToUpper(event(1)[:22])+strings.ToLower(event(1)[22:])+"}")
	w.refused("names are not in upper case", got, 422, "RequestValidationError")
	got = w.post(refundOf(id), "{"+event(1)+"}")
	w.ok("all of it", got, "SETTLED")
	if fmt.Sprint(got.At("transactions.1.amount")) != "1000" {
		t.Errorf("%s", got)
	}
	w.refused("again", w.post(refundOf(id), "{"+event(1)+"}"), 409, "PaymentAlreadyRefunded")
	w.ok("without an event", w.post(refundOf(id), `{"amount":3000}`), "SETTLED")
	w.refused("what is left of the payment", w.post(refundOf(id), `{"amount":201,`+event(2)+"}"), 422, "UnprocessableRefundAmount")
	got = w.post(refundOf(id), "{"+event(2)+"}")
	if fmt.Sprint(got.At("transactions.3.amount")) != "200" {
		t.Errorf("the smaller of both: %s", got)
	}
	other := w.settled(4200)
	w.refused("another payment's", w.post(refundOf(other), "{"+event(2)+"}"), 422, "RequestValidationError")
	w.Clean()
}

// Refused captures, cancels and refunds are counted together, and so is what
// fails at the processor; what was not valid is not.
func TestFailuresAreCountedTogether(t *testing.T) {
	dialecttest.OnBoth(t, func(t *testing.T, plain *dialecttest.World) {
		w := as(plain)
		id := w.settled(4200)
		w.post(refundOf(id), `{"amount":9,"reason":"refundry:DECLINED"}`)
		w.post(refundOf(id), `{"amount":9,"reason":"refundry:FAILED"}`)
		w.becomes(id, "FAILED", "FAILED")
		for range 40 {
			w.refused("capture", w.post("/payments/"+id+"/capture", ""), 400, "InvalidPaymentStatus")
			w.refused("cancel", w.post("/payments/"+id+"/cancel", ""), 400, "InvalidPaymentStatus")
			w.refused("not valid", w.post(refundOf(id), `{"amount":-1}`), 422, "RequestValidationError")
		}
		for range 18 {
			w.refused("refund", w.post(refundOf(id), `{"amount":4201}`), 422, "UnprocessableRefundAmount")
		}
		for _, action := range []string{"/refund", "/capture", "/cancel"} {
			w.refused("too many", w.post("/payments/"+id+action, ""), 409, "PaymentRequestLimitExceeded")
		}
		w.sums("nothing", w.get("/payments/"+id), 4200, 0)
		w.Clean()
	})
}

// An open dispute blocks refunds, or by a switch only what it has taken; a lost
// one has taken its part for good; a question and a won one change nothing.
func TestDisputes(t *testing.T) {
	w := setup(t)
	id := w.settled(4200)
	w.dispute(id, `"amount":1000,"kind":"inquiry"`)
	w.ok("beside a question", w.post(refundOf(id), `{"amount":100}`), "SETTLED")
	won := w.dispute(id, `"amount":1000`)
	for _, to := range []string{"", "challenged"} {
		if to != "" {
			w.moveDispute(won, to)
		}
		w.refused("open", w.post(refundOf(id), `{"amount":1}`), 400, "InvalidPaymentStatus")
	}
	w.Set("primer.refund_during_dispute", "allow")
	w.refused("not what it took", w.post(refundOf(id), `{"amount":3101}`), 422, "UnprocessableRefundAmount")
	w.ok("the rest", w.post(refundOf(id), `{"amount":100}`), "SETTLED")
	w.Set("primer.refund_during_dispute", nil)
	w.moveDispute(won, "won")
	w.ok("won", w.post(refundOf(id), `{"amount":1000}`), "SETTLED")
	w.moveDispute(w.dispute(id, `"amount":500,"kind":"pre_arbitration"`), "lost")
	w.refused("lost", w.post(refundOf(id), `{"amount":2501}`), 422, "UnprocessableRefundAmount")
	got := w.post(refundOf(id), "")
	w.sums("a dispute is no refund", got, 4200, 3700)
	w.refused("nothing left", w.post(refundOf(id), ""), 409, "PaymentAlreadyRefunded")
	w.Clean()
}

// A policy's no is one in Primer's words.
func TestPolicies(t *testing.T) {
	w := setup(t)
	id := w.settled(4200)
	set := func(name string, value any, body string, want string) {
		t.Helper()
		w.Set(name, value)
		defer w.Set(name, nil)
		got := w.post(refundOf(id), body)
		said := fmt.Sprint(got.Status)
		if errorID := got.At("error.errorId"); errorID != nil {
			said += " " + errorID.(string)
		}
		if said != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	set("policy.partial_refunds", false, `{"amount":1}`, "400 InvalidPaymentStatus")
	set("policy.maximum_amount", int64(10), `{"amount":11}`, "400 InvalidPaymentStatus")
	w.ok("one", w.post(refundOf(id), `{"amount":7}`), "SETTLED")
	set("policy.duplicate_minutes", int64(5), `{"amount":7}`, "400 InvalidPaymentStatus")
	set("policy.approval_above", int64(10), `{"amount":11}`, "200")
	set("policy.one_refund_at_a_time", true, `{"amount":1}`, "400 InvalidPaymentStatus")
	if got := w.get("/payments/" + id); got.At("transactions.2.processorStatus") != "PENDING" {
		t.Errorf("it waits for approval: %s", got)
	}
	w.Advance("72h")
	set("policy.window_days", int64(1), `{"amount":1}`, "400 InvalidPaymentStatus")
	set("primer.refund_window_days", int64(1), `{"amount":1}`, "400 InvalidPaymentStatus")
	w.Clean()
}
