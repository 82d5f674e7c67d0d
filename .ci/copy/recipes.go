package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"example.org/portal/.ci/project"
)

// block is code of a recipe: its first line is a comment that names its file.
var block = regexp.MustCompile("(?ms)^```\\w+\n(?://|--|/\\*) (\\S+/\\S+\\.\\w+)(?: \\*/)?\n(.*?)^```\n")

// code is the first line of any block that a recipe may have.
var code = regexp.MustCompile("(?m)^```(go|templ|sql|js|css)$")

// recipeFiles are where the recipes are, in their order.
var recipeFiles = []string{"README.md", "routes/README.md"}

// followRecipes does what the recipes say, one after another.
func followRecipes(c project.Copy) error {
	var blocks [][]string
	for _, name := range recipeFiles {
		text, err := c.Read(name)
		if err != nil {
			return err
		}
		found := block.FindAllStringSubmatch(text, -1)
		if n := len(code.FindAllString(text, -1)); n != len(found) || n == 0 {
			return fmt.Errorf("%s: of %d blocks of code, %d name a file in their first line", name, n, len(found))
		}
		blocks = append(blocks, found...)
	}
	var sources []string // to which imports are added
	for _, b := range blocks {
		name, text := b[1], b[2]
		var err error
		switch {
		case name == "routes/routes.go":
			err = addLines(c, name, route, text)
		case name == "components/site.go":
			err = addLines(c, name, link, text)
		default:
			err = addCode(c, name, text)
		}
		if err != nil {
			return fmt.Errorf("in a recipe's block for %s: %w", name, err)
		}
		if path.Ext(name) == ".go" && !slices.Contains(sources, name) {
			sources = append(sources, name)
		}
	}
	if _, err := c.Run("go", "tool", "templ", "generate"); err != nil {
		return err
	}
	// The command that routes/README.md gives.
	_, err := c.Run("go", append([]string{"run", "golang.org/x/tools/cmd/goimports@v0.51.0", "-w"}, sources...)...)
	return err
}

// addCode adds code to a file, at its end. A new file gets a package clause, unless the
// code begins with one.
func addCode(c project.Copy, name, text string) error {
	before, err := c.Read(name)
	text = strings.TrimLeft(text, "\n")
	switch ext := path.Ext(name); {
	case errors.Is(err, fs.ErrNotExist) && (ext == ".go" || ext == ".templ") && !strings.HasPrefix(text, "package "):
		before = "package " + path.Base(path.Dir(name))
		if strings.HasSuffix(name, "_test.go") {
			before += "_test"
		}
		before += "\n"
	case errors.Is(err, fs.ErrNotExist):
		return c.Write(name, text)
	case err != nil:
		return err
	}
	return c.Write(name, before+"\n"+text)
}

var (
	route = regexp.MustCompile(`(?m)^\ta\.Handle(Func)?\(".*\n`)               // a line of the table
	link  = regexp.MustCompile(`(?m)^\t\t\{"[^"]+", "/.*", (true|false)\},\n`) // of the navigation
)

// addLines writes lines after the last one of a file that is like them.
func addLines(c project.Copy, name string, like *regexp.Regexp, lines string) error {
	text, err := c.Read(name)
	if err != nil {
		return err
	}
	all := like.FindAllString(text, -1)
	if all == nil {
		return errors.New("found no line that is like those to add")
	}
	last := all[len(all)-1]
	indent := cmp.Or(last[:len(last)-len(strings.TrimLeft(last, "\t"))], "\t")
	return c.Replace(name, last, last+regexp.MustCompile(`(?m)^(.)`).ReplaceAllString(lines, indent+"$1"))
}
