package routes_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"example.org/portal/globus/globustest"
)

// TestClockSkew: clocks may be a little apart; beyond that nobody is signed in,
// and the log names the likely cause.
func TestClockSkew(t *testing.T) {
	for _, ahead := range []time.Duration{4 * time.Minute, 6 * time.Minute, 24 * time.Hour} {
		for _, skew := range []time.Duration{ahead, -ahead} {
			t.Run(skew.String(), func(t *testing.T) {
				auth := globustest.NewServer(globustest.Config{Key: signingKey(), Now: func() time.Time { return time.Now().Add(skew) }})
				t.Cleanup(auth.Close)
				s := start(t, options{auth: auth})
				want := http.StatusOK
				if skew.Abs() > 5*time.Minute {
					want = http.StatusServiceUnavailable
				}
				if p := s.browser().signIn("rosalind"); p.status != want {
					t.Errorf("got %d, want %d:\n%s", p.status, want, p.body)
				}
				if hint := strings.Contains(s.log.String(), "is this machine's clock right?"); hint == (want == http.StatusOK) {
					t.Errorf("the log blames the clock: %v:\n%s", hint, s.log)
				}
			})
		}
	}
}

// TestClockSetBack: when the clock was wrong, and is set right at run time,
// nothing that has ended comes back, and what goes on goes on.
func TestClockSetBack(t *testing.T) {
	var c clock
	s := start(t, options{now: c.now})
	old := s.browser()
	old.signIn("rosalind")
	name, session := old.cookie("session")
	c.pass(8 * 24 * time.Hour)
	old.get("/")
	ada := s.browser()
	ada.signIn("ada")
	halfway := s.browser()
	callback := halfway.callback("rosalind")

	c.pass(-8 * 24 * time.Hour)
	if p := s.browser().get("/user", "Cookie", name+"="+session); strings.Contains(p.body, "Rosalind") {
		t.Error("a session that was over is back")
	}
	if p := ada.get("/"); !strings.Contains(p.body, "Ada Lovelace") {
		t.Errorf("a session that goes on is gone:\n%s", p.body)
	}
	if p := halfway.get(callback); p.status != http.StatusBadRequest || halfway.signedIn() {
		t.Errorf("an attempt from the future: got %d, want 400", p.status)
	}
	if p := halfway.signIn("rosalind"); !strings.Contains(p.body, "Rosalind") {
		t.Errorf("nobody can sign in any more: %d\n%s", p.status, s.log)
	}
}
