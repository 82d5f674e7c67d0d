package auth_test

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"example.org/portal/globus"
	"example.org/portal/globus/globustest"
	"example.org/portal/routes/routestest"
)

// TestSecrets goes through the app, well and badly, and then looks for every
// secret, and everything personal, in the log, the metrics and the files.
func TestSecrets(t *testing.T) {
	t.Parallel()
	var c routestest.Clock
	s := routestest.StartWithProbes(t, routestest.Options{Now: c.Now, Policy: domains("example.edu")})
	secrets := map[string]string{"client secret": routestest.ClientSecret, "client secret, escaped": url.QueryEscape(routestest.ClientSecret)}
	signIn := func(b *routestest.Browser) routestest.Page {
		callback := b.Callback("rosalind")
		u, _ := url.Parse(callback)
		secrets["code "+u.Query().Get("code")] = u.Query().Get("code")
		_, cookie := b.Cookie("login")
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
		return b.Follow(b.Get(callback))
	}

	b := s.Browser()
	home := signIn(b)
	_, session := b.Cookie("session")
	_, csrf := b.Cookie("csrf")
	secrets["session cookie"], secrets["CSRF cookie"] = session, csrf
	for _, token := range []string{"access", "refresh"} {
		p := b.Send(http.MethodPost, "/tokens/show", b.Get("/").Form("token", token), routestest.Htmx...)
		m := routestest.ShownToken.FindStringSubmatch(p.Body)
		if m == nil {
			t.Fatalf("the %s token is not shown:\n%s", token, p.Body)
		}
		if !s.Globus.Live(m[1]) {
			t.Errorf("what is shown is not the %s token", token)
		}
		secrets[token+" token"] = m[1]
	}
	for name, secret := range secrets {
		if strings.Contains(home.Body, secret) || strings.Contains(b.Get("/user").Body, secret) {
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
		s.Globus.Lie(lie)
		other := s.Browser()
		p := signIn(other)
		other.Send(http.MethodPost, "/logout", p.Form())
		s.Globus.Lie(globustest.Lie{})
	}
	b.Get("/login?code=canary-code&state=canary-state")
	b.Get("/canary-path?canary=query", "X-Forwarded-For", "canary")
	s.Browser().SignIn("deny")
	for _, fault := range []globustest.Fault{{}, {Status: 403, Body: `{"code":"ConsentRequired","message":"canary"}`}, {HangUp: true}} {
		s.Globus.Lie(globustest.Lie{Endpoints: map[string]globustest.Fault{globustest.TaskListPath: fault}})
		b.Get("/probe/tasks")
	}
	for _, lie := range []globustest.Lie{{RotateRefresh: true}, routestest.BrokenToken(globustest.Fault{Status: 500, Body: "canary"})} {
		s.Globus.Lie(lie)
		b.Send(http.MethodPost, "/tokens/refresh", b.Get("/").Form("server", globus.AuthServer))
	}
	s.Globus.Lie(globustest.Lie{})
	secrets["refreshed access token"] = routestest.ShownToken.FindStringSubmatch(b.Send(http.MethodPost, "/tokens/show", b.Get("/").Form("token", "access"), routestest.Htmx...).Body)[1]
	c.Pass(24 * time.Hour) // what who may enter is decided from is asked anew
	for _, path := range []string{"/", "/probe/tasks", "/probe/folder/" + routestest.Place(t, "Example Light Source").ID, "/probe/folder/" + routestest.Place(t, "Tape archive").ID} {
		b.Get(path)
	}
	maps.Copy(secrets, routestest.Personal())
	for _, event := range []string{"signed in", "signed out", "sign-in refused", "sign-in failed", "token refreshed", "token not refreshed", "tokens not revoked", "request"} {
		if len(s.LogLines(event)) == 0 {
			t.Errorf("%q was not logged, so its log proves nothing", event)
		}
	}
	secrets["what a stranger sent"] = "canary"
	for where, text := range map[string]string{"log": s.Log.String(), "metrics": s.MetricsPage()} {
		for name, secret := range secrets {
			if strings.Contains(text, secret) {
				t.Errorf("the %s: there is the %s", where, name)
			}
		}
	}
	delete(secrets, "what a stranger sent")
	for name, secret := range secrets {
		for _, file := range routestest.FilesWith(t, s.Dir, secret) {
			t.Errorf("%s has the %s", file, name)
		}
	}
	if !b.SignedIn() {
		t.Error("nobody is signed in, so the files prove nothing")
	}
}
