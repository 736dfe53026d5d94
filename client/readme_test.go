package client_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// blockOf returns the first block of code of a kind in a page, behind a mark.
func blockOf(t *testing.T, page, mark, kind string) string {
	t.Helper()
	_, rest, isMarked := strings.Cut(page, mark)
	_, rest, begins := strings.Cut(rest, "```"+kind+"\n")
	block, _, ends := strings.Cut(rest, "```")
	if !isMarked || !begins || !ends {
		t.Fatalf("there is no %q behind %q", kind, mark)
	}
	return block
}

// The program in the README, copied out, compiles, runs against a sandbox, and
// prints what the README says.
func TestReadmeProgramRuns(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "main.go"), []byte(blockOf(t, string(page), "A whole program", "go")), 0o600); err != nil {
		t.Fatal(err)
	}
	sums, err := os.ReadFile(filepath.Join(root, "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "go.sum"), sums, 0o600); err != nil { // nothing need be looked up
		t.Fatal(err)
	}
	var said string
	for _, arguments := range [][]string{
		{"mod", "init", "returns"},
		{"mod", "edit", "-replace", "github.com/refundry/refundry=" + root, "-require", "github.com/refundry/refundry@v0.0.0"},
		{"run", "-mod=mod", "."},
	} {
		command := exec.CommandContext(t.Context(), "go", arguments...)
		command.Dir, command.Stderr = folder, os.Stderr
		out, err := command.Output()
		if err != nil {
			t.Fatalf("go %s: %v", arguments[0], err)
		}
		said = string(out)
	}
	if want := blockOf(t, string(page), "It prints", ""); said != want {
		t.Errorf("it printed %q, not %q", said, want)
	}
}
