package globus_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/oauth2"

	"example.org/portal/globus"
	"example.org/portal/globus/globustest"
)

// tokens signs a person in and returns their tokens.
func (f *flow) tokens(person string) globus.Tokens {
	f.Helper()
	login, err := f.signIn(person)
	if err != nil {
		f.Fatal(err)
	}
	return login.Tokens
}

func TestRefresh(t *testing.T) {
	set := func(name string, value any) globustest.Lie {
		return globustest.Lie{Refresh: globustest.Edit{Set: map[string]any{name: value}}}
	}
	tests := []struct {
		name       string
		lie        globustest.Lie
		wantReason globus.Reason // "" for success
	}{
		{"the truth", globustest.Lie{}, ""},
		{"a refresh token that rotates", globustest.Lie{RotateRefresh: true}, ""},
		{"no refresh token", globustest.Lie{Refresh: globustest.Edit{Drop: []string{"refresh_token"}}}, ""},
		{"no resource server", globustest.Lie{Refresh: globustest.Edit{Drop: []string{"resource_server"}}}, ""},
		{"another resource server", set("resource_server", "groups.api.globus.org"), globus.Malformed},
		{"no lifetime", set("expires_in", 0), ""},
		{"another type", set("token_type", "DPoP"), globus.Malformed},
		{"the type in other letters", set("token_type", "bEARER"), ""},
		{"a token with a line break", set("access_token", "canary\r\nX: y"), globus.Malformed},
		{"down", globustest.Lie{Endpoints: map[string]globustest.Fault{globustest.TokenPath: {Status: 500}}}, globus.BadStatus},
		{"refused", globustest.Lie{Endpoints: map[string]globustest.Fault{globustest.TokenPath: {Status: 401, Body: `{"error":"invalid_grant"}`}}}, globus.Refused},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := newFlow(t)
			old := f.tokens("rosalind")[globus.TransferServer]
			f.auth.Lie(test.lie)
			before := f.auth.Requests(globustest.TokenPath)
			fresh, err := f.client.Refresh(t.Context(), globus.TransferServer, old, "")
			if got := f.auth.Requests(globustest.TokenPath) - before; got != 1 {
				t.Errorf("%d requests, want 1", got)
			}
			if test.wantReason != "" {
				if e, ok := errors.AsType[*globus.Error](err); !ok || e.Reason != test.wantReason || e.Call != "refresh" {
					t.Errorf("got %v, want a refresh that fails by %s", err, test.wantReason)
				}
				return
			}
			if err != nil || fresh.AccessToken == old.AccessToken || !f.auth.Live(fresh.AccessToken) || fresh.RefreshToken == "" {
				t.Fatalf("got %v, want a live token", err)
			}
			if rotated := fresh.RefreshToken != old.RefreshToken; rotated != test.lie.RotateRefresh {
				t.Errorf("the refresh token changed: %t", rotated)
			}
			if _, err := f.client.Refresh(t.Context(), globus.TransferServer, fresh, ""); err != nil {
				t.Errorf("a second refresh: %v", err)
			}
		})
	}
	t.Run("nothing to refresh with", func(t *testing.T) {
		f := newFlow(t)
		if _, err := f.client.Refresh(t.Context(), globus.TransferServer, globus.Token{AccessToken: "x"}, ""); !errors.Is(err, globus.ErrNoToken) {
			t.Errorf("got %v, want ErrNoToken", err)
		}
	})
}

// An ID token that comes with a refresh must be one of this app, and about the
// token's owner. If it is not, what came with it is revoked.
func TestRefreshIDToken(t *testing.T) {
	rosalind := func(l globus.Login) string { return l.Identity.Subject }
	unknown := func(globus.Login) string { return "" }
	tests := []struct {
		name    string
		lie     globustest.Lie
		subject func(globus.Login) string
		want    globus.Reason // "" for success
	}{
		{"good", globustest.Lie{}, rosalind, ""},
		{"good, of whomever", globustest.Lie{}, unknown, ""},
		{"with a nonce", claim("nonce", "canary"), rosalind, ""}, // that of the sign-in was not kept
		{"another subject", claim("sub", "canary"), rosalind, globus.BadIDToken},
		{"no subject", noClaim("sub"), unknown, globus.BadIDToken},
		{"another issuer", claim("iss", "https://canary.example"), rosalind, globus.BadIDToken},
		{"another audience", claim("aud", "canary"), rosalind, globus.BadIDToken},
		{"another authorized party", claim("azp", "canary"), rosalind, globus.BadIDToken},
		{"of another access token", claim("at_hash", "canary"), unknown, globus.BadIDToken},
		{"a bad signature", signed(globustest.BrokenSignature), rosalind, globus.BadIDToken},
		{"no text", globustest.Lie{Refresh: set("id_token", 7)}, rosalind, globus.BadIDToken},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := newFlow(t)
			login := f.mustSignIn()
			test.lie.RefreshIDToken = true
			f.auth.Lie(test.lie)
			live := f.auth.LiveTokens()
			_, err := f.client.Refresh(t.Context(), globus.AuthServer, login.Tokens[globus.AuthServer], test.subject(*login))
			if test.want == "" {
				if err != nil || f.auth.LiveTokens() != live+1 {
					t.Errorf("got %v and %d more live tokens, want one", err, f.auth.LiveTokens()-live)
				}
				return
			}
			if e := asError(t, err); e.Call != "refresh" || e.Reason != test.want {
				t.Errorf("got %v, want a refresh that fails by %s", err, test.want)
			}
			f.checkTellsNothing(err, "canary")
			if got := f.auth.LiveTokens(); got != live-1 {
				t.Errorf("%d tokens are live, want %d: the new one and the refresh token revoked", got, live-1)
			}
		})
	}
	t.Run("keys down", func(t *testing.T) {
		f := newFlow(t)
		login := f.mustSignIn()
		f.client = f.newClient(globus.Config{}) // which has no keys yet
		lie := fault(globustest.KeysPath, globustest.Fault{Status: 503})
		lie.RefreshIDToken = true
		f.auth.Lie(lie)
		old := login.Tokens[globus.AuthServer]
		_, err := f.client.Refresh(t.Context(), globus.AuthServer, old, login.Identity.Subject)
		if e := asError(t, err); e.Call != "refresh" || e.Reason != globus.BadStatus || !f.auth.Live(old.RefreshToken) {
			t.Errorf("got %v, refresh token live: %t; want a bad status, and that it lives", err, f.auth.Live(old.RefreshToken))
		}
	})
}

// TestSource: whoever asks gets a good token, and Globus is asked once.
func TestSource(t *testing.T) {
	f := newFlow(t)
	tokens := f.tokens("rosalind")
	var saved []globus.Token
	source := f.client.Source(tokens, globus.TransferServer, func(t globus.Token) error {
		saved = append(saved, t)
		return nil
	})
	var _ oauth2.TokenSource = source

	first, err := source.Fresh(t.Context(), "")
	if err != nil || first.AccessToken != tokens[globus.TransferServer].AccessToken || len(saved) != 0 {
		t.Errorf("got another token, %v, though the first is good", err)
	}
	f.clock.add(48*time.Hour - 30*time.Second)
	var wg sync.WaitGroup
	for range 100 {
		wg.Go(func() {
			if got, err := source.Token(); err != nil || !f.auth.Live(got.AccessToken) {
				t.Errorf("got %v, want a live token", err)
			}
		})
	}
	wg.Wait()
	if got := f.auth.Refreshes(globus.TransferServer); got != 1 || len(saved) != 1 {
		t.Errorf("%d refreshes, %d saved, want one", got, len(saved))
	}

	good := saved[0].AccessToken
	if got, err := source.Fresh(t.Context(), good); err != nil || got.AccessToken == good {
		t.Errorf("a token that was refused is given again, %v", err)
	}

	f.auth.ExpireRefreshTokens("")
	f.clock.add(48 * time.Hour)
	if _, err := source.Fresh(t.Context(), ""); !globus.IsInvalidGrant(err) {
		t.Errorf("got %v, want invalid_grant", err)
	}

	wait := make(chan struct{})
	defer close(wait)
	f.auth.Lie(globustest.Lie{Endpoints: map[string]globustest.Fault{globustest.TokenPath: {Wait: wait}}})
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if _, err := source.Fresh(ctx, ""); err == nil {
		t.Error("a cancelled caller waits on")
	}
}

// What panics in what a program hands to a Source, or to a Client, is an error, and
// does not end the process.
func TestSourcePanics(t *testing.T) {
	f := newFlow(t)
	tokens := f.tokens("rosalind")
	f.clock.add(48 * time.Hour)
	source := f.client.Source(tokens, globus.TransferServer, func(globus.Token) error { panic("canary") })
	if _, err := source.Fresh(t.Context(), ""); err == nil || strings.Contains(err.Error(), "canary") {
		t.Errorf("save: got %v, want an error that says where, and not what", err)
	}
	if got, err := source.Fresh(t.Context(), ""); err != nil || !f.auth.Live(got.AccessToken) {
		t.Errorf("got %v, want the token all the same", err)
	}
	client := f.newClient(globus.Config{Transport: roundTripFunc(func(*http.Request) (*http.Response, error) { panic("canary") })})
	if _, err := client.Source(tokens, globus.TransferServer, nil).Fresh(t.Context(), ""); err == nil {
		t.Error("refresh: got no error")
	}
	if err := client.RevokeAll(t.Context(), tokens); err == nil {
		t.Error("revoke: got no error")
	}
}

func TestSourceSaveFails(t *testing.T) {
	f := newFlow(t)
	full := errors.New("disk full")
	source := f.client.Source(f.tokens("rosalind"), globus.TransferServer, func(globus.Token) error { return full })
	f.clock.add(48 * time.Hour)
	if _, err := source.Fresh(t.Context(), ""); !errors.Is(err, full) {
		t.Errorf("got %v, want that it was not saved", err)
	}
	if got, err := source.Fresh(t.Context(), ""); err != nil || !f.auth.Live(got.AccessToken) {
		t.Errorf("got %v, want the token all the same", err)
	}
}
