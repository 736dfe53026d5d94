package row

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"slices"

	"github.com/refundry/refundry/internal/ledger"
	"github.com/refundry/refundry/internal/payment"
)

// Link is a commit row: one link of the audit chain. Its hash covers the
// previous one and a digest of each tenant's events, ledger entries and
// payouts, so that each tenant's part can be checked without seeing the others'.
type Link struct {
	Number  int64
	Batch   [16]byte
	At      int64 // microseconds
	Digests []byte
	Hash    [32]byte
}

const (
	tenantBytes = 16
	linkBytes   = tenantBytes + sha256.Size // of one tenant in Digests
)

// Hash returns the hash of a link: SHA-256 over the previous hash, the number
// (8 bytes, big-endian), the batch and the digests. Postgres computes the same.
func (l Link) hash(previous [32]byte) [32]byte {
	sum := sha256.New()
	sum.Write(previous[:])
	sum.Write(binary.BigEndian.AppendUint64(nil, uint64(l.Number))) //nolint:gosec // numbers grow from 1
	sum.Write(l.Batch[:])
	sum.Write(l.Digests)
	return [32]byte(sum.Sum(nil))
}

// Follow returns the link with the hash that follows from the previous one.
func (l Link) Follow(previous [32]byte) Link {
	l.Hash = l.hash(previous)
	return l
}

// Follows reports whether the link's hash follows from the previous one.
func (l Link) Follows(previous [32]byte) bool { return l.Hash == l.hash(previous) }

// DigestOf returns a tenant's digest, nil if it has no part in the link.
func (l Link) DigestOf(tenant payment.TenantID) []byte {
	for rest := l.Digests; len(rest) >= linkBytes; rest = rest[linkBytes:] {
		if bytes.Equal(rest[:tenantBytes], tenant[:]) {
			return rest[tenantBytes:linkBytes]
		}
	}
	return nil
}

// Tenants returns the tenants that have a part in the link.
func (l Link) Tenants() []payment.TenantID {
	var tenants []payment.TenantID
	for rest := l.Digests; len(rest) >= linkBytes; rest = rest[linkBytes:] {
		tenants = append(tenants, payment.TenantID(rest[:tenantBytes]))
	}
	return tenants
}

// Fact is an event with what it wrote that is never changed: entries in the
// books, its subject's own first, and a payout. Where a person is named, its
// user and address are sealed, see [Seal].
type Fact struct {
	payment.Event

	Person  payment.PersonID // zero: nobody was named
	Sealed  []byte           // nil: nobody was named, or the person had been erased before
	Entries []ledger.Entry
	Payout  payment.Payout // zero: it tells of none
}

// Facts is what of one tenant a commit proves, events in their order.
type Facts struct {
	Tenant  payment.TenantID
	Facts   []Fact
	Damaged int64 // events that the key of their person does not open
}

// Add adds an event that was read, with its person's key.
func (f *Facts) Add(fact Fact, key PersonalKey) {
	opened := fact
	if _, err := Unseal(&opened, key); err != nil {
		f.Damaged++
	}
	f.Facts = append(f.Facts, fact)
}

// FactsOf sorts what a commit writes by tenant.
func FactsOf(changes payment.Changes) []Facts {
	entries := make(map[entryKey]ledger.Entry, len(changes.Entries))
	for _, change := range changes.Entries {
		entries[entryKey{change.Tenant, change.Entry.Subject, change.Entry.Version}] = change.Entry
	}
	payouts := make(map[entryKey]payment.Payout, len(changes.Payouts))
	for _, payout := range changes.Payouts {
		payouts[entryKey{payout.Tenant, payout.ID, 0}] = payout
	}
	var facts []Facts
	for _, telling := range changes.Tellings {
		event := telling.Event
		at := slices.IndexFunc(facts, func(f Facts) bool { return f.Tenant == event.Tenant })
		if at < 0 {
			at = len(facts)
			facts = append(facts, Facts{Tenant: event.Tenant})
		}
		fact := Fact{Event: event, Payout: payouts[entryKey{event.Tenant, event.Subject, 0}]}
		for _, subject := range SubjectsOf(event) {
			if entry, ok := entries[entryKey{event.Tenant, subject, event.Version}]; ok {
				fact.Entries = append(fact.Entries, entry)
			}
		}
		facts[at].Facts = append(facts[at].Facts, fact)
	}
	slices.SortFunc(facts, func(a, b Facts) int { return a.Tenant.Compare(b.Tenant) })
	return facts
}

type entryKey struct {
	tenant  payment.TenantID
	subject [16]byte
	version int64
}

// SubjectsOf returns whose entries an event proves: its subject's, and those of
// its payment, on which a refund's end may have an effect of its own. An
// order's own event proves none; its payments tell theirs.
func SubjectsOf(event payment.Event) [][16]byte {
	switch {
	case event.Payment.IsZero():
		return nil
	case event.Subject == event.Payment:
		return [][16]byte{event.Subject}
	default:
		return [][16]byte{event.Subject, event.Payment}
	}
}

// Digests returns what a link's Digests hold for facts.
func Digests(facts []Facts) []byte {
	digests := make([]byte, 0, linkBytes*len(facts))
	for _, f := range facts {
		digest := f.Digest()
		digests = append(append(digests, f.Tenant[:]...), digest[:]...)
	}
	return digests
}

// Digest returns the digest of one tenant's part of a commit.
func (f Facts) Digest() [32]byte {
	sum := sha256.New()
	var buffer []byte
	for _, fact := range f.Facts {
		buffer = appendCaller(appendEvent(buffer[:0], fact.Event), fact)
		for _, entry := range fact.Entries {
			for _, posting := range entry.Postings {
				buffer = appendPosting(buffer, string(entry.Cause), posting)
			}
		}
		if !fact.Payout.ID.IsZero() {
			buffer = appendPayout(buffer, fact.Payout)
		}
		sum.Write(buffer)
	}
	return [32]byte(sum.Sum(nil))
}

func appendEvent(to []byte, event payment.Event) []byte {
	to = append(to, event.Payment[:]...)
	to = append(to, event.Subject[:]...)
	to = binary.BigEndian.AppendUint64(to, uint64(event.Version))    //nolint:gosec // any 64 bits will do
	to = binary.BigEndian.AppendUint64(to, uint64(Micros(event.At))) //nolint:gosec // any 64 bits will do
	for _, text := range []string{string(event.Kind), event.Actor, string(event.Door), event.Request, event.Detail} {
		to = appendText(to, text)
	}
	return to
}

// callerMark begins what a digest covers of the caller. A posting, a payout and
// an event cannot begin so: amounts are above zero, and ids begin with a time.
const callerMark = "\xff\xff\xff\xff\xff\xff\xff\xff"

// appendCaller appends where an event was asked for and by whom, as it is kept:
// what was sealed stays covered when nobody can read it any more. An event that
// knows neither has the digest that it had before there was such a thing.
func appendCaller(to []byte, fact Fact) []byte {
	if fact.Person.IsZero() && fact.Address == "" && len(fact.Sealed) == 0 {
		return to
	}
	to = append(append(to, callerMark...), fact.Person[:]...)
	return appendText(appendText(to, string(fact.Sealed)), fact.Address)
}

func appendPosting(to []byte, cause string, posting ledger.Posting) []byte {
	to = binary.BigEndian.AppendUint64(to, uint64(posting.Amount.Minor)) //nolint:gosec // any 64 bits will do
	for _, text := range []string{
		cause, string(posting.Debit), string(posting.Credit), string(posting.Amount.Currency),
	} {
		to = appendText(to, text)
	}
	return to
}

func appendPayout(to []byte, payout payment.Payout) []byte {
	to = append(to, payout.Order[:]...)
	to = binary.BigEndian.AppendUint64(to, uint64(payout.Amount.Minor)) //nolint:gosec // any 64 bits will do
	to = binary.BigEndian.AppendUint64(to, uint64(Micros(payout.At)))   //nolint:gosec // any 64 bits will do
	return appendText(appendText(to, payout.Merchant), string(payout.Amount.Currency))
}

func appendText(to []byte, text string) []byte {
	to = binary.BigEndian.AppendUint32(to, uint32(len(text))) //nolint:gosec // texts are short
	return append(to, text...)
}

// Chained is a link, and whether it follows from the one before. No hash covers
// its time; it must not fall.
type Chained struct {
	Link

	Follows bool
}

// Chain checks links that were read in order, beginning with the one numbered
// after, if there is such a one: it is what the next must follow from.
func Chain(links []Link, after int64) []Chained {
	var previous Link
	if len(links) > 0 && links[0].Number == after {
		previous, links = links[0], links[1:]
	}
	chained := make([]Chained, len(links))
	for i, l := range links {
		chained[i] = Chained{l, l.Number == previous.Number+1 && l.At >= previous.At && l.Follows(previous.Hash)}
		previous = l
	}
	return chained
}
