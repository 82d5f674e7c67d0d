package routes_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"example.org/portal/routes/routestest"
)

// A step of the README's walk-through begins with its number, names its file,
// and ends with what to write there.
var step = regexp.MustCompile("(?ms)^\\d\\. In \\[?`([^`]+)`.*?^   ```\\w+\n(.*?)^   ```\n")

// TestAddAPage does in a copy of the project what the README says under "Add a
// page" and "Add a form", to the letter, and runs the tests that are part of it.
func TestAddAPage(t *testing.T) {
	c := copyProject(t)
	c.follow("Add a page", 3, 60)
	c.follow("Add a form", 3, 60)

	c.must("go", "tool", "templ", "generate")
	c.must("go", "tool", "templ", "fmt", "-fail", "components")
	if out := c.must("gofmt", "-l", "."); out != "" {
		t.Errorf("not formatted: %s", out)
	}
	c.must("go", "vet", "./...")
	out := c.must("go", "test", "-v", "-run=TestCount|TestNote|TestImports|TestDocs", "./routes")
	if !strings.Contains(out, "--- PASS: TestCount") || !strings.Contains(out, "--- PASS: TestNote") {
		t.Errorf("the pages' tests did not run:\n%s", out)
	}
}

// follow takes the steps of a section of the README. They may touch so many
// files, and have so many lines, tests not counted.
func (c project) follow(heading string, maxFiles, maxLines int) {
	c.t.Helper()
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		c.t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(readme), "\n### "+heading+"\n")
	section, _, _ = strings.Cut(section, "\n### ")
	steps := step.FindAllStringSubmatch(section, -1)
	if want := strings.Count(section, "```") / 2; len(steps) != want || want == 0 {
		c.t.Fatalf("%s: found %d steps in %d blocks of code", heading, len(steps), want)
	}
	for _, step := range steps {
		if name := step[1]; name != "routes/routes.go" && routestest.IsFile(filepath.Join(c.dir, name)) {
			c.t.Logf("%s: the README has been followed here, there is %s", heading, name)
			return
		}
	}
	files, lines := 0, 0
	for _, step := range steps {
		name, text := step[1], strings.ReplaceAll("\n"+step[2], "\n   ", "\n")[1:]
		if !strings.HasSuffix(name, "_test.go") {
			files++
			lines += strings.Count(text, "\n")
		}
		if name == "routes/routes.go" {
			c.addRoutes(text)
			continue
		}
		c.append(name, text)
	}
	if files > maxFiles || lines > maxLines {
		c.t.Errorf("%s takes %d files and %d lines, want %d and %d at most", heading, files, lines, maxFiles, maxLines)
	}
}

// addRoutes writes lines into the table.
func (c project) addRoutes(lines string) {
	c.t.Helper()
	path := filepath.Join(c.dir, "routes", "routes.go")
	content, err := os.ReadFile(path)
	if err != nil {
		c.t.Fatal(err)
	}
	table := string(content)
	last := strings.LastIndex(table, "\n\thandle(\"") + 1
	if err := os.WriteFile(path, []byte(table[:last]+regexp.MustCompile(`(?m)^(.)`).ReplaceAllString(lines, "\t$1")+table[last:]), 0o666); err != nil {
		c.t.Fatal(err)
	}
}

// TestReadme: every test that the README names is there, and every file that it
// leads to.
func TestReadme(t *testing.T) {
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("git", "-C", "..", "grep", "-h", "^func Test", "--", "*_test.go").Output()
	if err != nil {
		routestest.Skip(t, "needs git, and a checkout")
	}
	tests := regexp.MustCompile("`(Test\\w+)`").FindAllStringSubmatch(string(readme), -1)
	links := regexp.MustCompile(`(?:\]\(|src="|srcset=")([^):"#]+)[)"]`).FindAllStringSubmatch(string(readme), -1)
	if len(tests) < 10 || len(links) < 10 {
		t.Fatalf("found %d tests and %d links", len(tests), len(links))
	}
	for _, test := range tests {
		if !strings.Contains(string(out), "func "+test[1]+"(") {
			t.Errorf("there is no %s", test[1])
		}
	}
	for _, link := range links {
		if _, err := os.Stat(filepath.Join("..", link[1])); err != nil {
			t.Errorf("the README leads to %s: %v", link[1], err)
		}
	}
	headings := regexp.MustCompile(`(?m)^#+ (.*)$`).FindAllStringSubmatch(string(readme), -1)
	for i, heading := range headings {
		if slices.ContainsFunc(headings[:i], func(other []string) bool { return other[1] == heading[1] }) {
			t.Errorf("two headings are %q", heading[1])
		}
	}
	for _, link := range regexp.MustCompile(`\]\(#([^)]+)\)`).FindAllStringSubmatch(string(readme), -1) {
		leads := func(heading []string) bool {
			return strings.ReplaceAll(strings.ToLower(heading[1]), " ", "-") == link[1]
		}
		if !slices.ContainsFunc(headings, leads) {
			t.Errorf("the README has no heading #%s", link[1])
		}
	}
}
