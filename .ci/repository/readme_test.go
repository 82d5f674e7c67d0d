// Package repository checks what this project says about itself. In a copy, which
// says what its owner wants, its tests skip.
package repository

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"example.org/portal/.ci/project"
	"example.org/portal/routes/settings"
)

// top is where the project is.
var top = filepath.Join("..", "..")

// onlyOurs skips the test in a copy of the project.
func onlyOurs(t *testing.T) {
	t.Helper()
	if ours, err := project.Ours(top); err != nil {
		t.Fatal(err)
	} else if !ours {
		t.Skip("this is a copy, and its owner's business")
	}
}

// read returns the text of all files that match one of the patterns.
func read(t *testing.T, patterns ...string) string {
	t.Helper()
	names, err := project.Files(top, patterns...)
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, name := range names {
		content, err := os.ReadFile(filepath.Join(top, name))
		if err != nil {
			t.Fatal(err)
		}
		all.Write(content)
	}
	return all.String()
}

// TestSettings: the README explains every setting that `portal -h` lists.
func TestSettings(t *testing.T) {
	onlyOurs(t)
	readme := read(t, "README.md")
	listed := regexp.MustCompile(`(?m)^  ([A-Z_]+) `).FindAllStringSubmatch(settings.Help(), -1)
	if len(listed) < 10 {
		t.Fatalf("found only %d settings", len(listed))
	}
	for _, setting := range listed {
		if !regexp.MustCompile(`\b` + setting[1] + `\b`).MatchString(readme) {
			t.Errorf("the README does not mention %s", setting[1])
		}
	}
}

// TestMetrics: operators are told every metric that the app has.
func TestMetrics(t *testing.T) {
	onlyOurs(t)
	told := read(t, "deploy/README.md")
	named := regexp.MustCompile(`Name: "(portal_\w+)"|(?:latency|counter)\("(portal_\w+)"`).FindAllStringSubmatch(read(t, "routes/*.go"), -1)
	if len(named) < 8 {
		t.Fatalf("found only %d metrics", len(named))
	}
	for _, metric := range named {
		if !strings.Contains(told, "| `"+metric[1]+metric[2]+"` |") {
			t.Errorf("deploy/README.md does not list %s", metric[1]+metric[2])
		}
	}
}

// TestLibraryExamples: the Go code in globus/README.md is part of an example that is
// compiled, or run, as a test.
func TestLibraryExamples(t *testing.T) {
	onlyOurs(t)
	blocks := regexp.MustCompile("(?ms)^```go\n(.*?)^```$").FindAllStringSubmatch(read(t, "globus/README.md"), -1)
	if len(blocks) < 2 {
		t.Fatalf("found only %d blocks", len(blocks))
	}
	indent := regexp.MustCompile(`(?m)^\t+`)
	examples := indent.ReplaceAllString(read(t, "globus/example*_test.go", "globus/globustest/example*_test.go"), "")
	for _, block := range blocks {
		if !strings.Contains(examples, indent.ReplaceAllString(block[1], "")) {
			t.Errorf("no example has\n%s", block[1])
		}
	}
}

// TestRedisRights: the user of Redis that people are told to make has the rights
// with which the tests try the store, and no others.
func TestRedisRights(t *testing.T) {
	onlyOurs(t)
	tried := regexp.MustCompile(`">canary-good", (.*)\)`).FindStringSubmatch(read(t, "routes/session/*_test.go"))
	if tried == nil {
		t.Fatal("no test makes a user of Redis with just the rights")
	}
	rights := strings.NewReplacer(`"`, "", ",", "").Replace(tried[1])
	if !strings.Contains(read(t, "*.md"), ">PASSWORD "+rights+"\n") {
		t.Errorf("people are not told to make a user with %s", rights)
	}
}
