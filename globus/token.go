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

// Tokens holds the tokens of a sign-in by resource server. Globus sends one of them
// at the top of its response and the others in other_tokens, in no promised order.
type Tokens map[string]Token

// A Token lets the bearer act as the person at one resource server. The zero value is
// no token, and is never Fresh.
type Token struct {
	AccessToken  string    `json:"access_token"`            // for the Authorization header
	RefreshToken string    `json:"refresh_token,omitempty"` // empty without offline access
	Expiry       time.Time `json:"expiry"`                  // of AccessToken
	Scopes       []string  `json:"scopes"`                  // what the person consented to
}

// OAuth2 returns t as a token of golang.org/x/oauth2.
func (t Token) OAuth2() *oauth2.Token {
	return &oauth2.Token{
		AccessToken:  t.AccessToken,
		RefreshToken: t.RefreshToken,
		TokenType:    "Bearer",
		Expiry:       t.Expiry,
	}
}

// secrets lists every access and refresh token.
func (ts Tokens) secrets() []string {
	var all []string
	for _, t := range ts {
		all = append(all, t.AccessToken, t.RefreshToken)
	}
	return all
}

// Without returns the tokens of ts that are not in kept: those to revoke when kept
// replaces ts.
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

	// tokenLifetime is assumed if Globus does not say.
	tokenLifetime = time.Hour
)

// granted lists the tokens in a response of the token endpoint: the one at its top,
// which is for server if it has no resource_server, then those of other_tokens that
// can be read.
func granted(answer *oauth2.Token, server string) []tokenJSON {
	top := tokenJSON{
		AccessToken:    answer.AccessToken,
		TokenType:      answer.TokenType,
		ExpiresIn:      answer.ExpiresIn,
		RefreshToken:   answer.RefreshToken,
		ResourceServer: server,
	}
	if name, ok := answer.Extra("resource_server").(string); ok && name != "" {
		top.ResourceServer = name
	}
	top.Scope, _ = answer.Extra("scope").(string)
	all := []tokenJSON{top}
	others, _ := answer.Extra("other_tokens").([]any)
	for _, other := range others {
		var t tokenJSON
		raw, err := json.Marshal(other)
		if err == nil {
			_ = json.Unmarshal(raw, &t) // a member of another type is left out
			all = append(all, t)
		}
	}
	return all
}

// newTokens returns the tokens in a response of the token endpoint by resource server.
// A token without expires_in, which RFC 6749, section 5.1, only recommends, expires at
// end, which is when the ID token does, or after an hour if end is zero. It is an error
// if the first token is not usable; others that are not are left out.
func newTokens(answer *oauth2.Token, server string, now, end time.Time) (Tokens, error) {
	ts := Tokens{}
	for i, t := range granted(answer, server) {
		if err := t.check(); err != nil {
			if i == 0 {
				return nil, err
			}
			continue
		}
		if _, dup := ts[t.ResourceServer]; dup {
			continue
		}
		ts[t.ResourceServer] = Token{
			AccessToken:  t.AccessToken,
			RefreshToken: t.RefreshToken,
			Expiry:       t.expiry(now, end).UTC(),
			Scopes:       strings.Fields(t.Scope),
		}
	}
	return ts, nil
}

// check returns an error if t cannot be used: a header cannot hold it, its resource
// server is not known, or its type is not Bearer (RFC 6749, section 7.1).
func (t tokenJSON) check() error {
	switch {
	case t.ResourceServer == "" || len(t.ResourceServer) > maxTokenLen:
		return errors.New("a token without a resource_server")
	case t.TokenType != "" && !strings.EqualFold(t.TokenType, "bearer"):
		return errors.New("a token_type other than Bearer")
	case t.AccessToken == "" || !isTokenText(t.AccessToken) || !isTokenText(t.RefreshToken):
		return errors.New("a token that is not printable ASCII or too long")
	}
	return nil
}

func (t tokenJSON) expiry(now, end time.Time) time.Time {
	lifetime := tokenLifetime
	switch {
	case t.ExpiresIn > int64(maxTokenLifetime/time.Second): // as a Duration it could overflow
		lifetime = maxTokenLifetime
	case t.ExpiresIn > 0:
		lifetime = time.Duration(t.ExpiresIn) * time.Second
	case end.After(now):
		lifetime = end.Sub(now)
	}
	return now.Add(min(lifetime, maxTokenLifetime))
}

// isTokenText reports whether an Authorization header can hold s.
func isTokenText(s string) bool {
	return len(s) <= maxTokenLen && !strings.ContainsFunc(s, func(r rune) bool { return r <= 0x20 || r >= 0x7f })
}
