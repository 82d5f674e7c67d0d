package session

import (
	"context"
	"errors"
	"net/http"
)

// Load returns the session whose cookie r brings, or nil if there is none. The only
// error is a *StoreError. If the session has ended, Load deletes it, revokes its
// tokens, and clears the cookie through w. A record that does not open is no
// session, but stays in the store: during an update of the app another version may
// open it. Load refreshes the grant of Globus Auth if that is due; if Globus cannot
// be reached, the session goes on.
func (m *Manager) Load(w http.ResponseWriter, r *http.Request) (*Session, error) {
	ctx, token := r.Context(), m.token(r)
	if token == "" {
		return nil, nil
	}
	_, s, err := m.current(ctx, token)
	if err == nil {
		err = m.refreshGrant(ctx, s)
	}
	switch {
	case errors.Is(err, errUnreadable):
		m.log.InfoContext(ctx, "session record not opened", "reason", err)
		return nil, nil
	case errors.Is(err, errEnded), errors.Is(err, errWithdrawn):
		m.log.InfoContext(ctx, "session over", "reason", err)
		m.ClearCookie(w)
		m.discard(ctx, token)
		return nil, nil
	case errors.Is(err, ErrGone):
		// The cookie stays: the session ended in another tab, and a new one may
		// begin there before the browser gets this response.
		return nil, nil
	case err != nil:
		return nil, err
	}
	return s, nil
}

// Alive reads the record of s again, and reports whether the session still exists
// and has not ended. If it returns an error, that is not known.
func (m *Manager) Alive(ctx context.Context, s *Session) (bool, error) {
	_, _, err := m.current(ctx, s.token)
	if errors.Is(err, ErrGone) {
		return false, nil
	}
	return err == nil, err
}

// current is load, but returns errEnded if the deadline has passed.
func (m *Manager) current(ctx context.Context, token string) (context.Context, *Session, error) {
	ctx, s, err := m.load(ctx, token)
	if err == nil && !m.now().Before(s.Deadline) {
		return nil, nil, errEnded
	}
	return ctx, s, err
}

// load loads the session of a token. The context that it returns is that of
// scs.Load, for Put, Commit and Destroy. The error is ErrGone if the store has no
// record, errUnreadable if the record does not open, or a *StoreError.
func (m *Manager) load(ctx context.Context, token string) (context.Context, *Session, error) {
	ctx, err := m.scs.Load(withState(ctx), token)
	if err != nil {
		return nil, nil, err
	}
	// For a token that it does not find, scs begins a new session, which has no
	// record and gets another token. It is dropped here: a token that the browser
	// made up, or whose session has ended, never becomes a session.
	rec, ok := m.scs.Get(ctx, recordKey).(*Record)
	if !ok {
		return nil, nil, ErrGone
	}
	return ctx, &Session{Record: *rec, Deadline: m.scs.Deadline(ctx), token: token}, nil
}
