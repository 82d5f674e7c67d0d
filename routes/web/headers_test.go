package web_test

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"example.org/portal/globus"
	"example.org/portal/globus/globustest"
	"example.org/portal/routes/routestest"
)

const wantCSP = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; " +
	"connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; object-src 'none'"

// TestHeaders asks for the engine's routes in every state, and checks the headers
// and cookies that all answers must have, or must not. Those of all other routes
// are looked at as a stranger gets them.
func TestHeaders(t *testing.T) {
	t.Parallel()
	sites := []struct {
		name, publicURL string
		wantHSTS        string
		wantCookies     string // what the name of every cookie looks like
	}{
		{"on loopback", "", "", `^portal-\d+-(session|csrf|signed-out|login-[0-9a-f]{16})$`},
		{"on https", "https://portal.example.edu", "max-age=63072000", `^__Host-portal-(session|csrf|signed-out|login-[0-9a-f]{16})$`},
		{"on loopback, under a path", "http://127.0.0.1:PORT/portal", "", `^portal-\d+-(session|csrf|signed-out|login-[0-9a-f]{16})\.portal$`},
		{"on https, on a port", "https://portal.example.edu:8443", "", `^__Host-portal-8443-(session|csrf|signed-out|login-[0-9a-f]{16})$`},
		{"under a path", "https://example.edu/our/portal", "", `^__Host-portal-(session|csrf|signed-out|login-[0-9a-f]{16})\.our\.portal$`},
	}
	for _, site := range sites {
		t.Run(site.name, func(t *testing.T) {
			s := routestest.StartWithProbes(t, routestest.Options{PublicURL: site.publicURL})
			public, _ := url.Parse(s.URL)
			base := strings.TrimSuffix(public.Path, "/")

			// The client below talks to the listener, as a proxy would, and
			// carries cookies by hand, as Secure ones do not travel on http.
			cookies := map[string]string{}
			s.App.HandleFunc("GET /probe/panics", func(http.ResponseWriter, *http.Request) error { panic("on purpose") })
			set, cleared := map[string]bool{}, map[string]bool{} // kinds of cookies
			ask := func(method, path string, form url.Values, headers ...string) routestest.Page {
				b := s.Browser()
				var all []string
				for name, value := range cookies {
					all = append(all, name+"="+value)
				}
				headers = append(headers, "Cookie", strings.Join(all, "; "))
				if form != nil {
					headers = append(headers, "Origin", public.Scheme+"://"+public.Host)
				}
				p := b.Send(method, s.Server.URL+path, form, headers...)
				for _, c := range (&http.Response{Header: p.Header}).Cookies() {
					cookies[c.Name] = c.Value
					if c.MaxAge < 0 {
						delete(cookies, c.Name)
					}
				}
				return p
			}
			signIn := func() routestest.Page {
				start := ask("GET", base+"/login", nil)
				chooser := s.Browser()
				back := chooser.Choose(chooser.Get(start.Header.Get("Location")), "rosalind")
				u, _ := url.Parse(back.Header.Get("Location"))
				if got := u.Scheme + "://" + u.Host + u.Path; got != public.Scheme+"://"+public.Host+base+"/login" {
					t.Fatalf("Globus sends the browser to %s", got)
				}
				return ask("GET", u.RequestURI(), nil)
			}
			stylesheet := regexp.MustCompile(`href="([^"]+\.css)"`).FindStringSubmatch(ask("GET", base+"/", nil).Body)[1]

			// Under a path, what is at the root of the host is not ours.
			atRoot, iconKind, robotsKind := func(status int) int { return status }, "plain", "cached"
			if base != "" {
				atRoot, iconKind, robotsKind = func(int) int { return 404 }, "page", "page"
			}
			tests := []struct {
				name       string
				answer     func() routestest.Page
				wantStatus int
				kind       string // page, login (its referrer goes nowhere), static, or plain (no cookies)
			}{
				{"home, signed out", func() routestest.Page { return ask("GET", base+"/", nil) }, 200, "page"},
				{"card, signed out", func() routestest.Page { return ask("GET", base+"/user", nil) }, 200, "page"},
				{"who is signed in, signed out", func() routestest.Page { return ask("GET", base+"/visitor", nil, routestest.Htmx...) }, 200, "page"},
				{"tasks, signed out", func() routestest.Page { return ask("GET", base+"/probe/tasks", nil) }, 303, "page"},
				{"the same, within a page", func() routestest.Page { return ask("GET", base+"/probe/tasks", nil, routestest.Htmx...) }, 401, "page"},
				{"a folder, signed out", func() routestest.Page { return ask("GET", base+"/probe/folder/"+routestest.Place(t, "Tape").ID, nil) }, 303, "page"},
				{"signed out", func() routestest.Page { return ask("GET", base+"/signed-out", nil) }, 200, "page"},
				{"account, signed out", func() routestest.Page { return ask("GET", base+"/account", nil) }, 303, "page"},
				{"show a token, signed out", func() routestest.Page {
					return ask("POST", base+"/tokens/show", ask("GET", base+"/logout", nil).Form("token", "access"))
				}, 401, "page"},
				{"begin to sign in", func() routestest.Page { return ask("GET", base+"/login", nil) }, 303, "login"},
				{"a damaged callback", func() routestest.Page { return ask("GET", base+"/login?code=x&code=y", nil) }, 400, "login"},
				{"a callback of nobody's", func() routestest.Page { return ask("GET", base+"/login?code=x&state=y", nil) }, 400, "login"},
				{"a prefetch", func() routestest.Page { return ask("GET", base+"/login", nil, "Sec-Purpose", "prefetch") }, 503, "login"},
				{"Globus is down", func() routestest.Page {
					s.Globus.Lie(globustest.Lie{Endpoints: map[string]globustest.Fault{globustest.TokenPath: {Status: 500}}})
					defer s.Globus.Lie(globustest.Lie{})
					return signIn()
				}, 503, "login"},
				{"sign in", signIn, 303, "login"},
				{"home", func() routestest.Page { return ask("GET", base+"/", nil) }, 200, "page"},
				{"home, its head", func() routestest.Page { return ask("HEAD", base+"/", nil) }, 200, "page"},
				{"card", func() routestest.Page { return ask("GET", base+"/user", nil, routestest.Htmx...) }, 200, "page"},
				{"account", func() routestest.Page { return ask("GET", base+"/account", nil) }, 200, "page"},
				{"a folder", func() routestest.Page {
					return ask("GET", base+"/probe/folder/"+routestest.Place(t, "Example Light").ID, nil)
				}, 200, "page"},
				{"a folder that wants more first", func() routestest.Page { return ask("GET", base+"/probe/folder/"+routestest.Place(t, "Tape").ID, nil) }, 403, "page"},
				{"the same, within a page", func() routestest.Page {
					return ask("GET", base+"/probe/folder/"+routestest.Place(t, "Tape").ID, nil, routestest.Htmx...)
				}, 403, "page"},
				{"show a token", func() routestest.Page {
					return ask("POST", base+"/tokens/show", ask("GET", base+"/", nil).Form("token", "access"))
				}, 200, "page"},
				{"show no token", func() routestest.Page {
					return ask("POST", base+"/tokens/show", ask("GET", base+"/", nil).Form("token", "x"))
				}, 400, "page"},
				{"refresh tokens", func() routestest.Page {
					return ask("POST", base+"/tokens/refresh", ask("GET", base+"/", nil).Form("server", globus.TransferServer))
				}, 200, "page"},
				{"tasks", func() routestest.Page { return ask("GET", base+"/probe/tasks", nil) }, 200, "page"},
				{"who is signed in", func() routestest.Page { return ask("GET", base+"/visitor", nil, routestest.Htmx...) }, 200, "page"},
				{"signed out, while signed in", func() routestest.Page { return ask("GET", base+"/signed-out", nil) }, 303, "page"},
				{"a page that panics", func() routestest.Page { return ask("GET", base+"/probe/panics", nil) }, 500, "page"},
				{"a fragment that panics", func() routestest.Page { return ask("GET", base+"/probe/panics", nil, routestest.Htmx...) }, 500, "page"},
				{"the store is down", func() routestest.Page { defer s.BreakStore()(); return ask("GET", base+"/", nil) }, 503, "page"},
				{"the same, to a fragment", func() routestest.Page {
					defer s.BreakStore()()
					return ask("GET", base+"/user", nil, routestest.Htmx...)
				}, 503, "page"},
				{"not ready", func() routestest.Page { defer s.BreakStore()(); return ask("GET", "/readyz", nil) }, 503, "plain"},
				{"sign in twice", func() routestest.Page { return ask("GET", base+"/login", nil) }, 303, "login"},
				{"a form without a token", func() routestest.Page { return ask("POST", base+"/logout", url.Values{}) }, 403, "page"},
				{"a form from elsewhere", func() routestest.Page {
					return ask("POST", base+"/logout", url.Values{}, "Sec-Fetch-Site", "cross-site")
				}, 403, "page"},
				{"a form that is too long", func() routestest.Page {
					return ask("POST", base+"/logout", url.Values{"x": {strings.Repeat("y", 65<<10)}})
				}, 413, "page"},
				{"no form", func() routestest.Page {
					return ask("POST", base+"/logout", url.Values{"x": {"y"}}, "Content-Type", "text/plain")
				}, 415, "page"},
				{"log out by a link", func() routestest.Page { return ask("GET", base+"/logout", nil) }, 200, "page"},
				{"an upload by PUT", func() routestest.Page { return ask("PUT", base+"/", url.Values{}) }, 405, "page"},
				{"what may be done", func() routestest.Page { return ask("OPTIONS", base+"/", nil) }, 405, "page"},
				{"no such page", func() routestest.Page { return ask("GET", base+"/nowhere", nil) }, 404, "page"},
				{"no such fragment", func() routestest.Page { return ask("GET", base+"/nowhere", nil, routestest.Htmx...) }, 404, "page"},
				{"a query that is too long", func() routestest.Page { return ask("GET", base+"/?"+strings.Repeat("x", 8001), nil) }, 414, "plain"},
				{"too many cookies", func() routestest.Page {
					return s.Browser().Get(s.Server.URL+base+"/", "Cookie", strings.Repeat("a=b; ", 600))
				}, 400, "plain"},
				{"a back channel that we do not have", func() routestest.Page { return ask("POST", base+"/backchannel-logout", url.Values{}) }, 404, "page"},
				{"log out", func() routestest.Page { return ask("POST", base+"/logout", ask("GET", base+"/", nil).Form()) }, 303, "page"},
				{"begin anew", func() routestest.Page { return ask("GET", base+"/login", nil) }, 303, "login"},
				{"style", func() routestest.Page { return ask("GET", stylesheet, nil) }, 200, "static"},
				{"no such file", func() routestest.Page { return ask("GET", base+"/static/none.css", nil) }, 404, "plain"},
				{"a file by its plain name", func() routestest.Page { return ask("GET", base+"/static/app.css", nil) }, 200, "revalidated"},
				{"icon", func() routestest.Page { return ask("GET", "/favicon.ico", nil) }, atRoot(302), iconKind},
				{"robots", func() routestest.Page { return ask("GET", "/robots.txt", nil) }, atRoot(200), robotsKind},
				{"alive", func() routestest.Page { return ask("GET", "/livez", nil) }, 200, "plain"},
				{"ready", func() routestest.Page { return ask("GET", "/readyz", nil) }, 200, "plain"},
			}
			for _, test := range tests {
				t.Run(test.name, func(t *testing.T) {
					p := test.answer()
					if p.Status != test.wantStatus {
						t.Errorf("got %d, want %d:\n%s", p.Status, test.wantStatus, p.Body)
					}
					want := map[string]string{
						"Referrer-Policy":             "same-origin",
						"Cache-Control":               "no-store",
						"Clear-Site-Data":             "",
						"Access-Control-Allow-Origin": "",
						"Portal-Answer":               "1",
					}
					switch test.kind {
					case "login":
						want["Referrer-Policy"] = "no-referrer"
					case "static":
						want["Cache-Control"] = "public, max-age=31536000, immutable"
						want["Vary"] = "Accept-Encoding"
					case "revalidated":
						want["Cache-Control"] = "no-cache"
						want["Vary"] = "Accept-Encoding"
					case "cached":
						want["Cache-Control"] = "public, max-age=86400"
					}
					for name, value := range want {
						if got := strings.Join(p.Header.Values(name), ", "); got != value {
							t.Errorf("%s is %q, want %q", name, got, value)
						}
					}
					wantSafe(t, p, site.wantHSTS)
					if got := p.Header.Get("Content-Type"); p.Body != "" && !strings.HasSuffix(got, "; charset=utf-8") {
						t.Errorf("Content-Type is %q", got)
					}
					vary := strings.Join(p.Header.Values("Vary"), ", ")
					if test.kind == "page" && (!strings.Contains(vary, "Cookie") || !strings.Contains(vary, "HX-Request")) {
						t.Errorf("Vary is %q", vary)
					}
					if (test.wantStatus == http.StatusServiceUnavailable && test.kind != "plain") != (p.Header.Get("Retry-After") != "") {
						t.Errorf("Retry-After is %q", p.Header.Get("Retry-After"))
					}
					if test.wantStatus == http.StatusMethodNotAllowed && p.Header.Get("Allow") != "GET, HEAD" {
						t.Errorf("Allow is %q", p.Header.Get("Allow"))
					}
					given := (&http.Response{Header: p.Header}).Cookies()
					if len(given) > 0 && test.kind != "page" && test.kind != "login" {
						t.Errorf("it sets a cookie: %v", given)
					}
					for _, c := range given {
						kind := checkCookie(t, c, site.wantCookies, public.Scheme == "https")
						set[kind], cleared[kind] = set[kind] || c.MaxAge >= 0, cleared[kind] || c.MaxAge < 0
					}
				})
			}
			if !set["session"] || !set["csrf"] || !set["signed-out"] || !set["login"] || !cleared["session"] || !cleared["signed-out"] || !cleared["login"] {
				t.Errorf("cookies were set: %v; cleared: %v; want each kind, but that csrf is not cleared", set, cleared)
			}
			for _, pattern := range s.App.Routes() {
				method, path, _ := strings.Cut(pattern, " ")
				path = regexp.MustCompile(`\{[^}]*\}`).ReplaceAllString(strings.ReplaceAll(path, "{$}", ""), "x")
				p := s.Browser().Send(method, s.Server.URL+base+path, nil)
				if policy := p.Header.Get("Content-Security-Policy"); addsSources(policy) { // by AllowSource, as its author wants
					p.Header.Set("Content-Security-Policy", wantCSP)
					if strings.Contains(policy, "frame-ancestors http") {
						p.Header.Set("X-Frame-Options", "DENY")
					}
				}
				wantSafe(t, p, site.wantHSTS)
			}
		})
	}
}

// addsSources reports whether a policy is ours with more sources behind some directives.
func addsSources(policy string) bool {
	for directive := range strings.SplitSeq(wantCSP, "; ") {
		ours := strings.TrimSuffix(directive, " 'none'")
		if !slices.ContainsFunc(strings.Split(policy, "; "), func(d string) bool { return d == directive || strings.HasPrefix(d, ours+" ") }) {
			return false
		}
	}
	return true
}

// wantSafe wants the headers by which no page of ours, and none that somebody has
// added, may be made to do what it should not.
func wantSafe(t *testing.T, p routestest.Page, hsts string) {
	t.Helper()
	for name, want := range map[string]string{
		"Content-Security-Policy":      wantCSP,
		"X-Content-Type-Options":       "nosniff",
		"X-Frame-Options":              "DENY",
		"Cross-Origin-Opener-Policy":   "same-origin",
		"Cross-Origin-Resource-Policy": "same-origin",
		"Origin-Agent-Cluster":         "?1",
		"Strict-Transport-Security":    hsts,
		"Server":                       "",
		"X-Powered-By":                 "",
	} {
		if got := strings.Join(p.Header.Values(name), ", "); got != want {
			t.Errorf("%s (%d): %s is %q, want %q", p.URL, p.Status, name, got, want)
		}
	}
	if p.Header.Get("Referrer-Policy") == "" || p.Header.Get("Cache-Control") == "" {
		t.Errorf("%s (%d): it has the headers %v", p.URL, p.Status, p.Header)
	}
	if got := p.Header.Get("Permissions-Policy"); len(strings.Split(got, "=()")) != 15 {
		t.Errorf("Permissions-Policy is %q, want 14 features that nobody may use", got)
	}
}
