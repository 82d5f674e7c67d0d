package web_test

import (
	"net/url"
	"testing"

	"example.org/portal/routes/routestest"
)

// TestHostDecidesNothing: whatever a proxy or a stranger writes into headers,
// the answer is the same.
func TestHostDecidesNothing(t *testing.T) {
	t.Parallel()
	s := routestest.Start(t, routestest.Options{})
	plain := s.Browser().Get("/")
	for _, headers := range [][]string{
		{"Host", "evil.example"},
		{"X-Forwarded-Host", "evil.example"},
		{"X-Forwarded-Proto", "https"},
		{"X-Forwarded-Prefix", "/evil"},
		{"X-Forwarded-For", "6.6.6.6"},
		{"Forwarded", "host=evil.example;proto=https"},
		{"X-Original-URL", "/login"},
		{"X-Rewrite-URL", "/login"},
		{"User-Agent", "kube-probe/1.0"},
	} {
		p := s.Browser().Get("/", headers...)
		if p.Status != plain.Status || p.Body != plain.Body {
			t.Errorf("%v changes the page to %d:\n%s", headers, p.Status, p.Body)
		}
		login := s.Browser().Get("/login", headers...)
		if u, _ := url.Parse(login.Header.Get("Location")); u.Query().Get("redirect_uri") != s.URL+"/login" {
			t.Errorf("%v changes the redirect URI to %s", headers, u.Query().Get("redirect_uri"))
		}
	}
}
