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

// unfuzzed are folders that read nothing from outside: what they decode is ours.
var unfuzzed = map[string]string{
	"bench":                        "answers of a service that it has started",
	"internal/dialect/dialecttest": "answers of the doors, in tests",
	"internal/service":             "what the sandbox remembers",
	"internal/store/postgres":      "ids in columns",
	"internal/store/storetest":     "what the claims have written",
	"internal/store/sqlite":        "ids in columns",
}

// Whatever decodes bytes is fuzzed in its own folder, with seeds in code; what was
// found is a seed, and lies in no testdata.
func TestDecodersAreFuzzed(t *testing.T) {
	t.Parallel()
	decodes := regexp.MustCompile(`(wire\.Parse|json\.Unmarshal|json\.NewDecoder|csv\.NewReader|DecodeString|Fscanf|ParseUUID|url\.Parse)\(`)
	target := regexp.MustCompile(`(?m)^func Fuzz\w+\(f \*testing\.F\) {\n(?s:.*?)^}`)
	reads, fuzzed := map[string]bool{}, map[string]bool{}
	err := filepath.WalkDir(".", func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			if entry != nil && entry.Name() == "fuzz" && filepath.Base(filepath.Dir(path)) == "testdata" {
				t.Errorf("%s has what no target has a seed for", path)
			}
			return err
		}
		if !strings.HasSuffix(path, ".go") {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		folder := filepath.ToSlash(filepath.Dir(path))
		if !strings.HasSuffix(path, "_test.go") {
			reads[folder] = reads[folder] || decodes.Match(text)
			return nil
		}
		for _, body := range target.FindAllString(string(text), -1) {
			fuzzed[folder] = true
			if !strings.Contains(body, "f.Add(") && !strings.Contains(body, "fuzzBody(") {
				t.Errorf("%s has a target without seeds: %s", path, strings.SplitN(body, "\n", 2)[0])
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for folder := range reads {
		if reads[folder] && !fuzzed[folder] && unfuzzed[folder] == "" {
			t.Errorf("%s decodes what nobody fuzzes", folder)
		}
	}
	for folder := range unfuzzed {
		if !reads[folder] || fuzzed[folder] {
			t.Errorf("%s is named for nothing", folder)
		}
	}
}
