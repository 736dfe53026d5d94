// Package refundry_test keeps promises of the whole repository.
package refundry_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Every path in "to change this, open that" exists.
func TestArchitecturePathsExist(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("docs/ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, found := strings.Cut(string(text), "## To change this, open that")
	if !found {
		t.Fatal("the table is gone")
	}
	if !regexp.MustCompile("over-refund \\| `internal/dialect/smartglocal/fault.go`").MatchString(table) {
		t.Error("Smart Glocal's error for an over-refund has no row")
	}
	rows := 0
	for _, path := range regexp.MustCompile("\\| `([^`]+)` \\|").FindAllStringSubmatch(table, -1) {
		rows++
		if _, err := os.Stat(path[1]); err != nil {
			t.Errorf("%s does not exist", path[1])
		}
	}
	if rows < 20 {
		t.Errorf("only %d rows", rows)
	}
}

// Every link between documents leads somewhere.
func TestLinksLeadSomewhere(t *testing.T) {
	t.Parallel()
	var documents []string
	for _, pattern := range []string{"*.md", "docs/*.md", "docs/*/*.md", "bench/*.md"} {
		matches, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		documents = append(documents, matches...)
	}
	link := regexp.MustCompile(`\]\(([^)#:]+)(?:#[^)]*)?\)`)
	for _, document := range documents {
		text, err := os.ReadFile(document)
		if err != nil {
			t.Fatal(err)
		}
		for _, to := range link.FindAllStringSubmatch(string(text), -1) {
			if _, err := os.Stat(filepath.Join(filepath.Dir(document), to[1])); err != nil {
				t.Errorf("%s links to %s, which is not there", document, to[1])
			}
		}
	}
}

// No file has grown past its idea, and nothing is left for later.
func TestFilesAreTidy(t *testing.T) {
	t.Parallel()
	later := regexp.MustCompile(`\b(TODO|FIXME|XXX)\b`)
	err := filepath.WalkDir(".", func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || path == "architecture_test.go" {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if lines := strings.Count(string(text), "\n"); lines > 500 {
			t.Errorf("%s has %d lines", path, lines)
		}
		if later.Match(text) {
			t.Errorf("%s leaves something for later", path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
