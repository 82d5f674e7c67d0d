package deploy_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"example.org/portal/globus/globustest"
	"example.org/portal/routes/routestest"
)

// TestRollback replaces the app by a later one, whose records are of another
// version, and that by the first again: either finds nobody signed in, and
// people sign in as ever.
func TestRollback(t *testing.T) {
	t.Parallel()
	now, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	later := buildLater(t)
	auth := globustest.NewServer(globustest.Config{Key: routestest.SigningKey()})
	defer auth.Close()
	dir, port := t.TempDir(), routestest.FreePort(t)
	s := &routestest.Site{T: t, URL: "http://localhost:" + port, Globus: auth, Dir: dir}
	auth.Register(globustest.Client{ID: routestest.ClientID, Secret: routestest.ClientSecret, RedirectURIs: []string{s.URL + "/login"}})
	b := s.Browser()
	for i, path := range []string{now, now, later, later, now} {
		cmd := exec.Command(path)
		cmd.Dir = dir
		cmd.Env = []string{"HOME=" + dir, "GLOBUS_CLIENT_ID=" + routestest.ClientID, "GLOBUS_CLIENT_SECRET=" + routestest.ClientSecret, "GLOBUS_ISSUER=" + auth.URL, "LISTEN=127.0.0.1:" + port}
		app := runCommand(t, cmd)
		same := i == 1 || i == 3
		if p := b.Get("/"); p.Status != 200 || strings.Contains(p.Body, "Rosalind") != same {
			t.Errorf("start %d: got %d; want somebody signed in: %v\n%s", i, p.Status, same, app.log)
		}
		// The other version's record is no session, but may be one again.
		if _, session := b.Cookie("session"); (session != "") != (i > 0) {
			t.Errorf("start %d: the browser has a session cookie: %v", i, session != "")
		}
		if !same {
			if p := b.SignIn("rosalind"); !strings.Contains(p.Body, "Rosalind") {
				t.Errorf("start %d: nobody can sign in: %d\n%s", i, p.Status, app.log)
			}
		}
		if strings.Contains(app.log.String(), `"level":"ERROR"`) {
			t.Errorf("start %d:\n%s", i, app.log)
		}
		app.kill()
	}
}

// buildLater builds the app with a later version of its records.
func buildLater(t *testing.T) string {
	t.Helper()
	codec, err := filepath.Abs("../routes/session/codec.go")
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile(codec)
	if err != nil {
		t.Fatal(err)
	}
	changed := regexp.MustCompile(`const recordVersion = \d+`).ReplaceAll(source, []byte("const recordVersion = 1000"))
	if bytes.Equal(changed, source) {
		t.Fatal("routes/session/codec.go names no version")
	}
	dir := t.TempDir()
	replaced, overlay, path := filepath.Join(dir, "codec.go"), filepath.Join(dir, "overlay.json"), filepath.Join(dir, "portal")
	list, err := json.Marshal(map[string]any{"Replace": map[string]string{codec: replaced}})
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{replaced: changed, overlay: list} {
		if err := os.WriteFile(name, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("go", "build", "-race=false", "-ldflags=-s -w", "-overlay", overlay, "-o", path, ".")
	cmd.Dir = ".."
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return path
}
