package payment

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/refundry/refundry/internal/ledger"
	"github.com/refundry/refundry/internal/money"
)

// Books reads a tenant's ledger.
type Books interface {
	// Entries returns every entry about a payment, in the order of its versions.
	Entries(ctx context.Context, tenant TenantID, id PaymentID) ([]ledger.Entry, error)
	// ListEntries returns entries in the order of their commits, the oldest first.
	// Nothing ever appears before a place that a list has passed.
	ListEntries(ctx context.Context, tenant TenantID, filter EntryFilter) ([]BookedEntry, error)
	// Balances returns the balances of all accounts, of what happened at a time or
	// earlier (zero: of all): the trial balance.
	Balances(ctx context.Context, tenant TenantID, at time.Time) (ledger.Balances, error)
}

// BookedEntry is an entry with its place in the books.
type BookedEntry struct {
	ledger.Entry

	Payment PaymentID
	Commit  int64 // number of the commit that wrote it
}

// Place returns the place of an entry in a list.
func (e BookedEntry) Place() EntryPlace { return EntryPlace{e.Commit, e.Version, e.Subject} }

// EntryPlace is a place in a tenant's books: behind the entry of this commit,
// version and subject. Commits are numbered in their order, which times are not
// when several are under way. The zero place is the beginning.
type EntryPlace struct {
	Commit  int64
	Version int64
	Subject [16]byte
}

// String returns the place as callers see it: opaque to them.
func (p EntryPlace) String() string { return fmt.Sprintf("%x-%x-%x", p.Commit, p.Version, p.Subject) }

// ParseEntryPlace reads what String wrote; the empty text is the beginning.
func ParseEntryPlace(text string) (EntryPlace, bool) {
	if text == "" {
		return EntryPlace{}, true
	}
	var place EntryPlace
	var subject []byte
	_, err := fmt.Fscanf(strings.NewReader(text), "%x-%x-%x", &place.Commit, &place.Version, &subject)
	if err != nil || len(subject) != len(place.Subject) {
		return EntryPlace{}, false
	}
	place.Subject = [16]byte(subject)
	isBehind := place != EntryPlace{} // something; else it would be the beginning
	return place, isBehind && place.Commit >= 0 && place.Version >= 0 && place.String() == text
}

// EntryFilter narrows a list of entries. Zero fields do not.
type EntryFilter struct {
	Payment  PaymentID
	Account  ledger.Account // of a posting, on either side
	Cause    ledger.Cause
	Currency money.Currency
	From     time.Time  // happened at this time or later
	Until    time.Time  // happened at this time or earlier
	After    EntryPlace // behind this place
	Limit    int        // at most this many; a list needs it
}
