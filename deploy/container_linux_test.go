package deploy_test

import (
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"example.org/portal/globus/globustest"
	"example.org/portal/routes/routestest"
)

// TestContainer builds the app as the Containerfile says, and runs it in a
// root that holds only what the Containerfile copies, as the user that it
// names. There the app must find all that it needs for a sign-in over https.
func TestContainer(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		routestest.Skip(t, "needs root, to change the root directory")
	}
	auth := tlsGlobus(t)
	img := buildImage(t, auth.authority)
	port := routestest.FreePort(t)
	s := &routestest.Site{T: t, URL: "http://localhost:" + port, Globus: auth.Server, Log: &routestest.Log{}}
	auth.Register(globustest.Client{ID: routestest.ClientID, Secret: routestest.ClientSecret, RedirectURIs: []string{s.URL + "/login"}})

	cmd := exec.Command(img.entrypoint[0], img.entrypoint[1:]...)
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: img.root, Credential: &syscall.Credential{Uid: img.uid, Gid: img.gid}}
	cmd.Env = append(img.env, "GLOBUS_CLIENT_ID="+routestest.ClientID, "GLOBUS_CLIENT_SECRET="+routestest.ClientSecret, "GLOBUS_ISSUER="+auth.URL,
		"LISTEN=127.0.0.1:"+port, "PUBLIC_URL="+s.URL) // the last one counts; the image's is for a network of its own
	app := runCommand(t, cmd)

	b := s.Browser()
	b.Client.Transport = auth.transport
	if p := b.Get("/livez"); p.Status != http.StatusOK {
		t.Errorf("/livez: got %d, want 200", p.Status)
	}
	if p := b.SignIn("rosalind"); !strings.Contains(p.Body, "Rosalind") {
		t.Errorf("not signed in: %d\n%s\n%s", p.Status, p.Body, app.log)
	}
	if log := app.log.String(); !strings.HasPrefix(log, "{") || !strings.Contains(strings.SplitN(log, "\n", 2)[0], imageCommit[:40]) {
		t.Errorf("the log does not begin with the commit:\n%s", log)
	}
	if p := b.Get("/"); !strings.Contains(p.Body, "4041c0b9e1d2 (2026-11-21)") {
		t.Errorf("the page does not name the commit:\n%s", p.Body)
	}
	if !routestest.IsFile(filepath.Join(img.root, "data", "sessions.db")) {
		t.Error("there is no store in /data")
	}
}

// A tlsServer is an emulated Globus that is reached over https, as the real one.
type tlsServer struct {
	*globustest.Server
	authority []byte // to be trusted, PEM
	transport http.RoundTripper
}

func tlsGlobus(t *testing.T) tlsServer {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	issuer := url.URL{Scheme: "https", Host: server.Listener.Addr().String()}
	emulator, err := globustest.New(globustest.Config{Issuer: issuer.String(), Key: routestest.SigningKey()})
	if err != nil {
		t.Fatal(err)
	}
	server.Config.Handler = emulator
	server.StartTLS()
	t.Cleanup(server.Close)
	return tlsServer{
		Server:    &globustest.Server{Emulator: emulator, URL: server.URL},
		authority: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}),
		transport: server.Client().Transport,
	}
}
