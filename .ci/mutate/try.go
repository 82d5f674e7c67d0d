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

// killed returns nil if every test of m fails by it, in the way that it should.
func killed(m mutation) error {
	return tryTests(m, func(t test, verdict, out string) error {
		switch {
		case verdict == "PASS":
			return fmt.Errorf("survived: %s passes", t.name)
		case verdict != "FAIL":
			return notRun(t, verdict, out)
		case !strings.Contains(out, t.says):
			return fmt.Errorf("survived: %s fails, but does not say %q:\n%s", t.name, t.says, last(out, 20))
		}
		return nil
	})
}

// sound returns nil if the tests of all pass by themselves: else it would prove
// nothing that they fail.
func sound(all []mutation) error {
	var unchanged mutation
	for _, m := range all {
		for _, t := range m.tests {
			t.says = ""
			if !slices.Contains(unchanged.tests, t) {
				unchanged.tests = append(unchanged.tests, t)
			}
		}
	}
	return tryTests(unchanged, func(t test, verdict, out string) error {
		if verdict == "FAIL" {
			return fmt.Errorf("%s fails by itself:\n%s", t.name, last(out, 20))
		}
		if verdict != "PASS" {
			return notRun(t, verdict, out)
		}
		return nil
	})
}

func notRun(t test, verdict, out string) error {
	if verdict == "SKIP" {
		return fmt.Errorf("%s skips:\n%s", t.name, last(out, 5))
	}
	return fmt.Errorf("%s is not in %s, or did not end:\n%s", t.name, t.dir, last(out, 5))
}

func last(out string, n int) string {
	lines := strings.Split(out, "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}

// tryTests runs the tests of m in the code that m makes, and has judge say what
// is wrong with the outcome of each.
func tryTests(m mutation, judge func(t test, verdict, out string) error) error {
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
		verdict, out := t.run(programs[t.dir], overlay)
		err = errors.Join(err, judge(t, verdict, out))
	}
	return err
}

// writeOverlay writes what `go build -overlay` wants, and returns its name.
func writeOverlay(dir string, changed map[string][]byte) (string, error) {
	replace := map[string]string{}
	for path, content := range changed {
		replace[path] = filepath.Join(dir, fmt.Sprint(len(replace))+filepath.Ext(path))
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

// run returns whether the test passes in program, "" if that is not known, and
// what it prints.
func (t test) run(program, overlay string) (verdict, out string) {
	name := strings.ReplaceAll(t.name, " ", "_")
	pattern := "^" + strings.ReplaceAll(regexp.QuoteMeta(name), "/", "$/^") + "$"
	cmd := exec.Command(program, "-test.v", "-test.timeout=5m", "-test.run", pattern)
	cmd.Dir = t.dir
	// Some tests build the app: that is to be the changed one too.
	cmd.Env = append(os.Environ(), "GOFLAGS="+strings.TrimSpace(os.Getenv("GOFLAGS")+" -overlay="+overlay))
	printed, _ := cmd.CombinedOutput()
	found := regexp.MustCompile(`(?m)^ *--- (PASS|FAIL|SKIP): ` + regexp.QuoteMeta(name) + ` \(`).FindSubmatch(printed)
	if found == nil {
		return "", string(printed)
	}
	return string(found[1]), string(printed)
}
