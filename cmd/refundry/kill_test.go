package main_test

import (
	"bytes"
	"context"
	crand "crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/refundry/refundry/internal/pgtest"
)

const (
	kills        = 50
	killCallers  = 8
	killPayments = 40
	settleWithin = time.Minute
)

// A server that is killed at any moment, again and again, forgets no
// acknowledged refund, moves money once per refund and tells every end.
func TestKill(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("kills the server fifty times")
	}
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		killAgainAndAgain(t, "--data="+t.TempDir())
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		killAgainAndAgain(t, "--data="+t.TempDir(), "--database="+pgtest.Database(t))
	})
}

func killAgainAndAgain(t *testing.T, store ...string) {
	t.Helper()
	receiver := newReceiver(t)
	args := append([]string{"--lease=2s", "--webhook-url=api=" + receiver.url}, store...)
	server := startServe(t, args...)
	w := &killWorld{url: server.url, key: server.file.API.Key, acknowledged: map[string]string{}}
	for range killPayments {
		w.payments = append(w.payments, w.pay(t))
	}
	stop := make(chan struct{})
	var callers sync.WaitGroup
	for range killCallers {
		callers.Go(func() { w.call(stop) })
	}
	for range kills {
		w.awaitProgress(t, 1+rand.IntN(30))
		server.kill()
		server = startServe(t, args...)
		w.moved(server.url)
	}
	close(stop)
	callers.Wait()
	ends := w.awaitEnds(t)
	w.checkMovements(t, ends)
	receiver.await(t, ends)
	server.stop(t)
	verify := exec.CommandContext(t.Context(), must(binary()), append([]string{"verify"}, store...)...) //nolint:gosec // our own program
	if output, err := verify.CombinedOutput(); err != nil {
		t.Errorf("verify: %v\n%s", err, output)
	}
	t.Logf("%d refunds were acknowledged", len(ends))
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

// killWorld is what callers know of the server that keeps dying.
type killWorld struct {
	key      string
	payments []string

	mutex        sync.Mutex
	url          string
	acknowledged map[string]string // refund → what is expected of it
	answers      int
}

func (w *killWorld) moved(url string) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.url = url
}

func (w *killWorld) count() (int, string) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	return w.answers, w.url
}

// awaitProgress waits until some more refunds were acknowledged.
func (w *killWorld) awaitProgress(t *testing.T, more int) {
	t.Helper()
	before, _ := w.count()
	within(t, settleWithin, func() (bool, string) {
		now, url := w.count()
		return now >= before+more, "no refund is acknowledged at " + url
	})
}

// within fails the test if something does not become true in time.
func within(t *testing.T, patience time.Duration, isSo func() (bool, string)) {
	t.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		done, what := isSo()
		if done {
			return
		}
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatalf("it took too long: %s", what)
		}
	}
}

// post sends a request until it is answered, as a client does whose key makes
// that safe.
func (w *killWorld) post(path, key string, body, answer any) (int, error) {
	content, err := json.Marshal(body)
	if err != nil {
		return 0, err
	}
	var last error
	for range 200 {
		_, url := w.count()
		request, err := http.NewRequestWithContext(context.Background(), http.MethodPost, url+path, bytes.NewReader(content))
		if err != nil {
			return 0, err
		}
		request.Header.Set("Authorization", "Bearer "+w.key)
		request.Header.Set("Idempotency-Key", key)
		status, err := do(request, answer)
		if err == nil && status < 500 {
			return status, nil
		}
		last = fmt.Errorf("status %d: %w", status, err)
		time.Sleep(10 * time.Millisecond) // the server is being started again
	}
	return 0, last
}

func do(request *http.Request, answer any) (int, error) {
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err
	}
	defer func() { _ = response.Body.Close() }()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, err
	}
	return response.StatusCode, json.Unmarshal(content, answer)
}

func (w *killWorld) pay(t *testing.T) string {
	t.Helper()
	var payment struct{ ID string }
	status, err := w.post("/v1/payments", crand.Text(), map[string]any{"amount": 100_000_000, "currency": "EUR"}, &payment)
	if err != nil || status != http.StatusCreated {
		t.Fatalf("payment: status %d, %v", status, err)
	}
	return payment.ID
}

// endings says which end amounts with these last four digits come to.
var endings = map[int]string{
	0: "succeeded", 9001: "declined", 9002: "failed", 9004: "succeeded", 9005: "succeeded", 9006: "succeeded",
	9007: "returned", 9008: "succeeded",
}

// call asks for refunds until it is told to stop.
func (w *killWorld) call(stop <-chan struct{}) {
	digits := []int{0, 0, 0, 0, 9001, 9002, 9004, 9005, 9006, 9007, 9008}
	for {
		select {
		case <-stop:
			return
		default:
		}
		ending := digits[rand.IntN(len(digits))]
		var refund struct{ ID string }
		status, err := w.post("/v1/refunds", crand.Text(), map[string]any{
			"payment": w.payments[rand.IntN(len(w.payments))], "currency": "EUR", "amount": 10_000*rand.IntN(3) + max(ending, 1),
		}, &refund)
		if err != nil || status != http.StatusCreated {
			continue
		}
		w.mutex.Lock()
		w.acknowledged[refund.ID] = endings[ending]
		w.answers++
		w.mutex.Unlock()
	}
}

func (w *killWorld) get(t *testing.T, path string, answer any) int {
	t.Helper()
	_, url := w.count()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+w.key)
	status, err := do(request, answer)
	if err != nil {
		t.Fatal(err)
	}
	return status
}

// awaitEnds waits until every acknowledged refund has come to its end.
func (w *killWorld) awaitEnds(t *testing.T) map[string]string {
	t.Helper()
	for refund, want := range w.acknowledged {
		var got struct{ Status string }
		within(t, settleWithin, func() (bool, string) {
			if status := w.get(t, "/v1/refunds/"+refund, &got); status != http.StatusOK {
				t.Fatalf("an acknowledged refund is gone: status %d", status)
			}
			return got.Status == want, refund + " is " + got.Status + ", not " + want
		})
	}
	return w.acknowledged
}

// checkMovements compares the sandbox's count of money movements.
func (w *killWorld) checkMovements(t *testing.T, ends map[string]string) {
	t.Helper()
	var answer struct {
		Movements []struct {
			Refund string `json:"refund"`
			Count  int    `json:"count"`
		} `json:"movements"`
	}
	if status := w.get(t, "/sandbox/movements", &answer); status != http.StatusOK {
		t.Fatalf("movements: status %d", status)
	}
	moved := map[string]int{}
	for _, movement := range answer.Movements {
		moved[movement.Refund] += movement.Count
	}
	for refund, end := range ends {
		want := 1
		if end == "declined" || end == "failed" {
			want = 0
		}
		if moved[refund] != want {
			t.Errorf("refund %s %s with %d movements of money, want %d", refund, end, moved[refund], want)
		}
	}
}

// receiver remembers which ends it was told of. It lives outside the server.
type receiver struct {
	url   string
	mutex sync.Mutex
	told  map[string]map[string]bool // refund → statuses
}

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{told: map[string]map[string]bool{}}
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, request *http.Request) {
		var event struct {
			Type string
			Data struct{ Refund struct{ ID string } }
		}
		if err := json.NewDecoder(request.Body).Decode(&event); err != nil {
			t.Errorf("webhook: %v", err)
			return
		}
		status, isRefund := strings.CutPrefix(event.Type, "refund.")
		if !isRefund {
			return
		}
		r.mutex.Lock()
		defer r.mutex.Unlock()
		if r.told[event.Data.Refund.ID] == nil {
			r.told[event.Data.Refund.ID] = map[string]bool{}
		}
		r.told[event.Data.Refund.ID][status] = true
	}))
	t.Cleanup(server.Close)
	r.url = server.URL
	return r
}

// await waits until every end was told.
func (r *receiver) await(t *testing.T, ends map[string]string) {
	t.Helper()
	for refund, end := range ends {
		within(t, settleWithin, func() (bool, string) {
			r.mutex.Lock()
			defer r.mutex.Unlock()
			return r.told[refund][end], refund + " was never told to be " + end
		})
	}
}
