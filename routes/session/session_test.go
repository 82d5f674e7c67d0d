package session_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"example.org/portal/globus"
	"example.org/portal/routes/session"
)

func TestSignInAndOut(t *testing.T) {
	overStores(t, func(t *testing.T, store string) {
		s := open(t, session.Config{Store: store})
		s.browser().get("/me", http.StatusUnauthorized)

		b, other := s.signedIn(), s.signedIn()
		b.get("/me", http.StatusOK)
		if b.cookie() == other.cookie() {
			t.Error("two sign-ins have one cookie")
		}
		old := b.cookie()
		b.get("/out", http.StatusOK)
		if b.cookie() != "" {
			t.Error("signing out leaves the cookie")
		}
		b.get("/me", http.StatusUnauthorized)

		b.setCookie(old)
		b.get("/me", http.StatusUnauthorized)
		b.get("/out", http.StatusOK) // what is gone already is success
		s.browser().get("/out", http.StatusOK)
		other.get("/me", http.StatusOK)
	})
}

// A second sign-in leaves the first session alone: ending it is the caller's.
func TestSignInTwice(t *testing.T) {
	overStores(t, func(t *testing.T, store string) {
		s := open(t, session.Config{Store: store})
		b := s.signedIn()
		first := b.cookie()
		b.get("/in", http.StatusOK)
		if b.cookie() == first {
			t.Error("signing in again keeps the cookie's value")
		}
		b.get("/me", http.StatusOK)
		b.setCookie(first)
		b.get("/me", http.StatusOK)
	})
}

// What is saved comes back whole.
func TestRecord(t *testing.T) {
	overStores(t, func(t *testing.T, store string) {
		s := open(t, session.Config{Store: store})
		want := record(s.clock.Now().UTC())
		signedIn, err := s.SignIn(t.Context(), want)
		if err != nil {
			t.Fatal(err)
		}
		got, err := s.Load(httptest.NewRecorder(), s.request(signedIn))
		if err != nil || got == nil {
			t.Fatalf("got %v, %v, want the session", got, err)
		}
		gotJSON, _ := json.Marshal(got.Record)
		wantJSON, _ := json.Marshal(want)
		if string(gotJSON) != string(wantJSON) || !got.Deadline.Equal(signedIn.Deadline) {
			t.Errorf("got  %s until %s\nwant %s until %s", gotJSON, got.Deadline, wantJSON, signedIn.Deadline)
		}
	})
}

// request returns a request that brings the session's cookie.
func (s *site) request(signedIn *session.Session) *http.Request {
	w := httptest.NewRecorder()
	s.SetCookie(w, signedIn)
	r := httptest.NewRequestWithContext(s.Context(), http.MethodGet, "/", nil)
	for _, c := range w.Result().Cookies() {
		r.AddCookie(c)
	}
	return r
}

func TestCookie(t *testing.T) {
	const value = `[A-Za-z0-9_-]{43}`
	tests := []struct {
		name               string
		cookie             http.Cookie
		wantSet, wantClear string
	}{
		{
			"https", http.Cookie{Name: "__Host-session", Path: "/", Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode},
			`^__Host-session=` + value + `; Path=/; Max-Age=86400; HttpOnly; Secure; SameSite=Lax$`,
			`^__Host-session=; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=Lax$`,
		},
		{
			"http", http.Cookie{Name: "portal-8888", Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode},
			`^portal-8888=` + value + `; Path=/; Max-Age=86400; HttpOnly; SameSite=Lax$`,
			`^portal-8888=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax$`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := open(t, session.Config{Store: "memory:", Cookie: tt.cookie, Lifetime: 24 * time.Hour})
			resp := s.browser().get("/in", http.StatusOK)
			if got := resp.Header.Values("Set-Cookie"); len(got) != 1 || !regexp.MustCompile(tt.wantSet).MatchString(got[0]) || len(got[0]) > 170 {
				t.Errorf("set: got %q, want %s", got, tt.wantSet)
			}
			resp = s.browser().get("/out", http.StatusOK)
			if got := resp.Header.Values("Set-Cookie"); len(got) != 1 || !regexp.MustCompile(tt.wantClear).MatchString(got[0]) {
				t.Errorf("cleared: got %q, want %s", got, tt.wantClear)
			}
		})
	}
}

func TestDeadline(t *testing.T) {
	const hour = time.Hour
	tests := []struct {
		name     string
		lifetime time.Duration
		tokens   map[string]time.Duration // how long each is good
		want     time.Duration
	}{
		{"of the Globus token", 168 * hour, map[string]time.Duration{globus.AuthServer: 48 * hour}, 48*hour - time.Minute},
		{"of the configuration", 10 * hour, map[string]time.Duration{globus.AuthServer: 48 * hour}, 10 * hour},
		{"just before the margin", 48*hour - 61*time.Second, map[string]time.Duration{globus.AuthServer: 48 * hour}, 48*hour - 61*time.Second},
		{"another token ends sooner", 168 * hour, map[string]time.Duration{globus.AuthServer: 48 * hour, globus.TransferServer: hour}, 48*hour - time.Minute},
		{"no Globus token", 168 * hour, map[string]time.Duration{globus.TransferServer: hour}, 168 * hour},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := open(t, session.Config{Store: "memory:", Lifetime: tt.lifetime})
			begin := s.clock.Now()
			rec := session.Record{Began: begin, Tokens: globus.Tokens{}}
			for server, good := range tt.tokens {
				rec.Tokens[server] = globus.Token{AccessToken: "x", Expiry: begin.Add(good)}
			}
			signedIn, err := s.SignIn(t.Context(), rec)
			if err != nil {
				t.Fatal(err)
			}
			if got := signedIn.Deadline.Sub(begin); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
			w := httptest.NewRecorder()
			s.SetCookie(w, signedIn)
			if got, want := w.Result().Cookies()[0].MaxAge, int(tt.want/time.Second); got != want {
				t.Errorf("got Max-Age %d, want %d", got, want)
			}

			r := s.request(signedIn)
			s.clock.add(tt.want - time.Second)
			if got, err := s.Load(httptest.NewRecorder(), r); got == nil || err != nil {
				t.Errorf("a second before: got %v, %v, want the session", got, err)
			}
			s.clock.add(time.Second)
			if got, err := s.Load(httptest.NewRecorder(), r); got != nil || err != nil {
				t.Errorf("at the end: got %v, %v, want none", got, err)
			}
		})
	}
}

// A session that would be over at once is not begun: its record would be of no
// use to anybody.
func TestSignInTooLate(t *testing.T) {
	tests := []struct {
		name     string
		good     time.Duration // how long the Globus token is good
		lifetime time.Duration
		want     error
	}{
		{"a token of 61 s", 61 * time.Second, time.Hour, nil},
		{"a token of 60 s", time.Minute, time.Hour, session.ErrGone},
		{"a token that has ended", -time.Hour, time.Hour, session.ErrGone},
		{"no lifetime", time.Hour, -1, session.ErrGone},
	}
	overStores(t, func(t *testing.T, store string) {
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				s := open(t, session.Config{Store: store, Lifetime: tt.lifetime})
				rec := session.Record{Began: s.clock.Now(), Tokens: globus.Tokens{
					globus.AuthServer: {AccessToken: "x", Expiry: s.clock.Now().Add(tt.good)},
				}}
				got, err := s.SignIn(t.Context(), rec)
				if !errors.Is(err, tt.want) || (got != nil) != (tt.want == nil) {
					t.Errorf("got %v, %v, want %v", got, err, tt.want)
				}
				if n := len(s.records()); (n > 0) != (tt.want == nil) {
					t.Errorf("%d records were made", n)
				}
				s.clear()
			})
		}
	})
}

// A session that has ended takes its cookie, its record and its tokens with it,
// and cannot be changed any more.
func TestEnded(t *testing.T) {
	overStores(t, func(t *testing.T, store string) {
		s := open(t, session.Config{Store: store, Lifetime: time.Hour})
		b := s.signedIn()
		signedIn, err := s.SignIn(t.Context(), record(s.clock.Now()))
		if err != nil {
			t.Fatal(err)
		}
		r := s.request(signedIn)
		s.clock.add(time.Hour)

		if got, err := s.Peek(r); got == nil || err != nil {
			t.Errorf("Peek: got %v, %v, want the session that ended", got, err)
		}
		changed := false
		if err := s.Update(t.Context(), signedIn, func(*session.Record) { changed = true }); !errors.Is(err, session.ErrGone) || changed {
			t.Errorf("Update: got %v, changed %t, want %v", err, changed, session.ErrGone)
		}
		if resp := b.get("/me", http.StatusUnauthorized); !cleared(resp) || b.cookie() != "" {
			t.Errorf("got Set-Cookie %q, want the cookie cleared", resp.Header.Values("Set-Cookie"))
		}
		if got := len(s.records()); got != 1 {
			t.Errorf("%d records are left, want 1, the other session's", got)
		}
		await(t, "its tokens are revoked", func() bool { return s.revoked.has("canary-access-1") })
		if got := strings.Count(s.log.String(), "\n") - strings.Count(s.log.String(), `msg="session store`); got != 1 {
			t.Errorf("got %d lines logged, want 1:\n%s", got, s.log)
		}
	})
}

// cleared reports whether an answer expires the session cookie, and sets no
// other.
func cleared(resp *http.Response) bool {
	all := resp.Cookies()
	return len(all) == 1 && all[0].Name == cookieName && all[0].Value == "" && all[0].MaxAge < 0
}

// A token that the browser made up, or whose session has ended, never becomes a
// session: not by a visit, and not by signing in.
func TestMadeUpToken(t *testing.T) {
	overStores(t, func(t *testing.T, store string) {
		s := open(t, session.Config{Store: store})
		ended := s.signedIn()
		token := ended.cookie()
		ended.get("/out", http.StatusOK)
		for name, value := range map[string]string{"made up": strings.Repeat("A", 43), "of a session that ended": token} {
			b := s.browser()
			b.setCookie(value)
			b.get("/me", http.StatusUnauthorized)
			if n := len(s.records()); n != 0 {
				t.Errorf("%s: a visit made %d records", name, n)
			}
			b.get("/in", http.StatusOK)
			if b.cookie() == value {
				t.Errorf("%s: signing in keeps the token", name)
			}
			b.get("/me", http.StatusOK)
			b.setCookie(value)
			b.get("/me", http.StatusUnauthorized)
			s.clear()
		}
	})
}

func TestAlive(t *testing.T) {
	overStores(t, func(t *testing.T, store string) {
		s := open(t, session.Config{Store: store, Lifetime: time.Hour})
		begin := func() *session.Session {
			signedIn, err := s.SignIn(t.Context(), record(s.clock.Now()))
			if err != nil {
				t.Fatal(err)
			}
			return signedIn
		}
		want := func(when string, signedIn *session.Session, want bool) {
			t.Helper()
			if got, err := s.Alive(t.Context(), signedIn); got != want || err != nil {
				t.Errorf("%s: got %t, %v, want %t", when, got, err, want)
			}
		}
		signedOut, expired := begin(), begin()
		want("signed in", signedOut, true)
		if err := signOut(s, s.request(signedOut)); err != nil {
			t.Fatal(err)
		}
		want("signed out", signedOut, false)
		want("the other session", expired, true)
		s.clock.add(time.Hour)
		want("at the deadline", expired, false)
	})
}

// Where there is no record, the cookie stays: a new session may have begun in
// another tab.
func TestNoRecord(t *testing.T) {
	overStores(t, func(t *testing.T, store string) {
		s := open(t, session.Config{Store: store})
		b := s.signedIn()
		s.clear()
		if resp := b.get("/me", http.StatusUnauthorized); len(resp.Cookies()) != 0 || b.cookie() == "" {
			t.Errorf("got %q, want the cookie left alone", resp.Header.Values("Set-Cookie"))
		}
	})
}

// Sessions outlive the process.
func TestReopen(t *testing.T) {
	for _, kind := range []string{"sqlite", "redis"} {
		t.Run(kind, func(t *testing.T) {
			store := newStore(t, kind)
			first := open(t, session.Config{Store: store})
			b := first.signedIn()
			kept := b.cookie()
			if err := first.Close(); err != nil {
				t.Fatal(err)
			}
			second := open(t, session.Config{Store: store})
			b = second.browser()
			b.setCookie(kept)
			b.get("/me", http.StatusOK)
			b.get("/out", http.StatusOK)
			b.setCookie(kept)
			b.get("/me", http.StatusUnauthorized)
		})
	}
}

// A name of a file may hold what URLs and SQLite take for something else.
func TestOpen(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, []byte("this is no database, but some text that is long enough to tell"), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		store string
		want  bool
	}{
		{"memory:", true},
		{"sqlite:" + filepath.Join(dir, "new", "folder", "sessions.db"), true},
		{"sqlite:" + filepath.Join(dir, "a b%20c?d#e&_pragma=x.db"), true},
		{"sqlite:" + filepath.Join(dir, ":memory:"), true},

		{"", false},
		{"memory", false},
		{"memory:x", false},
		{"sqlite", false},
		{"sqlite:", false},
		{"SQLITE:x", false},
		{"file:x", false},
		{"postgres://user:canary@host/db", false},
		{filepath.Join(dir, "sessions.db"), false},
		{"sqlite:" + file, false},
		{"sqlite:" + filepath.Join(file, "sessions.db"), false},
		{"sqlite:" + dir, false},
	}
	for _, tt := range tests {
		t.Run(tt.store, func(t *testing.T) {
			m, err := session.Open(session.Config{Store: tt.store, Lifetime: time.Hour, Cookie: http.Cookie{Name: cookieName, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode}, Log: discard()})
			if got := err == nil; got != tt.want {
				t.Fatalf("got %v, want it opened: %t", err, tt.want)
			}
			if err != nil {
				if strings.Contains(err.Error(), "canary") {
					t.Errorf("the error tells a password: %v", err)
				}
				return
			}
			defer m.Close()
			if err := m.Ready(t.Context()); err != nil {
				t.Error(err)
			}
			if path, ok := strings.CutPrefix(tt.store, "sqlite:"); ok {
				if _, err := os.Stat(path); err != nil {
					t.Errorf("the file is elsewhere: %v", err)
				}
			}
		})
	}
}

// Two stores in memory have nothing in common, and requests that are given up
// do not empty one.
func TestMemory(t *testing.T) {
	one := open(t, session.Config{Store: "memory:"})
	two := open(t, session.Config{Store: "memory:"})
	b := one.signedIn()
	stranger := two.browser()
	stranger.setCookie(b.cookie())
	stranger.get("/me", http.StatusUnauthorized)

	r := httptest.NewRequestWithContext(cancelled(t), http.MethodGet, "/", nil)
	r.AddCookie(&http.Cookie{Name: cookieName, Value: b.cookie()})
	for range 10 {
		_, _ = one.Load(httptest.NewRecorder(), r)
	}
	b.get("/me", http.StatusOK)
}

// Nothing of a session can be read in its files, nor by anybody else.
func TestOnDisk(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "data")
	s := open(t, session.Config{Store: "sqlite:" + filepath.Join(dir, "sessions.db")})
	b := s.signedIn()
	b.get("/me", http.StatusOK)
	signedIn, err := s.SignIn(t.Context(), record(s.clock.Now()))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Update(t.Context(), signedIn, func(rec *session.Record) { rec.Identity.Name = "Canary Two" }); err != nil {
		t.Fatal(err)
	}
	secrets := []string{b.cookie(), s.request(signedIn).Cookies()[0].Value, "anary", "example.edu", globus.TransferServer}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("folder: got %v, %v, want 0700", info.Mode(), err)
	}
	var names []string
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
		content, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range secrets {
			if strings.Contains(string(content), secret) {
				t.Errorf("%s holds %q", e.Name(), secret)
			}
		}
		if info, err := e.Info(); err != nil || info.Mode() != 0o600 {
			t.Errorf("%s: got %v, %v, want 0600", e.Name(), info.Mode(), err)
		}
	}
	if want := []string{"sessions.db", "sessions.db-shm", "sessions.db-wal"}; !slices.Equal(names, want) {
		t.Errorf("got files %q, want %q", names, want)
	}
}
