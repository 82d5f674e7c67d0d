package search_test

import (
	"fmt"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"example.org/portal/globus"
	"example.org/portal/globus/globustest"
	"example.org/portal/routes/routestest"
	"example.org/portal/routes/search"
)

// filesOf reads the places of files as the tests write them: the name of a collection, or
// what is none, and a path.
func filesOf(r search.Record) (files []search.File) {
	for _, text := range r.Values("files") {
		collection, path, _ := strings.Cut(fmt.Sprint(text), ":")
		files = append(files, search.File{Collection: collection, Path: path})
	}
	return files
}

var (
	submissionOf = regexp.MustCompile(`name="submission_id" value="([^"]*)"`)
	itemOf       = regexp.MustCompile(`name="(from|path|item)" value="([^"]*)"`)
	unreadOf     = regexp.MustCompile(`<li><bdi class="name">([^<]*)</bdi>`)
)

// sourceOf returns the form of a collection on the page that sends all, and what it says is
// not sent.
func sourceOf(p routestest.Page, collection string) (form url.Values, unread []string) {
	_, part, _ := strings.Cut(p.Body, `data-collection="`+collection+`"`)
	part, _, _ = strings.Cut(part, `</section>`)
	form = url.Values{}
	for _, m := range itemOf.FindAllStringSubmatch(part, -1) {
		form.Add(m[1], html.UnescapeString(m[2]))
	}
	for _, m := range unreadOf.FindAllStringSubmatch(part, -1) {
		unread = append(unread, html.UnescapeString(m[1]))
	}
	return form, unread
}

// TestSearchSendAll: the files of all records are sent, each collection's by one form; what
// cannot be read is left out, and the page says so.
func TestSearchSendAll(t *testing.T) {
	t.Parallel()
	id := func(name string) string { return routestest.Place(t, name).ID }
	light, reference, workstation := id("Example Light"), id("Public reference"), id("Workstation")
	entries := []globustest.IndexEntry{{Subject: "nothing", Content: map[string]any{"title": "No files"}}}
	for i, place := range []string{
		reference + ":/frames/frame-0001.tif", reference + ":/frames/none.tif", reference + ":/private/keys.txt", reference + ":/LICENSE.txt",
		light + ":/photo51", light + ":/photo51/raw/", light + ":/photo51/exposure-01.tif", light + ":/odd names/ü.dat", light + ":/odd names/.hidden", light + ":/README.txt/", light + ":/none/",
		id("Old file server") + ":/a", id("Rosalind's laptop") + ":/Users/rosalind/thesis.tex", id("Example University Research") + ":/home/notes.txt",
		"nowhere:/a", reference + ":/a/../b", reference + ":a",
	} {
		e := globustest.IndexEntry{Subject: fmt.Sprint("s", i), Content: map[string]any{"title": fmt.Sprint("Title ", i), "files": []any{place, place}}}
		entries = append(entries, e)
	}
	entries = append(entries, globustest.IndexEntry{Subject: "secret", VisibleTo: []string{globus.PrincipalGroup(globustest.DemoLab)}, Content: map[string]any{"files": reference + ":/frames/frame-0002.tif"}})
	s := start(t, search.Index{Files: filesOf}, entries)
	b := s.Browser()
	if p := b.Get("/find/send", "Sec-Fetch-Mode", "navigate"); p.Status != http.StatusSeeOther {
		t.Errorf("signed out: got %d, want a sign-in", p.Status)
	}
	b.SignIn("rosalind")
	p := b.Get(b.Get("/find").Link("#search-send"))
	if p.Status != http.StatusOK || p.Header.Get("X-Robots-Tag") == "" {
		t.Fatalf("got %d:\n%s", p.Status, p.Body)
	}
	for _, tt := range []struct {
		collection, path string
		items, unread    []string
	}{
		{reference, "/", []string{"LICENSE.txt", "frames/frame-0001.tif"}, []string{"/frames/none.tif", "/private/keys.txt"}},
		{light, "/", []string{"README.txt", "odd names/.hidden", "odd names/ü.dat", "photo51/"}, []string{"/none/"}},
		{id("Old file server"), "", nil, []string{"/a"}},
		{id("Rosalind's laptop"), "", nil, []string{"/Users/rosalind/thesis.tex"}},
		{id("Example University Research"), "/home/", []string{"notes.txt"}, nil},
	} {
		form, unread := sourceOf(p, tt.collection)
		if form.Get("path") != tt.path || !slices.Equal(form["item"], tt.items) || !slices.Equal(unread, tt.unread) {
			t.Errorf("%s: sends %q of %q, and not %q; want %q of %q, and not %q", tt.collection, form["item"], form.Get("path"), unread, tt.items, tt.path, tt.unread)
		}
	}
	for id, n := range map[string]int{"send-without": 1, "send-nowhere": 6} { // each record says each place twice
		if !strings.Contains(p.Body, fmt.Sprintf(`<details id="%s" data-count="%d"`, id, n)) {
			t.Errorf("%s is not there with %d:\n%s", id, n, p.Body)
		}
	}

	// It is the usual way from there, which keeps the folders.
	form, _ := sourceOf(p, light)
	form["csrf_token"], form["to"], form["folder"] = []string{p.Token()}, []string{workstation}, []string{"/home/rosalind/data/"}
	page := b.Follow(b.Send(http.MethodPost, "/send", form))
	form["submission_id"] = submissionOf.FindStringSubmatch(page.Body)[1:]
	task := b.Send(http.MethodPost, "/transfers", form)
	s.Globus.PassTime(time.Hour)
	if p := b.Follow(task); !strings.Contains(p.Body, `data-status="SUCCEEDED"`) {
		t.Fatalf("got %d, then %d:\n%s", task.Status, p.Status, p.Body)
	}
	for folder, want := range map[string]string{"": ">README.txt<", "photo51/raw/": ">frame 1 &amp; 2.h5<", "odd names/": ">ü.dat<"} {
		if p := b.Get("/files/" + workstation + "?" + url.Values{"path": {"/home/rosalind/data/" + folder}}.Encode()); !strings.Contains(p.Body, want) {
			t.Errorf("%s has not arrived in %q: %d", want, folder, p.Status)
		}
	}
}

// TestSearchSendMany: more files than one form or address can hold are sent all the same,
// and what is not looked at is sent, too.
func TestSearchSendMany(t *testing.T) {
	t.Parallel()
	reference := routestest.Place(t, "Public reference").ID
	var entries []globustest.IndexEntry
	var want []string
	for i := range 4 {
		var files []any
		for n := range 700 {
			name := fmt.Sprintf("dir-%d-%03d/%s", i, n, strings.Repeat("x", 150))
			want = append(want, name)
			files = append(files, reference+":/"+name)
		}
		entries = append(entries, globustest.IndexEntry{Subject: fmt.Sprint("s", i), Content: map[string]any{"files": files}})
	}
	s := start(t, search.Index{Files: filesOf}, entries)
	b := s.Browser()
	b.SignIn("rosalind")
	p := b.Get("/find/send")
	var got []string
	parts := strings.Split(p.Body, `<form class="actions"`)[1:]
	for _, part := range parts {
		part, _, _ = strings.Cut(part, "</form>")
		form := url.Values{"csrf_token": {p.Token()}}
		for _, m := range itemOf.FindAllStringSubmatch(part, -1) {
			form.Add(m[1], html.UnescapeString(m[2]))
		}
		got = append(got, form["item"]...)
		if sent := b.Send(http.MethodPost, "/send", form); sent.Status != http.StatusOK {
			t.Errorf("a form of %d items: got %d %s", len(form["item"]), sent.Status, sent.Reason())
		}
	}
	if unread := p.Has("source-1-unread"); len(parts) < 2 || len(got)+strings.Count(p.Body, `<li><bdi class="name">`) < len(want) || !unread {
		t.Errorf("%d of %d items in %d forms, with some not there: %t", len(got), len(want), len(parts), unread)
	}
}
