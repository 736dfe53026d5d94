package api

import (
	"cmp"
	"net/http"
	"slices"
	"time"

	"github.com/refundry/refundry/internal/auth"
	"github.com/refundry/refundry/internal/ledger"
	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/openapi"
	"github.com/refundry/refundry/internal/payment"
)

func (a *API) ledgerOperations() []operation {
	return []operation{
		{
			method: "GET", path: "/v1/payments/{id}/ledger", id: "listPaymentEntries", tag: tagLedger,
			summary: "Read a payment's ledger entries",
			doc:     "Everything that business events did to the books, in their order. Entries are never changed.",
			scope:   scopeReadLedger, parameters: []openapi.Parameter{pathID(paymentID)}, serve: a.listEntries,
			answers: ok("The entries, oldest first.", all("EntryList", "entries", entrySchema)),
		},
		{
			method: "GET", path: "/v1/ledger/balances", id: "listBalances", tag: tagLedger, summary: "Read the trial balance",
			doc:   "Debits minus credits of every account, per currency. The balances of a currency add up to 0.",
			scope: scopeReadLedger, serve: a.listBalances,
			answers: ok("All accounts, by name.", all("BalanceList", "balances", balanceSchema)),
		},
	}
}

// entrySchema is what showEntry writes.
var entrySchema = shown("Entry", "Everything that one business event did to the books.",
	must("cause", &openapi.Schema{Type: openapi.String, Example: "refund.succeeded"}, "The business event."),
	may("refund", refundID, "That moved. Absent: the payment itself."), may("dispute", disputeID, "That moved."),
	must("version", someVersion, ""),
	must("at", someTime, ""),
	must("postings", listOf(shown("Posting", "One amount from one account to another.",
		must("debit", someAccount, "Receives the amount."),
		must("credit", someAccount, "Gives the amount."),
		must("amount", someAmount, ""),
		must("currency", someCurrency, ""),
	)), ""),
)

var someAccount = &openapi.Schema{
	Name: "Account", Type: openapi.String, Example: "merchant:main:payable",
	Doc: "A place where value rests: `processor:<connector>:receivable` and `:bank`, `merchant:<merchant>:payable` and " +
		"`:allocated`, `refunds:in_flight`, `disputes:held`.",
}

// listEntries shows what a payment's life did to the books.
func (a *API) listEntries(w http.ResponseWriter, r *http.Request, caller auth.Identity) error {
	id, err := a.paymentNamed(r.Context(), caller, r.PathValue("id"))
	if err != nil {
		return err
	}
	entries, err := a.config.Books.Entries(r.Context(), caller.Tenant, id)
	if err != nil {
		return err
	}
	if len(entries) == 0 { // a payment that took nothing, or none
		if _, err := a.config.Reader.View(r.Context(), caller.Tenant, id); err != nil {
			return err
		}
	}
	list(w, "entries", entries, showEntry)
	return nil
}

func showEntry(w *writer, entry ledger.Entry) {
	w.begin("")
	w.string("cause", string(entry.Cause))
	showSubject(w, payment.Event{Kind: payment.EventKind(entry.Cause), Subject: entry.Subject})
	w.number("version", entry.Version)
	w.time("at", entry.At)
	w.beginList("postings")
	for _, posting := range entry.Postings {
		w.begin("")
		w.string("debit", string(posting.Debit))
		w.string("credit", string(posting.Credit))
		w.number("amount", int64(posting.Amount.Minor))
		w.string("currency", string(posting.Amount.Currency))
		w.end()
	}
	w.endList()
	w.end()
}

// balance is what rests in one account.
type balance struct {
	account  ledger.Account
	currency money.Currency
	minor    money.Minor
}

// balanceSchema is what listBalances writes of each account.
var balanceSchema = shown("Balance", "What rests in one account.",
	must("account", someAccount, ""),
	must("currency", someCurrency, ""),
	must("balance", &openapi.Schema{Type: openapi.Integer, Format: "int64", Example: -6450},
		"Debits minus credits, in minor units. What we owe is below zero."),
)

// listBalances shows the trial balance.
func (a *API) listBalances(w http.ResponseWriter, r *http.Request, caller auth.Identity) error {
	balances, err := a.config.Books.Balances(r.Context(), caller.Tenant, time.Time{})
	if err != nil {
		return err
	}
	var rows []balance
	for account, currencies := range balances {
		for currency, minor := range currencies {
			rows = append(rows, balance{account, currency, minor})
		}
	}
	slices.SortFunc(rows, func(a, b balance) int {
		return cmp.Or(cmp.Compare(a.account, b.account), cmp.Compare(a.currency, b.currency))
	})
	list(w, "balances", rows, func(to *writer, row balance) {
		to.begin("")
		to.string("account", string(row.account))
		to.string("currency", string(row.currency))
		to.number("balance", int64(row.minor))
		to.end()
	})
	return nil
}
