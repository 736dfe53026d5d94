package main_test

import (
	"encoding/json"
	"os/exec"
	"strings"
	"testing"
)

// folder is the data of an operator for whom no server runs.
type folder string

// newFolder returns data with one tenant.
func newFolder(t *testing.T) folder {
	t.Helper()
	f := folder(t.TempDir())
	f.does(t, "tenants", "create", "shop")
	return f
}

// run runs one command and returns what it printed, errors too.
func (f folder) run(t *testing.T, args ...string) (string, error) {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), path, append(args, "--data="+string(f))...) //nolint:gosec // our own program
	command.Env = []string{"HOME=" + string(f)}
	output, err := command.CombinedOutput()
	return string(output), err
}

// does ends the test if the command fails.
func (f folder) does(t *testing.T, args ...string) string {
	t.Helper()
	output, err := f.run(t, args...)
	if err != nil {
		t.Fatalf("%v: %v\n%s", args, err, output)
	}
	return output
}

// object reads what a command prints with --json.
func (f folder) object(t *testing.T, args ...string) (object map[string]any) {
	t.Helper()
	output := f.does(t, append(args, "--json")...)
	if err := json.Unmarshal([]byte(output), &object); err != nil {
		t.Fatalf("%v: %v in %s", args, err, output)
	}
	return object
}

// refuses ends the test if the command does not fail with words of this kind.
func (f folder) refuses(t *testing.T, want string, args ...string) {
	t.Helper()
	if output, err := f.run(t, args...); err == nil || !strings.Contains(output, want) {
		t.Errorf("%v: %v, got %s, want %q", args, err, output, want)
	}
}

func TestErrorsNameTheNextCommand(t *testing.T) {
	t.Parallel()
	folder(t.TempDir()).refuses(t, "refundry tenants create NAME", "keys", "create")
}

// Whoever sets Primer up learns the secret with which webhooks are signed
// before the first one arrives, and can have another one.
func TestPrimersWebhookSecretIsShown(t *testing.T) {
	t.Parallel()
	f := newFolder(t)
	for _, door := range []string{"primer", "api"} {
		made := f.object(t, "webhooks", "add", door, "https://shop.example/hear")
		secret, _ := made["secret"].(string)
		rotated := f.object(t, "webhooks", "rotate", made["id"].(string))
		another, _ := rotated["secret"].(string)
		if secret == "" || another == "" || secret == another || rotated["previous_until"] == nil {
			t.Errorf("%s: made %v, rotated %v", door, made, rotated)
		}
	}
	if again := f.object(t, "webhooks", "add", "primer", "https://shop.example/more"); again["secret"] != nil {
		t.Errorf("a second endpoint has the account's secret, which is not shown again: %v", again)
	}
}

func TestListsAreTables(t *testing.T) {
	t.Parallel()
	f := newFolder(t)
	for _, row := range []struct{ command, want string }{
		{"refunds", "ID    PAYMENT  AMOUNT  CURRENCY  STATUS  DOOR  CREATED_AT"},
		{"payments list", "ID    AMOUNT  CURRENCY  STATUS  REFUNDABLE  HOME  CREATED_AT"},
		{"reasons", "CODE  TITLE  DOORS  DEFAULT_AT  IS_RETIRED"},
		{"disputes", "ID    PAYMENT  KIND  AMOUNT  CURRENCY  STATUS  CREATED_AT"},
		{"ledger", "AT  PAYMENT  CAUSE  DEBIT  CREDIT  AMOUNT  CURRENCY"},
		{"ledger accounts", "ACCOUNT  KIND  NORMAL_SIDE  CURRENCIES  PURPOSE"},
		{"ledger balances", "ACCOUNT  CURRENCY  BALANCE"},
		{"webhooks deliveries", "ID    DOOR  KIND  STATUS  ATTEMPTS  PAYMENT  AT"},
	} {
		got := f.does(t, strings.Fields(row.command)...)
		if strings.Join(strings.Fields(got), " ") != strings.Join(strings.Fields(row.want), " ") {
			t.Errorf("%s prints %s", row.command, got)
		}
	}
}

func TestChangedSettingsArePrintedAlone(t *testing.T) {
	t.Parallel()
	f := newFolder(t)
	set := f.does(t, "settings", "set", "policy.maximum_amount=70")
	reset := f.does(t, "settings", "reset", "policy.maximum_amount")
	if strings.Count(set, "policy.") != 1 || strings.Count(reset, "policy.") != 1 || !strings.Contains(set, "70") {
		t.Errorf("printed %s and %s", set, reset)
	}
}

func TestHelpNamesTheValues(t *testing.T) {
	t.Parallel()
	f := folder(t.TempDir())
	help := strings.Join(strings.Fields(f.does(t, "keys", "create", "--help")), " ")
	for _, want := range []string{"api, ping, chip or primer", "refunds:write", "transactions:refund"} {
		if !strings.Contains(help, want) {
			t.Errorf("no %s in %s", want, help)
		}
	}
	if help := f.does(t, "serve", "--help"); !strings.Contains(help, "DOOR=URL") {
		t.Errorf("serve --help is %s", help)
	}
}

func TestPingsSecretIsCalledSo(t *testing.T) {
	t.Parallel()
	made := newFolder(t).object(t, "keys", "create", "--door=ping")
	if made["secret"] == nil || made["tenant_id"] == nil {
		t.Errorf("made %v", made)
	}
}

// What no delivery can reach is refused when it is added, unless the operator
// allows it.
func TestUnreachableEndpointsAreRefused(t *testing.T) {
	t.Parallel()
	f := newFolder(t)
	for _, url := range []string{"http://127.0.0.1:9099/", "http://localhost/", "http://[::1]/", "http://10.0.0.7/"} {
		f.refuses(t, "serve --allow", "webhooks", "add", "api", url)
	}
	f.refuses(t, "it needs --allow", "serve", "--listen=127.0.0.1:0", "--webhook-url=api=http://10.0.0.7/")
	f.does(t, "webhooks", "add", "api", "http://10.0.0.7/", "--allow=10.0.0.0/8")
	made := f.object(t, "webhooks", "add", "api", "https://shop.example/")
	f.does(t, "keys", "list", "--unused-days=90")
	replayed := f.object(t, "webhooks", "replay", made["id"].(string), "--only-missed", "--from=2026-01-01T00:00:00Z", "--limit=9")
	if replayed["deliveries"] != 0.0 {
		t.Errorf("replayed: %v", replayed)
	}
}
