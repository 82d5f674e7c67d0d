package globus_test

import (
	"strings"
	"testing"

	"example.org/portal/globus"
	"example.org/portal/globus/globustest"
)

func TestRevoke(t *testing.T) {
	f := newFlow(t)
	tokens := f.mustSignIn().Tokens
	access := tokens[globus.TransferServer].AccessToken
	for name, token := range map[string]string{"live": access, "dead": access, "never alive": "x", "odd": "&token=a b\r\n+%é"} {
		if err := f.client.Revoke(t.Context(), token); err != nil {
			t.Errorf("%s: got %v, want success", name, err)
		}
	}
	if f.auth.Live(access) || f.auth.LiveTokens() != 3 {
		t.Errorf("%d tokens live, want the other 3", f.auth.LiveTokens())
	}
	err := f.client.Revoke(t.Context(), "")
	if e := asError(t, err); e.Reason != globus.Refused || e.Code != "invalid_request" {
		t.Errorf("no token: got %v, want refused", err)
	}
}

func TestRevokeAll(t *testing.T) {
	f := newFlow(t)
	tokens := f.mustSignIn().Tokens
	for i, name := range []string{"live", "dead"} {
		if err := f.client.RevokeAll(t.Context(), tokens); err != nil {
			t.Errorf("%s: got %v, want success", name, err)
		}
		if got, want := f.auth.Requests(globustest.RevokePath), 4*(i+1); got != want || f.auth.LiveTokens() != 0 {
			t.Errorf("%s: got %d requests, want %d; %d tokens live", name, got, want, f.auth.LiveTokens())
		}
	}
	if err := f.client.RevokeAll(t.Context(), nil); err != nil {
		t.Errorf("none: got %v, want success", err)
	}
	online := globus.Tokens{"a": {AccessToken: "a"}}
	if err := f.client.RevokeAll(t.Context(), online); err != nil {
		t.Errorf("without a refresh token: got %v, want success", err)
	}
}

// One that fails does not keep the others from being revoked, nor from being
// reported.
func TestRevokeAllFails(t *testing.T) {
	f := newFlow(t)
	tokens := f.mustSignIn().Tokens
	f.auth.Lie(fault(globustest.RevokePath, globustest.Fault{Status: 503, After: true, Body: "canary"}))
	err := f.client.RevokeAll(t.Context(), tokens)
	if err == nil {
		t.Fatal("got success, want errors")
	}
	if e := asError(t, err); e.Call != "revoke" || e.Reason != globus.BadStatus || strings.Count(err.Error(), "globus: ") != 4 {
		t.Errorf("got %v, want 4 of revoke: status", err)
	}
	f.checkTellsNothing(err)
	if f.auth.LiveTokens() != 0 {
		t.Errorf("%d tokens live on", f.auth.LiveTokens())
	}
}

// A sign-in that is refused says why, though its tokens cannot be revoked.
func TestDiscardFails(t *testing.T) {
	f := newFlow(t)
	lie := fault(globustest.RevokePath, globustest.Fault{Status: 500})
	lie.Claims = drop("nonce")
	f.auth.Lie(lie)
	f.wantSignIn("no nonce", globus.BadIDToken, 1)
}

func TestUserInfo(t *testing.T) {
	const sub = "7a1c2e40-3b5d-4f6e-8a90-1920072501aa"
	lie := func(name string, value any) globustest.Edit { return set(name, value) }
	nulls := globustest.Edit{Set: map[string]any{
		"name": nil, "email": nil, "organization": nil, "preferred_username": nil,
		"identity_provider": nil, "identity_provider_display_name": nil, "identity_set": nil, "last_authentication": nil,
	}}
	tests := []struct {
		name     string
		lie      globustest.Edit
		wantSub  string
		wantName string
	}{
		{"honest", globustest.Edit{}, sub, "Rosalind Franklin"},
		{"nulls", nulls, sub, ""},
		{"only sub", drop("name", "email", "organization", "preferred_username", "identity_set"), sub, ""},
		{"oidcc-client-test-userinfo-invalid-sub", lie("sub", sub+"invalid"), sub + "invalid", "Rosalind Franklin"}, // the caller compares
		{"markup", lie("name", "<b>&amp;\"'\u202e"), sub, "<b>&amp;\"'\u202e"},
		{"name a list", lie("name", []string{"canary"}), sub, ""},
	}
	f := newFlow(t)
	token := f.mustSignIn().Tokens[globus.AuthServer].AccessToken
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f.auth.Lie(globustest.Lie{UserInfo: tt.lie})
			id, err := f.client.UserInfo(t.Context(), token)
			if err != nil {
				t.Fatal(err)
			}
			if id.Subject != tt.wantSub || id.Name != tt.wantName {
				t.Errorf("got sub %q, name %q, want %q, %q", id.Subject, id.Name, tt.wantSub, tt.wantName)
			}
		})
	}
}

func TestUserInfoRefused(t *testing.T) {
	f := newFlow(t)
	tokens := f.mustSignIn().Tokens
	transfer := tokens[globus.TransferServer].AccessToken
	tests := []struct {
		name, token string
		want        globus.Reason
		wantStatus  int
	}{
		{"unknown", "canary-token", globus.Refused, 401},
		{"none", "", globus.Refused, 401},
		{"of another resource server", transfer, globus.Refused, 403},
		{"a refresh token", tokens[globus.AuthServer].RefreshToken, globus.Refused, 401},
		{"one that ends a header", "canary\r\nX: y", globus.Unreachable, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := f.client.UserInfo(t.Context(), tt.token)
			if e := asError(t, err); e.Reason != tt.want || e.Status != tt.wantStatus {
				t.Errorf("got %v, want %s (%d)", err, tt.want, tt.wantStatus)
			}
			f.checkTellsNothing(err, tt.token)
		})
	}
}
