package globustest_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"example.org/portal/globus/globustest"
)

func TestTokenRefusals(t *testing.T) {
	const wrong = "another-verifier-that-has-more-than-43-characters"
	tests := []struct {
		name       string
		change     func(url.Values)
		wait       time.Duration
		wantStatus int
		want       string
	}{
		{"no secret", func(v url.Values) { v.Del("client_secret") }, 0, 401, "invalid_client"},
		{"wrong secret", func(v url.Values) { v.Set("client_secret", "x") }, 0, 401, "invalid_client"},
		{"unknown client", func(v url.Values) { v.Set("client_id", "x") }, 0, 401, "invalid_client"},
		{"no client", func(v url.Values) { v.Del("client_id") }, 0, 401, "invalid_client"},
		{"another client", func(v url.Values) { with(v, "client_id", "other", "client_secret", "other-secret") }, 0, 400, "invalid_grant"},
		{"no code", func(v url.Values) { v.Del("code") }, 0, 400, "invalid_grant"},
		{"wrong code", func(v url.Values) { v.Set("code", "x") }, 0, 400, "invalid_grant"},
		{"no redirect_uri", func(v url.Values) { v.Del("redirect_uri") }, 0, 400, "invalid_grant"},
		{"another redirect_uri", func(v url.Values) { v.Set("redirect_uri", "https://app.example/cb?x=1") }, 0, 400, "invalid_grant"},
		{"no verifier", func(v url.Values) { v.Del("code_verifier") }, 0, 400, "invalid_grant"},
		{"wrong verifier", func(v url.Values) { v.Set("code_verifier", wrong) }, 0, 400, "invalid_grant"},
		{"the challenge as verifier", func(v url.Values) { v.Set("code_verifier", request().Get("code_challenge")) }, 0, 400, "invalid_grant"},
		{"code too old", func(url.Values) {}, time.Minute, 400, "invalid_grant"},
		{"no grant_type", func(v url.Values) { v.Del("grant_type") }, 0, 400, "invalid_request"},
		{"password", func(v url.Values) { v.Set("grant_type", "password") }, 0, 400, "unsupported_grant_type"},
		{"parameter twice", func(v url.Values) { v.Add("code", v.Get("code")) }, 0, 400, "invalid_request"},
		{"fine", func(url.Values) {}, time.Minute - 1, 200, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFlow(t, globustest.Config{})
			form := exchange(f.code(request()))
			tt.change(form)
			f.clock.add(tt.wait)
			r := f.token(form)
			if r.status != tt.wantStatus || str(r.json["error"]) != tt.want {
				t.Errorf("got %d %s, want %d %s", r.status, r.body, tt.wantStatus, tt.want)
			}
			if got := f.LiveTokens() > 0; got != (tt.want == "") {
				t.Errorf("got live tokens: %t", got)
			}
		})
	}
}

// A verifier outside RFC 7636 is refused even when its hash fits.
func TestVerifierForm(t *testing.T) {
	const short, challenge = "abc", "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0" // SHA-256
	f := newFlow(t, globustest.Config{})
	code := f.code(with(request(), "code_challenge", challenge))
	if r := f.token(with(exchange(code), "code_verifier", short)); r.status != 400 {
		t.Errorf("got %d, want 400", r.status)
	}
}

func TestTokenRequestForm(t *testing.T) {
	tests := []struct {
		name, path, contentType, auth, body string
		wantStatus                          int
		want                                string
	}{
		{"JSON", "", "application/json", "", `{"grant_type":"x"}`, 400, "invalid_request"},
		{"no type", "", "", "", "grant_type=x", 400, "invalid_request"},
		{"in the URL", "?grant_type=x", "application/x-www-form-urlencoded", "", "", 400, "invalid_request"},
		{"malformed", "", "application/x-www-form-urlencoded", "", "a=%zz", 400, "invalid_request"},
		{"too long", "", "application/x-www-form-urlencoded", "", "a=" + strings.Repeat("x", 64<<10), 400, "invalid_request"},
		{"Basic", "", "application/x-www-form-urlencoded", secret, "grant_type=x", 400, "unsupported_grant_type"},
		{"wrong Basic", "", "application/x-www-form-urlencoded", "x", "grant_type=x", 401, "invalid_client"},
		{"both", "", "application/x-www-form-urlencoded", secret, "grant_type=x&client_id=" + clientID, 400, "invalid_request"},
	}
	f := newFlow(t, globustest.Config{Strict: true})
	for _, path := range []string{globustest.TokenPath, globustest.RevokePath} {
		for _, tt := range tests {
			t.Run(path+" "+tt.name, func(t *testing.T) {
				req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, f.URL+path+tt.path, strings.NewReader(tt.body))
				if err != nil {
					t.Fatal(err)
				}
				if tt.contentType != "" {
					req.Header.Set("Content-Type", tt.contentType)
				}
				if tt.auth != "" {
					req.SetBasicAuth(clientID, tt.auth)
				}
				want := tt.want
				if path == globustest.RevokePath && want == "unsupported_grant_type" {
					want = "invalid_request" // the token is missing
				}
				r := f.do(req)
				if r.status != tt.wantStatus || r.json["error"] != want {
					t.Errorf("got %d %s, want %d %s", r.status, r.body, tt.wantStatus, want)
				}
			})
		}
	}
}

func TestCodeReuseEndsItsTokens(t *testing.T) {
	f := newFlow(t, globustest.Config{})
	bystander := f.signIn(request())
	code := f.code(request())
	first := f.token(exchange(code)).json
	refreshed := f.token(refresh(str(first["refresh_token"]))).json
	if r := f.token(exchange(code)); r.status != 400 || r.json["error"] != "invalid_grant" {
		t.Errorf("second use: got %d %s, want invalid_grant", r.status, r.body)
	}
	for _, token := range append(secrets(first), str(refreshed["access_token"])) {
		if f.Live(token) {
			t.Error("a token of the code lives on")
		}
	}
	for _, token := range secrets(bystander) {
		if !f.Live(token) {
			t.Error("a token of another sign-in died")
		}
	}
}

// A code whose exchange failed is spent too.
func TestFailedExchangeSpendsTheCode(t *testing.T) {
	f := newFlow(t, globustest.Config{})
	code := f.code(request())
	f.token(with(exchange(code), "code_verifier", ""))
	if r := f.token(exchange(code)); r.status != 400 {
		t.Errorf("got %d, want 400", r.status)
	}
}

func TestTwoExchangesAtOnce(t *testing.T) {
	f := newFlow(t, globustest.Config{})
	form := exchange(f.code(request()))
	var wg sync.WaitGroup
	statuses := make([]int, 8)
	for i := range statuses {
		wg.Go(func() {
			res, err := http.PostForm(f.URL+globustest.TokenPath, form)
			if err != nil {
				t.Error(err)
				return
			}
			res.Body.Close()
			statuses[i] = res.StatusCode
		})
	}
	wg.Wait()
	granted := 0
	for _, status := range statuses {
		if status == http.StatusOK {
			granted++
		}
	}
	if granted != 1 || f.LiveTokens() != 0 {
		t.Errorf("got %d granted and %d tokens live, want 1 and 0", granted, f.LiveTokens())
	}
	if got := f.Requests(globustest.TokenPath); got != len(statuses) {
		t.Errorf("got %d requests counted, want %d", got, len(statuses))
	}
}

func TestTokenAnswer(t *testing.T) {
	tests := []struct {
		name        string
		scope       string
		accessType  string
		wantServers []string // of the top and of other_tokens
		wantID      bool
		wantRefresh bool
	}{
		{"offline", "email openid " + transferScope, "offline", []string{"auth.globus.org", "transfer.api.globus.org"}, true, true},
		{"online", "openid " + transferScope, "online", []string{"auth.globus.org", "transfer.api.globus.org"}, true, false},
		{"default", groupsScope + " openid " + transferScope, "", []string{"auth.globus.org", "groups.api.globus.org", "transfer.api.globus.org"}, true, false},
		{"openid alone", "openid", "", []string{"auth.globus.org"}, true, false},
		{"without openid", "profile " + transferScope, "offline", []string{"transfer.api.globus.org", "auth.globus.org"}, false, true},
	}
	form := regexp.MustCompile(`^Ag[A-Za-z0-9]{88}$`)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFlow(t, globustest.Config{})
			top := f.signIn(with(request(), "scope", tt.scope, "access_type", tt.accessType))
			if _, ok := top["other_tokens"].([]any); !ok {
				t.Errorf("got other_tokens %v, want a list", top["other_tokens"])
			}
			if got := top["id_token"] != nil; got != tt.wantID {
				t.Errorf("got an ID token: %t, want %t", got, tt.wantID)
			}
			all := append([]map[string]any{top}, others(top)...)
			if len(all) != len(tt.wantServers) {
				t.Fatalf("got %d tokens, want %d", len(all), len(tt.wantServers))
			}
			for i, one := range all {
				if one["resource_server"] != tt.wantServers[i] || one["token_type"] != "Bearer" ||
					one["expires_in"] != 172800.0 || one["state"] != "the-state" {
					t.Errorf("got %v, want a Bearer token for %s, 172800 s, with the state", one, tt.wantServers[i])
				}
				if !form.MatchString(str(one["access_token"])) {
					t.Errorf("got access token %v", one["access_token"])
				}
				if got := form.MatchString(str(one["refresh_token"])); got != tt.wantRefresh {
					t.Errorf("got a refresh token: %t, want %t", got, tt.wantRefresh)
				}
			}
		})
	}
}

func refresh(token string) url.Values {
	return url.Values{
		"grant_type":    {"refresh_token"},
		"client_id":     {clientID},
		"client_secret": {secret},
		"refresh_token": {token},
	}
}

// secrets lists every access and refresh token of an answer.
func secrets(granted map[string]any) []string {
	var all []string
	for _, one := range append([]map[string]any{granted}, others(granted)...) {
		for _, name := range []string{"access_token", "refresh_token"} {
			if s := str(one[name]); s != "" {
				all = append(all, s)
			}
		}
	}
	return all
}

func TestRefresh(t *testing.T) {
	f := newFlow(t, globustest.Config{Strict: true})
	top := f.signIn(request())
	transfer := others(top)[0]
	r := f.token(refresh(str(transfer["refresh_token"])))
	got := r.json
	if got["resource_server"] != "transfer.api.globus.org" || got["scope"] != transferScope ||
		got["refresh_token"] != transfer["refresh_token"] || got["access_token"] == transfer["access_token"] {
		t.Errorf("got %v, want another access token for transfer, the same refresh token", got)
	}
	if list, ok := got["other_tokens"].([]any); !ok || len(list) != 0 || got["state"] != nil || got["id_token"] != nil {
		t.Errorf("got %v, want other_tokens [], no state and no ID token", got)
	}
	refusals := []struct {
		name string
		form url.Values
		want string
	}{
		{"an access token", refresh(str(top["access_token"])), "invalid_grant"},
		{"none", refresh(""), "invalid_grant"},
		{"another client", with(refresh(str(top["refresh_token"])), "client_id", "other", "client_secret", "other-secret"), "invalid_grant"},
		{"a scope", with(refresh(str(top["refresh_token"])), "scope", "openid"), "invalid_scope"},
	}
	for _, tt := range refusals {
		if r := f.token(tt.form); r.status == 200 || r.json["error"] != tt.want {
			t.Errorf("%s: got %d %s, want %s", tt.name, r.status, r.body, tt.want)
		}
	}

	f.clock.add(48 * time.Hour)
	if f.Live(str(top["access_token"])) || !f.Live(str(top["refresh_token"])) {
		t.Error("after 48 h the access token must be dead, and the refresh token alive")
	}
}

func TestRevoke(t *testing.T) {
	f := newFlow(t, globustest.Config{})
	top := f.signIn(request())
	live := f.LiveTokens()
	revoke := func(client, clientSecret, token string) response {
		return f.send(http.MethodPost, globustest.RevokePath,
			url.Values{"client_id": {client}, "client_secret": {clientSecret}, "token": {token}})
	}
	if r := revoke(clientID, "wrong", str(top["access_token"])); r.status != 401 || r.json["error"] != "invalid_client" {
		t.Errorf("got %d %s, want invalid_client", r.status, r.body)
	}
	tests := []struct {
		name, client, secret, token string
		wantLive                    int
	}{
		{"unknown", clientID, secret, "x", live},
		{"by another app", "other", "other-secret", str(top["access_token"]), live},
		{"access", clientID, secret, str(top["access_token"]), live - 1},
		{"again", clientID, secret, str(top["access_token"]), live - 1},
		{"refresh", clientID, secret, str(top["refresh_token"]), live - 2},
	}
	for _, tt := range tests {
		r := revoke(tt.client, tt.secret, tt.token)
		if r.status != 200 || r.body != `{"active":false}` {
			t.Errorf("%s: got %d %s, want 200 and inactive", tt.name, r.status, r.body)
		}
		if got := f.LiveTokens(); got != tt.wantLive {
			t.Errorf("%s: got %d tokens live, want %d", tt.name, got, tt.wantLive)
		}
	}
	if f.Live(str(top["access_token"])) || f.userInfo(str(top["access_token"])).status != 401 {
		t.Error("a revoked token is still accepted")
	}
}
