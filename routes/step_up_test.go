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
)

// TestStepUpTokens: the session goes on under a new id, no longer than it would
// have; the tokens that were replaced end, and the others stay.
func TestStepUpTokens(t *testing.T) {
	var c clock
	s := start(t, options{now: c.now})
	s.wanting(func() *globus.Requirements { return domain("example.edu") })
	b := s.browser()
	b.signIn("rosalind")
	token := func(server string) string {
		p := b.send("POST", "/tokens/show", b.get("/").form("server", server, "token", "access"), htmx...)
		m := regexp.MustCompile(`<code[^>]*>([^<]+)</code>`).FindStringSubmatch(p.body)
		if m == nil {
			t.Fatalf("no token of %q: %d\n%s", server, p.status, p.body)
		}
		return html.UnescapeString(m[1])
	}
	auth, transfer := token(""), token(globus.TransferServer)
	old := s.browser()
	old.http.Jar.SetCookies(must(url.Parse(s.url)), b.http.Jar.Cookies(must(url.Parse(s.url))))

	c.pass(6 * 24 * time.Hour)
	old.get("/") // refreshes
	auth2 := token("")
	// Globus gives no token for Transfer this time: the one that is held stays.
	s.auth.Lie(globustest.Lie{Token: globustest.Edit{Set: map[string]any{"other_tokens": []any{}}}})
	back := b.atGlobus(b.get("/wanting"), "person", "rosalind")
	s.auth.Lie(globustest.Lie{})
	if back.status != http.StatusSeeOther {
		t.Fatalf("the callback answers %d:\n%s", back.status, back.body)
	}
	for _, cookie := range (&http.Response{Header: back.header}).Cookies() {
		if strings.Contains(cookie.Name, "session") && (cookie.MaxAge <= 0 || cookie.MaxAge > 24*3600) {
			t.Errorf("the session lasts another %d s, a day is left", cookie.MaxAge)
		}
	}
	if old.signedIn() {
		t.Error("the old session is still there")
	}
	if !b.signedIn() {
		t.Error("there is no new session")
	}
	if s.auth.Live(auth) || s.auth.Live(auth2) {
		t.Error("a replaced token is alive")
	}
	if p := b.get("/transfers", htmx...); p.status != http.StatusOK {
		t.Errorf("the transfers answer %d: the token that was kept is dead\n%s", p.status, p.body)
	}
	if got := token(globus.TransferServer); got == transfer || !s.auth.Live(got) {
		t.Error("the token for Transfer was not kept, and refreshed")
	}
	c.pass(24 * time.Hour)
	if b.signedIn() {
		t.Error("still signed in")
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// TestStepUpFails: whatever goes wrong on the way, the session is as it was.
func TestStepUpFails(t *testing.T) {
	down := func(path string) globustest.Lie {
		return globustest.Lie{Endpoints: map[string]globustest.Fault{path: {Status: 503}}}
	}
	tests := []struct {
		name       string
		at         []string // what the person does at Globus
		lie        globustest.Lie
		wantStatus int
		want       []string
		wantRetry  bool
	}{
		{"the person refuses", []string{"deny", "1"}, globustest.Lie{}, 403, []string{"You, or Globus, said no. Nothing was changed"}, true},
		{"somebody else", []string{"person", "markup"}, globustest.Lie{}, 403,
			[]string{"Somebody else came back", "<bdi>salma@example.org</bdi>", "<bdi>rosalind@example.edu</bdi>", "/login?prompt=login"}, false},
		{"Globus is down", []string{"person", "rosalind"}, down(globustest.TokenPath), 503, []string{"That came to nothing at Globus", "Nothing was changed"}, true},
		{"a token of no person's", []string{"person", "rosalind"}, globustest.Lie{Claims: globustest.Edit{Drop: []string{"nonce"}}}, 503, []string{"That came to nothing at Globus"}, true},
		{"userinfo about another", []string{"person", "rosalind"}, globustest.Lie{UserInfo: globustest.Edit{Set: map[string]any{"sub": "x"}}}, 503, []string{"Nothing was changed"}, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := start(t, options{})
			s.wanting(func() *globus.Requirements { return domain("example.edu") })
			b := s.browser()
			b.signIn("rosalind")
			_, before := b.cookie("session")
			live := s.auth.LiveTokens()
			begun := b.get("/wanting")
			begun.asked(t, s)
			back := b.get(begun.header.Get("Location"))
			back = b.send("POST", back.url, page{}.form(test.at...))
			s.auth.Lie(test.lie)
			p := b.get(back.header.Get("Location"))
			s.auth.Lie(globustest.Lie{})
			if p.status != test.wantStatus || (p.link("Try again") == "/wanting") != test.wantRetry {
				t.Errorf("got %d, want %d:\n%s", p.status, test.wantStatus, p.body)
			}
			for _, want := range test.want {
				if !strings.Contains(p.body, want) {
					t.Errorf("it lacks %q:\n%s", want, p.body)
				}
			}
			if _, after := b.cookie("session"); after != before || !strings.Contains(b.get("/user").body, "Rosalind") {
				t.Error("the session changed")
			}
			if got := s.auth.LiveTokens(); got != live {
				t.Errorf("%d tokens are alive, want %d as before", got, live)
			}
			if p := b.get("/transfers"); p.status != http.StatusOK {
				t.Errorf("the transfers answer %d", p.status)
			}
		})
	}
}

// TestStepUpMeanwhile: the session ends, or another begins in the same browser,
// while somebody is at Globus.
func TestStepUpMeanwhile(t *testing.T) {
	tests := []struct {
		name      string
		meanwhile func(b *browser)
		as        string
		want      string // who is signed in at the end; "": nobody
	}{
		{"signed out, and came back", func(b *browser) { b.send("POST", "/logout", b.get("/").form()) }, "rosalind", ""},
		{"signed out, and somebody else came back", func(b *browser) { b.send("POST", "/logout", b.get("/").form()) }, "ada", ""},
		{"somebody else signed in", func(b *browser) { b.signIn("ada") }, "rosalind", "Ada"},
		{"somebody else signed in, and came back", func(b *browser) { b.signIn("ada") }, "ada", "Ada"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := start(t, options{})
			s.wanting(func() *globus.Requirements { return &globus.Requirements{Prompt: "login"} })
			b := s.browser()
			b.signIn("rosalind")
			begun := b.get("/wanting")
			test.meanwhile(b)
			p := b.atGlobus(begun, "person", test.as)
			card := b.get("/user").body
			if test.want == "" && strings.Contains(card, "Log out") || !strings.Contains(card, test.want) {
				t.Errorf("got %d:\n%s\n%s, want %q", p.status, p.body, card, test.want)
			}
		})
	}
}

// TestStepUpTooLarge: requirements that no cookie holds are not asked for, and
// those that leave no room for the way back lead home.
func TestStepUpTooLarge(t *testing.T) {
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
			s := start(t, options{})
			s.wanting(func() *globus.Requirements { return many(test.n) })
			b := s.browser()
			b.signIn("rosalind")
			p := b.get("/wanting?" + strings.Repeat("x", 600))
			if test.want == "" {
				if p.status != http.StatusForbidden || !strings.Contains(p.body, "more than this site can ask for") {
					t.Errorf("got %d:\n%s", p.status, p.body)
				}
				return
			}
			if q := p.asked(t, s); strings.Count(q.Get("session_required_policies"), ",") != test.n-1 || q.Get("session_message") != "Please" {
				t.Errorf("asks for %v", q)
			}
			for _, c := range (&http.Response{Header: p.header}).Cookies() {
				checkCookie(t, c, `^portal-[0-9]+-(login-[0-9a-f]{16})$`, false)
			}
			if back := b.atGlobus(p, "person", "rosalind", "mfa", "1"); back.header.Get("Location") != s.url+test.want {
				t.Errorf("ends with %d at %q, want %q", back.status, back.header.Get("Location"), test.want)
			}
			if p := b.get("/wanting"); p.status != http.StatusForbidden {
				t.Errorf("then it answers %d, want to have met it", p.status)
			}
		})
	}
}

// TestStepUpRacesSignOut: who signs out while Globus's answer is looked at is out
// for good; of two answers at once, one is a session.
func TestStepUpRacesSignOut(t *testing.T) {
	s := start(t, options{policy: domains("example.edu")})
	s.wanting(func() *globus.Requirements { return domain("example.edu") })
	b := s.browser()
	b.enter("/login", as("rosalind"))
	stepUp := func() string { return b.get(b.get("/wanting").header.Get("Location")).header.Get("Location") }
	arrived, wait := make(chan struct{}, 2), make(chan struct{})
	held := globustest.Lie{Endpoints: map[string]globustest.Fault{globustest.IntrospectPath: {Arrived: arrived, Wait: wait}}}

	first, second := stepUp(), stepUp()
	s.auth.Lie(held)
	var both sync.WaitGroup
	for _, back := range []string{first, second} {
		both.Go(func() { b.get(back) })
	}
	<-arrived
	<-arrived
	s.auth.Lie(globustest.Lie{})
	close(wait)
	both.Wait()
	if !b.signedIn() {
		t.Error("nobody is signed in after two steps up at once")
	}
	b.send(http.MethodPost, "/logout", b.get("/").form())
	if n := s.auth.LiveTokens(); n != 0 {
		t.Errorf("%d tokens live on after signing out", n)
	}

	b.enter("/login?prompt=login", as("rosalind"))
	form, back := b.get("/").form(), stepUp()
	wait = make(chan struct{})
	held.Endpoints[globustest.IntrospectPath] = globustest.Fault{Arrived: arrived, Wait: wait}
	s.auth.Lie(held)
	both.Go(func() { b.get(back) })
	<-arrived
	b.send(http.MethodPost, "/logout", form)
	s.auth.Lie(globustest.Lie{})
	close(wait)
	both.Wait()
	if b.signedIn() || s.auth.LiveTokens() != 0 {
		t.Errorf("signed in: %t, %d live tokens, after signing out", b.signedIn(), s.auth.LiveTokens())
	}
}

// TestStepUpToldNothing: the session ends while the person is at Globus, which
// then lets them pass without a word about how they signed in, though a policy
// needs it. They are asked to sign in, and what was wanted is wanted still.
func TestStepUpToldNothing(t *testing.T) {
	var c clock
	s := start(t, options{policy: globus.Policy{MFA: true}, now: c.now})
	s.wanting(func() *globus.Requirements { return domain("example.edu") })
	person := []string{"person", "rosalind", "mfa", "1"}
	b := s.browser()
	b.enter("/login", page{}.form(person...))
	c.pass(7*24*time.Hour - 5*time.Minute)
	first := b.get("/wanting")
	c.pass(6 * time.Minute)
	s.auth.Lie(saysNothing(globustest.Lie{}))
	back := b.atGlobus(first, person...)
	s.auth.Lie(globustest.Lie{})
	if got := back.asked(t, s); got.Get("prompt") != "login" || got.Has("session_required_single_domain") {
		t.Fatalf("Globus is asked %v, want to ask who it is", got)
	}
	if p := b.atGlobus(back, person...); p.header.Get("Location") != s.url+"/wanting" {
		t.Fatalf("got %d to %q:\n%s", p.status, p.header.Get("Location"), p.body)
	}
	if got := b.get("/wanting").asked(t, s).Get("session_required_single_domain"); got != "example.edu" {
		t.Errorf("Globus is asked for %q, want example.edu", got)
	}
}
