package main_test

import (
	"bufio"
	"bytes"
	crand "crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/refundry/refundry/internal/pgtest"
)

// A batch with bad rows, on a server that is killed twice on the way, ends with
// every good row refunded exactly once and every bad row explained.
func TestKillBesideABatch(t *testing.T) {
	t.Parallel()
	whole, part := 100_000, 10_000
	if testing.Short() {
		whole, part = 3_000, 1_000
	}
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		killBesideABatch(t, whole, "--data="+t.TempDir())
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		killBesideABatch(t, part, "--data="+t.TempDir(), "--database="+pgtest.Database(t))
	})
}

// badRows are rows that cannot be refunded, each with the status and the code
// that explain it.
var badRows = []struct{ row, status, code string }{
	{`{"payment": %q, "amount": 10001, "currency": "EUR"}`, "refused", "refundable_amount_exceeded"},
	{`{"payment": %q, "amount": 1, "currency": "JPY"}`, "refused", "currency_mismatch"},
	{`{"payment": "pay_00000000000000000000000000", "of": %q}`, "invalid", "invalid_request"},
	{`{"payment": "%s0", "full": true}`, "refused", "not_found"},
	{`{"payment": %q, "amount": "1", "currency": "EUR"}`, "invalid", "invalid_request"},
	{`{"payment": %q`, "invalid", "invalid_request"},
}

// badEvery is how many rows there are for each bad one.
const badEvery = 33

func killBesideABatch(t *testing.T, rows int, store ...string) {
	t.Helper()
	args := append([]string{"--lease=2s"}, store...)
	server := startServe(t, args...)
	w := &killWorld{url: server.url, key: server.file.API.Key}
	w.payments = w.payMany(t, rows/10)
	file := filepath.Join(t.TempDir(), "rows.ndjson")
	writeRows(t, file, w.payments, rows)
	began := time.Now()
	var sent batchAnswer
	if err := json.Unmarshal(refundry(t, append([]string{"batches", "create", file, "--json"}, store...)...), &sent); err != nil {
		t.Fatal(err)
	}
	received := time.Since(began)
	began = time.Now()
	for _, third := range []int{1, 2} {
		w.awaitBatch(t, sent.ID, func(b batchAnswer) bool { return b.Rows.Refunded >= rows*third/3 })
		server.kill()
		server = startServe(t, args...)
		w.moved(server.url)
	}
	w.awaitBatch(t, sent.ID, func(b batchAnswer) bool { return b.Status == "done" })
	took := time.Since(began)
	good := checkResult(t, refundry(t, append([]string{"batches", "result", sent.ID}, store...)...), rows)
	server.stop(t)
	var verified struct{ Refunds int }
	if err := json.Unmarshal(refundry(t, append([]string{"verify", "--json"}, store...)...), &verified); err != nil {
		t.Fatal(err)
	}
	if verified.Refunds != good {
		t.Errorf("%d rows were refunded, and there are %d refunds", good, verified.Refunds)
	}
	t.Logf("%d rows received in %s (%.0f a second), worked through in %s with two deaths (%.0f a second)", rows,
		received.Round(time.Millisecond), float64(rows)/received.Seconds(), took.Round(time.Millisecond), float64(rows)/took.Seconds())
}

// refundry runs a command and returns what it prints.
func refundry(t *testing.T, args ...string) []byte {
	t.Helper()
	var stderr bytes.Buffer
	command := exec.CommandContext(t.Context(), must(binary()), args...) //nolint:gosec // our own program
	command.Stderr = &stderr
	output, err := command.Output()
	if err != nil {
		t.Fatalf("refundry %s: %v\n%s", args[0], err, stderr.String())
	}
	return output
}

// payMany makes payments of 100 EUR, many at a time.
func (w *killWorld) payMany(t *testing.T, n int) []string {
	t.Helper()
	payments := make([]string, n)
	next := make(chan int)
	var callers sync.WaitGroup
	for range 64 {
		callers.Go(func() {
			for i := range next {
				var payment struct{ ID string }
				status, err := w.post("/v1/payments", crand.Text(), map[string]any{"amount": 10_000, "currency": "EUR"}, &payment)
				if err != nil || status != http.StatusCreated {
					t.Errorf("payment: status %d, %v", status, err)
				}
				payments[i] = payment.ID
			}
		})
	}
	for i := range payments {
		next <- i
	}
	close(next)
	callers.Wait()
	return payments
}

// writeRows writes a file of rows, of which one in badEvery is bad.
func writeRows(t *testing.T, path string, payments []string, rows int) {
	t.Helper()
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	to := bufio.NewWriter(file)
	for i := range rows {
		of := payments[i%len(payments)]
		if i%badEvery == 0 {
			fmt.Fprintf(to, badRows[i/badEvery%len(badRows)].row+"\n", of)
		} else {
			fmt.Fprintf(to, `{"payment": %q, "amount": %d, "currency": "EUR", "reference": "row %d"}`+"\n", of, 1+i%900, i+1)
		}
	}
	if err := to.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
}

// batchAnswer is what the test looks at of a batch.
type batchAnswer struct {
	ID     string `json:"id"`
	Status string `json:"status"`
	Rows   struct {
		Received int `json:"received"`
		Waiting  int `json:"waiting"`
		Refunded int `json:"refunded"`
	} `json:"rows"`
}

// awaitBatch waits until a batch is so far.
func (w *killWorld) awaitBatch(t *testing.T, id string, isSo func(batchAnswer) bool) {
	t.Helper()
	within(t, 10*time.Minute, func() (bool, string) {
		var b batchAnswer
		if status := w.get(t, "/v1/batches/"+id, &b); status != http.StatusOK {
			t.Fatalf("batch: status %d", status)
		}
		return isSo(b), fmt.Sprintf("the batch is %+v", b)
	})
}

// checkResult fails the test unless each row is what it has to be, and returns
// how many are refunded.
func checkResult(t *testing.T, result []byte, rows int) (good int) {
	t.Helper()
	lines := bytes.Split(bytes.TrimSpace(result), []byte("\n"))
	if len(lines) != rows {
		t.Fatalf("%d rows have a result, of %d", len(lines), rows)
	}
	refunds := make(map[string]bool, rows)
	for i, line := range lines {
		var r struct {
			Number                        int
			Status, Refund, Code, Message string
			Amount                        int
		}
		if err := json.Unmarshal(line, &r); err != nil || r.Number != i+1 {
			t.Fatalf("line %d: %s, %v", i+1, line, err)
		}
		if i%badEvery == 0 {
			want := badRows[i/badEvery%len(badRows)]
			if r.Status != want.status || r.Code != want.code || r.Message == "" || r.Refund != "" {
				t.Errorf("a bad row, want %s %s: %s", want.status, want.code, line)
			}
			continue
		}
		if r.Status != "refunded" || r.Amount != 1+i%900 || refunds[r.Refund] {
			t.Errorf("a good row is not refunded once: %s", line)
		}
		refunds[r.Refund] = true
		good++
	}
	return good
}
