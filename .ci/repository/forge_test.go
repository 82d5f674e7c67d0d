package repository

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestDocuments: every test that these documents name exists, every row of the
// threat model names one, and every file that they lead to is there.
func TestDocuments(t *testing.T) {
	onlyOurs(t)
	tests := read(t, "*_test.go")
	for _, name := range []string{".ci/README.md", ".github/SECURITY.md", ".github/CONTRIBUTING.md", ".github/CHANGELOG.md"} {
		text := read(t, name)
		if text == "" {
			t.Errorf("there is no %s", name)
		}
		for _, test := range regexp.MustCompile("`(Test\\w+)`").FindAllStringSubmatch(text, -1) {
			if !strings.Contains(tests, "\nfunc "+test[1]+"(") {
				t.Errorf("%s: there is no %s", name, test[1])
			}
		}
		for _, link := range regexp.MustCompile(`\]\(([^):#]+)(#[^)]*)?\)`).FindAllStringSubmatch(text, -1) {
			if _, err := os.Stat(filepath.Join(top, filepath.Dir(name), link[1])); err != nil {
				t.Errorf("%s leads to %s: %v", name, link[1], err)
			}
		}
	}
	_, model, _ := strings.Cut(read(t, ".github/SECURITY.md"), "\n## Threat model\n")
	rows := 0
	for line := range strings.Lines(model) {
		if strings.HasPrefix(line, "| ") && !strings.HasPrefix(line, "| who ") {
			rows++
			cells := strings.Split(line, " | ")
			if len(cells) != 3 || !strings.Contains(cells[2], "`Test") {
				t.Errorf("no test shows %q", line)
			}
		}
	}
	if rows < 10 {
		t.Errorf("the threat model has %d rows", rows)
	}
}

// TestPinned: workflows use actions by the commit, have no rights but to read, and
// .ci/run names a version of each tool.
func TestPinned(t *testing.T) {
	onlyOurs(t)
	workflows, run := read(t, ".github/workflows/*.yml"), read(t, ".ci/run")
	used := regexp.MustCompile(`uses: (\S+)`).FindAllStringSubmatch(workflows, -1)
	tools := regexp.MustCompile(`go (?:run|install) (\w+\.\w+/\S+)`).FindAllStringSubmatch(run, -1)
	if len(used) < 2 || len(tools) < 2 {
		t.Fatalf("found %d actions and %d tools", len(used), len(tools))
	}
	for _, action := range used {
		if !regexp.MustCompile(`@[0-9a-f]{40}$`).MatchString(action[1]) {
			t.Errorf("%s is not pinned by a commit", action[1])
		}
	}
	for _, tool := range tools {
		if !regexp.MustCompile(`@v\d+\.\d+\.\d+$`).MatchString(tool[1]) {
			t.Errorf("%s is not pinned by a version", tool[1])
		}
	}
	if strings.Contains(workflows, ": write") {
		t.Error("a workflow may write")
	}
	files, readers := strings.Count(workflows, "\nname: "), strings.Count(workflows, "\npermissions:\n  contents: read\n")
	if strings.HasPrefix(workflows, "name: ") {
		files++
	}
	if readers != files {
		t.Errorf("%d of %d workflows say that they only read", readers, files)
	}
}
