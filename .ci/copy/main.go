// Copy makes a copy of the project as somebody else would, and runs in it what
// .ci/run runs here. Their module path, README, pages, texts, colours and
// packages are their own, some of our pages are gone, and nothing may fail.
//
//	go run ./.ci/copy                     # in a temporary folder, which it deletes
//	go run ./.ci/copy FOLDER              # only makes it, in FOLDER
//	go run ./.ci/copy FOLDER lint tests   # makes it unless it is there, and takes these steps of its .ci/run
package main

import (
	_ "embed"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"example.org/portal/.ci/project"
)

func main() {
	flag.Parse()
	if err := run(flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "copy:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	ours, err := project.Ours(".")
	if err != nil {
		return err
	}
	if !ours {
		fmt.Println("this is a copy; only the project that it was copied from makes others")
		return nil
	}
	if len(args) == 0 {
		folder, err := os.MkdirTemp("", "copy")
		if err != nil {
			return err
		}
		defer os.RemoveAll(folder)
		args = []string{folder, "generated", "lint", "mutations", "repository", "tests"}
	}
	folder, steps := args[0], args[1:]
	c := project.Copy(folder)
	if entries, err := os.ReadDir(folder); err != nil || len(entries) == 0 || len(steps) == 0 {
		if c, err = build(folder); err != nil {
			return err
		}
	}
	if len(steps) == 0 {
		return nil
	}
	// What the race detector finds, it finds here. The client library, the emulator,
	// the stores and the proxies differ from ours in nothing but the module's path:
	// they are left out, unless there is time.
	env := []string{"RACE="}
	if os.Getenv("PORTAL_LONG") == "" {
		env = append(env, "PACKAGES=. ./components ./instrument ./routes ./routes/auth ./routes/beamline ./routes/settings ./routes/web ./static")
	}
	if err := c.Stream(os.Stdout, env, ".ci/run", steps...); err != nil {
		return fmt.Errorf("in a copy, .ci/run: %w", err)
	}
	return nil
}

// build makes the copy.
func build(folder string) (project.Copy, error) {
	if entries, err := os.ReadDir(folder); err == nil && len(entries) > 0 {
		return "", fmt.Errorf("%s is not empty", folder)
	}
	c, err := project.New(".", folder)
	if err != nil {
		return "", err
	}
	if err := c.Commit("Begin"); err != nil {
		return "", err
	}
	// The checkers of pages, from npm, are beside the checkout.
	if modules, err := filepath.Abs(".ci/node_modules"); err != nil {
		return "", err
	} else if err := os.Symlink(modules, filepath.Join(folder, ".ci", "node_modules")); err != nil {
		return "", err
	}
	for _, step := range []func(project.Copy) error{
		rename, reword, followRecipes, trySending, addBeamlineTest,
		writeReadme, renameApp, recolour, addScope, addNavigation, addRoutes, addPackages, removePages, removeSearch,
		generate,
	} {
		if err := step(c); err != nil {
			return "", err
		}
	}
	return c, c.Commit("Make it ours")
}

// module is the path of the copy.
const module = "example.net/lab/beamline"

// rename is the first thing that the README says to do.
func rename(c project.Copy) error {
	if _, err := c.Run("go", "run", "./.ci/rename", module); err != nil {
		return err
	}
	return c.Commit("Rename the module")
}

//go:embed testdata/photo51_test.go
var photo51Test string

// trySending runs the test of the recipe that needs the pages of files and transfers,
// which removePages removes with it.
func trySending(c project.Copy) error {
	if err := c.Write("routes/photo51_test.go", strings.ReplaceAll(photo51Test, "example.org/portal/", module+"/")); err != nil {
		return err
	}
	_, err := c.Run("go", "test", "-run", "^TestPhoto51$", "./routes")
	return err
}

//go:embed testdata/beamline_test.go
var beamlineTest string

// addBeamlineTest adds a test that uses what the recipes made, through Chromium.
func addBeamlineTest(c project.Copy) error {
	return c.Write("routes/browser_beamline_test.go", strings.ReplaceAll(beamlineTest, "example.org/portal/", module+"/"))
}

func generate(c project.Copy) error {
	if _, err := c.Run("go", "tool", "templ", "generate"); err != nil {
		return err
	}
	unformatted, err := c.Run("gofmt", "-l", ".")
	if err == nil && unformatted != "" {
		err = errors.New("not formatted: " + unformatted)
	}
	return err
}
