package globustest

import (
	"maps"
	"strings"
	"time"
)

// A refresh token dies when it was not used for so long.
const refreshLifetime = 180 * 24 * time.Hour

// issueAccess makes an access token like t, and returns it as the endpoint sends
// it. It needs e.mu.
func (e *Emulator) issueAccess(t token) map[string]any {
	t.Refresh = false
	t.Expiry = e.now().Add(e.tokenLifetime)
	return map[string]any{
		"access_token":    e.issue(t),
		"token_type":      "Bearer",
		"expires_in":      int64(e.tokenLifetime / time.Second),
		"resource_server": t.ResourceServer,
		"scope":           strings.Join(t.Scopes, " "),
	}
}

func (e *Emulator) issueRefresh(t token) string {
	t.Refresh = true
	t.Expiry = e.now().Add(refreshLifetime)
	return e.issue(t)
}

// issue returns the secret of a new token, in the form that Globus's have.
func (e *Emulator) issue(t token) string {
	secret := "Ag" + randomText(88)
	e.state.Tokens[fingerprint(secret)] = t
	return secret
}

// liveToken finds a token that has neither ended nor been revoked, of a person
// who still exists. It needs e.mu.
func (e *Emulator) liveToken(secret string) (token, bool) {
	t, ok := e.state.Tokens[fingerprint(secret)]
	return t, ok && e.alive(t)
}

func (e *Emulator) alive(t token) bool {
	_, ok := e.person(t.Grant.Person)
	return ok && e.now().Before(t.Expiry)
}

// revokeGrant ends all tokens that came of the code with this hash, and returns
// refused. It needs e.mu.
func (e *Emulator) revokeGrant(codeHash string, refused error) error {
	maps.DeleteFunc(e.state.Tokens, func(_ string, t token) bool { return t.Grant.CodeHash == codeHash })
	if err := e.state.save(); err != nil {
		return err
	}
	return refused
}
