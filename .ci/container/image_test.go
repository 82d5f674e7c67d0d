// Package container builds deploy/Containerfile with buildah, runs what comes of it as
// an engine would, and signs somebody in there.
package container

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"example.org/portal/.ci/project"
	"example.org/portal/routes/routestest"
)

var (
	top           = filepath.Join("..", "..")
	containerfile = filepath.Join("deploy", "Containerfile")
)

// base makes the image that the Containerfile begins with out of this machine: the
// programs, libraries and Go are mounted while an image is built. The authorities are
// in it, because the Containerfile copies them.
const base = `FROM scratch
COPY . /
ENV PATH=/golang/bin:/usr/bin:/bin HOME=/root GOPATH=/go GOFLAGS=-v GOTOOLCHAIN=local
ENV GOPROXY=file:///modules,PROXY GOLANG_VERSION=VERSION
`

// A builder is buildah with a storage of its own in the user's cache, in which layers,
// modules and compiled packages stay from one run to the next. It pulls nothing.
type builder struct {
	*testing.T
	dir, policy string
	volumes     []string
	golang      string // the base image
}

// newBuilder makes the base image, which trusts one authority more, PEM.
func newBuilder(t *testing.T, authority []byte) *builder {
	t.Helper()
	if os.Geteuid() != 0 {
		routestest.Skip(t, "needs root, to mount and to change the root directory")
	}
	routestest.Program(t, "buildah")
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	b := &builder{T: t, dir: filepath.Join(cache, "portal-container"), policy: filepath.Join(t.TempDir(), "policy.json")}
	// Each change of the project leaves some 20 layers behind; those of ten are enough.
	if layers, _ := os.ReadDir(filepath.Join(b.dir, "store", "vfs", "dir")); len(layers) > 200 {
		if err := os.RemoveAll(filepath.Join(b.dir, "store")); err != nil {
			t.Fatal(err)
		}
	}
	b.makeDir(filepath.Join(b.dir, "cache"))
	b.write(b.policy, `{"default": [{"type": "insecureAcceptAnything"}]}`) // of images that are built here

	text, err := os.ReadFile(filepath.Join(top, containerfile))
	if err != nil {
		t.Fatal(err)
	}
	from := regexp.MustCompile(`(?m)^FROM (golang:(\S+))`).FindSubmatch(text)
	if from == nil {
		t.Fatal("the Containerfile begins with no golang image")
	}
	env := strings.Fields(b.run("go", "env", "GOROOT", "GOVERSION", "GOPROXY", "GOMODCACHE"))
	root, version, proxy, modules := env[0], env[1], env[2], env[3]
	if !strings.HasPrefix(version+".", "go"+string(from[2])+".") {
		t.Fatalf("this machine has %s, and the Containerfile wants %s", version, from[1])
	}
	b.golang = string(from[1])
	b.volumes = []string{"--volume=/usr:/usr:ro", "--volume=" + root + ":/golang:ro"}
	if downloads := filepath.Join(modules, "cache", "download"); isDir(downloads) {
		b.volumes = append(b.volumes, "--volume="+downloads+":/modules:ro")
	}
	files := t.TempDir()
	b.makeDir(filepath.Join(files, "tmp"))
	for _, name := range []string{"bin", "lib", "lib64"} {
		if err := os.Symlink(filepath.Join("usr", name), filepath.Join(files, name)); err != nil {
			t.Fatal(err)
		}
	}
	const bundle = "/etc/ssl/certs/ca-certificates.crt"
	authorities, err := os.ReadFile(bundle)
	if err != nil {
		t.Fatal(err)
	}
	b.makeDir(filepath.Join(files, filepath.Dir(bundle)))
	b.write(filepath.Join(files, bundle), string(authorities)+string(authority))
	b.write(b.policy+".base", strings.NewReplacer("PROXY", proxy, "VERSION", version).Replace(base))
	b.build(b.golang, b.policy+".base", files)
	return b
}

// build builds an image, and returns what is printed meanwhile.
func (b *builder) build(name, file, dir string) string {
	b.Helper()
	return b.buildah(append(append([]string{"build", "--signature-policy", b.policy, "--layers", "--pull-never"}, b.volumes...),
		"--tag", name, "--file", file, dir)...)
}

// buildah runs it so that it needs nothing of the kernel but root.
func (b *builder) buildah(args ...string) string {
	b.Helper()
	return b.run("buildah", append([]string{"--storage-driver", "vfs", "--root", filepath.Join(b.dir, "store"), "--runroot", filepath.Join(b.dir, "run")}, args...)...)
}

func (b *builder) run(name string, args ...string) string {
	b.Helper()
	cmd := exec.Command(name, args...)
	// The mounts of the cache are in TMPDIR.
	cmd.Env = append(os.Environ(), "BUILDAH_ISOLATION=chroot", "TMPDIR="+filepath.Join(b.dir, "cache"))
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		b.Fatalf("%s %q: %v\n%s", name, args, err, &out)
	}
	return out.String()
}

func (b *builder) makeDir(path string) {
	b.Helper()
	if err := os.MkdirAll(path, 0o755); err != nil {
		b.Fatal(err)
	}
}

func (b *builder) write(path, text string) {
	b.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		b.Fatal(err)
	}
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// checkout copies the project as a clone of it would be, with the edits in it, and
// returns the commit. It is the same, byte by byte, whenever nothing was changed.
func (b *builder) checkout(dir string, edit func(project.Copy)) (commit string) {
	b.Helper()
	c, err := project.New(top, dir)
	if err != nil {
		b.Fatal(err)
	}
	edit(c)
	var out strings.Builder
	for _, args := range [][]string{
		{"init", "-q"}, {"add", "-A"}, {"commit", "-qm", "A copy"},
		{"read-tree", "HEAD"}, // without the files' times
		{"rev-parse", "HEAD"},
	} {
		out.Reset()
		date := "2026-01-01T00:00:00Z"
		if err := c.Stream(&out, []string{"GIT_AUTHOR_DATE=" + date, "GIT_COMMITTER_DATE=" + date}, "git", args...); err != nil {
			b.Fatalf("git %s: %v\n%s", args[0], err, &out)
		}
	}
	return strings.TrimSpace(out.String())
}

// A config is what an image says about how it is to be run.
type config struct {
	User       string
	Env        []string
	Entrypoint []string
	Volumes    map[string]struct{}
}

// unpack returns the files of an image, in a directory of their own, and its config.
func (b *builder) unpack(name string) (root string, _ config) {
	b.Helper()
	id := strings.TrimSpace(b.buildah("from", "--signature-policy", b.policy, "--pull-never", name))
	b.Cleanup(func() { b.buildah("rm", id) })
	var image struct {
		OCIv1 struct{ Config config }
	}
	if err := json.Unmarshal([]byte(b.buildah("inspect", "--type", "image", name)), &image); err != nil {
		b.Fatal(err)
	}
	return strings.TrimSpace(b.buildah("mount", id)), image.OCIv1.Config
}
