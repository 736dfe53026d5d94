package storetest

import (
	"bytes"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/refundry/refundry/internal/audit"
	"github.com/refundry/refundry/internal/auth"
	"github.com/refundry/refundry/internal/batch"
	"github.com/refundry/refundry/internal/fault"
	"github.com/refundry/refundry/internal/payment"
)

var auditTests = map[string]func(*testing.T, Open){
	"the trail says who asked, and from where":      testCaller,
	"who asked is kept sealed only":                 testSealed,
	"a caller who is changed is found":              testCallerDamage,
	"an erased person leaves the chain whole":       testErasedPerson,
	"a person who is erased again or never was":     testErasedTwice,
	"a payment is not erased as a person":           testErasedNoPerson,
	"persons who erase each other all are erased":   testErasedCrosswise,
	"of two who name a person first, both are read": testFirstSight,
	"the trail is read in pages":                    testTrailPages,
	"the trail is narrowed to a payment or person":  testTrailRange,
	"a time is found in the chain":                  testCommitAt,
	"what a commit wrote is read as it was sealed":  testParts,
	"what was put beside the chain is found":        testBeside,
	"a resource that is removed says who asked":     testRemovedBy,
	"a key that vanished or was replaced is found":  testKeysVanished,
}

const (
	ann  = "ann@shop.example"
	home = "203.0.113.7"
)

// as returns what a command carries if a person asks for it.
func (b *bundle) as(user, address string) payment.Meta {
	meta := b.meta()
	meta.User, meta.Address = user, address
	return meta
}

// soldBy makes a captured payment for somebody.
func (b *bundle) soldBy(t *testing.T, meta payment.Meta) payment.Payment {
	t.Helper()
	command := b.captured(1000)
	command.Meta = meta
	return b.do(t, command).View.Payment
}

// trail reads what is in a range of the tenant's trail.
func (b *bundle) trail(t *testing.T, r audit.Range) []audit.Entry {
	t.Helper()
	if r.Limit == 0 {
		r.Limit = 1000
	}
	entries, err := b.store.Trail(t.Context(), b.tenant, r)
	if err != nil {
		t.Fatal(err)
	}
	return entries
}

// erase erases a person by name.
func (b *bundle) erase(t *testing.T, user string) error {
	t.Helper()
	return b.store.ErasePerson(t.Context(), payment.Event{
		Tenant: b.tenant, Kind: payment.EventPersonErased, Subject: payment.PersonOf(b.tenant, user), At: b.clock.Now(),
		Actor: "operator:test",
	})
}

func (b *bundle) mustErase(t *testing.T, user string) {
	t.Helper()
	if err := b.erase(t, user); err != nil {
		t.Fatal(err)
	}
}

func testCaller(t *testing.T, open Open) {
	b := setup(t, open)
	b.join(t, nil)
	known, unnamed := b.soldBy(t, b.as(ann, home)), b.soldBy(t, b.as("", home))
	told := b.changed()
	told.User, told.Address = "bob", "2001:db8::1"
	b.change(t, auth.Change{Events: []payment.Event{told}})
	id := batch.ID(b.newID())
	if err := b.store.ChangeBatch(t.Context(), b.tenant, id, nil,
		func(book *payment.Book, _ batch.Batch, _ []batch.Row) (batch.Change, error) {
			told := payment.Event{Tenant: b.tenant, Kind: batch.EventCreated, Subject: id, Version: 1, At: book.Now, User: ann}
			book.Changes.Tellings = append(book.Changes.Tellings, payment.Telling{Event: told})
			return batch.Change{Batch: batch.Batch{
				Tenant: b.tenant, ID: id, Status: batch.Receiving, Version: 1, CreatedAt: book.Now, UpdatedAt: book.Now,
			}}, nil
		}); err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, e := range b.trail(t, audit.Range{}) {
		isReadable := e.Person.IsZero() == (e.User == "") && !e.IsErased && !e.IsDamaged
		if what := named(e.Kind, e.Subject); got[what] == "" { // the newest
			got[what] = fmt.Sprintf("%s at %s %t", e.User, e.Address, isReadable)
		}
	}
	want := map[string]string{
		named(auth.EventSettingsChanged, b.tenant): "bob at 2001:db8::1 true",
		named("payment.captured", known.ID):        ann + " at " + home + " true",
		named("payment.captured", unnamed.ID):      " at " + home + " true",
		named(batch.EventCreated, id):              ann + " at  true",
	}
	for what, who := range want {
		if got[what] != who {
			t.Errorf("%s by %q, want %q", what, got[what], who)
		}
	}
	for _, e := range b.events(t) {
		if e.User != "" || e.Address != "" {
			t.Errorf("the feed names %q at %q", e.User, e.Address)
		}
	}
	b.wantClean(t)
}

func named(kind payment.EventKind, subject [16]byte) string {
	return fmt.Sprintf("%s %x", kind, subject)
}

func testSealed(t *testing.T, open Open) {
	b := setup(t, open)
	b.soldBy(t, b.as(ann, home))
	if err := b.exec(`UPDATE event SET address = 'x' WHERE person_id IS NOT NULL`); err == nil {
		t.Error("the schema takes a person's address unsealed")
	}
	parts, err := b.store.Parts(t.Context(), b.tenant, 0, 1<<40, 10)
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range parts {
		for _, fact := range part.Facts.Facts {
			if len(fact.Sealed) == 0 || bytes.Contains(fact.Sealed, []byte(ann)) || bytes.Contains(fact.Sealed, []byte(home)) {
				t.Errorf("sealed: %q", fact.Sealed)
			}
		}
	}
}

func testCallerDamage(t *testing.T, open Open) {
	for name, statement := range map[string]string{
		"an address":      `UPDATE event SET address = '203.0.113.8' WHERE person_id IS NULL AND address <> ''`,
		"an address gone": `UPDATE event SET address = '' WHERE person_id IS NULL`,
		"a person gone":   `UPDATE event SET person_id = NULL, sealed = NULL`,
		"what is sealed":  `UPDATE event SET sealed = NULL`,
		"a person": `UPDATE event SET person_id = (SELECT person_id FROM event WHERE person_id IS NOT NULL
			ORDER BY commit_number DESC LIMIT 1)
			WHERE commit_number = (SELECT min(commit_number) FROM event WHERE person_id IS NOT NULL) AND person_id IS NOT NULL`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, open)
			b.soldBy(t, b.as(ann, home))
			b.soldBy(t, b.as("bob", home))
			b.soldBy(t, b.as("", home))
			b.wantClean(t)
			b.damage(t, statement)
			b.wantFound(t)
		})
	}
}

func testErasedPerson(t *testing.T, open Open) {
	b := setup(t, open)
	p := b.soldBy(t, b.as(ann, home))
	b.soldBy(t, b.as("bob", home))
	before, err := b.store.Checkpoint(t.Context(), b.tenant, 0)
	if err != nil {
		t.Fatal(err)
	}
	b.mustErase(t, ann)
	b.soldBy(t, b.as(ann, home)) // the person comes back: nothing can be known of it
	b.wantClean(t)
	person := payment.PersonOf(b.tenant, ann)
	erased := b.trail(t, audit.Range{Person: person})
	if len(erased) != 2 || erased[1].Payment != p.ID {
		t.Fatalf("%d entries of the person: %+v", len(erased), erased)
	}
	for _, e := range erased {
		if e.User != "" || e.Address != "" || !e.IsErased || e.IsDamaged {
			t.Errorf("shown of an erased person: %+v", e)
		}
	}
	all := b.trail(t, audit.Range{})
	if e := all[1]; e.Kind != payment.EventPersonErased || e.Subject != person || e.Actor != "operator:test" || e.Detail != "" {
		t.Errorf("told of the erasure: %+v", e)
	}
	if bob := b.trail(t, audit.Range{Person: payment.PersonOf(b.tenant, "bob")}); len(bob) != 1 || bob[0].User != "bob" {
		t.Errorf("of another person: %+v", bob)
	}
	after, err := b.store.Checkpoint(t.Context(), b.tenant, before.Number)
	if err != nil {
		t.Fatal(err)
	}
	wantSame(t, "checkpoint", after, before)
}

func testErasedTwice(t *testing.T, open Open) {
	b := setup(t, open)
	b.soldBy(t, b.as(ann, home))
	stranger := &bundle{store: b.store, clock: b.clock, newID: b.newID, engine: b.engine, tenant: b.newID()}
	wantCode(t, stranger.erase(t, ann), fault.NotFound) // another tenant's name of another person
	wantCode(t, b.erase(t, "nobody"), fault.NotFound)
	b.mustErase(t, ann)
	b.mustErase(t, ann)
	all := b.trail(t, audit.Range{})
	if len(all) != 2 {
		t.Errorf("%d entries of a payment and an erasure", len(all))
	}
	b.wantClean(t)
}

func testFirstSight(t *testing.T, open Open) {
	b := setup(t, open)
	b.join(t, nil)
	const callers = 12
	var wait sync.WaitGroup
	for i := range callers {
		wait.Go(func() {
			told := b.changed()
			told.User, told.Address = ann, fmt.Sprint(i)
			if err := b.tryChange(t, auth.Change{Events: []payment.Event{told}}); err != nil {
				t.Error(err)
			}
		})
		wait.Go(func() {
			command := b.captured(1000)
			command.Meta = b.as(ann, fmt.Sprint(i))
			if _, err := b.engine.Do(t.Context(), command); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	entries := b.trail(t, audit.Range{Person: payment.PersonOf(b.tenant, ann)})
	if len(entries) != 2*callers {
		t.Errorf("%d entries of the person, want %d", len(entries), 2*callers)
	}
	for _, e := range entries {
		if e.User != ann || e.Address == "" || e.IsErased || e.IsDamaged {
			t.Errorf("read %+v", e)
		}
	}
	b.wantClean(t)
}

func testTrailPages(t *testing.T, open Open) {
	b := setup(t, open)
	b.join(t, nil)
	told := b.changed()
	b.change(t, auth.Change{Events: []payment.Event{told, told, told}}) // one commit, three entries
	for range 4 {
		b.soldBy(t, b.as(ann, home))
	}
	all := b.trail(t, audit.Range{})
	want := b.events(t)
	slices.Reverse(want)
	if len(all) != len(want) {
		t.Fatalf("%d entries of %d events", len(all), len(want))
	}
	for i := range all {
		if all[i].Cursor != want[i].Cursor {
			t.Errorf("entry %d is at %s, want %s", i, all[i].Cursor, want[i].Cursor)
		}
	}
	var paged []audit.Entry
	r := audit.Range{Limit: 2}
	for page := b.trail(t, r); len(page) > 0; page = b.trail(t, r) {
		paged = append(paged, page...)
		r.Before = page[len(page)-1].Cursor
	}
	wantSame(t, "pages", paged, all)
	from := all[2].Cursor.Commit
	for _, e := range b.trail(t, audit.Range{First: from, End: from + 1}) {
		if e.Cursor.Commit != from {
			t.Errorf("%s is not of commit %d", e.Cursor, from)
		}
	}
	stranger := &bundle{store: b.store, tenant: b.newID()}
	if theirs := stranger.trail(t, audit.Range{}); len(theirs) > 0 {
		t.Errorf("a stranger reads %+v", theirs)
	}
}

func testTrailRange(t *testing.T, open Open) {
	b := setup(t, open)
	p, other := b.soldBy(t, b.as(ann, home)), b.soldBy(t, b.as("bob", home))
	if _, err := b.refund(t.Context(), p.ID, 10); err != nil {
		t.Fatal(err)
	}
	kinds := func(r audit.Range) (kinds []string) {
		for _, e := range b.trail(t, r) {
			kinds = append(kinds, string(e.Kind))
		}
		return kinds
	}
	wantSame(t, "of a payment", kinds(audit.Range{Payment: p.ID}), []string{"refund.created", "payment.captured"})
	wantSame(t, "of a person", kinds(audit.Range{Person: payment.PersonOf(b.tenant, ann)}), []string{"payment.captured"})
	wantSame(t, "of both", kinds(audit.Range{Payment: other.ID, Person: payment.PersonOf(b.tenant, ann)}), []string(nil))
	stranger := &bundle{store: b.store, tenant: b.newID()}
	if theirs := stranger.trail(t, audit.Range{Payment: p.ID}); len(theirs) > 0 {
		t.Errorf("a stranger reads %+v", theirs)
	}
}

func testCommitAt(t *testing.T, open Open) {
	b := setup(t, open)
	began := b.clock.Now()
	if number, err := b.store.CommitAt(t.Context(), began); err != nil || number != 1 {
		t.Errorf("in an empty chain it is %d, %v", number, err)
	}
	for range 5 {
		b.capture(t, 100)
		b.capture(t, 100) // at the same time
		b.clock.Advance(time.Minute)
	}
	for wait, want := range map[time.Duration]int64{
		-time.Hour: 1, 0: 1, time.Second: 3, time.Minute: 3, 4 * time.Minute: 9, time.Hour: 11,
	} {
		if number, err := b.store.CommitAt(t.Context(), began.Add(wait)); err != nil || number != want {
			t.Errorf("after %s it is %d, want %d: %v", wait, number, want, err)
		}
	}
}

func testParts(t *testing.T, open Open) {
	b := setup(t, open)
	stranger := &bundle{store: b.store, clock: b.clock, newID: b.newID, engine: b.engine, tenant: b.newID()}
	p := b.soldBy(t, b.as(ann, home))
	stranger.capture(t, 100)
	if _, err := b.refund(t.Context(), p.ID, 10); err != nil {
		t.Fatal(err)
	}
	b.mustErase(t, ann)
	newest, err := b.store.Checkpoint(t.Context(), b.tenant, 0)
	if err != nil || newest.Number != 4 {
		t.Fatalf("newest %+v: %v", newest, err)
	}
	var numbers []int64
	for after := int64(0); ; {
		parts, err := b.store.Parts(t.Context(), b.tenant, after, newest.Number, 2)
		if err != nil {
			t.Fatal(err)
		}
		if len(parts) == 0 {
			break
		}
		for _, part := range parts {
			after = part.Number
			numbers = append(numbers, part.Number)
			checkpoint, err := b.store.Checkpoint(t.Context(), b.tenant, part.Number)
			if err != nil {
				t.Fatal(err)
			}
			wantSame(t, "checkpoint", checkpoint, part.Checkpoint)
			if digest := part.Facts.Digest(); !bytes.Equal(digest[:], part.Digest) {
				t.Errorf("commit %d has another digest than was sealed", part.Number)
			}
		}
	}
	wantSame(t, "commits", numbers, []int64{1, 3, 4})
	links, err := b.store.Links(t.Context(), 1, 3, 10)
	if err != nil || len(links) != 2 || links[0].Number != 2 || links[0].DigestOf(b.tenant) != nil || links[1].DigestOf(b.tenant) == nil {
		t.Errorf("links %+v: %v", links, err)
	}
	theirs, err := b.store.Checkpoint(t.Context(), stranger.tenant, 1)
	if err != nil || theirs.Digest != nil {
		t.Errorf("a stranger sees %+v: %v", theirs, err)
	}
	_, err = b.store.Checkpoint(t.Context(), b.tenant, 5)
	wantCode(t, err, fault.NotFound)
}
