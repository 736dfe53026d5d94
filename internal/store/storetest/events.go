package storetest

import (
	"context"
	"log/slog"
	"sync"
	"testing"

	"github.com/refundry/refundry/internal/auth"
	"github.com/refundry/refundry/internal/engine"
	"github.com/refundry/refundry/internal/payment"
)

var eventsTests = map[string]func(*testing.T, Open){
	"the feed holds beside changes of settings":  testFeedFollowed,
	"a page of the feed begins after its cursor": testFeedPages,
	"a tenant's feed has its own events only":    testFeedApart,
}

// eventsMax is more than any test makes.
const eventsMax = 10_000

// events returns the whole feed of the bundle's tenant.
func (b *bundle) events(t *testing.T) []payment.FeedEvent {
	t.Helper()
	events, err := b.store.Events(t.Context(), b.tenant, payment.Cursor{}, eventsMax)
	if err != nil {
		t.Fatal(err)
	}
	return events
}

// beside runs one more engine over the bundle's store until the test ends.
func (b *bundle) beside(t *testing.T, router engine.Router) *engine.Engine {
	t.Helper()
	e := engine.New(engine.Config{
		Store: b.store, Router: router, Starter: nobody{}, NewID: b.newID, Lanes: 2,
		Log: slog.New(slog.DiscardHandler), Metrics: nobody{},
	})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		e.Run(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		<-done
	})
	return e
}

// follow reads the feed in small pages until the writers are done and nothing
// is left.
func (b *bundle) follow(t *testing.T, done <-chan struct{}) (seen []payment.FeedEvent) {
	t.Helper()
	var after payment.Cursor
	for isLast := false; ; {
		select {
		case <-done:
			isLast = true
		default:
		}
		page, err := b.store.Events(t.Context(), b.tenant, after, 7)
		if err != nil {
			t.Error(err)
			return seen
		}
		if len(page) > 0 {
			after = page[len(page)-1].Cursor
			seen = append(seen, page...)
		} else if isLast {
			return seen
		}
	}
}

// Writers on two engines write to the same payments, and one changes settings.
// A reader who only ever asks for what is behind its cursor sees all of it.
func testFeedFollowed(t *testing.T, open Open) {
	const writers, rounds, payments = 8, 12, 4
	b := setup(t, open)
	b.join(t, nil)
	engines := []*engine.Engine{b.engine, b.beside(t, nobody{})}
	var targets []payment.PaymentID
	for range payments {
		targets = append(targets, b.capture(t, 1_000_000).ID)
	}
	done := make(chan struct{})
	var writing, reading sync.WaitGroup
	var seen []payment.FeedEvent
	reading.Go(func() { seen = b.follow(t, done) })
	for writer := range writers {
		writing.Go(func() {
			for round := range rounds {
				if writer == 0 {
					if err := b.tryChange(t, auth.Change{}); err != nil {
						t.Error(err)
					}
					continue
				}
				if _, err := engines[writer%2].Do(t.Context(), payment.OpenRefund{
					Meta: b.meta(), Payment: targets[(writer+round)%payments], Currency: "EUR",
					Ask: payment.Ask{How: payment.AskAmount, Amount: 1},
				}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	writing.Wait()
	close(done)
	reading.Wait()

	wantSame(t, "what the follower saw", seen, b.events(t))
	versions := map[payment.PaymentID]int64{}
	refunds := map[[16]byte]bool{}
	for i, event := range seen {
		if i > 0 && !isBefore(seen[i-1].Cursor, event.Cursor) {
			t.Errorf("%v comes after %v", event.Cursor, seen[i-1].Cursor)
		}
		if event.Version < versions[event.Payment] {
			t.Errorf("version %d of a payment comes after %d", event.Version, versions[event.Payment])
		}
		versions[event.Payment] = event.Version
		if event.Kind == payment.EventRefundCreated {
			if refunds[event.Subject] {
				t.Error("a refund is told twice")
			}
			refunds[event.Subject] = true
		}
	}
	if len(refunds) != (writers-1)*rounds || versions[payment.PaymentID{}] != rounds+1 {
		t.Errorf("%d refunds, version %d of the tenant", len(refunds), versions[payment.PaymentID{}])
	}
}

func isBefore(a, b payment.Cursor) bool {
	return a.Commit < b.Commit || a.Commit == b.Commit && a.Index < b.Index
}

func testFeedPages(t *testing.T, open Open) {
	b := setup(t, open)
	b.join(t, nil)
	told := b.changed()
	b.change(t, auth.Change{Events: []payment.Event{told, told, told}}) // one commit, three events
	p := b.capture(t, 100)
	if _, err := b.refund(t.Context(), p.ID, 1); err != nil {
		t.Fatal(err)
	}
	all := b.events(t)
	for i, from := range all {
		cursor, ok := payment.ParseCursor(from.Cursor.String())
		if !ok {
			t.Fatalf("cursor %v is not read again", from.Cursor)
		}
		for limit := 1; limit <= len(all); limit++ {
			page, err := b.store.Events(t.Context(), b.tenant, cursor, limit)
			if err != nil {
				t.Fatal(err)
			}
			if want := all[i+1:]; len(page) != min(limit, len(want)) {
				t.Errorf("%d events behind %v with a limit of %d", len(page), cursor, limit)
			} else if len(page) > 0 {
				wantSame(t, "page", page, want[:len(page)])
			}
		}
	}
}

func testFeedApart(t *testing.T, open Open) {
	b := setup(t, open)
	tenants := []payment.TenantID{b.tenant, b.newID()}
	for range 3 {
		for _, tenant := range tenants {
			b.tenant = tenant
			b.capture(t, 100)
		}
	}
	for _, tenant := range tenants {
		b.tenant = tenant
		events := b.events(t)
		if len(events) < 3 {
			t.Errorf("%d events", len(events))
		}
		for _, event := range events {
			if event.Tenant != tenant {
				t.Error("an event of another tenant")
			}
		}
	}
}
