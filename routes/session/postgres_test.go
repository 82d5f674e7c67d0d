package session_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"example.org/portal/routes/routestest/programs"
	"example.org/portal/routes/session"
)

// ownPostgres starts a server for one test.
func ownPostgres(t *testing.T, settings ...string) *programs.Postgres {
	t.Helper()
	p := programs.StartPostgres(t, settings...)
	t.Cleanup(p.Remove)
	return p
}

// A URL may be written as libpq reads it; it is never quoted, and its name has no
// password.
func TestPostgresURL(t *testing.T) {
	for _, env := range os.Environ() {
		if name, _, _ := strings.Cut(env, "="); strings.HasPrefix(name, "PG") {
			t.Setenv(name, "")
		}
	}
	t.Setenv("PGUSER", "env")
	t.Setenv("PGPASSWORD", "canary")
	for store, want := range map[string]string{
		"postgres://u:canary@h":                                             "postgres://u@h:5432/",
		"postgresql://u:canary@h:5433/db?sslmode=require":                   "postgres://u@h:5433/db",
		"postgres://h1:5433,h2:5434/db?user=u&password=canary":              "postgres://u@h1:5433,h2:5434/db",
		"postgres:///db?host=/run/postgresql":                               "postgres://env@/run/postgresql:5432/db",
		"postgres://u:canary%40%2F%23%3F@[::1]/db?target_session_attrs=any": "postgres://u@[::1]:5432/db",
		"postgres://h/db?application_name=x&pool_max_conns=3":               "postgres://env@h:5432/db",
	} {
		if err := session.CheckStore(store); err != nil {
			t.Errorf("%s: got %v, want it taken", store, err)
		}
		if got := session.StoreName(store); got != want {
			t.Errorf("%s: got name %s, want %s", store, got, want)
		}
	}
	for _, bad := range []string{
		"postgres", "postgres:", "postgres:canary@h", "POSTGRES://u:canary@h", "postgres://u:canary%zz@h/db", "postgres://u@h:canary/db",
		"postgres://u:canary@h/db?sslmode=canary", "postgres://h/db?sslrootcert=/none/ca.pem&password=canary", "postgres://h1:1,h2:2,h3:3/db?port=1,canary", "host=h password=canary",
	} {
		if err := session.CheckStore(bad); err == nil || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: got %v, want it refused, and not quoted", bad, err)
		}
		if got := session.StoreName(bad); strings.Contains(got, "canary") {
			t.Errorf("%s: the name is %s", bad, got)
		}
	}
}

// TestPostgresRefuses opens servers that will not do, and says why.
func TestPostgresRefuses(t *testing.T) {
	p := postgres(t)
	for _, statement := range []string{
		"CREATE USER locked PASSWORD 'canary-right'", "CREATE USER weak", "CREATE DATABASE private", "REVOKE ALL ON SCHEMA public FROM PUBLIC",
		"CREATE USER reader", "CREATE SCHEMA reading", "GRANT USAGE ON SCHEMA reading TO reader",
	} {
		p.Exec(t, statement)
	}
	table, err := os.ReadFile("postgres.sql") // as an operator runs it
	if err != nil {
		t.Fatal(err)
	}
	p.Exec(t, "SET search_path = reading; "+string(table)+"GRANT SELECT, INSERT, UPDATE ON portal_sessions TO reader")
	at := "127.0.0.1:" + p.Port + "/"
	tests := []struct{ name, store, want string }{
		{"nobody there", "postgres://u:canary@127.0.0.1:1/db?sslmode=disable", "does not answer"},
		{"no such host", "postgres://u:canary@none.invalid/db", "does not answer"},
		{"a wrong password", "postgres://locked:canary@" + at + "postgres", "refuses the user or the password"},
		{"the right password", "postgres://locked:canary-right@" + at + "postgres?search_path=public", "postgres.sql"},
		{"no such database", "postgres://portal@" + at + "none", "no database of that name"},
		{"no right to create", "postgres://weak@" + at + "postgres", "run routes/session/postgres.sql"},
		{"no right to delete", "postgres://reader@" + at + "postgres?search_path=reading", "GRANT SELECT, INSERT, UPDATE, DELETE"},
		{"no TLS there", "postgres://portal@" + at + "postgres?sslmode=verify-full", "TLS"},
		{"no TLS at what might be another machine", "postgres://portal@0.0.0.0:" + p.Port + "/postgres", "TLS"},
		{"the environment says so", "postgres:///postgres?port=" + p.Port, ""},
	}
	t.Setenv("PGHOST", "127.0.0.1")
	t.Setenv("PGUSER", "portal")
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			wantOpened(t, tt.store, tt.want)
		})
	}
	p.Exec(t, "GRANT DELETE ON reading.portal_sessions TO reader")
	wantOpened(t, "postgres://reader@"+at+"postgres?search_path=reading", "")
	if doubts, err := session.Check(t.Context(), "postgres://reader@"+at+"postgres?search_path=reading"); err != nil || len(doubts) != 1 {
		t.Errorf("Check: got %v, %v, want it to work, and the doubt about fsync", doubts, err)
	}
}

// wantOpened opens a store. If it must fail, its error has one line, with these words
// and without a password.
func wantOpened(t *testing.T, store, want string) {
	t.Helper()
	m, err := session.Open(session.Config{Store: store, Lifetime: time.Hour, Log: discard(), Cookie: http.Cookie{Name: cookieName, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode}})
	if err == nil {
		defer m.Close()
		err = m.Ready(t.Context())
	}
	if want == "" {
		if err != nil {
			t.Errorf("got %v, want it opened", err)
		}
		return
	}
	if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "canary") || strings.Contains(err.Error(), "\n") {
		t.Errorf("got %v, want %q in one line, and no password", err, want)
	}
}

// What was acknowledged is on the synchronous standby, whatever the server's default
// is: without that standby nothing is. Pages go on.
func TestPostgresDurable(t *testing.T) {
	t.Parallel() // it waits
	p := ownPostgres(t, "synchronous_commit=off")
	s := open(t, session.Config{Store: p.URL()})
	signedIn, err := s.SignIn(t.Context(), record(s.clock.Now()))
	if err != nil {
		t.Fatal(err)
	}
	gone, err := s.SignIn(t.Context(), record(s.clock.Now()))
	if err != nil {
		t.Fatal(err)
	}
	r := s.request(gone)
	p.Set(t, "synchronous_standby_names", "nobody")
	var all sync.WaitGroup
	all.Go(func() {
		_, err := s.SignIn(t.Context(), record(s.clock.Now()))
		wantStoreError(t, "SignIn", err)
	})
	all.Go(func() { wantStoreError(t, "Update", s.Update(t.Context(), signedIn, note(1, 1))) })
	all.Go(func() {
		// The first deletes the record on this server alone. That nothing is left for the
		// second proves nothing.
		wantStoreError(t, "SignOut", signOut(s, r))
		wantStoreError(t, "SignOut again", signOut(s, r))
	})
	all.Wait()
	if got, err := s.Load(httptest.NewRecorder(), s.request(signedIn)); got == nil || err != nil {
		t.Errorf("Load: got %v, %v, want the session", got, err)
	}
	p.Set(t, "synchronous_standby_names", "")
	if err := signOut(s, r); err != nil {
		t.Errorf("SignOut: %v", err)
	}
	await(t, "it is deleted", func() bool { return strings.Contains(s.log.String(), "session deleted late") })
	if _, err := s.SignIn(t.Context(), record(s.clock.Now())); err != nil {
		t.Errorf("SignIn: %v", err)
	}
}

// Behind pgbouncer, where each statement may run on another connection.
func TestPostgresBouncer(t *testing.T) {
	t.Parallel()
	p := ownPostgres(t)
	s := open(t, session.Config{Store: programs.StartBouncer(t, p).URL()})
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			signedIn, err := s.SignIn(t.Context(), record(s.clock.Now()))
			if err != nil {
				t.Error(err)
				return
			}
			for i := range 10 {
				if err := s.Update(t.Context(), signedIn, note(i, i)); err != nil {
					t.Error(err)
				}
			}
			if err := signOut(s, s.request(signedIn)); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()

	// A server that cannot be written is not read either: it may be behind. The
	// connections to pgbouncer stay open all the time.
	b := s.signedIn()
	p.Set(t, "default_transaction_read_only", "on")
	await(t, "pages say that the store is down", func() bool { return b.status("/me") == http.StatusServiceUnavailable })
	if b.cookie() == "" {
		t.Error("the cookie is gone")
	}
	p.Set(t, "default_transaction_read_only", "off")
	await(t, "pages are back", func() bool { return b.status("/me") == http.StatusOK })
}

// status visits a path, and returns the status.
func (b *browser) status(path string) int {
	b.s.Helper()
	resp, err := b.http.Get(b.s.url + path)
	if err != nil {
		b.s.Fatal(err)
	}
	resp.Body.Close()
	return resp.StatusCode
}

// The primary is found among the hosts, and is the one that was promoted last, although
// the former one does not know that and comes first.
func TestPostgresFormerPrimary(t *testing.T) {
	t.Parallel()
	first := ownPostgres(t, "wal_keep_size=64MB")
	second := first.Standby(t, "second")
	t.Cleanup(second.Remove)
	name := func(p *programs.Postgres) string { return "127.0.0.1:" + p.Port }
	for _, hosts := range []string{name(first) + "," + name(second), name(second) + "," + name(first)} {
		s := open(t, session.Config{Store: "postgres://portal@" + hosts + "/postgres?sslmode=disable"})
		if got := s.Server(); got != name(first) {
			t.Errorf("%s: got %s, want the primary, %s", hosts, got, name(first))
		}
	}
	s := open(t, session.Config{Store: "postgres://portal@" + name(first) + "," + name(second) + "/postgres?sslmode=disable"})
	b := s.signedIn()
	await(t, "the standby has the session", func() bool { return second.Exec(t, "SELECT count(*) FROM portal_sessions") == "1" })
	second.Promote(t)
	await(t, "it is promoted", func() bool { return second.Exec(t, "SELECT pg_is_in_recovery()") == "f" })
	first.Exec(t, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'portal'")
	await(t, "the other server is used", func() bool { return b.status("/me") == http.StatusOK && s.Server() == name(second) })
	first.Exec(t, "DELETE FROM portal_sessions")
	for range 20 {
		b.get("/me", http.StatusOK)
	}
	second.Stop()
	await(t, "nobody is asked", func() bool { return b.status("/me") == http.StatusServiceUnavailable })
	for range 20 { // and not the former primary, where nobody is signed in
		b.get("/me", http.StatusServiceUnavailable)
	}
	second.Start(t)
	await(t, "it is back", func() bool { return b.status("/me") == http.StatusOK })
}

// What speaks against a server that works is said when the app starts.
func TestPostgresDoubts(t *testing.T) {
	p := postgres(t)
	db := openSQL(t, p.URL())
	for i, tt := range []struct{ statement, at, want string }{
		{"", "127.0.0.1:" + p.Port + "/postgres?", "fsync = on"},
		{"", "127.0.0.1:" + p.Port + ",127.0.0.1:1/postgres?", "synchronous_standby_names"},
		{"", "0.0.0.0:" + p.Port + "/postgres?sslmode=disable&", "verify-full"},
	} {
		schema := fmt.Sprint("doubts", i)
		mustExec(t, db, "CREATE SCHEMA "+schema)
		s := open(t, session.Config{Store: "postgres://portal@" + tt.at + "search_path=" + schema})
		if told := s.log.String(); !strings.Contains(told, tt.want) || !strings.Contains(told, `msg="session store connected" server=127.0.0.1:`+p.Port) {
			t.Errorf("%s: got log %s, want %q and the server", tt.at, told, tt.want)
		}
	}
}
