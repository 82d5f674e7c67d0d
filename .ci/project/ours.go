package project

import (
	"errors"
	"io/fs"
	"regexp"
	"strings"
)

var moduleLine = regexp.MustCompile(`(?m)^module (\S+)$`)

// Ours reports whether the project in the folder dir is the one that others are
// copied from. Its module path is under example.org, where nobody can have one
// of their own: a copy is renamed before anything else. And its README names
// that path, in what it tells to write; the README of a copy that keeps the path
// does not.
//
// What a copy changes or deletes is its owner's business. So the checks that
// hold this project to its own README, and to its own code line by line, ask
// first, and leave a copy alone.
func Ours(dir string) (bool, error) {
	mod, err := Copy(dir).Read("go.mod")
	if err != nil {
		return false, err
	}
	module := moduleLine.FindStringSubmatch(mod)
	if module == nil || !strings.HasPrefix(module[1], "example.org/") {
		return false, nil
	}
	readme, err := Copy(dir).Read("README.md")
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return strings.Contains(readme, module[1]), err
}
