package storetest

import (
	"testing"
	"time"

	"github.com/refundry/refundry/internal/job"
)

// testPatience lets a job come again more often than a crash would be
// forgiven, and then lose its holder.
func testPatience(t *testing.T, open Open) {
	const runsMax = 20
	b := setup(t, open)
	if _, err := b.refund(t.Context(), b.capture(t, 1000).ID, 400); err != nil {
		t.Fatal(err)
	}
	claim := func(lease time.Duration) job.Job {
		t.Helper()
		jobs, err := b.store.Claim(t.Context(), job.Claim{
			ID: b.newID(), Now: b.clock.Now(), Lease: lease, InAll: 1, PerQueue: 1,
		})
		if err != nil || len(jobs) != 1 {
			t.Fatalf("claimed %d jobs: %v", len(jobs), err)
		}
		return jobs[0]
	}
	for range runsMax + 5 {
		claimed := claim(time.Minute)
		ending := job.Ending{TaskRef: claimed.Ref(), Again: b.clock.Now()}
		if err := b.store.End(t.Context(), []job.Ending{ending}); err != nil {
			t.Fatal(err)
		}
	}
	if claimed := claim(-time.Second); claimed.Runs != 1 {
		t.Errorf("%d runs count, although each ended well", claimed.Runs)
	}
	reaped, buried, err := b.store.Reap(t.Context(), runsMax, 100)
	if err != nil || reaped != 1 || buried != 0 {
		t.Errorf("reaped %d, buried %d: %v", reaped, buried, err)
	}
}
