package routes_test

import (
	"os"
	"strings"
	"testing"

	"example.org/portal/routes/routestest"
)

// TestRename gives a copy of the project another module path, and then a
// third, as `task rename` does. Whoever starts from here does it first.
func TestRename(t *testing.T) {
	routestest.Program(t, "perl")
	sh, script := routestest.Program(t, "sh"), renameScript(t)
	c := copyProject(t)
	first := c.must("go", "list", "-m")
	if out, err := c.run([]string{"TO=example.net/lab/app"}, sh, "-c", script); err == nil || !strings.Contains(out, "not a git repository") {
		t.Errorf("without git: got %v, want that it refuses:\n%s", err, out)
	}
	c.must("git", "init", "-q")
	c.must("git", "add", "-A")
	c.must("git", "commit", "-qm", "Begin")
	if got := c.must("go", "list", "-m"); got != first {
		t.Errorf("renamed to %s, though nothing could undo it", got)
	}

	refused := []struct{ name, to, dirt, want string }{
		{"no path", "", "", "say the new path"},
		{"one word", "portal", "", "say the new path"},
		{"an address", "https://example.net/lab/app", "", "malformed"},
		{"two paths", "example.net/lab/app example.net/lab/b", "", "malformed"},
		{"a command", "example.net/lab/app; touch hacked", "", "malformed"},
		{"a command within", "github.com/$(touch hacked)/app", "", "malformed"},
		{"a quote", "example.net/lab/'; touch hacked; '", "", "malformed"},
		{"a pattern", "example.net/lab/a|b&", "", "malformed"},
		{"a flag", "-x.y/app", "", "malformed"},
		{"a slash at the end", "example.net/lab/app/", "", "malformed"},
		{"a tree with changes", "example.net/lab/app", "README.md", "commit your changes first"},
		{"a tree with a new file", "example.net/lab/app", "new.txt", "commit your changes first"},
	}
	for _, test := range refused {
		t.Run(test.name, func(t *testing.T) {
			c := project{t, c.dir}
			if test.dirt != "" {
				c.append(test.dirt, "mine\n")
			}
			before := c.must("git", "status", "--porcelain") + c.must("git", "diff")
			out, err := c.run([]string{"TO=" + test.to}, sh, "-c", script)
			if err == nil || !strings.Contains(out, test.want) {
				t.Errorf("got %v, want that it refuses with %q:\n%s", err, test.want, out)
			}
			if after := c.must("git", "status", "--porcelain") + c.must("git", "diff"); after != before {
				t.Errorf("it changed something:\n%s", after)
			}
			c.must("git", "stash", "-u", "-q")
		})
	}

	c.append("README.md", "\nexample.net/lab/app-client is another module.\n")
	c.must("git", "commit", "-qam", "Name another module")
	from := first
	for _, to := range []string{"example.net/lab/app", "example.com/data/Portal.web/v2"} {
		out, err := c.run([]string{"TO=" + to}, sh, "-c", script)
		if err != nil || !strings.Contains(out, "git commit") {
			t.Fatalf("to %s: got %v, want that it says what to do next:\n%s", to, err, out)
		}
		if got := c.must("go", "list", "-m"); got != to {
			t.Errorf("the module is %s, want %s", got, to)
		}
		left, _ := c.run(nil, "git", "grep", "-F", "-e", from)
		if left = strings.ReplaceAll(left, "example.net/lab/app-client", ""); strings.Contains(left, from) {
			t.Errorf("%s is still named:\n%s", from, left)
		}
		c.must("git", "commit", "-qam", "Rename the module")
		from = to
	}
	if out := c.must("git", "grep", "-h", "another module", "README.md"); out != "example.net/lab/app-client is another module." {
		t.Errorf("another module was renamed: %s", out)
	}
	if out := c.must("gofmt", "-l", "."); out != "" {
		t.Errorf("not formatted: %s", out)
	}
	c.must("go", "tool", "templ", "generate", "-check")
	c.must("go", "vet", "./...")
	c.must("go", "test", "./components", "./static")
	c.must("go", "test", "-run=TestImports", "./routes")
}

// renameScript returns what `task rename` runs. Task takes minutes to build,
// and adds only TO, which it passes in the environment, as the test does.
func renameScript(t *testing.T) string {
	t.Helper()
	taskfile, err := os.ReadFile("../Taskfile.yml")
	if err != nil {
		t.Fatal(err)
	}
	_, task, _ := strings.Cut(string(taskfile), "\n  rename:\n")
	head, body, ok := strings.Cut(task, "    cmds:\n      - |\n")
	if !ok || !strings.Contains(head, `TO: '{{.CLI_ARGS_LIST | join " "}}'`) {
		t.Fatalf("Taskfile.yml has no rename task of the form that this test knows")
	}
	var script strings.Builder
	for line := range strings.Lines(body) {
		line, ok := strings.CutPrefix(line, "        ")
		if !ok {
			break
		}
		script.WriteString(line)
	}
	if strings.Contains(script.String(), "{{") {
		t.Error("Task would put something into the commands, which this test does not")
	}
	return script.String()
}
