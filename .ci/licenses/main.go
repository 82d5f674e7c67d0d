// Licenses writes the licences of all that the program is made of to
// routes/licenses/licenses.txt, which `portal -licenses` prints: those of Go, of each
// module on each system that releases are for, and of vendored files in static/.
//
//	go run ./.ci/licenses          # after a dependency was added or removed
//	go run ./.ci/licenses -check   # only see whether that is necessary
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

const file = "routes/licenses/licenses.txt"

// systems are those of releases, and Windows, on which people may compile it.
var systems = []string{"linux/amd64", "linux/arm64", "darwin/arm64", "windows/amd64"}

func main() {
	check := flag.Bool("check", false, "only see whether the file is complete")
	flag.Parse()
	if err := run(*check); err != nil {
		fmt.Fprintln(os.Stderr, "licenses:", err)
		os.Exit(1)
	}
}

func run(check bool) error {
	found, err := collect(".")
	if err != nil {
		return err
	}
	if !check {
		return os.WriteFile(file, []byte(found), 0o666)
	}
	is, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if string(is) != found {
		return errors.New(file + " is not up to date: go run ./.ci/licenses")
	}
	return nil
}

// collect returns the licences of the program in the folder dir, each once, below a
// line for everything that it holds for.
func collect(dir string) (string, error) {
	texts := map[string]string{} // by such a line
	add := func(of, name, path string) error {
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		texts[of+": "+filepath.ToSlash(name)] = strings.TrimSpace(strings.ReplaceAll(string(text), "\r\n", "\n"))
		return nil
	}
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return "", err
	}
	if err := add("Go, its runtime and standard library", "LICENSE", filepath.Join(strings.TrimSpace(string(root)), "LICENSE")); err != nil {
		return "", err
	}
	vendored, err := filepath.Glob(filepath.Join(dir, "static", "*.LICENSE"))
	if err != nil {
		return "", err
	}
	for _, path := range vendored {
		name := filepath.Base(path)
		if err := add("static/"+strings.TrimSuffix(name, ".LICENSE"), name, path); err != nil {
			return "", err
		}
	}
	for _, system := range systems {
		packages, err := list(dir, system)
		if err != nil {
			return "", err
		}
		for _, p := range packages {
			if err := p.licenses(add); err != nil {
				return "", err
			}
		}
	}
	var out strings.Builder
	lines := slices.Sorted(maps.Keys(texts))
	for i, line := range lines {
		same := func(other string) bool { return texts[other] == texts[line] }
		if slices.ContainsFunc(lines[:i], same) {
			continue
		}
		for _, other := range lines[i:] {
			if same(other) {
				fmt.Fprintf(&out, "== %s\n", other)
			}
		}
		fmt.Fprintf(&out, "\n%s\n\n", texts[line])
	}
	return out.String(), nil
}

// A goPackage is one of those that the program is made of.
type goPackage struct {
	Dir, ImportPath string
	Module          *struct {
		Path, Dir string
		Main      bool
	}
}

// list returns the packages of the program on a system, but for Go's own.
func list(dir, system string) ([]goPackage, error) {
	goos, goarch, _ := strings.Cut(system, "/")
	cmd := exec.Command("go", "list", "-deps", "-json=Dir,ImportPath,Module", ".")
	cmd.Dir, cmd.Stderr = dir, os.Stderr
	cmd.Env = append(os.Environ(), "GOOS="+goos, "GOARCH="+goarch, "CGO_ENABLED=0", "GOFLAGS=")
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list for %s: %w", system, err)
	}
	var all []goPackage
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p goPackage
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return all, nil
		} else if err != nil {
			return nil, err
		}
		if p.Module != nil && !p.Module.Main {
			all = append(all, p)
		}
	}
}

// license matches the names of files that say under which terms a folder may be used.
var license = regexp.MustCompile(`(?i)^(un)?(licen[cs]e|copying|copyright|notice|authors)([-_.].*)?$`)

// licenses finds those of the package: in its folder, and in those above it in its
// module, for a module may hold code of others in a folder with a licence of its own.
func (p goPackage) licenses(add func(of, name, path string) error) error {
	found := false
	for dir := p.Dir; ; dir = filepath.Dir(dir) {
		entries, err := os.ReadDir(dir)
		if err != nil {
			return err
		}
		for _, e := range entries {
			if e.IsDir() || !license.MatchString(e.Name()) || strings.HasSuffix(e.Name(), ".go") {
				continue
			}
			found = true
			path := filepath.Join(dir, e.Name())
			name, err := filepath.Rel(p.Module.Dir, path)
			if err != nil {
				return err
			}
			if err := add(p.Module.Path, name, path); err != nil {
				return err
			}
		}
		if dir == p.Module.Dir {
			break
		}
	}
	if !found {
		return fmt.Errorf("%s has no licence: without one nobody may pass it on", p.ImportPath)
	}
	return nil
}
