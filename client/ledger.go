package client

import (
	"context"
	"iter"
	"net/http"
	"net/url"
	"time"
)

// Entry is everything that one business event did to the books.
type Entry struct {
	Cause    string    `json:"cause"` // as in "refund.succeeded"
	Refund   string    `json:"refund"`
	Dispute  string    `json:"dispute"`
	Version  int64     `json:"version"`
	At       time.Time `json:"at"`
	Postings []Posting `json:"postings"`
}

// Posting is one amount from one account to another: Debit receives, Credit
// gives.
type Posting struct {
	Debit  string `json:"debit"`
	Credit string `json:"credit"`
	Money
}

// Entries reads what a payment's life did to the books, oldest first.
func (c *Client) Entries(ctx context.Context, payment string) ([]Entry, error) {
	var list struct{ Entries []Entry }
	err := c.do(ctx, call{method: http.MethodGet, path: "/v1/payments/" + url.PathEscape(payment) + "/ledger"}, &list)
	return list.Entries, err
}

// BookedEntry is an entry, and the payment that it is about.
type BookedEntry struct {
	Payment string `json:"payment"`
	Entry
}

// EntryFilter narrows a list of entries. Zero fields do not.
type EntryFilter struct {
	Payment  string
	Account  string // of a posting, on either side
	Cause    string // as in "refund.succeeded"
	Currency string
	From     time.Time // of what happened at this time or later
	Until    time.Time // of what happened at this time or earlier
}

// LedgerEntries reads entries in the order in which they were committed, the
// oldest first.
func (c *Client) LedgerEntries(ctx context.Context, filter EntryFilter) iter.Seq2[BookedEntry, error] {
	query := url.Values{}
	set(query, "payment", filter.Payment)
	set(query, "account", filter.Account)
	set(query, "cause", filter.Cause)
	set(query, "currency", filter.Currency)
	setTime(query, "from", filter.From)
	setTime(query, "until", filter.Until)
	return pages[BookedEntry](ctx, c, "/v1/ledger/entries", "entries", query)
}

// LedgerAccount is an account that has been used.
type LedgerAccount struct {
	Account    string   `json:"account"`
	Kind       string   `json:"kind"`    // as in "merchant_payable"
	Purpose    string   `json:"purpose"` // the kind, in words
	NormalSide string   `json:"normal_side"`
	Currencies []string `json:"currencies"`
}

// LedgerAccounts reads the accounts that are in use, by name.
func (c *Client) LedgerAccounts(ctx context.Context) ([]LedgerAccount, error) {
	var list struct{ Accounts []LedgerAccount }
	err := c.do(ctx, call{method: http.MethodGet, path: "/v1/ledger/accounts"}, &list)
	return list.Accounts, err
}

// Balance is what rests in one account: debits minus credits, in minor units.
type Balance struct {
	Account  string `json:"account"`
	Currency string `json:"currency"`
	Minor    int64  `json:"balance"`
}

// Balances reads the trial balance. The balances of a currency add up to 0.
func (c *Client) Balances(ctx context.Context) ([]Balance, error) {
	return c.BalancesAt(ctx, time.Time{})
}

// BalancesAt reads the trial balance of what had happened at a time.
func (c *Client) BalancesAt(ctx context.Context, at time.Time) ([]Balance, error) {
	query := url.Values{}
	setTime(query, "at", at)
	var list struct{ Balances []Balance }
	err := c.do(ctx, call{method: http.MethodGet, path: "/v1/ledger/balances", query: query}, &list)
	return list.Balances, err
}
