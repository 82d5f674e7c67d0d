package auth_test

import (
	"maps"
	"net/http"
	"strings"
	"testing"

	"example.org/portal/globus/globustest"
	"example.org/portal/routes/routestest"
)

// TestOddIdentity: whatever Globus says about a person, the page shows what can
// be shown of it, or nobody is signed in.
func TestOddIdentity(t *testing.T) {
	t.Parallel()
	const attack = `"'><script>canary()</script><img src=x onerror=canary()>`
	texts := []string{"name", "preferred_username", "email", "organization", "identity_provider", "identity_provider_display_name"}
	every := func(value any) map[string]any {
		claims := map[string]any{}
		for _, name := range texts {
			claims[name] = value
		}
		return claims
	}
	nulls := every(nil)
	nulls["identity_set"], nulls["last_authentication"] = nil, nil
	hostile := every(attack)
	hostile["identity_set"] = []any{map[string]any{"sub": attack, "username": attack, "name": attack, "email": attack}, map[string]any{}}
	thousand := map[string]any{"identity_set": make([]map[string]string, 1000)}
	for i := range 1000 {
		thousand["identity_set"].([]map[string]string)[i] = map[string]string{"sub": "s", "username": "u"}
	}
	var tokens []map[string]any
	for range 10 { // together more than a session has room for
		tokens = append(tokens, map[string]any{
			"access_token": strings.Repeat("A", 8<<10), "token_type": "Bearer", "expires_in": 3600, "resource_server": strings.Repeat("s", 1+len(tokens)),
		})
	}
	claims := func(set map[string]any) globustest.Lie { return globustest.Lie{Claims: globustest.Edit{Set: set}} }
	userinfo := func(set map[string]any) globustest.Lie { return globustest.Lie{UserInfo: globustest.Edit{Set: set}} }
	both := func(set map[string]any) globustest.Lie {
		return globustest.Lie{Claims: globustest.Edit{Set: set}, UserInfo: globustest.Edit{Set: maps.Clone(set)}}
	}
	megabyte := map[string]any{"name": strings.Repeat("Ro ", 350_000)}
	tests := []struct {
		name       string
		lie        globustest.Lie
		wantStatus int
		want       string // a part of the page, or its reason
	}{
		{"null everywhere", both(nulls), 200, `id="uuid"`},
		{"markup everywhere", both(hostile), 200, "&lt;script&gt;canary()"},
		{"text that turns what follows", both(map[string]any{"name": "\u202eevil\u2066"}), 200, "<bdi>\u202eevil\u2066</bdi>"},
		{"a name of 1 MB in the ID token", claims(megabyte), 503, "globus_error"},
		{"a name of 1 MB in userinfo", userinfo(megabyte), 200, "<bdi>Rosalind Franklin</bdi>"},
		{"1,000 linked identities in the ID token", claims(thousand), 200, "<bdi>Rosalind Franklin</bdi>"},
		{"1,000 linked identities in userinfo", userinfo(thousand), 200, "<bdi>Rosalind Franklin</bdi>"},
		{"more tokens than a session holds", globustest.Lie{Token: globustest.Edit{Set: map[string]any{"other_tokens": tokens}}}, 503, "not_kept"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := routestest.Start(t, routestest.Options{})
			s.Globus.Lie(test.lie)
			b := s.Browser()
			p := b.SignIn("rosalind")
			if p.Status != test.wantStatus || p.Reason() != test.want && (p.Reason() != "" || !strings.Contains(p.Body, test.want)) {
				t.Errorf("got %d, want %d and %q:\n%.9000s\n%s", p.Status, test.wantStatus, test.want, p.Body, s.Log)
			}
			if strings.Contains(p.Body, "<script>canary") || strings.Contains(p.Body, "<img src=x") {
				t.Errorf("a claim became markup:\n%s", p.Body)
			}
			if len(p.Body) > 64<<10 {
				t.Errorf("the page has %d bytes", len(p.Body))
			}
			if got, want := b.SignedIn(), test.wantStatus == http.StatusOK; got != want {
				t.Errorf("signed in: %v, want %v", got, want)
			}
		})
	}
}
