package globus_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"example.org/portal/globus"
	"example.org/portal/globus/globustest"
)

// TestObserve: each call is told of, by one of a few names, with what came of it.
func TestObserve(t *testing.T) {
	f := newFlow(t)
	var mu sync.Mutex
	var told []string
	f.client = f.newClient(globus.Config{Observe: func(call, outcome string, took time.Duration) {
		mu.Lock()
		defer mu.Unlock()
		if took <= 0 {
			t.Errorf("%s took %s", call, took)
		}
		told = append(told, call+" "+outcome)
	}})
	tokens := f.tokens("rosalind")
	auth, transfer := tokens[globus.AuthServer], tokens[globus.TransferServer]
	yield := func(context.Context, string) (globus.Token, error) { return transfer, nil }
	userInfo := func() { _, _ = f.client.UserInfo(t.Context(), auth.AccessToken) }
	get := func(path string) func() {
		return func() {
			resp, err := f.client.HTTPClient(f.auth.URL, yield).Get(f.auth.URL + path)
			if err == nil {
				resp.Body.Close()
			}
		}
	}
	mu.Lock()
	if want := []string{"token 200", "keys 200"}; !slices.Equal(told, want) {
		t.Errorf("a sign-in: got %v, want %v", told, want)
	}
	mu.Unlock()

	tests := []struct {
		name  string
		fault globustest.Fault // of the userinfo endpoint
		call  func()
		want  string
	}{
		{"userinfo", globustest.Fault{}, userInfo, "userinfo 200"},
		{"a refresh", globustest.Fault{}, func() { _, _ = f.client.Refresh(t.Context(), globus.AuthServer, auth, "") }, "token 200"},
		{"a refusal", globustest.Fault{Status: 401}, userInfo, "userinfo 401"},
		{"a status that is none", globustest.Fault{Status: 999}, userInfo, "userinfo status"},
		{"a hang-up", globustest.Fault{HangUp: true}, userInfo, "userinfo unreachable"},
		{"too much", globustest.Fault{Endless: true}, userInfo, "userinfo too_large"},
		{"too long", globustest.Fault{Wait: make(chan struct{})}, func() {
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			_, _ = f.client.UserInfo(ctx, auth.AccessToken)
		}, "userinfo timeout"},
		{"Transfer", globustest.Fault{}, func() {
			for range f.client.Transfer(yield).TaskList(t.Context(), globus.TaskQuery{}) {
				break
			}
		}, "transfer 200"},
		{"introspection", globustest.Fault{}, func() { _, _ = f.client.Introspect(t.Context(), auth.AccessToken) }, "introspect 200"},
		{"groups", globustest.Fault{}, func() { _, _ = f.client.Groups(yield).Mine(t.Context()) }, "groups 401"}, // that token is for Transfer
		{"an address of Transfer's", globustest.Fault{}, get(globustest.TransferPath + "/" + strings.Repeat("x", 100)), "transfer 404"},
		{"another address", globustest.Fault{}, get("/v0.100/x"), "other 404"},
		{"a revocation", globustest.Fault{}, func() { _ = f.client.Revoke(t.Context(), auth.AccessToken) }, "revoke 200"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f.auth.Lie(globustest.Lie{Endpoints: map[string]globustest.Fault{globustest.UserInfoPath: test.fault}})
			defer f.auth.Lie(globustest.Lie{})
			mu.Lock()
			told = nil
			mu.Unlock()
			test.call()
			mu.Lock()
			defer mu.Unlock()
			if !slices.Equal(told, []string{test.want}) {
				t.Errorf("got %v, want %s", told, test.want)
			}
		})
	}
}
