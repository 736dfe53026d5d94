package ping_test

import (
	"fmt"
	"math"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/refundry/refundry/internal/dialect/dialecttest"
)

// with returns a JSON object with members added in front; given ones go before.
func with(body, members string) string { return "{" + members + "," + strings.TrimPrefix(body, "{") }

// Where several checks fail, the first of section 5.2 is the answer.
func TestRefundChecksAreInOrder(t *testing.T) {
	w := start(t)
	full := refunding(29900)
	wrong := `{"amount":29901,"currency":"EUR","reason":"other","order_items":[` + line(5, luigis) + `]}`

	split, settled, pending := w.paid(), w.paid(), w.dummy(w.order(), "PENDING", 29900)
	for at, last := range map[string]string{split: "/split", settled: "/settle"} {
		order, _, _ := strings.Cut(at, "/payments/")
		w.must(last, w.put(order+last, `{"fast_forward":true}`), 204)
	}
	disputed, klarna := w.by("klarna", "hpp", 29900), w.by("klarna", "hpp", 29900)
	w.dispute(disputed)
	whole, running, fresh := w.paid(), w.paid(), w.paid()
	w.must("whole", w.post(whole+"/refund", full), 200)
	w.until(whole, "refund.amount", number(29900))
	w.must("running", w.post(running+"/refund", with(refunding(100, line(29800, marios)), `"message":"refundry:PENDING"`)), 200)
	w.Set("ping.refund_max_amount", int64(29900))

	for _, test := range []struct {
		at, body       string
		status         int
		code, property string
	}{
		{w.order() + "/payments/" + marios, `{"amount":0}`, 422, "out_of_range", "amount"},
		{w.order() + "/payments/" + marios, wrong, 404, "not_found", ""},
		{split, wrong, 403, "payment_order_split", ""},
		{settled, wrong, 403, "payment_order_settled", ""},
		{pending, wrong, 403, "payment_not_completed", ""},
		{disputed, wrong, 403, "payment_disputed", ""},
		{klarna, wrong, 403, "provider_not_refundable", ""},
		{whole, wrong, 403, "payment_already_refunded", ""},
		{running, wrong, 403, "refund_in_progress", ""},
		{fresh, wrong, 403, "refund_threshold_exceeded", ""},
		{fresh, strings.Replace(wrong, "29901", "29900", 1), 422, "currency_mismatch", "currency"},
		{fresh, strings.NewReplacer("29901", "29900", "EUR", "SEK").Replace(wrong), 422, "amount_mismatch", "order_items"},
		{fresh, refunding(29895, line(5, luigis)), 422, "invalid_value", "order_items"},
	} {
		says(t, test.body, w.post(test.at+"/refund", test.body), test.status, test.code, test.property)
	}
	got := w.post(pending+"/refund", full)
	if got.At("errors.0.additional_information.status") != "PENDING" {
		t.Errorf("%s", got)
	}
	if got := w.post(fresh+"/refund", full); got.Status != 200 {
		t.Errorf("in the end: %s", got)
	}
	w.Clean()
}

// dispute lets an operator record a chargeback of a payment.
func (w world) dispute(at string) dialecttest.Answered {
	w.T.Helper()
	return w.must("dispute", w.Operate(http.MethodPost, "/v1/disputes", `{"payment":"`+at[len(at)-36:]+`"}`), 201)
}

// All that is wrong with a body is said at once, each by its path.
func TestAllSchemaErrorsAreListed(t *testing.T) {
	w := start(t)
	at := w.paid()
	for _, test := range []struct {
		body string
		want []string
	}{
		{`{}`, []string{"missing_value amount", "missing_value currency", "missing_value reason"}},
		{``, []string{"missing_value amount", "missing_value currency", "missing_value reason"}},
		{`{"amount":null,"currency":null,"reason":null,"description":null,"message":null,"order_items":null}`,
			[]string{"null_value amount", "null_value currency", "null_value reason"}},
		{`{"amount":true,"currency":7,"reason":[],"description":1,"message":{},"order_items":{}}`, []string{
			"invalid_type amount", "invalid_type currency", "invalid_type reason", "invalid_type description",
			"invalid_type message", "invalid_type order_items"}},
		{`{"amount":1,"currency":"XYZ","reason":"x","description":"` + strings.Repeat("é", 501) + `","message":"` +
			strings.Repeat("é", 256) + `"}`, []string{
			"invalid_value currency", "invalid_value reason", "out_of_range description", "out_of_range message"}},
		{`{"amount":1,"currency":"sek","reason":"Other","description":"4242 4242 4242 4242"}`,
			[]string{"invalid_value currency", "invalid_value reason", "invalid_value description"}},
		{items(`{}`, `1`, `null`), []string{
			"missing_value order_items.0.amount", "missing_value order_items.0.name", "missing_value order_items.0.vat_rate",
			"missing_value order_items.0.merchant_id", "invalid_type order_items.1", "null_value order_items.2"}},
		{items(`{"amount":-1,"name":"","vat_rate":100,"merchant_id":"x"}`,
			`{"amount":1.5,"name":7,"vat_rate":"x","merchant_id":null}`,
			`{"amount":"1","name":"a","vat_rate":-1,"merchant_id":"`+marios+`","liquidity_account_id":"`+liquidity+`"}`,
			`{"amount":1e3,"name":"a","vat_rate":[],"liquidity_account_id":"x","metadata":[],"tags":{}}`,
			`{"amount":1,"name":"a","vat_rate":"05","merchant_id":"`+nobody+`","tags":[1,""],"metadata":{"a":4242424242424242}}`),
			[]string{
				"out_of_range order_items.0.amount", "invalid_value order_items.0.name", "out_of_range order_items.0.vat_rate",
				"invalid_value order_items.0.merchant_id",
				"invalid_type order_items.1.amount", "invalid_type order_items.1.name", "invalid_value order_items.1.vat_rate",
				"null_value order_items.1.merchant_id",
				"invalid_type order_items.2.amount", "out_of_range order_items.2.vat_rate",
				"invalid_value order_items.2.liquidity_account_id",
				"invalid_type order_items.3.amount", "invalid_type order_items.3.vat_rate",
				"invalid_value order_items.3.liquidity_account_id", "invalid_type order_items.3.metadata",
				"invalid_type order_items.3.tags",
				"invalid_value order_items.4.vat_rate", "invalid_value order_items.4.merchant_id",
				"invalid_value order_items.4.metadata", "invalid_type order_items.4.tags.0", "invalid_value order_items.4.tags.1",
			}},
		{items(strings.Split(strings.Repeat("{},", 500)+"{}", ",")...), []string{"out_of_range order_items"}},
	} {
		got := w.post(at+"/refund", test.body)
		var said []string
		for _, problem := range got.At("errors").([]any) {
			said = append(said, fmt.Sprint(dialecttest.At(problem, "error"), " ", dialecttest.At(problem, "property")))
		}
		if got.Status != 422 || fmt.Sprint(said) != fmt.Sprint(test.want) {
			t.Errorf("%.100s: %d\n%q, want\n%q", test.body, got.Status, said, test.want)
		}
		if strings.Contains(got.Raw, "4242") {
			t.Errorf("it is repeated: %s", got)
		}
	}
	if got := w.get(at); got.At("refund") != nil || got.At("order_items.0.amount") != number(29900) {
		t.Errorf("something happened: %s", got)
	}
}

func items(list ...string) string {
	return `{"amount":1,"currency":"SEK","reason":"other","order_items":[` + strings.Join(list, ",") + `]}`
}

// An amount that is none is refused in the provider's words, and nothing comes
// of it; what is too much for any payment is too much for this one.
func TestBadAmounts(t *testing.T) {
	onBoth(t, func(t *testing.T, w world) {
		at := w.paid()
		for amount, code := range map[string]string{
			"0": "out_of_range", "-1": "out_of_range", "-0": "out_of_range", "null": "null_value", `""`: "invalid_type",
			`"100"`: "invalid_type", "1e2": "invalid_type", "10.5": "invalid_type", "100.0": "invalid_type",
			"9223372036854775808": "out_of_range",
		} {
			says(t, amount, w.post(at+"/refund", `{"amount":`+amount+`,"currency":"SEK","reason":"other"}`), 422, code, "amount")
		}
		for _, amount := range []string{"9223372036854775807", "9007199254740992", "29901", "29899"} {
			got := w.post(at+"/refund", `{"amount":`+amount+`,"currency":"SEK","reason":"other"}`)
			says(t, amount, got, 422, "amount_mismatch", "order_items")
			if fmt.Sprint(got.At("errors.0.additional_information")) != "map[actual:"+amount+" expected:29900]" {
				t.Errorf("%s: %s", amount, got)
			}
		}
		// Sums beyond 64 bits do not begin anew.
		huge := line(9223372036854775807, marios)
		got := w.post(at+"/refund", refunding(9223372036854775807, huge, line(29902, marios)))
		says(t, "a sum that overflows", got, 422, "amount_mismatch", "order_items")
		if got.At("errors.0.additional_information.actual") != number(math.MaxInt64) {
			t.Errorf("%s", got)
		}
		says(t, "no amount", w.post(at+"/refund", `{"currency":"SEK","reason":"other"}`), 422, "missing_value", "amount")
		w.must("a part", w.post(at+"/refund", refunding(10000, line(19900, marios))), 200)
		w.until(at, "refund.amount", number(10000))
		says(t, "no amount after a part", w.post(at+"/refund", `{"currency":"SEK","reason":"other"}`), 422, "missing_value",
			"amount")
		if got := w.get(at); got.At("refund.amount") != number(10000) || got.At("order_items.0.amount") != number(19900) {
			t.Errorf("%s", got)
		}
		w.Clean()
	})
}

// The list is what remains: it is proposed, and takes effect with the refund.
func TestListsThatWillBe(t *testing.T) {
	w := start(t)
	account := fmt.Sprintf(`{"amount":5000,"name":"Fee","vat_rate":"12.5","liquidity_account_id":%q,"metadata":{"a":1},"tags":["x"]}`,
		liquidity)
	at := w.dummy(w.order(), "COMPLETED", 20000, line(10000, marios), line(5000, luigis), account)
	for what, body := range map[string]string{
		"more for one than now":          refunding(1000, line(11000, marios), line(3000, luigis), account),
		"somebody new":                   refunding(5000, line(10000, marios), line(5000, liquidity)),
		"an account for a merchant":      refunding(5000, line(10000, marios), line(5000, marios)),
		"an account that is a merchant":  refunding(5000, line(5000, luigis), line(5000, marios), line(5000, liquidity)),
		"one line more, one too big sum": refunding(1, line(10001, marios), line(4998, luigis), account),
	} {
		says(t, what, w.post(at+"/refund", body), 422, "invalid_value", "order_items")
	}
	for message, word := range map[string]string{"DECLINED": "DECLINED", "FAILED": "FAILED"} {
		w.Set("ping.refunds_view", "all")
		w.must(word, w.post(at+"/refund", with(refunding(20000), `"message":"refundry:`+message+`"`)), 200)
		w.until(at, "refunds.last.status", word)
		if got := w.get(at); len(got.At("order_items").([]any)) != 3 || got.At("refund") != nil ||
			got.At("refunds.last.refunded_at") != nil {
			t.Errorf("%s is dropped: %s", word, got)
		}
	}
	w.Set("ping.refunds_view", "completed")
	if got := w.get(at); got.Raw == "" || len(got.At("refunds").([]any)) != 0 {
		t.Errorf("%s", got)
	}
	// Names, rates and tags are free; a recipient may have more lines than before.
	body := refunding(3000, line(4000, marios), strings.Replace(line(3000, marios), "Test", "Another", 1), line(5000, luigis),
		account)
	w.must("part", w.post(at+"/refund", body), 200)
	got := w.until(at, "refund.amount", number(3000))
	if len(got.At("order_items").([]any)) != 4 || got.At("order_items.1.name") != "Another Purchase" ||
		got.At("total_amount") != number(20000) || got.At("status") != "COMPLETED" ||
		got.At("order_items.3.liquidity_account_id") != liquidity || got.At("order_items.3.merchant_id") != nil ||
		fmt.Sprintf("%s %v %v", got.At("order_items.3.vat_rate"), got.At("order_items.3.metadata"),
			got.At("order_items.3.tags")) != "12.5 map[a:1] [x]" {
		t.Errorf("%s", got)
	}
	// Missing, null and [] are equal: all that remains.
	w.must("rest", w.post(at+"/refund", `{"amount":17000,"currency":"SEK","reason":"fraudulent","order_items":null}`), 200)
	got = w.until(at, "refund.amount", number(20000))
	if len(got.At("order_items").([]any)) != 0 || len(got.At("refunds").([]any)) != 2 ||
		got.At("refund.refunded_at") != got.At("refunds.1.refunded_at") || got.At("refunds.1.reason") != "fraudulent" {
		t.Errorf("%s", got)
	}
	w.Clean()
}

// Of full refunds that come together one is accepted; of any that come together
// one runs at a time, and no two of them give back more than was taken.
func TestParallelRefunds(t *testing.T) {
	onBoth(t, func(t *testing.T, w world) {
		at := w.paid()
		statuses := map[string]int{}
		var mutex sync.Mutex
		var all sync.WaitGroup
		for n := range 16 {
			all.Go(func() {
				body := with(refunding(29900), `"message":"refundry:PENDING"`)
				if n%2 == 1 {
					body = with(refunding(10000, line(19900, marios)), `"message":"refundry:PENDING"`)
				}
				got := w.post(at+"/refund", body)
				mutex.Lock()
				defer mutex.Unlock()
				statuses[fmt.Sprint(got.Status, " ", got.At("errors.0.additional_information.code"))]++
			})
		}
		all.Wait()
		if len(statuses) != 2 || statuses["200 <nil>"] != 1 || statuses["403 refund_in_progress"] != 15 {
			t.Errorf("%v", statuses)
		}
		w.Clean()
	})
}

// A key belongs to the tenant and stands for a request that means the same.
func TestIdempotencyKeys(t *testing.T) {
	onBoth(t, func(t *testing.T, w world) {
		at, other := w.paid(), w.paid()
		body := refunding(10000, line(19900, marios))
		key := []string{"Idempotency-Key", "order-7"}
		first := w.must("first", w.post(at+"/refund", body, key...), 200)
		w.until(at, "refund.amount", number(10000))
		again := w.post(at+"/refund", strings.ReplaceAll(body, ",", " , "), key...)
		if again.Status != 200 || again.Raw != first.Raw {
			t.Errorf("again: %s, want %s", again, first)
		}
		says(t, "another body", w.post(at+"/refund", refunding(9000, line(20900, marios)), key...), 422,
			"idempotency_key_reuse", "Idempotency-Key")
		says(t, "another payment", w.post(other+"/refund", body, key...), 422, "idempotency_key_reuse", "Idempotency-Key")
		says(t, "what is no refund", w.post(at+"/refund", `{}`, key...), 422, "missing_value", "amount")
		says(t, "no key of another tenant's, or none at all", w.post(at+"/refund", body), 422, "amount_mismatch", "order_items")
		says(t, "refused", w.post(other+"/refund", refunding(1), "Idempotency-Key", "free"), 422, "amount_mismatch", "order_items")
		if got := w.post(other+"/refund", refunding(29900), "Idempotency-Key", "free"); got.Status != 200 {
			t.Errorf("a refusal frees the key: %s", got)
		}
		for _, bad := range []string{strings.Repeat("k", 256), "a b", "é"} {
			says(t, bad, w.post(other+"/refund", body, "Idempotency-Key", bad), 422, "invalid_value", "Idempotency-Key")
		}
		if got := w.get(at); got.At("refund.amount") != number(10000) {
			t.Errorf("%s", got)
		}
		w.Clean()
	})
}

// Repeats that come together get one refund and one answer.
func TestParallelRepeats(t *testing.T) {
	onBoth(t, func(t *testing.T, w world) {
		at := w.paid()
		answers := make([]string, 8)
		var all sync.WaitGroup
		for n := range answers {
			all.Go(func() { answers[n] = w.post(at+"/refund", refunding(29900), "Idempotency-Key", "one").Raw })
		}
		all.Wait()
		for _, answer := range answers {
			if answer != answers[0] || !strings.Contains(answer, `"status":"PENDING"`) {
				t.Errorf("%s, and %s", answer, answers[0])
			}
		}
		w.until(at, "refunds.0.amount", number(29900))
		w.Clean()
	})
}

// Each switch of a refund does what it says.
func TestRefundSwitches(t *testing.T) {
	w := start(t)
	part := refunding(10000, line(19900, marios))
	at := w.paid()
	w.Set("ping.sum_mismatch_status", "403")
	got := w.post(at+"/refund", refunding(1))
	says(t, "sum_mismatch_status", got, 403, "amount_mismatch", "")
	if got.At("errors.0.additional_information.expected") != number(29900) {
		t.Errorf("%s", got)
	}
	w.Set("ping.extra_reasons", []string{"regret"})
	regret := strings.Replace(part, "requested_by_customer", "regret", 1)
	w.must("extra_reasons", w.post(at+"/refund", regret), 200)
	got = w.until(at, "refund.amount", number(10000))
	if got.At("refunds.0.reason") != "regret" {
		t.Errorf("%s", got)
	}
	w.Set("ping.extra_reasons", []string{})
	if got := w.get(at); got.At("refunds.0.reason") != "other" {
		t.Errorf("a reason that clients do not know: %s", got)
	}
	w.Set("ping.multiple_refunds", "single")
	says(t, "multiple_refunds", w.post(at+"/refund", refunding(19900)), 403, "payment_already_refunded", "")
	w.Set("ping.multiple_refunds", "remaining")
	w.Set("ping.refund_items_check", "sum_only")
	w.must("refund_items_check", w.post(at+"/refund", refunding(100, line(19800, luigis))), 200)
	w.until(at, "order_items.0.merchant_id", luigis)

	w.Set("ping.refundable", []string{"klarna/hpp"})
	dummy, klarna := w.dummy(w.order(), "COMPLETED", 100), w.by("klarna", "hpp", 100)
	says(t, "refundable", w.post(dummy+"/refund", refunding(100)), 403, "provider_not_refundable", "")
	w.must("refundable", w.post(klarna+"/refund", refunding(100)), 200)
	w.Set("ping.refundable", []string{})
	for pair, isRefundable := range map[string]bool{
		"swish/recurring": true, "payment_iq/vipps": true, "vipps_mobilepay/checkout": true, "ping/credit": true,
		"bankgirot/autogiro": true, "ping/deposit": false, "verifone/card": false, "bankgirot/invoice": false,
	} {
		provider, method, _ := strings.Cut(pair, "/")
		if got := w.post(w.by(provider, method, 100)+"/refund", refunding(100)); (got.Status == 200) != isRefundable {
			t.Errorf("%s: %s", pair, got)
		}
	}

	at = w.paid()
	w.Set("ping.refund_max_age_days", int64(14))
	w.Advance("337h")
	says(t, "refund_max_age_days", w.post(at+"/refund", part), 403, "refund_threshold_exceeded", "")
	w.Clean()
}

// Who is paid must be there, in a refund too: if the refund is fine otherwise,
// and in whatever way recipients are checked.
func TestRefundsNameMerchantsThatAreThere(t *testing.T) {
	onBoth(t, func(t *testing.T, w world) {
		at, free := w.paid(), line(0, liquidity)
		w.Set("ping.auto_create_merchants", false)
		says(t, "strict", w.post(at+"/refund", refunding(100, line(29800, luigis))), 422, "invalid_value", "order_items")
		says(t, "strict, for nothing", w.post(at+"/refund", refunding(100, line(29800, marios), free)), 422,
			"invalid_value", "order_items.1.merchant_id")
		w.Set("ping.refund_items_check", "sum_only")
		says(t, "unknown", w.post(at+"/refund", refunding(100, line(100, marios), line(29700, luigis))), 422,
			"invalid_value", "order_items.1.merchant_id")
		says(t, "the sum first", w.post(at+"/refund", refunding(100, line(29801, luigis))), 422, "amount_mismatch", "order_items")
		w.must("pending", w.post(at+"/refund", with(refunding(100, line(29800, marios)), `"message":"refundry:PENDING"`)), 200)
		says(t, "the state first", w.post(at+"/refund", refunding(100, line(29800, luigis))), 403, "refund_in_progress", "")
		says(t, "not made", w.get("merchants/"+luigis), 404, "not_found", "")

		w.Set("ping.auto_create_merchants", true)
		at = w.paid()
		body := refunding(100, line(29800, luigis))
		made := w.must("made", w.post(at+"/refund", body, "Idempotency-Key", "a"), 200)
		w.must("the merchant", w.get("merchants/"+luigis), 200)
		again := w.post(at+"/refund", body, "Idempotency-Key", "a")
		if again.Raw != made.Raw {
			t.Errorf("%s, then %s", made, again)
		}
		w.until(at, "order_items.0.merchant_id", luigis)
		w.Clean()
	})
}

// A policy's no is a refusal of this door's.
func TestPolicies(t *testing.T) {
	w := start(t)
	part := refunding(10000, line(19900, marios))
	for name, value := range map[string]any{
		"policy.maximum_amount": int64(9999), "policy.partial_refunds": false, "policy.halted": true,
	} {
		at := w.paid()
		w.Set(name, value)
		says(t, name, w.post(at+"/refund", part), 403, "refund_threshold_exceeded", "")
		w.Set(name, nil)
	}
	at := w.paid()
	w.Set("policy.approval_above", int64(1))
	w.must("it waits", w.post(at+"/refund", part), 200)
	says(t, "one at a time", w.post(at+"/refund", part), 403, "refund_in_progress", "")
	w.Clean()
}
