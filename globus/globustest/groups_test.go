package globustest_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"example.org/portal/globus"
	"example.org/portal/globus/globustest"
)

func (f *flow) myGroups(token, query string) response {
	f.Helper()
	req, err := http.NewRequestWithContext(f.Context(), http.MethodGet, f.URL+globustest.MyGroupsPath+query, nil)
	if err != nil {
		f.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	return f.doRaw(req)
}

// doRaw is do for an answer that is no JSON object.
func (f *flow) doRaw(req *http.Request) response {
	f.Helper()
	res, err := f.browser.Do(req)
	if err != nil {
		f.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		f.Fatal(err)
	}
	return response{status: res.StatusCode, header: res.Header, body: string(body)}
}

func TestMyGroups(t *testing.T) {
	f := newFlow(t, everybody())
	all := with(request(), "scope", "openid "+groupsScope+" "+transferScope)
	token := func(person string) (groups, transfer string) {
		for _, o := range others(f.tokens(f.press(all, "person", person))) {
			if o["resource_server"] == globus.GroupsServer {
				groups = str(o["access_token"])
			} else {
				transfer = str(o["access_token"])
			}
		}
		return groups, transfer
	}
	tests := []struct {
		person, query string
		want          []string
		unwanted      []string
	}{
		{"rosalind", "", []string{globustest.DemoLab, `"role":"manager"`}, []string{"invited", "Reviewers"}},
		{"rosalind", "?statuses=active,invited", []string{globustest.DemoLab, "Reviewers", `"status":"invited"`}, nil},
		{"rosalind", "?statuses=pending", []string{"[]"}, []string{globustest.DemoLab}},
		{"ada", "", []string{`"username":"lovelace@lab.example.org"`, `"status":"active"`, `"status":"invited"`, "Observatory"}, nil},
		{"markup", "", []string{"Observatory"}, []string{globustest.DemoLab}},
		{"markup", "?statuses=pending", []string{globustest.DemoLab, `"status":"pending"`}, []string{"Observatory"}},
		{"sub-only", "?statuses=active,invited,pending", []string{"[]"}, []string{"{"}},
	}
	for _, tt := range tests {
		t.Run(tt.person+tt.query, func(t *testing.T) {
			groups, _ := token(tt.person)
			r := f.myGroups(groups, tt.query)
			if r.status != 200 {
				t.Fatalf("got %d %s", r.status, r.body)
			}
			for _, want := range tt.want {
				if !strings.Contains(r.body, want) {
					t.Errorf("got %s, want %s in it", r.body, want)
				}
			}
			for _, unwanted := range tt.unwanted {
				if strings.Contains(r.body, unwanted) {
					t.Errorf("got %s, want no %s in it", r.body, unwanted)
				}
			}
		})
	}
	groups, transfer := token("rosalind")
	refusals := []struct {
		token, query string
		status       int
		code         string
	}{
		{"", "", 401, "AUTHENTICATION_ERROR"},
		{transfer, "", 401, "INVALID_TOKEN"},
		{"x", "", 401, "INVALID_TOKEN"},
		{groups, "?statuses=all", 422, "UNPROCESSABLE_ENTITY"},
		{groups, "?statuses=active&statuses=invited", 422, "UNPROCESSABLE_ENTITY"},
	}
	for _, tt := range refusals {
		if r := f.myGroups(tt.token, tt.query); r.status != tt.status || !strings.Contains(r.body, `"code":"`+tt.code+`"`) {
			t.Errorf("%q: got %d %s, want %d %s", tt.query, r.status, r.body, tt.status, tt.code)
		}
	}
	f.Lie(globustest.Lie{Group: globustest.Edit{Set: map[string]any{"my_memberships": nil}}})
	if r := f.myGroups(groups, ""); !strings.Contains(r.body, `"my_memberships":null`) {
		t.Errorf("the lie: got %s", r.body)
	}
	f.Lie(globustest.Lie{Endpoints: map[string]globustest.Fault{globustest.MyGroupsPath: {Status: 503}}})
	if r := f.myGroups(groups, ""); r.status != 503 {
		t.Errorf("down: got %d", r.status)
	}
}
