package globustest_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"example.org/portal/globus/globustest"
)

// Some faults the app never hears of: the emulator shows its own page.
func TestAuthorizeOwnErrorPage(t *testing.T) {
	tests := []struct {
		name  string
		query string
		want  string
	}{
		{"no client", with(request(), "client_id", "").Encode(), "Missing client_id parameter."},
		{"unknown client", with(request(), "client_id", "nobody").Encode(), "Invalid client_id parameter value."},
		{"client twice", request().Encode() + "&client_id=" + clientID, "Invalid client_id parameter value."},
		{"no redirect URI", with(request(), "redirect_uri", "").Encode(), "Mismatching redirect URI."},
		{"slash at its end", with(request(), "redirect_uri", redirectURI+"/").Encode(), "Mismatching redirect URI."},
		{"other case", with(request(), "redirect_uri", "http://LOCALHOST:8888/login").Encode(), "Mismatching redirect URI."},
		{"other host", with(request(), "redirect_uri", "http://127.0.0.1:8888/login").Encode(), "http://127.0.0.1:8888/login"},
		{"with a query", with(request(), "redirect_uri", redirectURI+"?a=b").Encode(), "Mismatching redirect URI."},
		{"another app's", with(request(), "client_id", "other", "redirect_uri", "https://app.example/cb?x=1").Encode(), "Mismatching redirect URI."},
		{"redirect URI twice", request().Encode() + "&redirect_uri=" + url.QueryEscape(redirectURI), "Mismatching redirect URI."},
		{"unknown scope", with(request(), "scope", "openid urn:nonsense").Encode(), "UNKNOWN_SCOPE_ERROR"},
		{"malformed query", request().Encode() + "&a=%zz", "Malformed query."},
		{"semicolon", request().Encode() + ";a=b", "Malformed query."},
	}
	f := newFlow(t, globustest.Config{})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := f.get(globustest.AuthorizePath + "?" + tt.query)
			if r.status != http.StatusBadRequest || !strings.Contains(r.body, tt.want) {
				t.Errorf("got %d %s, want 400 with %q", r.status, r.body, tt.want)
			}
			if got := r.header.Get("Location"); got != "" {
				t.Errorf("got Location %q, want none", got)
			}
		})
	}
}

// Everything else goes back to the app, by GET and by POST.
func TestAuthorizeErrorGoesBack(t *testing.T) {
	sum := request().Get("code_challenge")
	tests := []struct {
		name  string
		query string
		want  string
		state string
	}{
		{"no state", with(request(), "state", "").Encode(), "invalid_request", ""},
		{"state twice", request().Encode() + "&state=x", "invalid_request", ""},
		{"scope twice", request().Encode() + "&scope=email", "invalid_request", "the-state"},
		{"unknown parameter twice", request().Encode() + "&a=1&a=2", "invalid_request", "the-state"},
		{"no response_type", with(request(), "response_type", "").Encode(), "invalid_request", "the-state"},
		{"implicit", with(request(), "response_type", "token").Encode(), "unsupported_response_type", "the-state"},
		{"hybrid", with(request(), "response_type", "code id_token").Encode(), "unsupported_response_type", "the-state"},
		{"no scope", with(request(), "scope", "").Encode(), "invalid_scope", "the-state"},
		{"no challenge", with(request(), "code_challenge", "").Encode(), "invalid_request", "the-state"},
		{"no method", with(request(), "code_challenge_method", "").Encode(), "invalid_request", "the-state"},
		{"plain", with(request(), "code_challenge_method", "plain").Encode(), "invalid_request", "the-state"},
		{"short challenge", with(request(), "code_challenge", sum[1:]).Encode(), "invalid_request", "the-state"},
		{"padded challenge", with(request(), "code_challenge", sum+"=").Encode(), "invalid_request", "the-state"},
		{"line end after it", with(request(), "code_challenge", sum+"\n").Encode(), "invalid_request", "the-state"},
		{"other alphabet", with(request(), "code_challenge", "+"+sum[1:]).Encode(), "invalid_request", "the-state"},
		{"prompt=consent", with(request(), "prompt", "consent").Encode(), "invalid_request", "the-state"},
		{"access_type", with(request(), "access_type", "always").Encode(), "invalid_request", "the-state"},
		{"prompt=none", with(request(), "prompt", "none").Encode(), "login_required", "the-state"},
	}
	f := newFlow(t, globustest.Config{Strict: true})
	for _, tt := range tests {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			t.Run(tt.name+" "+method, func(t *testing.T) {
				q := f.back(f.send(method, globustest.AuthorizePath+"?"+tt.query, url.Values{"person": {"ada"}}))
				if q.Get("error") != tt.want || q.Get("error_description") == "" {
					t.Errorf("got %v, want error %q with a description", q, tt.want)
				}
				if q.Get("state") != tt.state {
					t.Errorf("got state %q, want %q", q.Get("state"), tt.state)
				}
				if q.Has("code") {
					t.Error("got a code with the error")
				}
			})
		}
	}
}

func TestChoosing(t *testing.T) {
	tests := []struct {
		name string
		form url.Values
		want string // error that the app gets; empty: a page
	}{
		{"refuses", url.Values{"deny": {"1"}}, "access_denied"},
		{"nobody", url.Values{}, ""},
		{"a stranger", url.Values{"person": {"mallory"}}, ""},
		{"two", url.Values{"person": {"ada", "rosalind"}}, ""},
		{"both", url.Values{"person": {"ada"}, "deny": {"1"}}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFlow(t, globustest.Config{})
			r := f.send(http.MethodPost, globustest.AuthorizePath+"?"+request().Encode(), tt.form)
			if tt.want == "" {
				if r.status != http.StatusBadRequest {
					t.Errorf("got %d, want 400", r.status)
				}
				return
			}
			if q := f.back(r); q.Get("error") != tt.want || q.Get("state") != "the-state" {
				t.Errorf("got %v, want %s", q, tt.want)
			}
		})
	}
}

// A redirect URI that has a query keeps it.
func TestRedirectURIWithQuery(t *testing.T) {
	f := newFlow(t, globustest.Config{})
	q := f.back(f.choose(with(request(), "redirect_uri", "https://app.example/cb?x=1"), "person", "ada"))
	if q.Get("x") != "1" || len(q.Get("code")) != 30 || q.Get("state") != "the-state" {
		t.Errorf("got %v, want x=1, state and a code of 30 characters", q)
	}
}

func TestSingleSignOn(t *testing.T) {
	f := newFlow(t, globustest.Config{})
	asks := func(r response) bool {
		return r.status == http.StatusOK && strings.Contains(r.body, "Choose who signs in")
	}

	if !asks(f.authorize(request())) {
		t.Fatal("a new browser is not asked")
	}
	f.code(request())
	for _, prompt := range []string{"", "none"} {
		if r := f.authorize(with(request(), "prompt", prompt)); f.back(r).Get("code") == "" {
			t.Errorf("prompt %q: got %v, want to pass straight through", prompt, r.header)
		}
	}
	if !asks(f.authorize(with(request(), "prompt", "login"))) {
		t.Error("prompt=login does not ask")
	}
	f.ForgetPeople()
	if !asks(f.authorize(request())) {
		t.Error("passes through after ForgetPeople")
	}

	f.code(request())
	u, _ := url.Parse(f.URL)
	old := f.browser.Jar.Cookies(u)
	f.get(globustest.LogoutPath)
	if got := f.browser.Jar.Cookies(u); len(got) != 0 {
		t.Errorf("got cookies %v after logout, want none", got)
	}
	f.browser.Jar.SetCookies(u, old)
	if !asks(f.authorize(request())) {
		t.Error("the old cookie still signs in after logout")
	}
}

func TestSessionCookie(t *testing.T) {
	f := newFlow(t, globustest.Config{})
	r := f.choose(request(), "person", "ada")
	got := r.header.Get("Set-Cookie")
	for _, want := range []string{"; Path=/", "; HttpOnly", "; SameSite=Lax"} {
		if !strings.Contains(got, want) {
			t.Errorf("got cookie %q, want %q in it", got, want)
		}
	}
}
