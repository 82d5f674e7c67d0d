package session_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"

	"example.org/portal/globus"
	"example.org/portal/routes/routestest"
	"example.org/portal/routes/session"
)

const writers = 8

// note appends to the record something of the writer's own.
func note(writer, i int) func(*session.Record) {
	return func(rec *session.Record) {
		t := rec.Tokens[globus.TransferServer]
		t.Scopes = append(t.Scopes, fmt.Sprint(writer, ".", i))
		rec.Tokens[globus.TransferServer] = t
	}
}

func notes(rec session.Record) []string {
	return slices.Sorted(slices.Values(rec.Tokens[globus.TransferServer].Scopes))
}

// Nothing is lost between writers who come at once.
func TestUpdateConcurrently(t *testing.T) {
	overStores(t, func(t *testing.T, store string) {
		s := open(t, session.Config{Store: store})
		signedIn, err := s.SignIn(t.Context(), record(s.clock.Now()))
		if err != nil {
			t.Fatal(err)
		}
		const each = 10
		var want []string
		var all sync.WaitGroup
		for writer := range writers {
			for i := range each {
				want = append(want, fmt.Sprint(writer, ".", i))
			}
			all.Go(func() {
				mine := *signedIn
				for i := range each {
					if err := s.Update(t.Context(), &mine, note(writer, i)); err != nil {
						t.Error(err)
						return
					}
					if !slices.Contains(notes(mine.Record), fmt.Sprint(writer, ".", i)) {
						t.Error("the session does not show what was written")
					}
				}
			})
		}
		all.Wait()
		got, err := s.Load(httptest.NewRecorder(), s.request(signedIn))
		if err != nil || got == nil {
			t.Fatalf("got %v, %v, want the session", got, err)
		}
		slices.Sort(want)
		if !slices.Equal(notes(got.Record), want) {
			t.Errorf("got %d notes, want %d: %q", len(notes(got.Record)), len(want), notes(got.Record))
		}
		if !got.Deadline.Equal(signedIn.Deadline) {
			t.Errorf("got deadline %s, want it unchanged: %s", got.Deadline, signedIn.Deadline)
		}
	})
}

// Who has signed out is out, whoever writes meanwhile.
func TestUpdateNeverRevives(t *testing.T) {
	overStores(t, func(t *testing.T, store string) {
		s := open(t, session.Config{Store: store})
		for range routestest.Rounds() {
			signedIn, err := s.SignIn(t.Context(), record(s.clock.Now()))
			if err != nil {
				t.Fatal(err)
			}
			wrote := make(chan struct{}, writers)
			var all sync.WaitGroup
			for writer := range writers {
				all.Go(func() {
					mine := *signedIn
					for i := 0; ; i++ {
						err := s.Update(t.Context(), &mine, note(writer, i))
						if errors.Is(err, session.ErrGone) {
							return
						}
						if err != nil {
							t.Errorf("got %v, want %v", err, session.ErrGone)
							return
						}
						select {
						case wrote <- struct{}{}:
						default:
						}
					}
				})
			}
			<-wrote // they are at it
			if _, err := s.SignOut(s.request(signedIn)); err != nil {
				t.Error(err)
			}
			// From here on: not a moment in which the session is back.
			if left := len(s.records()); left != 0 {
				t.Errorf("%d records are left after SignOut, want 0", left)
			}
			all.Wait()
			if left := len(s.records()); left != 0 {
				t.Fatalf("%d records are left, want 0: revived", left)
			}
			if got, err := s.Load(httptest.NewRecorder(), s.request(signedIn)); got != nil || err != nil {
				t.Fatalf("got %v, %v, want no session", got, err)
			}
		}
	})
}

func TestUpdateGone(t *testing.T) {
	overStores(t, func(t *testing.T, store string) {
		s := open(t, session.Config{Store: store})
		signedIn, err := s.SignIn(t.Context(), record(s.clock.Now()))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.SignOut(s.request(signedIn)); err != nil {
			t.Fatal(err)
		}
		called := false
		if err := s.Update(t.Context(), signedIn, func(*session.Record) { called = true }); !errors.Is(err, session.ErrGone) || called {
			t.Errorf("got %v, called %t, want %v", err, called, session.ErrGone)
		}
	})
}

// Requests of one session that are under way when it is signed out end well.
func TestRequestsDuringSignOut(t *testing.T) {
	overStores(t, func(t *testing.T, store string) {
		s := open(t, session.Config{Store: store})
		for range 10 {
			b := s.signedIn()
			cookie := b.cookie()
			var all sync.WaitGroup
			for range 4 {
				all.Go(func() {
					reader := s.browser()
					reader.setCookie(cookie)
					resp, err := reader.http.Get(s.url + "/me")
					if err != nil {
						t.Error(err)
						return
					}
					resp.Body.Close()
					if resp.StatusCode != http.StatusOK && resp.StatusCode != http.StatusUnauthorized {
						t.Errorf("got %d, want 200 or 401", resp.StatusCode)
					}
				})
			}
			b.get("/out", http.StatusOK)
			all.Wait()
			b.setCookie(cookie)
			b.get("/me", http.StatusUnauthorized)
		}
	})
}
