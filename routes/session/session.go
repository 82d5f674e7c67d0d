// Package session keeps who is signed in, and the tokens that came with it.
//
// It is the only place that knows scs, which makes the session's token, keeps
// its deadline beside the record, and calls the store to insert. What scs would
// do by itself is not enough: here a record is inserted at sign-in, deleted at
// sign-out, and changed in between only by compare-and-swap, so that nothing that
// was deleted can come back; and it is sealed with a key that only the browser
// holds. scs's store for SQLite is not used: its calls cannot be given up.
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

// A Config says how sessions are kept.
type Config struct {
	// Store is where: "sqlite:" and a path, "redis:" or "rediss:" and the rest of
	// a URL, or "memory:".
	Store string

	// Lifetime is the longest that a session lasts; required.
	Lifetime time.Duration

	// Cookie is the session cookie but for its value and age; required.
	Cookie http.Cookie

	// Audience says whose sessions these are, such as the issuer and the
	// client id. A record that was sealed for another audience does not open.
	Audience string

	// Refresh obtains a new token for a resource server, as
	// globus.Client.Refresh does; Revoke ends tokens, as far as that goes.
	// Both are required.
	Refresh func(ctx context.Context, server string, old globus.Token, subject string) (globus.Token, error)
	Revoke  func(ctx context.Context, tokens globus.Tokens)

	// Observe is told of every call of the store: which it was (find, insert,
	// swap or take), what came of it (ok, failed or cancelled), and how long it
	// took. It may be called from several goroutines at once; nil means that
	// nobody wants to know.
	Observe func(operation, outcome string, took time.Duration)

	Log *slog.Logger     // required
	Now func() time.Time // nil means time.Now
}

// A Record is what is kept of one session.
type Record struct {
	Identity globus.Identity `json:"identity"`           // who signed in
	Tokens   globus.Tokens   `json:"tokens"`             // as last refreshed
	Replaced []string        `json:"replaced,omitempty"` // see Replace
	Began    time.Time       `json:"began"`              // when they signed in
	Facts    globus.Facts    `json:"facts"`              // what a policy is decided from
}

// A Session is a record as it was when it was read, and the cookie's token
// that opened it.
type Session struct {
	Record
	Deadline time.Time // when the session ends
	token    string
}

// A StoreError is a store that did not do what it was asked: nothing is known
// about the session then, and the browser keeps its cookie.
type StoreError struct{ Err error }

// Error is for the log.
func (e *StoreError) Error() string { return "session store: " + e.Err.Error() }

// Unwrap returns what the store said.
func (e *StoreError) Unwrap() error { return e.Err }

var (
	errUnreadable = errors.New("the session record cannot be read")
	errEnded      = errors.New("its time is up")

	// ErrTooLarge is returned for a record of more than 64 KiB.
	ErrTooLarge = errors.New("the session record is too large")

	// ErrGone is returned by Update and Token when the session has ended
	// meanwhile, and by SignIn when it would end before it begins.
	ErrGone = errors.New("the session has ended")

	errWithdrawn = fmt.Errorf("%w: its grant was withdrawn at Globus", ErrGone)
)

const recordKey = "record" // in scs's values

// A Manager keeps the sessions of one app. It is safe for concurrent use.
type Manager struct {
	scs     *scs.SessionManager
	store   *sealedStore
	cookie  http.Cookie
	log     *slog.Logger
	now     func() time.Time
	retries retries
	refresh refresher
}

// Open opens the store that cfg names.
func Open(cfg Config) (*Manager, error) {
	ctx, cancel := context.WithTimeout(context.Background(), maxOpen)
	defer cancel()
	d, err := openDriver(ctx, cfg.Store, cfg.Log)
	if err != nil {
		return nil, err
	}
	if r, ok := d.(*redisDriver); ok {
		for _, doubt := range r.doubts(ctx) {
			cfg.Log.Warn("session store", "reason", doubt.Found, "remedy", doubt.Remedy)
		}
	}
	m := &Manager{
		scs:    scs.New(),
		store:  &sealedStore{driver: newObservedDriver(d, cfg), audience: cfg.Audience},
		cookie: cfg.Cookie,
		log:    cfg.Log,
		now:    cfg.Now,
	}
	if m.now == nil {
		m.now = time.Now
	}
	m.scs.Store = m.store
	m.scs.Codec = codec{}
	m.scs.Lifetime = cfg.Lifetime
	m.retries = newRetries(m, cfg)
	m.refresh = refresher{refresh: cfg.Refresh, revoke: cfg.Revoke, failed: map[string]failure{}}
	return m, nil
}

// Close ends what goes on in the background and closes the store.
func (m *Manager) Close() error {
	m.retries.stop()
	return m.store.driver.Close()
}

// Ready returns nil if the store answers.
func (m *Manager) Ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, maxCall)
	defer cancel()
	_, _, err := m.store.driver.FindCtx(ctx, "readiness")
	return err
}

func storeError(err error) error {
	if e, ok := errors.AsType[*StoreError](err); ok {
		return e
	}
	return &StoreError{err}
}
