package row

import (
	"github.com/refundry/refundry/internal/ledger"
	"github.com/refundry/refundry/internal/payment"
)

// Book adds a posting to the entry it belongs to: the last one, if that has the
// same place, else a new one.
func Book(entries []payment.BookedEntry, entry payment.BookedEntry, posting ledger.Posting) []payment.BookedEntry {
	if last := len(entries) - 1; last >= 0 && entries[last].Place() == entry.Place() {
		entries[last].Postings = append(entries[last].Postings, posting)
		return entries
	}
	entry.Postings = []ledger.Posting{posting}
	return append(entries, entry)
}
