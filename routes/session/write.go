package session

import (
	"context"
	"errors"
	"net/http"
	"time"

	"example.org/portal/globus"
)

// SignIn inserts rec as a new session and returns it. No session of before is
// touched: end it with SignOut once this has succeeded.
func (m *Manager) SignIn(ctx context.Context, rec Record) (*Session, error) {
	ctx, err := m.scs.Load(ctx, "") // "" begins a new one, whose token Commit makes
	if err != nil {
		return nil, storeError(err)
	}
	m.scs.Put(ctx, recordKey, &rec)
	m.scs.SetDeadline(ctx, m.deadline(rec))
	if !m.now().Before(m.scs.Deadline(ctx)) {
		return nil, ErrGone
	}
	token, deadline, err := m.scs.Commit(ctx)
	if errors.Is(err, ErrTooLarge) {
		return nil, err
	}
	if err != nil {
		return nil, storeError(err)
	}
	return &Session{Record: rec, Deadline: deadline, token: token}, nil
}

// deadline returns when a session that begins with rec ends. Where the grant of
// Globus cannot be refreshed, that is a margin before its access token ends, as
// in the example of Globus's integration guide.
func (m *Manager) deadline(rec Record) time.Time {
	end := rec.Began.Add(m.scs.Lifetime)
	t, ok := rec.Tokens[globus.AuthServer]
	if last := t.Expiry.Add(-globus.Margin); ok && t.RefreshToken == "" && last.Before(end) {
		return last
	}
	return end
}

// SignOut deletes the record of the session whose cookie r brings, for good,
// and returns the tokens that it held to the last, to be revoked; if r brings
// none, or the session has ended already, that is success. If the store fails,
// deletion is tried again in the background, revocation included, and the
// *StoreError says that it is not done yet. The cookie is the caller's to clear.
func (m *Manager) SignOut(r *http.Request) (globus.Tokens, error) {
	token := m.token(r)
	if token == "" {
		return nil, nil
	}
	return m.retries.delete(r.Context(), token)
}

// End is SignOut for who has the session in hand, and not its cookie.
func (m *Manager) End(ctx context.Context, s *Session) (globus.Tokens, error) {
	return m.retries.delete(ctx, s.token)
}

// end deletes a record and returns its tokens: of one that cannot be read, or
// that another request deleted, none. With an error come those that it held just
// before, for the deletion may be done and only its answer lost.
func (m *Manager) end(ctx context.Context, token string) (globus.Tokens, error) {
	sealed, found, err := m.store.find(ctx, token)
	if err != nil || !found {
		return nil, err
	}
	taken, err := m.store.take(ctx, token)
	if err == nil {
		sealed = taken
	}
	rec, _, unreadable := m.unseal(token, sealed)
	if unreadable != nil {
		return nil, err
	}
	return rec.ending(), err
}

// Update changes the record of s by compare-and-swap: change is called with
// the record as it is now, again whenever another writer came between, and
// must do nothing else than change it. Update returns ErrGone, and writes
// nothing, if the session has ended.
func (m *Manager) Update(ctx context.Context, s *Session, change func(*Record)) error {
	for {
		rec, deadline, sealed, err := m.read(ctx, s.token)
		if err != nil {
			return err
		}
		change(rec)
		plain, err := m.scs.Codec.Encode(deadline, map[string]any{recordKey: rec})
		if err != nil {
			return err
		}
		swapped, err := m.store.swap(ctx, s.token, sealed, plain)
		if err != nil {
			return err
		}
		if swapped {
			s.Record = *rec
			return nil
		}
	}
}
