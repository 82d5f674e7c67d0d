package session_test

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"example.org/portal/routes/routestest/programs"
	"example.org/portal/routes/session"
)

// A pointer is a name that leads to one server now, and to another later. Connections
// that are open stay where they are.
type pointer struct {
	addr string
	to   atomic.Pointer[string]
}

func newPointer(t *testing.T, to string) *pointer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	p := &pointer{addr: l.Addr().String()}
	p.to.Store(&to)
	go func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("tcp", *p.to.Load())
			if err != nil {
				near.Close()
				continue
			}
			go func() { _, _ = io.Copy(near, far); near.Close() }()
			go func() { _, _ = io.Copy(far, near); far.Close() }()
		}
	}()
	return p
}

// A server that was the primary, and is a replica now, is neither read nor written: all
// connections to it are dropped, so that the name leads to the new primary.
func TestRedisDemoted(t *testing.T) {
	t.Parallel()
	first, second := programs.NewRedis(t), programs.NewRedis(t)
	t.Cleanup(first.Remove)
	t.Cleanup(second.Remove)
	name := newPointer(t, first.Addr())
	s := open(t, session.Config{Store: "redis://" + name.addr})
	b := s.signedIn()
	second.Do(t, "replicaof", "127.0.0.1", first.Port)
	await(t, "the replica has the session", func() bool { return second.Do(t, "dbsize") == "1" })
	second.Do(t, "replicaof", "no", "one")
	first.Do(t, "replicaof", "127.0.0.1", second.Port)
	b.get("/me", http.StatusServiceUnavailable)
	if b.cookie() == "" {
		t.Error("the cookie is gone")
	}
	to := second.Addr()
	name.to.Store(&to)
	b.get("/me", http.StatusOK) // at once
	b.get("/out", http.StatusOK)
	if got := second.Do(t, "dbsize"); got != "0" {
		t.Errorf("%s records at the new primary, want 0", got)
	}
	if s.Server() != second.Addr() || !strings.Contains(s.log.String(), "server="+second.Addr()) {
		t.Errorf("got server %s, want %s, and the log to say so", s.Server(), second.Addr())
	}
}

// With wait=1, what no replica has is not acknowledged; nor is the sign-out of what is
// gone already.
func TestRedisWait(t *testing.T) {
	t.Parallel()
	one := programs.StartSentinels(t, 2, 1)
	t.Cleanup(one.Remove)
	s := open(t, session.Config{Store: "redis://" + one.Servers[0].Addr() + "?wait=1"})
	signedIn, err := s.SignIn(t.Context(), record(s.clock.Now()))
	if err != nil {
		t.Fatal(err)
	}
	gone, err := s.SignIn(t.Context(), record(s.clock.Now()))
	if err != nil {
		t.Fatal(err)
	}
	one.Servers[1].Kill()
	_, err = s.SignIn(t.Context(), record(s.clock.Now()))
	wantStoreError(t, "SignIn", err)
	wantStoreError(t, "Update", s.Update(t.Context(), signedIn, note(1, 1)))
	wantStoreError(t, "SignOut", signOut(s, s.request(gone)))
	wantStoreError(t, "SignOut again", signOut(s, s.request(gone)))
	if got, err := s.Load(httptest.NewRecorder(), s.request(signedIn)); got == nil || err != nil {
		t.Errorf("Load: got %v, %v, want the session", got, err)
	}
	one.Servers[1].Start(t)
	one.AwaitReplicas(t)
	if err := signOut(s, s.request(gone)); err != nil {
		t.Errorf("SignOut: %v", err)
	}
	await(t, "it is deleted", func() bool { return strings.Contains(s.log.String(), "session deleted late") })
}
