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

// The grants of Globus Auth. A public client can use only the first two.
const (
	codeGrant      = "authorization_code"
	refreshGrant   = "refresh_token"
	clientGrant    = "client_credentials"
	dependentGrant = "urn:globus:auth:grant_type:dependent_token"
)

// token is the token endpoint.
func (e *Emulator) token(r *http.Request) (any, error) {
	client, form, err := e.readCall(r, "grant_type", "code", "redirect_uri", "code_verifier", "refresh_token", "scope", "token", "access_type")
	if err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.state.sweep(e.now())
	granted, err := e.grant(r, client, form)
	if err != nil {
		return nil, err
	}
	return granted, e.state.save()
}

// grant needs e.mu, and a save after it.
func (e *Emulator) grant(r *http.Request, client Client, form url.Values) (any, error) {
	if public := client.Secret == ""; public && slices.Contains([]string{clientGrant, dependentGrant}, form.Get("grant_type")) {
		return nil, oauthRefusal(http.StatusBadRequest, "unauthorized_client", "A public client cannot authenticate")
	}
	switch form.Get("grant_type") {
	case codeGrant:
		granted, err := e.redeem(client, form)
		return e.lie.Token.apply(granted), err
	case refreshGrant:
		granted, err := e.refresh(r, client, form)
		return e.lie.Refresh.apply(e.lie.Token.apply(granted)), err
	case clientGrant:
		granted, err := e.grantClient(client, form)
		return e.lie.Token.apply(granted), err
	case dependentGrant:
		return e.grantDependents(client, form)
	case "":
		return nil, oauthRefusal(http.StatusBadRequest, "invalid_request", "Missing grant_type parameter")
	}
	return nil, oauthRefusal(http.StatusBadRequest, "unsupported_grant_type", "")
}

// redeem exchanges a code for tokens. It needs e.mu.
//
// A code can be used once, even if the exchange fails. If it is used again, all tokens that
// it was exchanged for are revoked (RFC 6749, section 4.1.2).
func (e *Emulator) redeem(client Client, form url.Values) (map[string]any, error) {
	// Globus sends 400 or 401. The emulator sends 400 for codes and 401 for refresh tokens.
	invalid := oauthRefusal(http.StatusBadRequest, "invalid_grant", "")
	id := fingerprint(form.Get("code"))
	c, ok := e.codes[id]
	if !ok {
		return nil, e.revokeGrant(id, invalid)
	}
	delete(e.codes, id)
	person, ok := e.person(c.grant.Person)
	if !ok || client.ID != c.grant.ClientID || form.Get("redirect_uri") != c.redirectURI ||
		!e.now().Before(c.expiry) || !c.verify(form.Get("code_verifier")) {
		return nil, invalid
	}
	return e.grantTokens(client, person, c)
}

// grantTokens returns the token response for a code: a token for each resource server, the
// first of them at the top level, and the ID token. It needs e.mu.
func (e *Emulator) grantTokens(client Client, person Person, c code) (map[string]any, error) {
	var all []map[string]any
	for _, server := range servers(c.scopes) {
		t := token{Grant: c.grant, ResourceServer: server, Scopes: scopeNames(c.scopes, server)}
		one := e.issueAccess(t)
		if c.state != "" {
			one["state"] = c.state
		}
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

// refresh issues a new access token for one resource server. It ignores the scope that some
// clients send. It needs e.mu.
func (e *Emulator) refresh(r *http.Request, client Client, form url.Values) (map[string]any, error) {
	if form.Has("scope") && e.strict {
		return nil, oauthRefusal(http.StatusBadRequest, "invalid_scope", "A refresh cannot change scopes")
	}
	if form.Has("scope") {
		recordOf(r).ignore("scope")
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

// addIDToken adds an ID token without a nonce to the response to a refresh (OpenID Connect
// Core 1.0, section 12.2). It needs e.mu.
func (e *Emulator) addIDToken(granted map[string]any, client Client, t token) error {
	person, _ := e.person(t.Grant.Person) // exists, because the token is live
	claims := person.Claims.of(t.Scopes, t.Grant.Authenticated)
	idToken, err := e.idToken(e.lie, client, code{}, claims, granted["access_token"].(string))
	granted["id_token"] = idToken
	return err
}

var verifierForm = regexp.MustCompile(`^[A-Za-z0-9._~-]{43,128}$`)

// verify compares a PKCE verifier with the challenge (RFC 7636, section 4.6). It rejects a
// verifier without a challenge, because an attacker may have removed the challenge (RFC 9700,
// section 2.1.1).
func (c code) verify(verifier string) bool {
	if c.challenge == "" || c.plain {
		return equal(verifier, c.challenge)
	}
	sum := sha256.Sum256([]byte(verifier))
	return verifierForm.MatchString(verifier) && equal(base64.RawURLEncoding.EncodeToString(sum[:]), c.challenge)
}

// grantClient issues tokens with which an app acts as itself, without consent and without
// refresh tokens. It needs e.mu.
func (e *Emulator) grantClient(client Client, form url.Values) (map[string]any, error) {
	all, _, unknown := e.parseScopes(form.Get("scope"))
	if len(unknown) > 0 {
		return nil, oauthRefusal(http.StatusBadRequest, "invalid_scope", "Unknown scope(s): "+strings.Join(unknown, " "))
	}
	if len(all) == 0 {
		return nil, oauthRefusal(http.StatusBadRequest, "invalid_scope", "Missing scope parameter")
	}
	person := client.person()
	e.consent(person.Key, client.ID, all, false)
	return e.grantTokens(client, person, code{
		grant:  grant{CodeHash: fingerprint(randomText(30)), ClientID: client.ID, Person: person.Key, Authenticated: e.now()},
		scopes: topScopes(all),
	})
}

// grantDependents issues a resource server tokens for the dependencies of its scopes, in
// exchange for a token that it was called with. It needs e.mu.
func (e *Emulator) grantDependents(client Client, form url.Values) (any, error) {
	t, ok := e.liveToken(form.Get("token"))
	if !ok || t.Refresh || t.ResourceServer != client.server() {
		return nil, oauthRefusal(http.StatusBadRequest, "invalid_grant", "")
	}
	wanted := strings.Fields(form.Get("scope"))
	tokens, granted := []map[string]any{}, []string{}
	for _, parent := range t.Scopes {
		above := append(slices.Clone(t.Grant.Above), parent)
		scopes := e.dependencies(t.Grant, above, wanted)
		granted = append(granted, scopeNames(scopes, "")...)
		g := t.Grant
		g.ClientID, g.RootID, g.Above = client.ID, t.Grant.root(), above
		for _, server := range servers(scopes) {
			dependent := token{Grant: g, ResourceServer: server, Scopes: scopeNames(scopes, server)}
			one := e.issueAccess(dependent)
			one["token_type"] = "bearer" // as Globus writes it here
			if form.Get("access_type") == "offline" {
				one["refresh_token"] = e.issueRefresh(dependent)
			}
			tokens = append(tokens, one)
		}
	}
	wanted = slices.DeleteFunc(wanted, func(s string) bool { return slices.Contains(granted, s) })
	if len(wanted) > 0 {
		return nil, consentMissing(wanted)
	}
	return tokens, nil
}

// dependencies returns the wanted scopes below the scopes above that the person has
// consented to. If wanted is empty, it returns all.
func (e *Emulator) dependencies(g grant, above, wanted []string) (scopes []Scope) {
	for _, c := range e.state.Consents[g.Person][g.root()] {
		last := len(c.Path) - 1
		if !slices.Equal(c.Path[:last], above) || len(wanted) > 0 && !slices.Contains(wanted, c.Path[last]) {
			continue
		}
		if s, ok := e.scope(c.Path[last]); ok {
			scopes = append(scopes, s)
		}
	}
	return scopes
}

// consentMissing is Globus Auth's response to a resource server if the person has not
// consented to these scopes.
func consentMissing(scopes []string) *refusal {
	refused := apiRefusal(http.StatusForbidden, "Dependent consent required", "Missing required consents")
	refused.body["error"] = "dependent_consent_required"
	one := refused.body["errors"].([]map[string]any)[0]
	one["code"], one["unapproved_scopes"] = "DEPENDENT_CONSENT_REQUIRED", scopes
	return refused
}

// refreshLifetime is how long an unused refresh token lives.
const refreshLifetime = 180 * 24 * time.Hour

// issueAccess issues an access token like t, and returns the members of the token response.
// It needs e.mu.
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

// issue stores a new token, and returns its secret in Globus's form.
func (e *Emulator) issue(t token) string {
	secret := "Ag" + randomText(88)
	e.state.Tokens[fingerprint(secret)] = t
	return secret
}

// liveToken finds a token that is neither expired nor revoked, and whose person still
// exists. It needs e.mu.
func (e *Emulator) liveToken(secret string) (token, bool) {
	t, ok := e.state.Tokens[fingerprint(secret)]
	return t, ok && e.alive(t)
}

func (e *Emulator) alive(t token) bool {
	_, ok := e.person(t.Grant.Person)
	return ok && e.now().Before(t.Expiry)
}

// revokeGrant revokes all tokens that the code with this hash was exchanged for, and returns
// refused. It needs e.mu.
func (e *Emulator) revokeGrant(codeHash string, refused error) error {
	maps.DeleteFunc(e.state.Tokens, func(_ string, t token) bool { return t.Grant.CodeHash == codeHash })
	if err := e.state.save(); err != nil {
		return err
	}
	return refused
}

// revoke revokes a token of the calling app. The response is the same for tokens that are
// expired, unknown, or another app's.
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
