package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
)

// exports are the compiled packages that those of the project import. With them
// one changed package is checked in a moment.
type exports struct {
	fset     *token.FileSet
	importer types.Importer
	packages map[string]goPackage // by folder
	mu       *sync.Mutex          // guards the importer, which remembers what it read
}

type goPackage struct {
	ImportPath, Dir, Export string
	GoFiles                 []string
}

func listExports() (exports, error) {
	out, err := exec.Command("go", "list", "-deps", "-export", "-json=ImportPath,Dir,Export,GoFiles", "./...").Output()
	if err != nil {
		return exports{}, fmt.Errorf("go list: %w", err)
	}
	files := map[string]string{}
	x := exports{fset: token.NewFileSet(), packages: map[string]goPackage{}, mu: new(sync.Mutex)}
	x.importer = importer.ForCompiler(x.fset, "gc", func(path string) (io.ReadCloser, error) { return os.Open(files[path]) })
	for list := json.NewDecoder(bytes.NewReader(out)); ; {
		var p goPackage
		if err := list.Decode(&p); errors.Is(err, io.EOF) {
			return x, nil
		} else if err != nil {
			return exports{}, err
		}
		files[p.ImportPath], x.packages[p.Dir] = p.Export, p
	}
}

// compiles returns nil if m applies, and every package that it changes compiles.
// The tests that it names are in their folders.
func (x exports) compiles(m mutation) error {
	changed, err := m.apply()
	if err != nil {
		return err
	}
	for path := range changed {
		if err := x.compile(x.packages[filepath.Dir(path)], changed); err != nil {
			return fmt.Errorf("does not compile: %w", err)
		}
	}
	for _, t := range m.tests {
		if err := t.exists(); err != nil {
			return err
		}
	}
	return nil
}

func (x exports) compile(p goPackage, changed map[string][]byte) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	var files []*ast.File
	for _, name := range p.GoFiles {
		path := filepath.Join(p.Dir, name)
		var content any // nil: what is there
		if c, ok := changed[path]; ok {
			content = c
		}
		f, err := parser.ParseFile(x.fset, path, content, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		files = append(files, f)
	}
	config := types.Config{Importer: x.importer}
	_, err := config.Check(p.ImportPath, x.fset, files, nil)
	return err
}

// exists looks for the test's function; only running it tells whether it has the row.
func (t test) exists() error {
	names, err := filepath.Glob(filepath.Join(t.dir, "*_test.go"))
	if err != nil {
		return err
	}
	for _, name := range names {
		content, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		if bytes.Contains(content, []byte("\nfunc "+t.function()+"(t *testing.T)")) {
			return nil
		}
	}
	return fmt.Errorf("%s has no %s", t.dir, t.function())
}
