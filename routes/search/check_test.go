package search_test

import (
	"bytes"
	"strings"
	"testing"
	"testing/fstest"

	"example.org/portal/globus"
	"example.org/portal/globus/globustest"
	"example.org/portal/routes/doctor"
	"example.org/portal/routes/routestest"
	"example.org/portal/routes/search"
	"example.org/portal/routes/settings"
	"example.org/portal/routes/web"
)

// TestSearchCheck: portal -check compares a page with its index, and warns.
func TestSearchCheck(t *testing.T) {
	t.Parallel()
	const absent, hidden = "5ea2c400-0000-4000-8000-00000000000a", "5ea2c400-0000-4000-8000-00000000000b"
	entries := oddEntries()
	entries[0].Content["day"] = "2024-02-29"
	g := globustest.NewServer(globustest.Config{Key: routestest.SigningKey(), Strict: true, Indexes: []globustest.Index{
		{ID: testIndex, Name: "Tests", Entries: entries},
		{ID: hidden, Name: "Hidden", Entries: []globustest.IndexEntry{{Subject: "s", VisibleTo: []string{globus.PrincipalSignedIn}, Content: map[string]any{"n": 1}}}},
	}})
	t.Cleanup(g.Close)
	s := routestest.Start(t, routestest.Options{Globus: g, Transport: spoilt("spoilt")})
	for _, tt := range []struct {
		name string
		ix   search.Index
		want string // begins a line; what is ✓ stands alone
	}{
		{"three lines", search.Index{ID: testIndex}, "✓ Page /p1: the index \"Tests\" has 7 records"},
		{"all there", search.Index{ID: testIndex, Fields: []search.Field{{Path: "deep.a.b\\.c"}, {Path: "title.1"}}, Facets: []search.Facet{{Field: "tag"}, {Field: "day", Kind: search.Dates}}, Sorts: []search.Sort{{Label: "n", Field: "n"}}}, "✓ Page /p2: the index"},
		{"no index", search.Index{ID: absent}, "! Page /p3: Globus Search has no index " + absent},
		{"nobody sees it", search.Index{ID: hidden}, "! Page /p4: nobody finds any of the 1 records"},
		{"a wrong column", search.Index{ID: testIndex, Fields: []search.Field{{Path: "titel"}}}, "! Page /p5: no record that everybody finds has titel, which is in Fields"},
		{"a wrong facet", search.Index{ID: testIndex, Facets: []search.Facet{{Field: "tags"}}}, "! Page /p6: no record that everybody finds has tags, which is in Facets"},
		{"a facet of another kind", search.Index{ID: testIndex, Facets: []search.Facet{{Field: "tag", Kind: search.Dates}}}, "! Page /p7: the facet of tag is of another Kind"},
		{"a facet that Search rejects", search.Index{ID: testIndex, Facets: []search.Facet{{Field: "tag", Name: "spoilt"}}}, "! Page /p9: the facet of tag is not counted"},
		{"a citation", search.Index{ID: testIndex, Cite: &search.Citation{DOI: "doi"}}, "! Page /p8: no record that everybody finds has doi, which is in Cite"},
	} {
		tt.ix.Path = "/p" + string(tt.want[len("✓ Page /p")+strings.IndexByte(tt.want, ' ')-len("✓")])
		search.AddRoutes(s.App.Server, s.App.Auth, s.Client, tt.ix)
		var out bytes.Buffer
		checks := s.App.Checks()
		env := []string{"GLOBUS_CLIENT_ID=" + routestest.ClientID, "GLOBUS_CLIENT_SECRET=" + routestest.ClientSecret, "GLOBUS_ISSUER=" + g.URL, "PUBLIC_URL=" + s.URL, "SESSION_STORE=memory:"}
		pages := func(*globus.Client) ([]web.Check, error) { return checks[len(checks)-1:], nil }
		_ = doctor.Check(t.Context(), settings.Read(env, false), fstest.MapFS{}, pages, &out)
		_, page, _ := strings.Cut("\n"+out.String(), " Page /")
		if got := "\n" + out.String(); !strings.Contains(got, "\n"+tt.want) || strings.Contains(page, " Page /") {
			t.Errorf("%s: want a line %q, and no other of the page, in:\n%s", tt.name, tt.want, got)
		}
	}
}

// TestSearchDescribe: of records with usual fields comes an index with facets and orders
// that fit; odd records do not spoil the source.
func TestSearchDescribe(t *testing.T) {
	t.Parallel()
	s := routestest.Start(t, routestest.Options{})
	sample, err := s.Client.Search(nil).Query(t.Context(), globustest.DemoIndex, globus.SearchQuery{Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	source, err := search.Describe(globustest.DemoIndex, sample.Subjects)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`{Path: "taken", Label: "Taken", Kind: search.Date}`, `{Path: "bytes", Label: "Bytes", Kind: search.Bytes}`,
		`{Field: "site.region", Label: "Site region"}`, `{Field: "taken", Label: "Taken", Kind: search.Dates}`, `{Field: "open", Label: "Open", Kind: search.YesNo}`,
		`{Field: "depth_cm", Label: "Depth cm", Kind: search.Numbers, Low: 0, High: 300, Steps: 5}`,
		`{Label: "Newest first", Field: "taken", Descending: true}`, `{Label: "Largest first", Field: "bytes", Descending: true}`,
	} {
		if !strings.Contains(string(source), want) {
			t.Errorf("it lacks %s:\n%s", want, source)
		}
	}
	if strings.Contains(string(source), `"title"`) || strings.Contains(string(source), `"abstract"`) {
		t.Errorf("the heading, or long text, is a column:\n%s", source)
	}
	odd := []globus.SearchSubject{{Subject: "x", Entries: []globus.SearchEntry{{Content: []byte("{\"a\\\"b`.c\": \"` + x\", \"n\": 1e400, \"\": 1, \"l\": [[1], {\"x\": null}]}")}}}}
	if source, err := search.Describe(globustest.DemoIndex, odd); err != nil || !strings.Contains(string(source), "Path:") {
		t.Errorf("odd: got %v:\n%s", err, source)
	}
	if _, err := search.Describe(globustest.DemoIndex, nil); err == nil {
		t.Error("nothing is described")
	}
}
