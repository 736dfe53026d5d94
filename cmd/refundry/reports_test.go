package main_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What was imported is in the books and in reports, which come as tables, CSV
// or lines of JSON, and whole files only.
func TestBooksAndReportsCommands(t *testing.T) {
	t.Parallel()
	f := newFolder(t)
	path := filepath.Join(t.TempDir(), "old.csv")
	if err := os.WriteFile(path, []byte("id,amount,currency,reference,captured_at\n1,1250,EUR,=1+1,2026-01-05T10:00:00Z\n2,500,JPY,b,2026-01-06T10:00:00Z\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	f.does(t, "payments", "import", path)
	entries := f.does(t, "ledger", "entries", "--account=merchant:main:payable", "--currency=EUR")
	if strings.Count(entries, "\n") != 2 || !strings.Contains(entries, "payment.captured") || !strings.Contains(entries, "1250") {
		t.Errorf("entries:\n%s", entries)
	}
	if page := f.does(t, "ledger", "--limit=1"); !strings.Contains(page, "There is more") {
		t.Errorf("a page:\n%s", page)
	}
	if accounts := f.does(t, "ledger", "accounts"); !strings.Contains(accounts, "EUR,JPY") || !strings.Contains(accounts, "What we owe a merchant.") {
		t.Errorf("accounts:\n%s", accounts)
	}
	if then := f.does(t, "ledger", "balances", "--at=2026-01-01T00:00:00Z"); strings.Contains(then, "EUR") {
		t.Errorf("balances before:\n%s", then)
	}
	if now := f.does(t, "ledger", "balances"); !strings.Contains(now, "-1250") {
		t.Errorf("balances:\n%s", now)
	}
	if list := f.does(t, "reports", "list"); !strings.Contains(list, "ageing") || !strings.Contains(list, "smartglocal") {
		t.Errorf("reports:\n%s", list)
	}
	output := filepath.Join(t.TempDir(), "report")
	f.does(t, "reports", "get", "payments", "--from=2026-01-01", "--to=2026-01-31", "-o", output)
	if text, err := os.ReadFile(output); err != nil || strings.Count(string(text), "\r\n") != 3 || !strings.Contains(string(text), ",'=1+1,") {
		t.Errorf("report: %v\n%s", err, text)
	}
	for _, args := range [][]string{{"--format=ndjson"}, {"--json"}} {
		lines := f.does(t, append([]string{"reports", "payments", "--from=2026-01-05"}, args...)...)
		var row map[string]any
		if err := json.Unmarshal([]byte(lines), &row); err != nil || row["reference"] != "=1+1" || row["amount"] != "12.50" {
			t.Errorf("%s: %v\n%s", args, err, lines)
		}
	}
	f.refuses(t, "no such report", "reports", "get", "nonsense", "-o", output+"2")
	f.refuses(t, "to must be from", "reports", "get", "refunds", "--from=2026-01-02", "--to=2026-01-01", "-o", output+"2")
	if _, err := os.Stat(output + "2"); err == nil {
		t.Error("a refusal leaves a file")
	}
}
