package api

import (
	"cmp"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/refundry/refundry/internal/auth"
	"github.com/refundry/refundry/internal/ledger"
	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/openapi"
	"github.com/refundry/refundry/internal/payment"
)

const (
	entriesDefault = 100
	entriesMax     = 1000
)

func (a *API) ledgerOperations() []operation {
	return []operation{
		{
			method: "GET", path: "/v1/payments/{id}/ledger", id: "listPaymentEntries", tag: tagLedger,
			summary: "Read a payment's ledger entries",
			doc:     "Everything that business events did to the books, in their order. Entries are never changed.",
			scope:   scopeReadLedger, parameters: []openapi.Parameter{pathID(paymentID)}, serve: a.listPaymentEntries,
			answers: ok("The entries, oldest first.", all("EntryList", "entries", entrySchema)),
		},
		{
			method: "GET", path: "/v1/ledger/entries", id: "listEntries", tag: tagLedger, summary: "List ledger entries",
			doc: "Everything that business events did to the books, in the order in which it was committed. Begin without " +
				"`after`, and go on from `next`: nothing ever appears behind a place that you have passed, and nothing comes " +
				"twice. Filters narrow the list, all of them together; an entry is shown whole where one of its postings is " +
				"wanted.",
			scope: scopeReadLedger, parameters: entryFilters, codes: []code{codeNotFound}, serve: a.listEntries,
			answers: ok("Entries, oldest first.", page("EntryPage", "entries", bookedSchema)),
		},
		{
			method: "GET", path: "/v1/ledger/accounts", id: "listAccounts", tag: tagLedger, summary: "List the accounts in use",
			doc:   "What each account is for, on which side its balance usually is, and in which currencies it has been used.",
			scope: scopeReadLedger, serve: a.listAccounts,
			answers: ok("All accounts, by name.", all("AccountList", "accounts", accountSchema)),
		},
		{
			method: "GET", path: "/v1/ledger/balances", id: "listBalances", tag: tagLedger, summary: "Read the trial balance",
			doc: "Debits minus credits of every account, per currency. The balances of a currency add up to 0. It is summed " +
				"up when it is asked for, which takes longer the more there is in the books.",
			scope: scopeReadLedger, serve: a.listBalances,
			parameters: []openapi.Parameter{
				inQuery("at", showing(filterTime, "2026-04-01T00:00:00Z"), "Of what had happened at this time. Absent: of all."),
			},
			answers: ok("All accounts, by name.", all("BalanceList", "balances", balanceSchema)),
		},
	}
}

// entryMembers are what showEntryMembers writes.
var entryMembers = []openapi.Member{
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
}

var (
	// entrySchema is what showEntry writes.
	entrySchema = shown("Entry", "Everything that one business event did to the books.", entryMembers...)
	// bookedSchema is what showBooked writes.
	bookedSchema = shown("BookedEntry", "An entry, and the payment that it is about.",
		append([]openapi.Member{must("payment", paymentID, "")}, entryMembers...)...)
)

var someAccount = &openapi.Schema{
	Name: "Account", Type: openapi.String, Example: "merchant:main:payable",
	Doc: "A place where value rests: `processor:<connector>:receivable` and `:bank`, `merchant:<merchant>:payable` and " +
		"`:allocated`, `refunds:in_flight`, `disputes:held`.",
}

// listPaymentEntries shows what a payment's life did to the books.
func (a *API) listPaymentEntries(w http.ResponseWriter, r *http.Request, caller auth.Identity) error {
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
	showEntryMembers(w, entry)
	w.end()
}

func showBooked(w *writer, entry payment.BookedEntry) {
	w.begin("")
	named(w, "payment", entry.Payment)
	showEntryMembers(w, entry.Entry)
	w.end()
}

func showEntryMembers(w *writer, entry ledger.Entry) {
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
}

// entryFilters are what readEntryFilter reads.
var entryFilters = append([]openapi.Parameter{
	inQuery("payment", showing(paymentNameRequest, exampleID("pay")), "Only entries about this payment."),
	inQuery("account", showing(filterText, "refunds:in_flight"), "Only entries with a posting to or from this account."),
	inQuery("cause", showing(filterText, "refund.succeeded"), "Only entries of this business event."),
	inQuery("currency", someCurrency, "Only entries in this currency."),
	inQuery("from", showing(filterTime, "2026-03-01T00:00:00Z"), "Only of what happened at this time or later."),
	inQuery("until", showing(filterTime, "2026-04-01T00:00:00Z"), "Only of what happened at this time or earlier."),
}, pageParameters(entriesDefault, entriesMax)...)

// listEntries shows the entries of the books, in the order of commits.
func (a *API) listEntries(w http.ResponseWriter, r *http.Request, caller auth.Identity) error {
	filter, err := readEntryFilter(r.URL.Query())
	if err != nil {
		return err
	}
	if text := r.URL.Query().Get("payment"); text != "" {
		if filter.Payment, err = a.paymentNamed(r.Context(), caller, text); err != nil {
			return err
		}
	}
	limit := filter.Limit
	filter.Limit++ // one more says whether there is more
	entries, err := a.config.Books.ListEntries(r.Context(), caller.Tenant, filter)
	if err != nil {
		return err
	}
	partOf(r, entries, limit, func(e payment.BookedEntry) string { return e.Place().String() }).write(w, "entries", showBooked)
	return nil
}

func readEntryFilter(query url.Values) (filter payment.EntryFilter, err error) {
	q := &filters{query: query}
	filter.Account, filter.Cause = ledger.Account(q.text("account")), ledger.Cause(q.text("cause"))
	filter.Currency = q.currency("currency")
	filter.From, filter.Until = q.time("from"), q.time("until")
	var ok bool
	if filter.After, ok = payment.ParseEntryPlace(query.Get("after")); !ok {
		q.wrong("after", "must be the next of an earlier answer")
	}
	filter.Limit = q.limit(entriesDefault, entriesMax)
	return filter, q.err
}

// accountSchema is what listAccounts writes of each account.
var accountSchema = shown("LedgerAccount", "An account that has been used.",
	must("account", someAccount, ""),
	must("kind", someWord("AccountKind", "What an account is for.", ledger.AccountKinds...), ""),
	must("purpose", someText, "The kind, in words."),
	must("normal_side", someWord("Side", "A side of a posting: `debit` receives, `credit` gives.", ledger.Debit, ledger.Credit),
		"Where its balance usually is: above zero on the debit side, below on the credit side."),
	must("currencies", listOf(someCurrency), "In which it has been used."),
)

// listAccounts shows the accounts that are in use.
func (a *API) listAccounts(w http.ResponseWriter, r *http.Request, caller auth.Identity) error {
	balances, err := a.config.Books.Balances(r.Context(), caller.Tenant, time.Time{})
	if err != nil {
		return err
	}
	list(w, "accounts", slices.Sorted(maps.Keys(balances)), func(to *writer, account ledger.Account) {
		kind := account.Kind()
		to.begin("")
		to.string("account", string(account))
		to.string("kind", string(kind))
		to.string("purpose", kind.String())
		to.string("normal_side", string(kind.Normal()))
		to.any("currencies", slices.Sorted(maps.Keys(balances[account])))
		to.end()
	})
	return nil
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
	at, err := timeParameter(r.URL.Query(), "at")
	if err != nil {
		return err
	}
	balances, err := a.config.Books.Balances(r.Context(), caller.Tenant, at)
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
