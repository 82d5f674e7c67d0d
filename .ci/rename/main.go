// Rename gives the module another path: in go.mod, in every import, and in
// whatever else of the project names it.
//
//	go run ./.ci/rename github.com/you/app
//
// It needs git and Go. It changes nothing unless git can undo it.
package main

import (
	"bytes"
	"errors"
	"fmt"
	"go/format"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "rename:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 1 || !hostAndPath.MatchString(args[0]) {
		return errors.New("give the new path: go run ./.ci/rename github.com/you/app")
	}
	to := args[0]
	changes, err := output("git", "status", "--porcelain")
	if err != nil {
		return err
	}
	if changes != "" {
		return errors.New(`commit your changes first, so that "git restore ." can undo this`)
	}
	from, err := output("go", "list", "-m")
	if err != nil {
		return err
	}
	if _, err := output("go", "mod", "edit", "-module="+to); err != nil {
		return err // the go command knows which paths are malformed
	}
	if err := replaceInFiles(from, to); err != nil {
		return err
	}
	if err := finish(); err != nil {
		return fmt.Errorf("%w\n\"git restore .\" undoes what was renamed", err)
	}
	fmt.Printf("The module is now %s. Look it over with git diff, then: git commit -am 'Rename the module'\n", to)
	return nil
}

// hostAndPath tells a module path from a word or an option. What else is wrong
// with it, the go command says.
var hostAndPath = regexp.MustCompile(`^[^/]*\.[^/]*/.`)

// output runs a program and returns what it prints, or what it complains of.
func output(name string, args ...string) (string, error) {
	var complaint strings.Builder
	cmd := exec.Command(name, args...)
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, strings.TrimSpace(complaint.String()+string(out)))
	}
	return strings.TrimSpace(string(out)), nil
}

// replaceInFiles writes the path to instead of from in all files that git knows.
func replaceInFiles(from, to string) error {
	list, err := output("git", "ls-files", "-z")
	if err != nil {
		return err
	}
	for name := range strings.SplitSeq(strings.TrimSuffix(list, "\x00"), "\x00") {
		info, err := os.Lstat(name)
		if err != nil {
			return err
		}
		if !info.Mode().IsRegular() {
			continue
		}
		content, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		changed := replace(content, from, to)
		if bytes.Equal(changed, content) {
			continue
		}
		if filepath.Ext(name) == ".go" { // gofmt sorts imports by their paths
			if formatted, err := format.Source(changed); err == nil {
				changed = formatted
			}
		}
		if err := os.WriteFile(name, changed, info.Mode()); err != nil {
			return err
		}
	}
	return nil
}

// replace replaces from where it is the whole path of a module, or what the
// path of a package begins with. Of "example.org/app" that is not so in
// "example.org/app-client", "example.org/app.v2" or "my.example.org/app".
func replace(content []byte, from, to string) []byte {
	var out []byte
	for {
		before, after, found := bytes.Cut(content, []byte(from))
		out = append(out, before...)
		if !found {
			return out
		}
		if partOfName.Match(before) || restOfName.Match(after) {
			out = append(out, from...)
		} else {
			out = append(out, to...)
		}
		content = after
	}
}

var (
	partOfName = regexp.MustCompile(`[\w~-]\.?$`)
	restOfName = regexp.MustCompile(`^(?:[\w~-]|\.\w)`)
)

// finish sorts the imports of templates, writes anew what is generated from
// them, and sees that every import leads to a package, in tests and in the
// folders that ./... leaves out too. That takes no compiler: nothing else of a
// program depends on its module's path.
func finish() error {
	folders, err := filepath.Glob(".ci/*/*.go")
	if err != nil {
		return err
	}
	for i, name := range folders {
		folders[i] = "./" + filepath.ToSlash(filepath.Dir(name))
	}
	slices.Sort(folders)
	for _, args := range [][]string{
		{"tool", "templ", "fmt", "."},
		{"tool", "templ", "generate"},
		append([]string{"list", "-test", "-deps", "./..."}, slices.Compact(folders)...),
	} {
		if _, err := output("go", args...); err != nil {
			return err
		}
	}
	return nil
}
