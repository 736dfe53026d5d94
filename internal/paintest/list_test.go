package paintest_test

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"
)

var (
	testFunc = regexp.MustCompile(`(?m)^func (TestPain\w+)\(`)
	testName = regexp.MustCompile("`(TestPain\\w+)`")
)

// docs/pains.md names every test that is here, and no other.
func TestTheListNamesEveryTest(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	here, listed := map[string]bool{}, map[string]bool{}
	read := func(path string, pattern *regexp.Regexp, names map[string]bool) {
		t.Helper()
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range pattern.FindAllStringSubmatch(string(content), -1) {
			names[found[1]] = true
		}
	}
	for _, file := range files {
		read(file, testFunc, here)
	}
	read("../../docs/pains.md", testName, listed)
	if !maps.Equal(here, listed) {
		t.Errorf("there are\n%v\nand listed are\n%v", slices.Sorted(maps.Keys(here)), slices.Sorted(maps.Keys(listed)))
	}
}
