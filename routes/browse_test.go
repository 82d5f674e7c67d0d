package routes_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"example.org/portal/globus/globustest"
	"example.org/portal/routes/routestest"
)

func TestBrowse(t *testing.T) {
	t.Parallel()
	open, large := place(t, "Example Light"), globustest.Collection{ID: "0dc3a1f0-0000-4000-8000-000000000001", Name: "Large"}
	for i := range 230 {
		large.Files = append(large.Files, globustest.File{Path: fmt.Sprintf("/file-%03d", i)})
	}
	s := routestest.Start(t, routestest.Options{Collections: []globustest.Collection{open, large}})
	b, nobody := s.Browser(), s.Browser()
	b.SignIn("rosalind")
	tests := []struct {
		name       string
		browser    *routestest.Browser
		path       string // after /files/
		headers    []string
		wantStatus int
		want       []string // in the page, or its reason
		wantCalls  int
	}{
		{"a page", b, open.ID, nil, 200, []string{"<html", "README.txt", "photo51", "1.0 kB", "?path=%2Fphoto51%2F"}, 1},
		{"a fragment", b, open.ID, routestest.Htmx, 200, []string{`<section id="browse"`}, 1},
		{"in capitals", b, strings.ToUpper(open.ID), nil, 200, []string{"README.txt"}, 1},
		{"a folder", b, open.ID + "?path=/photo51/raw/", routestest.Htmx, 200, []string{"frame 1 &amp; 2.h5", "3.0 GB", `?path=%2Fphoto51%2F"`}, 1},
		{"without its slash", b, open.ID + "?path=/photo51", routestest.Htmx, 200, []string{"exposure-01.tif", "path=%2Fphoto51%2Fraw%2F"}, 1},
		{"an empty one", b, open.ID + "?path=/empty/", routestest.Htmx, 200, []string{`id="browse-empty"`}, 1},
		{"odd names", b, open.ID + "?path=/odd+names/", routestest.Htmx, 200, []string{"&lt;script&gt;alert(1)&lt;", "per%20cent?#&amp;=+", "\u202eevil.txt</bdi>"}, 1},
		{"no such folder", b, open.ID + "?path=/nowhere/", nil, 404, []string{`data-reason="not_found"`}, 1},
		{"the first page", b, large.ID, routestest.Htmx, 200, []string{"file-000", "file-099", "?offset=100"}, 1},
		{"the last page", b, large.ID + "?offset=200", routestest.Htmx, 200, []string{"file-200", "file-229", `id="browse-first"`}, 1},
		{"by name", b, large.ID + "?name=+E-10", routestest.Htmx, 200, []string{"file-100", "file-109", `id="browse-all"`, `value="E-10"`}, 1},
		{"by name, with a next page", b, large.ID + "?name=file", routestest.Htmx, 200, []string{"name=file&amp;offset=100&amp;path=%2F"}, 1},
		{"by a name that nothing has", b, large.ID + "?name=nothing", routestest.Htmx, 200, []string{`id="browse-none"`}, 1},
		{"the newest first", b, large.ID + "?sort=newest", routestest.Htmx, 200, []string{`value="newest" selected`, "?offset=100&amp;path=%2F&amp;sort=newest"}, 1},
		{"in an unknown order", b, large.ID + "?sort=size", routestest.Htmx, 200, []string{"file-000", `?offset=100&amp;path=%2F"`}, 1},
		{"the name of the collection", b, large.ID, nil, 200, []string{"<h1>Large</h1>", `id="browse-filter"`}, 1},
		{"beyond it", b, large.ID + "?offset=99999999999999999999", routestest.Htmx, 200, []string{`id="browse-beyond"`}, 1},
		{"no number", b, large.ID + "?offset=x", routestest.Htmx, 200, []string{"file-000"}, 1},
		{"less than none", b, large.ID + "?offset=-5", routestest.Htmx, 200, []string{"file-000"}, 1},
		{"an unknown collection", b, "0dc3a1f0-0000-4000-8000-00000000dead", nil, 404, []string{`data-reason="collection_gone"`}, 1},
		{"no UUID", b, "x", nil, 404, []string{`data-reason="no_such_folder"`}, 0},
		{"almost one", b, open.ID + "%2Fls", nil, 404, []string{`data-reason="no_such_folder"`}, 0},
		{"another path", b, open.ID + "?path=photo51", nil, 404, []string{`data-reason="no_such_folder"`}, 0},
		{"not UTF-8", b, open.ID + "?path=/%ff/", nil, 404, []string{`data-reason="no_such_folder"`}, 0},
		{"a path with a zero", b, open.ID + "?path=/%00/", nil, 404, []string{`data-reason="no_such_folder"`}, 0},
		{"a path that is too long", b, open.ID + "?path=/" + strings.Repeat("x", 9000), nil, 414, []string{`data-reason="query_too_long"`}, 0},
		{"signed out", nobody, open.ID + "?path=/photo51/", nil, 303, nil, 0},
		{"signed out, by htmx", nobody, open.ID, routestest.Htmx, 401, []string{`data-reason="session_ended"`}, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			before := s.Globus.Requests(globustest.ListPath)
			p := test.browser.Get("/files/"+test.path, test.headers...)
			if got := s.Globus.Requests(globustest.ListPath) - before; p.Status != test.wantStatus || got != test.wantCalls {
				t.Errorf("got %d after %d calls, want %d and %d:\n%s", p.Status, got, test.wantStatus, test.wantCalls, p.Body)
			}
			for _, want := range test.want {
				if !strings.Contains(p.Body, want) {
					t.Errorf("it lacks %q:\n%s", want, p.Body)
				}
			}
			if p.Status == http.StatusOK && strings.Contains(p.Body, "<html") != (test.headers == nil) {
				t.Errorf("a page or a fragment, but the wrong one:\n%s", p.Body)
			}
		})
	}
}

// TestBrowseStepUp: what a collection wants of the person, they do at Globus, one
// after the other, and then the folder is there that they wanted to see.
func TestBrowseStepUp(t *testing.T) {
	t.Parallel()
	both := place(t, "Example Supercomputer")
	both.DataAccess = true
	tests := []struct {
		name  string
		place globustest.Collection
		path  string
		steps [][]string // done at Globus, one visit each
		see   string
	}{
		{"consent", place(t, "Example University Research"), "/home/", [][]string{{"allow", "1"}}, "notes.txt"},
		{"an identity", place(t, "Tape"), "/1952/", [][]string{{"identity", "7a1c2e40-3b5d-4f6e-8a90-1815121005aa"}}, "tape-1.tar"},
		{"two in a row", both, "/scratch/", [][]string{{"allow", "1"}, {"person", "ada", "mfa", "1"}}, "run-1.out"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := routestest.Start(t, routestest.Options{Collections: []globustest.Collection{test.place}})
			b := s.Browser()
			b.SignIn("ada")
			path := "/files/" + test.place.ID + "?path=" + test.path
			for i, step := range test.steps {
				card := b.Get(path)
				if back := b.AtGlobus(b.Get(card.Link(".step-up")), step...); back.Header.Get("Location") != s.URL+path {
					t.Fatalf("visit %d ends with %d, at %q:\n%s", i, back.Status, back.Header.Get("Location"), card.Body)
				}
			}
			if p := b.Get(path); p.Status != http.StatusOK || !strings.Contains(p.Body, test.see) {
				t.Errorf("got %d, want %q:\n%s", p.Status, test.see, p.Body)
			}
		})
	}
}
