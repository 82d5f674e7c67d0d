package routes_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"example.org/portal/globus/globustest"
	"example.org/portal/routes/routestest"
)

// People find a collection by a bookmark, among those that they used last, and by
// words of its name.
func TestFiles(t *testing.T) {
	t.Parallel()
	places := globustest.DemoCollections()
	for i := range 45 {
		places = append(places, globustest.Collection{ID: fmt.Sprintf("0dc3a1f0-0000-4000-8000-%012d", i), Name: fmt.Sprintf("Many %02d", i), Description: "Of <b>many</b>"})
	}
	s := routestest.Start(t, routestest.Options{Collections: places})
	b, nobody, ada := s.Browser(), s.Browser(), s.Browser()
	b.SignIn("rosalind")
	ada.SignIn("sub-only")
	light, laptop := place(t, "Example Light"), place(t, "Rosalind's laptop")
	tests := []struct {
		name           string
		browser        *routestest.Browser
		path           string
		headers        []string
		wantStatus     int
		want, unwanted []string
	}{
		{"a page", b, "/files", nil, 200, []string{"<html", `id="bookmarks"`, "<bdi>Photo 51</bdi>", "/files/" + light.ID + "?path=%2Fphoto51%2F", `id="recent"`, `aria-current="page"`}, nil},
		{"a fragment", b, "/files", routestest.Htmx, 200, []string{`<section id="places"`}, []string{"<html"}},
		{"somebody new", ada, "/files", nil, 200, []string{`id="recent-none"`}, []string{`id="bookmarks"`}},
		{"by name", b, "/files?q=light+source", nil, 200, []string{`id="found-` + light.ID + `"`, `href="/files/` + light.ID + `"`, "Example Light Source</bdi>", "Detector images", `value="light source"`}, []string{"found-" + laptop.ID, `id="bookmarks"`}},
		{"a laptop that is off", b, "/files?q=laptop", nil, 200, []string{`id="found-` + laptop.ID + `"`, `class="badge attention"`}, nil},
		{"none", b, "/files?q=no+such+words", nil, 200, []string{`id="places-none"`}, []string{`id="found"`}},
		{"nothing typed", b, "/files?q=+", nil, 200, []string{`id="bookmarks"`}, nil},
		{"odd words", b, "/files?q=%00%ff%26", nil, 200, []string{`id="places-text"`}, nil},
		{"many", b, "/files?q=many", nil, 200, []string{"Many 00", "&lt;b&gt;many", "/files?offset=20&amp;q=many"}, []string{"Many 20", `id="places-first"`}},
		{"the next", b, "/files?q=many&offset=20", nil, 200, []string{"Many 20", `id="places-first"`, "/files?offset=40&amp;q=many"}, []string{"Many 19"}},
		{"the last", b, "/files?q=many&offset=40", nil, 200, []string{"Many 44"}, []string{`id="places-next"`}},
		{"beyond them", b, "/files?q=many&offset=99999999999999999999999", nil, 200, []string{`id="places-beyond"`, `id="places-first"`}, nil},
		{"signed out", nobody, "/files?q=many", nil, 303, nil, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p := test.browser.Get(test.path, test.headers...)
			if p.Status != test.wantStatus {
				t.Fatalf("got %d, want %d:\n%s", p.Status, test.wantStatus, p.Body)
			}
			for _, want := range test.want {
				if !strings.Contains(p.Body, want) {
					t.Errorf("it lacks %q:\n%s", want, p.Body)
				}
			}
			for _, unwanted := range test.unwanted {
				if strings.Contains(p.Body, unwanted) {
					t.Errorf("it has %q:\n%s", unwanted, p.Body)
				}
			}
		})
	}
}

// The address that folders had before leads to the one that they have.
func TestOldBrowse(t *testing.T) {
	t.Parallel()
	s := routestest.Start(t, routestest.Options{})
	p := s.Browser().Get("/browse/" + place(t, "Example Light").ID + "?path=%2Fodd+names%2F&offset=100")
	if to := p.Header.Get("Location"); p.Status != http.StatusSeeOther || to != s.URL+"/files/"+place(t, "Example Light").ID+"?path=%2Fodd+names%2F&offset=100" {
		t.Errorf("got %d, to %q", p.Status, to)
	}
}
