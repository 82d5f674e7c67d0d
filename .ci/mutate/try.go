package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// killed returns nil if every test of m fails by it.
func killed(m mutation) error {
	changed, err := m.apply()
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "mutate")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	overlay, err := writeOverlay(dir, changed)
	if err != nil {
		return err
	}
	programs := map[string]string{}
	for _, t := range m.tests {
		if programs[t.dir] == "" {
			programs[t.dir] = filepath.Join(dir, fmt.Sprint(len(programs), ".test"))
			out, err := exec.Command("go", "test", "-c", "-vet=off", "-ldflags=-s -w", "-overlay", overlay, "-o", programs[t.dir], "./"+t.dir).CombinedOutput()
			if err != nil {
				return fmt.Errorf("does not compile: %s", out)
			}
		}
		if e := t.fails(programs[t.dir], overlay, m.says); e != nil {
			err = errors.Join(err, e)
		}
	}
	return err
}

// writeOverlay writes what `go build -overlay` wants, and returns its name.
func writeOverlay(dir string, changed map[string][]byte) (string, error) {
	replace := map[string]string{}
	for path, content := range changed {
		replace[path] = filepath.Join(dir, fmt.Sprint(len(replace), ".go"))
		if err := os.WriteFile(replace[path], content, 0o600); err != nil {
			return "", err
		}
	}
	list, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	name := filepath.Join(dir, "overlay.json")
	return name, os.WriteFile(name, list, 0o600)
}

// fails runs the test in program, and wants it to fail and to print says.
func (t test) fails(program, overlay, says string) error {
	name := strings.ReplaceAll(t.name, " ", "_")
	var pattern []string
	for part := range strings.SplitSeq(name, "/") {
		pattern = append(pattern, "^"+regexp.QuoteMeta(part)+"$")
	}
	cmd := exec.Command(program, "-test.v", "-test.timeout=3m", "-test.run", strings.Join(pattern, "/"))
	cmd.Dir = t.dir
	// Some tests build the app: that is to be the changed one too.
	cmd.Env = append(os.Environ(), "GOFLAGS="+strings.TrimSpace(os.Getenv("GOFLAGS")+" -overlay="+overlay))
	out, _ := cmd.CombinedOutput()
	lines := strings.Split(string(out), "\n")
	has := func(verdict string) bool {
		return slices.ContainsFunc(lines, func(line string) bool {
			return strings.HasPrefix(strings.TrimSpace(line), "--- "+verdict+": "+name+" (")
		})
	}
	switch {
	case has("PASS"):
		return fmt.Errorf("survived: %s passes", t.name)
	case has("SKIP"):
		return fmt.Errorf("not tried: %s skips\n%s", t.name, out)
	case !has("FAIL"):
		return fmt.Errorf("not tried: %s is not in %s, or did not end\n%s", t.name, t.dir, last(lines, 5))
	case !strings.Contains(string(out), says):
		return fmt.Errorf("survived: %s fails, but does not say %q:\n%s", t.name, says, last(lines, 20))
	}
	return nil
}

func last(lines []string, n int) string { return strings.Join(lines[max(0, len(lines)-n):], "\n") }
