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
	maxRefresh       = 10 * time.Second // one refresh
	maxGrantWait     = 2 * time.Second  // how long Load waits for a refresh
	refreshRetryWait = 5 * time.Second  // after a failed refresh
)

// A refresher refreshes each token once for all requests that wait for it.
type refresher struct {
	refresh func(ctx context.Context, server string, old globus.Token, subject string) (globus.Token, error)
	flight  singleflight.Group // by session and resource server

	mu     sync.Mutex
	failed map[string]failedRefresh // recent ones, by session and resource server
}

type failedRefresh struct {
	err   error
	until time.Time // no retry before
}

// Token returns the token of s for a resource server, and refreshes it first if it
// has expired or is the access token rejected. It is the globus.TokenFunc of a session.
// The errors are ErrGone, globus.ErrNoToken, a *StoreError, or the *globus.Error of a
// failed refresh.
func (m *Manager) Token(ctx context.Context, s *Session, server, rejected string) (globus.Token, error) {
	t, ok := s.Tokens[server]
	if !ok {
		return globus.Token{}, globus.ErrNoToken
	}
	for range 2 {
		if t.Fresh(m.now()) && t.AccessToken != rejected {
			return t, nil
		}
		// A refresh that is in flight already may not know that the token was rejected
		// and return it again; hence two rounds.
		var err error
		if t, err = m.sharedRefresh(ctx, *s, server, rejected); err != nil {
			return globus.Token{}, err
		}
	}
	return t, nil
}

// refreshGrant refreshes the token of Globus Auth if that is due. It returns
// errWithdrawn if that ended the session, and ErrGone if the session ended otherwise.
// Other errors do not end a session.
func (m *Manager) refreshGrant(ctx context.Context, s *Session) error {
	t := s.Tokens[globus.AuthServer]
	if t.RefreshToken == "" || t.Fresh(m.now()) {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, maxGrantWait)
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

// sharedRefresh calls refreshToken once for all requests that wait for it. The call
// goes on if one of them is cancelled.
func (m *Manager) sharedRefresh(ctx context.Context, s Session, server, rejected string) (globus.Token, error) {
	key := storeKey(s.token) + " " + server
	done := m.refresh.flight.DoChan(key, func() (token any, err error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), maxRefresh)
		defer cancel()
		defer func() { // a panic in this goroutine would end the process
			if p := recover(); p != nil {
				m.log.ErrorContext(ctx, "panic", "stack", string(debug.Stack()))
				token, err = globus.Token{}, fmt.Errorf("panic: %T", p)
			}
		}()
		return m.refreshToken(ctx, &s, key, server, rejected)
	})
	select {
	case <-ctx.Done():
		return globus.Token{}, &globus.Error{Call: "refresh", Reason: globus.Timeout}
	case result := <-done:
		return result.Val.(globus.Token), result.Err
	}
}

// refreshToken refreshes a token, unless another request or another instance has done
// so since s was read.
func (m *Manager) refreshToken(ctx context.Context, s *Session, key, server, rejected string) (globus.Token, error) {
	_, now, err := m.current(ctx, s.token)
	if err != nil {
		return globus.Token{}, err
	}
	t, ok := now.Tokens[server]
	if !ok {
		return globus.Token{}, globus.ErrNoToken
	}
	if t.Fresh(m.now()) && t.AccessToken != rejected {
		return t, nil
	}
	fresh, err := m.askGlobus(ctx, key, server, t, now.Identity.Subject)
	switch {
	case err == nil:
		return m.saveToken(ctx, s, server, t, fresh)
	case globus.IsInvalidGrant(err):
		return m.dropGrant(ctx, s, server, t)
	case m.now().Before(t.Expiry) && t.AccessToken != rejected:
		return t, nil // it has not expired yet
	}
	return globus.Token{}, err
}

// askGlobus refreshes t at Globus, unless that failed less than refreshRetryWait ago.
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
	r.failed[key] = failedRefresh{err, now.Add(refreshRetryWait)}
	return globus.Token{}, err
}
