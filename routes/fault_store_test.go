package routes_test

import (
	"context"
	"database/sql"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"example.org/portal/globus/globustest"
)

// database opens the session store of s beside the app, as another process would.
func (s *site) database() *sql.DB {
	s.t.Helper()
	return openDatabase(s.t, filepath.Join(s.dir, "sessions.db"))
}

func openDatabase(t testing.TB, path string) *sql.DB {
	t.Helper()
	uri := url.URL{Scheme: "file", Path: filepath.ToSlash(path), RawQuery: "mode=rw&_pragma=busy_timeout(2000)"}
	db, err := sql.Open("sqlite", uri.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func mustExec(t testing.TB, db *sql.DB, query string, args ...any) {
	t.Helper()
	if _, err := db.Exec(query, args...); err != nil {
		t.Fatal(err)
	}
}

// wantSound has SQLite look for damage in its file.
func wantSound(t testing.TB, path string) {
	t.Helper()
	var got string
	if err := openDatabase(t, path).QueryRow("PRAGMA integrity_check").Scan(&got); err != nil || got != "ok" {
		t.Errorf("the store is damaged: %s, %v", got, err)
	}
}

// breakStore makes every call of the store fail until it is mended.
func (s *site) breakStore() (mend func()) {
	s.t.Helper()
	db := s.database()
	mustExec(s.t, db, "ALTER TABLE sessions RENAME TO elsewhere")
	return func() {
		s.t.Helper()
		mustExec(s.t, db, "ALTER TABLE elsewhere RENAME TO sessions")
	}
}

// wantUnavailable checks that p is a clean 503: it says when to come again,
// nothing about anybody, and leaves the session cookie alone.
func wantUnavailable(t *testing.T, what string, p page) {
	t.Helper()
	if p.status != http.StatusServiceUnavailable || p.header.Get("Retry-After") == "" {
		t.Errorf("%s: got %d, Retry-After %q, want 503 and a time:\n%s", what, p.status, p.header.Get("Retry-After"), p.body)
	}
	if strings.Contains(p.body, "Rosalind") || p.header.Get("Location") != "" {
		t.Errorf("%s: a name, or a way on to %q:\n%s", what, p.header.Get("Location"), p.body)
	}
	if cookies := strings.Join(p.header.Values("Set-Cookie"), "\n"); strings.Contains(cookies, "session") {
		t.Errorf("%s: it sets the session cookie: %s", what, cookies)
	}
}

// TestStoreDown: who needs no session does not notice, all others are told to
// come again, and are signed in when the store is back.
func TestStoreDown(t *testing.T) {
	s := start(t, options{})
	b, stranger := s.browser(), s.browser()
	home := b.signIn("rosalind")
	stylesheet := strings.Split(strings.Split(home.body, `rel="stylesheet" href="`)[1], `"`)[0]
	for range rounds() {
		mend := s.breakStore()
		for path, want := range map[string]int{"/": 200, "/user": 200, "/signed-out": 200, "/login": 303, stylesheet: 200, "/livez": 200, "/readyz": 503, "/nowhere": 404} {
			if p := stranger.get(path); p.status != want {
				t.Errorf("%s without a cookie: got %d, want %d", path, p.status, want)
			}
		}
		for path, want := range map[string]int{stylesheet: 200, "/livez": 200, "/nowhere": 404} {
			if p := b.get(path); p.status != want {
				t.Errorf("%s: got %d, want %d", path, p.status, want)
			}
		}
		for _, path := range []string{"/", "/user", "/transfers", "/signed-out", "/login"} {
			wantUnavailable(t, path, b.get(path))
		}
		wantUnavailable(t, "/user for htmx", b.get("/user", htmx...))
		wantUnavailable(t, "a form", b.send(http.MethodPost, "/tokens/show", home.form("token", "access")))
		mend()
		if p := b.get("/"); !strings.Contains(p.body, "Rosalind") {
			t.Fatalf("not signed in any more: %d\n%s", p.status, p.body)
		}
		if p := stranger.get("/readyz"); p.status != http.StatusOK {
			t.Errorf("/readyz: got %d, want 200", p.status)
		}
	}
}

// TestStoreMoved: files that somebody moves away, and back, are in use all the
// while.
func TestStoreMoved(t *testing.T) {
	s := start(t, options{})
	b := s.browser()
	b.signIn("rosalind")
	away := t.TempDir()
	move := func(from, to string) {
		for _, name := range []string{"sessions.db", "sessions.db-wal", "sessions.db-shm"} {
			if err := os.Rename(filepath.Join(from, name), filepath.Join(to, name)); err != nil {
				t.Fatal(err)
			}
		}
	}
	for range rounds() {
		move(s.dir, away)
		if p := s.browser().signIn("ada"); !b.signedIn() || !strings.Contains(p.body, "Ada") {
			t.Errorf("while it is away: %d", p.status)
		}
		move(away, s.dir)
	}
	var n int
	if err := s.database().QueryRow("SELECT count(*) FROM sessions").Scan(&n); err != nil || n != 1+rounds() {
		t.Errorf("%d sessions are in the file, %v, want %d", n, err, 1+rounds())
	}
	wantSound(t, filepath.Join(s.dir, "sessions.db"))
}

// TestStoreDownAtCallback: the store fails when Globus has answered already.
func TestStoreDownAtCallback(t *testing.T) {
	for _, hangUp := range []bool{false, true} {
		t.Run(map[bool]string{true: "and the browser hangs up", false: "the browser waits"}[hangUp], func(t *testing.T) {
			s := start(t, options{})
			for range rounds() {
				b := s.browser()
				callback := b.callback("rosalind")
				arrived, wait := make(chan struct{}, 1), make(chan struct{})
				s.auth.Lie(globustest.Lie{Endpoints: map[string]globustest.Fault{globustest.UserInfoPath: {Arrived: arrived, Wait: wait}}})
				ctx, cancel := context.WithCancel(t.Context())
				answered := make(chan page, 1)
				go func() {
					p, _ := b.try(ctx, http.MethodGet, callback, nil)
					answered <- p
				}()
				<-arrived
				mend := s.breakStore()
				if hangUp {
					cancel()
				}
				close(wait)
				if p := <-answered; !hangUp {
					wantUnavailable(t, "callback", p)
				}
				await(t, "the fresh tokens are revoked", func() bool { return s.auth.LiveTokens() == 0 })
				cancel()
				mend()
				s.auth.Lie(globustest.Lie{})
				if b.signedIn() {
					t.Error("signed in all the same")
				}
				if p := b.signIn("rosalind"); !strings.Contains(p.body, "Rosalind") {
					t.Fatalf("no second try: %d\n%s", p.status, p.body)
				}
				b.send(http.MethodPost, "/logout", b.get("/").form())
			}
		})
	}
}

// TestStoreLocked: another process, a backup perhaps, lets nobody write. Pages
// go on; who must write is answered within the 2 s that the store has.
func TestStoreLocked(t *testing.T) {
	const each = 16
	s := start(t, options{})
	var reading, leaving, coming []*browser
	var callbacks []string
	var forms []url.Values
	for i := range each {
		reading, leaving, coming = append(reading, s.browser()), append(leaving, s.browser()), append(coming, s.browser())
		reading[i].signIn("rosalind")
		forms = append(forms, leaving[i].signIn("rosalind").form())
		callbacks = append(callbacks, coming[i].callback("rosalind"))
	}
	before := s.auth.LiveTokens()
	lock, err := s.database().Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := lock.ExecContext(t.Context(), "BEGIN EXCLUSIVE"); err != nil {
		t.Fatal(err)
	}

	begin := time.Now()
	var all sync.WaitGroup
	for i := range each {
		for _, path := range []string{"/", "/user"} {
			all.Go(func() {
				if p, err := reading[i].try(t.Context(), http.MethodGet, path, nil); err != nil || !strings.Contains(p.body, "Rosalind") {
					t.Errorf("%s: got %d, %v", path, p.status, err)
				}
			})
		}
		all.Go(func() {
			p, err := coming[i].try(t.Context(), http.MethodGet, callbacks[i], nil)
			if err != nil {
				t.Error(err)
			}
			wantUnavailable(t, "signing in", p)
		})
		all.Go(func() {
			p, err := leaving[i].try(t.Context(), http.MethodPost, "/logout", forms[i])
			if _, cookie := leaving[i].cookie("session"); err != nil || p.status != http.StatusServiceUnavailable || cookie != "" {
				t.Errorf("signing out: got %d, %v, cookie %q, want 503 and none", p.status, err, cookie)
			}
		})
	}
	all.Wait()
	// 2 s of the store, and what this machine needs for 64 requests.
	if took := time.Since(begin); took > 4*time.Second {
		t.Errorf("it took %s, want about 2 s", took)
	}
	if _, err := lock.ExecContext(t.Context(), "ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	await(t, "those who signed out are gone, with their tokens", func() bool { return s.auth.LiveTokens() == before-before/2 })
	for i := range each {
		if !reading[i].signedIn() || coming[i].signedIn() || !strings.Contains(coming[i].signIn("rosalind").body, "Rosalind") {
			t.Error("someone lost a session, or cannot sign in now")
		}
	}
}

// TestRecordSpoiled: what cannot be read is no session, and is told once.
func TestRecordSpoiled(t *testing.T) {
	tests := []struct{ name, spoil string }{
		{"truncated", "UPDATE sessions SET data = substr(data, 1, length(data) - 1)"},
		{"a byte changed", "UPDATE sessions SET data = CAST(substr(data, 1, 50) || x'00' || substr(data, 52) AS BLOB)"},
		{"empty", "UPDATE sessions SET data = x''"},
		{"text", "UPDATE sessions SET data = 'text'"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := start(t, options{})
			b := s.browser()
			b.signIn("rosalind")
			mustExec(t, s.database(), test.spoil)
			s.wantAnonymous(b)
		})
	}
	t.Run("sealed for another app", func(t *testing.T) {
		other := start(t, options{})
		away := other.browser()
		away.signIn("rosalind")
		_, cookie := away.cookie("session")
		s := start(t, options{dir: other.dir}) // with a Globus of its own
		b := s.browser()
		b.signIn("rosalind")
		name, _ := b.cookie("session")
		address, _ := url.Parse(s.url)
		b.http.Jar.SetCookies(address, []*http.Cookie{{Name: name, Value: cookie, Path: "/"}})
		s.wantAnonymous(b)
	})
}

// wantAnonymous visits with a browser whose record cannot be read, twice.
func (s *site) wantAnonymous(b *browser) {
	s.t.Helper()
	before := strings.Count(s.log.String(), `"session over"`)
	for range 2 {
		if p := b.get("/"); p.status != http.StatusOK || strings.Contains(p.body, "Rosalind") {
			s.t.Errorf("got %d, want an anonymous page:\n%s", p.status, p.body)
		}
	}
	if _, cookie := b.cookie("session"); cookie != "" {
		s.t.Error("the cookie is still there")
	}
	if got := strings.Count(s.log.String(), `"session over"`) - before; got != 1 || strings.Count(s.log.String(), "cannot be read") != 1 {
		s.t.Errorf("%d lines logged, want 1:\n%s", got, s.log)
	}
}
