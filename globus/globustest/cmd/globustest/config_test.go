package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/oauth2"

	"example.org/portal/globus/globustest"
)

const testConfig = `{
  "clients": [{"id": "app", "secret": "secret", "name": "An app", "redirect_uris": ["http://localhost:5000/callback"]}],
  "people": [
    {"preferred_username": "grace@example.edu", "name": "Grace Hopper", "organization": null, "last_authentication": 1621481000,
     "identity_set": [
       {"username": "grace@example.edu", "name": "Grace Hopper", "organization": "Example University", "status": "used"},
       {"username": "hopper@lab.example.org", "identity_provider_display_name": "Example Laboratory"}
     ]},
    {"sub": "7a1c2e40-3b5d-4f6e-8a90-000000000001"}
  ],
  "scopes": [{"name": "https://auth.globus.org/scopes/5e4f1ce0-0000-4000-8000-000000000001/analyze",
              "resource_server": "analysis.example.edu", "description": "Analyze data"}],
  "groups": [{"id": "5c0a7e00-1a2b-4c3d-8e4f-000000000001", "name": "A lab", "members": [{"username": "hopper@lab.example.org", "role": "admin"}]}],
  "collections": [{"id": "c0111111-0000-4000-8000-000000000001", "display_name": "A place", "files": [{"path": "/moth.tif", "size": 1947}]},
    {"id": "c0111111-0000-4000-8000-000000000002", "display_name": "Her laptop", "entity_type": "GCP_mapped_collection", "owner": "grace@example.edu", "shared_with": [], "offline": true}]
}`

// TestReadme reads the files that globus/README.md shows, if it shows any.
func TestReadme(t *testing.T) {
	readme, err := os.ReadFile("../../../README.md")
	if os.IsNotExist(err) {
		t.Skip("there is no globus/README.md")
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, block := range strings.Split(string(readme), "```json\n")[1:] {
		content, _, _ := strings.Cut(block, "```")
		file := filepath.Join(t.TempDir(), "globus.json")
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		start(t, "-config", file).stop()
	}
}

// words joins values for a comparison.
func words(values ...any) string { return strings.TrimSuffix(fmt.Sprintln(values...), "\n") }

// TestConfig reads a file, and finds in Globus's answers what it says.
func TestConfig(t *testing.T) {
	file := filepath.Join(t.TempDir(), "globus.json")
	if err := os.WriteFile(file, []byte(testConfig), 0o600); err != nil {
		t.Fatal(err)
	}
	p := start(t, "-config", file)
	token := p.signIn(oauth2.Config{ClientID: "app", ClientSecret: "secret", Scopes: []string{
		"openid", "profile", "urn:globus:auth:scope:transfer.api.globus.org:all",
		"urn:globus:auth:scope:groups.api.globus.org:view_my_groups_and_memberships",
		"https://auth.globus.org/scopes/5e4f1ce0-0000-4000-8000-000000000001/analyze",
	}}, "grace@example.edu")

	other(t, token, "analysis.example.edu")
	_, answer := p.call(globustest.UserInfoPath, token)
	person := answer.(map[string]any)
	set := person["identity_set"].([]any)
	if len(set) != 2 {
		t.Fatalf("got identity_set %v, want two", set)
	}
	got := words(person["sub"] == uuidOf("grace@example.edu"), person["name"], person["email"], person["identity_provider_display_name"], set[1].(map[string]any)["username"])
	if want := "true Grace Hopper <nil> example.edu hopper@lab.example.org"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}

	_, answer = p.call(globustest.MyGroupsPath, other(t, token, "groups.api.globus.org"))
	group := answer.([]any)[0].(map[string]any)
	membership := group["my_memberships"].([]any)[0].(map[string]any)
	if got, want := words(group["name"], membership["username"], membership["role"], membership["status"]), "A lab hopper@lab.example.org admin active"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}

	_, answer = p.call(globustest.ListPath+"c0111111-0000-4000-8000-000000000001/ls?path=/", other(t, token, "transfer.api.globus.org"))
	moth := answer.(map[string]any)["DATA"].([]any)[0].(map[string]any)
	if got, want := words(moth["name"], moth["size"]), "moth.tif 1947"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	_, answer = p.call(globustest.SearchPath+"?filter_scope=my-gcp-endpoints", other(t, token, "transfer.api.globus.org"))
	laptop := answer.(map[string]any)["DATA"].([]any)[0].(map[string]any)
	if got, want := words(laptop["display_name"], laptop["gcp_connected"], laptop["owner_string"]), "Her laptop false grace@example.edu"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
