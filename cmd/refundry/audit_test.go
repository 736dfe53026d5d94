package main_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// check runs `refundry audit check`, which needs no data.
func check(t *testing.T, file string) (string, error) {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	output, err := exec.CommandContext(t.Context(), path, "audit", "check", file).CombinedOutput() //nolint:gosec // our own program
	return string(output), err
}

// What was kept of the trail elsewhere proves the database later, and another
// database it does not prove.
func TestAuditIsProvenByWhatWasKept(t *testing.T) {
	t.Parallel()
	f, other := newFolder(t), newFolder(t)
	f.does(t, "keys", "create", "--name=shop", "--as=ann")
	if list := f.does(t, "audit", "--kind=key", "--kind=tenant.created"); !strings.Contains(list, "key.created") ||
		!strings.Contains(list, "tenant.created") || !strings.Contains(list, "operator:local") {
		t.Errorf("the trail: %s", list)
	}
	export, checkpoint := filepath.Join(t.TempDir(), "trail.ndjson"), filepath.Join(t.TempDir(), "checkpoint.json")
	f.does(t, "audit", "export", "--output="+export)
	if err := os.WriteFile(checkpoint, []byte(f.does(t, "audit", "checkpoint", "--json")), 0o600); err != nil {
		t.Fatal(err)
	}
	f.does(t, "settings", "set", "policy.window_days=30")
	for _, text := range []string{"", "{", "not found\n"} { // what a command that failed leaves is no proof against anybody
		broken := filepath.Join(t.TempDir(), "broken.json")
		if err := os.WriteFile(broken, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, command := range [][]string{{"audit", "check", broken}, {"verify", "--checkpoint=" + broken}} {
			if command[0] == "verify" {
				command = append(command, "--data="+string(f))
			}
			output, err := exec.CommandContext(t.Context(), must(binary()), command...).CombinedOutput() //nolint:gosec // our own program
			exit, isExit := errors.AsType[*exec.ExitError](err)
			if !isExit || exit.ExitCode() != 2 || !strings.Contains(string(output), "no checkpoint and no export") {
				t.Errorf("%q, %v: %v: %s", text, command, err, output)
			}
		}
	}
	for _, file := range []string{export, checkpoint} {
		if output, err := check(t, file); err != nil || !strings.Contains(output, "all is as it was sealed") {
			t.Errorf("%v: %s", err, output)
		}
		if output := f.does(t, "verify", "--checkpoint="+file); !strings.Contains(output, "all is as it must be") {
			t.Errorf("verified: %s", output)
		}
		other.refuses(t, "the commit is not the one that the checkpoint is of", "verify", "--checkpoint="+file)
	}
	text, err := os.ReadFile(export) //nolint:gosec // our own file
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(export, []byte(strings.Replace(string(text), "operator:local", "operator:other", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	if output, err := check(t, export); err == nil || !strings.Contains(output, "is not what was sealed") {
		t.Errorf("a changed export: %v: %s", err, output)
	}
	f.refuses(t, "is not what was sealed", "verify", "--checkpoint="+export)
	f.refuses(t, "by --user or by --person", "audit", "erase-person")
	f.refuses(t, "can't be used together", "audit", "erase-person", "--user=ann", "--person=per_1")
	f.refuses(t, "nobody was ever named so", "audit", "erase-person", "--user=nobody")
	if list := f.does(t, "audit", "--user=ann"); !strings.Contains(list, "key.created") || strings.Count(list, "ann") != 1 {
		t.Errorf("of ann: %s", list)
	}
	f.does(t, "audit", "erase-person", "--user=ann")
	if list := f.does(t, "audit", "--user=ann"); !strings.Contains(list, "key.created") || strings.Contains(list, "ann") {
		t.Errorf("of ann, erased: %s", list)
	}
	f.does(t, "verify", "--checkpoint="+checkpoint)
}
