package main

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"example.org/portal/.ci/project"
)

// TestLicenses: `portal -licenses` has the licence of each module that Go says it
// compiled in, of Go, and of every vendored file. Copies have .ci/run generated.
func TestLicenses(t *testing.T) {
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
	said, err := exec.Command(program, "-licenses").Output()
	if err != nil {
		t.Fatal(err)
	}
	modules, err := c.Run("go", "version", "-m", program)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"Go, its runtime and standard library"}
	for _, m := range regexp.MustCompile(`(?m)^\tdep\t(\S+)\t(\S+)`).FindAllStringSubmatch(modules, -1) {
		want = append(want, m[1])
		if !strings.Contains(string(said), "\n  "+m[1]+" "+m[2]+"\n") {
			t.Errorf("%s %s is not in the list", m[1], m[2])
		}
	}
	if len(want) < 20 {
		t.Fatalf("found only %d modules", len(want)-1)
	}
	notes, err := c.Read("static/VENDOR.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range regexp.MustCompile("(?m)^\\| `([^`]+?)(\\.min)?\\.\\w+`").FindAllStringSubmatch(notes, -1) {
		want = append(want, "static/"+file[1])
	}
	if last := want[len(want)-1]; !strings.HasPrefix(last, "static/") {
		t.Error("static/VENDOR.md lists no file")
	}
	for _, of := range want {
		if !strings.Contains(string(said), "\n== "+of+": ") {
			t.Errorf("the licence of %s is missing", of)
		}
	}
}
