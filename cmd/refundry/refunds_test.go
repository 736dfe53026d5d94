package main_test

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// An operator says no to a refund, asks for it again, and says what became of
// one that is stuck, once the processor was asked and it was sent again.
func TestOperatorsDecideAboutRefunds(t *testing.T) {
	t.Parallel()
	store := "--data=" + t.TempDir()
	server := startServe(t, store)
	defer server.kill()
	w := &killWorld{url: server.url, key: server.file.API.Key}
	of := w.pay(t)
	decode := func(text []byte) (r struct {
		ID          string
		Status      string
		SubmittedAt string `json:"submitted_at"`
		IsStuck     bool   `json:"is_stuck"`
		RetryOf     string `json:"retry_of"`
	},
	) {
		t.Helper()
		if err := json.Unmarshal(text, &r); err != nil {
			t.Fatalf("%v: %s", err, text)
		}
		return r
	}
	do := func(verb, what string, more ...string) []byte {
		t.Helper()
		return refundry(t, append([]string{"refunds", verb, what, "--json", store}, more...)...)
	}
	refundry(t, "settings", "set", "policy.approval_above=1", "policy.stuck_hours=1", store)
	var asked struct{ ID string }
	status, err := w.post("/v1/refunds", rand.Text(), map[string]any{
		"payment": of, "full": true, "note": "refundry:PENDING", "reference": "return-7",
	}, &asked)
	if err != nil || status != http.StatusCreated {
		t.Fatal(status, err)
	}
	if no := do("reject", asked.ID, "--message=no receipt"); !strings.Contains(string(no), `"message": "no receipt"`) {
		t.Errorf("rejected: %s", no)
	}
	refundry(t, "settings", "reset", "policy.approval_above", store)
	again := decode(do("retry", asked.ID))
	if again.RetryOf != asked.ID || again.Status != "pending" {
		t.Fatalf("a retry: %+v", again)
	}
	within(t, time.Minute, func() (bool, string) {
		r := decode(do("show", again.ID))
		return r.SubmittedAt != "", fmt.Sprintf("it is %+v", r)
	})
	var clock struct{}
	if status, err := w.post("/sandbox/clock", "", map[string]any{"advance": "2h"}, &clock); err != nil || status != http.StatusOK {
		t.Fatal(status, err)
	}
	within(t, time.Minute, func() (bool, string) {
		r := decode(do("show", again.ID))
		return r.IsStuck, fmt.Sprintf("it is %+v", r)
	})
	for filter, want := range map[string]bool{
		"--stuck": true, "--reference=return-7": true, "--needs-review": false, "--reference=return-8": false,
	} {
		if list := do("list", filter); strings.Contains(string(list), again.ID) != want {
			t.Errorf("refunds list %s: %s", filter, list)
		}
	}
	do("inquire", again.ID)
	do("resend", again.ID)
	settled := do("settle", again.ID, "succeeded", "--evidence=the bank's statement", "--reference=arn=7453")
	if decode(settled).Status != "succeeded" || !strings.Contains(string(settled), `"value": "7453"`) {
		t.Errorf("settled: %s", settled)
	}
	if list := refundry(t, "payments", "list", "--home=api", store); !strings.Contains(string(list), of) {
		t.Errorf("payments: %s", list)
	}
	if list := refundry(t, "payments", "list", "--reference=nobody's", store); strings.Contains(string(list), of) {
		t.Errorf("payments that are called otherwise: %s", list)
	}
	if list := refundry(t, "payments", "list", "--home=ping", store); strings.Contains(string(list), of) {
		t.Errorf("payments of Ping: %s", list)
	}
}

// What the catalogue is printed as is what it is set from.
func TestReasonsAreSetFromAFile(t *testing.T) {
	t.Parallel()
	f := newFolder(t)
	file := filepath.Join(t.TempDir(), "reasons.json")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(`{"is_required": true, "reasons": [{"code": "returned", "title": "Goods came back"}]}`)
	f.does(t, "reasons", "set", file)
	printed := f.does(t, "reasons", "list", "--json")
	write(printed)
	if again := f.does(t, "reasons", "set", file, "--json"); again != printed || !strings.Contains(again, `"is_required": true`) {
		t.Errorf("set to %s, from %s", again, printed)
	}
	write(`returned`)
	f.refuses(t, "the catalogue is not JSON", "reasons", "set", file)
}

// Of several tenants the command line says how one is named there.
func TestOneOfSeveralTenantsIsNamed(t *testing.T) {
	t.Parallel()
	f := newFolder(t)
	f.does(t, "tenants", "create", "market")
	f.refuses(t, "--tenant", "payments", "list")
	f.does(t, "payments", "list", "--tenant=market")
}
