package web_test

import (
	"net/http"
	"regexp"
	"testing"
)

// checkCookie wants a cookie whose name matches wantName, with all that our
// cookies have, and returns its kind, the group in wantName: session, csrf, login
// or signed-out.
func checkCookie(t *testing.T, c *http.Cookie, wantName string, wantSecure bool) (kind string) {
	t.Helper()
	if !regexp.MustCompile(wantName).MatchString(c.Name) {
		t.Errorf("a cookie is named %s, want %s", c.Name, wantName)
	}
	kind = cookieKind.FindString(c.Name)
	if !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" || c.Secure != wantSecure || c.Partitioned || len(c.Unparsed) > 0 {
		t.Errorf("the attributes of %s are wrong: %s", c.Name, c)
	}
	limit, lasts := 100, map[string]int{"session": 7 * 24 * 3600, "csrf": 7 * 24 * 3600, "login": 12 * 3600}[kind]
	if kind == "login" {
		limit = 4000
	}
	if len(c.Name)+len(c.Value) > limit {
		t.Errorf("%s has %d bytes, want %d at most", c.Name, len(c.Name)+len(c.Value), limit)
	}
	switch {
	case c.MaxAge < 0 && c.Value == "": // taken from the browser
	case c.Value == "", c.MaxAge > lasts, c.MaxAge < lasts-60, !c.Expires.IsZero():
		t.Errorf("%s lasts %d s, until %s, want %d", c.Name, c.MaxAge, c.RawExpires, lasts)
	}
	return kind
}

var cookieKind = regexp.MustCompile(`session|csrf|login|signed-out`)
