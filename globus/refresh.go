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

// Margin is how long before its expiry an access token is refreshed, as in Globus's
// own SDK.
const Margin = 60 * time.Second

// Fresh reports whether the access token is valid at now, and for Margin after it.
func (t Token) Fresh(now time.Time) bool {
	return t.AccessToken != "" && now.Before(t.Expiry.Add(-Margin))
}

// Refresh obtains a new access token for one resource server (RFC 6749,
// section 6). If Globus sends another refresh token, store it in place of the old one;
// if it sends none, the result has the old one.
//
// If Globus sends an ID token, which it has not been seen to do, it must be valid and
// about subject, the person of the token (OpenID Connect Core 1.0, section 12.2).
// subject may be "" if it is not known.
//
// The error is an *Error, or ErrNoToken if old has no refresh token. If IsInvalidGrant
// reports true, the person or Globus has withdrawn the grant, and no retry helps.
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

// checkSubject rejects a response to a refresh, and revokes its tokens, if it has an ID
// token that is not valid or not about subject.
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
	if e.Reason == BadIDToken { // and not if the keys could not be fetched
		c.discard(ctx, answer)
	}
	return &e
}

// A TokenFunc returns a valid token for one resource server. If rejected is not empty,
// it is an access token that the resource server has rejected before its expiry, and
// the TokenFunc returns another one. It must be safe for concurrent use. Calls return
// its error unchanged.
type TokenFunc func(ctx context.Context, rejected string) (Token, error)

// A Source returns a token for one resource server, and refreshes it before it
// expires, once for all callers that wait. It is an oauth2.TokenSource. It is for a
// program that acts for one person; an app with sessions has a TokenFunc of its own.
// Make one with Client.Source, or for the app itself with Client.ClientSource.
type Source struct {
	client *Client
	renew  func(ctx context.Context, old Token) (Token, error)
	save   func(Token) error // may be nil
	flight singleflight.Group

	mu    sync.Mutex
	token Token
}

// Source returns a Source that begins with the token for server in ts. If save is not
// nil, it is called with each new token before a caller gets it. The callers that wait
// get an error of save; later ones get the new token.
func (c *Client) Source(ts Tokens, server string, save func(Token) error) *Source {
	renew := func(ctx context.Context, old Token) (Token, error) { return c.Refresh(ctx, server, old, "") }
	return &Source{client: c, renew: renew, save: save, token: ts[server]}
}

// Token implements oauth2.TokenSource. Its errors are those of Fresh.
func (s *Source) Token() (*oauth2.Token, error) {
	t, err := s.Fresh(context.Background(), "")
	if err != nil {
		return nil, err
	}
	return t.OAuth2(), nil
}

// Fresh is a TokenFunc. Its errors are those of Client.Refresh and of save.
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

// guarded calls f, and returns a panic as an error. A program's own functions run in
// goroutines of this package, where a panic would end the process.
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
