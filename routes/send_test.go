package routes_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html"
	"io"
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
)

var (
	inputs = regexp.MustCompile(`<input [^>]*>`)
	attr   = regexp.MustCompile(` (name|value|type|id)="([^"]*)"`)
)

// formOf returns what the form with an id would send if nobody touched it, but with
// the checkboxes ticked whose values are given.
func formOf(t *testing.T, p routestest.Page, id string, ticked ...string) url.Values {
	t.Helper()
	_, rest, ok := strings.Cut(p.Body, `<form id="`+id+`"`)
	if !ok {
		t.Fatalf("%d, there is no form %s:\n%s", p.Status, id, p.Body)
	}
	rest, _, _ = strings.Cut(rest, "</form>")
	form := url.Values{}
	for _, tag := range inputs.FindAllString(rest, -1) {
		a := map[string]string{}
		for _, m := range attr.FindAllStringSubmatch(tag, -1) {
			a[m[1]] = html.UnescapeString(m[2])
		}
		on := strings.Contains(tag, " checked")
		for _, value := range ticked {
			on = on || value == a["value"]
		}
		if a["type"] != "checkbox" || on {
			form.Add(a["name"], a["value"])
		}
	}
	return form
}

// The whole way: files and a folder are ticked, a folder is made where they go to,
// and one transfer comes of it, however often it is sent; consent in the middle of
// it loses nothing.
func TestSend(t *testing.T) {
	t.Parallel()
	light, storage, workstation := place(t, "Example Light"), place(t, "Example University Research"), place(t, "Workstation")
	light.Files = append(light.Files, globustest.File{Path: "/odd names/two\nlines", Size: 5})
	s := routestest.Start(t, routestest.Options{Collections: []globustest.Collection{light, storage, workstation}})
	b := s.Browser()
	b.SignIn("rosalind")
	folder := b.Get("/files/" + light.ID + "?path=/odd+names/")
	ticked := formOf(t, folder, "browse-send", "per%2520cent?#&=+", "two%0Alines")
	if len(ticked["item"]) != 2 {
		t.Fatalf("ticked %q", ticked)
	}

	// Without anything ticked, or with too much, it says so.
	none := formOf(t, folder, "browse-send")
	if p := b.Get("/send?" + none.Encode()); p.Status != 422 || p.Reason() != "nothing_chosen" {
		t.Errorf("nothing: got %d %s", p.Status, p.Reason())
	}
	many := url.Values{"from": none["from"], "path": none["path"], "item": {strings.Repeat("x", 1500)}}
	if p := b.Get("/send?" + many.Encode()); p.Status != 414 || p.Reason() != "too_many_chosen" {
		t.Errorf("much: got %d %s", p.Status, p.Reason())
	}

	choose := b.Get("/send?" + ticked.Encode())
	if choose.Status != 200 || !choose.Has("bookmarks") || !strings.Contains(choose.Body, "<bdi class=\"name\">two\nlines</bdi>") {
		t.Fatalf("got %d:\n%s", choose.Status, choose.Body)
	}
	search := formOf(t, choose, "places-search")
	search.Set("q", "university research")
	found := b.Get("/send?" + search.Encode())
	link := regexp.MustCompile(`id="found-` + storage.ID + `".*?href="([^"]*)"`).FindStringSubmatch(found.Body)
	if link == nil {
		t.Fatalf("it is not found:\n%s", found.Body)
	}

	// It wants consent, once, and then the same page is there.
	to := html.UnescapeString(link[1])
	card := b.Get(to)
	if card.Reason() != "requirements" {
		t.Fatalf("got %d %s", card.Status, card.Reason())
	}
	back := b.AtGlobus(b.Get(card.Link(".step-up")), "allow", "1")
	if back.Header.Get("Location") != s.URL+to {
		t.Fatalf("it leads back to %q, not %q", back.Header.Get("Location"), to)
	}
	page := b.Get(to + "&folder=%2Fhome%2F")
	for _, want := range []string{">/home/</bdi>", ">drafts</bdi>", `id="send-above"`} {
		if !strings.Contains(page.Body, want) {
			t.Errorf("%d, it lacks %q:\n%s", page.Status, want, page.Body)
		}
	}
	if strings.Contains(page.Body, "notes.txt") {
		t.Errorf("it offers a file to send into:\n%s", page.Body)
	}

	// A folder is made, and found to be there the second time.
	for range 2 {
		form := formOf(t, page, "send-mkdir")
		form.Set("new", "photos & more")
		made := b.Send(http.MethodPost, "/send/folder", form)
		p := b.Follow(made)
		if made.Status != 303 || p.Status != 200 || !strings.Contains(p.Body, ">/home/photos &amp; more/</bdi>") {
			t.Fatalf("got %d, then %d:\n%s", made.Status, p.Status, p.Body)
		}
		if form.Set("new", "a/b"); b.Send(http.MethodPost, "/send/folder", form).Reason() != "bad_name" {
			t.Error("a name with a slash was taken")
		}
		to = strings.TrimPrefix(made.Header.Get("Location"), s.URL)
	}
	page = b.Get(to)

	// Sent twice, it is one transfer.
	form := formOf(t, page, "send-form")
	form.Set("label", "Odd ones")
	var task string
	for range 2 {
		sent := b.Send(http.MethodPost, "/transfers", form)
		if sent.Status != 303 || task != "" && task != sent.Header.Get("Location") {
			t.Fatalf("got %d, to %q, before to %q:\n%s", sent.Status, sent.Header.Get("Location"), task, sent.Body)
		}
		task = sent.Header.Get("Location")
	}
	s.Globus.PassTime(time.Hour)
	p := b.Get(task)
	if !strings.Contains(p.Body, `data-status="SUCCEEDED"`) || !strings.Contains(p.Body, "<bdi>Odd ones</bdi>") {
		t.Errorf("got %d:\n%s", p.Status, p.Body)
	}
	arrived := b.Get("/files/" + storage.ID + "?path=/home/photos+%26+more/")
	if !strings.Contains(arrived.Body, "per%20cent?#&amp;=+</bdi>") || !strings.Contains(arrived.Body, "two\nlines</bdi>") {
		t.Errorf("not all has arrived:\n%s", arrived.Body)
	}
	if n := strings.Count(b.Get("/transfers").Body, "<bdi>Odd ones</bdi>"); n != 1 {
		t.Errorf("there are %d transfers, want 1", n)
	}

	for name, spoil := range map[string]func(url.Values){
		"no items":      func(f url.Values) { f.Del("item") },
		"a path upward": func(f url.Values) { f.Set("item", "..") },
		"a path":        func(f url.Values) { f.Set("item", "a/b") },
		"no submission": func(f url.Values) { f.Del("submission_id") },
		"to nowhere":    func(f url.Values) { f.Del("to") },
		"no folder":     func(f url.Values) { f.Set("folder", "home") },
	} {
		form := formOf(t, page, "send-form")
		spoil(form)
		if p := b.Send(http.MethodPost, "/transfers", form); p.Status != 422 || p.Reason() != "nothing_chosen" {
			t.Errorf("%s: got %d %s", name, p.Status, p.Reason())
		}
	}
}

// A lost answer makes one transfer, and what was chosen can be sent again; the same
// paths while that runs lead to it.
func TestSendAgain(t *testing.T) {
	t.Parallel()
	light, workstation, storage := place(t, "Example Light"), place(t, "Workstation"), place(t, "Example University Research")
	s := routestest.Start(t, routestest.Options{Collections: []globustest.Collection{light, workstation, storage}})
	b := s.Browser()
	b.SignIn("rosalind")
	to := "/send?" + url.Values{"from": {light.ID}, "path": {"/photo51/"}, "item": {"raw/", "exposure-01.tif"}, "to": {workstation.ID}, "folder": {"/home/rosalind/data/"}}.Encode()
	page := b.Get(to)
	form := formOf(t, page, "send-form")
	s.Globus.Lie(globustest.Lie{Endpoints: map[string]globustest.Fault{globustest.SubmitTransferPath: {HangUp: true, After: true, Times: 5}}})
	lost := b.Send(http.MethodPost, "/transfers", form)
	if lost.Status != 503 || lost.Reason() != "not_sent" || !lost.Has(".send-again") {
		t.Fatalf("got %d %s:\n%s", lost.Status, lost.Reason(), lost.Body)
	}
	if again := lost.Form(); !strings.Contains(lost.Body, `name="submission_id" value="`+form.Get("submission_id")+`"`) {
		t.Errorf("it would be sent anew, with %q:\n%s", again, lost.Body)
	}
	s.Globus.Lie(globustest.Lie{})
	sent := b.Send(http.MethodPost, "/transfers", form)
	task := strings.TrimPrefix(sent.Header.Get("Location"), s.URL)
	if sent.Status != 303 || !strings.Contains(b.Get(task).Body, `data-status="`+string(globus.TaskActive)+`"`) {
		t.Fatalf("got %d, to %q:\n%s", sent.Status, task, sent.Body)
	}
	other := b.Send(http.MethodPost, "/transfers", formOf(t, b.Get(to), "send-form")) // another submission
	if other.Status != 409 || other.Reason() != "conflict" || len(other.Links(".way")) != 2 || other.Links(".way")[0] != task {
		t.Errorf("got %d %s with %q, want a link to %s:\n%s", other.Status, other.Reason(), other.Links(".way"), task, other.Body)
	}

	from := url.Values{"from": {storage.ID}, "path": {"/home/"}, "item": {"notes.txt"}, "to": {workstation.ID}}
	if p := b.Get("/send?" + from.Encode()); p.Status != 403 || p.Reason() != "requirements" {
		t.Errorf("the source wants consent, which is not asked for before sending: got %d %s", p.Status, p.Reason())
	}
	s.Globus.Change(workstation.ID, func(c *globustest.Collection) { c.Offline = true })
	if p := b.Get(to); p.Status != 503 || p.Reason() != "own_computer_offline" {
		t.Errorf("it is off: got %d %s", p.Status, p.Reason())
	}
}

// A long list of folders to send into says where it stops, and only then.
func TestSendManyFolders(t *testing.T) {
	t.Parallel()
	light := place(t, "Example Light")
	var folders []globustest.File
	for i := range 201 {
		folders = append(folders, globustest.File{Path: fmt.Sprintf("/many/f%03d/", i)})
	}
	all := globustest.Collection{ID: "0dc3a1f0-0000-4000-8000-000000000001", Name: "All", Files: folders[:200]}
	more := globustest.Collection{ID: "0dc3a1f0-0000-4000-8000-000000000002", Name: "More", Files: append(folders, globustest.File{Path: "/many/a file comes after the folders"})}
	s := routestest.Start(t, routestest.Options{Collections: []globustest.Collection{light, all, more}})
	b := s.Browser()
	b.SignIn("rosalind")
	for _, c := range []globustest.Collection{all, more} {
		p := b.Get("/send?" + url.Values{"from": {light.ID}, "path": {"/photo51/"}, "item": {"raw/"}, "to": {c.ID}, "folder": {"/many/"}}.Encode())
		if n := strings.Count(p.Body, ">f"); n != 200 || p.Has("send-more") != (c.ID == more.ID) {
			t.Errorf("%s: got %d, %d folders, a note that there are more: %t", c.Name, p.Status, n, p.Has("send-more"))
		}
	}
}

// submissions keeps what the app submits to Transfer.
type submissions []string

func (s *submissions) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method == http.MethodPost && r.URL.Path == globustest.SubmitTransferPath {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		*s = append(*s, string(b))
		r = r.Clone(r.Context())
		r.Body = io.NopCloser(bytes.NewReader(b))
	}
	return http.DefaultTransport.RoundTrip(r)
}

// What the checkboxes of the form say is what Globus is asked for, and a folder is sent
// as a folder.
func TestSendOptions(t *testing.T) {
	t.Parallel()
	light, workstation := place(t, "Example Light"), place(t, "Workstation")
	var sent submissions
	s := routestest.Start(t, routestest.Options{Collections: []globustest.Collection{light, workstation}, Transport: &sent})
	b := s.Browser()
	b.SignIn("rosalind")
	tests := []struct {
		name    string
		touch   func(url.Values)
		want    map[string]any // of the submission
		skipped bool
	}{
		{"as the form comes", func(url.Values) {}, map[string]any{"verify_checksum": true, "sync_level": nil, "notify_on_succeeded": nil, "notify_on_failed": nil, "notify_on_inactive": nil}, false},
		{"nothing ticked", func(f url.Values) { f.Del("verify"); f.Del("notify") }, map[string]any{"verify_checksum": false, "notify_on_succeeded": false, "notify_on_failed": false, "notify_on_inactive": false}, false},
		{"only what changed", func(f url.Values) { f.Set("changed", "1") }, map[string]any{"sync_level": 2.0}, true},
	}
	for _, test := range tests {
		page := b.Get("/send?" + url.Values{"from": {light.ID}, "path": {"/photo51/"}, "item": {"raw/", "exposure-01.tif"}, "to": {workstation.ID}, "folder": {"/home/rosalind/data/"}}.Encode())
		form := formOf(t, page, "send-form")
		test.touch(form)
		p := b.Send(http.MethodPost, "/transfers", form)
		task := strings.TrimPrefix(p.Header.Get("Location"), s.URL)
		s.Globus.PassTime(24 * time.Hour)
		ended := b.Get(task)
		if skipped := strings.Contains(ended.Body, " skipped</li>"); !strings.Contains(ended.Body, `data-status="SUCCEEDED"`) || skipped != test.skipped {
			t.Errorf("%s: got %d, files were skipped: %t\n%s", test.name, p.Status, skipped, ended.Body)
		}
		var doc map[string]any
		if err := json.Unmarshal([]byte(sent[len(sent)-1]), &doc); err != nil {
			t.Fatal(err)
		}
		for name, want := range test.want {
			if doc[name] != want {
				t.Errorf("%s: %s is %v, want %v", test.name, name, doc[name], want)
			}
		}
		var recursive []any
		for _, item := range doc["DATA"].([]any) {
			recursive = append(recursive, item.(map[string]any)["recursive"])
		}
		if !slices.Equal(recursive, []any{true, false}) {
			t.Errorf("%s: a folder and a file are sent with recursive %v", test.name, recursive)
		}
	}
}
