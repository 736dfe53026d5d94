package api_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// booked is an entry as it is listed.
type booked struct {
	Payment, Cause, Refund, At string
	Version                    int64
	Postings                   []struct {
		Debit, Credit, Currency string
		Amount                  int64
	}
}

func (b booked) name() string { return fmt.Sprint(b.Payment, b.Version, b.Cause) }

// entries reads a list of entries to its end, in pages.
func (w *world) entries(t *testing.T, query string, limit int) (all []booked) {
	t.Helper()
	for after := ""; ; {
		page := w.call(t, "GET", fmt.Sprintf("/v1/ledger/entries?limit=%d&after=%s&%s", limit, after, query), "").want(t, 200)
		var list struct {
			Entries []booked
			Next    string
			HasMore bool `json:"has_more"`
		}
		if err := json.Unmarshal([]byte(page.text), &list); err != nil {
			t.Fatal(err)
		}
		all = append(all, list.Entries...)
		if after = list.Next; !list.HasMore {
			return all
		}
	}
}

// The whole ledger is listed once, whatever the size of pages, and is what the
// payments' own lists have; at any time its balances are the sums of entries.
func TestEntriesAreListed(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		one, other := w.capture(t, "1000"), w.capture(t, "500")
		var made sync.WaitGroup
		for n := range 12 {
			made.Go(func() {
				w.call(t, "POST", "/v1/refunds", refundOf([]string{one, other}[n%2], int64(10+n))).want(t, 201)
			})
		}
		made.Wait()
		eventually(t, "all refunds succeed", func() bool {
			return len(w.entries(t, "cause=refund.succeeded", 100)) == 12
		})
		all := w.entries(t, "", 1000)
		if len(all) != 26 {
			t.Fatalf("%d entries", len(all))
		}
		for _, limit := range []int{1, 3, 25, 26} {
			got := w.entries(t, "", limit)
			if !slices.EqualFunc(all, got, func(a, b booked) bool { return a.name() == b.name() }) {
				t.Errorf("in pages of %d: %v, want %v", limit, got, all)
			}
		}
		if got := w.entries(t, "payment="+one+"&account=refunds:in_flight", 2); len(got) != 12 {
			t.Errorf("%d entries of the payment", len(got))
		}
		for _, query := range []string{"account=refunds", "cause=refund", "currency=USD", "until=2020-01-01T00:00:00Z"} {
			if got := w.entries(t, query, 9); len(got) != 0 {
				t.Errorf("%s: %d entries", query, len(got))
			}
		}
		for _, at := range []string{all[0].At, all[7].At, all[25].At} {
			w.checkBalances(t, all, at)
		}
	})
}

// checkBalances compares the trial balance at a time with the sums of entries.
func (w *world) checkBalances(t *testing.T, all []booked, at string) {
	t.Helper()
	want := map[string]int64{}
	for _, entry := range all {
		for _, posting := range entry.Postings {
			if entry.At <= at { // such texts sort as the times do
				want[posting.Debit] += posting.Amount
				want[posting.Credit] -= posting.Amount
			}
		}
	}
	var got struct {
		Balances []struct {
			Account string
			Balance int64
		}
	}
	answer := w.call(t, "GET", "/v1/ledger/balances?at="+url.QueryEscape(at), "").want(t, 200)
	if err := json.Unmarshal([]byte(answer.text), &got); err != nil {
		t.Fatal(err)
	}
	if len(got.Balances) != len(want) {
		t.Errorf("at %s: %s, want %v", at, answer.text, want)
	}
	for _, balance := range got.Balances {
		if want[balance.Account] != balance.Balance {
			t.Errorf("at %s: %s has %d, want %d", at, balance.Account, balance.Balance, want[balance.Account])
		}
	}
}

func TestAccountsSayWhatTheyAreFor(t *testing.T) {
	t.Parallel()
	w := setup(t)
	w.call(t, "POST", "/v1/refunds", refundOf(w.capture(t, "1000"), 300)).want(t, 201)
	w.call(t, "POST", "/v1/payments", `{"amount": 500, "currency": "JPY", "merchant": "m:1"}`).want(t, 201)
	got := w.call(t, "GET", "/v1/ledger/accounts", "").want(t, 200).text
	for _, want := range []string{
		`{"account":"merchant:m:1:payable","kind":"merchant_payable","purpose":"What we owe a merchant.","normal_side":"credit","currencies":["JPY"]}`,
		`{"account":"processor:sandbox:receivable","kind":"processor_receivable","purpose":"What a processor owes us for captured money.","normal_side":"debit","currencies":["EUR","JPY"]}`,
		`{"account":"refunds:in_flight","kind":"refunds_in_flight","purpose":"What refunds on their way have laid claim to.","normal_side":"credit","currencies":["EUR"]}`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in %s", want, got)
		}
	}
}

func TestWrongQuestionsToTheLedgerAreRefused(t *testing.T) {
	t.Parallel()
	w := setup(t)
	for _, query := range []string{
		"entries?after=x", "entries?after=1-1", "entries?after=-1-1-019c40af7d2970008000000000000001", "entries?limit=0",
		"entries?limit=1001", "entries?currency=eur", "entries?from=2026-03-01", "entries?until=x", "entries?nonsense=1",
		"entries?account=" + strings.Repeat("x", 256), "entries?cause=%00", "balances?at=2026-03-01", "balances?until=x",
	} {
		got := w.call(t, "GET", "/v1/ledger/"+query, "").wantCode(t, 422, "invalid_request")
		if got.body["errors"] == nil {
			t.Errorf("%s: it is not said what is wrong: %s", query, got.text)
		}
	}
	w.call(t, "GET", "/v1/ledger/entries?payment=pay_00000000000000000000000000", "").wantCode(t, 404, "not_found")
	w.call(t, "GET", "/v1/ledger/entries?from="+w.now().Add(time.Hour).UTC().Format(time.RFC3339), "").want(t, 200)
}
