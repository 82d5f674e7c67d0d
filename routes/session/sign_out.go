package session

import (
	"context"
	"errors"
	"net/http"

	"example.org/portal/globus"
)

// SignOut deletes the record of the session whose cookie r brings, and returns the
// tokens that it held, for the caller to revoke. If there is no cookie or no record,
// SignOut succeeds and returns no tokens. If the store fails, SignOut returns a
// *StoreError, and deletion and revocation are retried in the background. SignOut
// leaves the cookie to the caller.
func (m *Manager) SignOut(r *http.Request) (globus.Tokens, error) {
	token := m.token(r)
	if token == "" {
		return nil, nil
	}
	return m.end(r.Context(), token)
}

// discard ends a session and revokes its tokens in the background.
func (m *Manager) discard(ctx context.Context, token string) {
	tokens, _ := m.end(ctx, token) // after an error, end retries both
	if len(tokens) > 0 {
		m.retries.running.Go(func() { m.revoke(context.WithoutCancel(ctx), tokens) })
	}
}

// end deletes a session's record and returns its tokens. If the store fails, end
// returns the error and retries in the background. It ignores that ctx is cancelled.
func (m *Manager) end(ctx context.Context, token string) (globus.Tokens, error) {
	ctx = context.WithoutCancel(ctx)
	tokens, err := m.destroy(ctx, token)
	if err != nil {
		m.retryDestroy(ctx, token, tokens)
		return nil, err
	}
	return tokens, nil
}

// destroy deletes a session's record and returns the tokens in it: none if the
// record does not open, or if another request deleted it. With an error it returns
// the tokens that it read before, because the store may have deleted the record
// although its answer was lost.
func (m *Manager) destroy(ctx context.Context, token string) (globus.Tokens, error) {
	loaded, s, err := m.load(ctx, token)
	switch {
	case errors.Is(err, ErrGone), errors.Is(err, errUnreadable):
		// scs has not loaded it and so cannot destroy it. A record that is gone is deleted
		// nevertheless: a server that has deleted it may not have told its replica yet.
		return nil, m.store.DeleteCtx(ctx, token)
	case err != nil:
		return nil, err
	}
	if err := m.scs.Destroy(loaded); err != nil {
		return s.allTokens(), err
	}
	_, values, err := m.scs.Codec.Decode(stateOf(loaded).deleted)
	if err != nil {
		return nil, nil
	}
	return values[recordKey].(*Record).allTokens(), nil
}
