package routes_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"

	"example.org/portal/globus"
	"example.org/portal/globus/globustest"
)

// TestLogoutDuringRefresh signs out while a refresh of the session is under way,
// and seven other requests: what the refresh brings is revoked with the rest.
// In every second round Globus answers it only when the session has ended.
func TestLogoutDuringRefresh(t *testing.T) {
	s := start(t, options{})
	for round := range rounds() {
		b := s.browser()
		form := b.signIn("rosalind").form("server", globus.TransferServer)
		name, old := b.cookie("session")
		csrfName, csrf := b.cookie("csrf")
		cookies := []string{"Cookie", name + "=" + old + "; " + csrfName + "=" + csrf}
		arrived, wait := make(chan struct{}, 1), make(chan struct{})
		s.auth.Lie(brokenToken(globustest.Fault{Arrived: arrived, Wait: wait}))

		var all sync.WaitGroup
		other := s.browser()
		all.Go(func() {
			p, err := other.try(t.Context(), http.MethodPost, "/tokens/refresh", form, append(cookies, htmx...)...)
			if late := round%2 == 0; err != nil || p.status != http.StatusUnauthorized && (late || p.status != http.StatusOK) {
				t.Errorf("the refresh: got %d, %v, want 401", p.status, err)
			}
		})
		<-arrived
		begun := make(chan struct{}, 7)
		for i := range 7 {
			path := []string{"/", "/user", "/transfers"}[i%3]
			all.Go(func() {
				for n := range 5 {
					if p, err := other.try(t.Context(), http.MethodGet, path, nil, append(cookies, htmx...)...); err != nil || p.status != http.StatusOK && p.status != http.StatusUnauthorized {
						t.Errorf("%s: got %d, %v", path, p.status, err)
					}
					if n == 0 {
						begun <- struct{}{}
					}
				}
			})
		}
		<-begun
		if round%2 == 1 {
			close(wait)
		}
		if p := b.send(http.MethodPost, "/logout", form); p.status != http.StatusSeeOther {
			t.Errorf("signing out: got %d", p.status)
		}
		wantDead := func() {
			if p := s.browser().get("/user", "Cookie", name+"="+old); strings.Contains(p.body, "Log out") {
				t.Fatal("the old cookie opens the session")
			}
		}
		wantDead()
		if round%2 == 0 {
			close(wait)
		}
		all.Wait()
		wantDead()
		s.auth.Lie(globustest.Lie{})
		if got := s.auth.LiveTokens(); got != 0 {
			t.Fatalf("%d tokens live on", got)
		}
	}
}

// TestSignedOutNamesNobody: what answers a sign-out that the store could not
// write down yet, or a request that outlived its session, names nobody.
func TestSignedOutNamesNobody(t *testing.T) {
	s := start(t, options{})
	b := s.browser()
	home := b.signIn("rosalind")
	tx, err := s.database().BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec("DELETE FROM sessions WHERE 0"); err != nil { // locks it for other writers
		t.Fatal(err)
	}
	p := b.send(http.MethodPost, "/logout", home.form())
	if p.status != http.StatusServiceUnavailable || strings.Contains(p.body, "Rosalind") {
		t.Errorf("store locked: got %d, want 503 and no name:\n%s", p.status, p.body)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}

	home = b.signIn("rosalind")
	arrived, wait := make(chan struct{}, 1), make(chan struct{})
	s.auth.Lie(brokenToken(globustest.Fault{Arrived: arrived, Wait: wait}))
	late := make(chan page)
	go func() {
		p, err := b.try(t.Context(), http.MethodPost, "/tokens/refresh", home.form("server", globus.TransferServer))
		if err != nil {
			t.Error(err)
		}
		late <- p
	}()
	<-arrived
	b.send(http.MethodPost, "/logout", home.form())
	s.auth.Lie(globustest.Lie{})
	close(wait)
	if p := <-late; p.status != http.StatusUnauthorized || strings.Contains(p.body, "Rosalind") {
		t.Errorf("after the session: got %d, want 401 and no name:\n%s", p.status, p.body)
	}
}
