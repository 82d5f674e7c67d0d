package session_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"example.org/portal/routes/session"
)

// lock keeps all others from writing until the returned function is called.
func (s *site) lock(how string) (unlock func()) {
	s.Helper()
	conn, err := s.database().Conn(s.Context())
	if err != nil {
		s.Fatal(err)
	}
	if _, err := conn.ExecContext(s.Context(), how); err != nil {
		s.Fatal(err)
	}
	return func() {
		s.Helper()
		if _, err := conn.ExecContext(context.Background(), "ROLLBACK"); err != nil {
			s.Error(err)
		}
		conn.Close()
	}
}

func wantStoreError(t *testing.T, what string, err error) {
	t.Helper()
	if _, ok := errors.AsType[*session.StoreError](err); !ok {
		t.Errorf("%s: got %v, want a *StoreError", what, err)
	}
	if err != nil && strings.Contains(strings.ToLower(err.Error()), "canary") {
		t.Errorf("%s: the error tells a secret: %v", what, err)
	}
}

func TestStoreLocked(t *testing.T) {
	for _, how := range []string{"BEGIN IMMEDIATE", "BEGIN EXCLUSIVE"} {
		t.Run(how, func(t *testing.T) {
			t.Parallel() // it waits
			s := open(t, session.Config{})
			b := s.signedIn()
			signedIn, err := s.SignIn(t.Context(), record(s.clock.Now()))
			if err != nil {
				t.Fatal(err)
			}
			r := s.request(signedIn)
			unlock := s.lock(how)

			// Each waits 2 s at most, for its turn and for the lock together.
			begin := time.Now()
			failed := make(chan error)
			go func() {
				_, err := s.SignIn(t.Context(), record(s.clock.Now()))
				failed <- err
			}()
			go func() { failed <- signOut(s, r) }()
			go func() { failed <- s.Update(t.Context(), signedIn, func(*session.Record) {}) }()
			b.get("/me", http.StatusOK) // reading goes on
			if err := s.Ready(t.Context()); err != nil {
				t.Errorf("Ready: %v", err)
			}
			for range 3 {
				wantStoreError(t, "locked", <-failed)
			}
			if took := time.Since(begin); took > time.Minute {
				t.Errorf("it took %s, want 2 s", took)
			}
			if got, err := s.Load(httptest.NewRecorder(), r); got == nil || err != nil {
				t.Errorf("got %v, %v, want the session, which could not be deleted yet", got, err)
			}

			unlock()
			await(t, "the session is deleted", func() bool {
				got, err := s.Load(httptest.NewRecorder(), r)
				return got == nil && err == nil
			})
			await(t, "the log tells", func() bool { return strings.Contains(s.log.String(), "session deleted late") })
			await(t, "its tokens are revoked", func() bool { return s.revoked.has("canary-access-1") })
			if got := len(s.records()); got != 1 {
				t.Errorf("%d records, want 1: that of b, and none of the sign-in that failed", got)
			}
			b.get("/me", http.StatusOK)
			s.signedIn().get("/me", http.StatusOK)
		})
	}
}

// A request that is given up neither breaks its sign-out off, nor takes the
// cookie from the browser.
func TestRequestGivenUp(t *testing.T) {
	overStores(t, func(t *testing.T, store string) {
		s := open(t, session.Config{Store: store})
		signedIn, err := s.SignIn(t.Context(), record(s.clock.Now()))
		if err != nil {
			t.Fatal(err)
		}
		r := s.request(signedIn).WithContext(cancelled(t))
		w := httptest.NewRecorder()
		if got, err := s.Load(w, r); got != nil || len(w.Result().Cookies()) != 0 {
			t.Errorf("Load: got %v, cookies %v", got, w.Result().Cookies())
		} else {
			wantStoreError(t, "Load", err)
		}
		if _, err := s.SignOut(r); err != nil {
			t.Errorf("SignOut: %v", err)
		}
		if got := len(s.records()); got != 0 {
			t.Errorf("%d records are left, want 0", got)
		}
	})
}

// A store that does not answer says nothing about sessions: the cookie stays.
func TestStoreBroken(t *testing.T) {
	closed := func(s *site) {
		if err := s.Close(); err != nil {
			s.Error(err)
		}
	}
	tests := []struct {
		name, store string
		spoil       func(*site)
	}{
		{"closed", "sqlite", closed},
		{"closed", "memory", closed},
		{"closed", "redis", closed},
		{"no table", "sqlite", func(s *site) { mustExec(s.T, s.database(), "DROP TABLE sessions") }},
		{"values of another type", "redis", func(s *site) {
			for key := range s.records() {
				s.redis().Del(s.Context(), key)
				s.redis().RPush(s.Context(), key, "x")
			}
			s.redis().RPush(s.Context(), "portal:readiness", "x")
			s.redis().ConfigSet(s.Context(), "maxmemory", "1") // and nothing can be written
		}},
	}
	for _, tt := range tests {
		t.Run(tt.store+"/"+tt.name, func(t *testing.T) {
			s := open(t, session.Config{Store: newStore(t, tt.store)})
			b := s.signedIn()
			signedIn, err := s.SignIn(t.Context(), record(s.clock.Now()))
			if err != nil {
				t.Fatal(err)
			}
			tt.spoil(s)
			if resp := b.get("/me", http.StatusServiceUnavailable); len(resp.Cookies()) != 0 || b.cookie() == "" {
				t.Errorf("Load: got Set-Cookie %q, want the cookie left alone", resp.Header.Values("Set-Cookie"))
			}
			_, err = s.Peek(s.request(signedIn))
			wantStoreError(t, "Peek", err)
			_, err = s.Alive(t.Context(), signedIn)
			wantStoreError(t, "Alive", err)
			wantStoreError(t, "Update", s.Update(t.Context(), signedIn, func(*session.Record) {}))
			wantStoreError(t, "SignOut", signOut(s, s.request(signedIn)))
			got, err := s.SignIn(t.Context(), record(s.clock.Now()))
			if wantStoreError(t, "SignIn", err); got != nil {
				t.Error("SignIn: got a session beside the error")
			}
			if s.Ready(t.Context()) == nil {
				t.Error("Ready: got success")
			}
		})
	}
}

// A sign-out that waits for the store is tried once more when the app stops.
func TestSignOutAtStop(t *testing.T) {
	t.Parallel() // it waits
	store := newStore(t, "sqlite")
	s := open(t, session.Config{Store: store})
	signedIn, err := s.SignIn(t.Context(), record(s.clock.Now()))
	if err != nil {
		t.Fatal(err)
	}
	unlock := s.lock("BEGIN IMMEDIATE")
	wantStoreError(t, "SignOut", signOut(s, s.request(signedIn)))
	unlock()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	again := open(t, session.Config{Store: store})
	if got := len(again.records()); got != 0 {
		t.Errorf("%d records are left, want 0", got)
	}
}
