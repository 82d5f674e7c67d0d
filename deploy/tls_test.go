package deploy_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"example.org/portal/routes/routestest"
)

// TestTLS: the app as it is shipped sends a code only where the certificate
// is good, in a version of TLS that is, and falls back to nothing else.
func TestTLS(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "darwin" {
		routestest.Skip(t, "needs SSL_CERT_FILE, which Go ignores on macOS")
	}
	trusted, foreign := newAuthority(t), newAuthority(t)
	good := trusted.issue(t, func(*x509.Certificate) {})
	over := func(c tls.Certificate) *tls.Config { return &tls.Config{Certificates: []tls.Certificate{c}} }
	limited := over(good)
	limited.MinVersion, limited.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
	never := make(chan struct{})
	tests := []struct {
		name    string
		tls     *tls.Config // nil: the server speaks plain HTTP
		status  int
		wantLog string
	}{
		{"good", over(good), 400, "invalid_grant"},
		{"expired", over(trusted.issue(t, func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) })), 503, "expired"},
		{"not valid yet", over(trusted.issue(t, func(c *x509.Certificate) { c.NotBefore = time.Now().Add(time.Minute) })), 503, "not yet valid"},
		{"of another address", over(trusted.issue(t, func(c *x509.Certificate) { c.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 2)} })), 503, "127.0.0.1"},
		{"of another name", over(trusted.issue(t, func(c *x509.Certificate) { c.IPAddresses, c.DNSNames = nil, []string{"auth.globus.org"} })), 503, "127.0.0.1"},
		{"of a name that looks like the address", over(trusted.issue(t, func(c *x509.Certificate) { c.IPAddresses, c.DNSNames = nil, []string{"127.0.0.1"} })), 503, "127.0.0.1"},
		{"of a client", over(trusted.issue(t, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} })), 503, "key usage"},
		{"of an unknown authority", over(foreign.issue(t, func(*x509.Certificate) {})), 503, "unknown authority"},
		{"self-signed", over(foreign.cert), 503, "127.0.0.1"},
		{"TLS 1.1", limited, 503, "protocol version"},
		{"plain HTTP", nil, 503, "HTTP"},
		{"a handshake that stalls", &tls.Config{GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
			<-never
			return nil, io.EOF
		}}, 503, "timeout"},
	}

	var as atomic.Pointer[tls.Config]
	var asked atomic.Int32
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		w.Header().Set("Connection", "close") // the next one shakes hands anew
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `{"error":"invalid_grant"}`)
	}))
	server.Listener = dressed{server.Listener, &as}
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.Start()
	defer server.Close()
	defer close(never) // or Close would wait for it
	s := startOver(t, "https://"+server.Listener.Addr().String(), trusted)

	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			as.Store(test.tls)
			asked.Store(0)
			s.Log.Forget()
			b := s.Browser()
			begun, err := url.Parse(b.Get("/login").Header.Get("Location"))
			if err != nil {
				t.Fatal(err)
			}
			p := b.Get("/login?code=canary-code&state=" + begun.Query().Get("state"))
			if p.Status != test.status || !strings.HasPrefix(p.Reason(), map[int]string{400: "link_used", 503: "globus_"}[test.status]) {
				t.Errorf("got %d %s, want %d and why:\n%s", p.Status, p.Reason(), test.status, p.Body)
			}
			routestest.Await(t, "the log says why", func() bool { return strings.Contains(s.Log.String(), test.wantLog) })
			if strings.Contains(s.Log.String(), "canary") {
				t.Errorf("the log has the code:\n%s", s.Log)
			}
			want := int32(0)
			if test.name == "good" {
				want = 1
			}
			if got := asked.Load(); got != want {
				t.Errorf("the code was sent %d times, want %d", got, want)
			}
		})
	}
}

// startOver starts the app with an issuer whose certificates trusted issues.
func startOver(t *testing.T, issuer string, trusted authority) *routestest.Site {
	t.Helper()
	dir, port := t.TempDir(), routestest.FreePort(t)
	roots := filepath.Join(dir, "roots.pem")
	if err := os.WriteFile(roots, trusted.pem, 0o600); err != nil {
		t.Fatal(err)
	}
	app := run(t, dir, []string{
		"GLOBUS_CLIENT_ID=" + routestest.ClientID, "GLOBUS_CLIENT_SECRET=" + routestest.ClientSecret, "GLOBUS_ISSUER=" + issuer,
		"LISTEN=127.0.0.1:" + port, "SSL_CERT_FILE=" + roots, "LOG_LEVEL=debug",
	})
	return &routestest.Site{T: t, URL: "http://localhost:" + port, Dir: dir, Log: app.log}
}

// A dressed listener puts TLS on its connections as the test has it just now.
type dressed struct {
	net.Listener
	as *atomic.Pointer[tls.Config]
}

func (l dressed) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if as := l.as.Load(); err == nil && as != nil {
		return tls.Server(conn, as), nil
	}
	return conn, err
}

// An authority issues certificates.
type authority struct {
	cert tls.Certificate
	pem  []byte
}

func newAuthority(t *testing.T) authority {
	t.Helper()
	cert := issue(t, nil, &x509.Certificate{IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign})
	return authority{cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Certificate[0]})}
}

// issue makes a certificate for a server at 127.0.0.1, but as edit has it.
func (a authority) issue(t *testing.T, edit func(*x509.Certificate)) tls.Certificate {
	t.Helper()
	template := &x509.Certificate{
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		NotBefore:   time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	edit(template)
	return issue(t, &a.cert, template)
}

// issue signs a certificate with that of an issuer, or its own if there is none.
func issue(t *testing.T, by *tls.Certificate, template *x509.Certificate) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template.SerialNumber, template.Subject = big.NewInt(1), pkix.Name{CommonName: "test"}
	if template.NotAfter.IsZero() {
		template.NotBefore, template.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	}
	parent, signer := template, any(key)
	if by != nil {
		parent, signer = by.Leaf, by.PrivateKey
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}
