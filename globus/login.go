package globus

import (
	"context"
	"crypto/rand"
	"net/http"
	"net/url"
	"time"

	"golang.org/x/oauth2"
)

// An Attempt holds the secrets of one attempt to sign in. They bind the callback to
// the browser that began: store them where only that browser can send them back, and
// use them once. Exchange rejects the zero value.
type Attempt struct {
	State    string // comes back with the code (RFC 6749, section 10.12)
	Nonce    string // comes back inside the ID token (OpenID Connect Core 1.0, section 3.1.2.1)
	Verifier string // proves that whoever redeems the code began the attempt (RFC 7636)
}

// NewAttempt returns an attempt with fresh secrets.
func NewAttempt() Attempt {
	return Attempt{State: rand.Text(), Nonce: rand.Text(), Verifier: oauth2.GenerateVerifier()}
}

// PromptLogin makes Client.AuthCodeURL ask people to authenticate again, even if
// Globus remembers them (OpenID Connect Core 1.0, section 3.1.2.1), for example to
// sign in as someone else.
func PromptLogin() oauth2.AuthCodeOption { return oauth2.SetAuthURLParam("prompt", "login") }

// AuthCodeURL returns the URL to redirect the browser to for the attempt a (RFC 6749,
// section 4.1.1; RFC 7636, section 4.3). It asks for refresh tokens too, with
// access_type=offline (Globus Auth developer guide).
func (c *Client) AuthCodeURL(a Attempt, opts ...oauth2.AuthCodeOption) string {
	opts = append([]oauth2.AuthCodeOption{
		oauth2.AccessTypeOffline,
		oauth2.S256ChallengeOption(a.Verifier),
		oauth2.SetAuthURLParam("nonce", a.Nonce),
	}, opts...)
	return c.oauth.AuthCodeURL(a.State, opts...)
}

// A Login is the outcome of a sign-in.
type Login struct {
	Identity Identity // from the ID token
	Tokens   Tokens   // for each resource server that the person consented to
}

// Exchange exchanges the authorization code of the attempt a for tokens. The caller
// must have compared the state already. Exchange never retries, because a code may be
// sent only once.
//
// It makes all checks of OpenID Connect Core 1.0, section 3.1.3.7, of the ID token.
// When one fails, it revokes the tokens. The error is an *Error; its Code is
// invalid_grant if the code was used before or has expired.
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

// login checks the response of the token endpoint and returns its content.
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

// discard revokes the tokens of a response that was rejected. It ignores errors,
// because the caller returns why the response was rejected.
func (c *Client) discard(ctx context.Context, answer *oauth2.Token) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	var secrets []string
	for _, t := range granted(answer, "") {
		secrets = append(secrets, t.AccessToken, t.RefreshToken)
	}
	_ = c.revokeEach(ctx, secrets)
}

// UserInfo returns what Globus says about the bearer of an access token for
// AuthServer. It is newer than an ID token. The caller must check that it is about
// the same Subject (OpenID Connect Core 1.0, section 5.3.2). The error is an *Error.
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

// LogoutURL returns the URL of the page that ends the person's session at Globus in
// that browser. Like those of IdentitiesURL and ConsentsURL, the page has a link to
// redirectURI with the text redirectName, and does not redirect by itself. Both may be
// empty (Globus Auth developer guide, "Browser-based helper pages").
func (c *Client) LogoutURL(redirectURI, redirectName string) string {
	return c.helperPage(logoutPath, redirectURI, redirectName)
}

// IdentitiesURL returns the URL of the page on which people link and unlink
// identities.
func (c *Client) IdentitiesURL(redirectURI, redirectName string) string {
	return c.helperPage(identitiesPath, redirectURI, redirectName)
}

// ConsentsURL returns the URL of the page on which people see and withdraw their
// consents. Withdrawing one ends the app's tokens.
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
