package main

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"example.org/portal/.ci/project"
)

// TestRename gives a copy of the project another module path, and then a third.
// Whoever starts from here does it first. That all tests pass in what comes of
// it, .ci/copy sees.
func TestRename(t *testing.T) {
	program := filepath.Join(t.TempDir(), "rename")
	if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	c, err := project.New(filepath.Join("..", ".."), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	must := func(name string, args ...string) string {
		t.Helper()
		out, err := c.Run(name, args...)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	changes := func() string { return must("git", "status", "--porcelain") + must("git", "diff") }

	first := must("go", "list", "-m")
	if out, err := c.Run(program, "example.net/lab/app"); err == nil || !strings.Contains(out, "not a git repository") {
		t.Errorf("without git: got %v, want that it refuses", err)
	}
	if got := must("go", "list", "-m"); got != first {
		t.Errorf("renamed to %s, though nothing could undo it", got)
	}
	readme := "mentions " + first + "-client, " + first + ".v2, my." + first + ", and " + first + ".\n"
	if err := c.Write("other.txt", readme); err != nil {
		t.Fatal(err)
	}
	// What is generated of this tells in which column each expression is.
	if err := c.Write("components/other.templ", "package components\n\ntempl Other(s string) {\n\t<p>"+first+": { s }</p>\n}\n"); err != nil {
		t.Fatal(err)
	}
	must("go", "tool", "templ", "generate")
	if err := c.Commit("Begin"); err != nil {
		t.Fatal(err)
	}

	refused := []struct {
		name string
		to   []string
		dirt string // a file that is changed, or made
		want string
	}{
		{"nothing", nil, "", "give the new path"},
		{"no path", []string{""}, "", "give the new path"},
		{"one word", []string{"portal"}, "", "give the new path"},
		{"an address", []string{"https://example.net/lab/app"}, "", "give the new path"},
		{"two paths", []string{"example.net/lab/app", "example.net/lab/b"}, "", "give the new path"},
		{"two paths in one", []string{"example.net/lab/app example.net/lab/b"}, "", "malformed"},
		{"a command", []string{"example.net/lab/app; touch hacked"}, "", "malformed"},
		{"a command within", []string{"github.com/$(touch hacked)/app"}, "", "malformed"},
		{"a quote", []string{"example.net/lab/'; touch hacked; '"}, "", "malformed"},
		{"a pattern", []string{"example.net/lab/a|b&"}, "", "malformed"},
		{"a flag", []string{"-x.y/app"}, "", "malformed"},
		{"a slash at the end", []string{"example.net/lab/app/"}, "", "malformed"},
		{"a tree with changes", []string{"example.net/lab/app"}, "other.txt", "commit your changes first"},
		{"a tree with a new file", []string{"example.net/lab/app"}, "new.txt", "commit your changes first"},
	}
	for _, test := range refused {
		t.Run(test.name, func(t *testing.T) {
			if test.dirt != "" {
				if err := c.Write(test.dirt, "mine\n"); err != nil {
					t.Fatal(err)
				}
			}
			before := changes()
			out, err := c.Run(program, test.to...)
			if err == nil || !strings.Contains(out, test.want) {
				t.Errorf("got %v, want that it refuses with %q:\n%s", err, test.want, out)
			}
			if after := changes(); after != before {
				t.Errorf("it changed something:\n%s", after)
			}
			must("git", "stash", "-u", "-q")
		})
	}

	from := first
	for _, to := range []string{"example.net/lab/app", "zeta.example.com/data/Portal.web/v2"} {
		if out, err := c.Run(program, to); err != nil || !strings.Contains(out, "git commit") {
			t.Fatalf("to %s: got %v, want that it says what to do next:\n%s", to, err, out)
		}
		if got := must("go", "list", "-m"); got != to {
			t.Errorf("the module is %s, want %s", got, to)
		}
		if left, err := c.Run("git", "grep", "-F", "-e", from, "--", ".", ":!other.txt"); err == nil {
			t.Errorf("%s is still named:\n%s", from, left)
		}
		if err := c.Commit("Rename the module"); err != nil {
			t.Fatal(err)
		}
		from = to
	}
	want := "mentions " + first + "-client, " + first + ".v2, my." + first + ", and " + from + ".\n"
	if got, err := c.Read("other.txt"); err != nil || got != want {
		t.Errorf("got %q, want %q: those are other modules", got, want)
	}
	if out := must("gofmt", "-l", "."); out != "" {
		t.Errorf("not formatted: %s", out)
	}
	must("go", "tool", "templ", "generate", "-check")
	must("go", "tool", "templ", "fmt", "-fail", ".")
}
