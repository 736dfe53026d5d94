package main_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A batch is sent from a file, goes on where an upload broke off, is started,
// shown, listed and stopped, and its result is written to a file.
func TestBatchesCommand(t *testing.T) {
	t.Parallel()
	store := "--data=" + t.TempDir()
	server := startServe(t, store)
	defer server.kill()
	w := &killWorld{url: server.url, key: server.file.API.Key}
	of := w.pay(t)
	var file strings.Builder
	file.WriteString("payment,amount,currency,note\n")
	for n := range 9 {
		fmt.Fprintf(&file, "%s,%d,EUR,\"note, in\ntwo lines\"\n", of, n+1)
	}
	path := filepath.Join(t.TempDir(), "rows.csv")
	if err := os.WriteFile(path, []byte(file.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	decode := func(text []byte) (b batchAnswer) {
		t.Helper()
		if err := json.Unmarshal(text, &b); err != nil {
			t.Fatalf("%v: %s", err, text)
		}
		return b
	}
	held := decode(refundry(t, "batches", "create", path, "--hold", "--json", "--cap=EUR=40,JPY=1", "--reference=r", store))
	if held.Status != "ready" || held.Rows.Received != 9 {
		t.Fatalf("%+v", held)
	}
	var part batchAnswer
	if status, err := w.post("/v1/batches", "part", map[string]any{}, &part); err != nil || status != http.StatusCreated {
		t.Fatal(status, err)
	}
	if status, err := w.post("/v1/batches/"+part.ID+"/rows", "", map[string]any{"payment": of, "full": 7}, &part); err != nil || status != http.StatusOK {
		t.Fatal(status, err)
	}
	whole := decode(refundry(t, "batches", "create", path, "--go-on", part.ID, "--hold", "--json", store))
	if whole.ID != part.ID || whole.Rows.Received != 9 || whole.Rows.Waiting != 8 {
		t.Errorf("an upload that goes on: %+v", whole)
	}
	refundry(t, "batches", "start", held.ID, store)
	within(t, time.Minute, func() (bool, string) {
		b := decode(refundry(t, "batches", "show", held.ID, "--json", store))
		return b.Status == "done", fmt.Sprintf("it is %+v", b)
	})
	shown := string(refundry(t, "batches", "show", held.ID, store))
	for _, want := range []string{"refunded           8", "skipped            1", "full_currencies    EUR"} {
		if !strings.Contains(shown, want) {
			t.Errorf("no %s in\n%s", want, shown)
		}
	}
	refundry(t, "batches", "cancel", whole.ID, store)
	if list := string(refundry(t, "batches", "list", "--status=canceled", store)); strings.Count(list, "\n") != 2 || !strings.Contains(list, whole.ID) {
		t.Errorf("list:\n%s", list)
	}
	output := filepath.Join(t.TempDir(), "result.csv")
	refundry(t, "batches", "result", held.ID, "--format=csv", "-o", output, store)
	if text, err := os.ReadFile(output); err != nil || strings.Count(string(text), ",refunded,") != 8 {
		t.Errorf("result: %v\n%s", err, text)
	}
	server.stop(t)
	paused := decode(refundry(t, "batches", "create", path, "--json", store)) // no server: its job waits for one
	if paused.Status != "running" || paused.Rows.Refunded != 0 {
		t.Errorf("without a server: %+v", paused)
	}
}
