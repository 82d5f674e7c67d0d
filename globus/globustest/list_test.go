package globustest_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"example.org/portal/globus/globustest"
)

func (f *flow) list(token, id string, pairs ...string) response {
	f.Helper()
	query := with(url.Values{}, pairs...).Encode()
	req, err := http.NewRequestWithContext(f.Context(), http.MethodGet, f.URL+globustest.ListPath+id+"/ls?"+query, nil)
	if err != nil {
		f.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	return f.do(req)
}

func collection(t *testing.T, name string) string {
	t.Helper()
	for _, c := range globustest.DemoCollections() {
		if strings.Contains(c.Name, name) {
			return c.ID
		}
	}
	t.Fatalf("there is no collection %s", name)
	return ""
}

func TestList(t *testing.T) {
	f := newFlow(t, globustest.Config{})
	token := str(others(f.signIn(request()))[0]["access_token"])
	beamline := collection(t, "beamline")
	tests := []struct {
		name       string
		id         string
		pairs      []string
		wantStatus int
		want       string // names, or a code
	}{
		{"without a path", beamline, nil, 200, "odd names,empty,photo51,README.txt"},
		{"the root", beamline, []string{"path", "/"}, 200, "odd names,empty,photo51,README.txt"},
		{"sorted", beamline, []string{"path", "/photo51", "orderby", "name"}, 200, "exposure-01.tif,exposure-02.tif,raw"},
		{"the other way", beamline, []string{"path", "/photo51/", "orderby", "name DESC", "limit", "2"}, 200, "raw,exposure-02.tif"},
		{"hidden by default", beamline, []string{"path", "/odd names", "orderby", "name", "limit", "1"}, 200, ".hidden"},
		{"past the end", beamline, []string{"path", "/photo51", "offset", "7"}, 200, ""},
		{"an empty directory", beamline, []string{"path", "/empty"}, 200, ""},

		{"no such directory", beamline, []string{"path", "/none"}, 404, "ClientError.NotFound"},
		{"part of a name", beamline, []string{"path", "/photo"}, 404, "ClientError.NotFound"},
		{"a file", beamline, []string{"path", "/README.txt"}, 404, "ClientError.NotFound"},
		{"no such collection", "x", nil, 404, "EndpointNotFound"},
		{"not from the root", beamline, []string{"path", "photo51"}, 400, "ClientError.BadRequest"},
		{"upwards", beamline, []string{"path", "/photo51/../"}, 400, "ClientError.BadRequest"},
		{"limit", beamline, []string{"limit", "100001"}, 400, "ClientError.BadRequest"},
		{"offset", beamline, []string{"offset", "-1"}, 400, "ClientError.BadRequest"},
		{"order", beamline, []string{"orderby", "colour"}, 400, "ClientError.BadRequest"},
		{"hidden", beamline, []string{"show_hidden", "no"}, 400, "ClientError.BadRequest"},
		{"unknown parameter", beamline, []string{"recursive", "1"}, 400, "ClientError.BadRequest"},
		{"consent", collection(t, "Storage"), nil, 403, "ConsentRequired"},
		{"session", collection(t, "Tape"), nil, 502, "ExternalError.DirListingFailed.LoginFailed"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := f.list(token, tt.id, tt.pairs...)
			var names []string
			data, _ := r.json["DATA"].([]any)
			for _, e := range data {
				names = append(names, str(e.(map[string]any)["name"]))
			}
			if got := strings.Join(names, ",") + str(r.json["code"]); r.status != tt.wantStatus || got != tt.want {
				t.Errorf("got %d %q, want %d %q: %s", r.status, got, tt.wantStatus, tt.want, r.body)
			}
		})
	}
	first := f.list(token, beamline, "path", "/photo51", "orderby", "name").json["DATA"].([]any)[0].(map[string]any)
	if first["last_modified"] != "2027-01-05 08:00:00+00:00" || first["type"] != "file" || first["link_target"] != nil {
		t.Errorf("got %v", first)
	}
	f.Lie(globustest.Lie{List: globustest.Edit{Set: map[string]any{"DATA": nil}}})
	if r := f.list(token, beamline); r.status != 200 || r.json["DATA"] != nil {
		t.Errorf("the lie: got %s", r.body)
	}
}

// What Transfer depends on is asked for in one way alone.
func TestDependentScopes(t *testing.T) {
	access := "https://auth.globus.org/scopes/" + collection(t, "Storage") + "/data_access"
	tests := []struct {
		name  string
		scope string
		want  string // on the page
	}{
		{"data_access", "openid " + transferScope + "[*" + access + "]", "Read and write your files in Example University Research Storage"},
		{"twice", transferScope + "[*" + access + " *" + access + "] " + transferScope, "Read and write your files"},
		{"required", transferScope + "[" + access + "]", "UNKNOWN_SCOPE_ERROR"},
		{"by itself", access, "UNKNOWN_SCOPE_ERROR"},
		{"of a collection without", transferScope + "[*" + strings.ReplaceAll(access, collection(t, "Storage"), collection(t, "Tape")) + "]", "UNKNOWN_SCOPE_ERROR"},
		{"of another scope", "openid[*" + access + "]", "UNKNOWN_SCOPE_ERROR"},
		{"unclosed", transferScope + "[*" + access, "UNKNOWN_SCOPE_ERROR"},
		{"closed twice", transferScope + "[*" + access + "]]", "UNKNOWN_SCOPE_ERROR"},
		{"empty brackets", transferScope + "[]", "UNKNOWN_SCOPE_ERROR"},
		{"a bracket", transferScope + "]", "UNKNOWN_SCOPE_ERROR"},
		{"text after", transferScope + "[*" + access + "]x", "UNKNOWN_SCOPE_ERROR"},
		{"optional at the top", "*openid", "UNKNOWN_SCOPE_ERROR"},
	}
	f := newFlow(t, globustest.Config{})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if r := f.authorize(with(request(), "scope", tt.scope)); !strings.Contains(r.body, tt.want) {
				t.Errorf("got %d %s, want %q", r.status, r.body, tt.want)
			}
		})
	}
	// The token's scope does not name what Transfer depends on.
	granted := f.signIn(with(request(), "scope", transferScope+"[*"+access+"]"))
	if granted["scope"] != transferScope {
		t.Errorf("got scope %v", granted["scope"])
	}
}

func TestCollectionsOfOnesOwn(t *testing.T) {
	const id = "00000000-0000-4000-8000-000000000001"
	f := newFlow(t, globustest.Config{Collections: []globustest.Collection{{ID: id, Name: "Mine", Files: []globustest.File{{Path: "/a"}}}}})
	token := str(others(f.signIn(request()))[0]["access_token"])
	if r := f.list(token, id); r.status != 200 || !strings.Contains(r.body, `"name":"a"`) {
		t.Errorf("got %d %s", r.status, r.body)
	}
	if r := f.list(token, collection(t, "beamline")); r.status != 404 {
		t.Errorf("one of the demo: got %d", r.status)
	}
	for _, bad := range [][]globustest.Collection{
		{{ID: "x"}}, {{ID: id}, {ID: id}}, {{ID: id, Files: []globustest.File{{Path: "a"}}}}, {{ID: id, Files: []globustest.File{{Path: "/a//b"}}}},
	} {
		if _, err := globustest.New(globustest.Config{Issuer: "http://127.0.0.1:1", Key: sharedKey(), Collections: bad}); err == nil {
			t.Errorf("%v: got no error", bad)
		}
	}
}
