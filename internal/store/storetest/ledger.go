package storetest

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/refundry/refundry/internal/ledger"
	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/payment"
)

var ledgerTests = map[string]func(*testing.T, Open){
	"entries are listed by every filter":              testListEntries,
	"entries miss and repeat nothing beside writers":  testEntriesBesideWriters,
	"a trial balance is the sum of what had happened": testBalancesAt,
	"payments are read by their names":                testNamedPayments,
	"a tenant's books are not another's":              testBooksApart,
	"an entry's order is kept as commits were":        testEntriesOfOneCommit,
}

// books makes entries of all sorts, some of them at one time, and returns them
// as they are listed in one page.
func (b *bundle) books(t *testing.T) []payment.BookedEntry {
	t.Helper()
	b.refunds(t)
	b.clock.Advance(time.Hour)
	disputed := b.capture(t, 1000).ID
	opened := b.do(t, payment.OpenDispute{Meta: b.meta(), Payment: disputed, Kind: payment.DisputeChargeback, Amount: 400}).Dispute
	b.clock.Advance(time.Hour)
	b.do(t, payment.MoveDispute{Meta: b.meta(), Payment: disputed, Dispute: opened.ID, To: payment.DisputeLost})
	split := b.captured(1000)
	split.Items = []payment.Item{line("one", 600, "m-1"), line("two", 400, "m-2")}
	if _, err := b.refund(t.Context(), b.do(t, split).View.Payment.ID, 900); err != nil { // of two merchants
		t.Fatal(err)
	}
	imported := b.captured(70)
	imported.CreatedAt, imported.CapturedAt = b.clock.Now().Add(-48*time.Hour), b.clock.Now().Add(-48*time.Hour)
	b.do(t, imported)
	all, err := b.store.ListEntries(t.Context(), b.tenant, payment.EntryFilter{Limit: 1000})
	if err != nil || len(all) < 15 {
		t.Fatalf("%d entries: %v", len(all), err)
	}
	return all
}

func testListEntries(t *testing.T, open Open) {
	b := setup(t, open)
	all := b.books(t)
	b.wantAllEntries(t, all)
	middle, disputed := all[len(all)/2], all[slices.IndexFunc(all, func(e payment.BookedEntry) bool { return e.Cause == "dispute.open" })]
	for name, filter := range map[string]payment.EntryFilter{
		"all":                   {},
		"a payment's":           {Payment: disputed.Payment},
		"no payment's":          {Payment: b.newID()},
		"of an account":         {Account: ledger.InFlight},
		"of a debited account":  {Account: ledger.Payable("m-2")},
		"of an account's half":  {Account: "refunds:"},
		"of a cause":            {Cause: "refund.created"},
		"in dollars":            {Currency: "USD"},
		"from then on":          {From: middle.At},
		"until then":            {Until: middle.At},
		"just then":             {From: disputed.At, Until: disputed.At},
		"before then":           {Until: middle.At.Add(-time.Microsecond)},
		"a payment's of a kind": {Payment: disputed.Payment, Account: ledger.Disputed, Cause: "dispute.lost", Currency: "EUR", From: middle.At},
	} {
		var want []payment.BookedEntry
		for _, e := range all {
			if isEntryWanted(filter, e) {
				want = append(want, e)
			}
		}
		if len(want) == 0 && name != "no payment's" && name != "of an account's half" {
			t.Errorf("%s: nothing is wanted", name)
		}
		for limit := 1; limit <= len(want)+1; limit++ {
			got := b.readEntries(t, filter, limit)
			if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
				t.Fatalf("%s, in pages of %d (-want +got):\n%s", name, limit, diff)
			}
		}
	}
}

// wantAllEntries compares a list of entries with those of each payment.
func (b *bundle) wantAllEntries(t *testing.T, all []payment.BookedEntry) {
	t.Helper()
	byPayment := map[payment.PaymentID][]ledger.Entry{}
	for _, e := range all {
		byPayment[e.Payment] = append(byPayment[e.Payment], e.Entry)
	}
	for id, got := range byPayment {
		want, err := b.store.Entries(t.Context(), b.tenant, id)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("of payment %s (-own +listed): %v\n%s", id, err, diff)
		}
	}
	payments, err := b.store.Payments(t.Context(), b.tenant, payment.PaymentFilter{Limit: 1000})
	if err != nil || len(payments) != len(byPayment) {
		t.Errorf("entries are of %d payments, and there are %d: %v", len(byPayment), len(payments), err)
	}
}

// isEntryWanted reports whether a filter lets an entry through.
func isEntryWanted(f payment.EntryFilter, e payment.BookedEntry) bool {
	return (f.Payment.IsZero() || e.Payment == f.Payment) && (f.Cause == "" || e.Cause == f.Cause) &&
		isWithin(e.At, f.From, f.Until) && slices.ContainsFunc(e.Postings, func(p ledger.Posting) bool {
		return (f.Account == "" || p.Debit == f.Account || p.Credit == f.Account) &&
			(f.Currency == "" || p.Amount.Currency == f.Currency)
	})
}

// readEntries reads a list of entries to its end, in pages.
func (b *bundle) readEntries(t *testing.T, filter payment.EntryFilter, limit int) (all []payment.BookedEntry) {
	t.Helper()
	for filter.Limit = limit; ; {
		page, err := b.store.ListEntries(t.Context(), b.tenant, filter)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) > limit {
			t.Errorf("a page of %d has %d", limit, len(page))
		}
		all = append(all, page...)
		if len(page) < limit {
			return all
		}
		filter.After = page[len(page)-1].Place()
	}
}

// testEntriesBesideWriters follows the books beside eight writers whose clock
// goes back and forth: every entry comes once.
func testEntriesBesideWriters(t *testing.T, open Open) {
	const writers, refunds = 8, 25
	b := setup(t, open)
	shared := b.capture(t, 1_000_000).ID
	var writing sync.WaitGroup
	done := make(chan struct{})
	for range writers {
		other := b.capture(t, 1_000_000).ID
		writing.Go(func() {
			for n := range refunds {
				b.clock.Advance([]time.Duration{time.Second, -time.Second}[n%2])
				if _, err := b.refund(t.Context(), []payment.PaymentID{shared, other}[n%2], 1); err != nil {
					t.Error(err)
				}
			}
		})
	}
	go func() {
		writing.Wait()
		close(done)
	}()
	seen := map[string]int{}
	filter := payment.EntryFilter{Limit: 7}
	for isOver := false; ; {
		entries, err := b.store.ListEntries(t.Context(), b.tenant, filter)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			filter.After = e.Place()
			seen[fmt.Sprintf("%x %d", e.Subject, e.Version)]++
		}
		if len(entries) == 0 && isOver {
			break
		}
		select {
		case <-done:
			isOver = true
		default:
		}
	}
	if want := 1 + writers + writers*refunds; len(seen) != want {
		t.Errorf("%d entries were seen, want %d", len(seen), want)
	}
	for entry, count := range seen {
		if count != 1 {
			t.Errorf("entry %s came %d times", entry, count)
		}
	}
	b.wantAllEntries(t, b.readEntries(t, payment.EntryFilter{}, 500))
	b.wantClean(t)
}

func testBalancesAt(t *testing.T, open Open) {
	b := setup(t, open)
	all := b.books(t)
	times := []time.Time{{}, b.clock.Now(), b.clock.Now().Add(-time.Hour * 24 * 365)}
	for _, e := range all {
		times = append(times, e.At, e.At.Add(-time.Microsecond), e.At.Add(time.Microsecond))
	}
	for _, at := range times {
		want := ledger.Balances{}
		for _, e := range all {
			if at.IsZero() || !e.At.After(at) {
				for _, posting := range e.Postings {
					want.Post(posting)
				}
			}
		}
		got, err := b.store.Balances(t.Context(), b.tenant, at)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("at %s (-want +got): %v\n%s", at, err, diff)
		}
		sums := map[money.Currency]money.Minor{}
		for _, currencies := range got {
			for currency, minor := range currencies {
				sums[currency] += minor
			}
		}
		for currency, sum := range sums {
			if sum != 0 {
				t.Errorf("at %s, %s adds up to %d", at, currency, sum)
			}
		}
	}
}

func testNamedPayments(t *testing.T, open Open) {
	b := setup(t, open)
	one, other := b.capture(t, 100), b.capture(t, 200)
	b.capture(t, 300)
	got, err := b.store.NamedPayments(t.Context(), b.tenant, []payment.PaymentID{one.ID, other.ID, b.newID(), one.ID})
	slices.SortFunc(got, func(a, b payment.Payment) int { return int(a.Amount.Minor - b.Amount.Minor) })
	if diff := cmp.Diff([]payment.Payment{one, other}, got); diff != "" || err != nil {
		t.Errorf("(-want +got): %v\n%s", err, diff)
	}
	if got, err := b.store.NamedPayments(t.Context(), b.tenant, nil); err != nil || len(got) > 0 {
		t.Errorf("without names, %d payments: %v", len(got), err)
	}
}

func testBooksApart(t *testing.T, open Open) {
	b := setup(t, open)
	all := b.books(t)
	stranger := b.newID()
	for _, filter := range []payment.EntryFilter{{}, {Payment: all[0].Payment}, {Account: ledger.InFlight}} {
		filter.Limit = 9
		if got, err := b.store.ListEntries(t.Context(), stranger, filter); err != nil || len(got) != 0 {
			t.Errorf("%d entries: %v", len(got), err)
		}
	}
	if got, err := b.store.Balances(t.Context(), stranger, b.clock.Now()); err != nil || len(got) != 0 {
		t.Errorf("balances %v: %v", got, err)
	}
	if got, err := b.store.NamedPayments(t.Context(), stranger, []payment.PaymentID{all[0].Payment}); err != nil || len(got) != 0 {
		t.Errorf("%d payments: %v", len(got), err)
	}
}

// testEntriesOfOneCommit writes many entries of one payment at once: they come
// in the order of its versions.
func testEntriesOfOneCommit(t *testing.T, open Open) {
	b := setup(t, open)
	of := b.capture(t, 1000).ID
	var wait sync.WaitGroup
	for range 100 {
		wait.Go(func() {
			if _, err := b.refund(t.Context(), of, 1); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	var version int64
	for _, e := range b.readEntries(t, payment.EntryFilter{}, 3) {
		if e.Version <= version {
			t.Fatalf("version %d comes after %d", e.Version, version)
		}
		version = e.Version
	}
	if version < 101 {
		t.Errorf("the last is version %d", version)
	}
}

// MigratesLedger undoes a migration and makes it again: entries that were
// there before it come in the order in which they were committed.
func MigratesLedger(t *testing.T, open Open, migration string) {
	t.Helper()
	up, down, _ := strings.Cut(migration, "-- +goose Down")
	b := setup(t, open)
	before := b.books(t)
	b.damage(t, down)
	b.damage(t, up)
	after := b.readEntries(t, payment.EntryFilter{}, 1000)
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("(-before +after):\n%s", diff)
	}
	b.wantClean(t)
}
