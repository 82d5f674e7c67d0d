package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// A mutation is one change, in one place or several, and the tests that must
// fail by it.
type mutation struct {
	title string
	line  int // of the title
	edits []edit
	tests []test
}

// An edit replaces text that is in a file exactly once.
type edit struct{ file, old, new string }

// A test is one function or one row of it, and what it must print as it fails.
type test struct{ dir, name, says string }

// function is the name without the row.
func (t test) function() string {
	function, _, _ := strings.Cut(t.name, "/")
	return function
}

// names reports whether the mutation is one of those that word asks for.
func (m mutation) names(word string) bool {
	return strings.Contains(m.title, word) || slices.ContainsFunc(m.tests, func(t test) bool { return strings.Contains(t.name, word) })
}

// readMutations reads the form that the head of mutations.txt describes.
func readMutations(name string) ([]mutation, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	var all []mutation
	fault := func(i int, what string) error { return fmt.Errorf("%s:%d: %s", name, i+1, what) }
	for i, line := range strings.Split(string(data), "\n") {
		if title, ok := strings.CutPrefix(line, "# "); ok {
			all = append(all, mutation{title: title, line: i + 1})
			continue
		}
		if line == "" || strings.HasPrefix(line, "//") {
			continue
		}
		if len(all) == 0 {
			return nil, fault(i, "before the first title")
		}
		if err := all[len(all)-1].add(line); err != nil {
			return nil, fault(i, err.Error())
		}
	}
	for _, m := range all {
		if len(m.edits) == 0 || len(m.tests) == 0 {
			return nil, fault(m.line-1, "it changes nothing, or no test is named")
		}
	}
	return all, nil
}

// add reads one more line of m.
func (m *mutation) add(line string) error {
	word, rest, _ := strings.Cut(line, " ")
	switch {
	case word == "file":
		m.edits = append(m.edits, edit{file: rest})
	case word == "says":
		for i, t := range m.tests {
			m.tests[i].says = cmp.Or(t.says, rest)
		}
	case word == "test":
		dir, name, ok := strings.Cut(rest, " ")
		if !ok {
			return errors.New("a test is a folder and a name")
		}
		m.tests = append(m.tests, test{dir: dir, name: name})
	case line[0] == '-' && len(m.edits) > 0:
		e := &m.edits[len(m.edits)-1]
		if e.new != "" { // another place in the same file
			m.edits = append(m.edits, edit{file: e.file})
			e = &m.edits[len(m.edits)-1]
		}
		e.old += line[1:] + "\n"
	case line[0] == '+' && len(m.edits) > 0:
		m.edits[len(m.edits)-1].new += line[1:] + "\n"
	default:
		return errors.New("this is neither file, -, +, test nor says")
	}
	return nil
}

// apply returns the changed content of the files, by absolute path.
func (m mutation) apply() (map[string][]byte, error) {
	changed := map[string][]byte{}
	for _, e := range m.edits {
		path, err := filepath.Abs(e.file)
		if err != nil {
			return nil, err
		}
		content, ok := changed[path]
		if !ok {
			if content, err = os.ReadFile(path); err != nil {
				return nil, err
			}
		}
		old, new := strings.TrimSuffix(e.old, "\n"), strings.TrimSuffix(e.new, "\n")
		if n := strings.Count(string(content), old); n != 1 || old == "" {
			return nil, fmt.Errorf("no longer applies: %s has %d times\n%s", e.file, n, old)
		}
		changed[path] = []byte(strings.Replace(string(content), old, new, 1))
	}
	return changed, nil
}

var testName = regexp.MustCompile("`(Test\\w+)`")

// checkPromises wants a mutation for every test that .ci/README.md names as what
// holds a promise.
func checkPromises(readme string, all []mutation) error {
	data, err := os.ReadFile(readme)
	if err != nil {
		return err
	}
	_, section, _ := strings.Cut(string(data), "\n## What is promised\n")
	section, _, _ = strings.Cut(section, "\n## ")
	promised := testName.FindAllStringSubmatch(section, -1)
	if len(promised) == 0 {
		return errors.New(readme + " names no test under What is promised")
	}
	for _, p := range promised {
		held := func(m mutation) bool {
			return slices.ContainsFunc(m.tests, func(t test) bool { return t.function() == p[1] })
		}
		if !slices.ContainsFunc(all, held) {
			err = errors.Join(err, fmt.Errorf("no mutation is there for %s, which is promised", p[1]))
		}
	}
	return err
}
