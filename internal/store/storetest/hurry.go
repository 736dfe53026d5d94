package storetest

import (
	"testing"
	"time"

	"github.com/refundry/refundry/internal/job"
	"github.com/refundry/refundry/internal/payment"
)

var hurryTests = map[string]func(*testing.T, Open){
	"a delivery that hurries lets those before it be looked at at once": testHurries,
	"a delivery that is being made is looked at once more":              testHurriesClaimed,
	"a delivery that hurries leaves all others alone":                   testHurriesNoMore,
	"the first of a thread is born leased, and none behind it":          testBornOfThread,
}

// deliver writes deliveries in one commit, and returns their ids.
func (b *bundle) deliver(t *testing.T, deliveries ...payment.Delivery) (ids []payment.DeliveryID) {
	t.Helper()
	err := b.store.Commit(t.Context(), b.newID(), []payment.Need{{Tenant: b.tenant}}, func(book *payment.Book) error {
		for _, d := range deliveries {
			book.Deliver(d, "endpoint:test")
		}
		for _, d := range book.Changes.Deliveries {
			ids = append(ids, d.ID)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return ids
}

// turn is a delivery in a thread.
func (b *bundle) turn(thread [16]byte, number int64, hurries bool) payment.Delivery {
	return payment.Delivery{
		Endpoint: payment.Endpoint{ID: b.newID(), Door: payment.DoorAPI, URL: "https://a.example"}, Thread: thread,
		Event:   payment.Event{Tenant: b.tenant, Kind: "test", Subject: b.newID(), Version: number, At: b.clock.Now()},
		Hurries: hurries,
	}
}

// end ends a claimed job, or lets it come again.
func (b *bundle) end(t *testing.T, j job.Job, again time.Time) {
	t.Helper()
	if err := b.store.End(t.Context(), []job.Ending{{TaskRef: j.Ref(), Again: again}}); err != nil {
		t.Fatal(err)
	}
}

// postpone lets a delivery's job, which is due, come again in an hour.
func (b *bundle) postpone(t *testing.T, ids ...payment.DeliveryID) {
	t.Helper()
	claimed := b.claim(t, time.Minute)
	for _, id := range ids {
		if _, ok := claimed[id]; !ok {
			t.Fatal("the job is not due")
		}
		b.end(t, claimed[id], b.clock.Now().Add(time.Hour))
	}
}

// wantDue fails the test unless just these jobs can be claimed.
func (b *bundle) wantDue(t *testing.T, ids ...payment.DeliveryID) map[payment.DeliveryID]job.Job {
	t.Helper()
	claimed := b.claim(t, time.Minute)
	for _, id := range ids {
		if _, ok := claimed[id]; !ok {
			t.Errorf("%s is not due", id)
		}
	}
	if len(claimed) != len(ids) {
		t.Errorf("%d jobs are due, want %d", len(claimed), len(ids))
	}
	return claimed
}

func testHurries(t *testing.T, open Open) {
	b := setup(t, open)
	threads := [][16]byte{b.newID(), b.newID()}
	first := b.deliver(t, b.turn(threads[0], 1, false), b.turn(threads[1], 4, false))
	b.postpone(t, first...)
	b.wantDue(t)
	b.clock.Advance(time.Minute)
	// Two threads in one commit, and one of them twice: the last turn counts.
	hurried := b.deliver(t, b.turn(threads[0], 3, true), b.turn(threads[1], 5, true), b.turn(threads[1], 2, true))
	claimed := b.wantDue(t, first[0], hurried[2])
	b.end(t, claimed[first[0]], time.Time{})
	b.end(t, claimed[hurried[2]], time.Time{})
	claimed = b.wantDue(t, first[1], hurried[0])
	b.end(t, claimed[first[1]], time.Time{})
	b.end(t, claimed[hurried[0]], time.Time{})
	b.wantDue(t, hurried[1])
}

func testHurriesClaimed(t *testing.T, open Open) {
	b := setup(t, open)
	thread := b.newID()
	first := b.deliver(t, b.turn(thread, 1, false))[0]
	holds := b.wantDue(t, first)[first]
	b.clock.Advance(time.Minute)
	second := b.deliver(t, b.turn(thread, 2, true))[0]
	b.wantDue(t)                 // its holder has not ended
	b.end(t, holds, time.Time{}) // it believes to be done
	again := b.wantDue(t, first)[first]
	if again.Runs != 1 {
		t.Errorf("%d runs count", again.Runs)
	}
	b.end(t, again, b.clock.Now().Add(time.Hour)) // nobody has asked meanwhile
	b.wantDue(t)
	third := b.turn(thread, 3, true)
	b.deliver(t, third)
	holds = b.wantDue(t, first)[first]
	b.deliver(t, b.turn(thread, 4, true))
	b.end(t, holds, b.clock.Now().Add(time.Hour)) // it would come again, later
	b.end(t, b.wantDue(t, first)[first], time.Time{})
	b.wantDue(t, second)
}

func testHurriesNoMore(t *testing.T, open Open) {
	b := setup(t, open)
	thread, after, other := b.newID(), b.newID(), b.newID()
	waiting := b.deliver(t, b.turn(thread, 5, false), b.turn(after, 5, false), b.turn(other, 5, false), b.turn([16]byte{}, 5, false))
	b.postpone(t, waiting...)
	b.clock.Advance(time.Minute)
	mine := b.tenant
	b.tenant = b.newID()
	b.deliver(t, b.turn(thread, 9, true)) // another tenant's, were there one
	b.tenant = mine
	b.deliver(t, b.turn(thread, 6, false), b.turn(thread, 5, true))
	claimed := b.wantDue(t, b.deliver(t, b.turn(thread, 4, true), b.turn(after, 4, true), b.turn([16]byte{}, 9, true))...)
	for _, j := range claimed {
		b.end(t, j, time.Time{})
	}
	b.wantDue(t) // the turns of those that wait have come, and their hour has not
}

// A task of a thread may be born leased while nothing of the thread is left,
// and is nobody's if something is.
func testBornOfThread(t *testing.T, open Open) {
	b := setup(t, open)
	thread := b.newID()
	born := func(number int64) bool {
		claim := b.newID()
		var check func() bool
		err := b.store.Commit(t.Context(), b.newID(), []payment.Need{{Tenant: b.tenant}}, func(book *payment.Book) error {
			book.Deliver(b.turn(thread, number, false), "endpoint:test")
			task := &book.Changes.Tasks[len(book.Changes.Tasks)-1]
			task.Claim = claim
			check = func() bool { return task.Claim == claim }
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return check()
	}
	if !born(1) {
		t.Error("the first is not born leased")
	}
	if born(2) {
		t.Error("the second is born leased, and the first is left")
	}
	b.wantDue(t) // the first is held, the second is not its turn
}
