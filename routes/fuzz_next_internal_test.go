package routes

import (
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// FuzzNext: a path to come back to is on this site for every browser, and not
// where people are signed in or out, be it from the query or from the address
// that a browser names.
func FuzzNext(f *testing.F) {
	for _, attack := range OpenRedirects(f) {
		f.Add(attack)
	}
	for _, good := range []string{"/", "/user", "/portal/user?x=//evil.example#y", "/portal/", "/browse/a%20b/%C3%A9", "/?next=/login", "/portal/LOGIN", "/.well-known", "/a.b/..c/d..", "/" + strings.Repeat("x", 2047), "/" + strings.Repeat("x", 2048)} {
		f.Add(good)
	}
	f.Fuzz(func(t *testing.T, next string) {
		for _, base := range []string{"", "/portal"} {
			a := fuzzSite(base)
			got := a.localPath(next)
			if got != "" && got != next {
				t.Fatalf("%q becomes %q", next, got)
			}
			if plainPath.MatchString(next) && strings.HasPrefix(next, base+"/") && got == "" && next != base+"/login" && next != base+"/logout" {
				t.Errorf("%q is refused", next)
			}
			checkLocal(t, base, got)
			if back := a.absolute(next); back != "https://portal.example.edu"+base+"/" && back != "https://portal.example.edu"+got {
				t.Errorf("%q leads to %q", next, back)
			}
			u, err := url.Parse(a.site.LoginURL(got))
			if err != nil || u.Query().Get("next") != got || u.Path != base+"/login" || len(u.Query()) > 1 {
				t.Errorf("the link to sign in is %s, %v", u, err)
			}
			for _, from := range []string{next, "https://portal.example.edu" + next, "https://evil.example" + next} {
				checkLocal(t, base, a.currentPath(&http.Request{Header: http.Header{"Hx-Current-Url": {from}}}))
				checkLocal(t, base, a.currentPath(&http.Request{Header: http.Header{"Referer": {from}}}))
			}
		}
	})
}

var plainPath = regexp.MustCompile(`^(/[a-z0-9]{1,20}){1,5}$`)

// checkLocal wants a path that a Location can hold and that stays here, or none.
func checkLocal(t *testing.T, base, path string) {
	t.Helper()
	if path == "" {
		return
	}
	if strings.ContainsFunc(path, func(r rune) bool { return r <= ' ' || r > '~' }) || len(path) > maxNext {
		t.Errorf("%q cannot stand in a Location", path)
	}
	if why := staysHere(base, path); why != "" {
		t.Errorf("under %q, %q leads %s", base, path, why)
	}
}

// OpenRedirects returns the payloads of testdata/open-redirects.txt, each line as
// it is written and with the bytes that its escapes stand for.
func OpenRedirects(t testing.TB) []string {
	t.Helper()
	text, err := os.ReadFile("testdata/open-redirects.txt")
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSuffix(line, "\n")
		if line == "" || strings.HasPrefix(line, "# ") {
			continue
		}
		all = append(all, line)
		if plain := escape.ReplaceAllStringFunc(line, unescape); plain != line {
			all = append(all, plain)
		}
	}
	return all
}

var escape = regexp.MustCompile(`\\([tnr0\\]|x[0-9a-f]{2})`)

func unescape(s string) string {
	if s == `\0` {
		return "\x00"
	}
	plain, _ := strconv.Unquote(`"` + s + `"`)
	return plain
}
