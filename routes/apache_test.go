package routes_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// The app behind a real Apache, with the very file that people copy.
func TestApache(t *testing.T) {
	apache := program(t, "apache2")
	port, tlsPort := freePort(t), freePort(t)
	s := start(t, options{publicURL: "https://localhost:" + tlsPort})
	client := startApache(t, apache, port, tlsPort, s.http.Listener.Addr().String())

	t.Run("on the wire", func(t *testing.T) {
		tests := []struct {
			url        string
			wantStatus int
			wantHeader map[string]string
		}{
			{"http://localhost:" + port + "/user", http.StatusMovedPermanently, map[string]string{"Location": s.url + "/user"}},
			{s.url + "/", http.StatusOK, map[string]string{"Strict-Transport-Security": "max-age=63072000"}},
			{s.url + "/no/such/page", http.StatusNotFound, map[string]string{"Strict-Transport-Security": "max-age=63072000"}},
		}
		for _, test := range tests {
			resp, err := client.Get(test.url)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if resp.StatusCode != test.wantStatus {
				t.Errorf("%s: got %d, want %d", test.url, resp.StatusCode, test.wantStatus)
			}
			for name, want := range test.wantHeader {
				if got := resp.Header.Get(name); got != want {
					t.Errorf("%s: %s is %q, want %q", test.url, name, got, want)
				}
			}
		}
	})

	c := startChromium(t, chromedp.IgnoreCertErrors)
	t.Run("with JavaScript", func(t *testing.T) { flow(t, c.person(t, s)) })
	t.Run("without JavaScript", func(t *testing.T) {
		p := c.person(t, s)
		p.noScript = true
		flow(t, p)
	})
	t.Run("cookies", func(t *testing.T) {
		p := c.person(t, s)
		p.tab().signIn()
		got := p.cookies()
		for _, name := range []string{"__Host-session", "__Host-csrf"} {
			k := got[name]
			if k == nil || !k.Secure || !k.HTTPOnly || k.Path != "/" || k.SameSite != network.CookieSameSiteLax {
				t.Errorf("%s: got %+v, want one that is Secure, HttpOnly, Lax, for /", name, k)
			}
			delete(got, name)
		}
		if len(got) > 0 {
			t.Errorf("other cookies: %v", got)
		}
	})
	t.Run("the app is restarted", func(t *testing.T) {
		addr := s.http.Listener.Addr().String()
		s.http.Close()
		for range 20 {
			if got := statusOf(t, client, s.url); got != http.StatusServiceUnavailable {
				t.Fatalf("without the app: got %d, want 503", got)
			}
		}
		l, err := net.Listen("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		again := httptest.NewUnstartedServer(s.app)
		again.Listener.Close()
		again.Listener = l
		again.Start()
		defer again.Close()
		for range 20 { // Apache has several processes
			if got := statusOf(t, client, s.url); got != http.StatusOK {
				t.Fatalf("the app is back: got %d, want 200 at once", got)
			}
		}
	})
}

func statusOf(t *testing.T, client *http.Client, url string) int {
	t.Helper()
	resp, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	return resp.StatusCode
}

// startApache runs Apache with deploy/apache.conf, names and ports replaced,
// and returns a client that trusts its certificate and follows no redirect.
func startApache(t *testing.T, apache, port, tlsPort, backend string) *http.Client {
	t.Helper()
	dir := t.TempDir()
	certificate, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	trusted := writeCertificate(t, certificate, key)

	deployed, err := os.ReadFile("../deploy/apache.conf")
	if err != nil {
		t.Fatal(err)
	}
	replace := []string{
		"https://portal.example.edu/", "https://localhost:" + tlsPort + "/",
		"/etc/ssl/certs/portal.example.edu.pem", certificate,
		"/etc/ssl/private/portal.example.edu.key", key,
		"portal.example.edu", "localhost",
		"*:80>", "127.0.0.1:" + port + ">",
		"*:443>", "127.0.0.1:" + tlsPort + ">",
		"http://127.0.0.1:8888/", "http://" + backend + "/",
	}
	for i := 0; i < len(replace); i += 2 {
		if !strings.Contains(string(deployed), replace[i]) {
			t.Fatalf("deploy/apache.conf lacks %q", replace[i])
		}
	}
	conf := filepath.Join(dir, "httpd.conf")
	errorLog := filepath.Join(dir, "error.log")
	text := serverConf(dir, errorLog, port, tlsPort) + strings.NewReplacer(replace...).Replace(string(deployed))
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}

	cmd := exec.Command(apache, "-f", conf, "-D", "FOREGROUND")
	var output strings.Builder
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM) // it ends its children itself
		select {
		case <-ended:
		case <-time.After(10 * time.Second):
			_ = cmd.Process.Kill()
			<-ended
			t.Error("Apache did not end by itself")
		}
		if t.Failed() {
			said, _ := os.ReadFile(errorLog)
			t.Logf("Apache: %s\n%s", output.String(), said)
		}
	})
	await(t, "Apache listens", func() bool {
		c, err := net.Dial("tcp", "127.0.0.1:"+tlsPort)
		if err == nil {
			c.Close()
		}
		return err == nil
	})

	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: trusted}}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// serverConf is what a distribution's own configuration brings.
func serverConf(dir, errorLog, port, tlsPort string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "ServerRoot %q\nDefaultRuntimeDir %q\nPidFile %q\nErrorLog %q\n", dir, dir, filepath.Join(dir, "pid"), errorLog)
	fmt.Fprintf(&b, "ServerName localhost\nListen 127.0.0.1:%s\nListen 127.0.0.1:%s\n", port, tlsPort)
	for _, module := range []string{"mpm_event", "authz_core", "alias", "ssl", "proxy", "proxy_http"} {
		fmt.Fprintf(&b, "LoadModule %s_module /usr/lib/apache2/modules/mod_%s.so\n", module, module)
	}
	if os.Geteuid() == 0 {
		b.WriteString("User www-data\nGroup www-data\n")
	}
	return b.String()
}

// writeCertificate makes a certificate for localhost that signs itself.
func writeCertificate(t *testing.T, certificate, key string) *x509.CertPool {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{CommonName: "localhost"},
		DNSNames:     []string{"localhost"},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(24 * time.Hour),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	write := func(name, kind string, content []byte) {
		if err := os.WriteFile(name, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: content}), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(certificate, "CERTIFICATE", der)
	write(key, "PRIVATE KEY", secret)
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	return pool
}
