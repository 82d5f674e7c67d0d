package globustest_test

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"example.org/portal/globus/globustest"
)

const allScopes = "openid profile email " + identitySet + " " + transferScope + " " + groupsScope

// A fact is what Globus is known to answer, kept as data in testdata/facts. The
// emulator is held to it, both ways: what it lacks, and what it adds.
type fact struct {
	Name   string
	Source string // the document, or the repository and file, that it was taken from
	Known  string // "seen" there, "inferred", or "not": what is asserted is then lenient, or with strict the strictest reading

	Strict bool              // it holds with Config.Strict; else without
	Person string            // who signed in before; empty: rosalind
	SignIn map[string]string // parameters with which they did, if not the usual
	After  []ask             // what happened since
	Ask    ask

	Status  int
	Type    string             // media type of the answer; empty: none is sent
	Headers map[string]*string // of the answer; null: it is not there
	Back    shape              // of the query with which the browser is sent back to the app; null: it is not
	Body    shape              // JSON; null: it is not looked at
	IDToken shape              // header and claims of the ID token in it; null: likewise
	Page    []string           // texts in the page
	Lacks   []string           // texts that are not in it
}

func read(t *testing.T, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func readFacts(t *testing.T) map[string][]json.RawMessage {
	t.Helper()
	files, err := filepath.Glob("testdata/facts/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("there are no facts: %v", err)
	}
	all := map[string][]json.RawMessage{}
	for _, name := range files {
		if filepath.Base(name) == "shapes.json" {
			continue
		}
		text := read(t, name)
		var list []json.RawMessage
		if err := json.Unmarshal(text, &list); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		all[filepath.Base(name)] = list
	}
	return all
}

// readFact is strict, so that a misspelt member is no silent one.
func readFact(t *testing.T, text []byte) (f fact) {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(string(text)))
	d.UseNumber()
	d.DisallowUnknownFields()
	if err := d.Decode(&f); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	if f.Name == "" || f.Source == "" || f.Status == 0 || !slices.Contains([]string{"seen", "inferred", "not"}, f.Known) {
		t.Fatalf("a fact needs name, source, status, and known as seen, inferred or not: %s", text)
	}
	return f
}

// TestFacts holds the emulator to what Globus is known to answer.
func TestFacts(t *testing.T) {
	asked := map[string]bool{}
	shapes := read(t, "testdata/facts/shapes.json")
	for file, list := range readFacts(t) {
		for _, text := range list {
			row := readFact(t, text)
			t.Run(file+"/"+row.Name, func(t *testing.T) {
				f := newFlow(t, row.config())
				f.Register(globustest.Client{ID: serverID, Secret: "server-secret", ResourceServer: "analysis.example.edu"})
				s := newSubject(f, cmp.Or(row.Person, "rosalind"), row.SignIn)
				row := readFact(t, s.said(text))
				named := parse(t, string(s.said(shapes))).(map[string]any)
				row.Body, row.IDToken = resolve(row.Body, named), resolve(row.IDToken, named)
				for _, step := range row.After {
					s.ask(step)
				}
				before := s.counts()
				row.check(t, s.ask(row.Ask))
				for path, n := range s.counts() {
					asked[path] = asked[path] || n > before[path]
				}
			})
		}
	}
	t.Run("every endpoint", func(t *testing.T) {
		for _, path := range endpoints {
			if !asked[path] {
				t.Errorf("there is no fact about %s", path)
			}
		}
	})
}

func (f fact) config() globustest.Config {
	cfg := everybody()
	cfg.Strict = f.Strict
	cfg.Scopes = []globustest.Scope{{Name: analyze, ResourceServer: "analysis.example.edu", Dependencies: []string{transferScope, groupsScope}}}
	return cfg
}

var endpoints = []string{
	globustest.DiscoveryPath, globustest.KeysPath, globustest.AuthorizePath, globustest.TokenPath, globustest.UserInfoPath,
	globustest.RevokePath, globustest.LogoutPath, globustest.IntrospectPath, globustest.IdentitiesPath, globustest.ConsentsPath,
	globustest.TaskListPath, globustest.TaskPath, globustest.ListPath, globustest.MyGroupsPath,
	globustest.AuthCodePath, globustest.GetIdentitiesPath, globustest.IdentityProvidersPath,
	globustest.CancelPath, globustest.EventListPath, globustest.SuccessfulTransfersPath, globustest.SkippedErrorsPath, globustest.PauseInfoPath,
	globustest.SubmissionIDPath, globustest.SubmitTransferPath, globustest.SubmitDeletePath, globustest.MkdirPath, globustest.RenamePath,
	globustest.StatPath, globustest.CollectionPath, globustest.SearchPath, globustest.BookmarkListPath, globustest.BookmarkPath,
}

// counts are the requests so far, by endpoint.
func (s *subject) counts() map[string]int {
	counts := map[string]int{}
	for _, path := range endpoints {
		counts[path] = s.Requests(path)
	}
	return counts
}

// check compares an answer with all that the fact says of it.
func (f fact) check(t *testing.T, r response) {
	t.Helper()
	mediaType, _, _ := strings.Cut(r.header.Get("Content-Type"), ";")
	if r.status != f.Status || mediaType != f.Type {
		t.Errorf("got %d, %q, want %d, %q: %s", r.status, mediaType, f.Status, f.Type, r.body)
	}
	for name, want := range f.Headers {
		got := r.header.Values(name)
		if want == nil && got != nil || want != nil && !slices.Equal(got, []string{*want}) {
			t.Errorf("got %s %q, want %v", name, got, f.said(name))
		}
	}
	f.checkBack(t, r)
	if f.Body != nil {
		if m := misfit("the answer", f.Body, parse(t, r.body)); m != "" {
			t.Errorf("%s: %s", m, r.body)
		}
	}
	if f.IDToken != nil {
		if m := misfit("the ID token", f.IDToken, parse(t, opened(str(r.json["id_token"])))); m != "" {
			t.Error(m)
		}
	}
	for _, text := range f.Page {
		if !strings.Contains(r.body, text) {
			t.Errorf("the page lacks %q: %s", text, r.body)
		}
	}
	for _, text := range f.Lacks {
		if strings.Contains(r.body, text) {
			t.Errorf("the page has %q: %s", text, r.body)
		}
	}
}

func (f fact) said(header string) string {
	if f.Headers[header] == nil {
		return "none"
	}
	return *f.Headers[header]
}

// checkBack reads the redirect to the app, which nothing else is to be sent with.
func (f fact) checkBack(t *testing.T, r response) {
	t.Helper()
	location := r.header.Get("Location")
	if f.Back == nil {
		if location != "" {
			t.Errorf("got Location %q, want none", location)
		}
		return
	}
	u, err := url.Parse(location)
	if err != nil || !strings.HasPrefix(location, redirectURI+"?") || u.Fragment != "" {
		t.Fatalf("got Location %q, want the app's with a query: %s", location, r.body)
	}
	query := map[string]any{}
	for name, values := range u.Query() {
		query[name] = strings.Join(values, " and ")
	}
	if m := misfit("the redirect", f.Back, query); m != "" {
		t.Errorf("%s: %s", m, location)
	}
}

// opened is the header and the claims of an ID token.
func opened(idToken string) string {
	var parts [2]string
	for i, part := range strings.SplitN(idToken, ".", 3)[:2] {
		text, _ := base64.RawURLEncoding.DecodeString(part)
		parts[i] = string(text)
	}
	return `{"header": ` + parts[0] + `, "claims": ` + parts[1] + `}`
}
