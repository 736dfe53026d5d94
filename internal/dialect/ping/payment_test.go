package ping_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/refundry/refundry/internal/dialect/dialecttest"
)

// history returns the statuses that a payment went through.
func history(got dialecttest.Answered) string {
	var words []string
	for _, entry := range got.At("status_history").([]any) {
		words = append(words, dialecttest.At(entry, "status").(string))
	}
	return strings.Join(words, " ")
}

// A dummy reaches at once what it is asked to; others wait a moment and complete.
func TestPaymentsBecomeWhatTheyAreAskedTo(t *testing.T) {
	w := start(t)
	order := w.order()
	for _, status := range []string{
		"INITIATED", "PENDING", "FUNDED", "UNDERFUNDED", "OVERFUNDED", "COMPLETED", "DECLINED", "ABORTED", "EXPIRED", "CRASHED",
		"STOPPED",
	} {
		got := w.get(w.dummy(order, status, 500))
		want := "INITIATED " + status
		if status == "INITIATED" {
			want = status
		}
		if got.At("status") != status || history(got) != want || got.At("total_amount") != number(500) ||
			got.At("order_items.0.amount") != number(500) {
			t.Errorf("%s: %s", status, got)
		}
		isFunded := strings.HasSuffix(status, "FUNDED")
		if (got.At("status_history.last.funds") != nil) != isFunded {
			t.Errorf("%s: %s", status, got)
		}
	}
	for _, pair := range []string{"swish/e_commerce", "open_payments/pis", "verifone/card", "paypal/checkout"} {
		provider, method, _ := strings.Cut(pair, "/")
		at := w.by(provider, method, 500)
		if got := w.get(at); history(got) != "INITIATED PENDING COMPLETED" || got.At("provider") != provider || got.At("method") != method {
			t.Errorf("%s: %s", pair, got)
		}
	}
	made := w.must("DS24", w.post(order+"/payments",
		asking("swish", "e_commerce", `{"message":"DS24"}`, 500, line(500, marios))), 200)
	if got := w.get(order + "/payments/" + made.At("id").(string)); got.At("status") != "ABORTED" {
		t.Errorf("DS24: %s", got)
	}
	body := with(asking("swish", "e_commerce", "{}", 500, line(500, marios)), `"metadata":{"a":"refundry:PAYMENT_DECLINED"}`)
	made = w.must("declined", w.post(order+"/payments", body), 200)
	w.until(order+"/payments/"+made.At("id").(string), "status", "DECLINED")
	w.Clean()
}

// What a provider answers, by provider and method.
func TestProviderMethodResponses(t *testing.T) {
	w := start(t)
	order := w.order()
	for pair, want := range map[string]string{
		"payment_iq/card": "pay_url", "payment_iq/vipps": "pay_url", "verifone/card": "pay_url", "swish/e_commerce": "",
		"swish/m_commerce": "qr_code url", "ping/deposit": "bank_account reference", "vipps_mobilepay/checkout": "checkout_url",
		"klarna/hpp": "redirect_url", "quickpay/card": "payment_link_url", "quickpay/vipps": "payment_link_url redirect_url",
		"billmate/invoice": "", "bankgirot/autogiro": "", "ping/credit": "", "dummy/dummy": "",
	} {
		provider, method, _ := strings.Cut(pair, "/")
		got := w.must(pair, w.post(order+"/payments", asking(provider, method, "{}", 100, line(100, marios))), 200)
		response, _ := got.At("provider_method_response").(map[string]any)
		if response == nil || strings.Join(names(response), " ") != want {
			t.Errorf("%s: %s", pair, got)
		}
		for name, value := range response {
			link, _ := value.(string)
			if strings.HasSuffix(name, "_url") && w.Call(http.MethodGet, strings.TrimPrefix(link, w.URL), "").Status != 200 {
				t.Errorf("%s leads nowhere: %s", name, link)
			}
		}
	}
	got := w.post(order+"/payments", asking("ping", "deposit", `{"reference":"OCR-7"}`, 100, line(100, marios)))
	if got.At("provider_method_response.reference") != "OCR-7" {
		t.Errorf("%s", got)
	}
}

// What cannot be a payment is refused, in the order of the provider's checks.
func TestBadPayments(t *testing.T) {
	w := start(t)
	order, closed := w.order(), w.order()
	w.must("close", w.put(closed+"/close", ""), 204)
	good := asking("dummy", "dummy", "{}", 100, line(100, marios))
	change := func(old, next string) string { return strings.Replace(good, old, next, 1) }
	for _, test := range []struct {
		at, body       string
		status         int
		code, property string
	}{
		{order, "", 422, "missing_value", "currency"},
		{order, change(`"method":"dummy"`, `"method":0`), 422, "invalid_type", "method"},
		{"payment_orders/0", change(`"method":"dummy"`, `"method":0`), 422, "invalid_value", "payment_order_id"},
		{"payment_orders/" + luigis, change(`"method":"dummy"`, `"method":0`), 422, "invalid_type", "method"},
		{"payment_orders/" + luigis, good, 404, "not_found", ""},
		{"payment_orders/" + nobody, good, 404, "not_found", ""},
		{closed, good, 403, "payment_order_closed", ""},
		{closed, change("SEK", "EUR"), 403, "payment_order_closed", ""},
		{order, change("SEK", "EUR"), 422, "currency_mismatch", "currency"},
		{order, change("SEK", "USD"), 422, "invalid_value", "currency"},
		{order, change(`"total_amount":100`, `"total_amount":101`), 422, "amount_mismatch", "order_items"},
		{order, change(`"total_amount":100`, `"total_amount":"100"`), 422, "invalid_type", "total_amount"},
		{order, asking("dummy", "dummy", "{}", 0, line(0, marios)), 422, "out_of_range", "total_amount"},
		{order, asking("dummy", "dummy", "{}", 9223372036854775807, line(9223372036854775807, marios)), 422, "out_of_range", "total_amount"},
		{order, asking("dummy", "dummy", "{}", 100), 422, "invalid_value", "order_items"},
		{order, change(`"provider":"dummy"`, `"provider":"stripe"`), 422, "invalid_value", "provider"},
		{order, change(`"provider_method_parameters":{}`, `"provider_method_parameters":null`), 422, "null_value", "provider_method_parameters"},
		{order, change(`{}`, `{"desired_payment_status":"PAID"}`), 422, "invalid_value", "provider_method_parameters.desired_payment_status"},
		{order, with(good, `"metadata":[]`), 422, "invalid_type", "metadata"},
		{order, with(good, `"metadata":{"card":"4242-4242-4242-4242"}`), 422, "invalid_value", "metadata"},
		{order, with(good, `"payer":{"note":"`+strings.Repeat("x", 17_000)+`"}`), 422, "out_of_range", "payer"},
		{order, with(good, `"status_callback_url":"/here"`), 422, "invalid_value", "status_callback_url"},
		{order, with(good, `"status_callback_url":"ftp://a.example"`), 422, "invalid_value", "status_callback_url"},
	} {
		says(t, test.body, w.post(test.at+"/payments", test.body), test.status, test.code, test.property)
	}
	w.Set("ping.auto_create_merchants", false)
	says(t, "an unknown merchant", w.post(order+"/payments", asking("dummy", "dummy", "{}", 2, line(1, marios), line(1, luigis))),
		422, "invalid_value", "order_items.0.merchant_id")
	w.Set("ping.auto_create_merchants", true)
	body := with(good, `"payer":{"name":"Ada","sources":["salary"]},"metadata":{"id":"a4242424-2424-2424-2aaa-aaaaaaaaaaaa"}`)
	made := w.must("good", w.post(order+"/payments", body), 200)
	got := w.get(order + "/payments/" + made.At("id").(string))
	if got.At("payer.name") != "Ada" || got.At("metadata.id") == nil {
		t.Errorf("%s", got)
	}
}

// Stopping ends what runs and leaves what has ended.
func TestStop(t *testing.T) {
	w := start(t)
	order := w.order()
	for status, after := range map[string]string{
		"INITIATED": "STOPPED", "PENDING": "STOPPED", "UNDERFUNDED": "STOPPED", "COMPLETED": "COMPLETED", "DECLINED": "DECLINED",
		"STOPPED": "STOPPED",
	} {
		at := w.dummy(order, status, 500)
		for range 2 {
			if got := w.put(at+"/stop", "{}"); got.Status != 204 || got.Raw != "" {
				t.Errorf("%s: %s", status, got)
			}
		}
		if got := w.get(at); got.At("status") != after {
			t.Errorf("%s: %s", status, got)
		}
	}
	says(t, "nobody's", w.put(order+"/payments/"+nobody+"/stop", ""), 404, "not_found", "")
	w.Clean()
}

// What came in is reconciled with the lines that it is for, exactly.
func TestReconcile(t *testing.T) {
	onBoth(t, func(t *testing.T, w world) {
		order := w.order()
		for _, test := range []struct {
			status   string
			received int64
		}{{"FUNDED", 1000}, {"UNDERFUNDED", 500}, {"OVERFUNDED", 1500}} {
			at := w.dummy(order, test.status, 1000, line(600, marios), line(400, luigis))
			if got := w.get(at); got.At("status_history.last.funds.received_total") != number(test.received) {
				t.Errorf("%s: %s", test.status, got)
			}
			says(t, "too much", w.put(at+"/funding/reconcile", `{"order_items":[`+line(test.received+1, marios)+`]}`), 403,
				"operation_forbidden", "")
			says(t, "nothing", w.put(at+"/funding/reconcile", `{"order_items":[]}`), 403, "operation_forbidden", "")
			says(t, "not an item", w.put(at+"/funding/reconcile", `{"order_items":[1]}`), 422, "invalid_type", "order_items.0")
			says(t, "not refundable yet", w.post(at+"/refund", refunding(1)), 403, "payment_not_completed", "")
			body := `{"order_items":[` + line(test.received, luigis) + `]}`
			if test.status == "FUNDED" {
				body = `{"order_items":null}`
			} else {
				says(t, "as it was asked for", w.put(at+"/funding/reconcile", `{}`), 403, "operation_forbidden", "")
			}
			w.must(test.status, w.put(at+"/funding/reconcile", body), 204)
			got := w.get(at)
			if got.At("status") != "COMPLETED" || got.At("total_amount") != number(test.received) ||
				history(got) != "INITIATED "+test.status+" COMPLETED" {
				t.Errorf("%s: %s", test.status, got)
			}
			says(t, "again", w.put(at+"/funding/reconcile", body), 403, "operation_forbidden", "")
			w.must("refund", w.post(at+"/refund", refunding(test.received)), 200)
			w.until(at, "refund.amount", number(test.received))
		}
		made := w.must("deposit", w.post(order+"/payments",
			asking("ping", "deposit", `{"complete_when_funded":false}`, 100, line(100, marios))), 200)
		at := order + "/payments/" + made.At("id").(string)
		w.must("deposit", w.put(at+"/funding/reconcile", ""), 204)
		w.until(at, "status", "COMPLETED")
		w.Clean()
	})
}

// kinds returns what happened to a payment, the oldest first.
func (w world) kinds(at string) string {
	w.T.Helper()
	var kinds []string
	for _, event := range w.must("events", w.API(http.MethodGet, "/v1/events?limit=1000", ""), 200).At("events").([]any) {
		if dialecttest.At(event, "payment") == own(w.T, at) {
			kinds = append(kinds, dialecttest.At(event, "kind").(string))
		}
	}
	return strings.Join(kinds, " ")
}

// atOnce makes calls at the same time and returns their answers.
func atOnce(calls ...func() dialecttest.Answered) []dialecttest.Answered {
	answers := make([]dialecttest.Answered, len(calls))
	var running sync.WaitGroup
	for i, call := range calls {
		running.Go(func() { answers[i] = call() })
	}
	running.Wait()
	return answers
}

// A payment is taken together with the lines that it is for: there is no
// moment between them in which it could be split, or lost.
func TestReconcileIsOneCommit(t *testing.T) {
	onBoth(t, func(t *testing.T, w world) {
		at := w.dummy(w.order(), "UNDERFUNDED", 1000)
		w.must("reconcile", w.put(at+"/funding/reconcile", `{"order_items":[`+line(200, luigis)+`,`+line(300, marios)+`]}`), 204)
		if got := w.kinds(at); got != "payment.pending payment.captured" {
			t.Errorf("%s", got)
		}
		got := w.get(at)
		if got.At("order_items.0.merchant_id") != luigis || got.At("order_items.1.amount") != number(300) ||
			got.At("order_items.2") != nil || got.At("total_amount") != number(500) {
			t.Errorf("%s", got)
		}
		w.Clean()
	})
}

// What two calls change at once is not lost, and what is shown is what the
// books have.
func TestChangesAtOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, w world) {
		order, lines := w.order(), `{"order_items":[`+line(900, luigis)+`,`+line(100, marios)+`]}`
		for range 5 {
			at := w.dummy(order, "UNDERFUNDED", 1000)
			for _, got := range atOnce(
				func() dialecttest.Answered { return w.put(at, lines) },
				func() dialecttest.Answered { return w.put(at+"/stop", "") },
			) {
				w.must("change", got, 204)
			}
			got := w.get(at)
			if got.At("status") != "STOPPED" || got.At("order_items.0.merchant_id") != luigis || got.At("total_amount") != number(1000) {
				t.Errorf("stopped: %s", got)
			}

			at = w.dummy(order, "UNDERFUNDED", 1000)
			answers := atOnce(
				func() dialecttest.Answered { return w.put(at, lines) },
				func() dialecttest.Answered {
					return w.put(at+"/funding/reconcile", `{"order_items":[`+line(500, luigis)+`]}`)
				},
			)
			w.must("reconcile", answers[1], 204)
			got = w.get(at)
			if got.At("status") != "COMPLETED" || got.At("total_amount") != number(500) || got.At("order_items.0.amount") != number(500) {
				t.Errorf("completed beside %s: %s", answers[0], got)
			}
			says(t, "what was asked for", w.put(at, lines), 422, "amount_mismatch", "order_items")
			w.must("what came in", w.put(at, `{"order_items":[`+line(500, marios)+`]}`), 204)
		}
		w.Clean()
	})
}

// Other lines may take the place of a payment's while nothing depends on them.
func TestUpdatePayment(t *testing.T) {
	w := start(t)
	at := w.paid()
	order, _, _ := strings.Cut(at, "/payments/")
	lines := func(list ...string) string { return `{"order_items":[` + strings.Join(list, ",") + `]}` }
	says(t, "[]", w.put(at, `{"order_items":[]}`), 422, "invalid_value", "order_items")
	says(t, "[] before there is anything", w.put(order+"/payments/"+nobody, `{"order_items":[]}`), 422, "invalid_value", "order_items")
	says(t, "nobody's", w.put(order+"/payments/"+nobody, lines(line(1, marios))), 404, "not_found", "")
	says(t, "nothing", w.put(at, `{}`), 422, "missing_value", "order_items")
	says(t, "another sum", w.put(at, lines(line(29901, marios))), 422, "amount_mismatch", "order_items")
	says(t, "a sum of nobody's", w.put(at, lines(line(9223372036854775807, marios))), 422, "amount_mismatch", "order_items")
	w.must("update", w.put(at, lines(line(20000, marios), line(9900, luigis))), 204)
	if got := w.get(at); len(got.At("order_items").([]any)) != 2 || got.At("order_items.1.merchant_id") != luigis {
		t.Errorf("%s", got)
	}
	w.must("part", w.post(at+"/refund", with(refunding(100, line(19900, marios), line(9900, luigis)), `"message":"refundry:PENDING"`)), 200)
	says(t, "beside a refund", w.put(at, lines(line(29900, marios))), 403, "refund_in_progress", "")

	at = w.paid()
	w.must("part", w.post(at+"/refund", refunding(900, line(29000, marios))), 200)
	w.until(at, "refund.amount", number(900))
	says(t, "the first sum", w.put(at, lines(line(29900, marios))), 422, "amount_mismatch", "order_items")
	w.must("the sum that is", w.put(at, lines(line(29000, luigis))), 204)
	order, _, _ = strings.Cut(at, "/payments/")
	w.must("split", w.put(order+"/split", `{"fast_forward":true}`), 204)
	says(t, "split", w.put(at, lines(line(29000, marios))), 403, "payment_order_split", "")

	w.Set("ping.auto_create_merchants", false)
	at = w.paid()
	says(t, "an unknown merchant", w.put(at, lines(line(29900, liquidity))), 422, "invalid_value", "order_items.0.merchant_id")
	w.Set("ping.auto_create_merchants", true)

	at = w.dummy(w.order(), "UNDERFUNDED", 1000)
	says(t, "a sum that was not asked for", w.put(at, lines(line(500, marios))), 422, "amount_mismatch", "order_items")
	w.must("underfunded", w.put(at, lines(line(999, luigis), line(1, marios))), 204)
	if got := w.get(at); got.At("order_items.0.merchant_id") != luigis || got.At("status") != "UNDERFUNDED" {
		t.Errorf("%s", got)
	}
	w.Clean()
}

// Lines change before anything was taken, and the capture falls on the new ones.
func TestUpdateOfWhatIsNotTakenYet(t *testing.T) {
	onBoth(t, func(t *testing.T, w world) {
		order := w.order()
		at := w.dummy(order, "FUNDED", 1000, line(600, marios), line(400, luigis))
		w.must("update", w.put(at, `{"order_items":[`+line(300, marios)+`,`+line(700, luigis)+`]}`), 204)
		if got := w.get(at); got.At("order_items.0.amount") != number(300) || got.At("order_items.1.amount") != number(700) {
			t.Errorf("%s", got)
		}
		w.must("reconcile", w.put(at+"/funding/reconcile", ""), 204)
		w.must("split", w.put(order+"/split", `{"fast_forward":true}`), 204)
		if got := w.allocations("payment_id=" + at[len(at)-36:]); shares(got) != "300:m: 700:l:" {
			t.Errorf("%s", got)
		}
		w.Clean()
	})
}

// Merchants are kept as they are given.
func TestMerchants(t *testing.T) {
	w := start(t)
	for _, test := range []struct{ body, code, property string }{
		{`{}`, "missing_value", "name"},
		{`{"name":""}`, "invalid_value", "name"},
		{`{"name":"A","organization":[]}`, "invalid_type", "organization"},
		{`{"name":"A","organization":{"country":"XX"}}`, "invalid_value", "organization.country"},
		{`{"name":"A","person":{"country":"SE","se_personal_identity_number":7}}`, "invalid_type", "person.se_personal_identity_number"},
		{`{"name":"4242424242424242"}`, "invalid_value", "name"},
	} {
		says(t, test.body, w.post("merchants", test.body), 422, test.code, test.property)
	}
	for n, body := range []string{
		`{"name":"Ada","person":{"country":"DK","name":"Ada \"L\"","dk_civil_registration_number":"0101011234","secret":1}}`,
		`{"name":"B","email":"b@example.com","phone_number":"+46","organization":{"country":"DE","de_organization_number":"DE1"}}`,
	} {
		made := w.must("merchant", w.post("merchants", body), 200)
		got := w.get("merchants/" + made.At("id").(string))
		want := []string{
			`map[country:DK dk_civil_registration_number:0101011234 name:Ada "L"] <nil>  `,
			`<nil> map[country:DE de_organization_number:DE1 name:<nil>] b@example.com +46`,
		}[n]
		said := fmt.Sprintf("%v %v %v %v", got.At("person"), got.At("organization"), got.At("email"), got.At("phone_number"))
		if said != want || got.At("status") != "CREATED" {
			t.Errorf("%s, want %s: %s", said, want, got)
		}
	}
	if got := w.get("merchants"); len(got.Body.([]any)) != 2 || dialecttest.At(got.Body, "0.name") != "B" {
		t.Errorf("%s", got)
	}
}
