package web_test

import (
	"net/http"
	"strings"
	"testing"

	"example.org/portal/components"
	"example.org/portal/routes/routestest"
	"example.org/portal/routes/web"
)

// TestAllowSource: the exceptions of one page are its own, and add to what all have.
func TestAllowSource(t *testing.T) {
	t.Parallel()
	s := routestest.Start(t, routestest.Options{})
	page := func(w http.ResponseWriter, r *http.Request) error {
		return web.Show(w, r, "A map", components.SessionEnded("/", false))
	}
	s.App.HandleFunc("GET /probe/map", page, web.AllowSource("img-src https://tiles.example.org data:", "worker-src blob:", "frame-src https://a.example"))
	s.App.HandleFunc("GET /probe/framed", page, web.AllowSource("frame-ancestors https://lab.example.edu"))
	b := s.Browser()
	strict := b.Get("/")
	csp := func(p routestest.Page) map[string]string {
		directives := map[string]string{}
		for d := range strings.SplitSeq(p.Header.Get("Content-Security-Policy"), "; ") {
			name, sources, _ := strings.Cut(d, " ")
			directives[name] = sources
		}
		return directives
	}
	tests := []struct {
		path string
		want map[string]string
	}{
		{"/probe/map", map[string]string{"img-src": "'self' https://tiles.example.org data:", "worker-src": "blob:", "frame-src": "https://a.example"}},
		{"/probe/framed", map[string]string{"frame-ancestors": "https://lab.example.edu"}},
		{"/nowhere", nil},
		{"/", nil},
	}
	for _, test := range tests {
		p, want := b.Get(test.path), csp(strict)
		for name, sources := range test.want {
			want[name] = sources
		}
		got := csp(p)
		for name, sources := range want {
			if got[name] != sources {
				t.Errorf("%s: %s is %q, want %q", test.path, name, got[name], sources)
			}
		}
		if len(got) != len(want) {
			t.Errorf("%s: got %v, want %v", test.path, got, want)
		}
		if deny := p.Header.Get("X-Frame-Options") == "DENY"; deny == (test.path == "/probe/framed") {
			t.Errorf("%s: X-Frame-Options: DENY is sent: %t", test.path, deny)
		}
	}
	for _, wrong := range []string{"https://tiles.example.org", "img-src", "img-src 'self'; script-src *", "img-src a, b", "base-uri *", "img-src x\r\nX: y", ""} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%q was accepted", wrong)
				}
			}()
			s.App.HandleFunc("GET /probe/wrong", page, web.AllowSource(wrong))
		}()
	}
}

// TestAsset: a file in static/ is found by its name, and a name that is none is said
// in the log.
func TestAsset(t *testing.T) {
	t.Parallel()
	s := routestest.Start(t, routestest.Options{PublicURL: "http://127.0.0.1:PORT/lab"})
	b := s.Browser()
	origin := strings.TrimSuffix(s.URL, "/lab")
	if path := s.App.Asset("app.css"); path != s.App.Stylesheet || b.Get(origin+path).Status != 200 {
		t.Errorf("got %s, want %s", path, s.App.Stylesheet)
	}
	if p := b.Get("/static/app.css"); p.Status != 200 || p.Header.Get("Cache-Control") != "no-cache" {
		t.Errorf("by its plain name: got %d %s", p.Status, p.Header.Get("Cache-Control"))
	}
	if p := b.Get(origin + s.App.Asset("canary.js")); p.Status != 404 || !strings.Contains(s.Log.String(), "canary.js") {
		t.Errorf("got %d, and the log:\n%s", p.Status, s.Log)
	}
}
