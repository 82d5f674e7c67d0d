package routes_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"example.org/portal/globus/globustest"
)

// A logLine is what one line of the log says.
type logLine map[string]any

// lines returns the lines of the log whose message is msg.
func (s *site) lines(msg string) []logLine {
	s.t.Helper()
	var found []logLine
	for text := range strings.Lines(s.log.String()) {
		var line logLine
		if err := json.Unmarshal([]byte(text), &line); err != nil {
			s.t.Fatalf("the log has the line %q: %v", text, err)
		}
		if line["msg"] == msg {
			found = append(found, line)
		}
	}
	return found
}

// TestRequestLog: a request leaves one line, which tells all but what is secret.
func TestRequestLog(t *testing.T) {
	s := start(t, options{})
	b := s.browser()
	home := b.signIn("rosalind") // by three requests; a line follows its answer
	await(t, "they are logged", func() bool { return len(s.lines("request")) == 3 })
	signedIn := s.lines("signed in")[0]
	tests := []struct {
		name, method, path string
		form               url.Values
		headers            []string
		want               logLine
	}{
		{"a page", "GET", "/user?x=y", nil, nil, logLine{"level": "INFO", "route": "/user", "method": "GET", "status": 200.0, "client": "127.0.0.1"}},
		{"the home page", "HEAD", "/", nil, nil, logLine{"level": "INFO", "route": "/{$}", "method": "HEAD", "status": 200.0}},
		{"by a proxy", "GET", "/", nil, []string{"X-Forwarded-For", "192.0.2.66, 192.0.2.7"}, logLine{"client": "192.0.2.7", "status": 200.0}},
		{"no page", "GET", "/canary", nil, nil, logLine{"level": "WARN", "route": "none", "status": 404.0, "reason": "There is no such page"}},
		{"no method", "CANARY", "/", nil, nil, logLine{"level": "WARN", "method": "other", "status": 405.0}},
		{"a form of nobody's", "POST", "/logout", url.Values{}, nil, logLine{"level": "WARN", "route": "/logout", "status": 403.0}},
		{"a file", "GET", "/static/canary", nil, nil, logLine{"level": "DEBUG", "route": "/static/", "status": 404.0}},
		{"a probe", "GET", "/livez", nil, nil, logLine{"level": "DEBUG", "route": "/livez", "status": 200.0, "bytes": 3.0}},
		{"signing out", "POST", "/logout", home.form(), nil, logLine{"level": "INFO", "route": "/logout", "status": 303.0}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			before := len(s.lines("request"))
			p := b.send(test.method, s.url+test.path, test.form, test.headers...)
			await(t, "it is logged", func() bool { return len(s.lines("request")) > before })
			lines := s.lines("request")
			got := lines[before]
			if len(lines) != before+1 {
				t.Errorf("%d lines, want one", len(lines)-before)
			}
			for key, want := range test.want {
				if got[key] != want {
					t.Errorf("%s is %v, want %v", key, got[key], want)
				}
			}
			if id, _ := got["id"].(string); len(id) != 12 || strings.Contains(p.body, "eference") && !strings.Contains(p.body, id) {
				t.Errorf("the id is %q, on the page:\n%s", id, p.body)
			}
			if got["session"] != signedIn["session"] {
				t.Errorf("the session is %v, want %v", got["session"], signedIn["session"])
			}
			if ms, _ := got["ms"].(float64); ms <= 0 {
				t.Errorf("it took %v ms", got["ms"])
			}
		})
	}
	if strings.Contains(s.log.String(), "canary") {
		t.Errorf("the log repeats what a stranger wrote:\n%s", s.log)
	}
	if out := s.lines("signed out"); len(out) != 1 || out[0]["session"] != signedIn["session"] || out[0]["id"] == "" {
		t.Errorf("got %v, want one line that %v signed out", out, signedIn["session"])
	}
}

// TestForgedLog: whatever comes from outside, a line stays a line.
func TestForgedLog(t *testing.T) {
	for name, whole := range map[string]*regexp.Regexp{
		"JSON": regexp.MustCompile(`^\{"time":"[^"]+","level":"[A-Z]+","msg":".*\}\n$`),
		"text": regexp.MustCompile(`^time=\S+ level=[A-Z]+ msg=.*\n$`),
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t, options{textLog: name == "text"})
			const forged = "x%0d%0atime=0 level=ERROR msg=FORGED%0a{\"msg\":\"FORGED\"}\u2028\x1b[2J"
			spaced := strings.NewReplacer("%0d", "\r", "%0a", "\n").Replace(forged)
			escaped := url.QueryEscape(spaced)
			n := 0
			for _, path := range []string{"/" + url.PathEscape(spaced), "/login?next=" + escaped, "/login?code=x&state=" + escaped, "/static/" + url.PathEscape(spaced)} {
				for _, header := range []string{"User-Agent", "Referer", "X-Forwarded-For", "X-Request-Id", "HX-Current-URL", "Cookie", "Origin", "Content-Type"} {
					s.raw("GET " + path + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + header + ": " + forged[:len(forged)-4] + "\r\n\r\n")
					n++
				}
			}
			s.raw("GET / HTTP/1.1\r\nHost: x\r\nUser-Agent: x\rFORGED\nFORGED\r\n\r\n") // net/http refuses it
			b := s.browser()
			begun, _ := url.Parse(b.get("/login").header.Get("Location"))
			state := begun.Query().Get("state")
			b.get("/login?error=" + escaped + "&error_description=" + escaped + "&state=" + state)
			callback := b.callback("rosalind")
			answer, _ := json.Marshal(map[string]string{"error": spaced, "error_description": spaced})
			s.auth.Lie(brokenToken(globustest.Fault{Status: http.StatusBadRequest, Body: string(answer)}))
			b.get(callback)

			await(t, "all is logged", func() bool {
				return strings.Count(s.log.String(), `"none"`)+strings.Count(s.log.String(), "route=") > 0
			})
			await(t, "all is logged", func() bool { return s.requests() >= n+4 })
			for line := range strings.Lines(s.log.String()) {
				if !whole.MatchString(line) || strings.Contains(line, "FORGED") {
					t.Errorf("a line is %q", line)
				}
			}
		})
	}
}

var requestLine = regexp.MustCompile(`"msg":"request"|msg=request `)

// requests counts the requests in the log.
func (s *site) requests() int { return len(requestLine.FindAllString(s.log.String(), -1)) }

// raw sends bytes as they are, and reads what comes back to its end.
func (s *site) raw(request string) string {
	s.t.Helper()
	conn, err := net.Dial("tcp", s.http.Listener.Addr().String())
	if err != nil {
		s.t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, request); err != nil {
		s.t.Fatal(err)
	}
	answer, err := io.ReadAll(conn)
	if err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 ") {
		s.t.Fatalf("got %q, %v", answer, err)
	}
	return string(answer)
}

// TestSignInLog: each sign-in leaves one line that says what came of it.
func TestSignInLog(t *testing.T) {
	s := start(t, options{})
	tests := []struct {
		name  string
		lie   globustest.Lie
		visit func(b *browser)
		want  string // message, then reason
	}{
		{"signed in", globustest.Lie{}, func(b *browser) { b.signIn("rosalind") }, "signed in: <nil>"},
		{"said no", globustest.Lie{}, func(b *browser) { b.signIn("deny") }, "sign-in refused: Globus did not sign you in: globus: authorize: refused access_denied"},
		{"used link", globustest.Lie{}, func(b *browser) { b.get("/login?code=x&state=y") }, "sign-in refused: That sign-in link was used already or has expired: callback without an attempt of this browser"},
		{"damaged link", globustest.Lie{}, func(b *browser) { b.get("/login?code=x&code=y") }, "sign-in refused: That sign-in link is damaged: doubled parameter code"},
		{"Globus down", brokenToken(globustest.Fault{Status: 500}), func(b *browser) { b.signIn("rosalind") }, "sign-in failed: Globus could not sign you in: globus: token: status (HTTP 500)"},
	}
	seen := 0
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s.auth.Lie(test.lie)
			defer s.auth.Lie(globustest.Lie{})
			test.visit(s.browser())
			var got []string
			for _, msg := range []string{"signed in", "sign-in refused", "sign-in failed"} {
				for _, line := range s.lines(msg) {
					got = append(got, fmt.Sprintf("%s: %v", msg, line["reason"]))
				}
			}
			if seen++; len(got) != seen || !strings.Contains(strings.Join(got, "\n"), test.want) {
				t.Errorf("got\n%s\nwant %d lines, one of them\n%s", strings.Join(got, "\n"), seen, test.want)
			}
		})
	}
}
