package deploy_test

import (
	"path/filepath"
	"strings"
	"testing"

	"example.org/portal/routes/routestest"
	"example.org/portal/routes/routestest/programs"
)

func startPostgres(t testing.TB, settings ...string) *programs.Postgres {
	t.Helper()
	p := programs.StartPostgres(t, settings...)
	t.Cleanup(p.Remove)
	return p
}

// TestCheckPostgres has the doctor look at sessions in PostgreSQL, and the app use it by
// TLS. No password shows.
func TestCheckPostgres(t *testing.T) {
	t.Parallel()
	certificate, key := filepath.Join(t.TempDir(), "cert.pem"), filepath.Join(t.TempDir(), "key.pem")
	writeCertificate(t, certificate, key)
	p := startPostgres(t)
	p.UseTLS(t, certificate, key)
	p.Exec(t, "CREATE USER locked PASSWORD 'canary-postgres'; GRANT CREATE ON SCHEMA public TO locked")
	at, verified := "127.0.0.1:"+p.Port+"/postgres", "localhost:"+p.Port+"/postgres?sslmode=verify-full"
	s := routestest.Start(t, routestest.Options{})
	tests := []struct {
		name string
		env  []string
		well bool
		want []string
	}{
		{"well", []string{"SESSION_STORE=postgres://locked:canary-postgres@" + at}, true, []string{"✓ Session store: postgres://locked@" + at + ": written, read and deleted", "! Session store", "fsync = on"}},
		{"by TLS", []string{"SESSION_STORE=postgres://locked@" + verified, "PGPASSWORD=canary-postgres", "SSL_CERT_FILE=" + certificate}, true, []string{"✓ Session store: postgres://locked@localhost:" + p.Port}},
		{"of unknown authority", []string{"SESSION_STORE=postgres://locked@" + verified}, false, []string{"✗ Session store", "unknown authority", "SSL_CERT_FILE"}},
		{"not there", []string{"SESSION_STORE=postgres://u:canary@127.0.0.1:1/db"}, false, []string{"✗ Session store: postgres://u@127.0.0.1:1/db: it does not answer", "Check that PostgreSQL runs", "✓ App"}},
		{"another password", []string{"SESSION_STORE=postgres://locked:canary@" + at}, false, []string{"✗ Session store", "refuses the user or the password"}},
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
	app := run(t, site.Dir, append(env, "SESSION_STORE=postgres://locked:canary-postgres@"+verified, "SSL_CERT_FILE="+certificate))
	if b := site.Browser(); !b.SignIn("rosalind").Has("uuid") || strings.Contains(app.log.String(), "canary") {
		t.Errorf("nobody can sign in, or the log has the password:\n%s", app.log)
	}
	server := "127.0.0.1:" + p.Port
	if ready := site.Browser().Get("/readyz"); !strings.Contains(ready.Body+app.log.String(), server) && !strings.Contains(ready.Body, "[::1]:"+p.Port) {
		t.Errorf("/readyz does not name the server %s: %s", server, ready.Body)
	}
}
