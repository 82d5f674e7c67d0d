package auth_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"example.org/portal/globus"
	"example.org/portal/globus/globustest"
	"example.org/portal/routes/routestest"
)

// TestRefreshOnce: at the end of the tokens' life, any number of requests make
// one refresh for each resource server, and all are answered.
func TestRefreshOnce(t *testing.T) {
	t.Parallel()
	var c routestest.Clock
	s := routestest.StartWithProbes(t, routestest.Options{Now: c.Now})
	b := s.Browser()
	b.SignIn("rosalind")
	name, session := b.Cookie("session")
	for round := range 3 {
		c.PassTokens()
		var wg sync.WaitGroup
		for i := range 3 * routestest.Rounds() {
			path := []string{"/", "/user", "/probe/tasks"}[i%3]
			other := s.Browser()
			wg.Go(func() {
				p, err := other.Try(t.Context(), http.MethodGet, path, nil, "Cookie", name+"="+session)
				if err != nil || p.Status != http.StatusOK || !strings.Contains(p.Body, map[bool]string{true: "Photo 51", false: "Rosalind"}[path == "/probe/tasks"]) {
					t.Errorf("%s: got %d, %v:\n%s", path, p.Status, err, p.Body)
				}
			})
		}
		wg.Wait()
		for _, server := range []string{globus.AuthServer, globus.TransferServer} {
			if got, want := s.Globus.Refreshes(server), round+1; got != want {
				t.Errorf("%s was refreshed %d times, want %d", server, got, want)
			}
		}
	}
	for kind, form := range map[string][]string{"auth": {"token", "access"}, "transfer": {"token", "access", "server", globus.TransferServer}} {
		p := b.Send(http.MethodPost, "/tokens/show", b.Get("/").Form(form...), routestest.Htmx...)
		if m := routestest.ShownToken.FindStringSubmatch(p.Body); m == nil || !s.Globus.Live(m[1]) {
			t.Errorf("the %s token that is kept is not the newest: %v", kind, m)
		}
	}
}

// TestRefreshFails: errors of Globus sign nobody out, and it is not asked again at once.
func TestRefreshFails(t *testing.T) {
	t.Parallel()
	faults := map[string]globustest.Fault{
		"an error":  {Status: 500},
		"garbage":   {Body: `{"access_token":5}`},
		"hung up":   {HangUp: true},
		"a page":    {Status: 502, Header: http.Header{"Content-Type": {"text/html"}}, Body: "<h1>canary</h1>"},
		"throttled": {Status: 429, Header: http.Header{"Retry-After": {"5"}}},
	}
	for name, fault := range faults {
		t.Run(name, func(t *testing.T) {
			var c routestest.Clock
			begin := time.Now()
			s := routestest.StartWithProbes(t, routestest.Options{Now: func() time.Time { return begin.Add(time.Duration(c.Ahead.Load())) }}) // a moment lasts
			b := s.Browser()
			b.SignIn("rosalind")
			s.Globus.Lie(routestest.BrokenToken(fault))
			c.PassTokens()
			before := s.Globus.Requests(globustest.TokenPath)
			for range 20 {
				if p := b.Get("/"); !strings.Contains(p.Body, "Rosalind") {
					t.Fatalf("signed out while Globus is ill:\n%s", p.Body)
				}
			}
			if got := s.Globus.Requests(globustest.TokenPath) - before; got != 1 {
				t.Errorf("Globus was asked %d times within a moment, want once", got)
			}
			if told := strings.Contains(s.Log.String(), "https://status.globus.org"); told != (fault.Status >= 500) {
				t.Errorf("the log says where to look: %t\n%s", told, s.Log)
			}
			if p := b.Get("/probe/tasks", routestest.Htmx...); p.Status != http.StatusOK {
				t.Errorf("the tasks, with a token that is good for 30 s: got %d, want 200", p.Status)
			}
			c.Pass(time.Hour) // the tokens are at their end
			if p := b.Get("/"); !strings.Contains(p.Body, "Rosalind") {
				t.Fatalf("signed out by an old token:\n%s", p.Body)
			}
			if p := b.Get("/probe/tasks", routestest.Htmx...); p.Status != http.StatusServiceUnavailable {
				t.Errorf("the tasks: got %d, want 503", p.Status)
			}
			s.Globus.Lie(globustest.Lie{})
			c.Pass(10 * time.Second)
			if p := b.Get("/probe/tasks", routestest.Htmx...); p.Status != http.StatusOK {
				t.Errorf("it did not recover: %d\n%s", p.Status, s.Log)
			}
		})
	}
}

// TestRefreshSlow: a page waits for a slow Globus, but not for long.
func TestRefreshSlow(t *testing.T) {
	t.Parallel()
	var c routestest.Clock
	s := routestest.StartWithProbes(t, routestest.Options{Now: c.Now})
	b := s.Browser()
	b.SignIn("rosalind")
	wait := make(chan struct{})
	s.Globus.Lie(routestest.BrokenToken(globustest.Fault{Wait: wait}))
	c.PassTokens()
	if p := b.Get("/"); !strings.Contains(p.Body, "Rosalind") {
		t.Errorf("signed out by a slow Globus:\n%s", p.Body)
	}
	if strings.Contains(s.Log.String(), "token not refreshed") {
		t.Error("the page waited until the refresh was given up")
	}
	close(wait)
	routestest.Await(t, "the refresh has come to its end", func() bool { return s.Globus.Refreshes(globus.AuthServer) == 1 })
	if p := b.Get("/probe/tasks", routestest.Htmx...); p.Status != http.StatusOK {
		t.Errorf("the tasks: got %d", p.Status)
	}
}

// TestGrantWithdrawn: consent that a person takes back at Globus ends what it
// was for, with a sentence.
func TestGrantWithdrawn(t *testing.T) {
	t.Parallel()
	t.Run("all of it", func(t *testing.T) {
		var c routestest.Clock
		s := routestest.StartWithProbes(t, routestest.Options{Now: c.Now})
		b := s.Browser()
		b.SignIn("rosalind")
		s.Globus.ExpireRefreshTokens("")
		c.PassTokens()
		p := b.Get("/probe/tasks", routestest.Htmx...)
		if p.Status != http.StatusUnauthorized || p.Reason() != "session_ended" {
			t.Errorf("got %d, want 401:\n%s", p.Status, p.Body)
		}
		if _, session := b.Cookie("session"); session != "" || b.SignedIn() {
			t.Error("still signed in")
		}
	})
	t.Run("one resource server", func(t *testing.T) {
		s := routestest.StartWithProbes(t, routestest.Options{})
		b := s.Browser()
		b.SignIn("rosalind")
		s.Globus.ExpireAccessTokens(globus.TransferServer)
		s.Globus.Lie(routestest.BrokenToken(globustest.Fault{Status: 400, Body: `{"error":"invalid_grant"}`}))
		for range 2 {
			p := b.Get("/probe/tasks", routestest.Htmx...)
			if p.Status != http.StatusForbidden || p.Reason() != "no_token" {
				t.Errorf("got %d, want 403:\n%s", p.Status, p.Body)
			}
		}
		if p := b.Get("/"); !strings.Contains(p.Body, "Rosalind") || strings.Contains(p.Body, globus.TransferServer) {
			t.Errorf("signed out, or the token is still there:\n%s", p.Body)
		}
	})
}

// TestRefreshRacesLogout: a sign-out during a refresh is final, and the tokens of the
// refresh are revoked.
func TestRefreshRacesLogout(t *testing.T) {
	t.Parallel()
	var c routestest.Clock
	s := routestest.StartWithProbes(t, routestest.Options{Now: c.Now})
	for round := range 4 * routestest.Rounds() {
		b := s.Browser()
		form := b.SignIn("rosalind").Form()
		name, session := b.Cookie("session")
		c.PassTokens()
		other := s.Browser()
		var wg sync.WaitGroup
		wg.Go(func() { _, _ = other.Try(t.Context(), http.MethodGet, "/probe/tasks", nil, "Cookie", name+"="+session) })
		wg.Go(func() { _, _ = other.Try(t.Context(), http.MethodGet, "/", nil, "Cookie", name+"="+session) })
		if p := b.Send(http.MethodPost, "/logout", form); p.Status != http.StatusSeeOther {
			t.Fatalf("round %d: sign-out answers %d", round, p.Status)
		}
		wg.Wait()
		if p := s.Browser().Get("/user", "Cookie", name+"="+session); p.Has("uuid") {
			t.Fatalf("round %d: the old cookie opens a session", round)
		}
	}
	c.Pass(time.Minute) // the access tokens that were replaced are at their end by themselves
	routestest.Await(t, "no token is alive", func() bool { return s.Globus.LiveTokens() == 0 })
}

// TestTokenPanel shows and refreshes the tokens of one resource server.
func TestTokenPanel(t *testing.T) {
	t.Parallel()
	s := routestest.Start(t, routestest.Options{})
	b := s.Browser()
	b.SignIn("rosalind")
	if p := b.Get("/account"); !p.Has("tokens") || !strings.Contains(p.Body, globus.TransferServer) {
		t.Errorf("the panel lacks %s", globus.TransferServer)
	}
	show := func() string {
		p := b.Send(http.MethodPost, "/tokens/show", b.Get("/").Form("token", "access", "server", globus.TransferServer), routestest.Htmx...)
		m := routestest.ShownToken.FindStringSubmatch(p.Body)
		if m == nil {
			t.Fatalf("no token is shown: %d\n%s", p.Status, p.Body)
		}
		return m[1]
	}
	old := show()
	if p := b.Send(http.MethodPost, "/tokens/refresh", b.Get("/").Form("server", globus.TransferServer), routestest.Htmx...); p.Status != http.StatusOK || !p.Has("account") {
		t.Errorf("got %d, want the account", p.Status)
	}
	if fresh := show(); fresh == old || !s.Globus.Live(fresh) {
		t.Error("the token was not refreshed")
	}
	for _, form := range [][]string{{"server", "nowhere.example"}, {"server", "nowhere.example", "token", "access"}, {"token", "x"}} {
		for _, path := range []string{"/tokens/show", "/tokens/refresh"} {
			if p := b.Send(http.MethodPost, path, b.Get("/").Form(form...), routestest.Htmx...); p.Status != http.StatusBadRequest {
				t.Errorf("%s %v: got %d, want 400", path, form, p.Status)
			}
		}
	}
	b.WantAllRevoked()
}

// TestLateAnswer: a request whose session is ended by another while it waits
// does not take a cookie from the browser, which may be of a new session by then.
func TestLateAnswer(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"/probe/tasks", "/user", "/"} {
		t.Run(path, func(t *testing.T) {
			var c routestest.Clock
			s := routestest.StartWithProbes(t, routestest.Options{Now: c.Now})
			b := s.Browser()
			form := b.SignIn("rosalind").Form()
			name, session := b.Cookie("session")
			arrived, wait := make(chan struct{}, 1), make(chan struct{})
			s.Globus.Lie(routestest.BrokenToken(globustest.Fault{Arrived: arrived, Wait: wait}))
			c.PassTokens()
			late := make(chan routestest.Page)
			other := s.Browser()
			go func() {
				p, _ := other.Try(t.Context(), http.MethodGet, path, nil, append([]string{"Cookie", name + "=" + session}, routestest.Htmx...)...)
				late <- p
			}()
			<-arrived
			b.Send(http.MethodPost, "/logout", form)
			close(wait)
			p := <-late
			if strings.Contains(strings.Join(p.Header.Values("Set-Cookie"), "\n"), "session=") {
				t.Errorf("it sets the session cookie: %v", p.Header.Values("Set-Cookie"))
			}
		})
	}
}

// TestRefreshForLess: a token that ends sooner than the one before is kept too,
// with what came beside it.
func TestRefreshForLess(t *testing.T) {
	t.Parallel()
	s := routestest.Start(t, routestest.Options{})
	b := s.Browser()
	b.SignIn("rosalind")
	s.Globus.Lie(globustest.Lie{RotateRefresh: true, Refresh: globustest.Edit{Set: map[string]any{"expires_in": 3600}}})
	for range 2 {
		if p := b.Send(http.MethodPost, "/tokens/refresh", b.Get("/").Form("server", globus.TransferServer), routestest.Htmx...); p.Status != http.StatusOK {
			t.Fatalf("got %d", p.Status)
		}
	}
	p := b.Send(http.MethodPost, "/tokens/show", b.Get("/").Form("token", "access", "server", globus.TransferServer), routestest.Htmx...)
	if m := routestest.ShownToken.FindStringSubmatch(p.Body); m == nil || !s.Globus.Live(m[1]) {
		t.Errorf("the token that is kept is not alive: %v", m)
	}
	b.Send(http.MethodPost, "/logout", b.Get("/").Form())
	if got := s.Globus.LiveTokens(); got != 0 {
		t.Errorf("%d tokens live on", got)
	}
}

// TestRefreshTimesOut: a Globus that never answers signs nobody out.
func TestRefreshTimesOut(t *testing.T) {
	t.Parallel()
	var c routestest.Clock
	s := routestest.StartWithProbes(t, routestest.Options{Now: c.Now})
	b := s.Browser()
	b.SignIn("rosalind")
	s.Globus.Lie(routestest.BrokenToken(globustest.Fault{Wait: make(chan struct{})}))
	c.PassTokens()
	b.Get("/")
	routestest.Await(t, "the refresh is given up", func() bool { return strings.Contains(s.Log.String(), "token not refreshed") })
	if p := b.Get("/"); !strings.Contains(p.Body, "Rosalind") {
		t.Errorf("signed out:\n%s", p.Body)
	}
	s.Globus.Lie(globustest.Lie{})
	c.Pass(10 * time.Second)
	if p := b.Get("/probe/tasks", routestest.Htmx...); p.Status != http.StatusOK || s.Globus.Refreshes(globus.AuthServer) != 1 {
		t.Errorf("it did not recover: %d", p.Status)
	}
}

// TestSessionOver: when a session expires, the page says so and the tokens are revoked.
func TestSessionOver(t *testing.T) {
	t.Parallel()
	var c routestest.Clock
	s := routestest.StartWithProbes(t, routestest.Options{Now: c.Now})
	b := s.Browser()
	b.SignIn("rosalind")
	c.Pass(8 * 24 * time.Hour)
	if p := b.Get("/"); p.Status != http.StatusOK || !p.Has("session-ended") {
		t.Errorf("got %d, want that it is said:\n%s", p.Status, p.Body)
	}
	if p := b.Get("/"); p.Has("session-ended") {
		t.Error("it says so for ever")
	}
	routestest.Await(t, "its tokens are revoked", func() bool { return s.Globus.LiveTokens() == 0 })
}
