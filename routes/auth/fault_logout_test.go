package auth_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"

	"example.org/portal/globus"
	"example.org/portal/globus/globustest"
	"example.org/portal/routes/routestest"
)

// TestLogoutDuringRefresh signs out while a refresh of the session is under way,
// and seven other requests: what the refresh brings is revoked with the rest.
// In every second round Globus answers it only when the session has ended.
func TestLogoutDuringRefresh(t *testing.T) {
	t.Parallel()
	s := routestest.StartWithProbes(t, routestest.Options{})
	for round := range routestest.Rounds() {
		b := s.Browser()
		form := b.SignIn("rosalind").Form("server", globus.TransferServer)
		name, old := b.Cookie("session")
		csrfName, csrf := b.Cookie("csrf")
		cookies := []string{"Cookie", name + "=" + old + "; " + csrfName + "=" + csrf}
		arrived, wait := make(chan struct{}, 1), make(chan struct{})
		s.Globus.Lie(routestest.BrokenToken(globustest.Fault{Arrived: arrived, Wait: wait}))

		var all sync.WaitGroup
		other := s.Browser()
		all.Go(func() {
			p, err := other.Try(t.Context(), http.MethodPost, "/tokens/refresh", form, append(cookies, routestest.Htmx...)...)
			if late := round%2 == 0; err != nil || p.Status != http.StatusUnauthorized && (late || p.Status != http.StatusOK) {
				t.Errorf("the refresh: got %d, %v, want 401", p.Status, err)
			}
		})
		<-arrived
		begun := make(chan struct{}, 7)
		for i := range 7 {
			path := []string{"/", "/user", "/probe/tasks"}[i%3]
			all.Go(func() {
				for n := range 5 {
					if p, err := other.Try(t.Context(), http.MethodGet, path, nil, append(cookies, routestest.Htmx...)...); err != nil || p.Status != http.StatusOK && p.Status != http.StatusUnauthorized {
						t.Errorf("%s: got %d, %v", path, p.Status, err)
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
		if p := b.Send(http.MethodPost, "/logout", form); p.Status != http.StatusSeeOther {
			t.Errorf("signing out: got %d", p.Status)
		}
		wantDead := func() {
			if p := s.Browser().Get("/user", "Cookie", name+"="+old); p.Has("uuid") {
				t.Fatal("the old cookie opens the session")
			}
		}
		wantDead()
		if round%2 == 0 {
			close(wait)
		}
		all.Wait()
		wantDead()
		s.Globus.Lie(globustest.Lie{})
		if got := s.Globus.LiveTokens(); got != 0 {
			t.Fatalf("%d tokens live on", got)
		}
	}
}

// TestSignedOutNamesNobody: the response to a sign-out that the store has not saved yet,
// or to a request whose session ended meanwhile, names nobody.
func TestSignedOutNamesNobody(t *testing.T) {
	t.Parallel()
	s := routestest.Start(t, routestest.Options{})
	b := s.Browser()
	home := b.SignIn("rosalind")
	tx, err := s.Database().BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec("DELETE FROM sessions WHERE 0"); err != nil { // locks it for other writers
		t.Fatal(err)
	}
	p := b.Send(http.MethodPost, "/logout", home.Form())
	if p.Status != http.StatusServiceUnavailable || strings.Contains(p.Body, "Rosalind") {
		t.Errorf("store locked: got %d, want 503 and no name:\n%s", p.Status, p.Body)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}

	home = b.SignIn("rosalind")
	arrived, wait := make(chan struct{}, 1), make(chan struct{})
	s.Globus.Lie(routestest.BrokenToken(globustest.Fault{Arrived: arrived, Wait: wait}))
	late := make(chan routestest.Page)
	go func() {
		p, err := b.Try(t.Context(), http.MethodPost, "/tokens/refresh", home.Form("server", globus.TransferServer))
		if err != nil {
			t.Error(err)
		}
		late <- p
	}()
	<-arrived
	b.Send(http.MethodPost, "/logout", home.Form())
	s.Globus.Lie(globustest.Lie{})
	close(wait)
	if p := <-late; p.Status != http.StatusUnauthorized || strings.Contains(p.Body, "Rosalind") {
		t.Errorf("after the session: got %d, want 401 and no name:\n%s", p.Status, p.Body)
	}
}
