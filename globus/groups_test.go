package globus_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"example.org/portal/globus"
)

func aToken(context.Context, string) (globus.Token, error) {
	return globus.Token{AccessToken: "canary-token"}, nil
}

func TestGroups(t *testing.T) {
	tests := []struct {
		name   string
		status int
		body   string
		want   string // groups, or the reason of the error
	}{
		{"none", 200, `[]`, ""},
		{"one", 200, `[{"id":"` + uuid1 + `","name":"Lab","parent_id":null,"my_memberships":[{"group_id":"` + uuid1 + `","identity_id":"i","username":"a@example.org","role":"member","status":"active"}],"policies":{}}]`,
			uuid1 + " Lab active"},
		{"active wins", 200, `[{"id":"g","my_memberships":[{"status":"invited"},{"status":"active"},{"status":"pending"}]}]`, "g  active"},
		{"not yet", 200, `[{"id":"g","my_memberships":[{"status":"pending"},{"status":"rejected"}]}]`, "g  pending"},
		{"no membership", 200, `[{"id":"g","my_memberships":[]},{"id":"h"}]`, "g  ; h  "},
		{"nulls", 200, `[null,{"id":null,"name":null,"my_memberships":null},{"id":"g","my_memberships":[null,{"status":null}]}]`, "  ;   ; g  "},
		{"odd id and status", 200, `[{"id":"a b","name":"x\u0000y","my_memberships":[{"status":"active\n"}]}]`, " xy "},
		{"capitals are another status", 200, `[{"id":"g","my_memberships":[{"status":"ACTIVE"}]}]`, "g  ACTIVE"},

		{"refused", 401, `{"code":"INVALID_TOKEN","detail":"canary"}`, "refused"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			client, asked := answering(t, tt.status, tt.body)
			groups, err := client.Groups(aToken).Mine(t.Context())
			if err != nil {
				if e := asError(t, err); e.Call != "groups" || string(e.Reason) != tt.want {
					t.Errorf("got %v, want %q", err, tt.want)
				}
				return
			}
			var got []string
			for _, g := range groups {
				got = append(got, g.ID+" "+g.Name+" "+string(g.Status()))
			}
			if text := strings.Join(got, "; "); text != tt.want {
				t.Errorf("got %q, want %q", text, tt.want)
			}
			r, _ := asked()
			if r.Method != "GET" || r.URL.Path != "/v2/groups/my_groups" || r.URL.Query().Get("statuses") != "active,invited,pending" || r.Header.Get("Authorization") != "Bearer canary-token" {
				t.Errorf("asked %s %s, %v", r.Method, r.URL, r.Header)
			}
		})
	}
}

func TestGroupsURL(t *testing.T) {
	for _, bad := range []string{"http://groups.example", "https://groups.example/", "x"} {
		_, err := globus.New(globus.Config{ClientID: "a", ClientSecret: "b", RedirectURL: "c", GroupsURL: bad})
		if err == nil || !strings.Contains(err.Error(), "Groups") {
			t.Errorf("%q: got %v", bad, err)
		}
	}
}

// What a TokenFunc says is handed on.
func TestGroupsWithoutToken(t *testing.T) {
	client, _ := answering(t, 200, `[]`)
	_, err := client.Groups(func(context.Context, string) (globus.Token, error) { return globus.Token{}, globus.ErrNoToken }).Mine(t.Context())
	if !errors.Is(err, globus.ErrNoToken) {
		t.Errorf("got %v", err)
	}
}

// Requirements are found by the body, whatever the status, and told from errors
// that want nothing of the person.
func TestRequirementsOf(t *testing.T) {
	const mfa = `{"code":"x","authorization_parameters":{"session_required_mfa":true}}`
	tests := []struct {
		name   string
		status int
		body   string
		want   string
	}{
		{"403", 403, mfa, "session_required_mfa=true"},
		{"502", 502, mfa, "session_required_mfa=true"},
		{"401", 401, mfa, "session_required_mfa=true"},
		{"success", 200, mfa, ""},
		{"another error", 403, `{"code":"PermissionDenied"}`, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			client, _ := answering(t, tt.status, tt.body)
			_, err := client.Groups(aToken).Mine(t.Context())
			r, ok := globus.RequirementsOf(errors.Join(errors.New("wrapped"), err))
			if ok != (tt.want != "") || ok && ask(r) != tt.want {
				t.Errorf("got %+v, %t of %v, want %q", r, ok, err, tt.want)
			}
		})
	}
	if _, ok := globus.RequirementsOf(nil); ok {
		t.Error("got requirements of no error")
	}
	if _, ok := globus.RequirementsOf(globus.ErrNoToken); ok {
		t.Error("got requirements of another error")
	}
}
