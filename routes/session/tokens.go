package session

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"example.org/portal/globus"
)

const (
	maxRefresh = 10 * time.Second // one refresh
	maxSave    = 5 * time.Second  // saving what came of it
	maxWait    = 2 * time.Second  // how long a page waits for its session's own
	failedFor  = 5 * time.Second  // how long a Globus that failed is left alone

	rotationTime = time.Second // how long another instance may take to save a token that it was given
)

// A refresher refreshes tokens once for all requests of a session that want it.
type refresher struct {
	refresh func(ctx context.Context, server string, old globus.Token, subject string) (globus.Token, error)
	revoke  func(ctx context.Context, tokens globus.Tokens)
	flight  singleflight.Group // by session and resource server

	mu     sync.Mutex
	failed map[string]failure // likewise: refreshes that failed just now
}

type failure struct {
	err   error
	until time.Time
}

// Token returns a token of s for a resource server that is good now, refreshed
// if that is due; it is the globus.TokenFunc of a session. The errors are
// ErrGone, globus.ErrNoToken, a *StoreError, or the *globus.Error of a refresh
// that failed when nothing else was at hand.
func (m *Manager) Token(ctx context.Context, s *Session, server, rejected string) (globus.Token, error) {
	t, ok := s.Tokens[server]
	if !ok {
		return globus.Token{}, globus.ErrNoToken
	}
	for range 2 {
		if t.Fresh(m.now()) && t.AccessToken != rejected {
			return t, nil
		}
		// Another request may be about it, without knowing what is rejected.
		var err error
		if t, err = m.renew(ctx, *s, server, rejected); err != nil {
			return globus.Token{}, err
		}
	}
	return t, nil
}

// keepAlive refreshes the grant of a session that is to go on, if that is due.
// It returns errEnded for one whose time is up, and ErrGone for one that has
// ended otherwise; if by its own hand, that is errWithdrawn.
func (m *Manager) keepAlive(ctx context.Context, s *Session) error {
	if !m.now().Before(s.Deadline) {
		return errEnded
	}
	t := s.Tokens[globus.AuthServer]
	if t.RefreshToken == "" || t.Fresh(m.now()) {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, maxWait)
	defer cancel()
	t, err := m.Token(ctx, s, globus.AuthServer, "")
	if errors.Is(err, ErrGone) {
		return err
	}
	if err == nil {
		s.Tokens[globus.AuthServer] = t
	}
	return nil
}

// renew is Token for a token that has to be looked at. The work goes on when a
// request that waits for it is cancelled.
func (m *Manager) renew(ctx context.Context, s Session, server, rejected string) (globus.Token, error) {
	key := storeKey(s.token) + " " + server
	done := m.refresh.flight.DoChan(key, func() (token any, err error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), maxRefresh)
		defer cancel()
		defer func() { // here, nobody else would recover, and the process would end
			if p := recover(); p != nil {
				m.log.ErrorContext(ctx, "panic", "stack", string(debug.Stack()))
				token, err = globus.Token{}, fmt.Errorf("panic: %T", p)
			}
		}()
		return m.renewOnce(ctx, &s, key, server, rejected)
	})
	select {
	case <-ctx.Done():
		return globus.Token{}, &globus.Error{Call: "refresh", Reason: globus.Timeout}
	case result := <-done:
		return result.Val.(globus.Token), result.Err
	}
}

// renewOnce reads the record anew, for another request or another instance may
// have refreshed its token meanwhile, and refreshes it if not.
func (m *Manager) renewOnce(ctx context.Context, s *Session, key, server, rejected string) (globus.Token, error) {
	rec, _, _, err := m.read(ctx, s.token)
	if err != nil {
		return globus.Token{}, err
	}
	t, ok := rec.Tokens[server]
	if !ok {
		return globus.Token{}, globus.ErrNoToken
	}
	if t.Fresh(m.now()) && t.AccessToken != rejected {
		return t, nil
	}
	fresh, err := m.askGlobus(ctx, key, server, t, rec.Identity.Subject)
	switch {
	case err == nil:
		return m.saveToken(ctx, s, server, t, fresh)
	case globus.IsInvalidGrant(err):
		return m.dropGrant(ctx, s, server, t)
	case m.now().Before(t.Expiry) && t.AccessToken != rejected:
		return t, nil // it will do until Globus is well again
	}
	return globus.Token{}, err
}

// askGlobus refreshes t, unless that failed a moment ago.
func (m *Manager) askGlobus(ctx context.Context, key, server string, t globus.Token, subject string) (globus.Token, error) {
	r := &m.refresh
	r.mu.Lock()
	last := r.failed[key]
	r.mu.Unlock()
	if m.now().Before(last.until) {
		return globus.Token{}, last.err
	}
	fresh, err := r.refresh(ctx, server, t, subject)
	if err == nil || globus.IsInvalidGrant(err) || errors.Is(err, globus.ErrNoToken) {
		return fresh, err
	}
	logged := []any{"resource_server", server, "reason", err}
	if remedy := globus.Remedy(err); remedy != "" {
		logged = append(logged, "remedy", remedy)
	}
	m.log.WarnContext(ctx, "token not refreshed", logged...)
	r.mu.Lock()
	defer r.mu.Unlock()
	now := m.now()
	for k, f := range r.failed {
		if now.After(f.until) {
			delete(r.failed, k)
		}
	}
	r.failed[key] = failure{err, now.Add(failedFor)}
	return globus.Token{}, err
}

// saveToken swaps a new token into the record in the place of old, and returns what
// the record holds then. Of several instances that refreshed at once, the token
// that ends last stays. If the session has ended meanwhile, fresh is revoked, and the error is ErrGone. However long Globus took,
// there is time for this.
func (m *Manager) saveToken(ctx context.Context, s *Session, server string, old, fresh globus.Token) (globus.Token, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), maxSave)
	defer cancel()
	err := m.Update(ctx, s, func(rec *Record) {
		now, spare := rec.Tokens[server], fresh
		switch {
		case now.AccessToken == old.AccessToken && !now.Fresh(m.now()): // it serves to its end, which is near
			spare, rec.Tokens[server] = globus.Token{}, fresh
		case now.AccessToken == old.AccessToken:
			spare, rec.Tokens[server] = globus.Token{AccessToken: now.AccessToken}, fresh
		case now.Expiry.Before(fresh.Expiry):
			spare, rec.Tokens[server] = now, fresh
		}
		rec.Replace(globus.Tokens{server: spare})
	})
	switch {
	case errors.Is(err, ErrGone):
		m.refresh.revoke(ctx, globus.Tokens{server: fresh}.Without(s.Tokens))
		return globus.Token{}, err
	case err != nil:
		// It is good all the same, and the old refresh token most likely too.
		m.log.ErrorContext(ctx, "token not saved", "resource_server", server, "reason", err)
		return fresh, nil
	}
	return s.Tokens[server], nil
}

// dropGrant does what follows when Globus says that the grant of t is withdrawn:
// it ends the session if the grant is that of Globus Auth itself, and otherwise
// drops the resource server's token. Where refresh tokens rotate, another instance
// may have spent this one a moment ago, and be about to save its successor: so
// the record is looked at again first.
func (m *Manager) dropGrant(ctx context.Context, s *Session, server string, t globus.Token) (globus.Token, error) {
	for _, wait := range []time.Duration{0, rotationTime} {
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return globus.Token{}, &globus.Error{Call: "refresh", Reason: globus.Timeout}
		}
		rec, _, _, err := m.read(ctx, s.token)
		if err != nil {
			return globus.Token{}, err
		}
		if now := rec.Tokens[server]; now.RefreshToken != t.RefreshToken || now.AccessToken != t.AccessToken {
			return now, nil
		}
	}
	m.log.InfoContext(ctx, "grant withdrawn", "resource_server", server)
	if server == globus.AuthServer {
		tokens, _ := m.retries.delete(ctx, s.token) // it is tried again by itself
		m.refresh.revoke(ctx, tokens)
		return globus.Token{}, errWithdrawn
	}
	m.refresh.revoke(ctx, globus.Tokens{server: t}) // no sign-out would find it
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
