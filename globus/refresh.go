package globus

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/sync/singleflight"
)

// Margin is how long before its end an access token is refreshed, as in
// Globus's own SDK.
const Margin = 60 * time.Second

// Fresh reports whether the access token is good at now, and will be for
// Margin.
func (t Token) Fresh(now time.Time) bool {
	return t.AccessToken != "" && now.Before(t.Expiry.Add(-Margin))
}

// Refresh obtains a new access token for one resource server (RFC 6749,
// section 6). Globus may send another refresh token with it, which is to be
// kept in place of the old one; if it sends none, the old one is in the result.
//
// Globus has not been seen to send an ID token with it. One that comes must be
// good, and about subject, whose token it is (OpenID Connect Core 1.0, section
// 12.2); subject may be "" where that was not kept.
//
// The error is an *Error. IsInvalidGrant tells the one that is final: the
// person, or Globus, has withdrawn the grant. ErrNoToken is returned for a
// token that cannot be refreshed.
func (c *Client) Refresh(ctx context.Context, server string, old Token, subject string) (Token, error) {
	if old.RefreshToken == "" {
		return Token{}, ErrNoToken
	}
	octx := context.WithValue(ctx, oauth2.HTTPClient, c.http)
	answer, err := c.oauth.TokenSource(octx, &oauth2.Token{RefreshToken: old.RefreshToken}).Token()
	if err != nil {
		return Token{}, callError("refresh", err)
	}
	if err := c.checkSubject(ctx, answer, subject); err != nil {
		return Token{}, err
	}
	tokens, err := newTokens(answer, server, c.now(), time.Time{})
	if err != nil {
		return Token{}, &Error{Call: "refresh", Reason: Malformed, Detail: err.Error()}
	}
	fresh, ok := tokens[server]
	if !ok {
		c.discard(ctx, answer)
		return Token{}, &Error{Call: "refresh", Reason: Malformed, Detail: "the token is for another resource server"}
	}
	return fresh, nil
}

// checkSubject refuses the answer to a refresh if an ID token came with it that
// is not one about subject, and then revokes what came.
func (c *Client) checkSubject(ctx context.Context, answer *oauth2.Token, subject string) error {
	if answer.Extra("id_token") == nil {
		return nil
	}
	raw, _ := answer.Extra("id_token").(string)
	claims, err := c.readIDToken(ctx, raw, answer.AccessToken)
	if err == nil && subject != "" && claims.Identity.Subject != subject {
		err = idTokenError("sub is not whose token was refreshed")
	}
	if err == nil {
		return nil
	}
	e := *callError("refresh", err)
	e.Call = "refresh"
	if e.Reason == BadIDToken { // not if the keys could not be had: nothing is known then
		c.discard(ctx, answer)
	}
	return &e
}

// A TokenFunc returns a token for one resource server that is good now. If
// rejected is not empty, it is an access token that the resource server has
// refused although its time is not up: another one is wanted. It must be safe
// for concurrent use. Its error is handed on as it is to whoever made the call.
type TokenFunc func(ctx context.Context, rejected string) (Token, error)

// A Source keeps one token good. It refreshes it before it ends, once for all
// who ask meanwhile, and is an oauth2.TokenSource. It is for programs of one
// process and one person; an app with sessions has a TokenFunc of its own. Make
// one with Client.Source, or for the app itself with Client.ClientSource.
type Source struct {
	client *Client
	renew  func(ctx context.Context, old Token) (Token, error)
	save   func(Token) error // may be nil
	flight singleflight.Group

	mu    sync.Mutex
	token Token
}

// Source returns a Source that begins with the token for server in ts. Each
// new token is handed to save, which may be nil, before anyone gets it; an
// error of save goes to those who asked, and the token is kept all the same.
func (c *Client) Source(ts Tokens, server string, save func(Token) error) *Source {
	renew := func(ctx context.Context, old Token) (Token, error) { return c.Refresh(ctx, server, old, "") }
	return &Source{client: c, renew: renew, save: save, token: ts[server]}
}

// Token implements oauth2.TokenSource. It fails as Fresh does.
func (s *Source) Token() (*oauth2.Token, error) {
	t, err := s.Fresh(context.Background(), "")
	if err != nil {
		return nil, err
	}
	return t.OAuth2(), nil
}

// Fresh is a TokenFunc. It fails as Client.Refresh does, or by the error of save.
func (s *Source) Fresh(ctx context.Context, rejected string) (Token, error) {
	if t := s.current(); t.Fresh(s.client.now()) && t.AccessToken != rejected {
		return t, nil
	}
	done := s.flight.DoChan("", func() (any, error) {
		t := s.current()
		if t.Fresh(s.client.now()) && t.AccessToken != rejected {
			return t, nil
		}
		err := guarded(func() (err error) {
			t, err = s.renew(context.WithoutCancel(ctx), t)
			return err
		})
		if err != nil {
			return Token{}, err
		}
		if s.save != nil {
			err = guarded(func() error { return s.save(t) })
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.token = t
		return t, err
	})
	select {
	case <-ctx.Done():
		return Token{}, callError("refresh", ctx.Err())
	case result := <-done:
		return result.Val.(Token), result.Err
	}
}

// guarded calls f, and makes an error of a panic in what a program has put into a
// Client or a Source: in a goroutine of this package nobody else would recover, and
// the process would end.
func guarded(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("globus: panic: %T\n%s", p, debug.Stack())
		}
	}()
	return f()
}

func (s *Source) current() Token {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.token
}
