// Package repository checks what this project says about itself. In a copy, which
// says what its owner wants, its tests skip.
package repository

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
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

// TestReadme: every test that the README names is there, and every file and
// heading that it leads to.
func TestReadme(t *testing.T) {
	onlyOurs(t)
	readme, tests := read(t, "README.md"), read(t, "*_test.go")
	named := regexp.MustCompile("`(Test\\w+)`").FindAllStringSubmatch(readme, -1)
	links := regexp.MustCompile(`(?:\]\(|src="|srcset=")([^):"#]+)[)"]`).FindAllStringSubmatch(readme, -1)
	if len(links) < 10 {
		t.Fatalf("found only %d links", len(links))
	}
	for _, test := range named {
		if !strings.Contains(tests, "\nfunc "+test[1]+"(") {
			t.Errorf("there is no %s", test[1])
		}
	}
	for _, link := range links {
		if _, err := os.Stat(filepath.Join(top, link[1])); err != nil {
			t.Errorf("the README leads to %s: %v", link[1], err)
		}
	}
	headings := regexp.MustCompile(`(?m)^#+ (.*)$`).FindAllStringSubmatch(readme, -1)
	for i, heading := range headings {
		if slices.ContainsFunc(headings[:i], func(other []string) bool { return other[1] == heading[1] }) {
			t.Errorf("two headings are %q", heading[1])
		}
	}
	for _, link := range regexp.MustCompile(`\]\(#([^)]+)\)`).FindAllStringSubmatch(readme, -1) {
		leads := func(heading []string) bool {
			return strings.ReplaceAll(strings.ToLower(heading[1]), " ", "-") == link[1]
		}
		if !slices.ContainsFunc(headings, leads) {
			t.Errorf("the README has no heading #%s", link[1])
		}
	}
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
