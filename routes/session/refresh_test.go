package session_test

import (
	"context"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"example.org/portal/globus"
	"example.org/portal/routes/session"
)

// TestRefreshAtTwoInstances: two instances refresh at once, as they may, for
// neither knows of the other. The token that ends last stays, the other is
// revoked, and who asked for that one gets the one that stays.
func TestRefreshAtTwoInstances(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name        string
		first, last time.Duration // how long the tokens are good, in the order in which they come
		want        string        // access token that stays
	}{
		{"the last one is newer", 10 * time.Hour, 11 * time.Hour, "canary-last"},
		{"the last one is older", 11 * time.Hour, 10 * time.Hour, "canary-first"},
		{"equally new", 10 * time.Hour, 10 * time.Hour, "canary-first"},
	}
	for _, kind := range []string{"sqlite", "redis"} {
		for _, tt := range tests {
			t.Run(kind+"/"+tt.name, func(t *testing.T) {
				store := newStore(t, kind)
				begun, answer := make(chan struct{}, 2), map[string]chan struct{}{"first": make(chan struct{}), "last": make(chan struct{})}
				instance := func(name string, good time.Duration) *site {
					return open(t, session.Config{Store: store, Refresh: func(_ context.Context, _ string, old globus.Token, _ string) (globus.Token, error) {
						begun <- struct{}{}
						<-answer[name]
						return globus.Token{AccessToken: "canary-" + name, RefreshToken: old.RefreshToken, Expiry: time.Now().Add(good).Truncate(time.Hour)}, nil
					}})
				}
				first, last := instance("first", tt.first), instance("last", tt.last)
				signedIn, err := first.SignIn(t.Context(), record(first.clock.Now()))
				if err != nil {
					t.Fatal(err)
				}
				type outcome struct {
					token globus.Token
					err   error
				}
				ask := func(s *site) chan outcome {
					done := make(chan outcome, 1)
					mine := *signedIn
					go func() {
						token, err := s.Token(t.Context(), &mine, globus.TransferServer, "canary-access-2")
						done <- outcome{token, err}
					}()
					return done
				}
				one, other := ask(first), ask(last)
				<-begun
				<-begun
				close(answer["first"])
				if got := <-one; got.err != nil || got.token.AccessToken != "canary-first" {
					t.Errorf("the first: got %v", got)
				}
				close(answer["last"])
				if got := <-other; got.err != nil || got.token.AccessToken != tt.want {
					t.Errorf("the last: got %v, want %s", got, tt.want)
				}
				got, err := first.Peek(first.request(signedIn))
				if err != nil || got.Tokens[globus.TransferServer].AccessToken != tt.want {
					t.Errorf("kept: got %v, %v, want %s", got, err, tt.want)
				}
				for _, token := range []string{"canary-first", "canary-last", "canary-access-2", "canary-refresh-2"} {
					if first.revoked.has(token) || last.revoked.has(token) {
						t.Errorf("%s is revoked, and perhaps the grant with it", token)
					}
				}
				ended, err := first.SignOut(first.request(signedIn))
				if err != nil {
					t.Fatal(err)
				}
				held := map[string]bool{}
				for _, token := range ended {
					held[token.AccessToken] = true
				}
				if !held["canary-first"] || !held["canary-last"] {
					t.Errorf("the sign-out ends %v, want the tokens of both", held)
				}
			})
		}
	}
}

// TestRotatedAtTwoInstances: where refresh tokens rotate, the slower of two instances
// is refused the token that the faster has just spent. That ends no session: a
// moment later the record holds its successor.
func TestRotatedAtTwoInstances(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"sqlite", "redis"} {
		for _, server := range []string{globus.AuthServer, globus.TransferServer} {
			t.Run(kind+"/"+server, func(t *testing.T) {
				t.Parallel()
				store := newStore(t, kind)
				spent, refused := make(chan struct{}), make(chan struct{})
				faster := open(t, session.Config{Store: store, Refresh: func(context.Context, string, globus.Token, string) (globus.Token, error) {
					close(spent)
					<-refused
					return globus.Token{AccessToken: "canary-new", RefreshToken: "canary-successor", Expiry: time.Now().Add(time.Hour)}, nil
				}})
				slower := open(t, session.Config{Store: store, Refresh: func(context.Context, string, globus.Token, string) (globus.Token, error) {
					<-spent
					close(refused)
					return globus.Token{}, &globus.Error{Call: "refresh", Reason: globus.Refused, Status: 400, Code: "invalid_grant"}
				}})
				signedIn, err := faster.SignIn(t.Context(), record(faster.clock.Now()))
				if err != nil {
					t.Fatal(err)
				}
				rejected := signedIn.Tokens[server].AccessToken
				var both sync.WaitGroup
				for _, s := range []*site{faster, slower} {
					mine := *signedIn
					both.Go(func() {
						if got, err := s.Token(t.Context(), &mine, server, rejected); err != nil || got.AccessToken != "canary-new" {
							t.Errorf("got %v, %v, want the new token", got, err)
						}
					})
				}
				both.Wait()
				if got, err := slower.Load(httptest.NewRecorder(), slower.request(signedIn)); got == nil || err != nil {
					t.Errorf("got %v, %v, want the session", got, err)
				}
			})
		}
	}
}

// TestSignOutAtTwoInstances: of sign-outs at once, one has the tokens. Who gets
// none knows that somebody else ended the session.
func TestSignOutAtTwoInstances(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"sqlite", "redis"} {
		t.Run(kind, func(t *testing.T) {
			store := newStore(t, kind)
			sites := []*site{open(t, session.Config{Store: store}), open(t, session.Config{Store: store})}
			for round := range 50 {
				signedIn, err := sites[0].SignIn(t.Context(), record(sites[0].clock.Now()))
				if err != nil {
					t.Fatal(err)
				}
				var all sync.WaitGroup
				var had atomic.Int32
				for i := range 8 {
					all.Go(func() {
						tokens, err := sites[i%2].SignOut(sites[i%2].request(signedIn))
						if err != nil {
							t.Error(err)
						}
						if len(tokens) > 0 {
							had.Add(1)
						}
					})
				}
				all.Wait()
				if got := had.Load(); got != 1 {
					t.Fatalf("round %d: %d sign-outs have the tokens, want 1", round, got)
				}
			}
		})
	}
}

// A refresh that panics ends neither the process nor the session.
func TestRefreshPanics(t *testing.T) {
	s := open(t, session.Config{Refresh: func(context.Context, string, globus.Token, string) (globus.Token, error) { panic("canary") }})
	signedIn, err := s.SignIn(t.Context(), record(s.clock.Now()))
	if err != nil {
		t.Fatal(err)
	}
	s.clock.add(48 * time.Hour) // it is due
	if got, err := s.Load(httptest.NewRecorder(), s.request(signedIn)); got == nil || err != nil {
		t.Errorf("got %v, %v, want the session", got, err)
	}
	if _, err := s.Token(t.Context(), signedIn, globus.TransferServer, ""); err == nil || strings.Contains(err.Error(), "canary") {
		t.Errorf("got %v, want an error that does not quote it", err)
	}
	if got := strings.Count(s.log.String(), "msg=panic stack="); got != 2 {
		t.Errorf("%d panics are logged, want 2:\n%s", got, s.log)
	}
}
