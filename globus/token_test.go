package globus_test

import (
	"strings"
	"testing"
	"time"

	"example.org/portal/globus"
	"example.org/portal/globus/globustest"
)

// other is an element of other_tokens, changed by pairs of name and value; nil
// removes a member.
func other(pairs ...any) map[string]any {
	t := map[string]any{
		"access_token":    "canary-access",
		"refresh_token":   "canary-refresh",
		"token_type":      "Bearer",
		"expires_in":      3600,
		"resource_server": "groups.api.globus.org",
		"scope":           "a b",
		"state":           "any",
	}
	for i := 0; i < len(pairs); i += 2 {
		t[pairs[i].(string)] = pairs[i+1]
		if pairs[i+1] == nil {
			delete(t, pairs[i].(string))
		}
	}
	return t
}

func others(list ...map[string]any) globustest.Lie { return answer("other_tokens", list) }

func noMember(name string) globustest.Lie { return globustest.Lie{Token: drop(name)} }

// TestTokenAnswer: what must not be taken for wrong with the answer of the token
// endpoint. What is wrong is in refusals.
func TestTokenAnswer(t *testing.T) {
	many := make([]map[string]any, 51)
	for i := range many {
		many[i] = other("resource_server", strings.Repeat("s", i+1))
	}
	tests := []struct {
		name string
		lie  globustest.Lie
	}{
		{"token_type bEARER", answer("token_type", "bEARER")},
		{"token_type missing", noMember("token_type")},
		{"token_type null", answer("token_type", nil)},
		{"expires_in 1", answer("expires_in", 1)},
		{"expires_in 30 days", answer("expires_in", 30*24*3600)},
		{"expires_in a number in text", answer("expires_in", "3600")}, // x/oauth2 reads it so
		{"expires_in 30 days and 1 s", answer("expires_in", 30*24*3600+1)},
		{"expires_in missing", noMember("expires_in")},
		{"expires_in null", answer("expires_in", nil)},
		{"expires_in 0", answer("expires_in", 0)},
		{"expires_in negative", answer("expires_in", -1)},
		{"expires_in nanoseconds", answer("expires_in", raw("172800000000000"))},
		{"refresh_token missing", noMember("refresh_token")},
		{"refresh_token null", answer("refresh_token", nil)},
		{"scope missing", noMember("scope")},
		{"resource_server missing", noMember("resource_server")},
		{"resource_server empty", answer("resource_server", "")},
		{"resource_server a number", answer("resource_server", 7)},
		{"state of another attempt", answer("state", "canary-state")},
		{"state empty", answer("state", "")},
		{"state missing", noMember("state")}, // OAuth does not have it here
		{"state null", answer("state", nil)},
		{"other_tokens missing", noMember("other_tokens")},
		{"other_tokens null", answer("other_tokens", nil)},
		{"other_tokens empty", others()},
		{"other_tokens", others(other())},
		{"other_tokens of 51", others(many...)},
		{"other_tokens text", answer("other_tokens", "canary")},
		{"other_tokens an object", answer("other_tokens", other())},
		{"other_tokens of text", answer("other_tokens", []string{"canary"})},
		{"other_tokens of null", answer("other_tokens", []any{nil})},
		{"other_tokens, two for one server", others(other(), other("access_token", "canary-2"))},
		{"other_tokens, one for the top's server", others(other("resource_server", globus.AuthServer))},
		{"other_tokens, no resource_server", others(other("resource_server", nil))},
		{"other_tokens, no access_token", others(other("access_token", nil))},
		{"other_tokens, access_token that ends a header", others(other("access_token", "canary\r\n"))},
		{"other_tokens, no refresh_token", others(other("refresh_token", nil))},
		{"other_tokens, DPoP", others(other("token_type", "DPoP"))},
		{"other_tokens, bearer", others(other("token_type", "bearer"))},
		{"other_tokens, no expires_in", others(other("expires_in", nil))},
		{"other_tokens, expires_in negative", others(other("expires_in", -1))},
		{"other_tokens, expires_in text", others(other("expires_in", "canary"))},
		{"an unknown member", answer("canary", []int{1})},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFlow(t)
			f.auth.Lie(tt.lie)
			f.mustSignIn()
		})
	}
}

// Tokens that the app will not use do not live on, whatever is wrong with the
// answer that brought them.
func TestTokenAnswerDiscarded(t *testing.T) {
	f := newFlow(t)
	f.auth.Lie(answer("token_type", "DPoP"))
	login, err := f.signIn("rosalind")
	f.checkOutcome(login, err, globus.Malformed)
}

// What the protocol lets out, or does not know, has a value that does no harm.
func TestTokenAnswerLacks(t *testing.T) {
	const transfer = "transfer.example"
	hour, month := time.Hour, 30*24*time.Hour
	tests := []struct {
		name   string
		lie    globustest.Lie
		server string
		want   time.Duration // until the token ends; 0: there is none
	}{
		{"no expires_in: as the ID token", globustest.Lie{Token: drop("expires_in"), Claims: set("exp", 1_800_007_200)}, globus.AuthServer, 2 * hour},
		{"of another token: as the ID token", others(other("resource_server", transfer, "expires_in", nil)), transfer, 48 * hour},
		{"expires_in 0", others(other("resource_server", transfer, "expires_in", 0)), transfer, 48 * hour},
		{"no expires_in, and an ID token for centuries", globustest.Lie{Token: drop("expires_in"), Claims: set("exp", 180_000_000_000)}, globus.AuthServer, month},
		{"expires_in of years", others(other("resource_server", transfer, "expires_in", 1e9)), transfer, month},
		{"no token_type", others(other("resource_server", transfer, "token_type", nil)), transfer, hour},
		{"no resource_server at the top", noMember("resource_server"), globus.AuthServer, 48 * hour},
		{"one that cannot stand in a header, beside a good one", others(other("access_token", "a\r\nb", "resource_server", "x"), other("resource_server", transfer)), transfer, hour},
		{"that one", others(other("access_token", "a\r\nb", "resource_server", transfer)), transfer, 0},
		{"of a type that is not spoken", others(other("token_type", "DPoP", "resource_server", transfer)), transfer, 0},
		{"of two for one server, the first", others(other("resource_server", transfer, "expires_in", 60), other("resource_server", transfer)), transfer, time.Minute},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFlow(t)
			f.auth.Lie(tt.lie)
			token, ok := f.mustSignIn().Tokens[tt.server]
			if ok != (tt.want != 0) || ok && token.Expiry.Sub(f.clock.Now()).Round(time.Minute) != tt.want.Round(time.Minute) {
				t.Errorf("got %+v, want it to last %s", token, tt.want)
			}
		})
	}
}

// Only the name of the resource server tells tokens apart, not their place.
func TestTokensByResourceServer(t *testing.T) {
	f := newFlow(t)
	f.auth.Lie(others(other("resource_server", "b.example"), other("resource_server", "a.example", "access_token", "canary-a", "expires_in", 60)))
	login := f.mustSignIn()
	if len(login.Tokens) != 3 {
		t.Errorf("got %d tokens, want 3", len(login.Tokens))
	}
	a := login.Tokens["a.example"]
	if a.AccessToken != "canary-a" || !a.Expiry.Equal(f.clock.Now().Add(time.Minute)) || len(a.Scopes) != 2 {
		t.Errorf("got %+v", a)
	}
}

func TestTokensWithout(t *testing.T) {
	token := func(access, refresh string) globus.Token {
		return globus.Token{AccessToken: access, RefreshToken: refresh}
	}
	old := globus.Tokens{"a": token("a1", "r1"), "b": token("b1", "")}
	tests := []struct {
		name string
		kept globus.Tokens
		want globus.Tokens
	}{
		{"nothing kept", nil, old},
		{"all kept", old, globus.Tokens{}},
		{"refreshed", globus.Tokens{"a": token("a2", "r1"), "b": token("b1", "")}, globus.Tokens{"a": token("a1", "")}},
		{"rotated", globus.Tokens{"a": token("a2", "r2"), "b": token("b1", "")}, globus.Tokens{"a": token("a1", "r1")}},
		{"another server", globus.Tokens{"c": token("c1", "r3")}, old},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := old.Without(tt.kept)
			if len(got) != len(tt.want) {
				t.Fatalf("got %v, want %v", got, tt.want)
			}
			for server, want := range tt.want {
				if got := got[server]; got.AccessToken != want.AccessToken || got.RefreshToken != want.RefreshToken {
					t.Errorf("%s: got %v, want %v", server, got, want)
				}
			}
		})
	}
}
