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

// The grants of Globus Auth. A public client has the first two alone.
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
		!e.now().Before(c.expiry) || !c.verify(form.Get("code_verifier")) {
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

// refresh gives a new access token for one resource server. It needs e.mu.
// A scope, which some clients repeat there, changes nothing.
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

// verify compares a PKCE verifier with the challenge (RFC 7636, section 4.6). A
// verifier without a challenge is refused: somebody may have taken the challenge
// away (RFC 9700, section 2.1.1).
func (c code) verify(verifier string) bool {
	if c.challenge == "" || c.plain {
		return equal(verifier, c.challenge)
	}
	sum := sha256.Sum256([]byte(verifier))
	return verifierForm.MatchString(verifier) && equal(base64.RawURLEncoding.EncodeToString(sum[:]), c.challenge)
}

// grantClient gives an app tokens for itself. There is no refresh token, and
// nobody to consent. It needs e.mu.
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

// grantDependents gives a resource server tokens for what its scopes need of
// other services, in exchange for a token that it was called with. It needs e.mu.
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

// dependencies returns what the person has allowed, beneath the scopes above, of
// the wanted scopes; nil: of all.
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

// consentMissing has the shape in which Globus Auth tells a resource server that
// the person must allow more.
func consentMissing(scopes []string) *refusal {
	refused := apiRefusal(http.StatusForbidden, "Dependent consent required", "Missing required consents")
	refused.body["error"] = "dependent_consent_required"
	one := refused.body["errors"].([]map[string]any)[0]
	one["code"], one["unapproved_scopes"] = "DEPENDENT_CONSENT_REQUIRED", scopes
	return refused
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
