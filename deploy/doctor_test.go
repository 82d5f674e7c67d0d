package deploy_test

import (
	"crypto"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"example.org/portal/globus/globustest"
	"example.org/portal/routes/routestest"
)

// environment returns the settings that a site runs with.
func environment(s *routestest.Site) []string {
	return []string{
		"GLOBUS_CLIENT_ID=" + routestest.ClientID, "GLOBUS_CLIENT_SECRET=" + routestest.ClientSecret, "GLOBUS_ISSUER=" + s.Globus.URL,
		"LISTEN=" + s.Server.Listener.Addr().String(), "PUBLIC_URL=" + s.URL, "SESSION_STORE=sqlite:" + filepath.Join(s.Dir, "sessions.db"),
	}
}

// check runs the doctor beside the site, with the site's settings but for those
// in env, and returns what it says.
func check(s *routestest.Site, env ...string) (said string, well bool) {
	s.T.Helper()
	path, err := binary()
	if err != nil {
		s.T.Fatal(err)
	}
	cmd := exec.CommandContext(s.T.Context(), path, "-check")
	cmd.Dir = s.T.TempDir()
	cmd.Env = append(append([]string{"HOME=" + cmd.Dir}, environment(s)...), env...)
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil || cmd.ProcessState.ExitCode() > 1 {
		s.T.Fatalf("%v:\n%s", err, out)
	}
	for _, secret := range []string{routestest.ClientSecret, url.QueryEscape(routestest.ClientSecret), "canary"} {
		if strings.Contains(string(out), secret) {
			s.T.Errorf("it tells %q:\n%s", secret, out)
		}
	}
	return string(out), err == nil
}

func TestCheckWell(t *testing.T) {
	t.Parallel()
	s := routestest.Start(t, routestest.Options{})
	if err := os.Chmod(s.Dir, 0o700); err != nil {
		t.Fatal(err)
	}
	s.Browser().SignIn("rosalind")
	said, well := check(s)
	if !well {
		t.Error("it found fault")
	}
	want := []string{
		"portal ",
		"✓ Settings: can be used",
		"– Redirect URI: " + s.URL + "/login must be registered, character for character",
		"✓ Globus Auth: " + s.Globus.URL + " answers",
		"✓ Signing keys: 1 can be used",
		"✓ Clock: within 1m0s of Globus's",
		"✓ Client id and secret: Globus accepts them",
		"– Redirect URI at Globus: Globus did not refuse it",
		"✓ Session store: " + filepath.Join(s.Dir, "sessions.db"),
		"✓ Session store, permissions: no other user can",
		"✓ App: runs at " + s.Server.Listener.Addr().String(),
		"✓ Public address: " + s.URL + "/ is this app",
		"! Who may enter: anyone with any Globus identity, Google and ORCID included",
	}
	lines := slices.DeleteFunc(strings.Split(strings.TrimSpace(said), "\n"), func(line string) bool {
		return strings.Contains(line, " Page /") // the pages of a copy are its own
	})
	for i, line := range lines {
		if i >= len(want) || !strings.HasPrefix(line, want[i]) {
			t.Errorf("line %d is %q", i+1, line)
		}
	}
	if len(lines) != len(want) {
		t.Errorf("got %d lines, want %d", len(lines), len(want))
	}
	if n := s.Globus.LiveTokens(); n != 4 {
		t.Errorf("%d tokens live, want the person's 4", n)
	}
}

// TestCheckFinds breaks one thing a row.
func TestCheckFinds(t *testing.T) {
	t.Parallel()
	s := routestest.Start(t, routestest.Options{})
	if err := os.Chmod(s.Dir, 0o700); err != nil {
		t.Fatal(err)
	}
	other := routestest.Start(t, routestest.Options{}) // another portal, at an address of its own
	lie := func(path string, f globustest.Fault) globustest.Lie {
		return globustest.Lie{Endpoints: map[string]globustest.Fault{path: f}}
	}
	late := func(ahead time.Duration) globustest.Lie {
		return lie(globustest.DiscoveryPath, globustest.Fault{Body: discovery(t, s, nil),
			Header: http.Header{"Date": {time.Now().Add(-ahead).UTC().Format(http.TimeFormat)}}})
	}
	nobody := "127.0.0.1:" + routestest.FreePort(t)
	notes := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "canary") }))
	defer notes.Close()
	elsewhere := httptest.NewServer(http.RedirectHandler("https://sso.example.edu/login?state=canary", http.StatusFound))
	defer elsewhere.Close()
	gateway := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }))
	defer gateway.Close()
	strips := httptest.NewServer(httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: s.Server.Listener.Addr().String()}))
	defer strips.Close()
	secure := httptest.NewUnstartedServer(http.NotFoundHandler())
	secure.Config.ErrorLog = log.New(io.Discard, "", 0) // handshakes fail here
	secure.StartTLS()
	defer secure.Close()
	_, securePort, _ := net.SplitHostPort(secure.Listener.Addr().String())
	authority := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(authority, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: secure.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	expired := expiredServer(t, secure)
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	open := t.TempDir()
	if err := os.Chmod(open, 0o777); err != nil {
		t.Fatal(err)
	}
	inOpen := filepath.Join(open, "sessions.db")
	if err := os.WriteFile(inOpen, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	shared := filepath.Join(t.TempDir(), "sessions.db")
	if err := os.WriteFile(shared, nil, 0o644); err != nil {
		t.Fatal(err)
	}

	tests := []struct {
		name string
		lie  globustest.Lie
		env  []string
		want []string // on a line ✗ or !, and in the remedy below it
	}{
		{"wrong settings", globustest.Lie{}, []string{"SESSION_LIFETIME=long", "LOG_FORMAT=xml", "GLOBUS_FOO=canary"}, []string{
			"✗ Settings: SESSION_LIFETIME", "✗ Settings: LOG_FORMAT", "! Settings: GLOBUS_FOO", "✓ Client id", "✓ Public address"}},
		{"no client", globustest.Lie{}, []string{"GLOBUS_CLIENT_ID=", "GLOBUS_CLIENT_SECRET="}, []string{
			"✗ Settings: GLOBUS_CLIENT_ID is not set", "✗ Settings: GLOBUS_CLIENT_SECRET is not set", "✓ Signing keys", "– Client id and secret: not checked", "✓ Public address"}},
		{"no public URL", globustest.Lie{}, []string{"PUBLIC_URL=http://portal.example.edu"}, []string{
			"✗ Settings: PUBLIC_URL must be https", "– Redirect URI: not checked", "✓ Client id", "– Public address: not checked"}},
		{"no issuer", globustest.Lie{}, []string{"GLOBUS_ISSUER=http://auth.example.edu"}, []string{
			"✗ Settings: GLOBUS_ISSUER", "– Globus Auth: not checked: correct GLOBUS_ISSUER", "✓ Session store"}},
		{"no address, no store", globustest.Lie{}, []string{"LISTEN=8888", "SESSION_STORE=x"}, []string{
			"✗ Settings: LISTEN", "✗ Settings: SESSION_STORE", "– App: not checked", "– Session store: not checked", "✓ Public address"}},

		{"address not to be guessed", globustest.Lie{}, []string{"LISTEN=8888", "PUBLIC_URL="}, []string{
			"✗ Settings: LISTEN", "– Redirect URI: not checked", "– Public address: not checked"}},

		{"wrong secret", globustest.Lie{}, []string{"GLOBUS_CLIENT_SECRET=canary"}, []string{
			"✗ Client id and secret: " + s.Globus.URL + ": refresh: refused invalid_client (HTTP 401)", "belongs to another client id", "✓ Clock"}},
		{"issuer down", globustest.Lie{}, []string{"GLOBUS_ISSUER=http://" + nobody}, []string{
			"✗ Globus Auth: http://" + nobody + ": discovery: unreachable", "refused", "HTTPS_PROXY=", "– Signing keys: not checked", "– Client id and secret: not checked"}},
		{"issuer unknown", globustest.Lie{}, []string{"GLOBUS_ISSUER=https://auth.invalid"}, []string{
			"✗ Globus Auth: https://auth.invalid: discovery: unreachable", "look up that name", "HTTPS_PROXY="}},
		{"issuer of unknown authority", globustest.Lie{}, []string{"GLOBUS_ISSUER=" + secure.URL}, []string{
			"✗ Globus Auth", "unknown authority", "SSL_CERT_FILE="}},
		{"issuer is something else", globustest.Lie{}, []string{"GLOBUS_ISSUER=" + secure.URL, "SSL_CERT_FILE=" + authority}, []string{
			"✗ Globus Auth: " + secure.URL + ": discovery: status (HTTP 404)", "check the issuer", "✗ Signing keys"}},
		{"proxy down", globustest.Lie{}, []string{"GLOBUS_ISSUER=https://auth.invalid", "HTTPS_PROXY=http://" + nobody}, []string{
			"✗ Globus Auth", "HTTPS_PROXY names a proxy that does not answer"}},
		{"issuer ill", lie(globustest.DiscoveryPath, globustest.Fault{Status: 503, Body: "canary"}), nil, []string{
			"✗ Globus Auth", "HTTP 503", "https://status.globus.org", "✓ Client id"}},
		{"other endpoints", lie(globustest.DiscoveryPath, globustest.Fault{Body: discovery(t, s, map[string]any{
			"token_endpoint": "https://auth.globus.org/v3/token", "id_token_signing_alg_values_supported": []string{"ES256"}, "jwks_uri": nil})}), nil, []string{
			`token_endpoint is "https://auth.globus.org/v3/token", not "` + s.Globus.URL + `/v2/oauth2/token"; jwks_uri is ""`, "lacks RS512", "Check GLOBUS_ISSUER"}},
		{"no keys", lie(globustest.KeysPath, globustest.Fault{Body: `{"keys":[]}`}), nil, []string{
			"✗ Signing keys", "no usable RSA key", "✓ Client id"}},
		{"clock 10 min ahead", late(10 * time.Minute), nil, []string{
			"✗ Clock: 10m", "ahead of Globus's; beyond 5m0s nobody can sign in", "chrony"}},
		{"clock 10 min behind", late(-10 * time.Minute), nil, []string{"✗ Clock: ", "behind Globus's; beyond 5m0s", "chrony"}},
		{"redirect URI not registered", globustest.Lie{}, []string{"PUBLIC_URL=" + other.URL}, []string{
			"! Redirect URI at Globus", "Mismatching redirect URI", "character for character", "✗ Public address", "redirects to \"" + other.Globus.URL}},

		{"store nowhere", globustest.Lie{}, []string{"SESSION_STORE=sqlite:" + file + "/sessions.db"}, []string{
			"✗ Session store: ", "not a directory", "SESSION_STORE must name a file on a local disk", "✓ App"}},
		{"store is no database", globustest.Lie{}, []string{"SESSION_STORE=sqlite:" + authority}, []string{
			"✗ Session store: " + authority, "not a database"}},
		{"store for everybody", globustest.Lie{}, []string{"SESSION_STORE=sqlite:" + shared}, []string{
			"✗ Session store, permissions: other users may open " + shared, "chmod 600 " + shared}},
		{"folder for everybody", globustest.Lie{}, []string{"SESSION_STORE=sqlite:" + inOpen}, []string{
			"✗ Session store, permissions: other users may write to " + open, "chmod 700 " + open}},

		{"app not running", globustest.Lie{}, []string{"LISTEN=" + nobody, "PUBLIC_URL=http://" + nobody}, []string{
			"✗ App: it does not answer at " + nobody, "Start it", "– Public address: not checked: the app does not run"}},
		{"another program in its place", globustest.Lie{}, []string{"LISTEN=" + notes.Listener.Addr().String()}, []string{
			"✗ App: another program answers", "Jupyter"}},
		{"no web server", globustest.Lie{}, []string{"PUBLIC_URL=https://" + nobody}, []string{
			"✗ Public address: https://" + nobody, "connection refused", "Start the web server"}},
		{"no such host", globustest.Lie{}, []string{"PUBLIC_URL=https://portal.invalid"}, []string{
			"✗ Public address: https://portal.invalid: ", "Add portal.invalid to the DNS"}},
		{"certificate of unknown authority", globustest.Lie{}, []string{"PUBLIC_URL=" + secure.URL}, []string{
			"✗ Public address", "unknown authority", "the whole chain"}},
		{"certificate for another name", globustest.Lie{}, []string{"PUBLIC_URL=https://localhost:" + securePort, "SSL_CERT_FILE=" + authority}, []string{
			"✗ Public address", "not localhost", "must have a certificate for localhost"}},
		{"certificate expired", globustest.Lie{}, []string{"PUBLIC_URL=" + expired}, []string{
			"✗ Public address: ", "certificate has expired", "certbot renew"}},
		{"no TLS", globustest.Lie{}, []string{"PUBLIC_URL=" + strings.Replace(notes.URL, "http", "https", 1)}, []string{
			"✗ Public address", "HTTP response to HTTPS client", "with TLS"}},
		{"another program at the address", globustest.Lie{}, []string{"PUBLIC_URL=" + notes.URL}, []string{
			"✗ Public address: " + notes.URL + "/login answers with status 200, from another program", "virtual host"}},
		{"nothing at the address", globustest.Lie{}, []string{"PUBLIC_URL=" + secure.URL, "SSL_CERT_FILE=" + authority}, []string{
			"✗ Public address", "status 404, from another program"}},
		{"redirected", globustest.Lie{}, []string{"PUBLIC_URL=" + elsewhere.URL}, []string{
			"✗ Public address", `redirects to "https://sso.example.edu/login", not to Globus`}},
		{"proxy without app", globustest.Lie{}, []string{"PUBLIC_URL=" + gateway.URL}, []string{
			"✗ Public address", "status 502: the proxy does not reach the app", "http://" + s.Server.Listener.Addr().String() + "/", "setsebool"}},
		{"proxy, app not running", globustest.Lie{}, []string{"PUBLIC_URL=" + gateway.URL, "LISTEN=" + nobody}, []string{
			"✗ App", "status 502: the proxy does not reach the app", "Start the app"}},
		{"path of another app", globustest.Lie{}, []string{"PUBLIC_URL=" + strips.URL + "/portal"}, []string{
			"✗ Public address", "status 404, from this app", "ProxyPass", "another PUBLIC_URL"}},
		{"app has another address", globustest.Lie{}, []string{"PUBLIC_URL=" + strips.URL}, []string{
			"✗ Public address: the app that answers there has another PUBLIC_URL: its redirect_uri is \"" + s.URL + "/login\"", "Restart"}},
		{"app has another client", globustest.Lie{}, []string{"GLOBUS_CLIENT_ID=" + strings.Replace(routestest.ClientID, "c11e", "c12e", 1)}, []string{
			"! Redirect URI at Globus", "Invalid client_id", "✗ Public address: the app that answers there has another GLOBUS_CLIENT_ID"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s.Globus.Lie(test.lie)
			s.T = t
			said, well := check(s, test.env...)
			if well {
				t.Error("it found nothing")
			}
			for _, want := range test.want {
				if !strings.Contains(said, want) {
					t.Errorf("it does not say %q:\n%s", want, said)
				}
			}
		})
	}
}

// expiredServer returns the URL of a server like another, but with a
// certificate of last year.
func expiredServer(t *testing.T, like *httptest.Server) string {
	t.Helper()
	key := like.TLS.Certificates[0].PrivateKey.(crypto.Signer)
	old := *like.Certificate()
	old.NotBefore, old.NotAfter = time.Now().AddDate(-1, 0, 0), time.Now().Add(-time.Hour)
	der, err := x509.CreateCertificate(rand.Reader, &old, &old, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.Config.ErrorLog = like.Config.ErrorLog
	server.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
	server.StartTLS()
	t.Cleanup(server.Close)
	return server.URL
}

// A proxy that strips the path of PUBLIC_URL.
func TestCheckPathStripped(t *testing.T) {
	t.Parallel()
	proxy := httptest.NewUnstartedServer(nil)
	defer proxy.Close()
	s := routestest.Start(t, routestest.Options{PublicURL: "http://" + proxy.Listener.Addr().String() + "/portal"})
	proxy.Config.Handler = http.StripPrefix("/portal", s.App)
	proxy.Start()
	said, well := check(s)
	if want := "✗ Public address: " + s.URL + "/login answers with status 404, from this app"; well || !strings.Contains(said, want) {
		t.Errorf("it does not say %q:\n%s", want, said)
	}
}

// What may be meant so is mentioned, and is no fault.
func TestCheckWarns(t *testing.T) {
	t.Parallel()
	s := routestest.Start(t, routestest.Options{})
	s.Globus.Lie(globustest.Lie{Endpoints: map[string]globustest.Fault{globustest.DiscoveryPath: {Body: discovery(t, s, nil),
		Header: http.Header{"Date": {time.Now().Add(-3 * time.Minute).UTC().Format(http.TimeFormat)}}}}})
	said, well := check(s)
	for _, want := range []string{"! Clock: 3m", "chrony"} {
		if !strings.Contains(said, want) {
			t.Errorf("it does not say %q", want)
		}
	}
	memory, wellToo := check(s, "SESSION_STORE=memory:")
	if !strings.Contains(memory, "! Session store: in memory") {
		t.Error("it does not mention that the store is in memory")
	}
	if !well || !wellToo {
		t.Errorf("it found fault:\n%s\n%s", said, memory)
	}
}

// Nothing that hangs holds the doctor up for long.
func TestCheckHangs(t *testing.T) {
	t.Parallel()
	s := routestest.Start(t, routestest.Options{})
	wait := make(chan struct{})
	t.Cleanup(func() { close(wait) })
	s.Globus.Lie(globustest.Lie{Endpoints: map[string]globustest.Fault{globustest.DiscoveryPath: {Wait: wait}}})
	hangs := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	t.Cleanup(hangs.Close)
	begin := time.Now()
	said, well := check(s, "PUBLIC_URL="+hangs.URL)
	for _, want := range []string{"✗ Globus Auth: " + s.Globus.URL + ": discovery: timeout", "HTTPS_PROXY=", "! Public address: " + hangs.URL + " does not answer this machine in time"} {
		if well || !strings.Contains(said, want) {
			t.Errorf("it does not say %q:\n%s", want, said)
		}
	}
	if took := time.Since(begin); took > time.Minute {
		t.Errorf("it took %s", took)
	}
}

// The doctor makes nothing that would belong to whoever runs it.
func TestCheckMakesNothing(t *testing.T) {
	t.Parallel()
	s := routestest.Start(t, routestest.Options{})
	dir := t.TempDir()
	path := filepath.Join(dir, "data", "sessions.db")
	said, well := check(s, "SESSION_STORE=sqlite:"+path)
	if want := "✓ Session store: " + path + ", which the app will create"; !well || !strings.Contains(said, want) {
		t.Errorf("it does not say %q:\n%s", want, said)
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) > 0 {
		t.Errorf("it left %v in the folder (%v)", left, err)
	}
}

func TestCheckDemo(t *testing.T) {
	t.Parallel()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(path, "-check", "-demo").CombinedOutput()
	if want := "leave out one of them"; err == nil || !strings.Contains(string(out), want) {
		t.Errorf("it does not say %q:\n%s", want, out)
	}
}

// discovery returns the emulator's discovery document, changed.
func discovery(t *testing.T, s *routestest.Site, changes map[string]any) string {
	t.Helper()
	doc := map[string]any{}
	p := s.Browser().Get(s.Globus.URL + globustest.DiscoveryPath)
	if err := json.Unmarshal([]byte(p.Body), &doc); err != nil {
		t.Fatal(err)
	}
	for name, value := range changes {
		doc[name] = value
	}
	b, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
