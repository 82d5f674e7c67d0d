package deploy_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// An image is what the Containerfile makes, as far as it can be made without
// an engine: the files of its last stage, in a directory.
type image struct {
	root       string
	env        []string
	uid, gid   uint32
	entrypoint []string
}

// imageCommit is what the image is told of its commit.
const imageCommit = "4041c0b9e1d2a5a4a3a2a1a09f9e9d9c9b9a9908 2026-11-21T21:38:00Z"

// buildImage follows the Containerfile. Authorities stand in for those that
// the build stage has. Git is not at hand, as in many builds of containers.
func buildImage(t *testing.T, authorities []byte) image {
	t.Helper()
	text, err := os.ReadFile("Containerfile")
	if err != nil {
		t.Fatal(err)
	}
	mod, err := os.ReadFile("../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	built, img := t.TempDir(), image{root: t.TempDir()}
	if err := os.Chmod(img.root, 0o755); err != nil {
		t.Fatal(err)
	}
	bundle := filepath.Join(built, "ca-certificates.crt")
	if err := os.WriteFile(bundle, authorities, 0o644); err != nil {
		t.Fatal(err)
	}
	here := func(path string) string {
		if path == "/etc/ssl/certs/ca-certificates.crt" {
			return bundle
		}
		return strings.Replace(path, "/out", built, 1)
	}
	stages := 0
	mounts := regexp.MustCompile(`--mount=\S+ `)
	for line := range strings.Lines(strings.ReplaceAll(string(text), "\\\n", "")) {
		word, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		if word == "FROM" {
			stages++
		}
		switch {
		case word == "" || word == "#":
		case line == "FROM scratch\n" && stages == 2, word == "EXPOSE", word == "VOLUME":
		case stages == 1 && word == "FROM":
			version, _, _ := strings.Cut(strings.TrimPrefix(rest, "golang:"), " ")
			if !strings.Contains(string(mod), "\ngo "+version+".") {
				t.Errorf("%s is not the Go of go.mod", rest)
			}
		case stages == 1 && word == "RUN" && !strings.HasSuffix(rest, "go mod download"):
			cmd := exec.Command("sh", "-c", strings.ReplaceAll(mounts.ReplaceAllString(rest, ""), "/out/", built+"/"))
			cmd.Dir = ".."
			cmd.Env = append(os.Environ(), "GOFLAGS=", // without the race detector, which needs cgo
				"GIT_DIR="+built, "COMMIT="+imageCommit)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%s: %v\n%s", rest, err, out)
			}
		case stages == 1:
		case word == "COPY":
			img.copy(t, strings.Fields(rest), here)
		case word == "ENV":
			img.env = append(img.env, rest)
		case word == "USER":
			img.uid, img.gid = ids(t, rest)
		case word == "ENTRYPOINT":
			if err := json.Unmarshal([]byte(rest), &img.entrypoint); err != nil {
				t.Fatal(err)
			}
		default:
			t.Fatalf("this test does not know %q", line)
		}
	}
	if img.uid == 0 || img.gid == 0 {
		t.Error("the app is to run as root")
	}
	return img
}

// copy does what COPY says: a file, or a directory with nothing in it.
func (img image) copy(t *testing.T, args []string, here func(string) string) {
	t.Helper()
	var uid, gid uint32
	for strings.HasPrefix(args[0], "--") {
		if owner, ok := strings.CutPrefix(args[0], "--chown="); ok {
			uid, gid = ids(t, owner)
		}
		args = args[1:]
	}
	from, to := here(args[0]), filepath.Join(img.root, args[1])
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("cp", "-r", from, to).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if err := os.Chown(to, int(uid), int(gid)); err != nil {
		t.Fatal(err)
	}
}

// ids reads "user:group", in numbers: in an empty root there are no names.
func ids(t *testing.T, text string) (uid, gid uint32) {
	t.Helper()
	user, group, _ := strings.Cut(text, ":")
	u, err := strconv.ParseUint(user, 10, 32)
	if err != nil {
		t.Fatal(err)
	}
	g, err := strconv.ParseUint(group, 10, 32)
	if err != nil {
		t.Fatal(err)
	}
	return uint32(u), uint32(g)
}
