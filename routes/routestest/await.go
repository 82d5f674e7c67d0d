package routestest

import (
	"os"
	"sync/atomic"
	"testing"
	"time"
)

// patience is how long a wait goes on while nothing moves. No machine is that
// slow, and only a test that fails waits that long.
const patience = 2 * time.Minute

// moves counts what happens at the sites and in the browsers of all tests: log
// lines, requests, and what a tab does.
var moves atomic.Int64

// Await polls until ok returns true. It fails the test when nothing has moved at
// any site or in any browser for two minutes, or after five minutes.
func Await(t testing.TB, what string, ok func() bool) {
	t.Helper()
	begin := time.Now()
	seen, since := moves.Load(), begin
	for pause := 2 * time.Millisecond; !ok(); pause = min(2*pause, 50*time.Millisecond) {
		if n := moves.Load(); n != seen {
			seen, since = n, time.Now()
		}
		if time.Since(since) > patience || time.Since(begin) > 5*time.Minute {
			t.Fatalf("waited in vain until %s", what)
		}
		select {
		case <-t.Context().Done():
			t.Fatal(t.Context().Err())
		case <-time.After(pause):
		}
	}
}

// Rounds is how often a test of what happens by chance tries it: 10 times, or
// 100 with PORTAL_LONG=1.
func Rounds() int {
	if os.Getenv("PORTAL_LONG") == "1" {
		return 100
	}
	return 10
}
