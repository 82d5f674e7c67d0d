package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"example.org/portal/.ci/project"
)

// TestRelease: a release is built from the newest commit alone, a checkout elsewhere
// gives the same bits, and the checksums are those of the files. The project here is a
// small one; .ci/run release builds ours, twice.
func TestRelease(t *testing.T) {
	here := runtime.GOOS + "/" + runtime.GOARCH
	c := project.Copy(filepath.Join(t.TempDir(), "one"))
	for name, text := range map[string]string{
		"go.mod":           "module example.edu/small\n\ngo 1.26.0\n",
		"main.go":          "package main\n\nimport \"os\"\n\nfunc main() { println(os.Args[0]) }\n",
		"static/VENDOR.md": "| `a.js` | `a` (npm) | 1.2.3 | `" + strings.Repeat("0", 64) + "` | MIT, `a.LICENSE` |\n",
		".gitignore":       "/dist/\n",
	} {
		if err := c.Write(name, text); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Commit("Begin"); err != nil {
		t.Fatal(err)
	}
	other := filepath.Join(t.TempDir(), "another", "folder")
	if _, err := c.Run("git", "clone", "-q", ".", other); err != nil {
		t.Fatal(err)
	}
	if err := c.Write("main.go", "package main\n\nfunc main() { println(`not committed`) }\n"); err != nil {
		t.Fatal(err)
	}
	if err := c.Write("dist/portal-plan9-386", "of an older release"); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{string(c), other} {
		if err := release(dir, []string{here}, io.Discard); err != nil {
			t.Fatal(err)
		}
	}
	files, err := os.ReadDir(filepath.Join(string(c), "dist"))
	if err != nil {
		t.Fatal(err)
	}
	sums, err := c.Read("dist/SHA256SUMS")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != 3 || strings.Count(sums, "\n") != 2 {
		t.Errorf("dist has %v, and sums of\n%s", files, sums)
	}
	for _, f := range files {
		one, err := os.ReadFile(filepath.Join(string(c), "dist", f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		two, err := os.ReadFile(filepath.Join(other, "dist", f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(one, two) {
			t.Errorf("%s of another checkout is not the same", f.Name())
		}
		if sum := fmt.Sprintf("%x  %s\n", sha256.Sum256(one), f.Name()); f.Name() != "SHA256SUMS" && !strings.Contains(sums, sum) {
			t.Errorf("the sums lack %s", sum)
		}
	}
}

// TestBill: the list of what our program is made of has every module that Go compiled
// in, Go, and each vendored file, with versions and licences.
func TestBill(t *testing.T) {
	top := filepath.Join("..", "..")
	if ours, err := project.Ours(top); err != nil {
		t.Fatal(err)
	} else if !ours {
		t.Skip("this is a copy, and its owner's business")
	}
	c, program := project.Copy(top), filepath.Join(t.TempDir(), "portal")
	if _, err := c.Run("go", "build", "-race=false", "-o", program, "."); err != nil {
		t.Fatal(err)
	}
	text, err := bill(program, top)
	if err != nil {
		t.Fatal(err)
	}
	var b struct {
		BOMFormat, SpecVersion string
		Components             []struct {
			Name, Version, Purl string
			Licenses            []struct{ License struct{ ID string } }
		}
		Dependencies []struct {
			Ref       string
			DependsOn []string
		}
	}
	if err := json.Unmarshal(text, &b); err != nil || b.BOMFormat != "CycloneDX" {
		t.Fatalf("%v, format %q", err, b.BOMFormat)
	}
	terms, refs := map[string]string{}, map[string]bool{}
	for _, c := range b.Components {
		if len(c.Licenses) == 1 {
			terms[c.Name+" "+c.Version] = c.Licenses[0].License.ID
		}
	}
	for _, d := range b.Dependencies {
		for _, on := range d.DependsOn {
			refs[on] = true
		}
	}
	modules, err := c.Run("go", "version", "-m", program)
	if err != nil {
		t.Fatal(err)
	}
	deps := regexp.MustCompile(`(?m)^\tdep\t(\S+)\t(\S+)`).FindAllStringSubmatch(modules, -1)
	if len(deps) < 20 {
		t.Fatalf("found only %d modules", len(deps))
	}
	for _, d := range deps {
		if terms[d[1]+" "+d[2]] == "" {
			t.Errorf("%s %s is missing, or its licence", d[1], d[2])
		}
	}
	notes, err := c.Read("static/VENDOR.md")
	if err != nil {
		t.Fatal(err)
	}
	vendored := regexp.MustCompile("(?m)^\\| `[^\n]*").FindAllString(notes, -1)
	if len(vendored) == 0 || len(b.Components) != len(deps)+len(vendored)+1 { // and Go itself
		t.Errorf("it lists %d components, of %d modules, Go and %d vendored files", len(b.Components), len(deps), len(vendored))
	}
	for purl, want := range map[string]string{"htmx.org": "0BSD", "modernc.org/sqlite": "BSD-3-Clause", "golang.org/x/sync": "BSD-3-Clause", "std": "BSD-3-Clause", "github.com/a-h/templ": "MIT"} {
		got := ""
		for _, c := range b.Components {
			if c.Name == purl && len(c.Licenses) == 1 {
				got = c.Licenses[0].License.ID
				if purl == "htmx.org" && !refs[c.Purl] {
					t.Error("nothing depends on htmx")
				}
			}
		}
		if got != want {
			t.Errorf("%s has the licence %q, want %q", purl, got, want)
		}
	}
}
