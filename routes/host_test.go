package routes_test

import (
	"net/url"
	"testing"
)

// TestHostDecidesNothing: whatever a proxy or a stranger writes into headers,
// the answer is the same.
func TestHostDecidesNothing(t *testing.T) {
	s := start(t, options{})
	plain := s.browser().get("/")
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
		p := s.browser().get("/", headers...)
		if p.status != plain.status || p.body != plain.body {
			t.Errorf("%v changes the page to %d:\n%s", headers, p.status, p.body)
		}
		login := s.browser().get("/login", headers...)
		if u, _ := url.Parse(login.header.Get("Location")); u.Query().Get("redirect_uri") != s.url+"/login" {
			t.Errorf("%v changes the redirect URI to %s", headers, u.Query().Get("redirect_uri"))
		}
	}
}
