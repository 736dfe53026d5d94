package main_test

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// Several payments are erased by one command, named as their front door names
// them. It says at which one it stopped.
func TestPaymentsAreErased(t *testing.T) {
	t.Parallel()
	f := newFolder(t)
	file := filepath.Join(t.TempDir(), "payments.ndjson")
	var lines strings.Builder
	var ids []string
	for n := range 2 {
		ids = append(ids, fmt.Sprintf("DdRZ6YY0%d", n))
		fmt.Fprintf(&lines, `{"id": "old-%d", "amount": 1000, "currency": "EUR", "payer": "anna-77", "home": "primer", "payment_id": "%s"}`+"\n",
			n, ids[n])
	}
	if err := os.WriteFile(file, []byte(lines.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	f.does(t, "payments", "import", file)
	if before := f.does(t, "payments", "show", ids[0]); !strings.Contains(before, "anna-77") {
		t.Errorf("before: %s", before)
	}
	erased := f.does(t, "payments", "erase", ids[0], ids[1])
	after := f.does(t, "payments", "show", ids[1])
	if strings.Count(erased, "erased_at") != 2 || strings.Contains(erased+after, "anna-77") || !strings.Contains(after, "erased_at") {
		t.Errorf("erased as %s, and is %s", erased, after)
	}
	f.refuses(t, "pay_nobody: ", "payments", "erase", ids[0], "pay_nobody")
}

// An operator records what became of authorized payments, each capture once under
// its key, and cancels together what was asked for together.
func TestOperatorsRecordCaptures(t *testing.T) {
	t.Parallel()
	store := "--data=" + t.TempDir()
	server := startServe(t, store)
	defer server.kill()
	w := &killWorld{url: server.url, key: server.file.API.Key}
	hold := func() string {
		t.Helper()
		var made struct{ ID string }
		status, err := w.post("/v1/payments", rand.Text(), map[string]any{
			"amount": 1000, "currency": "EUR", "status": "authorized", "connector": "sandbox_captures",
		}, &made)
		if err != nil || status != http.StatusCreated {
			t.Fatal(status, err)
		}
		return made.ID
	}
	read := func(args ...string) (r struct {
		Status   string
		Captured int64
		Captures []struct {
			IsFinal bool `json:"is_final"`
		}
	},
	) {
		t.Helper()
		if err := json.Unmarshal(refundry(t, append(args, "--json", store)...), &r); err != nil {
			t.Fatal(err)
		}
		return r
	}
	of := hold()
	for range 2 {
		if now := read("payments", "capture", of, "300", "EUR", "--key=parcel-1"); now.Captured != 300 || now.Captures[0].IsFinal {
			t.Errorf("captured: %+v", now)
		}
	}
	if now := read("payments", "capture", of, "400", "EUR", "--final"); now.Captured != 700 || !now.Captures[1].IsFinal {
		t.Errorf("captured: %+v", now)
	}
	given := hold()
	for range 2 {
		if gone := read("payments", "cancel", given, "--key=void-1"); gone.Status != "canceled" {
			t.Errorf("canceled: %+v", gone)
		}
	}
	var asked struct {
		ID, Group string
		Others    []string `json:"group_refunds"`
	}
	status, err := w.post("/v1/refunds", rand.Text(), map[string]any{
		"payment": of, "full": true, "not_before": time.Now().Add(time.Hour).UTC().Format(time.RFC3339),
	}, &asked)
	if err != nil || status != http.StatusCreated || len(asked.Others) != 1 {
		t.Fatal(status, err, asked)
	}
	refundry(t, "refunds", "cancel", asked.Others[0], "--group", store)
	if list := string(refundry(t, "refunds", "list", "--group="+asked.Group, store)); strings.Count(list, "canceled") != 2 ||
		!strings.Contains(list, asked.ID) {
		t.Errorf("the group: %s", list)
	}
	refused := []string{"refunds", "cancel", asked.ID, "--group", store}
	folder(strings.TrimPrefix(store, "--data=")).refuses(t, "see refunds; refunds: "+asked.ID, refused[:4]...)
	output, err := exec.CommandContext(t.Context(), must(binary()), append(refused, "--json")...).Output() //nolint:gosec // our own program
	var problem struct{ Refunds []string }
	if err == nil || json.Unmarshal(output, &problem) != nil || !slices.Equal(problem.Refunds, []string{asked.ID}) {
		t.Errorf("refused with %v: %s", err, output)
	}
}
