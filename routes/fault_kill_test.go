package routes_test

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// rounds is how often a test of what happens by chance tries it.
func rounds() int {
	if os.Getenv("PORTAL_LONG") == "1" {
		return 100
	}
	return 10
}

// TestKillUnderLoad kills the app while people sign in and look at pages, again
// and again. Everybody whose browser was told that it is signed in, is.
func TestKillUnderLoad(t *testing.T) {
	const people = 20
	s, env := settings(t)
	var signedIn []*browser
	for round := range rounds() {
		app := run(t, s.dir, env)
		for _, b := range signedIn[max(0, len(signedIn)-people):] {
			if !b.signedIn() {
				t.Fatalf("round %d: a session was lost\n%s", round, app.log)
			}
		}
		signedIn = append(signedIn, signInUntil(t, s, people, 1+3*round%people, app.kill)...)
		wantNoneDamaged(t, app.log)
	}
	app := run(t, s.dir, env)
	for i, b := range signedIn {
		if !b.signedIn() {
			t.Errorf("session %d of %d was lost", i, len(signedIn))
		}
	}
	wantNoneDamaged(t, app.log)
	wantSound(t, filepath.Join(s.dir, "data", "sessions.db"))
	t.Logf("%d sessions survived %d kills", len(signedIn), rounds())
}

// signInUntil has people sign in at once, while others look at pages, and
// calls stop when some of them are signed in. It returns those who got that
// answer.
func signInUntil(t *testing.T, s *site, people, some int, stop func()) (signedIn []*browser) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	arrived := make(chan *browser, people)
	var all sync.WaitGroup
	callbacks := map[*browser]string{}
	for range people {
		b := s.browser()
		callbacks[b] = b.callback("rosalind")
	}
	for b, callback := range callbacks {
		all.Go(func() {
			if p, err := b.try(ctx, http.MethodGet, callback, nil); err == nil && p.status == http.StatusSeeOther {
				arrived <- b
			}
			for ctx.Err() == nil {
				_, _ = b.try(ctx, http.MethodGet, "/", nil)
			}
		})
	}
	for range some {
		signedIn = append(signedIn, <-arrived)
	}
	stop()
	cancel()
	all.Wait()
	close(arrived)
	for b := range arrived {
		signedIn = append(signedIn, b)
	}
	return signedIn
}

func wantNoneDamaged(t *testing.T, log *logBuffer) {
	t.Helper()
	if strings.Contains(log.String(), "cannot be read") {
		t.Errorf("a record is damaged:\n%s", log)
	}
}
