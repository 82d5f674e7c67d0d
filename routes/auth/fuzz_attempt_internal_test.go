package auth

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"example.org/portal/globus"
	"example.org/portal/routes/web"
)

// FuzzAttempt: an attempt that is written is read back as it was; what a browser
// has in its place is an attempt that is whole or none; and of the cookies that
// are there, no other's is taken, and five attempts at most are left.
func FuzzAttempt(f *testing.F) {
	for _, next := range []string{"", "/", "/user?a=b&c=d#e", "/browse/%C3%A9", "/" + strings.Repeat("x", 2047), "/?" + strings.Repeat("%22", 682), "//evil.example"} {
		f.Add(next, "", "")
	}
	for _, value := range []string{
		"e30", "bnVsbA", "W10", "IiI", "eyJTdGF0ZSI6IngifQ", "eyJTdGF0ZSI6IngiLCJOb25jZSI6InkiLCJWZXJpZmllciI6InoifQ", "eyJTdGF0ZSI6IngiLCJOb25jZSI6InkiLCJWZXJpZmllciI6InoiLCJTdGVwVXAiOnt9fQ", "====", "e30=", "\x00", strings.Repeat("A", 4000),
	} {
		f.Add("/user", value, "a=b; __Host-portal-login-0=x; LOGIN; LOGIN")
	}
	a := attemptsOnly(f)
	f.Fuzz(func(t *testing.T, next, value, others string) {
		next = a.site.LocalPath(next)
		want := attempt{Attempt: begun, Next: next, Begun: attemptNow, Prompt: true, StepUp: "7a1c2e40-3b5d-4f6e-8a90-1920072501aa"}
		name, written := kept(t, a, want)
		r := &http.Request{Header: http.Header{"Cookie": {name + "=" + written}}}
		got, ok := a.attempt(r, begun.State)
		if !ok || !reflect.DeepEqual(got, want) || len(name)+len(written) > 4000 {
			t.Errorf("%+v is read back as %+v, %t, from %d bytes", want, got, ok, len(written))
		}

		if read, ok := readAttempt(value); ok {
			text, err := read.cookieValue()
			again, ok := readAttempt(text)
			if err != nil || len(text) <= maxAttempt && (!ok || !reflect.DeepEqual(again, read)) || read.State == "" || read.Nonce == "" || read.Verifier == "" {
				t.Errorf("%q is read as %+v, and that as %+v, %v", value, read, again, err)
			}
		}

		r.Header.Set("Cookie", strings.ReplaceAll(others, "LOGIN", name+"="+written)+"; x="+value)
		w := httptest.NewRecorder()
		another := globus.NewAttempt()
		if err := a.setAttempt(w, r, attempt{Attempt: another, Begun: attemptNow}); err != nil {
			t.Fatal(err)
		}
		for _, c := range w.Result().Cookies() {
			if c.MaxAge < 0 && !strings.HasPrefix(c.Name, "__Host-portal-login-") {
				t.Errorf("%q: the cookie %s is taken", others, c.Name)
			}
		}
	})
}

var (
	attemptNow = time.Unix(1_800_000_000, 0).UTC()
	begun      = globus.Attempt{State: "ABCDEFGHIJKLMNOPQRSTUVWX23", Nonce: "BCDEFGHIJKLMNOPQRSTUVWXY23", Verifier: "verifier7-canary-of-forty-three-characters-a"}
)

// attemptsOnly returns an Auth that can do no more than keep attempts.
func attemptsOnly(t testing.TB) *Auth {
	t.Helper()
	client, err := globus.New(globus.Config{ClientID: "c11e0000-0000-4000-8000-000000000000", ClientSecret: "none", RedirectURL: "https://portal.example.edu/login"})
	if err != nil {
		t.Fatal(err)
	}
	return &Auth{site: web.New(web.Config{
		PublicURL: &url.URL{Scheme: "https", Host: "portal.example.edu"}, Globus: client,
		Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return attemptNow },
	})}
}

// kept returns the cookie by which the browser keeps an attempt.
func kept(t *testing.T, a *Auth, kept attempt) (name, value string) {
	t.Helper()
	w := httptest.NewRecorder()
	if err := a.setAttempt(w, &http.Request{Header: http.Header{}}, kept); err != nil {
		t.Fatal(err)
	}
	cookies := w.Result().Cookies()
	if len(cookies) != 1 {
		t.Fatalf("it is kept in %v", cookies)
	}
	return cookies[0].Name, cookies[0].Value
}
