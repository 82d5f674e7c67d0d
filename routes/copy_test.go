package routes_test

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"example.org/portal/routes/routestest"
)

// A project is a copy of this one, to change and to run things in.
type project struct {
	t   *testing.T
	dir string
}

// copyProject copies what git knows of the project, or would if it were asked
// to: changes that are not committed included.
func copyProject(t *testing.T) project {
	t.Helper()
	list := exec.Command(routestest.Program(t, "git"), "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	list.Dir = ".."
	out, err := list.Output()
	if err != nil {
		routestest.Skip(t, "needs a git checkout of the project")
	}
	c := project{t, t.TempDir()}
	for name := range strings.SplitSeq(strings.TrimSuffix(string(out), "\x00"), "\x00") {
		content, err := os.ReadFile(filepath.Join("..", name))
		if errors.Is(err, fs.ErrNotExist) {
			continue // deleted, which is not committed yet
		}
		if err != nil {
			t.Fatal(err)
		}
		c.append(name, string(content))
	}
	return c
}

// append adds text to the end of a file, which it makes if there is none.
func (c project) append(name, text string) {
	c.t.Helper()
	path := filepath.Join(c.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		c.t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o666)
	if err != nil {
		c.t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString(text); err != nil {
		c.t.Fatal(err)
	}
}

// must runs a program that has to succeed, and returns what it says.
func (c project) must(name string, args ...string) string {
	c.t.Helper()
	out, err := c.run(nil, name, args...)
	if err != nil {
		c.t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(out)
}

// run runs a program in the copy, with more in its environment.
func (c project) run(env []string, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(c.t.Context(), name, args...)
	cmd.Dir = c.dir
	// Git hooks, in which tests may run, name another repository.
	cmd.Env = slices.DeleteFunc(os.Environ(), func(e string) bool { return strings.HasPrefix(e, "GIT_") })
	// What is beside the checkout, such as the checkers of pages, is not copied.
	cmd.Env = append(cmd.Env, "REQUIRE_ALL=0", "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1",
		"GIT_AUTHOR_NAME=Portal", "GIT_AUTHOR_EMAIL=portal@example.edu", "GIT_COMMITTER_NAME=Portal", "GIT_COMMITTER_EMAIL=portal@example.edu")
	cmd.Env = append(cmd.Env, env...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}
