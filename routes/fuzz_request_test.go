package routes_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"path"
	"strings"
	"testing"
	"time"

	"example.org/portal/globus"
	"example.org/portal/routes/routestest"
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
	wire := &routestest.Wire{Status: http.StatusOK, Body: `{"DATA":[{"name":"a","type":"dir","task_id":"<b>","label":"\u202e<script>"}],"path":"/a&b/","total":9}`}
	tomorrow := routestest.OfflineNow.Add(48 * time.Hour)
	a, log, cookie := routestest.OfflineSession(f, "https://portal.example.edu", wire, &session.Record{
		Identity: globus.Identity{Subject: "7a1c2e40-3b5d-4f6e-8a90-0123456789ab", Username: "r@example.edu"}, Began: routestest.OfflineNow,
		Tokens: globus.Tokens{globus.AuthServer: {AccessToken: "canary7-auth", RefreshToken: "canary7-refresh", Expiry: tomorrow}, globus.TransferServer: {AccessToken: "canary7-transfer", Expiry: tomorrow}},
	})
	f.Fuzz(func(t *testing.T, method, target, current, forwarded, htmx string) {
		u, err := url.ParseRequestURI(target)
		if err != nil || !strings.HasPrefix(target, "/") || method == http.MethodConnect || strings.HasPrefix(target, "/login") {
			return // net/http would not hand it on; what /login asks is FuzzCallback's
		}
		wire.Asked, wire.Forms = nil, nil
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
		routestest.CheckAnswer(t, w, log.String(), "canary7", routestest.ClientSecret)
		if w.Code >= 500 {
			t.Errorf("%s %q: %d\n%s", method, target, w.Code, log)
		}
		for _, asked := range wire.Asked {
			check(t, asked)
		}
	})
}
