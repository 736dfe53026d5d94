package api_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/refundry/refundry/internal/batch"
	"github.com/refundry/refundry/internal/job"
	"github.com/refundry/refundry/internal/payment"
)

// makeBatch makes a batch without rows.
func makeBatch(t *testing.T, w *world) string {
	t.Helper()
	return w.call(t, "POST", "/v1/batches", `{"reference": "recall-2026-03"}`).want(t, 201).string(t, "id")
}

// makeReady makes a batch with rows: a good one, and a bad one of each kind.
func makeReady(t *testing.T, w *world) string {
	t.Helper()
	return w.batchWith(t, `{"reference": "recall-2026-03"}`, 1)
}

// batchWith makes a batch with so many good rows, and two bad ones.
func (w *world) batchWith(t *testing.T, options string, good int) string {
	t.Helper()
	id := w.call(t, "POST", "/v1/batches", options).want(t, 201).string(t, "id")
	of := makePayment(t, w)
	rows := strings.Repeat(fmt.Sprintf(`{"payment": %q, "amount": 1, "currency": "EUR"}`+"\n", of), good-1) +
		fmt.Sprintf(`{"payment": %q, "amount": 2450, "currency": "EUR", "key": "recall-%s"}`+"\n", of, of) +
		fmt.Sprintf(`{"payment": %q, "amount": 8000, "currency": "EUR"}`+"\n", of) + fmt.Sprintf(`{"payment": %q}`, of)
	w.call(t, "POST", "/v1/batches/"+id+"/rows", rows).want(t, 200)
	return id
}

// makeRunning makes a batch that runs for a while.
func makeRunning(t *testing.T, w *world) string {
	t.Helper()
	id := w.batchWith(t, `{"reference": "recall-2026-03", "per_second": 1}`, 60)
	w.call(t, "POST", "/v1/batches/"+id+"/start", "").want(t, 200)
	return id
}

func makePaused(t *testing.T, w *world) string {
	t.Helper()
	id := makeRunning(t, w)
	w.call(t, "POST", "/v1/batches/"+id+"/pause", "").want(t, 200)
	return id
}

// makeDone makes a batch that has been worked through.
func makeDone(t *testing.T, w *world) string {
	t.Helper()
	id := makeReady(t, w)
	w.call(t, "POST", "/v1/batches/"+id+"/start", "").want(t, 200)
	eventually(t, "the batch is done", func() bool {
		if w.batches != nil { // nobody runs jobs
			var of batch.ID
			if err := of.Parse(id); err != nil {
				t.Fatal(err)
			}
			j := job.Job{Task: payment.Task{Tenant: w.tenant, Kind: payment.TaskRunBatch, Subject: of}}
			if _, err := w.batches.Work(t.Context(), j); err != nil {
				t.Fatal(err)
			}
		}
		return w.call(t, "GET", "/v1/batches/"+id, "").want(t, 200).string(t, "status") == "done"
	})
	return id
}

// A refund says which row of which batch asked for it, and a batch's refunds are
// found: all of them, those on their way, and no others.
func TestRefundsOfABatch(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		alone := w.call(t, "POST", "/v1/refunds", fmt.Sprintf(`{"payment": %q, "amount": 100, "currency": "EUR"}`,
			w.capture(t, "10000"))).want(t, 201)
		if _, known := alone.body["batch"]; known {
			t.Errorf("no batch asked for it: %s", alone.text)
		}
		id, other := w.batchWith(t, `{}`, 3), w.batchWith(t, `{}`, 1)
		for _, id := range []string{id, other} {
			w.call(t, "POST", "/v1/batches/"+id+"/start", "").want(t, 200)
			eventually(t, "it is done", func() bool {
				return w.call(t, "GET", "/v1/batches/"+id, "").string(t, "status") == "done"
			})
		}
		refunds := w.read(t, "/v1/refunds?limit=2&batch="+id, "refunds")
		if len(refunds) != 3 {
			t.Fatalf("%d refunds of the batch", len(refunds))
		}
		if aging := w.read(t, "/v1/refunds?limit=2&older_than=1&batch="+id, "refunds"); len(aging) > 0 {
			t.Errorf("none is older: %v", aging)
		}
		rows := map[string]bool{}
		for _, of := range refunds {
			refund := w.call(t, "GET", "/v1/refunds/"+of, "").want(t, 200)
			if refund.string(t, "batch") != id {
				t.Errorf("another batch's: %s", refund.text)
			}
			rows[fmt.Sprint(refund.body["batch_row"])] = true
		}
		if !rows["1"] || !rows["2"] || !rows["3"] {
			t.Errorf("of rows %v", rows)
		}
		if result := w.call(t, "GET", "/v1/batches/"+id+"/result", "").text; strings.Count(result, `"refund_status":`) != 3 {
			t.Errorf("the result has no statuses: %s", result)
		}
		w.call(t, "GET", "/v1/refunds?batch=bat_x", "").wantCode(t, 422, "invalid_request")
	})
}

// What is wrong with a request for a batch is said with its place.
func TestBadBatches(t *testing.T) {
	t.Parallel()
	w := setup(t)
	for body, pointer := range map[string]string{
		`{"per_second": 0}`: "#/per_second", `{"per_second": 10001}`: "#/per_second", `{"caps": {}}`: "#/caps",
		`{"caps": [{"amount": 1}]}`: "#/caps/0/currency", `{"caps": [{"currency": "EUR"}]}`: "#/caps/0/amount",
		`{"caps": [{"amount": 1, "currency": "EUR"}, {"amount": 2, "currency": "EUR"}]}`: "#/caps/1/currency",
		`{"dry_run": true}`: "#", `{"reference": "4242424242424242"}`: "#/reference",
	} {
		got := w.call(t, "POST", "/v1/batches", body).want(t, 422)
		if !strings.Contains(got.text, `"pointer":"`+pointer+`"`) {
			t.Errorf("%s: %s", body, got.text)
		}
	}
	id := makeBatch(t, w)
	for media, status := range map[string]int{
		"": 200, "application/x-ndjson": 200, "application/json; charset=utf-8": 200, "text/csv": 422, "text/plain": 415, "x": 415,
	} {
		got := w.call(t, "POST", "/v1/batches/"+id+"/rows", `{"full": true}`, "Content-Type: "+media)
		if got.status == http.StatusOK {
			id = makeBatch(t, w)
		}
		if got.status != status {
			t.Errorf("%s: %d %s", media, got.status, got.text)
		}
	}
	w.call(t, "POST", "/v1/batches/"+id+"/start", "").wantCode(t, 409, "wrong_status")
	w.call(t, "GET", "/v1/batches/"+id+"/result?format=xml", "").wantCode(t, 422, "invalid_request")
	w.call(t, "POST", "/v1/batches/"+id+"/rows?offset=1", `{}`).wantCode(t, 409, "conflict")
}
