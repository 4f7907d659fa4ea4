package test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestEveryFailureHasItsDrill: what docs/failures.md promises is shown by the
// tests it names, in each row of its tables.
func TestEveryFailureHasItsDrill(t *testing.T) {
	page, err := os.ReadFile("../docs/failures.md")
	if err != nil {
		t.Fatal(err)
	}
	drills := map[string]bool{}
	for _, folder := range []string{"lambda", "../internal/store"} {
		files, err := filepath.Glob(filepath.Join(folder, "*_test.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			source, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, found := range regexp.MustCompile(`(?m)^func (Test\w+)\(`).FindAllSubmatch(source, -1) {
				drills[string(found[1])] = true
			}
		}
	}
	rows := 0
	for line := range strings.Lines(string(page)) {
		if !strings.HasPrefix(line, "| ") || strings.HasPrefix(line, "| what fails") {
			continue
		}
		rows++
		named := regexp.MustCompile("`(Test\\w+)`").FindAllStringSubmatch(line, -1)
		if len(named) == 0 {
			t.Errorf("no drill is named for: %s", line)
		}
		for _, name := range named {
			if !drills[name[1]] {
				t.Errorf("there is no drill %s", name[1])
			}
		}
	}
	if rows < 20 {
		t.Errorf("the page has %d rows", rows)
	}
}
