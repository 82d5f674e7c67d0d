package routes_test

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"slices"
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
	if len(signedIn) < rounds() {
		t.Errorf("only %d sign-ins in %d rounds: that proves little", len(signedIn), rounds())
	}
	t.Logf("%d sessions survived %d kills", len(signedIn), rounds())
}

// signInUntil has people sign in at once, while others look at pages, and
// calls stop when some of them are answered. It returns those who were told
// that they are signed in.
func signInUntil(t *testing.T, s *site, people, some int, stop func()) (signedIn []*browser) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	answered := make(chan *browser, people) // nil: not signed in, by a store too slow perhaps
	var all sync.WaitGroup
	callbacks := map[*browser]string{}
	for range people {
		b := s.browser()
		callbacks[b] = b.callback("rosalind")
	}
	for b, callback := range callbacks {
		all.Go(func() {
			var told *browser
			if p, err := b.try(ctx, http.MethodGet, callback, nil); err == nil && p.status == http.StatusSeeOther {
				told = b
			}
			answered <- told
			for ctx.Err() == nil {
				_, _ = b.try(ctx, http.MethodGet, "/", nil)
			}
		})
	}
	for range some {
		signedIn = append(signedIn, <-answered)
	}
	stop()
	cancel()
	all.Wait()
	close(answered)
	for b := range answered {
		signedIn = append(signedIn, b)
	}
	return slices.DeleteFunc(signedIn, func(b *browser) bool { return b == nil })
}

func wantNoneDamaged(t *testing.T, log *logBuffer) {
	t.Helper()
	if strings.Contains(log.String(), "cannot be read") {
		t.Errorf("a record is damaged:\n%s", log)
	}
}
