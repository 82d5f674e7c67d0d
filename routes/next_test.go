package routes_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"example.org/portal/routes"
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
	attacks := routes.OpenRedirects(t)
	if len(attacks) < 400 {
		t.Errorf("only %d attacks were read", len(attacks))
	}
	for _, next := range attacks {
		checkNext(t, s, next, s.URL+"/")
	}
	checkNext(t, s, "/user?"+strings.Repeat("x", 1024), s.URL+"/")

	// It fits, but not into the attempt's cookie: then the home page will do.
	b := s.Browser()
	p := b.Get("/login?next=" + url.QueryEscape("/user?"+strings.Repeat(`"`, 1000)))
	if back := b.Choose(b.Follow(p), "rosalind"); b.Get(back.Header.Get("Location")).Header.Get("Location") != s.URL+"/" {
		t.Error("a next that no cookie can hold keeps the person out")
	}
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
	if got := b.Get(query).Header.Get("Location"); got != want {
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
