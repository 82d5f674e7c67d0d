package routes_test

import (
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"example.org/portal/globus"
	"example.org/portal/globus/globustest"
)

// A clock can be moved on.
type clock struct{ ahead atomic.Int64 }

func (c *clock) now() time.Time       { return time.Now().Add(time.Duration(c.ahead.Load())) }
func (c *clock) pass(d time.Duration) { c.ahead.Add(int64(d)) }
func (c *clock) passTokens()          { c.pass(48*time.Hour - 30*time.Second) } // they end in 30 s
func brokenToken(f globustest.Fault) globustest.Lie {
	return globustest.Lie{Endpoints: map[string]globustest.Fault{globustest.TokenPath: f}}
}

// TestRefreshOnce: at the end of the tokens' life, any number of requests make
// one refresh for each resource server, and all are answered.
func TestRefreshOnce(t *testing.T) {
	var c clock
	s := start(t, options{now: c.now})
	b := s.browser()
	b.signIn("rosalind")
	name, session := b.cookie("session")
	for round := range 3 {
		c.passTokens()
		var wg sync.WaitGroup
		for i := range 100 {
			path := []string{"/", "/user", "/transfers"}[i%3]
			other := s.browser()
			wg.Go(func() {
				p, err := other.try(t.Context(), http.MethodGet, path, nil, "Cookie", name+"="+session)
				if err != nil || p.status != http.StatusOK || !strings.Contains(p.body, map[bool]string{true: "Photo 51", false: "Rosalind"}[path == "/transfers"]) {
					t.Errorf("%s: got %d, %v:\n%s", path, p.status, err, p.body)
				}
			})
		}
		wg.Wait()
		for _, server := range []string{globus.AuthServer, globus.TransferServer} {
			if got, want := s.auth.Refreshes(server), round+1; got != want {
				t.Errorf("%s was refreshed %d times, want %d", server, got, want)
			}
		}
	}
	for kind, form := range map[string][]string{"auth": {"token", "access"}, "transfer": {"token", "access", "server", globus.TransferServer}} {
		p := b.send(http.MethodPost, "/tokens/show", b.get("/").form(form...), htmx...)
		if m := shownToken.FindStringSubmatch(p.body); m == nil || !s.auth.Live(m[1]) {
			t.Errorf("the %s token that is kept is not the newest: %v", kind, m)
		}
	}
}

// TestRefreshFails: a Globus that is ill throws nobody out, and is not hammered.
func TestRefreshFails(t *testing.T) {
	faults := map[string]globustest.Fault{
		"an error":  {Status: 500},
		"garbage":   {Body: `{"access_token":5}`},
		"hung up":   {HangUp: true},
		"a page":    {Status: 502, Header: http.Header{"Content-Type": {"text/html"}}, Body: "<h1>canary</h1>"},
		"throttled": {Status: 429, Header: http.Header{"Retry-After": {"5"}}},
	}
	for name, fault := range faults {
		t.Run(name, func(t *testing.T) {
			var c clock
			begin := time.Now()
			s := start(t, options{now: func() time.Time { return begin.Add(time.Duration(c.ahead.Load())) }}) // a moment lasts
			b := s.browser()
			b.signIn("rosalind")
			s.auth.Lie(brokenToken(fault))
			c.passTokens()
			before := s.auth.Requests(globustest.TokenPath)
			for range 20 {
				if p := b.get("/"); !strings.Contains(p.body, "Rosalind") {
					t.Fatalf("signed out while Globus is ill:\n%s", p.body)
				}
			}
			if got := s.auth.Requests(globustest.TokenPath) - before; got != 1 {
				t.Errorf("Globus was asked %d times within a moment, want once", got)
			}
			if told := strings.Contains(s.log.String(), "https://status.globus.org"); told != (fault.Status >= 500) {
				t.Errorf("the log says where to look: %t\n%s", told, s.log)
			}
			if p := b.get("/transfers", htmx...); p.status != http.StatusOK {
				t.Errorf("transfers, with a token that is good for 30 s: got %d, want 200", p.status)
			}
			c.pass(time.Hour) // the tokens are at their end
			if p := b.get("/"); !strings.Contains(p.body, "Rosalind") {
				t.Fatalf("signed out by an old token:\n%s", p.body)
			}
			if p := b.get("/transfers", htmx...); p.status != http.StatusServiceUnavailable {
				t.Errorf("transfers: got %d, want 503", p.status)
			}
			s.auth.Lie(globustest.Lie{})
			c.pass(10 * time.Second)
			if p := b.get("/transfers", htmx...); p.status != http.StatusOK {
				t.Errorf("it did not recover: %d\n%s", p.status, s.log)
			}
		})
	}
}

// TestRefreshSlow: a page waits for a slow Globus, but not for long.
func TestRefreshSlow(t *testing.T) {
	var c clock
	s := start(t, options{now: c.now})
	b := s.browser()
	b.signIn("rosalind")
	wait := make(chan struct{})
	s.auth.Lie(brokenToken(globustest.Fault{Wait: wait}))
	c.passTokens()
	if p := b.get("/"); !strings.Contains(p.body, "Rosalind") {
		t.Errorf("signed out by a slow Globus:\n%s", p.body)
	}
	if strings.Contains(s.log.String(), "token not refreshed") {
		t.Error("the page waited until the refresh was given up")
	}
	close(wait)
	await(t, "the refresh has come to its end", func() bool { return s.auth.Refreshes(globus.AuthServer) == 1 })
	if p := b.get("/transfers", htmx...); p.status != http.StatusOK {
		t.Errorf("transfers: got %d", p.status)
	}
}

// TestGrantWithdrawn: consent that a person takes back at Globus ends what it
// was for, with a sentence.
func TestGrantWithdrawn(t *testing.T) {
	t.Run("all of it", func(t *testing.T) {
		var c clock
		s := start(t, options{now: c.now})
		b := s.browser()
		b.signIn("rosalind")
		s.auth.ExpireRefreshTokens("")
		c.passTokens()
		p := b.get("/transfers", htmx...)
		if p.status != http.StatusUnauthorized || !strings.Contains(p.body, "Your session has ended") {
			t.Errorf("got %d, want 401:\n%s", p.status, p.body)
		}
		if _, session := b.cookie("session"); session != "" || b.signedIn() {
			t.Error("still signed in")
		}
	})
	t.Run("one resource server", func(t *testing.T) {
		s := start(t, options{})
		b := s.browser()
		b.signIn("rosalind")
		s.auth.ExpireAccessTokens(globus.TransferServer)
		s.auth.Lie(brokenToken(globustest.Fault{Status: 400, Body: `{"error":"invalid_grant"}`}))
		for range 2 {
			p := b.get("/transfers", htmx...)
			if p.status != http.StatusForbidden || !strings.Contains(p.body, "gave no token") {
				t.Errorf("got %d, want 403:\n%s", p.status, p.body)
			}
		}
		if p := b.get("/"); !strings.Contains(p.body, "Rosalind") || strings.Contains(p.body, globus.TransferServer) {
			t.Errorf("signed out, or the token is still there:\n%s", p.body)
		}
	})
}

// TestRefreshRacesLogout: signed out is signed out, and what a refresh obtained
// meanwhile is revoked.
func TestRefreshRacesLogout(t *testing.T) {
	var c clock
	s := start(t, options{now: c.now})
	for round := range 200 {
		b := s.browser()
		form := b.signIn("rosalind").form()
		name, session := b.cookie("session")
		c.passTokens()
		other := s.browser()
		var wg sync.WaitGroup
		wg.Go(func() { _, _ = other.try(t.Context(), http.MethodGet, "/transfers", nil, "Cookie", name+"="+session) })
		wg.Go(func() { _, _ = other.try(t.Context(), http.MethodGet, "/", nil, "Cookie", name+"="+session) })
		if p := b.send(http.MethodPost, "/logout", form); p.status != http.StatusSeeOther {
			t.Fatalf("round %d: sign-out answers %d", round, p.status)
		}
		wg.Wait()
		if p := s.browser().get("/user", "Cookie", name+"="+session); strings.Contains(p.body, "Log out") {
			t.Fatalf("round %d: the old cookie opens a session", round)
		}
	}
	c.pass(time.Minute) // the access tokens that were replaced are at their end by themselves
	await(t, "no token is alive", func() bool { return s.auth.LiveTokens() == 0 })
}

// TestTokenPanel shows and refreshes the tokens of one resource server.
func TestTokenPanel(t *testing.T) {
	s := start(t, options{})
	b := s.browser()
	home := b.signIn("rosalind")
	if !strings.Contains(home.body, globus.TransferServer) {
		t.Errorf("the panel lacks %s", globus.TransferServer)
	}
	show := func() string {
		p := b.send(http.MethodPost, "/tokens/show", b.get("/").form("token", "access", "server", globus.TransferServer), htmx...)
		m := shownToken.FindStringSubmatch(p.body)
		if m == nil {
			t.Fatalf("no token is shown: %d\n%s", p.status, p.body)
		}
		return m[1]
	}
	old := show()
	if p := b.send(http.MethodPost, "/tokens/refresh", b.get("/").form("server", globus.TransferServer), htmx...); p.status != http.StatusOK || !strings.Contains(p.body, `id="user-card"`) {
		t.Errorf("got %d, want the card", p.status)
	}
	if fresh := show(); fresh == old || !s.auth.Live(fresh) || s.auth.Live(old) {
		t.Error("the token was not refreshed, or the old one lives on")
	}
	for _, form := range [][]string{{"server", "nowhere.example"}, {"server", "nowhere.example", "token", "access"}, {"token", "x"}} {
		for _, path := range []string{"/tokens/show", "/tokens/refresh"} {
			if p := b.send(http.MethodPost, path, b.get("/").form(form...), htmx...); p.status != http.StatusBadRequest {
				t.Errorf("%s %v: got %d, want 400", path, form, p.status)
			}
		}
	}
}

// TestLateAnswer: a request whose session is ended by another while it waits
// does not take a cookie from the browser, which may be of a new session by then.
func TestLateAnswer(t *testing.T) {
	for _, path := range []string{"/transfers", "/user", "/"} {
		t.Run(path, func(t *testing.T) {
			var c clock
			s := start(t, options{now: c.now})
			b := s.browser()
			form := b.signIn("rosalind").form()
			name, session := b.cookie("session")
			arrived, wait := make(chan struct{}, 1), make(chan struct{})
			s.auth.Lie(brokenToken(globustest.Fault{Arrived: arrived, Wait: wait}))
			c.passTokens()
			late := make(chan page)
			other := s.browser()
			go func() {
				p, _ := other.try(t.Context(), http.MethodGet, path, nil, append([]string{"Cookie", name + "=" + session}, htmx...)...)
				late <- p
			}()
			<-arrived
			b.send(http.MethodPost, "/logout", form)
			close(wait)
			p := <-late
			if strings.Contains(strings.Join(p.header.Values("Set-Cookie"), "\n"), "session=") {
				t.Errorf("it sets the session cookie: %v", p.header.Values("Set-Cookie"))
			}
		})
	}
}

// TestRefreshForLess: a token that ends sooner than the one before is kept too,
// with what came beside it.
func TestRefreshForLess(t *testing.T) {
	s := start(t, options{})
	b := s.browser()
	b.signIn("rosalind")
	s.auth.Lie(globustest.Lie{RotateRefresh: true, Refresh: globustest.Edit{Set: map[string]any{"expires_in": 3600}}})
	for range 2 {
		if p := b.send(http.MethodPost, "/tokens/refresh", b.get("/").form("server", globus.TransferServer), htmx...); p.status != http.StatusOK {
			t.Fatalf("got %d", p.status)
		}
	}
	p := b.send(http.MethodPost, "/tokens/show", b.get("/").form("token", "access", "server", globus.TransferServer), htmx...)
	if m := shownToken.FindStringSubmatch(p.body); m == nil || !s.auth.Live(m[1]) {
		t.Errorf("the token that is kept is not alive: %v", m)
	}
	b.send(http.MethodPost, "/logout", b.get("/").form())
	if got := s.auth.LiveTokens(); got != 0 {
		t.Errorf("%d tokens live on", got)
	}
}

// TestRefreshTimesOut: a Globus that never answers throws nobody out either.
func TestRefreshTimesOut(t *testing.T) {
	t.Parallel()
	var c clock
	s := start(t, options{now: c.now})
	b := s.browser()
	b.signIn("rosalind")
	s.auth.Lie(brokenToken(globustest.Fault{Wait: make(chan struct{})}))
	c.passTokens()
	b.get("/")
	await(t, "the refresh is given up", func() bool { return strings.Contains(s.log.String(), "token not refreshed") })
	if p := b.get("/"); !strings.Contains(p.body, "Rosalind") {
		t.Errorf("signed out:\n%s", p.body)
	}
	s.auth.Lie(globustest.Lie{})
	c.pass(10 * time.Second)
	if p := b.get("/transfers", htmx...); p.status != http.StatusOK || s.auth.Refreshes(globus.AuthServer) != 1 {
		t.Errorf("it did not recover: %d", p.status)
	}
}

// TestSessionOver: a session whose time is up says so, and leaves no token.
func TestSessionOver(t *testing.T) {
	var c clock
	s := start(t, options{now: c.now})
	b := s.browser()
	b.signIn("rosalind")
	c.pass(8 * 24 * time.Hour)
	if p := b.get("/"); p.status != http.StatusOK || !strings.Contains(p.body, "Your session has ended") {
		t.Errorf("got %d, want a sentence:\n%s", p.status, p.body)
	}
	if p := b.get("/"); strings.Contains(p.body, "Your session has ended") {
		t.Error("it says so for ever")
	}
	await(t, "its tokens are revoked", func() bool { return s.auth.LiveTokens() == 0 })
}
