package globus

import (
	"context"
	"crypto/rand"
	"net/http"
	"net/url"
	"time"

	"golang.org/x/oauth2"
)

// An Attempt holds the secrets of one attempt to sign in. They tie the answer
// of Globus to the browser that asked: keep them where only that browser can
// bring them back, and use them once. The zero value is no attempt: Exchange
// refuses it.
type Attempt struct {
	State    string // comes back with the code (RFC 6749, section 10.12)
	Nonce    string // comes back inside the ID token (OpenID Connect Core 1.0, section 3.1.2.1)
	Verifier string // proves that the code is ours to redeem (RFC 7636)
}

// NewAttempt returns an attempt with fresh secrets.
func NewAttempt() Attempt {
	return Attempt{State: rand.Text(), Nonce: rand.Text(), Verifier: oauth2.GenerateVerifier()}
}

// PromptLogin makes Client.AuthCodeURL ask people to authenticate anew, though
// Globus may remember them (OpenID Connect Core 1.0, section 3.1.2.1): the way to
// sign in as someone else.
func PromptLogin() oauth2.AuthCodeOption { return oauth2.SetAuthURLParam("prompt", "login") }

// AuthCodeURL returns where to send the browser to begin the attempt a (RFC 6749,
// section 4.1.1; RFC 7636, section 4.3). It asks for refresh tokens too, in
// Globus's own way (access_type=offline, Globus Auth developer guide).
func (c *Client) AuthCodeURL(a Attempt, opts ...oauth2.AuthCodeOption) string {
	opts = append([]oauth2.AuthCodeOption{
		oauth2.AccessTypeOffline,
		oauth2.S256ChallengeOption(a.Verifier),
		oauth2.SetAuthURLParam("nonce", a.Nonce),
	}, opts...)
	return c.oauth.AuthCodeURL(a.State, opts...)
}

// A Login is the outcome of a sign-in: who it is, and what the app may do.
type Login struct {
	Identity Identity // as the ID token names it
	Tokens   Tokens   // for each resource server that was consented to
}

// Exchange redeems the authorization code that came back for the attempt a,
// once: a code is good for one try, so nothing here is sent again. The caller
// must have compared the state already.
//
// The identity is the one in the ID token, after every check of OpenID Connect
// Core 1.0, section 3.1.3.7. When a check fails, the tokens that came with it
// are revoked. The error is an *Error; its Code is invalid_grant for a code
// that was used before or has aged.
func (c *Client) Exchange(ctx context.Context, code string, a Attempt) (*Login, error) {
	octx := context.WithValue(ctx, oauth2.HTTPClient, c.http)
	answer, err := c.oauth.Exchange(octx, code, oauth2.VerifierOption(a.Verifier))
	if err != nil {
		return nil, callError("token", err)
	}
	login, err := c.login(ctx, answer, a)
	if err != nil {
		c.discard(ctx, answer)
		return nil, err
	}
	return login, nil
}

// login checks the answer of the token endpoint and returns what it holds.
func (c *Client) login(ctx context.Context, answer *oauth2.Token, a Attempt) (*Login, error) {
	raw, ok := answer.Extra("id_token").(string)
	if !ok {
		return nil, &Error{Call: "token", Reason: Malformed, Detail: "there is no id_token"}
	}
	claims, err := c.verifyIDToken(ctx, raw, answer.AccessToken, a.Nonce)
	if err != nil {
		return nil, err
	}
	tokens, err := newTokens(answer, AuthServer, c.now(), claims.Expiry.Time)
	if err != nil {
		return nil, &Error{Call: "token", Reason: Malformed, Detail: err.Error()}
	}
	return &Login{Identity: claims.Identity, Tokens: tokens}, nil
}

// discard revokes the tokens of a sign-in that came to nothing, as far as that
// goes: the sign-in has failed for a reason that matters more.
func (c *Client) discard(ctx context.Context, answer *oauth2.Token) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	var secrets []string
	for _, t := range granted(answer, "") {
		secrets = append(secrets, t.AccessToken, t.RefreshToken)
	}
	_ = c.revokeEach(ctx, secrets)
}

// UserInfo asks Globus who the bearer of an access token for AuthServer is.
// The answer is fresher than an ID token, and must be about the same Subject
// (OpenID Connect Core 1.0, section 5.3.2): that is the caller's to check. The
// error is an *Error.
func (c *Client) UserInfo(ctx context.Context, accessToken string) (*Identity, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.issuer+userInfoPath, nil)
	if err != nil {
		return nil, callError("userinfo", err)
	}
	req.Header.Set("Authorization", "Bearer "+accessToken)
	var id Identity
	if err := getJSON(c.http, "userinfo", req, &id); err != nil {
		return nil, err
	}
	if id.Subject == "" {
		return nil, &Error{Call: "userinfo", Reason: Malformed, Status: http.StatusOK, Detail: errSubject.Error()}
	}
	return &id, nil
}

// LogoutURL returns Globus's page that ends the person's session at Globus
// itself, in that browser. Like IdentitiesURL and ConsentsURL it links to
// redirectURI under the name redirectName, and does not redirect by itself.
// Both may be empty (Globus Auth developer guide, "Browser-based helper pages").
func (c *Client) LogoutURL(redirectURI, redirectName string) string {
	return c.helperPage(logoutPath, redirectURI, redirectName)
}

// IdentitiesURL returns Globus's page where people link identities to their
// own, and unlink them.
func (c *Client) IdentitiesURL(redirectURI, redirectName string) string {
	return c.helperPage(identitiesPath, redirectURI, redirectName)
}

// ConsentsURL returns Globus's page where people see what they have allowed
// apps to do for them, and take it back; the app's tokens end with it.
func (c *Client) ConsentsURL(redirectURI, redirectName string) string {
	return c.helperPage(consentsPath, redirectURI, redirectName)
}

func (c *Client) helperPage(path, redirectURI, redirectName string) string {
	q := url.Values{"client_id": {c.oauth.ClientID}}
	if redirectURI != "" && redirectName != "" {
		q.Set("redirect_uri", redirectURI)
		q.Set("redirect_name", redirectName)
	}
	return c.issuer + path + "?" + q.Encode()
}
