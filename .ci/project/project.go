// Package project makes copies of this project, for checks that change them and
// run things in them.
package project

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// A Copy is the folder that a copy of the project is in.
type Copy string

// Files returns the names of the files that git knows in the project in dir, or
// would know if it were asked to, and that match one of the patterns, if there
// are any. What is deleted and not committed is none of them.
func Files(dir string, patterns ...string) ([]string, error) {
	args := append([]string{"-C", dir, "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--"}, patterns...)
	out, err := exec.Command("git", args...).Output()
	if err != nil {
		return nil, fmt.Errorf("git ls-files: %w: this needs a git checkout", err)
	}
	names := strings.FieldsFunc(string(out), func(r rune) bool { return r == 0 })
	return slices.DeleteFunc(names, func(name string) bool {
		_, err := os.Stat(filepath.Join(dir, name))
		return err != nil
	}), nil
}

// New copies the project's Files from the folder from to the folder to.
func New(from, to string) (Copy, error) {
	names, err := Files(from)
	if err != nil {
		return "", err
	}
	c := Copy(to)
	for _, name := range names {
		info, err := os.Stat(filepath.Join(from, name))
		if err != nil {
			return "", err
		}
		content, err := os.ReadFile(filepath.Join(from, name))
		if err != nil {
			return "", err
		}
		if err := c.write(name, content, info.Mode()); err != nil {
			return "", err
		}
	}
	return c, nil
}

// Commit commits everything in the copy, which becomes a git repository first
// if it is none.
func (c Copy) Commit(message string) error {
	for _, args := range [][]string{{"init", "-q"}, {"add", "-A"}, {"commit", "-qm", message}} {
		if _, err := c.Run("git", args...); err != nil {
			return err
		}
	}
	return nil
}

// Read returns the text of a file.
func (c Copy) Read(name string) (string, error) {
	content, err := os.ReadFile(filepath.Join(string(c), name))
	return string(content), err
}

// Write writes a file, in place of the one that is there.
func (c Copy) Write(name, text string) error { return c.write(name, []byte(text), 0o666) }

func (c Copy) write(name string, content []byte, mode fs.FileMode) error {
	path := filepath.Join(string(c), name)
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	return os.WriteFile(path, content, mode)
}

// Replace replaces text that must be in a file exactly once.
func (c Copy) Replace(name, old, new string) error {
	text, err := c.Read(name)
	if err != nil {
		return err
	}
	if n := strings.Count(text, old); n != 1 {
		return fmt.Errorf("%s has %d times, want once:\n%s", name, n, old)
	}
	return c.Write(name, strings.Replace(text, old, new, 1))
}

// Run runs a program in the copy and returns all that it prints, which is also
// part of the error.
func (c Copy) Run(name string, args ...string) (string, error) {
	var out strings.Builder
	err := c.Stream(&out, nil, name, args...)
	text := strings.TrimSpace(out.String())
	if err != nil {
		err = fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, text)
	}
	return text, err
}

// Stream runs a program in the copy, with more in its environment, and writes
// all that it prints to out.
func (c Copy) Stream(out io.Writer, env []string, name string, args ...string) error {
	cmd := exec.Command(name, args...)
	cmd.Dir = string(c)
	cmd.Stdout, cmd.Stderr = out, out
	// Git hooks, in which checks may run, name another repository.
	cmd.Env = slices.DeleteFunc(os.Environ(), func(e string) bool { return strings.HasPrefix(e, "GIT_") })
	cmd.Env = append(cmd.Env, "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1",
		"GIT_AUTHOR_NAME=Portal", "GIT_AUTHOR_EMAIL=portal@example.edu", "GIT_COMMITTER_NAME=Portal", "GIT_COMMITTER_EMAIL=portal@example.edu")
	cmd.Env = append(cmd.Env, env...)
	return cmd.Run()
}
