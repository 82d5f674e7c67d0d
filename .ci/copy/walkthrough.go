package main

import (
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"strings"

	"example.org/portal/.ci/project"
)

// A step of the README's walk-through begins with its number, names its file,
// and ends with what to write there.
var step = regexp.MustCompile("(?ms)^\\d\\. In \\[?`([^`]+)`.*?^   ```\\w+\n(.*?)^   ```\n")

// follow does what a section of the README says, to the letter. Its steps may
// take so many files, and so many lines, tests not counted.
func follow(c project.Copy, heading string, maxFiles, maxLines int) error {
	readme, err := c.Read("README.md")
	if err != nil {
		return err
	}
	_, section, _ := strings.Cut(readme, "\n### "+heading+"\n")
	section, _, _ = strings.Cut(section, "\n### ")
	steps := step.FindAllStringSubmatch(section, -1)
	if want := strings.Count(section, "```") / 2; len(steps) != want || want == 0 {
		return fmt.Errorf("README, %s: found %d steps in %d blocks of code", heading, len(steps), want)
	}
	files, lines := 0, 0
	for _, step := range steps {
		name, text := step[1], strings.ReplaceAll("\n"+step[2], "\n   ", "\n")[1:]
		if !strings.HasSuffix(name, "_test.go") {
			files++
			lines += strings.Count(text, "\n")
		}
		if name == "routes/routes.go" {
			err = addToTable(c, text)
		} else if _, err = c.Read(name); errors.Is(err, fs.ErrNotExist) {
			err = c.Write(name, text)
		} else if err == nil {
			err = errors.New("there is already a " + name)
		}
		if err != nil {
			return fmt.Errorf("README, %s: %w", heading, err)
		}
	}
	if files > maxFiles || lines > maxLines {
		return fmt.Errorf("README, %s: it takes %d files and %d lines, want %d and %d at most", heading, files, lines, maxFiles, maxLines)
	}
	return nil
}

// route is a line of the table.
var route = regexp.MustCompile(`(?m)^\ta\.Handle(Func)?\(".*\n`)

// addToTable writes lines into the table of routes, before the last.
func addToTable(c project.Copy, lines string) error {
	table, err := c.Read("routes/routes.go")
	if err != nil {
		return err
	}
	all := route.FindAllStringIndex(table, -1)
	if all == nil {
		return errors.New("found no table in routes/routes.go")
	}
	last := all[len(all)-1][0]
	lines = regexp.MustCompile(`(?m)^(.)`).ReplaceAllString(lines, "\t$1")
	return c.Write("routes/routes.go", table[:last]+lines+table[last:])
}
