package deploy_test

import (
	"crypto/tls"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"example.org/portal/routes/routestest"
)

// A deployment is one of the ways to put the app behind a proxy that deploy/ shows.
type deployment struct {
	program, file, host, path string
	several                   bool // instances
}

func deployments() []deployment {
	return []deployment{
		{"apache2", "apache.conf", "portal.example.edu", "", false},
		{"apache2", "apache-path.conf", "www.example.edu", "/portal", false},
		{"nginx", "nginx.conf", "portal.example.edu", "", false},
		{"nginx", "nginx-path.conf", "www.example.edu", "/portal", false},
		{"nginx", "nginx-several.conf", "portal.example.edu", "", true},
		{"haproxy", "haproxy.conf", "portal.example.edu", "", true},
		{"caddy", "Caddyfile", "{$PORTAL_HOST}", "", false},
	}
}

// A proxied is a site behind a proxy.
type proxied struct {
	*routestest.Site
	deployment
	upstream *upstream
	httpURL  string // of the host, unencrypted
	httpsURL string
	tls      *tls.Config // trusts the proxy
}

// TestProxies puts the app behind real proxies, with the very files that
// people copy.
func TestProxies(t *testing.T) {
	t.Parallel()
	for _, d := range deployments() {
		t.Run(d.file, func(t *testing.T) {
			s := startProxied(t, d)
			t.Run("addresses", s.addresses)
			t.Run("strangers", s.strangers)
			t.Run("sizes", s.sizes)
			t.Run("codes are sent once", s.once)
			t.Run("the app is restarted", s.restart)
		})
	}
}

func startProxied(t *testing.T, d deployment) *proxied {
	t.Helper()
	port, tlsPort := routestest.FreePort(t), routestest.FreePort(t)
	s := &proxied{deployment: d, httpURL: "http://localhost:" + port, httpsURL: "https://localhost:" + tlsPort}
	s.Site = routestest.Start(t, routestest.Options{PublicURL: s.httpsURL + d.path})
	s.upstream = newUpstream(t, s.App)
	s.tls = &tls.Config{RootCAs: startProxy(t, d, port, tlsPort, s.upstream.addr)}
	return s
}

// browser returns one that trusts the proxy.
func (s *proxied) browser(t *testing.T) *routestest.Browser {
	b := s.Site.Browser()
	b.T = t
	transport := &http.Transport{TLSClientConfig: s.tls}
	t.Cleanup(transport.CloseIdleConnections)
	b.Client.Transport = transport
	return b
}

// addresses: what leads where, and what the world does not see.
func (s *proxied) addresses(t *testing.T) {
	type row struct {
		url        string
		wantStatus int
		want       string // in the page, or the whole Location
	}
	rows := []row{
		{s.httpURL + s.path + "/user?a=b", http.StatusMovedPermanently, s.URL + "/user?a=b"},
		{s.URL + "/", http.StatusOK, `id="user-card"`},
		{s.URL + "/no/such/page", http.StatusNotFound, `data-reason="no_such_page"`},
	}
	if s.path == "" {
		rows = append(rows,
			row{s.URL + "/livez", http.StatusForbidden, ""},
			row{s.URL + "/readyz", http.StatusForbidden, ""},
			row{s.URL + "/%72eadyz", http.StatusForbidden, ""},
			row{s.URL + "/robots.txt", http.StatusOK, "Disallow"})
	} else {
		rows = append(rows,
			row{s.httpURL + s.path, http.StatusMovedPermanently, s.URL},
			row{s.URL, map[string]int{"apache2": 307, "nginx": 301}[s.program], s.path + "/"}, // nginx does it itself
			row{s.URL + "/livez", http.StatusNotFound, `data-reason="no_such_page"`},
			row{s.httpURL + "/", http.StatusOK, "the neighbour"},
			row{s.httpsURL + "/", http.StatusOK, "the neighbour"},
			row{s.httpsURL + "/livez", http.StatusNotFound, ""},
			row{s.httpsURL + "/portals", http.StatusNotFound, ""})
	}
	for _, row := range rows {
		p := s.browser(t).Get(row.url)
		location := strings.TrimPrefix(p.Header.Get("Location"), s.httpsURL)
		if p.Status != row.wantStatus || location != "" && location != strings.TrimPrefix(row.want, s.httpsURL) ||
			location == "" && !strings.Contains(p.Body, row.want) {
			t.Errorf("%s: got %d to %q, want %d, %q:\n%s", row.url, p.Status, location, row.wantStatus, row.want, p.Body)
		}
	}
	b := s.browser(t)
	b.SignIn("rosalind")
	if p := b.Get(s.URL + "/login?next=" + url.QueryEscape(s.path+"/user?a=b")); p.Status != http.StatusSeeOther || p.Header.Get("Location") != s.URL+"/user?a=b" {
		t.Errorf("the app's own redirect: got %d to %q, want 303 to %s", p.Status, p.Header.Get("Location"), s.URL+"/user?a=b")
	}
	old := s.tls.Clone()
	old.MinVersion, old.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
	if conn, err := tls.Dial("tcp", strings.TrimPrefix(s.httpsURL, "https://"), old); err == nil {
		conn.Close()
		t.Error("it speaks TLS 1.1")
	}
}

// strangers: nothing that they write into headers is believed, or reaches the
// app as if the proxy had said it.
func (s *proxied) strangers(t *testing.T) {
	for _, headers := range [][]string{
		{"Host", "evil.example"},
		{"X-Forwarded-Host", "evil.example"},
		{"X-Forwarded-Proto", "http"},
		{"X-Forwarded-For", "6.6.6.6"},
	} {
		b := s.browser(t)
		if s.program == "caddy" && headers[0] == "Host" { // it serves no other name
			if p := b.Get("/", headers...); p.Body != "" {
				t.Errorf("%v: got %d:\n%s", headers, p.Status, p.Body)
			}
			if p := b.Get(s.httpURL+"/user", headers...); p.Header.Get("Location") != s.URL+"/user" {
				t.Errorf("%v: http leads to %q", headers, p.Header.Get("Location"))
			}
			continue
		}
		if p := b.Get("/", headers...); p.Status != http.StatusOK || strings.Contains(p.Body, "evil") {
			t.Errorf("%v: got %d:\n%s", headers, p.Status, p.Body)
		}
		login := b.Get("/login?next=%2Fuser%3Fa%3Db%252Fc", headers...)
		if u, _ := url.Parse(login.Header.Get("Location")); u.Query().Get("redirect_uri") != s.URL+"/login" {
			t.Errorf("%v: Globus would send people back to %q", headers, u.Query().Get("redirect_uri"))
		}
		if p := b.Get(s.httpURL+s.path+"/user", headers...); p.Header.Get("Location") != s.URL+"/user" {
			t.Errorf("%v: http leads to %q", headers, p.Header.Get("Location"))
		}
		got := s.upstream.last()
		if want := s.path + "/login?next=%2Fuser%3Fa%3Db%252Fc"; got.RequestURI != want {
			t.Errorf("the app was asked for %s, want %s", got.RequestURI, want)
		}
		if from := strings.Join(got.Header.Values("X-Forwarded-For"), "; "); from != "127.0.0.1" {
			t.Errorf("%v: the app is told that the browser is at %q, want 127.0.0.1", headers, from)
		}
	}
}

// sizes: what the app takes, and answers, the proxy must pass on. What is far
// too much ends at the proxy.
func (s *proxied) sizes(t *testing.T) {
	b := s.browser(t)
	next := "/login?prompt=login&next=" + s.path + "/" + strings.Repeat("a", 1000)
	for range 4 {
		if p := b.Get(next); p.Status != http.StatusSeeOther {
			t.Fatalf("a long next: got %d, want 303:\n%s", p.Status, p.Body)
		}
	}
	back := b.Choose(b.Follow(b.Get(next)), "rosalind")
	if p := b.Get(back.Header.Get("Location")); p.Status != http.StatusSeeOther {
		t.Errorf("five sign-ins under way: got %d, want 303:\n%s", p.Status, p.Body)
	}
	if p := s.browser(t).Get("/", "Cookie", "neighbour="+strings.Repeat("x", 15<<10)); p.Status != http.StatusOK {
		t.Errorf("15 KiB of cookies: got %d, want 200", p.Status)
	}
	if p := b.Get("/login?code=long-answer"); p.Status != http.StatusOK {
		t.Errorf("an answer with 6 KiB of headers: got %d, want 200", p.Status)
	}
	for kib, wantPage := range map[int]bool{70: true, 1100: s.program != "nginx"} { // the others limit no form that they pass on
		p := b.Send(http.MethodPost, "/logout", url.Values{"x": {strings.Repeat("x", kib<<10)}})
		if page := p.Reason() == "too_long"; p.Status != http.StatusRequestEntityTooLarge || page != wantPage {
			t.Errorf("a form of %d KiB: got %d, and the app's page: %t; want 413, %t", kib, p.Status, page, wantPage)
		}
	}
}

// restart: without the app the proxy says so, and when it is back the very next
// request reaches it.
func (s *proxied) restart(t *testing.T) {
	b := s.browser(t)
	s.upstream.stop()
	for range 20 {
		if p := b.Get("/"); p.Status != http.StatusBadGateway && p.Status != http.StatusServiceUnavailable {
			t.Fatalf("without the app: got %d, want 502 or 503", p.Status)
		}
	}
	s.upstream.start()
	if s.program == "nginx" && s.several { // it leaves an instance that failed alone for a second
		routestest.Await(t, "the app is back", func() bool { return b.Get("/").Status == http.StatusOK })
	}
	for range 20 { // Apache has several processes
		if p := b.Get("/"); p.Status != http.StatusOK {
			t.Fatalf("the app is back: got %d, want 200 at once", p.Status)
		}
	}
}
