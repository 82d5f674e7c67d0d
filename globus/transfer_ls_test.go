package globus_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"example.org/portal/globus"
	"example.org/portal/globus/globustest"
)

// enter goes to Globus with an authorization request, presses a button there, and
// exchanges the code. What the person had allowed before is not asked for.
func (f *flow) enter(scopes globus.Scopes, required *globus.Requirements, button ...string) *globus.Login {
	f.Helper()
	a := globus.NewAttempt()
	opts := append(required.AuthCodeOptions(), scopes.AuthCodeOption())
	form := url.Values{}
	for i := 0; i < len(button); i += 2 {
		form.Set(button[i], button[i+1])
	}
	resp := post(f.T, newBrowser(f.T), f.client.AuthCodeURL(a, opts...), form)
	back, err := resp.Location()
	if err != nil || !back.Query().Has("code") {
		f.Fatalf("got %s, %v", resp.Status, back)
	}
	login, err := f.client.Exchange(f.Context(), back.Query().Get("code"), a)
	if err != nil {
		f.Fatal(err)
	}
	return login
}

func (f *flow) list(login *globus.Login, collection string, q globus.ListQuery) (*globus.Listing, error) {
	source := f.client.Source(login.Tokens, globus.TransferServer, nil)
	return f.client.Transfer(source.Fresh).List(f.Context(), collection, q)
}

// collection returns the id of a collection of the demo.
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
	f := newFlow(t)
	login := f.mustSignIn()
	tests := []struct {
		name  string
		query globus.ListQuery
		want  string
	}{
		{"where it begins", globus.ListQuery{}, "/ 4: README.txt empty/ odd names/ photo51/"},
		{"a directory", globus.ListQuery{Path: "/photo51"}, "/photo51/ 3: exposure-01.tif exposure-02.tif raw/"},
		{"with a slash", globus.ListQuery{Path: "/photo51/raw/"}, "/photo51/raw/ 1: frame 1 & 2.h5"},
		{"empty", globus.ListQuery{Path: "/empty"}, "/empty/ 0:"},
		{"odd names", globus.ListQuery{Path: "/odd names"}, "/odd names/ 4: <script>alert(1)< per%20cent?#&=+ ü.dat \u202eevil.txt"},
		{"hidden", globus.ListQuery{Path: "/odd names", Hidden: true, Limit: 1}, "/odd names/ 5: .hidden"},
		{"part", globus.ListQuery{Path: "/photo51", Offset: 1, Limit: 1}, "/photo51/ 3: exposure-02.tif"},
		{"past its end", globus.ListQuery{Path: "/photo51", Offset: 9}, "/photo51/ 3:"},
		{"odd limits", globus.ListQuery{Path: "/photo51", Offset: -1, Limit: 100_000}, "/photo51/ 3: exposure-01.tif exposure-02.tif raw/"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			listing, err := f.list(login, collection(t, "beamline"), tt.query)
			if err != nil {
				t.Fatal(err)
			}
			got := fmt.Sprint(listing.Path, " ", listing.Total, ":")
			for _, e := range listing.Entries {
				got += " " + e.Name
				if e.IsDir() {
					got += "/"
				}
			}
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
	listing, err := f.list(login, collection(t, "beamline"), globus.ListQuery{Path: "/photo51/raw"})
	if err != nil {
		t.Fatal(err)
	}
	if e := listing.Entries[0]; e.Size != 3e9 || e.Type != globus.EntryFile || e.Modified.Unix() != 1_800_000_000-11*86400 {
		t.Errorf("got %+v", e)
	}
	for _, bad := range []struct{ id, path, want string }{
		{uuid1, "", "EndpointNotFound"},
		{"../../task_list", "", ""},
		{collection(t, "beamline"), "/none", "NotFound"},
		{collection(t, "beamline"), "x", "BadRequest"},
	} {
		_, err := f.list(login, bad.id, globus.ListQuery{Path: bad.path})
		if e := asError(t, err); !strings.Contains(e.Code, bad.want) || e.Requirements != nil {
			t.Errorf("%s: got %v", bad.path, err)
		}
	}
}

func TestListAsks(t *testing.T) {
	tests := []struct {
		query globus.ListQuery
		want  string
	}{
		{globus.ListQuery{}, "limit=1000&offset=0&orderby=name&show_hidden=0"},
		{globus.ListQuery{Path: "/a b&c/", Offset: 7, Limit: 5000, Hidden: true}, "limit=5000&offset=7&orderby=name&path=/a b&c/&show_hidden=1"},
		{globus.ListQuery{Offset: -7, Limit: 5001}, "limit=1000&offset=0&orderby=name&show_hidden=0"},
		{globus.ListQuery{Limit: -1}, "limit=1000&offset=0&orderby=name&show_hidden=0"},
	}
	for _, tt := range tests {
		client, asked := answering(t, 200, `{}`)
		if _, err := client.Transfer(aToken).List(t.Context(), "a/../b?", tt.query); err != nil {
			t.Fatal(err)
		}
		r, _ := asked()
		query, err := url.QueryUnescape(r.URL.RawQuery)
		if err != nil || query != tt.want || r.URL.EscapedPath() != "/operation/endpoint/a%2F..%2Fb%3F/ls" {
			t.Errorf("asked %s, want %s", r.URL, tt.want)
		}
	}
}

func TestListing(t *testing.T) {
	tests := []struct{ name, body, want string }{
		{"nulls", `{"path":null,"DATA":[null,{"name":null,"type":null,"size":null,"last_modified":null}],"total":null}`, "[{  0 true} {  0 true}]"},
		{"no data", `{}`, "[]"},
		{"a T", `{"DATA":[{"name":"a","type":"file","size":7,"last_modified":"2021-01-15T01:45:50+00:00"}]}`, "[{a file 7 false}]"},
		{"no time", `{"DATA":[{"name":"a","last_modified":"yesterday"},{"name":"b","last_modified":7},{"name":"c"}]}`, "[{a  0 true} {b  0 true} {c  0 true}]"},
		{"an entry that is none", `{"DATA":[{"name":"a"},"x",{"name":"b"}]}`, "[{a  0 true} {  0 true} {b  0 true}]"},
		{"path and total of another type", `{"path":7,"total":"2","DATA":[{"name":"a"}]}`, "[{a  0 true}]"},
		{"name of another type", `{"DATA":[{"name":7},{"name":"b"}]}`, "[{  0 true} {b  0 true}]"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			client, _ := answering(t, 200, tt.body)
			listing, err := client.Transfer(aToken).List(t.Context(), uuid1, globus.ListQuery{})
			if err != nil {
				t.Fatal(err)
			}
			type entry struct {
				name, kind string
				size       int64
				noTime     bool
			}
			got := []entry{}
			for _, e := range listing.Entries {
				got = append(got, entry{e.Name, e.Type, e.Size, e.Modified.IsZero()})
			}
			if fmt.Sprint(got) != tt.want {
				t.Errorf("got %v, want %s", got, tt.want)
			}
		})
	}
}

// A collection that wants consent opens once the person has given it: for all
// tokens of the app, those of before included, and until they take it back.
func TestListConsent(t *testing.T) {
	f := newFlow(t)
	storage := collection(t, "Storage")
	before := f.mustSignIn()
	_, err := f.list(before, storage, globus.ListQuery{})
	required, ok := globus.RequirementsOf(err)
	if !ok || required.Code != "ConsentRequired" || required.Message == "" {
		t.Fatalf("got %v, %+v", err, required)
	}
	want, err := globus.DataAccess(storage)
	if err != nil || required.Scopes.String() != want.String() || required.Prompt != "" || required.MFA {
		t.Errorf("got %+v, want %s", required, want)
	}
	held, err := globus.ParseScopes(f.client.Scopes()...)
	if err != nil {
		t.Fatal(err)
	}
	after := f.enter(held.Merge(required.Scopes), required, "person", "rosalind")
	listing, err := f.list(after, storage, globus.ListQuery{Path: "/home"})
	if err != nil || len(listing.Entries) != 2 {
		t.Errorf("after consent: got %+v, %v", listing, err)
	}
	if _, err := f.list(before, storage, globus.ListQuery{}); err != nil {
		t.Errorf("with the token of before: %v", err)
	}
	if other, err := f.signIn("ada"); err != nil {
		t.Error(err)
	} else if _, err := f.list(other, storage, globus.ListQuery{}); err == nil {
		t.Error("it does it for somebody else")
	}
	// It is remembered, and need not be asked for again.
	if _, err := f.list(f.mustSignIn(), storage, globus.ListQuery{}); err != nil {
		t.Errorf("later: %v", err)
	}
}

// A collection that wants a session says so with 502, and opens for one that
// has it.
func TestListSession(t *testing.T) {
	tests := []struct {
		name       string
		collection string
		before     []string
		want       string // what it asks for; empty: it opens
		then       []string
	}{
		{"without a second factor", "Supercomputer", []string{"person", "rosalind"},
			"session_message=Example Supercomputer scratch asks who you are&session_required_mfa=true&session_required_single_domain=example.edu",
			[]string{"person", "rosalind", "mfa", "1"}},
		{"with it", "Supercomputer", []string{"person", "rosalind", "mfa", "1"}, "", nil},
		{"with it, elsewhere", "Supercomputer", []string{"identity", "7a1c2e40-3b5d-4f6e-8a90-1815121005aa", "mfa", "1"},
			"session_message=Example Supercomputer scratch asks who you are&session_required_mfa=true&session_required_single_domain=example.edu",
			[]string{"person", "ada", "mfa", "1"}},
		{"merely linked", "Tape", []string{"person", "ada"},
			"session_message=Tape archive asks who you are&session_required_single_domain=lab.example.org",
			[]string{"identity", "7a1c2e40-3b5d-4f6e-8a90-1815121005aa"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFlow(t)
			id := collection(t, tt.collection)
			held, err := globus.ParseScopes(f.client.Scopes()...)
			if err != nil {
				t.Fatal(err)
			}
			login := f.enter(held, &globus.Requirements{}, tt.before...)
			_, err = f.list(login, id, globus.ListQuery{})
			required, ok := globus.RequirementsOf(err)
			if tt.want == "" {
				if err != nil {
					t.Errorf("got %v", err)
				}
				return
			}
			if !ok || asError(t, err).Status != 502 || ask(required) != tt.want {
				t.Fatalf("got %v, %+v, want %s", err, required, tt.want)
			}
			again := f.enter(held.Merge(required.Scopes), required, tt.before...)
			_, err = f.list(again, id, globus.ListQuery{})
			if same, ok := globus.RequirementsOf(err); !ok || !same.Same(required) {
				t.Errorf("what does not help: got %v", err)
			}
			login = f.enter(held.Merge(required.Scopes), required, tt.then...)
			if _, err := f.list(login, id, globus.ListQuery{}); err != nil {
				t.Errorf("what helps: got %v", err)
			}
		})
	}
}

func TestDataAccess(t *testing.T) {
	const scope = "https://auth.globus.org/scopes/"
	tests := []struct {
		name string
		ids  []string
		want string // empty: an error
	}{
		{"none", nil, globus.TransferScope},
		{"one", []string{uuid1}, globus.TransferScope + "[*" + scope + uuid1 + "/data_access]"},
		{"two, one twice", []string{uuid1, uuid2, strings.ToUpper(uuid1)}, globus.TransferScope + "[*" + scope + uuid1 + "/data_access *" + scope + uuid2 + "/data_access]"},
		{"no id", []string{"x] openid"}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := globus.DataAccess(tt.ids...)
			if (err != nil) != (tt.want == "") || got.String() != tt.want {
				t.Errorf("got %q, %v, want %q", got, err, tt.want)
			}
		})
	}
}

// The policy is decided on what Globus says of a sign-in that really happens.
func TestPolicyEndToEnd(t *testing.T) {
	lab := globus.Policy{Domains: []string{"lab.example.org"}, Groups: []string{globustest.DemoLab}}
	tests := []struct {
		name   string
		policy globus.Policy
		button []string
		want   string
	}{
		{"the lab's identity", lab, []string{"identity", "7a1c2e40-3b5d-4f6e-8a90-1815121005aa"}, "allowed "},
		{"merely linked", lab, []string{"person", "ada"}, "refused domain"},
		{"in the group, by another identity", globus.Policy{Groups: lab.Groups}, []string{"person", "ada"}, "allowed "},
		{"asked to join", globus.Policy{Groups: lab.Groups}, []string{"person", "markup"}, "refused group"},
		{"of no group", globus.Policy{Groups: lab.Groups}, []string{"person", "sub-only"}, "refused group"},
		{"no user name", lab, []string{"person", "sub-only"}, "unverifiable domain"},
		{"mfa", globus.Policy{MFA: true}, []string{"person", "rosalind", "mfa", "1"}, "allowed "},
		{"not said", globus.Policy{MFA: true}, []string{"person", "rosalind"}, "unverifiable mfa"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFlow(t)
			held, err := globus.ParseScopes(f.client.Scopes()...)
			if err != nil {
				t.Fatal(err)
			}
			login := f.enter(held.Merge(tt.policy.Scopes()), &globus.Requirements{}, tt.button...)
			in, err := f.client.Introspect(t.Context(), login.Tokens[globus.AuthServer].AccessToken)
			if err != nil {
				t.Fatal(err)
			}
			facts := globus.Facts{Subject: login.Identity.Subject}.WithSession(in, f.clock.Now())
			if tt.policy.NeedsGroups() {
				groups, err := f.client.Groups(f.client.Source(login.Tokens, globus.GroupsServer, nil).Fresh).Mine(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				facts = facts.WithGroups(groups, f.clock.Now())
			}
			d := tt.policy.Decide(facts, f.clock.Now())
			if got := fmt.Sprint(d.Verdict, " ", d.Rule); got != tt.want {
				t.Errorf("got %q, want %q of %+v", got, tt.want, facts)
			}
		})
	}
}
