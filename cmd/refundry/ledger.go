package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
)

// ledgerCommand shows the books.
type ledgerCommand struct {
	Entries  ledgerEntries  `cmd:"" default:"withargs" help:"List what was written into the books, the oldest first."`
	Accounts ledgerAccounts `cmd:"" help:"List the accounts in use, and what they are for."`
	Balances ledgerBalances `cmd:"" help:"Print the trial balance, as of now or of another time."`
}

type ledgerEntries struct {
	operatorFlags

	Payment  string `help:"About this payment."`
	Account  string `help:"To or from this account."`
	Cause    string `help:"Of this business event, as in refund.succeeded."`
	Currency string `help:"In this currency."`
	From     string `help:"Of what happened at this time or later, as in 2026-03-01T00:00:00Z."`
	Until    string `help:"Of what happened at this time or earlier."`
	After    string `help:"Go on from here: next of an earlier answer, as --json shows it."`
	Limit    string `help:"At most this many." default:"100"`
}

type ledgerAccounts struct {
	operatorFlags
}

type ledgerBalances struct {
	operatorFlags

	At string `help:"Of what had happened at this time, as in 2026-04-01T00:00:00Z; of all if none is given."`
}

// Run implements the command. A table has a row for each posting.
func (c *ledgerEntries) Run(ctx context.Context, t *terminal) error {
	o, err := c.dial(ctx, t)
	if err != nil {
		return err
	}
	text, err := o.call(ctx, http.MethodGet, "/v1/ledger/entries"+query("payment", c.Payment, "account", c.Account,
		"cause", c.Cause, "currency", c.Currency, "from", c.From, "until", c.Until, "after", c.After, "limit", c.Limit), nil)
	if err == nil && !t.isJSON {
		text, err = postingsOf(text)
	}
	if err == nil {
		err = t.printAnswer(text, []string{"at", "payment", "cause", "debit", "credit", "amount", "currency"})
	}
	return errors.Join(err, o.close())
}

// postingsOf turns a page of entries into one of their postings.
func postingsOf(text []byte) ([]byte, error) {
	var page struct {
		Entries []map[string]json.RawMessage `json:"entries"`
		HasMore bool                         `json:"has_more"`
	}
	if err := json.Unmarshal(text, &page); err != nil {
		return nil, fmt.Errorf("answer: %w", err)
	}
	all := []map[string]json.RawMessage{}
	for _, entry := range page.Entries {
		var postings []map[string]json.RawMessage
		if err := json.Unmarshal(entry["postings"], &postings); err != nil {
			return nil, fmt.Errorf("answer: %w", err)
		}
		for _, posting := range postings {
			maps.Copy(posting, map[string]json.RawMessage{
				"at": entry["at"], "payment": entry["payment"], "cause": entry["cause"],
			})
			all = append(all, posting)
		}
	}
	return json.Marshal(map[string]any{"postings": all, "has_more": page.HasMore})
}

// Run implements the command.
func (c *ledgerAccounts) Run(ctx context.Context, t *terminal) error {
	return c.operate(ctx, t, http.MethodGet, "/v1/ledger/accounts", nil,
		"account", "kind", "normal_side", "currencies", "purpose")
}

// Run implements the command.
func (c *ledgerBalances) Run(ctx context.Context, t *terminal) error {
	return c.operate(ctx, t, http.MethodGet, "/v1/ledger/balances"+query("at", c.At), nil, "account", "currency", "balance")
}
