package search_test

import (
	"bytes"
	"context"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"example.org/portal/globus"
	"example.org/portal/globus/globustest"
	"example.org/portal/routes"
	"example.org/portal/routes/doctor"
	"example.org/portal/routes/routestest"
	"example.org/portal/routes/search"
	"example.org/portal/routes/settings"
	"example.org/portal/routes/web"
)

// TestSearchCheck: the check of a page compares it with its index.
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
	for i, tt := range []struct {
		name string
		ix   search.Index
		want string // begins the only finding; ! says that something is to be done
	}{
		{"three lines", search.Index{ID: testIndex}, "✓ the index \"Tests\" has 7 public records"},
		{"all there", search.Index{ID: testIndex, Fields: []search.Field{{Path: "deep.a.b\\.c"}, {Path: "title.1"}}, Facets: []search.Facet{{Field: "tag"}, {Field: "day", Kind: search.Dates}}, Sorts: []search.Sort{{Label: "n", Field: "n"}}}, "✓ the index"},
		{"no index", search.Index{ID: absent}, "! Globus Search has no index " + absent},
		{"nobody sees it", search.Index{ID: hidden}, "! without signing in, people find none of the 1 records"},
		{"a wrong column", search.Index{ID: testIndex, Fields: []search.Field{{Path: "titel"}}}, "! no public record has the field titel, which is in Fields"},
		{"a wrong facet", search.Index{ID: testIndex, Facets: []search.Facet{{Field: "tags"}}}, "! no public record has the field tags, which is in Facets"},
		{"a facet of another kind", search.Index{ID: testIndex, Facets: []search.Facet{{Field: "tag", Kind: search.Dates}}}, "! the Kind of the facet of tag"},
		{"a facet that Search rejects", search.Index{ID: testIndex, Facets: []search.Facet{{Field: "tag", Name: "spoilt"}}}, "! Globus Search cannot count the facet of tag"},
		{"a citation", search.Index{ID: testIndex, Cite: &search.Citation{DOI: "doi"}}, "! no public record has the field doi, which is in Cite"},
	} {
		tt.ix.Path = "/page-" + strconv.Itoa(i)
		search.AddRoutes(s.App.Server, s.App.Auth, s.Client, tt.ix)
		checks := s.App.Checks()
		var got []string
		for _, found := range checks[len(checks)-1].Run(t.Context()) {
			mark := "✓"
			if found.Remedy != "" {
				mark = "!"
			}
			got = append(got, mark+" "+found.Text)
		}
		if checks[len(checks)-1].Page != tt.ix.Path || len(got) != 1 || !strings.HasPrefix(got[0], tt.want) {
			t.Errorf("%s: got %q, want only %q", tt.name, got, tt.want)
		}
	}
}

// TestSearchChecked: portal -check says what the pages of the site have found, and that it
// is wrong is no fault: people can sign in.
func TestSearchChecked(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	pages := func(client *globus.Client) ([]web.Check, error) {
		checks, err := routes.Checks(client)
		if !slices.ContainsFunc(checks, func(c web.Check) bool { return c.Page == "/search" }) {
			t.Errorf("got %v, %v, without /search", checks, err)
		}
		return []web.Check{{Page: "/x", Run: func(context.Context) []web.Finding {
			return []web.Finding{{Text: "good"}, {Text: "bad", Remedy: "mend it"}}
		}}}, err
	}
	env := []string{"GLOBUS_CLIENT_ID=" + routestest.ClientID, "GLOBUS_CLIENT_SECRET=x", "GLOBUS_ISSUER=http://127.0.0.1:1", "PUBLIC_URL=http://localhost:1", "LISTEN=127.0.0.1:1", "SESSION_STORE=memory:"}
	_ = doctor.Check(t.Context(), settings.Read(env, false), fstest.MapFS{}, pages, &out)
	if want := "\n✓ Page /x: good\n! Page /x: bad\n  → mend it\n"; !strings.HasSuffix(out.String(), want) {
		t.Errorf("want %q at the end of:\n%s", want, &out)
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
