package repository

import (
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// documents are what people read.
var documents = []string{
	"README.md", "routes/README.md", "deploy/README.md", "globus/README.md", ".ci/README.md",
	".github/SECURITY.md", ".github/CONTRIBUTING.md", ".github/CHANGELOG.md",
}

var (
	namedTest = regexp.MustCompile("`(Test\\w+)`")
	heading   = regexp.MustCompile(`(?m)^#+ (.*)$`)
	linked    = regexp.MustCompile(`(?:\]\(|src="|srcset=")([^):"#]*)(?:#([^):"]+))?[)"]`) // not elsewhere
	fenced    = regexp.MustCompile("(?ms)^ *```.*?^ *```$")
	notAnchor = regexp.MustCompile(`[^\w -]`)
)

// anchors returns what links to the headings of a document end with. It wants no two
// headings alike.
func anchors(t *testing.T, name string) map[string]bool {
	t.Helper()
	all := map[string]bool{}
	for _, found := range heading.FindAllStringSubmatch(fenced.ReplaceAllString(read(t, name), ""), -1) {
		anchor := strings.ReplaceAll(notAnchor.ReplaceAllString(strings.ToLower(found[1]), ""), " ", "-")
		if all[anchor] && name != ".github/CHANGELOG.md" {
			t.Errorf("%s: two headings are %q", name, found[1])
		}
		all[anchor] = true
	}
	return all
}

// TestDocuments: every test that a document names exists, every file, picture and
// heading that it leads to is there, and every row of the threat model names a test.
func TestDocuments(t *testing.T) {
	onlyOurs(t)
	tests, links := read(t, "*_test.go"), 0
	for _, name := range documents {
		text := read(t, name)
		if text == "" {
			t.Errorf("there is no %s", name)
		}
		for _, test := range namedTest.FindAllStringSubmatch(text, -1) {
			if !strings.Contains(tests, "\nfunc "+test[1]+"(") {
				t.Errorf("%s: there is no %s", name, test[1])
			}
		}
		for _, link := range linked.FindAllStringSubmatch(fenced.ReplaceAllString(text, ""), -1) {
			links++
			target := path.Join(path.Dir(name), link[1])
			if link[1] == "" {
				target = name
			}
			if _, err := os.Stat(filepath.Join(top, target)); err != nil {
				t.Errorf("%s leads to %s: %v", name, link[1], err)
			} else if link[2] != "" && !anchors(t, target)[link[2]] {
				t.Errorf("%s leads to %s, which has no heading #%s", name, target, link[2])
			}
		}
	}
	if links < 100 {
		t.Errorf("found only %d links", links)
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
