package web_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"example.org/portal/globus/globustest"
	"example.org/portal/routes/routestest"
)

// TestRequestLog: a request leaves one line, which tells all but what is secret.
func TestRequestLog(t *testing.T) {
	t.Parallel()
	s := routestest.Start(t, routestest.Options{})
	b := s.Browser()
	home := b.SignIn("rosalind") // by three requests; a line follows its answer
	routestest.Await(t, "they are logged", func() bool { return len(s.LogLines("request")) == 3 })
	signedIn := s.LogLines("signed in")[0]
	tests := []struct {
		name, method, path string
		form               url.Values
		headers            []string
		want               routestest.LogLine
	}{
		{"a page", "GET", "/user?x=y", nil, nil, routestest.LogLine{"level": "INFO", "route": "/user", "method": "GET", "status": 200.0, "client": "127.0.0.1"}},
		{"the home page", "HEAD", "/", nil, nil, routestest.LogLine{"level": "INFO", "route": "/{$}", "method": "HEAD", "status": 200.0}},
		{"by a proxy that adds the port", "GET", "/", nil, []string{"X-Forwarded-For", "203.0.113.7:54321"}, routestest.LogLine{"client": "203.0.113.7", "status": 200.0}},
		{"the same, of IPv6", "GET", "/", nil, []string{"X-Forwarded-For", "[2001:db8::7]:443"}, routestest.LogLine{"client": "2001:db8::7", "status": 200.0}},
		{"IPv6 in brackets", "GET", "/", nil, []string{"X-Forwarded-For", "[2001:db8::7]"}, routestest.LogLine{"client": "2001:db8::7", "status": 200.0}},
		{"by a proxy", "GET", "/", nil, []string{"X-Forwarded-For", "192.0.2.66, 192.0.2.7"}, routestest.LogLine{"client": "192.0.2.7", "status": 200.0}},
		{"no page", "GET", "/canary", nil, nil, routestest.LogLine{"level": "WARN", "route": "none", "status": 404.0, "reason": "no_such_page"}},
		{"no method", "CANARY", "/", nil, nil, routestest.LogLine{"level": "WARN", "method": "other", "status": 405.0}},
		{"a form of nobody's", "POST", "/logout", url.Values{}, nil, routestest.LogLine{"level": "WARN", "route": "/logout", "status": 403.0}},
		{"a file", "GET", "/static/canary", nil, nil, routestest.LogLine{"level": "DEBUG", "route": "/static/", "status": 404.0}},
		{"a probe", "GET", "/livez", nil, nil, routestest.LogLine{"level": "DEBUG", "route": "/livez", "status": 200.0, "bytes": 3.0}},
		{"signing out", "POST", "/logout", home.Form(), nil, routestest.LogLine{"level": "INFO", "route": "/logout", "status": 303.0}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			before := len(s.LogLines("request"))
			p := b.Send(test.method, s.URL+test.path, test.form, test.headers...)
			routestest.Await(t, "it is logged", func() bool { return len(s.LogLines("request")) > before })
			lines := s.LogLines("request")
			got := lines[before]
			if len(lines) != before+1 {
				t.Errorf("%d lines, want one", len(lines)-before)
			}
			for key, want := range test.want {
				if got[key] != want {
					t.Errorf("%s is %v, want %v", key, got[key], want)
				}
			}
			if id, _ := got["id"].(string); len(id) != 12 || p.Has(".reference") && !strings.Contains(p.Body, ">"+id+"<") {
				t.Errorf("the id is %q, on the page:\n%s", id, p.Body)
			}
			if page := test.want["level"] != "DEBUG"; page && got["session"] != signedIn["session"] {
				t.Errorf("the session is %v, want %v", got["session"], signedIn["session"])
			}
			if ms, _ := got["ms"].(float64); ms <= 0 {
				t.Errorf("it took %v ms", got["ms"])
			}
		})
	}
	if strings.Contains(s.Log.String(), "canary") {
		t.Errorf("the log repeats what a stranger wrote:\n%s", s.Log)
	}
	if out := s.LogLines("signed out"); len(out) != 1 || out[0]["session"] != signedIn["session"] || out[0]["id"] == "" {
		t.Errorf("got %v, want one line that %v signed out", out, signedIn["session"])
	}
}

// TestForgedLog: whatever comes from outside, a line stays a line.
func TestForgedLog(t *testing.T) {
	t.Parallel()
	for name, whole := range map[string]*regexp.Regexp{
		"JSON": regexp.MustCompile(`^\{"time":"[^"]+","level":"[A-Z]+","msg":".*\}\n$`),
		"text": regexp.MustCompile(`^time=\S+ level=[A-Z]+ msg=.*\n$`),
	} {
		t.Run(name, func(t *testing.T) {
			s := routestest.Start(t, routestest.Options{TextLog: name == "text"})
			const forged = "x%0d%0atime=0 level=ERROR msg=FORGED%0a{\"msg\":\"FORGED\"}\u2028\x1b[2J"
			spaced := strings.NewReplacer("%0d", "\r", "%0a", "\n").Replace(forged)
			escaped := url.QueryEscape(spaced)
			n := 0
			for _, path := range []string{"/" + url.PathEscape(spaced), "/login?next=" + escaped, "/login?code=x&state=" + escaped, "/static/" + url.PathEscape(spaced)} {
				for _, header := range []string{"User-Agent", "Referer", "X-Forwarded-For", "X-Request-Id", "HX-Current-URL", "Cookie", "Origin", "Content-Type"} {
					s.Raw("GET " + path + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + header + ": " + forged[:len(forged)-4] + "\r\n\r\n")
					n++
				}
			}
			s.Raw("GET / HTTP/1.1\r\nHost: x\r\nUser-Agent: x\rFORGED\nFORGED\r\n\r\n") // net/http refuses it
			b := s.Browser()
			begun, _ := url.Parse(b.Get("/login").Header.Get("Location"))
			state := begun.Query().Get("state")
			b.Get("/login?error=" + escaped + "&error_description=" + escaped + "&state=" + state)
			callback := b.Callback("rosalind")
			answer, _ := json.Marshal(map[string]string{"error": spaced, "error_description": spaced})
			s.Globus.Lie(routestest.BrokenToken(globustest.Fault{Status: http.StatusBadRequest, Body: string(answer)}))
			b.Get(callback)

			routestest.Await(t, "all is logged", func() bool {
				return strings.Count(s.Log.String(), `"none"`)+strings.Count(s.Log.String(), "route=") > 0
			})
			routestest.Await(t, "all is logged", func() bool { return s.RequestCount() >= n+4 })
			for line := range strings.Lines(s.Log.String()) {
				if !whole.MatchString(line) || strings.Contains(line, "FORGED") {
					t.Errorf("a line is %q", line)
				}
			}
		})
	}
}

// TestSignInLog: each sign-in leaves one line that says what came of it.
func TestSignInLog(t *testing.T) {
	t.Parallel()
	s := routestest.Start(t, routestest.Options{})
	tests := []struct {
		name  string
		lie   globustest.Lie
		visit func(b *routestest.Browser)
		want  string // message, then reason
	}{
		{"signed in", globustest.Lie{}, func(b *routestest.Browser) { b.SignIn("rosalind") }, "signed in: <nil>"},
		{"said no", globustest.Lie{}, func(b *routestest.Browser) { b.SignIn("deny") }, "sign-in refused: denied: globus: authorize: refused access_denied"},
		{"used link", globustest.Lie{}, func(b *routestest.Browser) { b.Get("/"); b.Get("/login?code=x&state=y") }, "sign-in refused: link_used: callback without an attempt of this browser"},
		{"damaged link", globustest.Lie{}, func(b *routestest.Browser) { b.Get("/login?code=x&code=y") }, "sign-in refused: link_damaged: parameter code more than once"},
		{"Globus down", routestest.BrokenToken(globustest.Fault{Status: 500}), func(b *routestest.Browser) { b.SignIn("rosalind") }, "sign-in failed: globus_error: globus: token: status (HTTP 500)"},
		{"no cookies", globustest.Lie{}, func(b *routestest.Browser) { b.Get("/login?code=x&state=y") }, "sign-in refused: cookies_blocked: callback without any cookie"},
	}
	seen := 0
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s.Globus.Lie(test.lie)
			defer s.Globus.Lie(globustest.Lie{})
			test.visit(s.Browser())
			var got []string
			for _, msg := range []string{"signed in", "sign-in refused", "sign-in failed"} {
				for _, line := range s.LogLines(msg) {
					got = append(got, fmt.Sprintf("%s: %v", msg, line["reason"]))
				}
			}
			if seen++; len(got) != seen || !strings.Contains(strings.Join(got, "\n"), test.want) {
				t.Errorf("got\n%s\nwant %d lines, one of them\n%s", strings.Join(got, "\n"), seen, test.want)
			}
		})
	}
}
