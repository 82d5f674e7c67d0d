//go:build unix

package session_test

import (
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"example.org/portal/routes/routestest/programs"
	"example.org/portal/routes/session"
)

// A server that does not answer is given 2 s, and no session ends by it.
func TestRedisHangs(t *testing.T) {
	t.Parallel() // it waits
	addr, process := programs.StartRedis(t)
	s := open(t, session.Config{Store: "redis://" + addr})
	b := s.signedIn()
	if err := process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	if resp := b.get("/me", http.StatusServiceUnavailable); len(resp.Cookies()) != 0 {
		t.Errorf("got Set-Cookie %q, want the cookie left alone", resp.Header.Values("Set-Cookie"))
	}
	if took := time.Since(begin); took > time.Minute {
		t.Errorf("it took %s, want 2 s", took)
	}
	if err := process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	b.get("/me", http.StatusOK)
	if told := s.log.String(); strings.Count(told, "session store down") != 1 || strings.Count(told, "session store up again") != 1 {
		t.Errorf("got log %s, want the store down, and up again", told)
	}
}
