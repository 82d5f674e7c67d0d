package session

import (
	"context"
	"time"

	"example.org/portal/globus"
)

// SignIn stores rec as a new session and returns it. It leaves the session that the
// browser had before alone: end that with SignOut after SignIn has succeeded. The
// errors are ErrGone if the session would have ended already, ErrTooLarge, or a
// *StoreError.
func (m *Manager) SignIn(ctx context.Context, rec Record) (*Session, error) {
	deadline := m.deadline(rec)
	if !m.now().Before(deadline) {
		return nil, ErrGone
	}
	ctx, err := m.scs.Load(withState(ctx), "") // a new session; Commit makes its token
	if err != nil {
		return nil, err
	}
	m.scs.Put(ctx, recordKey, &rec)
	m.scs.SetDeadline(ctx, deadline)
	token, deadline, err := m.scs.Commit(ctx)
	if err != nil {
		return nil, err
	}
	return &Session{Record: rec, Deadline: deadline, token: token}, nil
}

// deadline returns when a session that begins with rec ends. Without a refresh token
// for Globus Auth, it ends a margin before its access token expires, as in the
// example of Globus's integration guide.
func (m *Manager) deadline(rec Record) time.Time {
	end := rec.Began.Add(m.scs.Lifetime)
	t, ok := rec.Tokens[globus.AuthServer]
	if last := t.Expiry.Add(-globus.Margin); ok && t.RefreshToken == "" && last.Before(end) {
		return last
	}
	return end
}
