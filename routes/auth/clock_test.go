package auth_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"example.org/portal/globus/globustest"
	"example.org/portal/routes/routestest"
)

// TestClockSkew: clocks may be a little apart; beyond that nobody is signed in,
// and the log names the likely cause.
func TestClockSkew(t *testing.T) {
	t.Parallel()
	for _, ahead := range []time.Duration{4 * time.Minute, 6 * time.Minute, 24 * time.Hour} {
		for _, skew := range []time.Duration{ahead, -ahead} {
			t.Run(skew.String(), func(t *testing.T) {
				auth := globustest.NewServer(globustest.Config{Key: routestest.SigningKey(), Now: func() time.Time { return time.Now().Add(skew) }})
				t.Cleanup(auth.Close)
				s := routestest.Start(t, routestest.Options{Globus: auth})
				want := http.StatusOK
				if skew.Abs() > 5*time.Minute {
					want = http.StatusServiceUnavailable
				}
				if p := s.Browser().SignIn("rosalind"); p.Status != want {
					t.Errorf("got %d, want %d:\n%s", p.Status, want, p.Body)
				}
				if hint := strings.Contains(s.Log.String(), "is this machine's clock right?"); hint == (want == http.StatusOK) {
					t.Errorf("the log blames the clock: %v:\n%s", hint, s.Log)
				}
			})
		}
	}
}

// TestClockSetBack: when a wrong clock is corrected while the app runs, sessions that
// have ended stay ended, and the others continue.
func TestClockSetBack(t *testing.T) {
	t.Parallel()
	var c routestest.Clock
	s := routestest.Start(t, routestest.Options{Now: c.Now})
	old := s.Browser()
	old.SignIn("rosalind")
	name, session := old.Cookie("session")
	c.Pass(8 * 24 * time.Hour)
	old.Get("/")
	ada := s.Browser()
	ada.SignIn("ada")
	halfway := s.Browser()
	callback := halfway.Callback("rosalind")

	c.Pass(-8 * 24 * time.Hour)
	if p := s.Browser().Get("/user", "Cookie", name+"="+session); strings.Contains(p.Body, "Rosalind") {
		t.Error("a session that was over is back")
	}
	if p := ada.Get("/"); !strings.Contains(p.Body, "Ada Lovelace") {
		t.Errorf("a session that goes on is gone:\n%s", p.Body)
	}
	if p := halfway.Get(callback); p.Status != http.StatusBadRequest || halfway.SignedIn() {
		t.Errorf("an attempt from the future: got %d, want 400", p.Status)
	}
	if p := halfway.SignIn("rosalind"); !strings.Contains(p.Body, "Rosalind") {
		t.Errorf("nobody can sign in any more: %d\n%s", p.Status, s.Log)
	}
}
