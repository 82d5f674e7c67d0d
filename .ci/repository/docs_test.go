package repository

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestDocs wants a comment on every exported name of the library and the
// emulator, struct fields included: one of its own, or one on the group that it
// stands in.
func TestDocs(t *testing.T) {
	onlyOurs(t)
	list := exec.Command("go", "list", "-f", "{{.Dir}}", "./globus/...")
	list.Dir = top
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	names := 0
	for dir := range strings.FieldsSeq(string(out)) {
		files, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range files {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			d := docs{T: t, fset: token.NewFileSet()}
			file, err := parser.ParseFile(d.fset, name, nil, parser.ParseComments)
			if err != nil {
				t.Fatal(err)
			}
			for _, decl := range file.Decls {
				d.decl(decl)
			}
			names += d.names
		}
	}
	if names < 150 {
		t.Errorf("found only %d exported names", names)
	}
}

// docs looks through one file.
type docs struct {
	*testing.T
	fset  *token.FileSet
	names int // exported ones so far
}

// want reports name if it is exported and stands without a comment.
func (d *docs) want(name *ast.Ident, comments ...*ast.CommentGroup) {
	if !name.IsExported() {
		return
	}
	d.names++
	for _, c := range comments {
		if c.Text() != "" {
			return
		}
	}
	d.Errorf("%s: %s has no comment", d.fset.Position(name.Pos()), name.Name)
}

func (d *docs) decl(decl ast.Decl) {
	switch decl := decl.(type) {
	case *ast.FuncDecl:
		if decl.Recv == nil || exportedType(decl.Recv.List[0].Type) {
			d.want(decl.Name, decl.Doc)
		}
	case *ast.GenDecl:
		for _, spec := range decl.Specs {
			switch spec := spec.(type) {
			case *ast.ValueSpec:
				for _, name := range spec.Names {
					d.want(name, decl.Doc, spec.Doc, spec.Comment)
				}
			case *ast.TypeSpec:
				d.want(spec.Name, decl.Doc, spec.Doc, spec.Comment)
				if s, ok := spec.Type.(*ast.StructType); ok && spec.Name.IsExported() {
					d.fields(s, decl.Doc)
				}
			}
		}
	}
}

// fields checks the fields of a struct. A comment above a field is also for
// those below it, up to the next blank line or comment; that of a struct of one
// line is for all of it.
func (d *docs) fields(s *ast.StructType, doc *ast.CommentGroup) {
	line := func(p token.Pos) int { return d.fset.Position(p).Line }
	last := line(s.Pos())
	var above *ast.CommentGroup
	if line(s.End()) == last {
		above = doc
	}
	for _, field := range s.Fields.List {
		if field.Doc != nil || line(field.Pos()) > last+1 {
			above = field.Doc
		}
		last = line(field.End())
		for _, name := range field.Names {
			d.want(name, above, field.Comment)
		}
	}
}

// exportedType reports whether a receiver's type is exported.
func exportedType(receiver ast.Expr) bool {
	if star, ok := receiver.(*ast.StarExpr); ok {
		receiver = star.X
	}
	name, ok := receiver.(*ast.Ident)
	return ok && name.IsExported()
}
