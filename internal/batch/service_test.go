package batch_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/refundry/refundry/internal/batch"
	"github.com/refundry/refundry/internal/dialect/dialecttest"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/pgtest"
	"github.com/refundry/refundry/internal/service"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// sandbox is a whole service with payments.
type sandbox struct {
	*dialecttest.World
	t        *testing.T
	payments []string
}

// open makes payments of 100 EUR each in a whole service.
func open(t *testing.T, w *dialecttest.World, payments int) *sandbox {
	t.Helper()
	s := &sandbox{World: w, t: t, payments: make([]string, payments)}
	var wait sync.WaitGroup
	places := make(chan struct{}, 16)
	for i := range s.payments {
		wait.Go(func() {
			places <- struct{}{}
			defer func() { <-places }()
			s.payments[i], _ = w.API("POST", "/v1/payments", `{"amount": 10000, "currency": "EUR"}`).At("id").(string)
		})
	}
	wait.Wait()
	return s
}

// want fails the test unless an answer has a status.
func (s *sandbox) want(status int, got dialecttest.Answered) dialecttest.Answered {
	s.t.Helper()
	if got.Status != status {
		s.t.Fatalf("%s, want %d", got, status)
	}
	return got
}

// create makes a batch, sends it rows, and returns its path.
func (s *sandbox) create(options string, rows ...string) string {
	s.t.Helper()
	made := s.want(http.StatusCreated, s.API("POST", "/v1/batches", options))
	path := fmt.Sprint("/v1/batches/", made.At("id"))
	s.want(http.StatusOK, s.API("POST", path+"/rows", strings.Join(rows, "\n"), "Content-Type", "application/x-ndjson"))
	return path
}

func (s *sandbox) start(path string) {
	s.t.Helper()
	s.want(http.StatusOK, s.API("POST", path+"/start", ""))
}

// await waits until a batch has a status, and returns it.
func (s *sandbox) await(path, status string) dialecttest.Answered {
	s.t.Helper()
	var got dialecttest.Answered
	dialecttest.Eventually(s.t, path+" is "+status, func() bool {
		got = s.API("GET", path, "")
		return got.At("status") == status
	})
	return got
}

// row asks for an amount of the n-th payment.
func (s *sandbox) row(n, amount int) string {
	return fmt.Sprintf(`{"payment": %q, "amount": %d, "currency": "EUR"}`, s.payments[n%len(s.payments)], amount)
}

// result returns a batch's result.
func (s *sandbox) result(path string) []batch.Result {
	s.t.Helper()
	var results []batch.Result
	for line := range strings.Lines(s.want(http.StatusOK, s.API("GET", path+"/result", "")).Raw) {
		var r batch.Result
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			s.t.Fatal(err)
		}
		results = append(results, r)
	}
	return results
}

// A batch goes its whole way at the own API: rows come in JSON and in CSV, are
// decided and explained, the refunds reach the processor and succeed, and the
// feed tells of each step once.
func TestWholeWay(t *testing.T) {
	dialecttest.OnBoth(t, func(t *testing.T, w *dialecttest.World) {
		s := open(t, w, 3)
		w.Tell(payment.DoorAPI)
		alone := s.want(http.StatusCreated, w.API("POST", "/v1/refunds", s.row(0, 100), "Idempotency-Key", "k"))
		path := s.create(`{"reference": "recall"}`, strings.Replace(s.row(0, 100), "{", `{"key": "k", `, 1), s.row(1, 10_001), `{"payment": 7}`)
		s.want(http.StatusOK, s.API("POST", path+"/rows?offset=3", "payment,full,reference\n"+s.payments[2]+",true,r-4\n",
			"Content-Type", "text/csv; charset=utf-8"))
		s.want(http.StatusConflict, s.API("POST", path+"/rows?offset=3", s.row(0, 1)))
		s.start(path)
		done := s.await(path, "done")
		rows, _ := json.Marshal(done.At("rows"))
		if string(rows) != `{"allowed":0,"invalid":1,"received":4,"refunded":2,"refused":1,"skipped":0,"waiting":0}` ||
			fmt.Sprint(done.At("sums.0.amount")) != "10100" {
			t.Errorf("%s", done)
		}
		results := s.result(path)
		for i, want := range []string{"", "refundable_amount_exceeded", "invalid_request", ""} {
			if results[i].Code != want {
				t.Errorf("row %d: %+v", i+1, results[i])
			}
		}
		if results[0].Refund != alone.At("id") {
			t.Errorf("a key that was used alone: %s, then %+v", alone, results[0])
		}
		for _, i := range []int{0, 3} {
			dialecttest.Eventually(t, "the refund succeeds", func() bool {
				return s.API("GET", "/v1/refunds/"+results[i].Refund, "").At("status") == "succeeded"
			})
		}
		csv := s.want(http.StatusOK, s.API("GET", path+"/result?format=csv", ""))
		if strings.Count(csv.Raw, "\n") != 5 || csv.Header.Get("Content-Type") != "text/csv; charset=utf-8" {
			t.Errorf("%s", csv)
		}
		if got, want := s.told(path), "created started done"; got != want {
			t.Errorf("the feed tells %s, want %s", got, want)
		}
		told := w.Receiver.Await(t, "/api", 1, "the endpoint is told", func(h dialecttest.Webhook) bool {
			return h.At("type") == "batch.done"
		})
		if !strings.HasSuffix(path, fmt.Sprint(told.At("data.batch"))) {
			t.Errorf("told %s", told.Raw)
		}
		s.Clean()
	})
}

// told returns what the feed tells of a batch, with spaces between.
func (s *sandbox) told(path string) string {
	s.t.Helper()
	var words []string
	events, _ := s.want(http.StatusOK, s.API("GET", "/v1/events?limit=1000", "")).At("events").([]any)
	for _, event := range events {
		if word, isOne := strings.CutPrefix(fmt.Sprint(dialecttest.At(event, "kind")), "batch."); isOne &&
			strings.HasSuffix(path, fmt.Sprint(dialecttest.At(event, "batch"))) {
			words = append(words, word)
		}
	}
	return strings.Join(words, " ")
}

// Each status and control of a batch, at the own API, with the jobs running.
func TestStatusesAndControls(t *testing.T) {
	dialecttest.OnBoth(t, func(t *testing.T, w *dialecttest.World) {
		s := open(t, w, 10)
		var rows []string
		for n := range 40 {
			rows = append(rows, s.row(n, 1))
		}
		path := s.create(`{"per_second": 1}`, rows...)
		s.want(http.StatusConflict, s.API("POST", path+"/pause", ""))
		s.want(http.StatusConflict, s.API("POST", path+"/resume", ""))
		s.start(path)
		s.start(path)
		s.want(http.StatusConflict, s.API("POST", path+"/rows?offset=40", s.row(0, 1)))
		s.want(http.StatusOK, s.API("POST", path+"/pause", ""))
		s.want(http.StatusConflict, s.API("POST", path+"/start", ""))
		s.want(http.StatusOK, s.API("POST", path+"/resume", ""))
		for range 3 { // the clock, not the machine, says when a second is over
			before, _ := s.API("GET", path, "").At("rows.refunded").(json.Number)
			s.Advance("1s")
			dialecttest.Eventually(t, "it goes on", func() bool {
				now, _ := s.API("GET", path, "").At("rows.refunded").(json.Number)
				return now != before
			})
		}
		s.want(http.StatusOK, s.API("POST", path+"/cancel", ""))
		dialecttest.Eventually(t, "the rest is skipped", func() bool {
			return fmt.Sprint(s.API("GET", path, "").At("rows.waiting")) == "0"
		})
		s.await(path, "canceled")
		s.want(http.StatusConflict, s.API("POST", path+"/resume", ""))
		if got, want := s.told(path), "created started paused resumed canceled"; got != want {
			t.Errorf("the feed tells %s, want %s", got, want)
		}
		careful := s.create(`{"pauses_on_failure": true}`, append([]string{s.row(0, 20_000)}, rows...)...)
		s.start(careful)
		if got := s.await(careful, "paused"); got.At("pause") != "failure" {
			t.Errorf("%s", got)
		}
		s.want(http.StatusOK, s.API("POST", careful+"/cancel", ""))
		dialecttest.Eventually(t, "the rest of a paused batch is skipped", func() bool {
			return fmt.Sprint(s.API("GET", careful, "").At("rows.waiting")) == "0"
		})
		careful = s.create(`{"pauses_on_failure": true}`, append([]string{s.row(0, 20_000)}, rows...)...)
		s.start(careful)
		s.await(careful, "paused")
		dry := s.create(`{"is_dry_run": true}`, s.row(1, 9000), s.row(1, 9000))
		s.start(dry)
		if got := s.await(dry, "done"); fmt.Sprintf("%v %v", got.At("rows.allowed"), got.At("rows.refused")) != "1 1" {
			t.Errorf("%s", got)
		}
		if got := s.API("GET", "/v1/payments/"+s.payments[1], "").At("refundable"); fmt.Sprint(got) == "1000" {
			t.Error("a dry run has refunded")
		}
		list := s.want(http.StatusOK, s.API("GET", "/v1/batches?status=paused&limit=1", ""))
		if !strings.HasSuffix(careful, fmt.Sprint(list.At("batches.0.id"))) || list.At("has_more") != false {
			t.Errorf("%s", list)
		}
		s.Clean()
	})
}

// Two replicas share a batch whose job passes from one to the other: each row
// is one refund, and one movement of money.
func TestTwoReplicas(t *testing.T) {
	t.Parallel()
	database := pgtest.Database(t)
	short := func(c *service.Config) { c.Lease = 2 * time.Second }
	s := open(t, dialecttest.Start(t, database, short), 20)
	other := dialecttest.Start(t, database, short)
	const rows = 600
	var lines []string
	for n := range rows {
		lines = append(lines, s.row(n, 1+n/20))
	}
	path := s.create(`{}`, lines...)
	var pausing sync.WaitGroup
	pausing.Go(func() { // both are asked for the same at the same time
		for range 5 {
			other.API("POST", path+"/pause", "")
			other.API("POST", path+"/resume", "")
		}
	})
	s.start(path)
	pausing.Wait()
	other.API("POST", path+"/resume", "")
	s.await(path, "done")
	refunds := map[string]bool{}
	for _, r := range s.result(path) {
		if r.Status != batch.RowRefunded || refunds[r.Refund] {
			t.Errorf("%+v", r)
		}
		refunds[r.Refund] = true
	}
	opened := 0
	for _, id := range s.payments {
		list, _ := s.API("GET", "/v1/payments/"+id, "").At("refunds").([]any)
		opened += len(list)
	}
	if opened != rows || len(refunds) != rows {
		t.Errorf("%d refunds, %d of rows, want %d", opened, len(refunds), rows)
	}
	dialecttest.Eventually(t, "all money has moved once", func() bool {
		movements, _ := s.API("GET", "/sandbox/movements", "").At("movements").([]any)
		for _, movement := range movements {
			if fmt.Sprint(dialecttest.At(movement, "count")) != "1" {
				t.Fatalf("%v", movement)
			}
		}
		return len(movements) == rows
	})
	s.Clean()
}
