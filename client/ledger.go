package client

import (
	"context"
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

// Balance is what rests in one account: debits minus credits, in minor units.
type Balance struct {
	Account  string `json:"account"`
	Currency string `json:"currency"`
	Minor    int64  `json:"balance"`
}

// Balances reads the trial balance. The balances of a currency add up to 0.
func (c *Client) Balances(ctx context.Context) ([]Balance, error) {
	var list struct{ Balances []Balance }
	err := c.do(ctx, call{method: http.MethodGet, path: "/v1/ledger/balances"}, &list)
	return list.Balances, err
}
