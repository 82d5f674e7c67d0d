package globustest

import (
	"crypto/sha256"
	"encoding/base64"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
)

// token is the token endpoint.
func (e *Emulator) token(r *http.Request) (any, error) {
	client, form, err := e.readCall(r, "grant_type", "code", "redirect_uri", "code_verifier", "refresh_token", "scope")
	if err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.state.sweep(e.now())
	var granted map[string]any
	switch form.Get("grant_type") {
	case "authorization_code":
		granted, err = e.redeem(client, form)
	case "refresh_token":
		granted, err = e.refresh(client, form)
	case "":
		err = oauthRefusal(http.StatusBadRequest, "invalid_request", "Missing grant_type parameter")
	default:
		err = oauthRefusal(http.StatusBadRequest, "unsupported_grant_type", "")
	}
	if err != nil {
		return nil, err
	}
	granted = e.lie.Token.apply(granted)
	if form.Get("grant_type") == "refresh_token" {
		granted = e.lie.Refresh.apply(granted)
	}
	return granted, e.state.save()
}

// redeem exchanges a code for tokens. It needs e.mu.
//
// A code is good for one try: whatever comes of it, it is spent. One that comes
// again takes with it all tokens that it was exchanged for (RFC 6749, section
// 4.1.2), however long ago.
func (e *Emulator) redeem(client Client, form url.Values) (map[string]any, error) {
	// Globus has been seen to send 400 and 401. Codes get the one here, refresh
	// tokens the other.
	invalid := oauthRefusal(http.StatusBadRequest, "invalid_grant", "")
	id := fingerprint(form.Get("code"))
	c, ok := e.codes[id]
	if !ok {
		return nil, e.revokeGrant(id, invalid)
	}
	delete(e.codes, id)
	person, ok := e.person(c.grant.Person)
	if !ok || client.ID != c.grant.ClientID || form.Get("redirect_uri") != c.redirectURI ||
		!e.now().Before(c.expiry) || !verify(form.Get("code_verifier"), c.challenge) {
		return nil, invalid
	}
	return e.grantTokens(client, person, c)
}

// grantTokens makes what a code stands for: a token for each resource server,
// one of them at the top, and the ID token. It needs e.mu.
func (e *Emulator) grantTokens(client Client, person Person, c code) (map[string]any, error) {
	var all []map[string]any
	for _, server := range servers(c.scopes) {
		t := token{Grant: c.grant, ResourceServer: server, Scopes: scopeNames(c.scopes, server)}
		one := e.issueAccess(t)
		one["state"] = c.state
		if c.offline {
			one["refresh_token"] = e.issueRefresh(t)
		}
		all = append(all, one)
	}
	top := all[0]
	top["other_tokens"] = all[1:]
	names := scopeNames(c.scopes, authServer)
	if !slices.Contains(names, "openid") {
		return top, nil
	}
	claims := person.Claims.of(names, c.grant.Authenticated)
	idToken, err := e.idToken(e.lie, client, c, claims, top["access_token"].(string))
	if err != nil {
		return nil, err
	}
	top["id_token"] = idToken
	return top, nil
}

// refresh gives a new access token for one resource server. It needs e.mu.
func (e *Emulator) refresh(client Client, form url.Values) (map[string]any, error) {
	if form.Has("scope") {
		return nil, oauthRefusal(http.StatusBadRequest, "invalid_scope", "A refresh cannot change scopes")
	}
	secret := form.Get("refresh_token")
	t, ok := e.liveToken(secret)
	if !ok || !t.Refresh || t.Grant.ClientID != client.ID {
		return nil, oauthRefusal(http.StatusUnauthorized, "invalid_grant", "")
	}
	if e.lie.RotateRefresh {
		delete(e.state.Tokens, fingerprint(secret))
		secret = e.issueRefresh(t)
	}
	t.Expiry = e.now().Add(refreshLifetime)
	e.state.Tokens[fingerprint(secret)] = t
	e.refreshes[t.ResourceServer]++
	granted := e.issueAccess(t)
	granted["refresh_token"] = secret
	granted["other_tokens"] = []any{}
	if e.lie.RefreshIDToken && slices.Contains(t.Scopes, "openid") {
		return granted, e.addIDToken(granted, client, t)
	}
	return granted, nil
}

// addIDToken adds an ID token to what a refresh of t grants. It has no nonce
// (OpenID Connect Core 1.0, section 12.2). It needs e.mu.
func (e *Emulator) addIDToken(granted map[string]any, client Client, t token) error {
	person, _ := e.person(t.Grant.Person) // who exists, for the token is alive
	claims := person.Claims.of(t.Scopes, t.Grant.Authenticated)
	idToken, err := e.idToken(e.lie, client, code{}, claims, granted["access_token"].(string))
	granted["id_token"] = idToken
	return err
}

var verifierForm = regexp.MustCompile(`^[A-Za-z0-9._~-]{43,128}$`)

// verify compares a PKCE verifier with its challenge (RFC 7636, section 4.6).
func verify(verifier, challenge string) bool {
	sum := sha256.Sum256([]byte(verifier))
	return verifierForm.MatchString(verifier) && equal(base64.RawURLEncoding.EncodeToString(sum[:]), challenge)
}

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

// revoke ends one token of the calling app. It says the same of every token:
// those that have ended, are another app's, or never were.
func (e *Emulator) revoke(r *http.Request) (any, error) {
	client, form, err := e.readCall(r, "token", "token_type_hint")
	if err != nil {
		return nil, err
	}
	if form.Get("token") == "" {
		return nil, oauthRefusal(http.StatusBadRequest, "invalid_request", "Missing token parameter")
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	id := fingerprint(form.Get("token"))
	if e.state.Tokens[id].Grant.ClientID == client.ID {
		delete(e.state.Tokens, id)
	}
	return map[string]any{"active": false}, e.state.save()
}
