package session_test

import (
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"example.org/portal/routes/session"
)

// TestMove: nobody has to sign in again after a move; whoever signed out of either store
// is out; and a move may be repeated while both are used.
func TestMove(t *testing.T) {
	t.Parallel()
	for from, to := range map[string]string{"sqlite": "postgres", "postgres": "redis", "redis": "sqlite"} {
		t.Run(from+" to "+to, func(t *testing.T) {
			t.Parallel()
			older, newer := open(t, session.Config{Store: newStore(t, from)}), open(t, session.Config{Store: newStore(t, to)})
			move := func(want session.Moved) {
				t.Helper()
				if got, err := session.Move(t.Context(), older.store, newer.store); err != nil || got != want {
					t.Errorf("got %+v, %v, want %+v", got, err, want)
				}
			}
			look := func(s *site, who *session.Session, signedIn bool) *session.Session {
				t.Helper()
				got, err := s.Load(httptest.NewRecorder(), s.request(who))
				if err != nil || (got != nil) != signedIn {
					t.Fatalf("got %v, %v, want signed in: %t", got, err, signedIn)
				}
				return got
			}
			signIn := func(s *site) *session.Session {
				t.Helper()
				got, err := s.SignIn(t.Context(), record(s.clock.Now()))
				if err != nil {
					t.Fatal(err)
				}
				return got
			}
			update := func(s *site, who *session.Session) {
				t.Helper()
				if err := s.Update(t.Context(), look(s, who, true), note(1, 1)); err != nil {
					t.Fatal(err)
				}
			}
			stays, outAtOld, outAtNew, changedAtOld, changedAtNew := signIn(older), signIn(older), signIn(older), signIn(older), signIn(older)
			own := signIn(newer)
			move(session.Moved{Copied: 5})
			expiries, err := newer.Expiries(t.Context())
			for key, got := range expiries {
				if off := got.Sub(stays.Deadline); off.Abs() > 10*time.Second {
					t.Errorf("%s expires %s off", key, off)
				}
			}
			if err != nil || len(expiries) != 11 { // with a mark for each that was copied
				t.Errorf("%d records, %v, want 11", len(expiries), err)
			}
			for _, who := range []*session.Session{stays, outAtOld, outAtNew, changedAtOld, changedAtNew} {
				look(newer, who, true)
			}
			move(session.Moved{Unchanged: 5})

			late := signIn(older)
			for s, who := range map[*site]*session.Session{older: outAtOld, newer: outAtNew} {
				if err := signOut(s, s.request(who)); err != nil {
					t.Fatal(err)
				}
			}
			update(older, changedAtOld)
			update(newer, changedAtNew)
			move(session.Moved{Copied: 1, Updated: 1, Ended: 1, Unchanged: 3})
			update(older, changedAtNew)
			move(session.Moved{Unchanged: 4, Diverged: 1})
			look(newer, stays, true)
			look(newer, late, true)
			look(newer, own, true)
			look(newer, outAtOld, false)
			look(newer, outAtNew, false)
			for _, who := range []*session.Session{changedAtOld, changedAtNew} {
				if got := look(newer, who, true); len(notes(got.Record)) != 1 {
					t.Errorf("got notes %q, want one", notes(got.Record))
				}
			}

			// An old store that is empty ends nothing.
			older.clear()
			move(session.Moved{})
			look(newer, stays, true)
		})
	}
	none := "sqlite:" + filepath.Join(t.TempDir(), "none.db")
	for _, from := range []string{none, "memory:", "x"} {
		if _, err := session.Move(t.Context(), from, newStore(t, "sqlite")); err == nil {
			t.Errorf("from %s: no error", from)
		}
	}
}
