package primer_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/refundry/refundry/internal/dialect/dialecttest"
	"github.com/refundry/refundry/internal/dialect/primer"
	"github.com/refundry/refundry/internal/payment"
)

// orderIDs returns the order ids on a page.
func orderIDs(got dialecttest.Answered) string {
	var list []string
	for i := 0; got.At(fmt.Sprintf("data.%d", i)) != nil; i++ {
		list = append(list, got.At(fmt.Sprintf("data.%d.orderId", i)).(string))
	}
	return strings.Join(list, " ")
}

// pay makes a payment with more members.
func (w *world) pay(orderID, currency string, amount int, more string) string {
	w.T.Helper()
	got := w.post("/payments", fmt.Sprintf(`{"paymentMethodToken":"t","orderId":%q,"currencyCode":%q,"amount":%d%s}`,
		orderID, currency, amount, more))
	if got.Status != http.StatusOK {
		w.T.Fatalf("create: %s", got)
	}
	return got.At("id").(string)
}

// Lists show the newest first, filtered by lists with commas or repeated, and
// a value that is not valid is refused.
func TestListFilters(t *testing.T) {
	dialecttest.OnBoth(t, func(t *testing.T, plain *dialecttest.World) {
		w := as(plain)
		w.pay("a", "EUR", 100, `,"customerId":"c1","customer":{"emailAddress":"one@x.example"}`)
		w.Advance("1h")
		settled := w.pay("b", "SEK", 200, `,"customerId":"c2","customer":{"email":"two@x.example"}`)
		w.post("/payments/"+settled+"/capture", "")
		w.Advance("1h")
		part := w.pay("c", "EUR", 300, `,"customerId":"c3"`)
		w.post("/payments/"+part+"/capture", `{"amount":1,"final":false}`)
		w.Advance("1h")
		w.post("/payments/"+w.pay("d", "GBP", 400, "")+"/cancel", "")
		date := func(id string) string { return url.QueryEscape(w.get("/payments/" + id).At("date").(string)) }
		from := date(settled)
		day := from[:10] // it has at least the payment b
		for query, want := range map[string]string{
			"": "d c b a", "?status=SETTLED": "b", "?status=SETTLED,CANCELLED": "d b", "?status=SETTLED&status=AUTHORIZED": "b a",
			"?status=PARTIALLY_SETTLED": "c", "?status=SETTLING": "", "?status=AUTHORIZED,SETTLING,": "a", "?status=PENDING": "",
			"?currency_code=EUR": "c a", "?currency_code=SEK,GBP": "d b", "?customer_id=c1,c3": "c a",
			"?customer_email_address=two@x.example": "b", "?order_id=a": "a", "?order_id=x": "", "?min_amount=200": "d c b",
			"?max_amount=200": "b a", "?min_amount=200&max_amount=300": "c b", "?last_4_digits=1111": "d c b a", "?last_4_digits=4242": "",
			"?payment_method_type=PAYMENT_CARD": "d c b a", "?payment_method_type=PAYPAL,KLARNA": "", "?paypal_email=one@x.example": "",
			"?klarna_email=one@x.example": "", "?processor=SANDBOX": "d c b a", "?processor=STRIPE": "", "?merchant_id=main": "d c b a",
			"?from_date=" + from: "d c b", "?to_date=" + from: "b a", "?from_date=" + from + "&to_date=" + from: "b",
			"?from_date=" + from + "Z": "d c b", "?from_date=2000-01-01": "d c b a", "?to_date=2000-01-01": "", "?whatever=1": "d c b a",
			"?to_date=2999-12-31T00:00:00": "d c b a", "?from_date=" + day: orderIDs(w.get("/payments?from_date=" + day + "T00:00:00")),
			"?to_date=" + day:                   orderIDs(w.get("/payments?to_date=" + day + "T23:59:59.999999")),
			"?status=SETTLED&currency_code=EUR": "", "?from_date=0000-01-01&to_date=9999-12-31T23:59:59.999999": "d c b a",
			"?order_id=%ff": "", "?customer_id=%00": "", "?cursor=5-" + strings.Repeat("0", 32): "",
		} {
			if got := w.get("/payments" + query); got.Status != 200 || orderIDs(got) != want || got.At("nextCursor") != nil {
				t.Errorf("%s: %s, want %s", query, got, want)
			}
		}
		for _, query := range []string{
			"status=settled", "status=SETTLED,REFUNDED", "currency_code=eur", "currency_code=XXXX", "from_date=yesterday", "to_date=1",
			"min_amount=x", "min_amount=-1", "max_amount=1.5", "limit=0", "limit=101", "limit=x", "cursor=x", "cursor=.", "cursor=0.0",
			"cursor=" + strings.Repeat("0-0.", 99), "cursor=7fffffffffffffff-" + strings.Repeat("0", 32),
			"cursor=-8000000000000000-" + strings.Repeat("0", 32),
		} {
			w.refused(query, w.get("/payments?"+query), 422, "RequestValidationError")
		}
		first := w.get("/payments?limit=1")
		wellFormed(t, first.Raw)
		if first.At("data.0.transactions") != nil || first.At("data.0.processor.amountRefunded") != nil {
			t.Errorf("a summary has no sums: %s", first)
		}
	})
}

// Pages follow one another, forward and back, whatever is filtered and whatever
// is made meanwhile.
func TestListPages(t *testing.T) {
	w := setup(t)
	var want []string
	for i := range 7 {
		w.pay(fmt.Sprintf("o%d", i), "EUR", 100+i, "")
		w.pay(fmt.Sprintf("p%d", i), "SEK", 100+i, "")
		want = append([]string{fmt.Sprintf("o%d", i)}, want...)
	}
	for _, query := range []string{"/payments?limit=3&currency_code=EUR", "/payments?limit=3&max_amount=106&currency_code=EUR,USD"} {
		var pages []dialecttest.Answered
		cursor := ""
		for {
			got := w.get(query + cursor)
			pages = append(pages, got)
			next, ok := got.At("nextCursor").(string)
			if !ok {
				break
			}
			cursor = "&cursor=" + next
		}
		if len(pages) != 3 || orderIDs(pages[0]) != strings.Join(want[:3], " ") || orderIDs(pages[1]) != strings.Join(want[3:6], " ") ||
			orderIDs(pages[2]) != want[6] || pages[0].At("prevCursor") != nil {
			t.Fatalf("%s: %v", query, pages)
		}
		back := w.get(query + "&cursor=" + pages[2].At("prevCursor").(string))
		if back.Raw != pages[1].Raw {
			t.Errorf("back: %s, was %s", back, pages[1])
		}
		first := w.get(query + "&cursor=" + back.At("prevCursor").(string))
		if orderIDs(first) != orderIDs(pages[0]) || first.At("prevCursor") != nil || first.At("nextCursor") != pages[0].At("nextCursor") {
			t.Errorf("at the beginning: %s", first)
		}
	}
	before := w.get("/payments?limit=5")
	w.pay("new", "EUR", 1, "")
	after := w.get("/payments?limit=5&cursor=" + before.At("nextCursor").(string))
	if orderIDs(before) != "p6 o6 p5 o5 p4" || orderIDs(after) != "o4 p3 o3 p2 o2" {
		t.Errorf("what is made meanwhile moves nothing: %s", after)
	}
	all := w.get("/payments?limit=100")
	if len(strings.Fields(orderIDs(all))) != 15 || all.At("nextCursor") != nil {
		t.Errorf("%s", all)
	}
	if exact := w.get("/payments?limit=15"); exact.At("nextCursor") != nil {
		t.Errorf("nothing is behind the last: %s", exact)
	}
}

// endless is a list of payments of which none is wanted.
type endless struct {
	payment.Reader
	read int
}

func (e *endless) Payments(_ context.Context, _ payment.TenantID, filter payment.PaymentFilter) ([]payment.View, error) {
	views := make([]payment.View, filter.Limit)
	for i := range views {
		e.read++
		views[i].Payment.CreatedAt, views[i].Payment.ID = time.Unix(int64(1e9-e.read), 0), newID()
	}
	return views, nil
}

// A search does not look at everything at once: it goes on at the next page.
func TestLongSearchesGoOn(t *testing.T) {
	t.Parallel()
	store := &accounts{}
	key := primer.NewKey(newID(), payment.TenantID{}, "secret")
	store.credentials = append(store.credentials, key)
	list := &endless{}
	of := config{auth: newAuth(t, store)}.dialect()
	of.Reader = list
	mux := http.NewServeMux()
	primer.New(of).Register(mux)
	cursor := ""
	for page := range 2 {
		request := httptest.NewRequest(http.MethodGet, "/payments?order_id=x&cursor="+cursor, nil)
		request.Header.Set("X-Api-Key", "secret")
		answer := httptest.NewRecorder()
		mux.ServeHTTP(answer, request)
		shown := dialecttest.Decode(answer.Body.String())
		next, _ := dialecttest.At(shown, "nextCursor").(string)
		if list.read != (page+1)*10_000 || next == "" || next == cursor || dialecttest.At(shown, "data.0") != nil {
			t.Fatalf("%d looked at: %s", list.read, answer.Body)
		}
		cursor = next
	}
}
