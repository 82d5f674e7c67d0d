package routes_test

import (
	"fmt"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"example.org/portal/globus"
	"example.org/portal/globus/globustest"
	"example.org/portal/routes/routestest"
)

// TestStepUpTokens: the session goes on under a new id, no longer than it would
// have; the tokens that were replaced end, and the others stay.
func TestStepUpTokens(t *testing.T) {
	t.Parallel()
	var c routestest.Clock
	s := start(t, routestest.Options{Now: c.Now})
	wanting(s, func() *globus.Requirements { return domain("example.edu") })
	b := s.Browser()
	b.SignIn("rosalind")
	token := func(server string) string {
		p := b.Send("POST", "/tokens/show", b.Get("/").Form("server", server, "token", "access"), routestest.Htmx...)
		m := regexp.MustCompile(`<code[^>]*>([^<]+)</code>`).FindStringSubmatch(p.Body)
		if m == nil {
			t.Fatalf("no token of %q: %d\n%s", server, p.Status, p.Body)
		}
		return html.UnescapeString(m[1])
	}
	transfer := token(globus.TransferServer)
	old := s.Browser()
	old.Client.Jar.SetCookies(must(url.Parse(s.URL)), b.Client.Jar.Cookies(must(url.Parse(s.URL))))

	c.Pass(6 * 24 * time.Hour)
	old.Get("/") // refreshes
	auth := token("")
	// Globus gives no token for Transfer this time: the one that is held stays.
	s.Globus.Lie(globustest.Lie{Token: globustest.Edit{Set: map[string]any{"other_tokens": []any{}}}})
	back := b.AtGlobus(b.Get("/wanting"), "person", "rosalind")
	s.Globus.Lie(globustest.Lie{})
	if back.Status != http.StatusSeeOther {
		t.Fatalf("the callback answers %d:\n%s", back.Status, back.Body)
	}
	for _, cookie := range (&http.Response{Header: back.Header}).Cookies() {
		if strings.Contains(cookie.Name, "session") && (cookie.MaxAge <= 0 || cookie.MaxAge > 24*3600) {
			t.Errorf("the session lasts another %d s, a day is left", cookie.MaxAge)
		}
	}
	if old.SignedIn() {
		t.Error("the old session is still there")
	}
	if !b.SignedIn() {
		t.Error("there is no new session")
	}
	if p := b.Get("/probe/tasks", routestest.Htmx...); p.Status != http.StatusOK {
		t.Errorf("the tasks answer %d: the token that was kept is dead\n%s", p.Status, p.Body)
	}
	if got := token(globus.TransferServer); got == transfer || !s.Globus.Live(got) {
		t.Error("the token for Transfer was not kept, and refreshed")
	}
	c.Pass(24 * time.Hour)
	if b.SignedIn() {
		t.Error("still signed in")
	}
	routestest.Await(t, "the token that was replaced is dead", func() bool { return !s.Globus.Live(auth) })
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// TestStepUpFails: whatever goes wrong on the way, the session is as it was.
func TestStepUpFails(t *testing.T) {
	t.Parallel()
	down := func(path string) globustest.Lie {
		return globustest.Lie{Endpoints: map[string]globustest.Fault{path: {Status: 503}}}
	}
	tests := []struct {
		name       string
		at         []string // what the person does at Globus
		lie        globustest.Lie
		wantStatus int
		wantReason string
		want       []string // parts of the page
		wantRetry  bool
	}{
		{"the person refuses", []string{"deny", "1"}, globustest.Lie{}, 403, "denied", nil, true},
		{"somebody else", []string{"person", "markup"}, globustest.Lie{}, 403, "other_person",
			[]string{"<bdi>salma@example.org</bdi>", "<bdi>rosalind@example.edu</bdi>", "/login?prompt=login"}, false},
		{"Globus is down", []string{"person", "rosalind"}, down(globustest.TokenPath), 503, "step_up_failed", nil, true},
		{"a token of no person's", []string{"person", "rosalind"}, globustest.Lie{Claims: globustest.Edit{Drop: []string{"nonce"}}}, 503, "step_up_failed", nil, true},
		{"userinfo about another", []string{"person", "rosalind"}, globustest.Lie{UserInfo: globustest.Edit{Set: map[string]any{"sub": "x"}}}, 503, "step_up_failed", nil, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := start(t, routestest.Options{})
			wanting(s, func() *globus.Requirements { return domain("example.edu") })
			b := s.Browser()
			b.SignIn("rosalind")
			_, before := b.Cookie("session")
			begun := b.Get("/wanting")
			begun.AuthorizeRequest(t, s)
			back := b.Get(begun.Header.Get("Location"))
			back = b.Send("POST", back.URL, routestest.Page{}.Form(test.at...))
			s.Globus.Lie(test.lie)
			p := b.Get(back.Header.Get("Location"))
			s.Globus.Lie(globustest.Lie{})
			if p.Status != test.wantStatus || p.Reason() != test.wantReason || (p.Link(".retry") == "/wanting") != test.wantRetry {
				t.Errorf("got %d %s, want %d %s:\n%s", p.Status, p.Reason(), test.wantStatus, test.wantReason, p.Body)
			}
			for _, want := range test.want {
				if !strings.Contains(p.Body, want) {
					t.Errorf("it lacks %q:\n%s", want, p.Body)
				}
			}
			if _, after := b.Cookie("session"); after != before || !strings.Contains(b.Get("/user").Body, "Rosalind") {
				t.Error("the session changed")
			}
			if p := b.Get("/probe/tasks"); p.Status != http.StatusOK {
				t.Errorf("the tasks answer %d", p.Status)
			}
			b.WantAllRevoked()
		})
	}
}

// TestStepUpMeanwhile: the session ends, or another begins in the same browser,
// while somebody is at Globus.
func TestStepUpMeanwhile(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name      string
		meanwhile func(b *routestest.Browser)
		as        string
		want      string // who is signed in at the end; "": nobody
	}{
		{"signed out, and came back", func(b *routestest.Browser) { b.Send("POST", "/logout", b.Get("/").Form()) }, "rosalind", ""},
		{"signed out, and somebody else came back", func(b *routestest.Browser) { b.Send("POST", "/logout", b.Get("/").Form()) }, "ada", ""},
		{"somebody else signed in", func(b *routestest.Browser) { b.SignIn("ada") }, "rosalind", "Ada"},
		{"somebody else signed in, and came back", func(b *routestest.Browser) { b.SignIn("ada") }, "ada", "Ada"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := routestest.Start(t, routestest.Options{})
			wanting(s, func() *globus.Requirements { return &globus.Requirements{Prompt: "login"} })
			b := s.Browser()
			b.SignIn("rosalind")
			begun := b.Get("/wanting")
			test.meanwhile(b)
			p := b.AtGlobus(begun, "person", test.as)
			card := b.Get("/user")
			if test.want == "" && card.Has("uuid") || !strings.Contains(card.Body, test.want) {
				t.Errorf("got %d:\n%s\n%s, want %q", p.Status, p.Body, card.Body, test.want)
			}
		})
	}
}

// TestStepUpTooLarge: requirements that no cookie holds are not asked for, and
// those that leave no room for the way back lead home.
func TestStepUpTooLarge(t *testing.T) {
	t.Parallel()
	many := func(n int) *globus.Requirements {
		r := &globus.Requirements{MFA: true, Message: strings.Repeat("long ", 200), SessionMessage: "Please"}
		for i := range n {
			r.Policies = append(r.Policies, fmt.Sprintf("7a1c2e40-3b5d-4f6e-8a90-%012d", i))
		}
		return r
	}
	tests := []struct {
		name string
		n    int
		want string // where it ends; "": refused
	}{
		{"few", 2, "/wanting?" + strings.Repeat("x", 600)},
		{"some", 20, "/"},
		{"many", 50, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := routestest.Start(t, routestest.Options{})
			wanting(s, func() *globus.Requirements { return many(test.n) })
			b := s.Browser()
			b.SignIn("rosalind")
			p := b.Get("/wanting?" + strings.Repeat("x", 600))
			if test.want == "" {
				if p.Status != http.StatusForbidden || p.Reason() != "requirements_too_large" {
					t.Errorf("got %d:\n%s", p.Status, p.Body)
				}
				return
			}
			if q := p.AuthorizeRequest(t, s); strings.Count(q.Get("session_required_policies"), ",") != test.n-1 || q.Get("session_message") != "Please" {
				t.Errorf("asks for %v", q)
			}
			for _, c := range (&http.Response{Header: p.Header}).Cookies() {
				checkCookie(t, c, `^portal-[0-9]+-(login-[0-9a-f]{16})$`, false)
			}
			if back := b.AtGlobus(p, "person", "rosalind", "mfa", "1"); back.Header.Get("Location") != s.URL+test.want {
				t.Errorf("ends with %d at %q, want %q", back.Status, back.Header.Get("Location"), test.want)
			}
			if p := b.Get("/wanting"); p.Status != http.StatusForbidden {
				t.Errorf("then it answers %d, want to have met it", p.Status)
			}
		})
	}
}

// TestStepUpRacesSignOut: who signs out while Globus's answer is looked at is out
// for good; of two answers at once, one is a session.
func TestStepUpRacesSignOut(t *testing.T) {
	t.Parallel()
	s := routestest.Start(t, routestest.Options{Policy: domains("example.edu")})
	wanting(s, func() *globus.Requirements { return domain("example.edu") })
	b := s.Browser()
	b.Enter("/login", routestest.As("rosalind"))
	stepUp := func() string { return b.Get(b.Get("/wanting").Header.Get("Location")).Header.Get("Location") }
	arrived, wait := make(chan struct{}, 2), make(chan struct{})
	held := globustest.Lie{Endpoints: map[string]globustest.Fault{globustest.IntrospectPath: {Arrived: arrived, Wait: wait}}}

	first, second := stepUp(), stepUp()
	s.Globus.Lie(held)
	var both sync.WaitGroup
	for _, back := range []string{first, second} {
		both.Go(func() { b.Get(back) })
	}
	<-arrived
	<-arrived
	s.Globus.Lie(globustest.Lie{})
	close(wait)
	both.Wait()
	if !b.SignedIn() {
		t.Error("nobody is signed in after two steps up at once")
	}
	b.Send(http.MethodPost, "/logout", b.Get("/").Form())
	if n := s.Globus.LiveTokens(); n != 0 {
		t.Errorf("%d tokens live on after signing out", n)
	}

	b.Enter("/login?prompt=login", routestest.As("rosalind"))
	form, back := b.Get("/").Form(), stepUp()
	wait = make(chan struct{})
	held.Endpoints[globustest.IntrospectPath] = globustest.Fault{Arrived: arrived, Wait: wait}
	s.Globus.Lie(held)
	both.Go(func() { b.Get(back) })
	<-arrived
	b.Send(http.MethodPost, "/logout", form)
	s.Globus.Lie(globustest.Lie{})
	close(wait)
	both.Wait()
	if b.SignedIn() || s.Globus.LiveTokens() != 0 {
		t.Errorf("signed in: %t, %d live tokens, after signing out", b.SignedIn(), s.Globus.LiveTokens())
	}
}

// TestStepUpToldNothing: the session ends while the person is at Globus, which
// then lets them pass without a word about how they signed in, though a policy
// needs it. They are asked to sign in, and what was wanted is wanted still.
func TestStepUpToldNothing(t *testing.T) {
	t.Parallel()
	var c routestest.Clock
	s := routestest.Start(t, routestest.Options{Policy: globus.Policy{MFA: true}, Now: c.Now})
	wanting(s, func() *globus.Requirements { return domain("example.edu") })
	person := []string{"person", "rosalind", "mfa", "1"}
	b := s.Browser()
	b.Enter("/login", routestest.Page{}.Form(person...))
	c.Pass(7*24*time.Hour - 5*time.Minute)
	first := b.Get("/wanting")
	c.Pass(6 * time.Minute)
	s.Globus.Lie(saysNothing(globustest.Lie{}))
	back := b.AtGlobus(first, person...)
	s.Globus.Lie(globustest.Lie{})
	if got := back.AuthorizeRequest(t, s); got.Get("prompt") != "login" || got.Has("session_required_single_domain") {
		t.Fatalf("Globus is asked %v, want to ask who it is", got)
	}
	if p := b.AtGlobus(back, person...); p.Header.Get("Location") != s.URL+"/wanting" {
		t.Fatalf("got %d to %q:\n%s", p.Status, p.Header.Get("Location"), p.Body)
	}
	if got := b.Get("/wanting").AuthorizeRequest(t, s).Get("session_required_single_domain"); got != "example.edu" {
		t.Errorf("Globus is asked for %q, want example.edu", got)
	}
}
