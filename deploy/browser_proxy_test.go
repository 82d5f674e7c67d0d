package deploy_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/network"

	"example.org/portal/routes/routestest"
)

// The same proxies with a real browser before them, over TLS.
func TestBrowserProxies(t *testing.T) {
	t.Parallel()
	for _, d := range deployments() {
		t.Run(d.file, func(t *testing.T) {
			s := startProxied(t, d)
			t.Run("with JavaScript", func(t *testing.T) {
				p := s.person(t)
				routestest.Flow(t, p, func() { s.wantCookies(t, p.Cookies()) })
			})
			if d.path != "" { // once for each program is enough
				t.Run("without JavaScript", func(t *testing.T) {
					p := s.person(t)
					p.NoScript = true
					routestest.Flow(t, p)
				})
			}
		})
	}
}

// wantCookies checks that the browser keeps the app's two, as __Host- demands, and no other.
func (s *proxied) wantCookies(t *testing.T, got map[string]*network.Cookie) {
	t.Helper()
	public, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	suffix := strings.ReplaceAll(s.path, "/", ".")
	for _, kind := range []string{"session", "csrf"} {
		name := "__Host-portal-" + public.Port() + "-" + kind + suffix
		k := got[name]
		if k == nil || !k.Secure || !k.HTTPOnly || k.Path != "/" || k.SameSite != network.CookieSameSiteLax {
			t.Errorf("%s: got %+v, want one that is Secure, HttpOnly, Lax, for /", name, k)
		}
		delete(got, name)
	}
	if len(got) > 0 {
		t.Errorf("other cookies: %v", got)
	}
}

// person returns somebody with a real browser, which trusts the proxy.
func (s *proxied) person(t *testing.T) *routestest.Person {
	p := s.Site.Person(t)
	p.AnyTLS = true
	return p
}
