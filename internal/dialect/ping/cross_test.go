package ping_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/refundry/refundry/internal/dialect/dialecttest"
	"github.com/refundry/refundry/internal/dialect/ping"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/wire"
)

// elsewhere records a payment at our own API and returns its path here.
func (w world) elsewhere(more string) string {
	w.T.Helper()
	made := w.must("elsewhere", w.API(http.MethodPost, "/v1/payments", `{"amount":1000,"currency":"EUR"`+more+`}`), 201)
	var id payment.PaymentID
	if err := id.Parse(made.At("id").(string)); err != nil {
		w.T.Fatal(err)
	}
	return "payment_orders/" + id.UUID() + "/payments/" + id.UUID()
}

// own returns how our own API names a payment.
func own(t *testing.T, at string) string {
	t.Helper()
	var id payment.PaymentID
	if err := id.ParseUUID(at[len(at)-36:]); err != nil {
		t.Fatal(err)
	}
	return id.String()
}

// A payment of another door is its own closed order, is read in this door's
// words, and is refunded by the list that it shows.
func TestPaymentsOfOtherDoors(t *testing.T) {
	onBoth(t, func(t *testing.T, w world) {
		w.tell()
		for _, more := range []string{
			``,
			`,"items":[{"name":"Hat","unit_amount":700,"merchant":"shop-a","tax_rate":"19.0%"},{"name":"Tie","unit_amount":300}]`,
			`,"method":{"type":"card","brand":"visa","last4":"4242"},"metadata":{"a":1},"items":[{"name":"All","unit_amount":1000}]`,
		} {
			at := w.elsewhere(more)
			order, _, _ := strings.Cut(at, "/payments/")
			got := w.must("read", w.get(at), 200)
			if got.At("payment_order_id") != at[len(at)-36:] || got.At("provider") != "payment_iq" || got.At("status") != "COMPLETED" ||
				fmt.Sprint(got.At("order_items.0.vat_rate")) != "0" || got.At("order_items.0.merchant_id") == nil {
				t.Errorf("%s", got)
			}
			if got := w.get(order); got.At("status") != "CLOSED" || got.At("payments.0.id") != at[len(at)-36:] {
				t.Errorf("%s", got)
			}
			list := strings.Replace(itemsOf(t, got.Raw), `"amount":`, `"amount":1`, 1) // too much by one digit, then right
			says(t, "too much", w.post(at+"/refund", foreign(100, list)), 422, "amount_mismatch", "order_items")
			first := got.At("order_items.0.amount")
			list = strings.Replace(itemsOf(t, got.Raw), fmt.Sprint(`"amount":`, first), `"amount":100`, 1)
			left := int64(1000) - minor(first) + 100
			made := w.must("part", w.post(at+"/refund", foreign(1000-left, list)), 200)
			if made.At("provider") != "payment_iq" {
				t.Errorf("%s", made)
			}
			w.until(at, "order_items.0.amount", number(100))
			if again := w.get(at); again.At("order_items.0.merchant_id") != got.At("order_items.0.merchant_id") {
				t.Errorf("a recipient has another id: %s", again)
			}
			w.Receiver.Await(t, "/refunds", 1, "a callback here", func(came dialecttest.Webhook) bool {
				return came.At("id") == made.At("id") && came.At("status") == "COMPLETED"
			})
			w.must("rest", w.post(at+"/refund", foreign(left, "[]")), 200)
			got = w.until(at, "refund.amount", number(1000))
			if len(got.At("order_items").([]any)) != 0 {
				t.Errorf("%s", got)
			}
		}
		if got := w.get("payments"); got.Raw != "[]" {
			t.Errorf("lists show what was made here: %s", got)
		}
		w.Clean()
	})
}

func foreign(amount int64, list string) string {
	return fmt.Sprintf(`{"amount":%d,"currency":"EUR","reason":"other","order_items":%s}`, amount, list)
}

// itemsOf returns the order items of a payment as they were shown.
func itemsOf(t *testing.T, raw string) string {
	t.Helper()
	value, err := wire.Parse([]byte(raw))
	if err != nil {
		t.Fatal(err)
	}
	return value.Get("order_items").Compact()
}

func minor(value any) int64 {
	n, _ := value.(interface{ Int64() (int64, error) }).Int64()
	return n
}

// The order of a payment that stands alone is closed, and that is all.
func TestLonePayments(t *testing.T) {
	w := start(t)
	at := w.elsewhere("")
	order, _, _ := strings.Cut(at, "/payments/")
	w.must("close", w.put(order+"/close", ""), 204)
	says(t, "split", w.put(order+"/split", `{"fast_forward":true}`), 403, "order_state", "")
	says(t, "settle", w.put(order+"/settle", `{}`), 403, "order_state", "")
	says(t, "update", w.put(order, `{"split_tree_id":null}`), 403, "order_state", "")
	says(t, "allocations", w.allocations("payment_order_id="+at[len(at)-36:]), 403, "order_not_split", "")
	says(t, "initiate", w.post(order+"/payments", asking("dummy", "dummy", "{}", 1, line(1, marios))), 403, "payment_order_closed", "")
	if got := w.allocations("payment_id=" + at[len(at)-36:]); got.At("data.0") != nil {
		t.Errorf("%s", got)
	}
	authorized := w.elsewhere(`,"status":"authorized"`)
	w.must("stop", w.put(authorized+"/stop", ""), 204)
	if got := w.get(authorized); got.At("status") != "STOPPED" {
		t.Errorf("%s", got)
	}
}

// A refund that another door has made is shown and told here; its reason is
// one that clients know.
func TestRefundsOfOtherDoors(t *testing.T) {
	w := start(t)
	w.tell()
	at := w.dummy(w.order(), "COMPLETED", 1000, line(600, marios), line(400, luigis))
	made := w.must("refund", w.API(http.MethodPost, "/v1/refunds",
		`{"payment":"`+own(t, at)+`","amount":100,"currency":"SEK","reason":"goodwill"}`), 201)
	var id payment.RefundID
	if err := id.Parse(made.At("id").(string)); err != nil {
		t.Fatal(err)
	}
	came := w.Receiver.Await(t, "/refunds", 1, "COMPLETED", completed)
	got := w.until(at, "refund.amount", number(100))
	if got.At("refunds.0.reason") != "other" || got.At("refunds.0.id") != id.UUID() || came.At("id") != id.UUID() ||
		got.At("order_items.0.amount") != number(540) || got.At("order_items.1.amount") != number(360) {
		t.Errorf("%s %s", got, came.Raw)
	}
	w.must("rest", w.post(at+"/refund", refunding(900)), 200)
	w.until(at, "refund.amount", number(1000))
	w.Clean()
}

// The order of an imported payment is its own, and closed. Of several payments
// the first stands for it; the others are found by their own ids.
func TestOrdersOfImportedPayments(t *testing.T) {
	onBoth(t, func(t *testing.T, w world) {
		imports := func(id, order, more string) dialecttest.Answered {
			return w.must("import", w.Operate(http.MethodPost, "/v1/payments/import", `{"id":"`+id+`","home":"ping","amount":500,`+
				`"currency":"SEK","payment_id":"`+id+`","document":{"payment_order_id":"`+order+`"}`+more+"}\n"), 200)
		}
		alias := func(order string) string { return `,"aliases":[{"kind":"ping.payment_order","value":"` + order + `"}]` }
		imports(marios, liquidity, "") // the first one
		imports(luigis, liquidity, "")
		imports(marios, liquidity, "") // again changes nothing
		order := "payment_orders/" + liquidity
		got := w.must("order", w.get(order), 200)
		if got.At("id") != liquidity || got.At("status") != "CLOSED" || got.At("payments.0.id") != marios || got.At("payments.1") != nil {
			t.Errorf("%s", got)
		}
		w.must("close", w.put(order+"/close", ""), 204)
		says(t, "split", w.put(order+"/split", `{"fast_forward":true}`), 403, "order_state", "")
		says(t, "settle", w.put(order+"/settle", ""), 403, "order_state", "")
		says(t, "update", w.put(order, `{"split_tree_id":null}`), 403, "order_state", "")
		says(t, "allocations", w.allocations("payment_order_id="+liquidity), 403, "order_not_split", "")
		says(t, "initiate", w.post(order+"/payments", asking("dummy", "dummy", "{}", 1, line(1, marios))), 403, "payment_order_closed", "")
		for _, id := range []string{marios, luigis} {
			w.must(id, w.get(order+"/payments/"+id), 200)
			says(t, "not its order", w.get("payment_orders/"+id), 404, "not_found", "")
		}
		says(t, "nobody's", w.get("payment_orders/"+nobody), 404, "not_found", "")

		const third, other = "11111111-0000-4000-8000-000000000001", "11111111-0000-4000-8000-000000000002"
		imports(third, third, alias(other))
		says(t, "another's order", w.get("payment_orders/"+other), 404, "not_found", "")
		w.Clean()
	})
}

// An imported payment keeps the ids that it has at the provider.
func TestImportedPayments(t *testing.T) {
	w := start(t)
	w.tell()
	line := func(id, more string) string {
		return `{"id":"` + id + `","home":"ping","amount":500,"currency":"SEK","payment_id":"` + id + `"` + more + `}`
	}
	w.must("import", w.Operate(http.MethodPost, "/v1/payments/import", strings.Join([]string{
		line(marios, `,"document":{"provider":"swish","method":"e_commerce","payment_order_id":"`+liquidity+`"}`),
		line(luigis, `,"items":[{"name":"Hat","unit_amount":500,"merchant":"`+marios+`"}]`),
	}, "\n")+"\n"), 200)
	at := "payment_orders/" + liquidity + "/payments/" + marios
	got := w.must("read", w.get(at), 200)
	if got.At("id") != marios || got.At("payment_order_id") != liquidity || got.At("provider") != "swish" {
		t.Errorf("%s", got)
	}
	says(t, "another order", w.get("payment_orders/"+marios+"/payments/"+marios), 404, "not_found", "")
	w.must("refund", w.post(at+"/refund", refunding(500)), 200)
	came := w.Receiver.Await(t, "/refunds", 1, "COMPLETED", completed)
	if came.At("payment_id") != marios || came.At("payment_order_id") != liquidity || came.At("provider") != "swish" {
		t.Errorf("%s", came.Raw)
	}
	alone := "payment_orders/" + luigis
	if got := w.get(alone); got.At("payments.0.id") != luigis || got.At("payments.0.order_items.0.merchant_id") != marios {
		t.Errorf("%s", got)
	}
	for _, bad := range []string{
		`{"payment_id":7}`, `{"payment_id":"pm_1"}`, `{"document":{"payment_order_id":"x"}}`, `{"document":{"provider":"swish"}}`,
		`{"document":{"provider":"stripe","method":"card"}}`,
	} {
		value, err := wire.Parse([]byte(bad))
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := ping.ImportDocument(value); err == nil {
			t.Errorf("%s is taken", bad)
		}
	}
	w.Clean()
}
