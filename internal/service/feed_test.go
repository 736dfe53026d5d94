package service_test

import (
	"fmt"
	"net/http"
	"sync"
	"testing"

	"github.com/refundry/refundry/internal/pgtest"
)

// Whoever follows the feed while eight write on two replicas misses no event
// and sees none twice, at whichever replica he asks.
func TestTheFeedMissesNothingUnderManyWriters(t *testing.T) {
	t.Parallel()
	database := pgtest.Database(t)
	replicas := []*world{start(t, database), start(t, database)}
	const writers, each = 8, 25
	var writing, following sync.WaitGroup
	var mutex sync.Mutex
	written := map[string]bool{}
	for n := range writers {
		writing.Go(func() {
			w := replicas[n%2]
			for range each {
				_, paid := w.api(http.MethodPost, "/v1/payments", object{"amount": 100, "currency": "EUR"})
				status, refund := w.api(http.MethodPost, "/v1/refunds", object{"payment": paid["id"], "full": true})
				if status != http.StatusCreated {
					t.Errorf("refund: %d %v", status, refund)
					return
				}
				mutex.Lock()
				written[fmt.Sprint(refund["id"])] = true
				mutex.Unlock()
			}
		})
	}
	seen := make([]map[string]int, len(replicas))
	for n, w := range replicas {
		following.Go(func() { seen[n] = follow(t, w, writers*each) })
	}
	writing.Wait()
	following.Wait()
	for n := range seen {
		if len(seen[n]) != writers*each {
			t.Errorf("replica %d: the ends of %d refunds were seen", n, len(seen[n]))
		}
		for refund, times := range seen[n] {
			if times != 1 || !written[refund] {
				t.Errorf("replica %d: the end of %s was seen %d times", n, refund, times)
			}
		}
	}
}

// follow reads the feed until so many refunds have succeeded, and returns how
// often each did. No event may come twice.
func follow(t *testing.T, w *world, ends int) map[string]int {
	seen, succeeded := map[string]bool{}, map[string]int{}
	cursor := ""
	eventually(t, "all refunds end in the feed", func() bool {
		_, page := w.api(http.MethodGet, "/v1/events?limit=7&after="+cursor, nil)
		events, _ := page["events"].([]any)
		for _, event := range events {
			id := fmt.Sprint(at(event, "cursor"))
			if seen[id] {
				t.Errorf("%s came twice", id)
			}
			seen[id] = true
			if at(event, "kind") == "refund.succeeded" {
				succeeded[fmt.Sprint(at(event, "refund"))]++
			}
		}
		cursor = fmt.Sprint(page["next"])
		return len(succeeded) >= ends
	})
	return succeeded
}
