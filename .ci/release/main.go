// Release builds the program for people who do not compile it, from the newest commit:
// for each system a static program and a list of what is in it (a software bill of
// materials, CycloneDX), and the checksums of all. Changes that are not committed are
// left out, so that anybody with the commit and the same Go can build the same bits.
// Each program is built twice, in two folders, and must have the same bits both times.
//
//	go run ./.ci/release               # for all systems, in dist/, which is emptied first
//	go run ./.ci/release linux/amd64   # for some
//	cd dist && sha256sum -c SHA256SUMS
package main

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

var systems = []string{"linux/amd64", "linux/arm64", "darwin/arm64"}

func main() {
	flag.Parse()
	if flag.NArg() > 0 {
		systems = flag.Args()
	}
	if err := release(".", systems, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

// release builds the newest commit of the project in dir for the systems, into its dist/.
func release(dir string, systems []string, out io.Writer) error {
	temp, err := os.MkdirTemp("", "release")
	if err != nil {
		return err
	}
	defer os.RemoveAll(temp)
	changed, err := command(dir, nil, "git", "status", "--porcelain")
	if err != nil {
		return err
	}
	if changed != "" {
		fmt.Fprintln(out, "not committed, and so left out:\n"+changed)
	}
	sources := []string{filepath.Join(temp, "one"), filepath.Join(temp, "two")}
	for _, source := range sources {
		if _, err := command(dir, nil, "git", "clone", "-q", ".", source); err != nil {
			return err
		}
	}
	files := map[string][]byte{}
	for _, system := range systems {
		name := "portal-" + strings.ReplaceAll(system, "/", "-")
		var programs [2][]byte
		for i, source := range sources {
			if programs[i], err = build(source, system, filepath.Join(temp, name)); err != nil {
				return err
			}
		}
		if !bytes.Equal(programs[0], programs[1]) {
			return fmt.Errorf("%s: built again in another folder, it has other bits", system)
		}
		files[name] = programs[0]
		if files[name+".cdx.json"], err = bill(filepath.Join(temp, name), sources[0]); err != nil {
			return fmt.Errorf("%s: %w", system, err)
		}
		fmt.Fprintf(out, "%s: %d bytes, the same twice\n", name, len(programs[0]))
	}
	files["SHA256SUMS"] = checksums(files)
	return write(filepath.Join(dir, "dist"), files)
}

// build builds the program in the folder source for a system, and returns its bits.
// Whatever the person who builds has set for Go does not reach them.
func build(source, system, to string) ([]byte, error) {
	goos, goarch, ok := strings.Cut(system, "/")
	if !ok {
		return nil, fmt.Errorf("%q is not a system, such as linux/amd64", system)
	}
	env := []string{"GOOS=" + goos, "GOARCH=" + goarch, "GOAMD64=v1", "GOARM64=v8.0", "CGO_ENABLED=0",
		"GOFLAGS=", "GOEXPERIMENT=", "GODEBUG=", "GOWORK=off"}
	if _, err := command(source, env, "go", "build", "-trimpath", "-buildvcs=true", "-ldflags=-s -w", "-o", to, "."); err != nil {
		return nil, err
	}
	return os.ReadFile(to)
}

// checksums returns what `sha256sum -c` reads.
func checksums(files map[string][]byte) []byte {
	var sums bytes.Buffer
	for _, name := range slices.Sorted(maps.Keys(files)) {
		fmt.Fprintf(&sums, "%x  %s\n", sha256.Sum256(files[name]), name)
	}
	return sums.Bytes()
}

// write puts the files into a folder in place of those that are there. Programs can be run.
func write(dir string, files map[string][]byte) error {
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o777); err != nil {
		return err
	}
	for name, content := range files {
		mode := os.FileMode(0o777)
		if strings.Contains(name, ".") || name == "SHA256SUMS" {
			mode = 0o666
		}
		if err := os.WriteFile(filepath.Join(dir, name), content, mode); err != nil {
			return err
		}
	}
	return nil
}

// command runs a program in a folder, with more in its environment, and returns what
// it writes to standard output. What it writes to standard error is part of the error.
func command(dir string, env []string, name string, args ...string) (string, error) {
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	out, err := cmd.Output()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		err = fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, exit.Stderr)
	}
	return string(out), err
}
