package main

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"

	"github.com/refundry/refundry/internal/ledger"
	"github.com/refundry/refundry/internal/money"
)

// books shows the ledger of the first payment, and the trial balance.
func (s *story) books() error {
	s.title("5. The books",
		"Every movement is an entry that is never changed; each posting names the account that receives (debit) and\n"+
			"the one that gives (credit). These are the entries of the first payment:")
	entries, err := s.service.Entries(s.ctx, s.file.Tenant, s.first)
	if err != nil {
		return err
	}
	var rows [][]string
	for _, entry := range entries {
		for _, posting := range entry.Postings {
			rows = append(rows, []string{
				string(entry.Cause), string(posting.Debit), string(posting.Credit), posting.Amount.String(),
			})
		}
	}
	s.table("entries", []string{"what happened", "debit", "credit", "amount"}, rows)
	if err := expect("the number of postings", len(rows), 3); err != nil {
		return err
	}
	balances, err := s.service.Balances(s.ctx, s.file.Tenant)
	if err != nil {
		return err
	}
	return s.trialBalance(balances)
}

// trialBalance shows every account's balance, on the side where it stands.
// Both sides must come to the same in every currency.
func (s *story) trialBalance(balances ledger.Balances) error {
	type line struct {
		account  ledger.Account
		currency money.Currency
		minor    money.Minor
	}
	var lines []line
	for account, of := range balances {
		for currency, minor := range of {
			lines = append(lines, line{account, currency, minor})
		}
	}
	slices.SortFunc(lines, func(a, b line) int {
		return cmp.Or(cmp.Compare(a.currency, b.currency), cmp.Compare(a.account, b.account))
	})
	var rows [][]string
	sums := map[money.Currency]money.Minor{}
	for _, l := range lines {
		sums[l.currency] += l.minor
		row := []string{string(l.account), "", ""}
		switch {
		case l.minor > 0:
			row[1] = money.Of(l.minor, l.currency).String()
		case l.minor < 0:
			row[2] = money.Of(-l.minor, l.currency).String()
		default:
			continue
		}
		rows = append(rows, row)
	}
	s.say(thinks, "the trial balance of all that happened here (every other account stands at zero):")
	s.table("trial_balance", []string{"account", "debit", "credit"}, rows)
	for _, currency := range slices.Sorted(maps.Keys(sums)) {
		if err := expect("the sum of all balances in "+string(currency), sums[currency], 0); err != nil {
			return err
		}
	}
	return nil
}

// verify recomputes everything.
func (s *story) verify() error {
	s.title("6. Do not believe it: verify",
		"refundry verify recomputes every total, the ledger and the audit chain from rows that never change.")
	result, err := s.service.Verify(s.ctx)
	if err != nil {
		return err
	}
	for _, found := range result.Findings {
		s.say(differs, "%s: %s", found.Kind, found.Message)
	}
	s.say(thinks, "%d payments, %d refunds, %d postings, %d batches, %d events in %d commits: %d findings",
		result.Payments, result.Refunds, result.Postings, result.Batches, result.Events, result.Commits, len(result.Findings))
	return expect("the number of findings", len(result.Findings), 0)
}

// tryNext says what can be tried while the server goes on.
func (s *story) tryNext(folder string, isTemporary bool) {
	file := filepath.Join(folder, "sandbox.json")
	bearer := `-H 'Authorization: Bearer ` + s.file.API.Key + `' `
	commands := []string{
		`curl ` + bearer + `-d '{"amount":5000,"currency":"EUR"}' -H 'Content-Type: application/json' ` + s.file.BaseURL + `/v1/payments`,
		`curl ` + bearer + `-d '{"payment":"ID OF THE PAYMENT","currency":"EUR","amount":1999}' -H 'Content-Type: application/json' ` +
			s.file.BaseURL + `/v1/refunds`,
		`curl ` + bearer + `'` + s.file.BaseURL + `/v1/events?limit=5'`,
		`refundry webhooks deliveries --data '` + folder + `'`,
	}
	if s.t.isJSON {
		s.object(map[string]any{"base_url": s.file.BaseURL, "sandbox_file": file, "try": commands})
		return
	}
	s.print("\nThe server goes on at %s until you press Ctrl-C.\n"+
		"Credentials of its demo tenant: %s\nTry, and see the webhooks come in here:\n\n", s.file.BaseURL, file)
	for _, command := range commands {
		s.print("  %s\n", command)
	}
	if isTemporary {
		s.print("\nNothing of this is kept.\n")
	}
	s.print("\n")
}

// listen shows the webhooks that come, until ctx ends.
func (s *story) listen(ctx context.Context) {
	s.webhooks.forget()
	for {
		came, err := s.webhooks.await(ctx, func(received) bool { return true })
		if err != nil {
			return
		}
		s.say(tells, "webhook %s in the words of %s", fmt.Sprint(came.body["type"]), came.door)
	}
}
