// Package session keeps who is signed in, and the tokens that came with it.
//
// It is the only place that knows scs, which makes the session's token and
// drives the store. What scs would do by itself is not enough: here a record
// is inserted at sign-in, deleted at sign-out, and changed in between only by
// compare-and-swap, so that nothing that was deleted can come back; and it is
// sealed with a key that only the browser holds.
package session

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/alexedwards/scs/v2"

	"example.org/portal/globus"
)

// A Config says how sessions are kept.
type Config struct {
	// Store is where: "sqlite:" and a path, or "memory:".
	Store string

	// Lifetime is the longest that a session lasts; required.
	Lifetime time.Duration

	// Cookie is the session cookie but for its value and age; required.
	Cookie http.Cookie

	// Audience says whose sessions these are, such as the issuer and the
	// client id. A record that was sealed for another audience does not open.
	Audience string

	Log *slog.Logger     // required
	Now func() time.Time // nil means time.Now
}

// A Record is what is kept of one session.
type Record struct {
	Identity globus.Identity `json:"identity"`
	Tokens   globus.Tokens   `json:"tokens"`
	Began    time.Time       `json:"began"`
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

func (e *StoreError) Error() string { return "session store: " + e.Err.Error() }
func (e *StoreError) Unwrap() error { return e.Err }

var (
	errUnreadable = errors.New("the session record cannot be read")
	errEnded      = errors.New("its time is up")

	// ErrTooLarge is returned for a record of more than 64 KiB.
	ErrTooLarge = errors.New("the session record is too large")

	// ErrGone is returned by Update when the session has ended meanwhile, and by
	// SignIn when it would end before it begins.
	ErrGone = errors.New("the session has ended")
)

// margin is how long before its Globus access token a session ends, as in the
// example of Globus's integration guide.
const margin = 60 * time.Second

const recordKey = "record" // in scs's values

// A Manager keeps the sessions of one app. It is safe for concurrent use.
type Manager struct {
	scs     *scs.SessionManager
	store   *sealedStore
	cookie  http.Cookie
	log     *slog.Logger
	now     func() time.Time
	retries retries
}

// Open opens the store that cfg names.
func Open(cfg Config) (*Manager, error) {
	d, err := openDriver(cfg.Store, cfg.Log)
	if err != nil {
		return nil, err
	}
	m := &Manager{
		scs:    scs.New(),
		store:  &sealedStore{driver: d, audience: cfg.Audience},
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
	m.retries = newRetries(m.store, m.log)
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

// Load returns the session of the browser that sent r, or nil if it has none.
// The only error is a *StoreError. A session that has ended, or cannot be read,
// is deleted, and its cookie expired through w.
func (m *Manager) Load(w http.ResponseWriter, r *http.Request) (*Session, error) {
	s, err := m.Peek(r)
	if s != nil && !m.now().Before(s.Deadline) {
		err = errEnded
	}
	if errors.Is(err, errEnded) || errors.Is(err, errUnreadable) {
		m.log.InfoContext(r.Context(), "session over", "reason", err)
		m.ClearCookie(w)
		_ = m.SignOut(r) // it is tried again by itself
		return nil, nil
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
	ctx, err := m.scs.Load(r.Context(), token)
	if errors.Is(err, errUnreadable) {
		return nil, err
	}
	if err != nil {
		return nil, storeError(err)
	}
	// Where there is no record the cookie stays: the session was ended in
	// another tab, and a new one may have begun there by the time that this
	// answer arrives.
	rec, ok := m.scs.Get(ctx, recordKey).(*Record)
	if !ok {
		return nil, nil
	}
	return &Session{Record: *rec, Deadline: m.scs.Deadline(ctx), token: token}, nil
}

// SignIn inserts rec as a new session and returns it. No session of before is
// touched: end it with SignOut once this has succeeded.
func (m *Manager) SignIn(ctx context.Context, rec Record) (*Session, error) {
	ctx, err := m.scs.Load(ctx, "")
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

// deadline returns when a session that begins with rec ends.
func (m *Manager) deadline(rec Record) time.Time {
	end := rec.Began.Add(m.scs.Lifetime)
	if t, ok := rec.Tokens[globus.AuthServer]; ok && t.Expiry.Add(-margin).Before(end) {
		return t.Expiry.Add(-margin)
	}
	return end
}

// SignOut deletes the record of the session whose cookie r brings, for good;
// if it brings none, or the session has ended already, that is success. If the
// store fails, deletion is tried again in the background, and the *StoreError
// says that it is not done yet. The cookie is the caller's to clear.
func (m *Manager) SignOut(r *http.Request) error {
	token := m.token(r)
	if token == "" {
		return nil
	}
	return m.retries.delete(r.Context(), token)
}

// Update changes the record of s by compare-and-swap: change is called with
// the record as it is now, again whenever another writer came between, and
// must do nothing else than change it. Update returns ErrGone, and writes
// nothing, if the session has ended.
func (m *Manager) Update(ctx context.Context, s *Session, change func(*Record)) error {
	for {
		old, found, err := m.store.find(ctx, s.token)
		if err != nil {
			return err
		}
		if !found {
			return ErrGone
		}
		plain, err := m.store.open(s.token, old)
		if err != nil {
			return err
		}
		deadline, values, err := m.scs.Codec.Decode(plain)
		if err != nil {
			return err
		}
		if !m.now().Before(deadline) {
			return ErrGone
		}
		rec := values[recordKey].(*Record)
		change(rec)
		if plain, err = m.scs.Codec.Encode(deadline, values); err != nil {
			return err
		}
		swapped, err := m.store.swap(ctx, s.token, old, plain)
		if err != nil {
			return err
		}
		if swapped {
			s.Record = *rec
			return nil
		}
	}
}

func storeError(err error) error {
	if e, ok := errors.AsType[*StoreError](err); ok {
		return e
	}
	return &StoreError{err}
}
