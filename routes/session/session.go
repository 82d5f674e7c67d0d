// Package session stores who is signed in, and the tokens that Globus issued for
// them. It is the only package that uses scs.
//
// A session is one record, which scs loads and commits: Manager.SignIn inserts it,
// Manager.Load reads it, Manager.Update changes it, Manager.SignOut deletes it. Between
// scs and the store stands a sealedStore, an scs.CtxStore with three properties:
//
//   - It seals each record with a key that it derives from the cookie, which only the
//     browser has. A stolen store opens nothing.
//   - It swaps instead of overwriting: Commit replaces the record only if it still is
//     the one that Load read. On a conflict, Update loads the record again and repeats
//     the change. So no change is lost, and a session that ended does not come back.
//   - It returns what it deletes. So whoever ends a session has its latest tokens, to
//     revoke them.
//
// A store that fails says nothing about the session: the error is a *StoreError, and
// the browser keeps its cookie.
//
// Files: session.go has the types and Open; sign_in.go, load.go, update.go and
// sign_out.go the life of a session, and retry.go sign-outs for which the store failed;
// refresh.go and refresh_save.go the refresh of tokens, and replaced.go the tokens that
// it replaced; cookie.go the session cookie; signed_text.go signatures for links;
// store.go and seal.go the sealedStore, and codec.go and record_reader.go how a record is
// encoded and read; driver.go, sqlite*.go, postgres*.go and redis*.go the stores, sweep.go
// the deletion of expired records, and renew.go the replacement of a server that fails;
// observe.go their metrics and log; check.go what portal -check does with a store, move.go
// and list.go what portal -move-sessions does.
package session

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/alexedwards/scs/v2"

	"example.org/portal/globus"
)

// A Config configures a Manager.
type Config struct {
	// Store is where sessions are stored: "sqlite:" and a path, the URL of a PostgreSQL
	// ("postgres://") or a Redis ("redis://" or "rediss://"), or "memory:". Required; see
	// CheckStore.
	Store string

	// Lifetime is the longest that a session lasts; required.
	Lifetime time.Duration

	// Cookie is the session cookie, without Value and MaxAge; required.
	Cookie http.Cookie

	// Audience identifies the app, for example by issuer and client id. A record that
	// was sealed for another audience does not open. May be empty.
	Audience string

	// Refresh refreshes the token of a resource server, as globus.Client.Refresh
	// does; subject is the session's. Revoke revokes tokens. Both are required.
	Refresh func(ctx context.Context, server string, old globus.Token, subject string) (globus.Token, error)
	Revoke  func(ctx context.Context, tokens globus.Tokens)

	// Observe is called after every call of the store, with the operation (find,
	// insert, swap or take), the outcome (ok, failed or cancelled) and the duration.
	// It may be called from several goroutines at once. Nil means no observer.
	Observe func(operation, outcome string, took time.Duration)

	// Connected is called with the address of the server that a store connects to, and
	// again when that is another one. Nil means no observer.
	Connected func(server string)

	Log *slog.Logger     // required
	Now func() time.Time // nil means time.Now
}

// A Record is the stored part of a session.
type Record struct {
	Identity globus.Identity `json:"identity"`           // who signed in
	Tokens   globus.Tokens   `json:"tokens"`             // as last refreshed
	Replaced []string        `json:"replaced,omitempty"` // see Replace
	Began    time.Time       `json:"began"`              // when they signed in
	Facts    globus.Facts    `json:"facts"`              // from which access policies are decided
}

// A Session is a record as it was read from the store, and the token from the cookie.
type Session struct {
	Record
	Deadline time.Time // when the session ends
	token    string
}

// A StoreError is returned when the store fails. Whether the session exists is not
// known then, and the browser keeps its cookie.
type StoreError struct{ Err error }

// Error returns a text for the log.
func (e *StoreError) Error() string { return "session store: " + e.Err.Error() }

// Unwrap returns the store's own error.
func (e *StoreError) Unwrap() error { return e.Err }

var (
	// ErrTooLarge is returned for a record of more than 64 KiB.
	ErrTooLarge = errors.New("the session record is too large")

	// ErrGone is returned by Update and Token if the session has ended, and by
	// SignIn if it would have ended already.
	ErrGone = errors.New("the session has ended")

	errEnded      = fmt.Errorf("%w: its deadline has passed", ErrGone)
	errWithdrawn  = fmt.Errorf("%w: its grant was withdrawn at Globus", ErrGone)
	errUnreadable = errors.New("the session record cannot be read")
)

// A Manager manages the sessions of one app. It is safe for concurrent use.
type Manager struct {
	scs     *scs.SessionManager
	store   *sealedStore
	cookie  http.Cookie
	log     *slog.Logger
	now     func() time.Time
	revoke  func(context.Context, globus.Tokens)
	refresh refresher
	retries retries
}

// Open opens the store that cfg names.
func Open(cfg Config) (*Manager, error) {
	ctx, cancel := context.WithTimeout(context.Background(), maxOpen)
	defer cancel()
	d, err := openDriver(ctx, cfg.Store, cfg.Log, func(server string) {
		cfg.Log.Info("session store connected", "server", server)
		if cfg.Connected != nil {
			cfg.Connected(server)
		}
	})
	if err != nil {
		return nil, err
	}
	for _, doubt := range doubtsOf(ctx, d) {
		cfg.Log.Warn("session store", "reason", doubt.Found, "remedy", doubt.Remedy)
	}
	m := &Manager{
		scs:    scs.New(),
		store:  &sealedStore{driver: newObservedDriver(d, cfg), audience: cfg.Audience},
		cookie: cfg.Cookie,
		log:    cfg.Log,
		now:    cfg.Now,
		revoke: cfg.Revoke,
	}
	if m.now == nil {
		m.now = time.Now
	}
	m.scs.Store = m.store
	m.scs.Codec = codec{}
	m.scs.Lifetime = cfg.Lifetime
	m.refresh.refresh, m.refresh.failed = cfg.Refresh, map[string]failedRefresh{}
	m.retries.ctx, m.retries.cancel = context.WithCancel(context.Background())
	m.retries.slots = make(chan struct{}, maxRetries)
	return m, nil
}

// Close stops the work in the background and closes the store.
func (m *Manager) Close() error {
	m.retries.stop()
	return m.store.driver.Close()
}

// Server returns where the records are now: the address of the server that the store has
// connected to last, the path of a file, or "memory".
func (m *Manager) Server() string { return m.store.driver.Server() }

// Ready returns nil if the store answers.
func (m *Manager) Ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, maxCall)
	defer cancel()
	_, _, err := m.store.driver.Find(ctx, "readiness")
	return err
}
