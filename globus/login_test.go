package globus_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"example.org/portal/globus"
	"example.org/portal/globus/globustest"
)

func TestAuthCodeURL(t *testing.T) {
	client, err := globus.New(globus.Config{ClientID: clientID, ClientSecret: clientSecret, RedirectURL: redirectURI})
	if err != nil {
		t.Fatal(err)
	}
	a := globus.NewAttempt()
	sum := sha256.Sum256([]byte(a.Verifier))
	want := url.Values{
		"response_type":         {"code"},
		"client_id":             {clientID},
		"redirect_uri":          {redirectURI},
		"scope":                 {"openid profile email " + transferScope},
		"state":                 {a.State},
		"nonce":                 {a.Nonce},
		"code_challenge":        {base64.RawURLEncoding.EncodeToString(sum[:])},
		"code_challenge_method": {"S256"},
		"access_type":           {"offline"},
	}
	prompted := maps.Clone(want)
	prompted.Set("prompt", "login")
	tests := []struct {
		name string
		opts []oauth2.AuthCodeOption
		want url.Values
	}{
		{"usual", nil, want},
		{"sign in as someone else", []oauth2.AuthCodeOption{globus.PromptLogin()}, prompted},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			u, err := url.Parse(client.AuthCodeURL(a, tt.opts...))
			if err != nil {
				t.Fatal(err)
			}
			if got, want := u.Scheme+"://"+u.Host+u.Path, "https://auth.globus.org/v2/oauth2/authorize"; got != want {
				t.Errorf("got %s, want %s", got, want)
			}
			if got := u.Query(); !maps.EqualFunc(got, tt.want, slices.Equal) {
				t.Errorf("got %v\nwant %v", got, tt.want)
			}
		})
	}
}

// The secrets of an attempt are fresh, hard to guess, and of the form that
// every provider takes.
func TestNewAttempt(t *testing.T) {
	form := regexp.MustCompile(`^[A-Za-z0-9_-]{26,43}$`) // 128 bits and more
	seen := map[string]bool{}
	for range 100 {
		a := globus.NewAttempt()
		for _, s := range []string{a.State, a.Nonce, a.Verifier} {
			if !form.MatchString(s) || seen[s] {
				t.Fatalf("got %q, want a fresh secret", s)
			}
			seen[s] = true
		}
		if len(a.Verifier) < 43 {
			t.Errorf("the verifier is shorter than RFC 7636 allows: %q", a.Verifier)
		}
	}
}

const campus = "0dc3a1f0-6f5b-4a43-9d0e-5b1f2f6a7c01"

func TestSignIn(t *testing.T) {
	rosalind := globus.Identity{
		Subject: "7a1c2e40-3b5d-4f6e-8a90-1920072501aa", Username: "rosalind@example.edu", Name: "Rosalind Franklin",
		Email: "rosalind@example.edu", Organization: "Example University", Provider: campus, ProviderName: "Example University",
	}
	tests := []struct {
		person     string
		want       globus.Identity // but for Linked
		wantLinked []string        // user names
	}{
		{"rosalind", rosalind, []string{"rosalind@example.edu"}},
		{
			"ada",
			globus.Identity{
				Subject: "7a1c2e40-3b5d-4f6e-8a90-1815121001aa", Username: "ada@example.edu", Name: "Ada Lovelace",
				Email: "ada@example.edu", Organization: "Example University", Provider: campus, ProviderName: "Example University",
			},
			[]string{
				"ada@example.edu", "0000-0001-2345-6789@orcid.org", "ada@globus.org@accounts.google.com",
				"ada@globusid.org", "lovelace@lab.example.org",
			},
		},
		{"sub-only", globus.Identity{Subject: "7a1c2e40-3b5d-4f6e-8a90-0000000001aa"}, nil},
		{
			"markup",
			globus.Identity{
				Subject: "7a1c2e40-3b5d-4f6e-8a90-2718281801aa", Username: "salma@example.org",
				Name:  "<script>alert(1)</script> & \"سلمى\" \u202eevil", // escaping is for pages to do
				Email: "salma+\"quoted\"@example.org", Organization: "O'Reilly & <b>Daughters</b>",
				Provider: "0dc3a1f0-6f5b-4a43-9d0e-5b1f2f6a7c04", ProviderName: "<i>Example Laboratory</i>",
			},
			[]string{"salma@example.org"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.person, func(t *testing.T) {
			f := newFlow(t)
			login, err := f.signIn(tt.person)
			if err != nil {
				t.Fatal(err)
			}
			checkIdentity(t, &login.Identity, tt.want, tt.wantLinked)
			f.checkTokens(login.Tokens)

			info, err := f.client.UserInfo(t.Context(), login.Tokens[globus.AuthServer].AccessToken)
			if err != nil {
				t.Fatal(err)
			}
			checkIdentity(t, info, tt.want, tt.wantLinked)
		})
	}
}

func checkIdentity(t *testing.T, got *globus.Identity, want globus.Identity, wantLinked []string) {
	t.Helper()
	var linked []string
	for _, l := range got.Linked {
		linked = append(linked, l.Username)
		if l.Subject == "" || l.Provider == "" || l.ProviderName == "" {
			t.Errorf("a linked identity lacks what everybody has: %+v", l)
		}
	}
	if !slices.Equal(linked, wantLinked) {
		t.Errorf("got linked identities %q, want %q", linked, wantLinked)
	}
	alone := *got
	alone.Linked = nil
	gotJSON, _ := json.Marshal(alone)
	wantJSON, _ := json.Marshal(want)
	if string(gotJSON) != string(wantJSON) {
		t.Errorf("got  %s\nwant %s", gotJSON, wantJSON)
	}
}

// checkTokens wants two live tokens, each at its own resource server.
func (f *flow) checkTokens(got globus.Tokens) {
	f.Helper()
	want := map[string][]string{
		globus.AuthServer:     {"email", "openid", "profile"},
		globus.TransferServer: {transferScope},
	}
	if len(got) != len(want) {
		f.Fatalf("got tokens for %v, want %v", slices.Collect(maps.Keys(got)), slices.Collect(maps.Keys(want)))
	}
	seen := map[string]bool{}
	for server, scopes := range want {
		token := got[server]
		if gotScopes := slices.Sorted(slices.Values(token.Scopes)); !slices.Equal(gotScopes, scopes) {
			f.Errorf("%s: got scopes %q, want %q", server, gotScopes, scopes)
		}
		if want := f.clock.Now().Add(48 * time.Hour); !token.Expiry.Equal(want) {
			f.Errorf("%s: got expiry %s, want %s", server, token.Expiry, want)
		}
		for _, secret := range []string{token.AccessToken, token.RefreshToken} {
			if !f.auth.Live(secret) || seen[secret] {
				f.Errorf("%s: got %q, want a live token of its own", server, secret)
			}
			seen[secret] = true
		}
		if o := token.OAuth2(); o.Type() != "Bearer" || o.AccessToken != token.AccessToken || o.RefreshToken != token.RefreshToken || !o.Expiry.Equal(token.Expiry) {
			f.Errorf("%s: OAuth2() is another token", server)
		}
	}
}

// The code is good once, and only with the verifier and the secret that belong
// to it.
func TestExchangeRefused(t *testing.T) {
	tests := []struct {
		name     string
		code     func(string) string
		attempt  func(*globus.Attempt)
		wantCode string
	}{
		{"unknown code", func(string) string { return "canary-code" }, nil, "invalid_grant"},
		{"no code", func(string) string { return "" }, nil, "invalid_grant"},
		{"verifier of another attempt", nil, func(a *globus.Attempt) { a.Verifier = oauth2.GenerateVerifier() }, "invalid_grant"},
		{"no verifier", nil, func(a *globus.Attempt) { a.Verifier = "" }, "invalid_grant"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFlow(t)
			a := globus.NewAttempt()
			code := f.back(a, "rosalind").Get("code")
			if tt.code != nil {
				code = tt.code(code)
			}
			if tt.attempt != nil {
				tt.attempt(&a)
			}
			_, err := f.client.Exchange(t.Context(), code, a)
			if e := asError(t, err); e.Call != "token" || e.Reason != globus.Refused || e.Code != tt.wantCode || !globus.IsInvalidGrant(err) {
				t.Errorf("got %v, want token refused with %s", err, tt.wantCode)
			}
			f.checkTellsNothing(err, code)
			if got := f.auth.Requests(globustest.TokenPath); got != 1 {
				t.Errorf("got %d token requests, want 1", got)
			}
		})
	}
}

func TestExchangeTwice(t *testing.T) {
	f := newFlow(t)
	a := globus.NewAttempt()
	code := f.back(a, "rosalind").Get("code")
	if _, err := f.client.Exchange(t.Context(), code, a); err != nil {
		t.Fatal(err)
	}
	if _, err := f.client.Exchange(t.Context(), code, a); !globus.IsInvalidGrant(err) {
		t.Errorf("again: got %v, want invalid_grant", err)
	}
}

// Empty equals empty: an attempt that was never made fits no answer.
func TestExchangeWithoutNonce(t *testing.T) {
	f := newFlow(t)
	f.auth.Lie(globustest.Lie{Claims: globustest.Edit{Drop: []string{"nonce"}}})
	a := globus.NewAttempt()
	code := f.back(a, "rosalind").Get("code")
	a.Nonce = ""
	_, err := f.client.Exchange(t.Context(), code, a)
	if e := asError(t, err); e.Reason != globus.BadIDToken {
		t.Errorf("got %v, want a bad ID token", err)
	}
}

// A secret goes over the wire as it is, whatever is in it: newFlow's has what
// forms and HTTP Basic escape. Here is where it must not go.
func TestSecretStaysInBody(t *testing.T) {
	f := newFlow(t)
	transport := roundTripFunc(func(r *http.Request) (*http.Response, error) {
		if r.Header.Get("Authorization") != "" || strings.Contains(r.URL.String(), "canary") {
			t.Errorf("%s %s carries the secret outside its body", r.Method, r.URL)
		}
		return f.wire.RoundTrip(r)
	})
	client := f.newClient(globus.Config{Transport: transport})
	login, err := f.exchange(t.Context(), client, "rosalind")
	if err != nil {
		t.Fatal(err)
	}
	if err := client.RevokeAll(t.Context(), login.Tokens); err != nil {
		t.Error(err)
	}
}

type roundTripFunc func(*http.Request) (*http.Response, error)

func (f roundTripFunc) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// Only the scopes that are asked for come, and tokens with them; without
// openid there is no client at all.
func TestScopes(t *testing.T) {
	f := newFlow(t)
	f.client = f.newClient(globus.Config{Scopes: []string{"openid"}})
	login := f.mustSignIn()
	if len(login.Tokens) != 1 || login.Identity.Name != "" || login.Identity.Subject == "" {
		t.Errorf("got %d tokens and %+v, want one and the subject alone", len(login.Tokens), login.Identity)
	}
}
