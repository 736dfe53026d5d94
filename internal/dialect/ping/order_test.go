package ping_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/refundry/refundry/internal/dialect/dialecttest"
)

// allocations lists what was set aside in an order.
func (w world) allocations(query string) dialecttest.Answered {
	w.T.Helper()
	return w.call(http.MethodGet, "allocations?"+query, "", "x-api-version", version)
}

// An order is opened, read, and changed in what only its owner looks at.
func TestOrders(t *testing.T) {
	w := start(t)
	for _, test := range []struct{ body, code, property string }{
		{`{"currency":""}`, "invalid_value", "currency"},
		{`{}`, "missing_value", "currency"},
		{`{"currency":"USD"}`, "invalid_value", "currency"},
		{`{"currency":"SEK","split_tree_id":7}`, "invalid_type", "split_tree_id"},
		{`{"currency":"SEK","split_tree_id":"x"}`, "invalid_value", "split_tree_id"},
		{`{"currency":"SEK","split_parameters":[]}`, "invalid_type", "split_parameters"},
	} {
		says(t, test.body, w.post("payment_orders", test.body), 422, test.code, test.property)
	}
	made := w.must("order", w.post("payment_orders", `{"currency":"SEK","split_tree_id":"`+luigis+`"}`), 200)
	at := "payment_orders/" + made.At("id").(string)
	tree := func(what string, want any) {
		t.Helper()
		if got := w.get(at); got.At("split_tree_id") != want || got.At("status") != "OPEN" || got.At("payments") == nil {
			t.Errorf("%s: %s", what, got)
		}
	}
	tree("as it was made", luigis)
	w.must("parameters", w.put(at, `{"split_parameters":{"a":1}}`), 204)
	tree("what is not named stays", luigis)
	w.must("tree", w.put(at, `{"split_parameters":{},"split_tree_id":"`+marios+`"}`), 204)
	tree("another", marios)
	w.must("null", w.put(at, `{"split_tree_id":null}`), 204)
	tree("none", nil)
	says(t, "no UUID", w.put(at, `{"split_tree_id":"x"}`), 422, "invalid_value", "split_tree_id")

	w.dummy(at, "COMPLETED", 100)
	w.dummy(at, "DECLINED", 200)
	got := w.get(at)
	if got.At("payments.0.total_amount") != number(100) || got.At("payments.1.status") != "DECLINED" {
		t.Errorf("%s", got)
	}
}

// An order goes from open to closed, split and settled; steps back are none.
func TestOrderLife(t *testing.T) {
	onBoth(t, func(t *testing.T, w world) {
		order := w.order()
		running := w.dummy(order, "PENDING", 500)
		for _, step := range []string{"/close", "/split", "/settle"} {
			says(t, step, w.put(order+step, `{"fast_forward":true}`), 403, "payments_not_terminal", "")
		}
		w.must("stop", w.put(running+"/stop", ""), 204)
		says(t, "split from open", w.put(order+"/split", "{}"), 403, "order_state", "")
		says(t, "settle from open", w.put(order+"/settle", "{}"), 403, "order_not_split", "")
		steps := []struct{ path, status string }{
			{"/close", "CLOSED"}, {"/close", "CLOSED"}, {"/split", "SPLIT"}, {"/split", "SPLIT"}, {"/close", "SPLIT"},
			{"/settle", "SETTLED"}, {"/settle", "SETTLED"}, {"/split", "SETTLED"}, {"/close", "SETTLED"},
		}
		for _, step := range steps {
			if step.status == "CLOSED" {
				says(t, "settle from here", w.put(order+"/settle", ""), 403, "order_not_split", "")
			}
			w.must(step.path, w.put(order+step.path, ""), 204)
			if got := w.get(order); got.At("status") != step.status {
				t.Errorf("%s: %s", step.path, got)
			}
		}
		fast := w.order()
		w.must("settle at once", w.put(fast+"/settle", `{"fast_forward":true}`), 204)
		if got := w.get(fast); got.At("status") != "SETTLED" {
			t.Errorf("%s", got)
		}
		w.Clean()
	})
}

// A refund that runs keeps an order from being split; one that ended decides
// what its recipients get, as the books have it.
func TestSettlementOfWhatRemains(t *testing.T) {
	onBoth(t, func(t *testing.T, w world) {
		w.tell()
		order := w.order()
		account := fmt.Sprintf(`{"amount":1000,"name":"Fee","vat_rate":0,"liquidity_account_id":%q}`, liquidity)
		labeled := strings.Replace(line(20000, marios), "}", `,"metadata":{"row":1}}`, 1)
		at := w.dummy(order, "COMPLETED", 30900, labeled, line(9900, luigis), account)
		w.dummy(order, "COMPLETED", 100, line(100, marios))
		w.dummy(order, "DECLINED", 700)
		id := strings.TrimPrefix(order, "payment_orders/")
		says(t, "not split", w.allocations("payment_order_id="+id), 403, "order_not_split", "")

		slow := with(refunding(10000, strings.Replace(labeled, "20000", "10000", 1), line(9900, luigis), account),
			`"message":"refundry:SLOW"`)
		w.must("refund", w.post(at+"/refund", slow), 200)
		w.must("close", w.put(order+"/close", ""), 204)
		for _, step := range []string{"/split", "/settle"} {
			got := w.put(order+step, `{"fast_forward":true}`)
			says(t, step, got, 403, "refund_in_progress", "")
			if got.At("errors.0.additional_information.refund_id") == nil {
				t.Errorf("%s", got)
			}
		}
		w.Advance("4s")
		w.until(at, "refund.amount", number(10000))
		w.must("split", w.put(order+"/split", ""), 204)
		says(t, "refund", w.post(at+"/refund", refunding(20900)), 403, "payment_order_split", "")

		list := w.allocations("payment_order_id=" + id)
		if parts := shares(list); parts != "100:m: 10000:m:1 9900:l: 1000:f:" || list.At("data.0.settled_at") != nil ||
			list.At("data.3.recipient_type") != "tenant" || list.At("data.3.merchant_id") != nil {
			t.Errorf("%s: %s", parts, list)
		}
		w.must("settle", w.put(order+"/settle", ""), 204)
		says(t, "refund", w.post(at+"/refund", refunding(20900)), 403, "payment_order_settled", "")
		w.disbursed(t, id, list)
		for query, want := range map[string]string{
			"payment_id=" + at[len(at)-36:]:                            "10000:m:1 9900:l: 1000:f:",
			"merchant_id=" + luigis:                                    "9900:l:",
			"payment_order_id=" + id + "&merchant_id=" + marios:        "100:m: 10000:m:1",
			"payment_id=" + at[len(at)-36:] + "&merchant_id=" + luigis: "9900:l:",
			"payment_id=" + marios:                                     "", "disbursement_id=" + marios: "", "payout_id=" + marios: "",
		} {
			if got := w.allocations(query); shares(got) != want {
				t.Errorf("%s: %s", query, got)
			}
		}
		says(t, "an unknown order", w.allocations("payment_order_id="+marios), 404, "not_found", "")
		says(t, "no UUID", w.allocations("merchant_id=x"), 422, "invalid_value", "merchant_id")
		w.Clean()
	})
}

// shares returns what a list sets aside for whom, with the row that it is for.
func shares(list dialecttest.Answered) string {
	var all []string
	for _, part := range list.At("data").([]any) {
		who := map[any]string{marios: "m", luigis: "l", nil: "f"}[dialecttest.At(part, "merchant_id")]
		row := dialecttest.At(part, "metadata.row")
		if row == nil {
			row = ""
		}
		all = append(all, fmt.Sprintf("%v:%s:%v", dialecttest.At(part, "amount"), who, row))
	}
	return strings.Join(all, " ")
}

// disbursed looks at what a settled order has paid out.
func (w world) disbursed(t *testing.T, order string, split dialecttest.Answered) {
	t.Helper()
	settled := w.allocations("payment_order_id=" + order)
	paid := map[string]int{}
	for n, part := range settled.At("data").([]any) {
		if dialecttest.At(part, "id") != dialecttest.At(split.Body, fmt.Sprintf("data.%d.id", n)) ||
			dialecttest.At(part, "settled_at") == nil || dialecttest.At(part, "disbursed_at") == nil {
			t.Errorf("%v", part)
		}
		paid[dialecttest.At(part, "disbursement_id").(string)]++
	}
	if len(paid) != 3 {
		t.Errorf("%d disbursements: %s", len(paid), settled)
	}
	list := w.get("disbursements?from=2020-01-01T00:00:00Z&to=2099-01-01T00:00:00%2B02:00")
	for _, one := range list.Body.([]any) {
		id := dialecttest.At(one, "id").(string)
		got := w.must("disbursement", w.get("disbursements/"+id), 200)
		sum := int64(0)
		for _, settlement := range got.At("settlements").([]any) {
			amount, _ := dialecttest.At(settlement, "amount").(interface{ Int64() (int64, error) }).Int64()
			sum += amount
		}
		if n := len(got.At("settlements").([]any)); n != paid[id] || got.At("amount") != number(sum) {
			t.Errorf("%s", got)
		}
		if got := w.allocations("disbursement_id=" + id); len(got.At("data").([]any)) != paid[id] {
			t.Errorf("%s", got)
		}
		w.Receiver.Await(t, "/disbursements", 1, "a callback for each", func(came dialecttest.Webhook) bool { return came.At("id") == id })
	}
	if got := w.get("disbursements?to=2020-01-01T00:00:00Z"); got.Raw != "[]" {
		t.Errorf("%s", got)
	}
}

// A split and refunds that come together leave either none that runs, or no
// split.
func TestSplitBesideRefunds(t *testing.T) {
	onBoth(t, func(t *testing.T, w world) {
		for range 4 {
			order := w.order()
			at := w.dummy(order, "COMPLETED", 1000)
			statuses := make([]int, 2)
			var all sync.WaitGroup
			all.Go(func() {
				statuses[0] = w.post(at+"/refund", with(refunding(1000), `"message":"refundry:PENDING"`)).Status
			})
			all.Go(func() { statuses[1] = w.put(order+"/split", `{"fast_forward":true}`).Status })
			all.Wait()
			if said := fmt.Sprint(statuses); said != "[200 403]" && said != "[403 204]" {
				t.Errorf("%s", said)
			}
		}
		w.Clean()
	})
}

// Payments that were refunded whole do not keep an order from anything, and
// have nothing set aside.
func TestNothingRemains(t *testing.T) {
	w := start(t)
	order := w.order()
	at := w.dummy(order, "COMPLETED", 1000)
	w.must("refund", w.post(at+"/refund", refunding(1000)), 200)
	w.until(at, "refund.amount", number(1000))
	w.must("settle", w.put(order+"/settle", `{"fast_forward":true}`), 204)
	got := w.allocations("payment_order_id=" + strings.TrimPrefix(order, "payment_orders/"))
	if len(got.At("data").([]any)) != 0 || w.get("disbursements").Raw != "[]" {
		t.Errorf("%s", got)
	}
	w.Clean()
}
