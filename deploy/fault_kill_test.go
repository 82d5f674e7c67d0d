package deploy_test

import (
	"context"
	"net/http"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"example.org/portal/routes/routestest"
)

// TestKillUnderLoad kills the app while people sign in and look at pages, again
// and again. Everybody whose browser was told that it is signed in, is.
func TestKillUnderLoad(t *testing.T) {
	t.Parallel()
	const people = 20
	s, env := settings(t)
	var signedIn []*routestest.Browser
	for round := range routestest.Rounds() {
		app := run(t, s.Dir, env)
		for _, b := range signedIn[max(0, len(signedIn)-people):] {
			if !b.SignedIn() {
				t.Fatalf("round %d: a session was lost\n%s", round, app.log)
			}
		}
		signedIn = append(signedIn, signInUntil(t, s, people, 1+3*round%people, app.kill)...)
		routestest.WantNoneDamaged(t, app.log)
	}
	app := run(t, s.Dir, env)
	for i, b := range signedIn {
		if !b.SignedIn() {
			t.Errorf("session %d of %d was lost", i, len(signedIn))
		}
	}
	routestest.WantNoneDamaged(t, app.log)
	routestest.WantSound(t, filepath.Join(s.Dir, "data", "sessions.db"))
	if len(signedIn) < routestest.Rounds() {
		t.Errorf("only %d sign-ins in %d rounds: that proves little", len(signedIn), routestest.Rounds())
	}
	t.Logf("%d sessions survived %d kills", len(signedIn), routestest.Rounds())
}

// signInUntil has people sign in at once, while others look at pages, and
// calls stop when some of them are answered. It returns those who were told
// that they are signed in.
func signInUntil(t *testing.T, s *routestest.Site, people, some int, stop func()) (signedIn []*routestest.Browser) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	answered := make(chan *routestest.Browser, people) // nil: not signed in, by a store too slow perhaps
	var all sync.WaitGroup
	callbacks := map[*routestest.Browser]string{}
	for range people {
		b := s.Browser()
		callbacks[b] = b.Callback("rosalind")
	}
	for b, callback := range callbacks {
		all.Go(func() {
			var told *routestest.Browser
			if p, err := b.Try(ctx, http.MethodGet, callback, nil); err == nil && p.Status == http.StatusSeeOther {
				told = b
			}
			answered <- told
			for ctx.Err() == nil {
				_, _ = b.Try(ctx, http.MethodGet, "/", nil)
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
	return slices.DeleteFunc(signedIn, func(b *routestest.Browser) bool { return b == nil })
}
