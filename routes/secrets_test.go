package routes_test

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"example.org/portal/globus"
	"example.org/portal/globus/globustest"
)

var shownToken = regexp.MustCompile(`<code[^>]*>(Ag[^<]+)</code>`)

// TestSecrets goes through the app, well and badly, and then looks for every
// secret, and everything personal, in the log, the metrics and the files.
func TestSecrets(t *testing.T) {
	var c clock
	s := start(t, options{now: c.now, policy: domains("example.edu")})
	secrets := map[string]string{"client secret": clientSecret, "client secret, escaped": url.QueryEscape(clientSecret)}
	signIn := func(b *browser) page {
		callback := b.callback("rosalind")
		u, _ := url.Parse(callback)
		secrets["code "+u.Query().Get("code")] = u.Query().Get("code")
		_, cookie := b.cookie("login")
		secrets["attempt "+cookie] = cookie
		plain, err := base64.RawURLEncoding.DecodeString(cookie)
		if err != nil {
			t.Fatal(err)
		}
		var attempt struct{ State, Nonce, Verifier string }
		if err := json.Unmarshal(plain, &attempt); err != nil || attempt.Verifier == "" {
			t.Fatalf("the attempt's cookie is %q", plain)
		}
		secrets["state "+attempt.State] = attempt.State
		secrets["nonce "+attempt.Nonce] = attempt.Nonce
		secrets["verifier "+attempt.Verifier] = attempt.Verifier
		return b.follow(b.get(callback))
	}

	b := s.browser()
	home := signIn(b)
	_, session := b.cookie("session")
	_, csrf := b.cookie("csrf")
	secrets["session cookie"], secrets["CSRF cookie"] = session, csrf
	for _, token := range []string{"access", "refresh"} {
		p := b.send(http.MethodPost, "/tokens/show", b.get("/").form("token", token), htmx...)
		m := shownToken.FindStringSubmatch(p.body)
		if m == nil {
			t.Fatalf("the %s token is not shown:\n%s", token, p.body)
		}
		if !s.auth.Live(m[1]) {
			t.Errorf("what is shown is not the %s token", token)
		}
		secrets[token+" token"] = m[1]
	}
	for name, secret := range secrets {
		if strings.Contains(home.body, secret) || strings.Contains(b.get("/user").body, secret) {
			t.Errorf("the %s is on a page that was not asked for it", name)
		}
	}

	for _, lie := range []globustest.Lie{
		{Signing: globustest.BrokenSignature},
		{Claims: globustest.Edit{Set: map[string]any{"nonce": "canary-nonce"}}},
		{UserInfo: globustest.Edit{Set: map[string]any{"sub": "canary-sub"}}},
		{Endpoints: map[string]globustest.Fault{globustest.TokenPath: {Status: 400, Body: `{"error":"canary error","error_description":"canary"}`}}},
		{Endpoints: map[string]globustest.Fault{globustest.TokenPath: {HangUp: true}}},
		{Endpoints: map[string]globustest.Fault{globustest.RevokePath: {Status: 500, Body: "canary"}}},
	} {
		s.auth.Lie(lie)
		other := s.browser()
		p := signIn(other)
		other.send(http.MethodPost, "/logout", p.form())
		s.auth.Lie(globustest.Lie{})
	}
	b.get("/login?code=canary-code&state=canary-state")
	b.get("/canary-path?canary=query", "X-Forwarded-For", "canary")
	s.browser().signIn("deny")
	for _, fault := range []globustest.Fault{{}, {Status: 403, Body: `{"code":"ConsentRequired","message":"canary"}`}, {HangUp: true}} {
		s.auth.Lie(globustest.Lie{Endpoints: map[string]globustest.Fault{globustest.TaskListPath: fault}})
		b.get("/transfers")
	}
	for _, lie := range []globustest.Lie{{RotateRefresh: true}, brokenToken(globustest.Fault{Status: 500, Body: "canary"})} {
		s.auth.Lie(lie)
		b.send(http.MethodPost, "/tokens/refresh", b.get("/").form("server", globus.AuthServer))
	}
	s.auth.Lie(globustest.Lie{})
	secrets["refreshed access token"] = shownToken.FindStringSubmatch(b.send(http.MethodPost, "/tokens/show", b.get("/").form("token", "access"), htmx...).body)[1]
	c.pass(24 * time.Hour) // what who may enter is decided from is asked anew
	for _, path := range []string{"/", "/transfers", "/browse/" + place(t, "Example Light Source").ID, "/browse/" + place(t, "Tape archive").ID} {
		b.get(path)
	}
	s.app.Idle()
	maps.Copy(secrets, personal())
	for _, event := range []string{"signed in", "signed out", "sign-in refused", "sign-in failed", "token refreshed", "token not refreshed", "tokens not revoked", "request"} {
		if len(s.lines(event)) == 0 {
			t.Errorf("%q was not logged, so its log proves nothing", event)
		}
	}
	secrets["what a stranger sent"] = "canary"
	for where, text := range map[string]string{"log": s.log.String(), "metrics": s.metricsPage()} {
		for name, secret := range secrets {
			if strings.Contains(text, secret) {
				t.Errorf("the %s: there is the %s", where, name)
			}
		}
	}
	delete(secrets, "what a stranger sent")
	for name, secret := range secrets {
		for _, file := range filesWith(t, s.dir, secret) {
			t.Errorf("%s has the %s", file, name)
		}
	}
	if !b.signedIn() {
		t.Error("nobody is signed in, so the files prove nothing")
	}
}

// personal returns what tells who the demo's people are.
func personal() map[string]string {
	all := map[string]string{}
	for _, p := range globustest.DemoPeople() {
		for claim, text := range map[string]*string{"name": p.Claims.Name, "e-mail": p.Claims.Email, "user name": p.Claims.PreferredUsername, "UUID": &p.Claims.Sub} {
			if text != nil && *text != "" {
				all[p.Key+"'s "+claim] = *text
			}
		}
	}
	return all
}

// filesWith returns the files below dir that contain text.
func filesWith(t *testing.T, dir, text string) []string {
	t.Helper()
	var found []string
	n := 0
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		n++
		content, err := os.ReadFile(path)
		if strings.Contains(string(content), text) {
			found = append(found, path)
		}
		return err
	})
	if err != nil || n == 0 {
		t.Fatalf("%d files below %s: %v", n, dir, err)
	}
	return found
}
