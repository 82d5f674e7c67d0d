package routes_test

import (
	"strings"
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// The same proxies with a real browser before them, over TLS.
func TestBrowserProxies(t *testing.T) {
	c := startChromium(t, chromedp.IgnoreCertErrors)
	for _, d := range deployments() {
		t.Run(d.file, func(t *testing.T) {
			s := startProxied(t, d)
			t.Run("with JavaScript", func(t *testing.T) { flow(t, c.person(t, s.site)) })
			if d.path != "" { // once for each program is enough
				t.Run("without JavaScript", func(t *testing.T) {
					p := c.person(t, s.site)
					p.noScript = true
					flow(t, p)
				})
			}
			t.Run("cookies", func(t *testing.T) { s.cookies(t, c.person(t, s.site)) })
		})
	}
}

// cookies: the browser keeps the app's two, as __Host- demands, and no other.
func (s *proxied) cookies(t *testing.T, p *person) {
	p.tab().signIn()
	got := p.cookies()
	suffix := strings.ReplaceAll(s.path, "/", ".")
	for _, name := range []string{"__Host-session" + suffix, "__Host-csrf" + suffix} {
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
