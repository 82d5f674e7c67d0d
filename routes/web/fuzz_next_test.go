package web_test

import (
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"example.org/portal/routes"
	"example.org/portal/routes/routestest"
)

// FuzzNext: a path to come back to is on this site for every browser, and not
// where people are signed in or out, be it from the query or from the address
// that a browser names.
func FuzzNext(f *testing.F) {
	for _, attack := range openRedirects(f) {
		f.Add(attack)
	}
	for _, good := range []string{"/", "/user", "/portal/user?x=//evil.example#y", "/portal/", "/browse/a%20b/%C3%A9", "/?next=/login", "/portal/LOGIN", "/.well-known", "/a.b/..c/d..", "/" + strings.Repeat("x", 2047), "/" + strings.Repeat("x", 2048)} {
		f.Add(good)
	}
	sites := map[string]*routes.App{}
	for _, base := range []string{"", "/portal"} {
		sites[base], _ = routestest.Offline(f, "https://portal.example.edu"+base, &routestest.Wire{})
	}
	f.Fuzz(func(t *testing.T, next string) {
		for _, base := range []string{"", "/portal"} {
			a := sites[base]
			got := a.LocalPath(next)
			if got != "" && got != next {
				t.Fatalf("%q becomes %q", next, got)
			}
			if plainPath.MatchString(next) && strings.HasPrefix(next, base+"/") && got == "" && next != base+"/login" && next != base+"/logout" {
				t.Errorf("%q is refused", next)
			}
			checkLocal(t, base, got)
			if back := a.Absolute(next); back != "https://portal.example.edu"+base+"/" && back != "https://portal.example.edu"+got {
				t.Errorf("%q leads to %q", next, back)
			}
			u, err := url.Parse(a.LoginURL(got))
			if err != nil || u.Query().Get("next") != got || u.Path != base+"/login" || len(u.Query()) > 1 {
				t.Errorf("the link to sign in is %s, %v", u, err)
			}
			for _, from := range []string{next, "https://portal.example.edu" + next, "https://evil.example" + next} {
				checkLocal(t, base, a.From(&http.Request{Header: http.Header{"Hx-Current-Url": {from}}}))
				checkLocal(t, base, a.From(&http.Request{Header: http.Header{"Referer": {from}}}))
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
	if strings.ContainsFunc(path, func(r rune) bool { return r <= ' ' || r > '~' }) || len(path) > 2<<10 {
		t.Errorf("%q cannot stand in a Location", path)
	}
	if why := staysHere(base, path); why != "" {
		t.Errorf("under %q, %q leads %s", base, path, why)
	}
}

// staysHere reports why a browser that is sent to target would come to another
// site, out of the app, or to where people are signed in or out; "" if it stays.
func staysHere(base, target string) string {
	if u, err := url.Parse("https://portal.example.edu" + target); err != nil || u.Host != "portal.example.edu" || u.User != nil {
		return "elsewhere, says net/url"
	}
	for range 2 { // as it is, and as it is to whoever decodes it once more
		path, here := routestest.Lands(target)
		if !here {
			return "to another site"
		}
		if !strings.HasPrefix(path, base+"/") {
			return "out of the app, to " + path
		}
		plain, err := url.PathUnescape(path)
		if err != nil {
			plain = path
		}
		if end := strings.TrimRight(plain, "/"); end == base+"/login" || end == base+"/logout" {
			return "to " + end
		}
		if target = plain; plain == path {
			break
		}
	}
	return ""
}

// openRedirects returns the payloads of testdata/open-redirects.txt, each line as
// it is written and with the bytes that its escapes stand for.
func openRedirects(t testing.TB) []string {
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
