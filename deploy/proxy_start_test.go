package deploy_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"example.org/portal/routes/routestest"
)

// startProxy runs the program with the file that people copy, in which only
// names, paths and ports are replaced, before one instance of the app or three.
// It returns the authorities to trust.
func startProxy(t testing.TB, d deployment, port, tlsPort string, backends ...string) *x509.CertPool {
	t.Helper()
	path := routestest.Program(t, d.program)
	dir := t.TempDir()
	// The proxy's workers, which are nobody, read what lies below.
	if err := os.Chmod(filepath.Dir(dir), 0o755); err != nil {
		t.Fatal(err)
	}
	certificate, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	trusted := writeCertificate(t, certificate, key)
	if err := os.WriteFile(filepath.Join(dir, "index.html"), []byte("the neighbour"), 0o644); err != nil {
		t.Fatal(err)
	}

	replace := []string{"https://" + d.host, "https://localhost:" + tlsPort}
	if d.program == "apache2" || d.program == "nginx" {
		replace = append(replace,
			"/etc/ssl/certs/"+d.host+".pem", certificate,
			"/etc/ssl/private/"+d.host+".key", key,
			d.host, "localhost")
	}
	if d.several {
		for i, address := range []string{"192.0.2.11:8888", "192.0.2.12:8888", "192.0.2.13:8888"} {
			replace = append(replace, address, backends[i%len(backends)])
		}
	}
	if d.path != "" {
		replace = append(replace, "/var/www/html", dir)
	}
	conf, errorLog := filepath.Join(dir, "main.conf"), filepath.Join(dir, "error.log")
	var around string
	var args []string
	switch d.program {
	case "apache2":
		replace = append(replace, "http://127.0.0.1:8888", "http://"+backends[0],
			"*:80>", "127.0.0.1:"+port+">", "*:443>", "127.0.0.1:"+tlsPort+">")
		around, args = aroundApache(dir, errorLog, port, tlsPort), []string{"-f", conf, "-D", "FOREGROUND"}
	case "nginx":
		if !d.several {
			replace = append(replace, "http://127.0.0.1:8888", "http://app")
		}
		replace = append(replace,
			"listen 80;", "listen 127.0.0.1:"+port+";", "listen 443 ", "listen 127.0.0.1:"+tlsPort+" ",
			"[::]:80", "127.0.0.1:"+routestest.FreePort(t), "[::]:443", "127.0.0.1:"+routestest.FreePort(t)) // there may be no IPv6 here
		around, args = aroundNginx(dir, backends[0]), []string{"-c", conf, "-p", dir, "-e", errorLog}
	case "haproxy":
		bundle := filepath.Join(dir, "bundle.pem")
		join(t, bundle, certificate, key)
		replace = append(replace, "/etc/haproxy/"+d.host+".pem", bundle, "/dev/log", "stderr format raw",
			":80\n", "127.0.0.1:"+port+"\n", ":443 ", "127.0.0.1:"+tlsPort+" ")
		if os.Geteuid() != 0 {
			replace = append(replace, "user haproxy\n", "\n", "group haproxy\n", "\n")
		}
		args = []string{"-db", "-f", filepath.Join(dir, "site.conf")} // its file is whole
	case "caddy":
		replace = append(replace, d.host+" {\n", fmt.Sprintf("localhost {\n\tbind 127.0.0.1\n\ttls %s %s\n", certificate, key), "portal:8888", backends[0],
			"http:// {\n", "http:// {\n\tbind 127.0.0.1\n")
		around = fmt.Sprintf("{\n\tadmin off\n\thttp_port %s\n\thttps_port %s\n\tstorage file_system %s\n}\nimport site.conf\n", port, tlsPort, dir)
		args = []string{"run", "--config", conf, "--adapter", "caddyfile"}
	}
	writeSite(t, filepath.Join(dir, "site.conf"), d.file, replace)
	if err := os.WriteFile(conf, []byte(around), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, args...)
	cmd.Env = append(os.Environ(), "XDG_CONFIG_HOME="+dir) // where Caddy notes what it serves
	serveUntilEnd(t, cmd, errorLog)
	for _, p := range []string{port, tlsPort} { // Caddy opens one after the other
		routestest.Await(t, d.program+" listens", func() bool { return listens(p) })
	}
	return trusted
}

// listens reports whether somebody listens on a port of this machine.
func listens(port string) bool {
	c, err := net.Dial("tcp", "127.0.0.1:"+port)
	if err != nil {
		return false
	}
	c.Close()
	return true
}

// writeSite copies a file that people copy, with the names in it replaced.
func writeSite(t testing.TB, to, from string, replace []string) {
	t.Helper()
	deployed, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(replace); i += 2 {
		if !strings.Contains(string(deployed), replace[i]) {
			t.Fatalf("%s lacks %q", from, replace[i])
		}
	}
	if err := os.WriteFile(to, []byte(strings.NewReplacer(replace...).Replace(string(deployed))), 0o600); err != nil {
		t.Fatal(err)
	}
}

// serveUntilEnd starts a proxy, and stops it when the test ends.
func serveUntilEnd(t testing.TB, cmd *exec.Cmd, errorLog string) {
	t.Helper()
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
		case <-time.After(time.Minute):
			_ = cmd.Process.Kill()
			<-ended
			t.Error("the proxy did not end by itself")
		}
		if t.Failed() {
			said, _ := os.ReadFile(errorLog)
			t.Logf("the proxy: %s\n%s", output.String(), said)
		}
	})
}

// aroundApache is what a distribution's own configuration brings.
func aroundApache(dir, errorLog, port, tlsPort string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "ServerRoot %q\nDefaultRuntimeDir %q\nPidFile %q\nErrorLog %q\n",
		dir, dir, filepath.Join(dir, "pid"), errorLog)
	fmt.Fprintf(&b, "ServerName localhost\nListen 127.0.0.1:%s\nListen 127.0.0.1:%s\n", port, tlsPort)
	for _, module := range []string{"mpm_event", "authz_core", "alias", "dir", "headers", "ssl", "proxy", "proxy_http"} {
		fmt.Fprintf(&b, "LoadModule %s_module /usr/lib/apache2/modules/mod_%s.so\n", module, module)
	}
	if os.Geteuid() == 0 {
		b.WriteString("User www-data\nGroup www-data\n")
	}
	// The host has error pages of its own; those of the app reach people all the same.
	b.WriteString("ProxyErrorOverride On\nErrorDocument 404 \"a page of the host\"\n")
	b.WriteString("DirectoryIndex index.html\nInclude site.conf\n")
	return b.String()
}

// aroundNginx is what a distribution's own configuration brings, and an app at
// two addresses: with one, nginx has no choice but to send each request once.
func aroundNginx(dir, backend string) string {
	var b strings.Builder
	b.WriteString("daemon off;\npid pid;\nevents {}\nhttp {\n")
	fmt.Fprintf(&b, "upstream app { server %s max_fails=0; server %s max_fails=0; }\n", backend, backend)
	for _, kind := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		fmt.Fprintf(&b, "%s_temp_path %s;\n", kind, filepath.Join(dir, kind))
	}
	// As above.
	b.WriteString("proxy_intercept_errors on;\nerror_page 404 /a-page-of-the-host;\n")
	b.WriteString("access_log off;\ninclude site.conf;\n}\n")
	return b.String()
}

// join writes the content of several files into one.
func join(t testing.TB, to string, from ...string) {
	t.Helper()
	var all []byte
	for _, name := range from {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, content...)
	}
	if err := os.WriteFile(to, all, 0o600); err != nil {
		t.Fatal(err)
	}
}

// writeCertificate makes a certificate for localhost that signs itself.
func writeCertificate(t testing.TB, certificate, key string) *x509.CertPool {
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
