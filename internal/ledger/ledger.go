// Package ledger records money movements in double entry.
//
// A [Posting] names both of its sides, so an unbalanced [Entry] cannot be
// written down. Entries are never changed: a mistake is corrected by another
// entry, see [Entry.Reversal].
package ledger

import (
	"time"

	"github.com/refundry/refundry/internal/money"
)

// Posting moves one amount: Debit receives, Credit gives.
type Posting struct {
	Debit  Account
	Credit Account
	Amount money.Amount
}

// Cause says which business event an entry records, as in "refund.succeeded".
type Cause string

// Entry is everything one business event did to the books. Subject and
// Version name it: the refund, capture or dispute that moved, and the version
// of the payment it gave rise to.
type Entry struct {
	Subject  [16]byte
	Version  int64
	Cause    Cause
	At       time.Time
	Postings []Posting
}

// Reversal returns the postings that undo the entry.
func (e Entry) Reversal() []Posting {
	undone := make([]Posting, len(e.Postings))
	for i, posting := range e.Postings {
		undone[i] = Posting{Debit: posting.Credit, Credit: posting.Debit, Amount: posting.Amount}
	}
	return undone
}

// Balances sums postings: debits minus credits per account and currency.
type Balances map[Account]map[money.Currency]money.Minor

// Post adds a posting to the balances.
func (b Balances) Post(posting Posting) {
	b.add(posting.Debit, posting.Amount.Currency, posting.Amount.Minor)
	b.add(posting.Credit, posting.Amount.Currency, -posting.Amount.Minor)
}

// Of returns the balance of one account, in minor units of currency.
func (b Balances) Of(account Account, currency money.Currency) money.Minor {
	return b[account][currency]
}

func (b Balances) add(account Account, currency money.Currency, minor money.Minor) {
	if b[account] == nil {
		b[account] = map[money.Currency]money.Minor{}
	}
	b[account][currency] += minor
}

// Append adds a posting to the entry it belongs to: the last one, if that is
// of the same subject and version, else a new one.
func Append(entries []Entry, entry Entry, posting Posting) []Entry {
	if last := len(entries) - 1; last >= 0 && entries[last].Subject == entry.Subject && entries[last].Version == entry.Version {
		entries[last].Postings = append(entries[last].Postings, posting)
		return entries
	}
	entry.Postings = []Posting{posting}
	return append(entries, entry)
}
