package web_test

import (
	"cmp"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"example.org/portal/globus"
	"example.org/portal/globus/globustest"
	"example.org/portal/routes/routestest"
)

func TestNext(t *testing.T) {
	t.Parallel()
	s := routestest.Start(t, routestest.Options{})
	good := []string{
		"/", "/user", "/user/", "/user?x=1", "/user?x=//evil.example", "/user?a=b&c=d#part",
		"/browse/%C3%A9", "/browse/a%20b", "/user?" + strings.Repeat("&", 1000), "/user?u=https://evil.example/",
		// What looks like an attack, and is a path of ours like any other.
		"/http:/evil.example", "/https:evil.example", "/javascript:alert(1)", "/.evil.example", "/@evil.example", "/;@evil.example", "/user#//evil.example",
		"/LOGIN", "/login.html", "/user?next=/login", "/evil%2eexample", "/%68ome", "/user/%20", "/user;/login",
	}
	for _, next := range good {
		checkNext(t, s, next, s.URL+next)
	}
	attacks := openRedirects(t)
	if len(attacks) < 400 {
		t.Errorf("only %d attacks were read", len(attacks))
	}
	b := s.Browser()
	b.SignIn("rosalind")
	for i, next := range attacks {
		checkNextSignedIn(t, b, next, s.URL+"/")
		if i%10 == 0 { // the same rule; only the way there is longer
			checkNext(t, s, next, s.URL+"/")
		}
	}
	long := "/user?" + strings.Repeat("%E4%BD%A0", 220) // a folder with a long Chinese name
	checkNext(t, s, long, s.URL+long)
	checkNext(t, s, "/user?"+strings.Repeat("x", 2048), s.URL+"/")
}

// TestNextSurvives: where somebody was going is known whatever becomes of the
// sign-in, and the way to begin again leads there.
func TestNextSurvives(t *testing.T) {
	t.Parallel()
	const next = "/user?a=b"
	tests := []struct {
		name   string
		policy globus.Policy
		person string
		lie    globustest.Lie
		pass   time.Duration // until they come back
		reason string
	}{
		{"the person refuses", globus.Policy{}, "deny", globustest.Lie{}, 0, "denied"},
		{"Globus is down", globus.Policy{}, "rosalind", routestest.Down(globustest.TokenPath), 0, "globus_error"},
		{"it took too long", globus.Policy{}, "rosalind", globustest.Lie{}, time.Hour, "link_used"},
		{"the policy says no", globus.Policy{Domains: []string{"lab.example.org"}}, "rosalind", globustest.Lie{}, 0, "policy"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var c routestest.Clock
			s := routestest.Start(t, routestest.Options{Policy: test.policy, Now: c.Now})
			b := s.Browser()
			back := b.Choose(b.Follow(b.Get("/login?next="+url.QueryEscape(next))), test.person)
			s.Globus.Lie(test.lie)
			c.Pass(test.pass)
			p := b.Get(back.Header.Get("Location"))
			if got := cmp.Or(p.Link(".login"), p.Link(".way")); p.Reason() != test.reason || !strings.Contains(got, "next="+url.QueryEscape(next)) {
				t.Errorf("got %d %q, with the way on %q", p.Status, p.Reason(), got)
			}
		})
	}
	t.Run("a reload while signed in", func(t *testing.T) {
		var c routestest.Clock
		s := routestest.Start(t, routestest.Options{Now: c.Now})
		b := s.Browser()
		back := b.Choose(b.Follow(b.Get("/login?next="+url.QueryEscape(next))), "rosalind")
		c.Pass(time.Hour)
		b.SignIn("rosalind") // in another tab
		if p := b.Get(back.Header.Get("Location")); p.Header.Get("Location") != s.URL+next {
			t.Errorf("got %d to %q", p.Status, p.Header.Get("Location"))
		}
	})
}

// checkNext signs in with next, and asks again when signed in already.
func checkNext(t *testing.T, s *routestest.Site, next, want string) {
	t.Helper()
	query := "/login?next=" + url.QueryEscape(next)
	b := s.Browser()
	if p := b.Get(query); p.Status != http.StatusSeeOther {
		t.Errorf("next=%q: got %d, want 303", next, p.Status)
	} else if back := b.Choose(b.Follow(p), "rosalind"); back.Status != http.StatusFound && back.Status != http.StatusSeeOther {
		t.Errorf("next=%q: Globus answers %d", next, back.Status)
	} else if got := b.Get(back.Header.Get("Location")).Header.Get("Location"); got != want {
		t.Errorf("next=%q leads to %q, want %q", next, got, want)
	}
	checkNextSignedIn(t, b, next, want)
}

func checkNextSignedIn(t *testing.T, b *routestest.Browser, next, want string) {
	t.Helper()
	if got := b.Get("/login?next=" + url.QueryEscape(next)).Header.Get("Location"); got != want {
		t.Errorf("next=%q leads someone signed in to %q, want %q", next, got, want)
	}
}

// TestNextUnderPath: under a path, only what is under it is ours.
func TestNextUnderPath(t *testing.T) {
	t.Parallel()
	s := routestest.Start(t, routestest.Options{PublicURL: "http://127.0.0.1:PORT/portal"})
	root := strings.TrimSuffix(s.URL, "/portal")
	for next, want := range map[string]string{
		"/portal/user": "/portal/user", "/portal/": "/portal/", "/portal": "/portal/", "/": "/portal/", "/other": "/portal/",
		"/portals/": "/portal/", "/portal/login": "/portal/", "/portal/../other": "/portal/", "/login": "/portal/",
	} {
		checkNext(t, s, next, root+want)
	}
}
