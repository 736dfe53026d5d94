package storetest

import (
	"sync"
	"testing"
	"time"

	"github.com/refundry/refundry/internal/job"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/verify"
)

// testFeed follows the feed beside eight writers: every event comes once, and
// the versions of one subject in order.
func testFeed(t *testing.T, open Open) {
	const writers, refunds = 8, 25
	b := setup(t, open)
	p := b.capture(t, 1_000_000)
	var writing sync.WaitGroup
	done := make(chan struct{})
	for range writers {
		other := b.capture(t, 1_000_000)
		writing.Go(func() {
			for n := range refunds {
				of := p.ID
				if n%2 == 0 {
					of = other.ID
				}
				if _, err := b.refund(t.Context(), of, 1); err != nil {
					t.Error(err)
				}
			}
		})
	}
	go func() {
		writing.Wait()
		close(done)
	}()
	seen := map[payment.RefundID]int{}
	versions := map[payment.PaymentID]int64{}
	var after payment.Cursor
	for isOver := false; ; {
		events, err := b.store.Events(t.Context(), b.tenant, after, 7)
		if err != nil {
			t.Fatal(err)
		}
		for _, event := range events {
			after = event.Cursor
			if event.Version <= versions[event.Payment] {
				t.Fatalf("version %d comes after %d", event.Version, versions[event.Payment])
			}
			versions[event.Payment] = event.Version
			if event.Kind == payment.EventRefundCreated {
				seen[event.Subject]++
			}
		}
		if len(events) == 0 && isOver {
			break
		}
		select {
		case <-done:
			isOver = true
		default:
		}
	}
	if len(seen) != writers*refunds {
		t.Errorf("%d refunds in the feed, want %d", len(seen), writers*refunds)
	}
	for id, count := range seen {
		if count != 1 {
			t.Errorf("refund %s comes %d times", id, count)
		}
	}
}

// testDamage changes rows behind the store's back: each change is found.
func testDamage(t *testing.T, open Open) {
	for name, statement := range map[string]string{
		"a total":           `UPDATE payment SET refunded = refunded + 1, reserved = reserved - 1`,
		"a status":          `UPDATE refund SET status = 'succeeded'`,
		"a posting gone":    `DELETE FROM posting WHERE cause = 'refund.created'`,
		"a posting":         `UPDATE posting SET amount = amount + 1 WHERE cause = 'payment.captured'`,
		"a posting's place": `UPDATE posting SET commit_number = commit_number + 1 WHERE cause = 'refund.created'`,
		"an event":          `UPDATE event SET actor = 'key:other' WHERE kind = 'refund.created'`,
		"an event gone":     `DELETE FROM event WHERE kind = 'refund.created'`,
		"a commit gone":     `DELETE FROM commit_row WHERE number = 1`,
		"a digest":          `UPDATE commit_row SET hash = digests WHERE number = 1`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, open)
			p := b.capture(t, 1000)
			if _, err := b.refund(t.Context(), p.ID, 400); err != nil {
				t.Fatal(err)
			}
			result, err := verify.Run(t.Context(), b.store, func(int64) {})
			if err != nil || !result.IsClean() || result.Payments != 1 || result.Refunds != 1 {
				t.Fatalf("before: %+v, %v", result, err)
			}
			b.damage(t, statement)
			result, err = verify.Run(t.Context(), b.store, func(int64) {})
			if err != nil {
				t.Fatal(err)
			}
			if result.IsClean() {
				t.Error("it is not found")
			}
		})
	}
}

// testWall writes what no command would: the schema refuses it.
func testWall(t *testing.T, open Open) {
	b := setup(t, open)
	p := b.capture(t, 1000)
	if _, err := b.refund(t.Context(), p.ID, 400); err != nil {
		t.Fatal(err)
	}
	for _, statement := range []string{
		`UPDATE payment SET refunded = 601`, `UPDATE payment SET reserved = -1`, `UPDATE refund SET amount = 0`,
		`UPDATE refund SET status = 'done'`, `UPDATE refund SET status = 'unknown', submitted_at = 0`,
		`UPDATE posting SET credit = debit`,
	} {
		if err := b.exec(statement); err == nil {
			t.Errorf("the schema takes %s", statement)
		}
	}
}

// testLease lets a holder die: its job is claimed again, and what it still
// says ends nothing.
func testLease(t *testing.T, open Open) {
	b := setup(t, open)
	if _, err := b.refund(t.Context(), b.capture(t, 1000).ID, 400); err != nil {
		t.Fatal(err)
	}
	claim := func(lease time.Duration) []job.Job {
		t.Helper()
		jobs, err := b.store.Claim(t.Context(), job.Claim{
			ID: b.newID(), Now: b.clock.Now(), Lease: lease, InAll: 10, PerQueue: 10,
		})
		if err != nil {
			t.Fatal(err)
		}
		return jobs
	}
	first := claim(-time.Second)
	if len(first) != 1 || len(claim(time.Minute)) != 0 {
		t.Fatal("a leased job is claimed twice, or none was there")
	}
	if reaped, _, err := b.store.Reap(t.Context(), 20, 10); err != nil || reaped != 1 {
		t.Fatalf("reaped %d: %v", reaped, err)
	}
	second := claim(time.Minute)
	if len(second) != 1 {
		t.Fatal("the job is lost")
	}
	if err := b.store.End(t.Context(), []job.Ending{{TaskRef: first[0].Ref()}}); err != nil {
		t.Fatal(err)
	}
	kept, err := b.store.Renew(t.Context(), []payment.TaskRef{first[0].Ref(), second[0].Ref()}, time.Minute)
	if err != nil || len(kept) != 1 || kept[0] != second[0].Ref() {
		t.Errorf("leases that stand: %v, %v", kept, err)
	}
	if err := b.store.End(t.Context(), []job.Ending{{TaskRef: second[0].Ref()}}); err != nil {
		t.Fatal(err)
	}
	waiting, _, err := b.store.Count(t.Context())
	if err != nil || waiting[payment.TaskSubmitRefund] != 0 {
		t.Errorf("waiting: %v, %v", waiting, err)
	}
}
