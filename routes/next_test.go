package routes_test

import (
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
)

func TestNext(t *testing.T) {
	s := start(t, options{})
	good := []string{
		"/", "/user", "/user/", "/user?x=1", "/user?x=//evil.example", "/user?a=b&c=d#part",
		"/browse/%C3%A9", "/browse/a%20b", "/user?" + strings.Repeat("&", 1000), "/user?u=https://evil.example/",
	}
	for _, next := range good {
		checkNext(t, s, next, s.url+next)
	}
	attacks, err := os.ReadFile("testdata/open-redirects.txt")
	if err != nil {
		t.Fatal(err)
	}
	unescape := strings.NewReplacer(`\t`, "\t", `\n`, "\n", `\r`, "\r", `\0`, "\x00", `\\`, `\`)
	n := 0
	for line := range strings.Lines(string(attacks)) {
		line = strings.TrimSuffix(line, "\n")
		if line == "" || strings.HasPrefix(line, "# ") {
			continue
		}
		n++
		checkNext(t, s, line, s.url+"/")
		if plain := unescape.Replace(line); plain != line {
			checkNext(t, s, plain, s.url+"/")
		}
	}
	if n < 100 {
		t.Errorf("only %d attacks were read", n)
	}
	checkNext(t, s, "/user?"+strings.Repeat("x", 1024), s.url+"/")

	// It fits, but not into the attempt's cookie: then the home page will do.
	b := s.browser()
	p := b.get("/login?next=" + url.QueryEscape("/user?"+strings.Repeat(`"`, 1000)))
	if back := b.choose(b.follow(p), "rosalind"); b.get(back.header.Get("Location")).header.Get("Location") != s.url+"/" {
		t.Error("a next that no cookie can hold keeps the person out")
	}
}

// checkNext signs in with next, and asks again when signed in already.
func checkNext(t *testing.T, s *site, next, want string) {
	t.Helper()
	query := "/login?next=" + url.QueryEscape(next)
	b := s.browser()
	if p := b.get(query); p.status != http.StatusSeeOther {
		t.Errorf("next=%q: got %d, want 303", next, p.status)
	} else if back := b.choose(b.follow(p), "rosalind"); back.status != http.StatusFound && back.status != http.StatusSeeOther {
		t.Errorf("next=%q: Globus answers %d", next, back.status)
	} else if got := b.get(back.header.Get("Location")).header.Get("Location"); got != want {
		t.Errorf("next=%q leads to %q, want %q", next, got, want)
	}
	if got := b.get(query).header.Get("Location"); got != want {
		t.Errorf("next=%q leads someone signed in to %q, want %q", next, got, want)
	}
}

// TestNextUnderPath: under a path, only what is under it is ours.
func TestNextUnderPath(t *testing.T) {
	s := start(t, options{publicURL: "http://127.0.0.1:PORT/portal"})
	root := strings.TrimSuffix(s.url, "/portal")
	for next, want := range map[string]string{
		"/portal/user": "/portal/user", "/portal/": "/portal/", "/portal": "/portal/", "/": "/portal/", "/other": "/portal/",
		"/portals/": "/portal/", "/portal/login": "/portal/", "/portal/../other": "/portal/", "/login": "/portal/",
	} {
		checkNext(t, s, next, root+want)
	}
}
