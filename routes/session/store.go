package session

import (
	"context"
	"errors"
	"time"
)

// A sealedStore is the scs.CtxStore between scs and a driver. scs calls it with
// the cookie's token; the driver gets a hash of the token as the key, and a
// sealed record (seal.go). Every call ends within maxCall. All errors of the
// driver are returned as *StoreError.
type sealedStore struct {
	driver   driver
	audience string
}

// errConflict is returned by CommitCtx if another request changed or deleted the
// record after FindCtx read it. Nothing is written then.
var errConflict = errors.New("another request changed the session record")

// A storeState is what scs.CtxStore has no parameters for. One is in the context
// of each scs.Load and of the Commit or Destroy that follows.
type storeState struct {
	sealed  []byte // the record that FindCtx read, or CommitCtx wrote; nil: none
	deleted []byte // the record that DeleteCtx deleted, opened; nil: none
}

type stateKey struct{}

func withState(ctx context.Context) context.Context {
	return context.WithValue(ctx, stateKey{}, new(storeState))
}

func stateOf(ctx context.Context) *storeState {
	if state, ok := ctx.Value(stateKey{}).(*storeState); ok {
		return state
	}
	return new(storeState)
}

// FindCtx reads and opens a record. The error is errUnreadable if it does not open.
func (s *sealedStore) FindCtx(ctx context.Context, token string) ([]byte, bool, error) {
	ctx, cancel := context.WithTimeout(ctx, maxCall)
	defer cancel()
	k := keysOf(token)
	sealed, found, err := s.driver.Find(ctx, k.store)
	if err != nil {
		return nil, false, &StoreError{err}
	}
	if !found {
		return nil, false, nil
	}
	plain, err := s.open(k, sealed)
	if err != nil {
		return nil, false, err
	}
	stateOf(ctx).sealed = sealed
	return plain, true, nil
}

// CommitCtx inserts a record. If FindCtx read one before, CommitCtx replaces it
// instead, in one step and only if it is unchanged (compare-and-swap), and leaves
// its expiry as it is. The error is errConflict if the record has changed.
func (s *sealedStore) CommitCtx(ctx context.Context, token string, plain []byte, expiry time.Time) error {
	k := keysOf(token)
	sealed, err := s.seal(k, plain)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, maxCall)
	defer cancel()
	state, done := stateOf(ctx), true
	if state.sealed == nil {
		err = s.driver.Insert(ctx, k.store, sealed, expiry)
	} else {
		done, err = s.driver.Swap(ctx, k.store, state.sealed, sealed)
	}
	switch {
	case err != nil:
		return &StoreError{err}
	case !done:
		return errConflict
	}
	state.sealed = sealed
	return nil
}

// DeleteCtx deletes a record, and keeps what it deleted in the storeState of ctx,
// so that its tokens can be revoked.
func (s *sealedStore) DeleteCtx(ctx context.Context, token string) error {
	ctx, cancel := context.WithTimeout(ctx, maxCall)
	defer cancel()
	k := keysOf(token)
	sealed, err := s.driver.Take(ctx, k.store)
	if err != nil {
		return &StoreError{err}
	}
	if plain, err := s.open(k, sealed); err == nil {
		stateOf(ctx).deleted = plain
	}
	return nil
}

// scs.CtxStore includes the methods without a context; scs does not call them.

func (s *sealedStore) Find(token string) ([]byte, bool, error) {
	return s.FindCtx(context.Background(), token)
}

func (s *sealedStore) Commit(token string, plain []byte, expiry time.Time) error {
	return s.CommitCtx(context.Background(), token, plain, expiry)
}

func (s *sealedStore) Delete(token string) error {
	return s.DeleteCtx(context.Background(), token)
}
