package ping_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/refundry/refundry/internal/dialect/dialecttest"
)

// page asks for a page by its address.
func (w world) page(address string) dialecttest.Answered {
	w.T.Helper()
	to, err := url.Parse(address)
	if err != nil {
		w.T.Fatal(err)
	}
	return w.Call(http.MethodGet, to.RequestURI(), "", "tenant_id", w.File.Ping.TenantID, "x-api-secret", w.File.Ping.Secret,
		"x-api-version", version)
}

// amounts returns the amounts of the payments on a page.
func amounts(page dialecttest.Answered) string {
	data, isPage := page.At("data").([]any)
	if !isPage {
		data, _ = page.Body.([]any)
	}
	var all []string
	for _, one := range data {
		all = append(all, fmt.Sprint(dialecttest.At(one, "total_amount")))
	}
	return strings.Join(all, " ")
}

// A client that follows next sees everything once, the newest first; one that
// follows previous comes back the same way.
func TestPages(t *testing.T) {
	onBoth(t, func(t *testing.T, w world) {
		order := w.order()
		for n := range 7 {
			w.dummy(order, "COMPLETED", int64(n+1))
		}
		first := w.URL + "/payments/api/v1/payments?limit=3&status=COMPLETED&&is_refund_requested=False"
		var pages []string
		got := w.page(first)
		for {
			pages = append(pages, amounts(got))
			if got.At("_links.first.href") != strings.Replace(first, "&&", "&", 1) {
				t.Errorf("first: %s", got)
			}
			next, ok := got.At("_links.next.href").(string)
			if !ok {
				break
			}
			current := next
			if got = w.page(next); got.At("_links.current.href") != current {
				t.Errorf("current: %s", got)
			}
		}
		if said := strings.Join(pages, " | "); said != "7 6 5 | 4 3 2 | 1" {
			t.Errorf("forth: %s", said)
		}
		for _, want := range []string{"4 3 2", "7 6 5"} {
			previous, _ := got.At("_links.previous.href").(string)
			if got = w.page(previous); amounts(got) != want {
				t.Errorf("back: %s, want %s", amounts(got), want)
			}
		}
		if previous := got.At("_links.previous.href"); previous != nil {
			t.Errorf("before the first: %v", previous)
		}
		if got := w.page(w.URL + "/ping/payments/api/v1/payments?limit=1"); !strings.HasPrefix(
			got.At("_links.next.href").(string), w.URL+"/ping/payments/api/v1/payments?limit=1&cursor=") {
			t.Errorf("%s", got)
		}
	})
}

// A page may end in the middle of a payment's allocations.
func TestPagesOfAllocations(t *testing.T) {
	w := start(t)
	order := w.order()
	w.dummy(order, "COMPLETED", 6, line(1, marios), line(2, luigis), line(3, marios))
	w.dummy(order, "COMPLETED", 9, line(4, marios), line(5, luigis))
	w.must("split", w.put(order+"/split", `{"fast_forward":true}`), 204)
	w.dummy(w.order(), "COMPLETED", 100)
	at := w.URL + "/payments/api/v1/allocations?limit=2"
	var pages []string
	for at != "" {
		got := w.page(at)
		var all []string
		for _, part := range got.At("data").([]any) {
			all = append(all, fmt.Sprint(dialecttest.At(part, "amount")))
		}
		pages = append(pages, strings.Join(all, " "))
		at, _ = got.At("_links.next.href").(string)
	}
	if said := strings.Join(pages, " | "); said != "4 5 | 1 2 | 3" {
		t.Errorf("%s", said)
	}
}

// Every filter of a list lets through what it says.
func TestFilters(t *testing.T) {
	w := start(t)
	began := time.Now().UTC()
	first, second := w.order(), w.order()
	oldest := w.get(w.dummy(first, "COMPLETED", 1)).At("status_history.0.occurred_at").(string)
	just := strings.TrimSuffix(oldest, "Z")
	w.dummy(first, "STOPPED", 2)
	w.dummy(first, "ABORTED", 3)
	w.dummy(second, "UNDERFUNDED", 4)
	w.dummy(second, "PENDING", 5)
	swish := w.by("swish", "m_commerce", 6)
	w.must("refund", w.post(swish+"/refund", with(refunding(6), `"message":"refundry:DECLINED"`)), 200)
	w.must("close", w.put(second+"/close", `{}`), 403)
	w.must("close", w.put(first+"/close", `{}`), 204)

	id := strings.TrimPrefix(first, "payment_orders/")
	later := began.Add(time.Hour)
	at := func(at time.Time, layout string) string { return url.QueryEscape(at.Format(layout)) }
	for query, want := range map[string]string{
		"": "6 5 4 3 2 1", "?": "6 5 4 3 2 1", "?limit=2&": "6 5", "?status=": "6 5 4 3 2 1",
		"?status=COMPLETED": "6 1", "?status=STOPPED": "2", "?status=ABORTED": "3", "?status=UNDERFUNDED": "4", "?status=PENDING": "5",
		"?status=FUNDED": "", "?provider=swish": "6", "?method=dummy": "5 4 3 2 1", "?provider=dummy&status=COMPLETED": "1",
		"?payment_order_id=" + id: "3 2 1", "?payment_order_id=" + marios: "",
		"?is_refund_requested=True": "6", "?is_refund_requested=1": "6", "?is_refund_requested=true": "6",
		"?is_refund_requested=False": "5 4 3 2 1", "?is_refund_requested=0": "5 4 3 2 1",
		"?from_initiated_date_time=" + at(began, "2006-01-02T15:04:05.0000000Z"): "6 5 4 3 2 1",
		"?to_initiated_date_time=" + at(began, time.RFC3339):                     "",
		"?to_initiated_date_time=" + oldest:                                      "1", "?to_initiated_date_time=" + just + "9Z": "1",
		"?from_initiated_date_time=" + just + "0Z": "6 5 4 3 2 1", "?from_initiated_date_time=" + just + "1Z": "6 5 4 3 2",
		"?from_initiated_date_time=" + at(later, time.RFC3339Nano):                                   "",
		"?to_initiated_date_time=" + later.Format("2006-01-02T15:04:05") + "+00:00":                  "6 5 4 3 2 1",
		"?from_initiated_date_time=" + later.Format("2006-01-02T15:04:05") + "%2B05:00":              "6 5 4 3 2 1",
		"?from_initiated_date_time=2020-01-01T00:00:00Z&to_initiated_date_time=2020-01-02T00:00:00Z": "",
	} {
		if got := w.get("payments" + query); got.Status != 200 || amounts(got) != want {
			t.Errorf("%s: %s (%s), want %s", query, amounts(got), got.Raw, want)
		}
	}
	for query, want := range map[string][2]string{
		"limit=-1": {"out_of_range", "limit"}, "limit=0": {"out_of_range", "limit"}, "limit=201": {"out_of_range", "limit"},
		"limit=x": {"out_of_range", "limit"}, "status=REFUNDED": {"invalid_value", "status"}, "provider=x": {"invalid_value", "provider"},
		"method=x": {"invalid_value", "method"}, "is_refund_requested=yes": {"invalid_value", "is_refund_requested"},
		"payment_order_id=0": {"invalid_value", "payment_order_id"}, "cursor=x": {"invalid_value", "cursor"},
		"from_initiated_date_time=12/90/2019":                    {"invalid_value", "from_initiated_date_time"},
		"from_initiated_date_time=2020-01-01":                    {"invalid_value", "from_initiated_date_time"},
		"to_initiated_date_time=2020-01-01T00:00:00.0123456789Z": {"invalid_value", "to_initiated_date_time"},
		"to_initiated_date_time=2020-01-01T00:00:00%2C5Z":        {"invalid_value", "to_initiated_date_time"},
	} {
		says(t, query, w.get("payments?"+query), 422, want[0], want[1])
	}
	w.filtersOfOrders(t, began, later)
}

// filtersOfOrders looks at the filters of a list with one closed order in it.
func (w world) filtersOfOrders(t *testing.T, began, later time.Time) {
	t.Helper()
	all := len(w.get("payment_orders").Body.([]any))
	for query, want := range map[string]int{
		"status=CLOSED": 1, "status=OPEN": all - 1, "status=SPLIT": 0, "limit=1": 1,
		"created_at_from=" + began.Format(time.RFC3339Nano) + "&created_at_to=" + later.Format(time.RFC3339): all,
		"from=" + later.Format(time.RFC3339): 0, "to=" + later.Format(time.RFC3339): all,
	} {
		if got := w.get("payment_orders?" + query); got.Status != 200 || len(got.Body.([]any)) != want {
			t.Errorf("%s: %s", query, got)
		}
	}
	if got := w.get("payment_orders?limit=1"); dialecttest.At(got.Body, "0.payments") != nil {
		t.Errorf("a list shows no payments: %s", got)
	}
	says(t, "from", w.get("payment_orders?from=40/10/2020"), 422, "invalid_value", "from")
	says(t, "status", w.get("payment_orders?status=DONE"), 422, "invalid_value", "status")
	says(t, "disbursements", w.get("disbursements?from=40/10/2020"), 422, "invalid_value", "from")
}
