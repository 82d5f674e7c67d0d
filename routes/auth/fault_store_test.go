package auth_test

import (
	"context"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"example.org/portal/globus/globustest"
	"example.org/portal/routes/routestest"
)

// wantUnavailable checks that p is a clean 503: it says when to come again,
// nothing about anybody, and leaves the session cookie alone.
func wantUnavailable(t *testing.T, what string, p routestest.Page) {
	t.Helper()
	if p.Status != http.StatusServiceUnavailable || p.Header.Get("Retry-After") == "" {
		t.Errorf("%s: got %d, Retry-After %q, want 503 and a time:\n%s", what, p.Status, p.Header.Get("Retry-After"), p.Body)
	}
	if strings.Contains(p.Body, "Rosalind") || p.Header.Get("Location") != "" {
		t.Errorf("%s: a name, or a way on to %q:\n%s", what, p.Header.Get("Location"), p.Body)
	}
	if cookies := strings.Join(p.Header.Values("Set-Cookie"), "\n"); strings.Contains(cookies, "session") {
		t.Errorf("%s: it sets the session cookie: %s", what, cookies)
	}
}

// TestStoreDown: people without a session do not notice. All others get 503, and are
// signed in when the store is back.
func TestStoreDown(t *testing.T) {
	t.Parallel()
	s := routestest.StartWithProbes(t, routestest.Options{})
	b, stranger := s.Browser(), s.Browser()
	home := b.SignIn("rosalind")
	stylesheet := strings.Split(strings.Split(home.Body, `rel="stylesheet" href="`)[1], `"`)[0]
	for range routestest.Rounds() {
		mend := s.BreakStore()
		for path, want := range map[string]int{"/": 200, "/user": 200, "/signed-out": 200, "/login": 303, stylesheet: 200, "/livez": 200, "/readyz": 503, "/nowhere": 404} {
			if p := stranger.Get(path); p.Status != want {
				t.Errorf("%s without a cookie: got %d, want %d", path, p.Status, want)
			}
		}
		for path, want := range map[string]int{stylesheet: 200, "/livez": 200, "/nowhere": 404} {
			if p := b.Get(path); p.Status != want {
				t.Errorf("%s: got %d, want %d", path, p.Status, want)
			}
		}
		for _, path := range []string{"/", "/user", "/probe/tasks", "/signed-out", "/login"} {
			wantUnavailable(t, path, b.Get(path))
		}
		wantUnavailable(t, "/user for htmx", b.Get("/user", routestest.Htmx...))
		wantUnavailable(t, "a form", b.Send(http.MethodPost, "/tokens/show", home.Form("token", "access")))
		mend()
		if p := b.Get("/"); !strings.Contains(p.Body, "Rosalind") {
			t.Fatalf("not signed in any more: %d\n%s", p.Status, p.Body)
		}
		if p := stranger.Get("/readyz"); p.Status != http.StatusOK {
			t.Errorf("/readyz: got %d, want 200", p.Status)
		}
	}
}

// TestStoreMoved: the store works while somebody moves its files away and back.
func TestStoreMoved(t *testing.T) {
	t.Parallel()
	s := routestest.Start(t, routestest.Options{})
	b := s.Browser()
	b.SignIn("rosalind")
	away := t.TempDir()
	move := func(from, to string) {
		for _, name := range []string{"sessions.db", "sessions.db-wal", "sessions.db-shm"} {
			if err := os.Rename(filepath.Join(from, name), filepath.Join(to, name)); err != nil {
				t.Fatal(err)
			}
		}
	}
	for range routestest.Rounds() {
		move(s.Dir, away)
		if p := s.Browser().SignIn("ada"); !b.SignedIn() || !strings.Contains(p.Body, "Ada") {
			t.Errorf("while it is away: %d", p.Status)
		}
		move(away, s.Dir)
	}
	var n int
	if err := s.Database().QueryRow("SELECT count(*) FROM sessions").Scan(&n); err != nil || n != 1+routestest.Rounds() {
		t.Errorf("%d sessions are in the file, %v, want %d", n, err, 1+routestest.Rounds())
	}
	routestest.WantSound(t, filepath.Join(s.Dir, "sessions.db"))
}

// TestStoreDownAtCallback: the store fails after the code was exchanged.
func TestStoreDownAtCallback(t *testing.T) {
	t.Parallel()
	for _, hangUp := range []bool{false, true} {
		t.Run(map[bool]string{true: "and the browser hangs up", false: "the browser waits"}[hangUp], func(t *testing.T) {
			s := routestest.Start(t, routestest.Options{})
			for range routestest.Rounds() {
				b := s.Browser()
				callback := b.Callback("rosalind")
				arrived, wait := make(chan struct{}, 1), make(chan struct{})
				s.Globus.Lie(globustest.Lie{Endpoints: map[string]globustest.Fault{globustest.UserInfoPath: {Arrived: arrived, Wait: wait}}})
				ctx, cancel := context.WithCancel(t.Context())
				answered := make(chan routestest.Page, 1)
				go func() {
					p, _ := b.Try(ctx, http.MethodGet, callback, nil)
					answered <- p
				}()
				<-arrived
				mend := s.BreakStore()
				if hangUp {
					cancel()
				}
				close(wait)
				if p := <-answered; !hangUp {
					wantUnavailable(t, "callback", p)
				}
				routestest.Await(t, "the fresh tokens are revoked", func() bool { return s.Globus.LiveTokens() == 0 })
				cancel()
				mend()
				s.Globus.Lie(globustest.Lie{})
				if b.SignedIn() {
					t.Error("signed in all the same")
				}
				if p := b.SignIn("rosalind"); !strings.Contains(p.Body, "Rosalind") {
					t.Fatalf("no second try: %d\n%s", p.Status, p.Body)
				}
				b.Send(http.MethodPost, "/logout", b.Get("/").Form())
			}
		})
	}
}

// TestStoreLocked: another process, such as a backup, locks the store. Pages are served;
// requests that write get a response within the store's timeout of 2 s.
func TestStoreLocked(t *testing.T) {
	t.Parallel()
	const each = 16
	s := routestest.Start(t, routestest.Options{})
	var reading, leaving, coming []*routestest.Browser
	var callbacks []string
	var forms []url.Values
	for i := range each {
		reading, leaving, coming = append(reading, s.Browser()), append(leaving, s.Browser()), append(coming, s.Browser())
		reading[i].SignIn("rosalind")
		forms = append(forms, leaving[i].SignIn("rosalind").Form())
		callbacks = append(callbacks, coming[i].Callback("rosalind"))
	}
	before := s.Globus.LiveTokens()
	lock, err := s.Database().Conn(t.Context())
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
				if p, err := reading[i].Try(t.Context(), http.MethodGet, path, nil); err != nil || !strings.Contains(p.Body, "Rosalind") {
					t.Errorf("%s: got %d, %v", path, p.Status, err)
				}
			})
		}
		all.Go(func() {
			p, err := coming[i].Try(t.Context(), http.MethodGet, callbacks[i], nil)
			if err != nil {
				t.Error(err)
			}
			wantUnavailable(t, "signing in", p)
		})
		all.Go(func() {
			p, err := leaving[i].Try(t.Context(), http.MethodPost, "/logout", forms[i])
			if _, cookie := leaving[i].Cookie("session"); err != nil || p.Status != http.StatusServiceUnavailable || cookie != "" {
				t.Errorf("signing out: got %d, %v, cookie %q, want 503 and none", p.Status, err, cookie)
			}
		})
	}
	all.Wait()
	// The store waits 2 s; a busy machine adds what it needs for 64 requests.
	if took := time.Since(begin); took > time.Minute {
		t.Errorf("it took %s", took)
	}
	if _, err := lock.ExecContext(t.Context(), "ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	routestest.Await(t, "those who signed out are gone, with their tokens", func() bool { return s.Globus.LiveTokens() == before-before/2 })
	for i := range each {
		if !reading[i].SignedIn() || coming[i].SignedIn() || !strings.Contains(coming[i].SignIn("rosalind").Body, "Rosalind") {
			t.Error("someone lost a session, or cannot sign in now")
		}
	}
}

// TestRecordSpoiled: a record that cannot be read is no session, and its person can sign
// in.
func TestRecordSpoiled(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, spoil string }{
		{"truncated", "UPDATE sessions SET data = substr(data, 1, length(data) - 1)"},
		{"a byte changed", "UPDATE sessions SET data = CAST(substr(data, 1, 50) || x'00' || substr(data, 52) AS BLOB)"},
		{"empty", "UPDATE sessions SET data = x''"},
		{"text", "UPDATE sessions SET data = 'text'"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := routestest.Start(t, routestest.Options{})
			b := s.Browser()
			b.SignIn("rosalind")
			routestest.MustExec(t, s.Database(), test.spoil)
			wantAnonymous(s, b)
		})
	}
	t.Run("sealed for another app", func(t *testing.T) {
		other := routestest.Start(t, routestest.Options{})
		away := other.Browser()
		away.SignIn("rosalind")
		_, cookie := away.Cookie("session")
		s := routestest.Start(t, routestest.Options{Dir: other.Dir}) // with a Globus of its own
		b := s.Browser()
		b.SignIn("rosalind")
		name, _ := b.Cookie("session")
		address, _ := url.Parse(s.URL)
		b.Client.Jar.SetCookies(address, []*http.Cookie{{Name: name, Value: cookie, Path: "/"}})
		wantAnonymous(s, b)
	})
}

// wantAnonymous visits with a browser whose record cannot be read: an instance of
// another version may be able to, so the record stays, and so does the cookie.
func wantAnonymous(s *routestest.Site, b *routestest.Browser) {
	s.T.Helper()
	if p := b.Get("/"); p.Status != http.StatusOK || strings.Contains(p.Body, "Rosalind") {
		s.T.Errorf("got %d, want an anonymous page:\n%s", p.Status, p.Body)
	}
	if _, cookie := b.Cookie("session"); cookie == "" {
		s.T.Error("the cookie is gone")
	}
	if len(s.LogLines("session record not opened")) == 0 {
		s.T.Errorf("it is not logged:\n%s", s.Log)
	}
	if p := b.SignIn("ada"); !strings.Contains(p.Body, "Ada") {
		s.T.Errorf("nobody can sign in: %d\n%s", p.Status, p.Body)
	}
}
