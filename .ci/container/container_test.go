package container

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/pem"
	"io"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"example.org/portal/.ci/project"
	"example.org/portal/globus/globustest"
	"example.org/portal/routes/routestest"
)

// TestContainer: the Containerfile, as it is, makes an image of one program, which
// knows its commit and runs as the image says, on a file system that it cannot write
// to. People sign in there over https, they stay signed in when it is started anew with
// the same volume, and it stops at once and cleanly when it is told to.
func TestContainer(t *testing.T) {
	auth := startGlobus(t)
	b, dir := newBuilder(t, auth.authority), t.TempDir()
	commit := b.checkout(dir, func(project.Copy) {})
	b.build("portal", filepath.Join(dir, containerfile), dir)
	root, config := b.unpack("portal")

	var files []string
	if err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			files = append(files, strings.TrimPrefix(path, root))
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if want := []string{"/etc/ssl/certs/ca-certificates.crt", "/portal"}; !slices.Equal(files, want) {
		t.Errorf("the image has the files %q, want %q", files, want)
	}

	m := newMachine(t, auth, root, config)
	app := m.start()
	if owner := app.status("Uid"); owner != "65532" {
		t.Errorf("it runs as user %s, want 65532", owner)
	}
	if !app.readOnly() {
		t.Error("its file system may be written to")
	}
	if first, _, _ := strings.Cut(app.log.String(), "\n"); !strings.Contains(first, commit) || !strings.Contains(first, `"modified":false`) {
		t.Errorf("the log does not begin with the commit %s alone: %s", commit, first)
	}
	person := m.browser()
	if home := person.SignIn("rosalind"); !home.Has("user-card") {
		t.Fatalf("not signed in: %d\n%s\n%s", home.Status, home.Body, app.log)
	}
	app.stop()
	app = m.start()
	if !person.SignedIn() {
		t.Errorf("the session did not survive:\n%s", app.log)
	}
	app.stop()
}

// TestContainerEdited: when a page was edited, nothing else is compiled anew, and the
// page, which takes an upload, takes one that is larger than its memory.
func TestContainerEdited(t *testing.T) {
	auth := startGlobus(t)
	b, dir := newBuilder(t, auth.authority), t.TempDir()
	var module string
	b.checkout(dir, func(c project.Copy) { module = addUpload(t, c) })
	compiled := regexp.MustCompile(`(?s): RUN [^\n]*go build [^\n]*\n(.*?)--> (Using cache)?`).
		FindStringSubmatch(b.build("portal-edited", filepath.Join(dir, containerfile), dir))
	if compiled == nil {
		t.Fatal("nothing was built")
	}
	if compiled[2] == "" && !strings.Contains(compiled[1], module) {
		t.Errorf("Go does not say what it compiled: %s", compiled[1])
	}
	for line := range strings.Lines(compiled[1]) {
		if line = strings.TrimSpace(line); regexp.MustCompile(`^[\w.-]+(/[\w.-]+)*$`).MatchString(line) && !strings.HasPrefix(line+"/", module+"/") {
			t.Errorf("%s was compiled anew", line)
		}
	}

	root, config := b.unpack("portal-edited")
	m := newMachine(t, auth, root, config)
	app, person := m.start(), m.browser()
	form := person.SignIn("rosalind").Form()
	const size = 256 << 20
	hash := sha256.New()
	file := io.TeeReader(io.LimitReader(rand.NewChaCha8([32]byte{}), size), hash)
	got := person.Upload("/container-upload", form, "file", file)
	if want := hex.EncodeToString(hash.Sum(nil)); got.Status != http.StatusOK || !strings.Contains(got.Body, want) {
		t.Errorf("got %d, want %s:\n%s\n%s", got.Status, want, got.Body, app.log)
	}
	if peak := app.peakMemory(); peak > size {
		t.Errorf("it had up to %d MB in memory for a file of %d", peak>>20, size>>20)
	}
	app.stop()
}

// addUpload adds a page that takes a file and answers with its hash. It returns the
// path of the module.
func addUpload(t *testing.T, c project.Copy) string {
	t.Helper()
	mod, err := c.Read("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	module := regexp.MustCompile(`(?m)^module (\S+)$`).FindStringSubmatch(mod)[1]
	if err := c.Write("routes/container_upload.go", strings.ReplaceAll(`package routes

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"

	"MODULE/routes/session"
	"MODULE/routes/web"
)

func (a *App) addContainerUpload() {
	a.Handle("POST /container-upload", a.Auth.Required(func(w http.ResponseWriter, r *http.Request, _ *session.Session) error {
		file, _, err := r.FormFile("file")
		if err != nil {
			return err
		}
		defer file.Close()
		hash := sha256.New()
		if _, err := io.Copy(hash, file); err != nil {
			return err
		}
		return web.JSON(w, r, hex.EncodeToString(hash.Sum(nil)))
	}), web.MaxBody(1<<30))
}
`, "MODULE", module)); err != nil {
		t.Fatal(err)
	}
	const table = "func (a *App) routes() {\n"
	if err := c.Replace("routes/routes.go", table, table+"\ta.addContainerUpload()\n"); err != nil {
		t.Fatal(err)
	}
	return module
}

// A globusServer is an emulated Globus that is reached over https, as the real one.
type globusServer struct {
	*globustest.Server
	authority []byte // to be trusted, PEM; always the same
	transport http.RoundTripper
}

func startGlobus(t *testing.T) globusServer {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	emulator, err := globustest.New(globustest.Config{Issuer: "https://" + server.Listener.Addr().String(), Key: routestest.SigningKey()})
	if err != nil {
		t.Fatal(err)
	}
	server.Config.Handler = emulator
	server.StartTLS()
	t.Cleanup(server.Close)
	return globusServer{
		Server:    &globustest.Server{Emulator: emulator, URL: server.URL},
		authority: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}),
		transport: server.Client().Transport,
	}
}
