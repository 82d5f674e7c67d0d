package session

import (
	"context"
	"errors"
	"net/http"
	"time"
)

// Load returns the session of the browser that sent r, or nil if it has none.
// The only error is a *StoreError. A session that has ended is deleted, and its
// cookie expired through w. A record that does not open is no session, but stays:
// during an update another version of the app may know how to open it. The grant
// of Globus is refreshed when that is due; a Globus that is down ends no session.
func (m *Manager) Load(w http.ResponseWriter, r *http.Request) (*Session, error) {
	s, err := m.Peek(r)
	if s != nil {
		err = m.keepAlive(r.Context(), s)
	}
	switch {
	case errors.Is(err, errUnreadable):
		m.log.InfoContext(r.Context(), "session record not opened", "reason", err)
		return nil, nil
	case errors.Is(err, errEnded), errors.Is(err, errWithdrawn):
		m.log.InfoContext(r.Context(), "session over", "reason", err)
		m.ClearCookie(w)
		tokens, _ := m.SignOut(r) // it is tried again by itself
		if len(tokens) > 0 {      // the page need not wait for it
			m.retries.busy.Go(func() { m.refresh.revoke(context.WithoutCancel(r.Context()), tokens) })
		}
		return nil, nil
	case errors.Is(err, ErrGone):
		return nil, nil // ended by another request; see Peek for the cookie
	}
	return s, err
}

// Peek is Load, but does nothing about a session that has ended, which it
// returns, or cannot be read, which is an error.
func (m *Manager) Peek(r *http.Request) (*Session, error) {
	token := m.token(r)
	if token == "" {
		return nil, nil
	}
	sealed, found, err := m.store.find(r.Context(), token)
	if err != nil {
		return nil, err
	}
	// Where there is no record the cookie stays: the session was ended in
	// another tab, and a new one may have begun there by the time that this
	// answer arrives.
	if !found {
		return nil, nil
	}
	rec, deadline, err := m.unseal(token, sealed)
	if err != nil {
		return nil, err
	}
	return &Session{Record: *rec, Deadline: deadline, token: token}, nil
}

// read returns the record of a token as it is now, and as it is sealed. The
// error is ErrGone if there is none any more.
func (m *Manager) read(ctx context.Context, token string) (rec *Record, deadline time.Time, sealed []byte, err error) {
	sealed, found, err := m.store.find(ctx, token)
	if err != nil {
		return nil, time.Time{}, nil, err
	}
	if !found {
		return nil, time.Time{}, nil, ErrGone
	}
	rec, deadline, err = m.unseal(token, sealed)
	if err != nil {
		return nil, time.Time{}, nil, err
	}
	if !m.now().Before(deadline) {
		return nil, time.Time{}, nil, ErrGone
	}
	return rec, deadline, sealed, nil
}

// unseal opens a sealed record.
func (m *Manager) unseal(token string, sealed []byte) (*Record, time.Time, error) {
	plain, err := m.store.open(token, sealed)
	if err != nil {
		return nil, time.Time{}, err
	}
	deadline, values, err := m.scs.Codec.Decode(plain)
	if err != nil {
		return nil, time.Time{}, err
	}
	return values[recordKey].(*Record), deadline, nil
}
