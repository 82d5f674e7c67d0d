package session

import (
	"context"
	"errors"
	"time"

	"example.org/portal/globus"
)

const (
	maxSave = 5 * time.Second // saving a refreshed token

	// rotationWait is how long another instance may take to save a token that it
	// has refreshed.
	rotationWait = time.Second
)

// saveToken replaces old by fresh in the record, and returns the token that the record
// then has: if several instances refreshed at once, the one that expires last. If the
// session has ended, saveToken revokes fresh and returns ErrGone. It has maxSave even
// if Globus used up the time of ctx.
func (m *Manager) saveToken(ctx context.Context, s *Session, server string, old, fresh globus.Token) (globus.Token, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), maxSave)
	defer cancel()
	err := m.Update(ctx, s, func(rec *Record) {
		now, replaced := rec.Tokens[server], fresh
		switch {
		case now.AccessToken == old.AccessToken && !now.Fresh(m.now()): // it expires soon by itself
			replaced, rec.Tokens[server] = globus.Token{}, fresh
		case now.AccessToken == old.AccessToken:
			replaced, rec.Tokens[server] = globus.Token{AccessToken: now.AccessToken}, fresh
		case now.Expiry.Before(fresh.Expiry):
			replaced, rec.Tokens[server] = now, fresh
		}
		rec.Replace(globus.Tokens{server: replaced})
	})
	switch {
	case errors.Is(err, ErrGone):
		m.revoke(ctx, globus.Tokens{server: fresh}.Without(s.Tokens))
		return globus.Token{}, err
	case err != nil:
		// fresh is valid nevertheless, and the old refresh token most likely too.
		m.log.ErrorContext(ctx, "token not saved", "resource_server", server, "reason", err)
		return fresh, nil
	}
	return s.Tokens[server], nil
}

// dropGrant is called when Globus answers invalid_grant to a refresh of t. It ends the
// session if t is the token of Globus Auth, and otherwise deletes the token. It reads
// the record twice before: where refresh tokens rotate, another instance may just have
// used this one and not have saved the next one yet.
func (m *Manager) dropGrant(ctx context.Context, s *Session, server string, t globus.Token) (globus.Token, error) {
	for _, wait := range []time.Duration{0, rotationWait} {
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return globus.Token{}, &globus.Error{Call: "refresh", Reason: globus.Timeout}
		}
		_, read, err := m.current(ctx, s.token)
		if err != nil {
			return globus.Token{}, err
		}
		if now := read.Tokens[server]; now.RefreshToken != t.RefreshToken || now.AccessToken != t.AccessToken {
			return now, nil
		}
	}
	m.log.InfoContext(ctx, "grant withdrawn", "resource_server", server)
	if server == globus.AuthServer {
		m.discard(ctx, s.token)
		return globus.Token{}, errWithdrawn
	}
	m.revoke(ctx, globus.Tokens{server: t}) // no sign-out finds it any more
	err := m.Update(ctx, s, func(rec *Record) {
		if rec.Tokens[server].RefreshToken == t.RefreshToken {
			delete(rec.Tokens, server)
		}
	})
	if err != nil {
		return globus.Token{}, err
	}
	return globus.Token{}, globus.ErrNoToken
}
