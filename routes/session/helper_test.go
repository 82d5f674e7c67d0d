package session_test

import (
	"bytes"
	"context"
	"database/sql"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"example.org/portal/globus"
	"example.org/portal/routes/session"
)

const cookieName = "portal-test"

// record is a session that began now, with values that must not be found where
// they do not belong.
func record(now time.Time) session.Record {
	return session.Record{
		Identity: globus.Identity{
			Subject: "canary-subject", Username: "canary-username@example.edu", Name: "Canary Name",
			Email: "canary-email@example.edu", Linked: []globus.LinkedIdentity{{Subject: "canary-linked"}},
		},
		Tokens: globus.Tokens{
			globus.AuthServer:     {AccessToken: "canary-access-1", RefreshToken: "canary-refresh-1", Expiry: now.Add(48 * time.Hour)},
			globus.TransferServer: {AccessToken: "canary-access-2", RefreshToken: "canary-refresh-2", Expiry: now.Add(time.Hour)},
		},
		Began: now,
	}
}

// A clock is moved by hand.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Now()} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// A logBuffer is what was logged.
type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// A site is a manager behind a real server, with a route for each thing that
// it does.
type site struct {
	*testing.T
	*session.Manager
	url   string
	store string  // as in its Config
	db    *sql.DB // see database
	clock *clock
	log   *logBuffer

	revoked tokenBag // by the manager itself
}

// A tokenBag collects access and refresh tokens.
type tokenBag struct {
	mu  sync.Mutex
	all []string
}

func (b *tokenBag) add(tokens globus.Tokens) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, t := range tokens {
		b.all = append(b.all, t.AccessToken, t.RefreshToken)
	}
}

func (b *tokenBag) has(token string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Contains(b.all, token)
}

// open opens a manager; cfg says how it differs from the usual one, which has a
// new SQLite file.
func open(t *testing.T, cfg session.Config) *site {
	t.Helper()
	if cfg.Store == "" {
		cfg.Store = newStore(t, "sqlite")
	}
	s := &site{T: t, store: cfg.Store, clock: newClock(), log: &logBuffer{}}
	if cfg.Lifetime == 0 {
		cfg.Lifetime = 7 * 24 * time.Hour
	}
	if cfg.Cookie.Name == "" {
		cfg.Cookie = http.Cookie{Name: cookieName, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode}
	}
	if cfg.Audience == "" {
		cfg.Audience = "https://auth.globus.org app"
	}
	if cfg.Refresh == nil {
		cfg.Refresh = func(context.Context, string, globus.Token, string) (globus.Token, error) {
			return globus.Token{}, &globus.Error{Call: "refresh", Reason: globus.Unreachable}
		}
	}
	cfg.Revoke = func(_ context.Context, tokens globus.Tokens) { s.revoked.add(tokens) }
	cfg.Now, cfg.Log = s.clock.Now, slog.New(slog.NewTextHandler(s.log, nil))
	m, err := session.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	s.Manager = m
	srv := httptest.NewServer(s.routes())
	s.url = srv.URL
	t.Cleanup(func() {
		srv.Close()
		if err := m.Close(); err != nil {
			t.Error(err)
		}
		if told := s.log.String(); strings.Contains(strings.ToLower(told), "canary") {
			t.Errorf("the log tells secrets: %s", told)
		}
	})
	return s
}

func (s *site) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/in", func(w http.ResponseWriter, r *http.Request) {
		got, err := s.SignIn(r.Context(), record(s.clock.Now()))
		if err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		s.SetCookie(w, got)
	})
	mux.HandleFunc("/me", func(w http.ResponseWriter, r *http.Request) {
		got, err := s.Load(w, r)
		switch {
		case err != nil:
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
		case got == nil:
			w.WriteHeader(http.StatusUnauthorized)
		case got.Identity.Subject != "canary-subject" || got.Tokens[globus.AuthServer].AccessToken != "canary-access-1":
			http.Error(w, "somebody else", http.StatusInternalServerError)
		}
	})
	mux.HandleFunc("/out", func(w http.ResponseWriter, r *http.Request) {
		_, err := s.SignOut(r)
		s.ClearCookie(w)
		if err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
		}
	})
	return mux
}

// A browser keeps cookies.
type browser struct {
	s    *site
	http *http.Client
}

func (s *site) browser() *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.Fatal(err)
	}
	// One of its own: closing any httptest.Server closes connections of the usual one.
	transport := http.DefaultTransport.(*http.Transport).Clone()
	s.Cleanup(transport.CloseIdleConnections)
	return &browser{s, &http.Client{Jar: jar, Transport: transport}}
}

// get visits a path, and wants this status.
func (b *browser) get(path string, want int) *http.Response {
	b.s.Helper()
	resp, err := b.http.Get(b.s.url + path)
	if err != nil {
		b.s.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != want {
		b.s.Errorf("%s: got %d, want %d", path, resp.StatusCode, want)
	}
	return resp
}

// signedIn returns a browser that has just signed in.
func (s *site) signedIn() *browser {
	s.Helper()
	b := s.browser()
	b.get("/in", http.StatusOK)
	if b.cookie() == "" {
		s.Fatal("signing in sets no cookie")
	}
	return b
}

// cookie returns the value of the session cookie that the browser has, or "".
func (b *browser) cookie() string {
	for _, c := range b.http.Jar.Cookies(b.address()) {
		if c.Name == cookieName {
			return c.Value
		}
	}
	return ""
}

func (b *browser) setCookie(value string) {
	b.http.Jar.SetCookies(b.address(), []*http.Cookie{{Name: cookieName, Value: value, Path: "/"}})
}

func (b *browser) address() *url.URL {
	u, err := url.Parse(b.s.url)
	if err != nil {
		b.s.Fatal(err)
	}
	return u
}

// await polls until ok, for what happens by itself.
func await(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(2 * time.Minute)
	for !ok() {
		select {
		case <-deadline:
			t.Fatalf("waited in vain until %s", what)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }

func cancelled(t *testing.T) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}

// signOut is SignOut where only its error matters.
func signOut(s *site, r *http.Request) error {
	_, err := s.SignOut(r)
	return err
}
