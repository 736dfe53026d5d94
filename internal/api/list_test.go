package api_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// read reads a list page after page.
func (w *world) read(t *testing.T, path, name string) (ids []string) {
	t.Helper()
	for after, isMore := "", true; isMore; {
		separator := "?"
		if strings.Contains(path, "?") {
			separator = "&"
		}
		page := w.call(t, "GET", path+separator+"after="+url.QueryEscape(after), "").want(t, 200)
		list, _ := page.body[name].([]any)
		for _, element := range list {
			object, _ := element.(map[string]any)
			ids = append(ids, fmt.Sprint(object["id"]))
		}
		after = page.string(t, "next")
		isMore, _ = page.body["has_more"].(bool)
	}
	return ids
}

func TestPaymentsAreListedInPages(t *testing.T) {
	t.Parallel()
	w := setup(t)
	var made []string
	for n := range 7 {
		w.offset.Store(int64(n / 2)) // some at the same time
		made = append(made, w.capture(t, fmt.Sprint(n+1)))
	}
	authorized := w.call(t, "POST", "/v1/payments", `{"amount": 9, "currency": "EUR", "status": "authorized"}`).want(t, 201).string(t, "id")
	imported := w.operate(t, "POST", "/v1/payments/import",
		`{"amount": 7, "currency": "EUR", "home": "dialect", "session": "ps_1", "captured_at": "2025-01-02T03:04:05Z"}`).string(t, "id")
	slices.Reverse(made)
	newest := slices.Concat([]string{authorized}, made, []string{imported})
	for path, want := range map[string][]string{
		"/v1/payments":                                                      newest,
		"/v1/payments?limit=1":                                              newest,
		"/v1/payments?limit=3":                                              newest,
		"/v1/payments?limit=9":                                              newest,
		"/v1/payments?status=captured&limit=2":                              newest[1:],
		"/v1/payments?status=authorized":                                    newest[:1],
		"/v1/payments?status=authorized&status=captured":                    newest,
		"/v1/payments?status=failed":                                        nil,
		"/v1/payments?home=dialect":                                         {imported},
		"/v1/payments?until=2025-12-31T00:00:00Z":                           {imported},
		"/v1/payments?from=2026-01-01T00:00:00%2B01:00&limit=5":             newest[:8],
		"/v1/payments?from=2026-03-01T12:00:03Z&status=captured":            made[:1],
		"/v1/payments?order=ord_00000000000000000000000004":                 nil,
		"/v1/payments?from=2025-01-02T03:04:05Z&until=2026-01-01T00:00:00Z": {imported},
	} {
		if got := w.read(t, path, "payments"); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: got %v, want %v", path, got, want)
		}
	}
	one := w.call(t, "GET", "/v1/payments?limit=1", "").want(t, 200)
	if shown := w.call(t, "GET", "/v1/payments/"+authorized, "").want(t, 200).text; !strings.Contains(one.text, shown) {
		t.Errorf("listed as %s, shown as %s", one.text, shown)
	}
	for _, query := range []string{
		"after=x", "after=1-2", "limit=0", "limit=201", "limit=x", "status=nonsense", "order=pay_1", "order=ord_00000000000000000000000000", "from=today", "until=1989-01-01T00:00:00Z",
		"from=2026-03-01", "home=%00", "home=nobody", "home=%ff", "nonsense=1", strings.Repeat("status=captured&", 9),
	} {
		got := w.call(t, "GET", "/v1/payments?"+query, "").wantCode(t, 422, "invalid_request")
		if got.body["errors"] == nil {
			t.Errorf("%s: it is not said what is wrong: %s", query, got.text)
		}
	}
}

// No id that names nothing is taken for no filter.
func TestListsAreOfWhatIsNamed(t *testing.T) {
	t.Parallel()
	w := setup(t)
	makeDelivery(t, w)
	for _, list := range []string{"deliveries", "refunds", "disputes", "ledger/entries"} {
		w.call(t, "GET", "/v1/"+list+"?payment=pay_00000000000000000000000000", "").wantCode(t, 404, "not_found")
	}
	for _, query := range []string{"endpoint=end_00000000000000000000000000", "after=dlv_00000000000000000000000000", "endpoint=x"} {
		w.call(t, "GET", "/v1/deliveries?"+query, "").wantCode(t, 422, "invalid_request")
	}
}

func TestDeliveriesAreListedInPages(t *testing.T) {
	t.Parallel()
	w := setup(t)
	endpoint := makeEndpoint(t, w)
	var made []string
	for range 5 {
		made = append(made, w.call(t, "POST", "/v1/endpoints/"+endpoint+"/test", "").want(t, 202).string(t, "id"))
	}
	slices.Reverse(made)
	for _, path := range []string{"/v1/deliveries", "/v1/deliveries?limit=2", "/v1/deliveries?limit=5&status=open&endpoint=" + endpoint} {
		if got := w.read(t, path, "deliveries"); fmt.Sprint(got) != fmt.Sprint(made) {
			t.Errorf("%s: got %v, want %v", path, got, made)
		}
	}
}

// The ids of front doors are those that an operator may spell, and the doors take.
func TestPaymentsShowTheIDsOfDoors(t *testing.T) {
	t.Parallel()
	w := setup(t)
	of := w.capture(t, "100")
	ids, _ := w.call(t, "GET", "/v1/payments/"+of, "").want(t, 200).body["ids"].(map[string]any)
	for _, door := range []string{"smartglocal", "pike", "ping", "chip"} {
		if got := w.operate(t, "GET", fmt.Sprintf("/v1/payments/%v", ids[door]), "").want(t, 200).string(t, "id"); got != of {
			t.Errorf("%s: %v is %s, want %s", door, ids[door], got, of)
		}
	}
	if short := fmt.Sprint(ids["primer"]); len(short) != 9 {
		t.Errorf("primer: %s", short)
	}
}

// The books say what a refund did, and always add up.
func TestLedgerIsShown(t *testing.T) {
	t.Parallel()
	w := setup(t)
	of := w.capture(t, "1000")
	refund := w.call(t, "POST", "/v1/refunds", `{"payment": "`+of+`", "amount": 300, "currency": "EUR"}`).want(t, 201).string(t, "id")
	w.call(t, "POST", "/v1/refunds/"+refund+"/cancel", "").want(t, 200)
	w.call(t, "POST", "/v1/refunds", `{"payment": "`+of+`", "amount": 200, "currency": "EUR"}`).want(t, 201)
	w.call(t, "POST", "/v1/payments", `{"amount": 500, "currency": "JPY"}`).want(t, 201)
	got := w.call(t, "GET", "/v1/payments/"+of+"/ledger", "").want(t, 200)
	var list struct {
		Entries []struct {
			Cause, Refund string
			Postings      []struct {
				Debit, Credit, Currency string
				Amount                  int64
			}
		}
	}
	if err := json.Unmarshal([]byte(got.text), &list); err != nil {
		t.Fatal(err)
	}
	var story []string
	for _, entry := range list.Entries {
		posting := entry.Postings[0]
		story = append(story, fmt.Sprint(entry.Cause, " ", entry.Refund == refund, " ", posting.Debit, "←", posting.Credit, " ", posting.Amount))
	}
	want := []string{
		"payment.captured false processor:sandbox:receivable←merchant:main:payable 1000",
		"refund.created true merchant:main:payable←refunds:in_flight 300",
		"refund.canceled true refunds:in_flight←merchant:main:payable 300",
		"refund.created false merchant:main:payable←refunds:in_flight 200",
	}
	if fmt.Sprint(story) != fmt.Sprint(want) {
		t.Errorf("got %q", story)
	}
	balances := w.call(t, "GET", "/v1/ledger/balances", "").want(t, 200)
	if want := `{"balances":[{"account":"merchant:main:payable","currency":"EUR","balance":-800},` +
		`{"account":"merchant:main:payable","currency":"JPY","balance":-500},` +
		`{"account":"processor:sandbox:receivable","currency":"EUR","balance":1000},` +
		`{"account":"processor:sandbox:receivable","currency":"JPY","balance":500},` +
		`{"account":"refunds:in_flight","currency":"EUR","balance":-200}]}`; balances.text != want {
		t.Errorf("got %s, want %s", balances.text, want)
	}
	w.call(t, "GET", "/v1/payments/pay_00000000000000000000000000/ledger", "").wantCode(t, 404, "not_found")
	nothing := w.call(t, "POST", "/v1/payments", `{"amount": 9, "currency": "EUR", "status": "authorized"}`).want(t, 201).string(t, "id")
	if got := w.call(t, "GET", "/v1/payments/"+nothing+"/ledger", "").want(t, 200); got.text != `{"entries":[]}` {
		t.Errorf("got %s", got.text)
	}
}
