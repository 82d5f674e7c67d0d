package globus

import (
	"encoding/json"
	"errors"
	"strings"
	"time"

	"golang.org/x/oauth2"
)

// AuthServer is Globus Auth itself as a resource server.
const AuthServer = "auth.globus.org"

// Tokens are what one sign-in yields: a token for each resource server, by its
// name. Globus puts one of them at the top of its answer and the others into
// other_tokens, in no promised order; only the name tells them apart.
type Tokens map[string]Token

// A Token lets the bearer act as the person at one resource server. The zero
// value is none, and is never Fresh.
type Token struct {
	AccessToken  string    `json:"access_token"`            // for the Authorization header
	RefreshToken string    `json:"refresh_token,omitempty"` // empty without offline access
	Expiry       time.Time `json:"expiry"`                  // when AccessToken ends
	Scopes       []string  `json:"scopes"`                  // what the person consented to
}

// OAuth2 returns t in the form that golang.org/x/oauth2 works with.
func (t Token) OAuth2() *oauth2.Token {
	return &oauth2.Token{
		AccessToken:  t.AccessToken,
		RefreshToken: t.RefreshToken,
		TokenType:    "Bearer",
		Expiry:       t.Expiry,
	}
}

// secrets lists every access and refresh token, what can be revoked.
func (ts Tokens) secrets() []string {
	var all []string
	for _, t := range ts {
		all = append(all, t.AccessToken, t.RefreshToken)
	}
	return all
}

// Without returns the tokens of ts that are not also in kept: those to revoke
// when kept replaces ts.
func (ts Tokens) Without(kept Tokens) Tokens {
	rest := Tokens{}
	for server, t := range ts {
		k := kept[server]
		if t.AccessToken == k.AccessToken {
			t.AccessToken = ""
		}
		if t.RefreshToken == k.RefreshToken {
			t.RefreshToken = ""
		}
		if t.AccessToken != "" || t.RefreshToken != "" {
			rest[server] = t
		}
	}
	return rest
}

// tokenJSON is one token as the token endpoint sends it (RFC 6749, section
// 5.1, and resource_server as Globus Auth adds it).
type tokenJSON struct {
	AccessToken    string `json:"access_token"`
	TokenType      string `json:"token_type"`
	ExpiresIn      int64  `json:"expires_in"`
	RefreshToken   string `json:"refresh_token"`
	ResourceServer string `json:"resource_server"`
	Scope          string `json:"scope"`
}

const (
	maxTokenLen      = 8 << 10
	maxTokenLifetime = 30 * 24 * time.Hour
	maxTokens        = 50
)

// granted lists the tokens in the answer of the token endpoint: the one at its
// top, then other_tokens. Beside an error it lists what could be read.
func granted(answer *oauth2.Token) ([]tokenJSON, error) {
	top := tokenJSON{
		AccessToken:  answer.AccessToken,
		TokenType:    answer.TokenType,
		ExpiresIn:    answer.ExpiresIn,
		RefreshToken: answer.RefreshToken,
	}
	top.ResourceServer, _ = answer.Extra("resource_server").(string)
	top.Scope, _ = answer.Extra("scope").(string)
	var others []tokenJSON
	raw, err := json.Marshal(answer.Extra("other_tokens"))
	if err == nil {
		err = json.Unmarshal(raw, &others)
	}
	all := append([]tokenJSON{top}, others...)
	switch {
	case err != nil:
		return all, errors.New("other_tokens is malformed")
	case len(others) > maxTokens:
		return all[:maxTokens], errors.New("too many other_tokens")
	}
	return all, nil
}

// newTokens sorts the answer of the token endpoint by resource server. It
// refuses what x/oauth2 lets pass: another type than Bearer, a lifetime that is
// none, a token that could not stand in a header, two for one server.
func newTokens(answer *oauth2.Token, now time.Time) (Tokens, error) {
	all, err := granted(answer)
	if err != nil {
		return nil, err
	}
	ts := Tokens{}
	for _, t := range all {
		if err := t.check(); err != nil {
			return nil, err
		}
		if _, dup := ts[t.ResourceServer]; dup {
			return nil, errors.New("two tokens for one resource server")
		}
		ts[t.ResourceServer] = Token{
			AccessToken:  t.AccessToken,
			RefreshToken: t.RefreshToken,
			Expiry:       now.Add(time.Duration(t.ExpiresIn) * time.Second).UTC(),
			Scopes:       strings.Fields(t.Scope),
		}
	}
	return ts, nil
}

func (t tokenJSON) check() error {
	switch {
	case t.ResourceServer == "" || len(t.ResourceServer) > maxTokenLen:
		return errors.New("a token without a resource_server")
	case !strings.EqualFold(t.TokenType, "bearer"):
		return errors.New("a token_type other than Bearer")
	case t.ExpiresIn <= 0 || t.ExpiresIn > int64(maxTokenLifetime/time.Second):
		return errors.New("an expires_in out of range")
	case t.AccessToken == "" || !isTokenText(t.AccessToken) || !isTokenText(t.RefreshToken):
		return errors.New("a token that is not printable ASCII of a sane length")
	}
	return nil
}

// isTokenText reports whether s may stand in an Authorization header.
func isTokenText(s string) bool {
	return len(s) <= maxTokenLen && !strings.ContainsFunc(s, func(r rune) bool { return r <= 0x20 || r >= 0x7f })
}
