package service_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"

	"github.com/refundry/refundry/internal/pgtest"
)

// Two hundred refunds of random size at the same time never give back more
// than was taken, on one replica and on two.
func TestConcurrentRefundsNeverExceed(t *testing.T) {
	t.Parallel()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		w := start(t, "")
		race(t, w, w)
	})
	t.Run("two replicas on postgres", func(t *testing.T) {
		t.Parallel()
		database := pgtest.Database(t)
		race(t, start(t, database), start(t, database))
	})
}

// race lets two replicas compete for one payment.
func race(t *testing.T, a, b *world) {
	t.Helper()
	const captured = 100_000
	status, paid := a.api(http.MethodPost, "/v1/payments", object{"amount": captured, "currency": "EUR"})
	if status != http.StatusCreated {
		t.Fatalf("payment: %d %v", status, paid)
	}
	var mutex sync.Mutex
	given := 0
	ask := func(w *world, amount int) int {
		status, _ := w.api(http.MethodPost, "/v1/refunds",
			object{"payment": paid["id"], "currency": "EUR", "amount": amount})
		mutex.Lock()
		defer mutex.Unlock()
		if status == http.StatusCreated {
			given += amount
		} else if status != http.StatusConflict {
			t.Errorf("refund: %d", status)
		}
		return status
	}
	var running sync.WaitGroup
	for n := range 200 {
		running.Go(func() { ask([]*world{a, b}[n%2], 1+rand.IntN(captured/50)) })
	}
	running.Wait()
	if given > captured {
		t.Fatalf("%d of %d went back", given, captured)
	}
	if left := captured - given; left > 1 {
		if ask(a, left-1) != http.StatusCreated {
			t.Fatal("what is left was refused")
		}
	}
	winners := 0
	if given < captured {
		for n := range 20 {
			running.Go(func() {
				if ask([]*world{a, b}[n%2], 1) == http.StatusCreated {
					mutex.Lock()
					winners++
					mutex.Unlock()
				}
			})
		}
		running.Wait()
		if winners != 1 {
			t.Errorf("the last cent had %d winners", winners)
		}
	}
	eventually(t, "every refund ends", func() bool {
		_, now := a.api(http.MethodGet, fmt.Sprintf("/v1/payments/%s", paid["id"]), nil)
		return now["reserved"] == 0.0
	})
	a.clean()
}

// What the sandbox does to a refund ends where its table says, with the totals
// right at each end and money moved as often as it should.
func TestSandboxOutcomes(t *testing.T) {
	onBoth(t, func(t *testing.T, database string) {
		w := start(t, database)
		for _, row := range []struct {
			name     string
			amount   int
			end      string
			refunded int // of the amount, once it has ended
			moved    float64
			disputed float64
		}{
			{"SUCCEEDED", 1000, "succeeded", 1000, 1, 0},
			{"DECLINED", 9001, "declined", 0, 0, 0},
			{"FAILED", 9002, "failed", 0, 0, 0},
			{"PENDING", 9003, "pending", 0, 0, 0},
			{"SLOW", 9004, "succeeded", 9004, 1, 0},
			{"TIMEOUT_DONE", 9005, "succeeded", 9005, 1, 0},
			{"TIMEOUT_LOST", 9006, "succeeded", 9006, 1, 0},
			{"RETURNED", 9007, "returned", 0, 1, 0},
			{"NOISY", 9008, "succeeded", 9008, 1, 0},
			{"CHARGEBACK", 9009, "succeeded", 9009, 1, 20000},
		} {
			for _, by := range []string{"amount", "text", "plan"} {
				t.Run(row.name+" by "+by, func(t *testing.T) {
					w := *w
					w.t = t
					_, paid := w.api(http.MethodPost, "/v1/payments", object{"amount": 20000, "currency": "EUR"})
					ask := object{"payment": paid["id"], "currency": "EUR", "amount": row.amount}
					switch by {
					case "text":
						ask["amount"], ask["message"] = 1000, "please refundry:"+row.name
					case "plan":
						ask["amount"] = 1000
						status, answer := w.api(http.MethodPost, "/sandbox/plans",
							object{"match": object{"payment": paid["id"]}, "outcomes": []string{row.name}})
						if status != http.StatusCreated {
							t.Fatalf("plan: %d %v", status, answer)
						}
					}
					_, refund := w.api(http.MethodPost, "/v1/refunds", ask)
					id, _ := refund["id"].(string)
					eventually(t, row.name+" ends", func() bool {
						w.advance("1s")
						_, now := w.api(http.MethodGet, "/v1/refunds/"+id, nil)
						return now["status"] == row.end && (row.end != "pending" || now["pending_reason"] == "processor")
					})
					want := 0.0
					if row.refunded > 0 {
						want = asNumber(ask["amount"])
					}
					var now object
					eventually(t, row.name+" is told of what the other side did", func() bool { // a notice of its own
						_, now = w.api(http.MethodGet, "/v1/payments/"+paid["id"].(string), nil)
						return now["disputed"] == row.disputed
					})
					if now["refunded"] != want || now["disputed"] != row.disputed {
						t.Errorf("refunded %v, disputed %v; want %v, %v", now["refunded"], now["disputed"], want, row.disputed)
					}
					if row.end == "pending" && now["reserved"] != asNumber(ask["amount"]) {
						t.Errorf("reserved %v while it is pending", now["reserved"])
					}
					var moved any
					eventually(t, "the sandbox has it", func() bool {
						_, answer := w.api(http.MethodGet, "/sandbox/movements?refund="+id, nil)
						moved = at(answer, "movements.0.count")
						return moved != nil
					})
					if moved != row.moved {
						t.Errorf("money moved %v times, want %v", moved, row.moved)
					}
				})
			}
		}
		w.clean()
	})
}

func asNumber(value any) float64 { return float64(value.(int)) }
