package main_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
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
