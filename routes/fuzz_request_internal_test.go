package routes

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"path"
	"strings"
	"testing"
	"time"

	"example.org/portal/globus"
	"example.org/portal/routes/session"
)

// FuzzRequest: whatever address and headers come with a session, the answer has
// its headers, leads nowhere else, and is no fault of ours; and of Globus only
// what there may be is asked.
func FuzzRequest(f *testing.F) {
	const folder = "/probe/folder/7a1c2e40-3b5d-4f6e-8a90-0123456789ab"
	fuzzRequests(f, []string{
		"/", "/user", "/visitor", "/probe/tasks", "/probe/tasks?x=1e3", "/signed-out", "/tokens/show", "/logout", "/nowhere", "//user", "/user/", "/%2e%2e/user", "/user%00", "/static/", "/static/../user", "/livez", "/readyz", "*",
		folder, folder + "?path=/~/", folder + "?path=/%00", folder + "?path=/%ff", folder + "?path=/a%26limit=1", "/probe/folder/..%2f..%2fx", folder + "%2f..", "/?%zz", "/?a;b", "/?" + strings.Repeat("x", 5000),
	}, func(t *testing.T, asked *http.Request) {
		if !strings.HasSuffix(asked.URL.Host, ".globus.org") || asked.URL.EscapedPath() != path.Clean(asked.URL.EscapedPath()) {
			t.Errorf("Globus is asked %s %s", asked.Method, asked.URL)
		}
	})
}

// fuzzRequests begins with these targets. Check looks at what Globus is asked.
func fuzzRequests(f *testing.F, targets []string, check func(t *testing.T, asked *http.Request)) {
	for _, target := range targets {
		f.Add("GET", target, "", "", "")
		f.Add("GET", target, "https://portal.example.edu/user?x=%2F%2Fevil.example", "6.6.6.6", "partial")
	}
	for _, forwarded := range []string{"1.2.3.4, 5.6.7.8", "::1", "fe80::1%eth0", "1.2.3.4:80", "unknown", "\"id\":\"x\"", "\n", ",", strings.Repeat("1.2.3.4,", 500), "[::1]", "0x7f.1"} {
		f.Add("GET", "/user", "javascript:alert(1)", forwarded, "full")
	}
	for _, method := range []string{"HEAD", "POST", "PUT", "OPTIONS", "TRACE", "FROB", ""} {
		f.Add(method, "/logout", "http://a:b@evil.example//x", "", "partial")
	}
	wire := &wire{status: http.StatusOK, body: `{"DATA":[{"name":"a","type":"dir","task_id":"<b>","label":"\u202e<script>"}],"path":"/a&b/","total":9}`}
	a, log := fuzzApp(f, "https://portal.example.edu", wire)
	a.AddProbes()
	s, err := a.sessions.SignIn(context.Background(), session.Record{
		Identity: globus.Identity{Subject: "7a1c2e40-3b5d-4f6e-8a90-0123456789ab", Username: "r@example.edu"}, Began: fuzzNow,
		Tokens: globus.Tokens{globus.AuthServer: {AccessToken: "canary7-auth", RefreshToken: "canary7-refresh", Expiry: fuzzNow.Add(48 * time.Hour)}, globus.TransferServer: {AccessToken: "canary7-transfer", Expiry: fuzzNow.Add(48 * time.Hour)}},
	})
	if err != nil {
		f.Fatal(err)
	}
	w := httptest.NewRecorder()
	a.sessions.SetCookie(w, s)
	cookie, _, _ := strings.Cut(w.Header().Get("Set-Cookie"), ";")
	f.Fuzz(func(t *testing.T, method, target, current, forwarded, htmx string) {
		u, err := url.ParseRequestURI(target)
		if err != nil || !strings.HasPrefix(target, "/") || method == http.MethodConnect || strings.HasPrefix(target, "/login") {
			return // net/http would not hand it on; what /login asks is FuzzCallback's
		}
		wire.asked, wire.forms = nil, nil
		log.Reset()
		r := (&http.Request{
			Method: method, URL: u, RequestURI: target, Host: forwarded, RemoteAddr: "127.0.0.1:1", Body: http.NoBody, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
			Header: http.Header{"Cookie": {cookie}, "Hx-Current-Url": {current}, "X-Forwarded-For": {forwarded}, "X-Forwarded-Host": {forwarded}, "Referer": {current}},
		}).WithContext(t.Context())
		if htmx != "" {
			r.Header.Set("HX-Request", "true")
			r.Header.Set("HX-Request-Type", htmx)
		}
		w := httptest.NewRecorder()
		a.ServeHTTP(w, r)
		checkAnswer(t, w, log.String(), "canary7", fuzzSecret)
		if w.Code >= 500 {
			t.Errorf("%s %q: %d\n%s", method, target, w.Code, log)
		}
		for _, asked := range wire.asked {
			check(t, asked)
		}
	})
}

// checkAnswer wants what every answer has, a Location on this site or at Globus,
// a log of whole lines that name a true client, and no secret in either.
func checkAnswer(t *testing.T, w *httptest.ResponseRecorder, log string, secrets ...string) {
	t.Helper()
	h := w.Header()
	if h.Get("Content-Security-Policy") != csp || h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Referrer-Policy") == "" || h.Get("Cache-Control") == "" {
		t.Errorf("%d has the headers %v", w.Code, h)
	}
	told := w.Body.String() + log
	for _, c := range w.Result().Cookies() {
		if c.Name == "__Host-csrf" || strings.HasPrefix(c.Name, "__Host-login-") && c.MaxAge == 600 {
			continue // who has it may know what is in it
		}
		told += c.String()
	}
	location := h.Get("Location")
	if path, ok := strings.CutPrefix(location, "https://portal.example.edu"); ok || location == "" || strings.HasPrefix(location, "/") {
		if _, here := lands(path); !here {
			t.Errorf("it leads to %q", location)
		}
		told += location
	} else if !strings.HasPrefix(location, globus.Issuer+"/v2/oauth2/authorize?") {
		t.Errorf("it leads to %q", location)
	}
	for _, secret := range secrets {
		if strings.Contains(told, secret) {
			t.Errorf("%q is told: %s", secret, told)
		}
	}
	for line := range strings.Lines(log) {
		var fields struct{ ID, Client, Msg string }
		err := json.Unmarshal([]byte(line), &fields)
		if _, notIP := netip.ParseAddr(fields.Client); err != nil || fields.Msg == "panic" || fields.Client != "" && notIP != nil {
			t.Errorf("it is logged that %s", line)
		}
	}
}
