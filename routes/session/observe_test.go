package session_test

import (
	"context"
	"maps"
	"strings"
	"sync"
	"testing"
	"time"

	"example.org/portal/routes/session"
)

// TestObserve: every call of the store is told of; that it went down, and came
// up again, is logged once.
func TestObserve(t *testing.T) {
	t.Parallel() // it waits for the store
	var mu sync.Mutex
	told := map[string]int{}
	s := open(t, session.Config{Observe: func(operation, outcome string, took time.Duration) {
		mu.Lock()
		defer mu.Unlock()
		told[operation+" "+outcome]++
	}})
	want := func(when string, counts map[string]int) {
		t.Helper()
		mu.Lock()
		defer mu.Unlock()
		if !maps.Equal(told, counts) {
			t.Errorf("%s: got %v, want %v", when, told, counts)
		}
		told = map[string]int{}
	}
	signIn := func() (*session.Session, error) { return s.SignIn(t.Context(), record(s.clock.Now())) }

	signedIn, err := signIn()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Update(t.Context(), signedIn, func(*session.Record) {}); err != nil {
		t.Fatal(err)
	}
	if err := signOut(s, s.request(signedIn)); err != nil {
		t.Fatal(err)
	}
	want("a session's life", map[string]int{"insert ok": 1, "find ok": 2, "swap ok": 1, "take ok": 1})

	unlock := s.lock("BEGIN IMMEDIATE")
	var failing sync.WaitGroup
	for range 3 {
		failing.Go(func() {
			if _, err := signIn(); err == nil {
				t.Error("the store was not down")
			}
		})
	}
	failing.Wait()
	ctx, hangUp := context.WithCancel(t.Context())
	hangUp()
	if _, err := s.SignIn(ctx, record(s.clock.Now())); err == nil {
		t.Error("a cancelled sign-in succeeded")
	}
	if err := s.Ready(t.Context()); err != nil { // that it can be read proves nothing about writing
		t.Error(err)
	}
	want("down", map[string]int{"insert failed": 3, "insert cancelled": 1, "find ok": 1})
	unlock()
	if err := signOut(s, s.request(signedIn)); err != nil { // nor does a write of nothing
		t.Error(err)
	}
	if got := s.log.String(); strings.Count(got, "session store down") != 1 || strings.Contains(got, "up again") {
		t.Errorf("got %q, want one line that it is down", got)
	}
	for range 2 {
		if _, err := signIn(); err != nil {
			t.Fatal(err)
		}
	}
	// The first sweep may have met the lock, and says so in a line of its own.
	if got := s.log.String(); strings.Count(got, "session store") != 2 || !strings.Contains(got, `msg="session store up again" operation=write server=`) {
		t.Errorf("got %q, want one line more, that it is up", got)
	}
}

// TestHungUp: a browser that goes away does not take the store down.
func TestHungUp(t *testing.T) {
	s := open(t, session.Config{})
	ctx, hangUp := context.WithCancel(t.Context())
	hangUp()
	if _, err := s.SignIn(ctx, record(s.clock.Now())); err == nil {
		t.Error("a cancelled sign-in succeeded")
	}
	if got := s.log.String(); got != "" {
		t.Errorf("got log %q", got)
	}
}

// TestTag: a session's tag is the same for all its requests, and no part of its
// cookie.
func TestTag(t *testing.T) {
	s := open(t, session.Config{})
	signedIn, err := s.SignIn(t.Context(), record(s.clock.Now()))
	if err != nil {
		t.Fatal(err)
	}
	other, err := s.SignIn(t.Context(), record(s.clock.Now()))
	if err != nil {
		t.Fatal(err)
	}
	r := s.request(signedIn)
	tag := signedIn.Tag()
	if len(tag) != 8 || tag != s.Tag(r) || tag == other.Tag() || strings.Contains(r.Header.Get("Cookie"), tag) {
		t.Errorf("got %q for the session, %q for its request, %q for another session", tag, s.Tag(r), other.Tag())
	}
	r.Header.Set("Cookie", cookieName+"=x")
	if got := s.Tag(r); got != "" {
		t.Errorf("got %q for a cookie that is none of ours", got)
	}
}
