package deploy_test

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"example.org/portal/routes/routestest"
)

const redisPassword = "canary-redis"

// A redisServer is a real Redis with an append-only file.
type redisServer struct {
	t         testing.TB
	dir, port string
	settings  []string // beyond the usual ones
	cmd       *exec.Cmd
}

func startRedis(t testing.TB, settings ...string) *redisServer {
	t.Helper()
	routestest.Program(t, "redis-server")
	r := &redisServer{t: t, dir: t.TempDir(), port: routestest.FreePort(t), settings: settings}
	r.start()
	t.Cleanup(r.kill)
	return r
}

// url is the SESSION_STORE of the app.
func (r *redisServer) url() string { return "redis://:" + redisPassword + "@127.0.0.1:" + r.port }

func (r *redisServer) start() {
	r.t.Helper()
	r.cmd = exec.Command("redis-server", append([]string{
		"--bind", "127.0.0.1", "--port", r.port, "--dir", r.dir, "--requirepass", redisPassword, "--appendonly", "yes", "--save", "",
	}, r.settings...)...)
	if err := r.cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	routestest.Await(r.t, "Redis answers", func() bool {
		conn, err := net.Dial("tcp", "127.0.0.1:"+r.port)
		if err != nil {
			return false
		}
		defer conn.Close()
		answer := make([]byte, 64)
		if _, err := conn.Write([]byte("AUTH " + redisPassword + "\r\n")); err != nil {
			return false
		}
		n, err := conn.Read(answer)
		return err == nil && string(answer[:n]) == "+OK\r\n" // and not: LOADING
	})
}

// kill ends it as a crash would.
func (r *redisServer) kill() {
	_ = r.cmd.Process.Kill()
	_ = r.cmd.Wait()
}

// TestCheckRedis has the doctor look at sessions in Redis, and the app use it by
// TLS.
func TestCheckRedis(t *testing.T) {
	t.Parallel()
	certificate, key := filepath.Join(t.TempDir(), "cert.pem"), filepath.Join(t.TempDir(), "key.pem")
	writeCertificate(t, certificate, key)
	tlsPort := routestest.FreePort(t)
	redis := startRedis(t, "--tls-port", tlsPort, "--tls-cert-file", certificate, "--tls-key-file", key, "--tls-auth-clients", "no")
	byTLS := "rediss://:" + redisPassword + "@localhost:" + tlsPort
	s := routestest.Start(t, routestest.Options{})
	tests := []struct {
		name string
		env  []string
		well bool
		want []string
	}{
		{"well", []string{"SESSION_STORE=" + redis.url()}, true, []string{"✓ Session store: redis://:xxxxx@127.0.0.1:" + redis.port + ": written, read and deleted"}},
		{"by TLS", []string{"SESSION_STORE=" + byTLS, "SSL_CERT_FILE=" + certificate}, true, []string{"✓ Session store: rediss://:xxxxx@localhost:" + tlsPort}},
		{"of unknown authority", []string{"SESSION_STORE=" + byTLS}, false, []string{"✗ Session store", "unknown authority", "SSL_CERT_FILE"}},
		{"not there", []string{"SESSION_STORE=redis://:canary@127.0.0.1:" + routestest.FreePort(t)}, false, []string{"✗ Session store: redis://:xxxxx@127.0.0.1:", "does not answer", "Check that the server runs", "✓ App"}},
		{"another password", []string{"SESSION_STORE=redis://:canary@127.0.0.1:" + redis.port}, false, []string{"✗ Session store", "refuses the user or the password"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s.T = t
			said, well := check(s, test.env...)
			if well != test.well {
				t.Errorf("it found fault: %t, want %t", !well, !test.well)
			}
			for _, want := range test.want {
				if !strings.Contains(said, want) {
					t.Errorf("it does not say %q:\n%s", want, said)
				}
			}
		})
	}

	site, env := settings(t)
	app := run(t, site.Dir, append(env, "SESSION_STORE="+byTLS, "SSL_CERT_FILE="+certificate))
	if p := site.Browser().SignIn("rosalind"); !strings.Contains(p.Body, "<bdi>Rosalind") || strings.Contains(app.log.String(), redisPassword) {
		t.Errorf("got %d:\n%s\n%s", p.Status, p.Body, app.log)
	}
}

// TestMoveSessions moves to Redis: nobody has to sign in again.
func TestMoveSessions(t *testing.T) {
	t.Parallel()
	redis := startRedis(t)
	s, env := settings(t)
	app := run(t, s.Dir, env)
	b := s.Browser()
	b.SignIn("rosalind")
	app.kill()
	file := filepath.Join(s.Dir, "store")
	if err := os.WriteFile(file, []byte(redis.url()+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	for _, stores := range [][]string{{"sqlite:data/sessions.db", "@" + file}, {"sqlite:none.db", "@" + file}} {
		cmd := exec.Command(path, append([]string{"-move-sessions"}, stores...)...)
		cmd.Dir = s.Dir
		out, err := cmd.CombinedOutput()
		if well := stores[0] != "sqlite:none.db"; (err == nil) != well || strings.Contains(string(out), "copied:    1 sessions\n") != well || strings.Contains(string(out), redisPassword) {
			t.Errorf("%q: %v:\n%s", stores, err, out)
		}
	}
	run(t, s.Dir, append(env, "SESSION_STORE_FILE="+file))
	if p := b.Get("/"); !p.Has("uuid") {
		t.Errorf("not signed in after the move: %d\n%s", p.Status, p.Body)
	}
}
