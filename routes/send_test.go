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

	"example.org/portal/components"
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

var buttons = regexp.MustCompile(`<button [^>]*>`)

// press sends the form with an id by its first button whose tag has a text, such as
// id="browse-next", with the checkboxes ticked whose values are given.
func press(t *testing.T, b *routestest.Browser, p routestest.Page, id, button string, ticked ...string) routestest.Page {
	t.Helper()
	action := regexp.MustCompile(`<form id="` + id + `"[^>]* action="([^"]*)"`).FindStringSubmatch(p.Body)
	form := formOf(t, p, id, ticked...)
	for _, tag := range buttons.FindAllString(p.Body, -1) {
		if !strings.Contains(tag, button) {
			continue
		}
		if m := regexp.MustCompile(` formaction="([^"]*)"`).FindStringSubmatch(tag); m != nil {
			action = m
		}
		if m := regexp.MustCompile(` name="([^"]*)" value="([^"]*)"`).FindStringSubmatch(tag); m != nil {
			form.Set(m[1], m[2])
		}
		return b.Send(http.MethodPost, html.UnescapeString(action[1]), form)
	}
	t.Fatalf("%d, there is no button %s:\n%s", p.Status, button, p.Body)
	return p
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
	if p := press(t, b, folder, "browse-form", `id="browse-send-to"`); p.Status != 422 || p.Reason() != "nothing_chosen" || len(p.Links(".way")) != 1 {
		t.Errorf("nothing: got %d %s", p.Status, p.Reason())
	}
	choose := b.Follow(press(t, b, folder, "browse-form", `id="browse-send-to"`, "per%2520cent?#&=+", "two%0Alines"))
	if choose.Status != 200 || !choose.Has("bookmarks") || !strings.Contains(choose.Body, "<bdi class=\"name\">two\nlines</bdi>") {
		t.Fatalf("got %d:\n%s", choose.Status, choose.Body)
	}
	search := formOf(t, choose, "places-search")
	search.Set("q", "university research")
	found := b.Follow(b.Send(http.MethodPost, "/send", search))
	if !found.Has("found-"+storage.ID) || !strings.Contains(found.URL, "q=university+research") {
		t.Fatalf("it is not found at %s:\n%s", found.URL, found.Body)
	}

	// It wants consent, once, and then the same page is there.
	to := strings.TrimPrefix(press(t, b, found, "places-search", "to="+storage.ID).Header.Get("Location"), s.URL)
	card := b.Get(to)
	if card.Reason() != "requirements" || card.Has(".send-again") {
		t.Fatalf("got %d %s", card.Status, card.Reason())
	}
	back := b.AtGlobus(b.Get(card.Link(".step-up")), "allow", "1")
	if back.Header.Get("Location") != s.URL+to {
		t.Fatalf("it leads back to %q, not %q", back.Header.Get("Location"), to)
	}
	page := b.Follow(press(t, b, b.Get(to), "send-form", "folder=%2Fhome%2F"))
	for _, want := range []string{">/home/</bdi>", ">drafts</bdi>", `id="send-above"`} {
		if !strings.Contains(page.Body, want) {
			t.Errorf("%d, it lacks %q:\n%s", page.Status, want, page.Body)
		}
	}
	if strings.Contains(page.Body, "notes.txt") {
		t.Errorf("it offers a file to send into:\n%s", page.Body)
	}

	// A folder is made, and found to be there the second time. A name that cannot be is
	// corrected, and what else was typed stays.
	for range 2 {
		form := formOf(t, page, "send-form")
		form["label"], form["verify"], form["new"] = []string{"Mine"}, []string{"0"}, []string{"a/b"}
		bad := b.Send(http.MethodPost, "/send/folder", form)
		if bad.Status != 422 || !bad.Has("send-errors") || !strings.Contains(bad.Body, `value="a/b"`) || !strings.Contains(bad.Body, `value="Mine"`) || formOf(t, bad, "send-form").Get("verify") != "0" {
			t.Errorf("a name with a slash: got %d:\n%s", bad.Status, bad.Body)
		}
		form.Set("new", " ")
		if p := b.Send(http.MethodPost, "/send/folder", form); p.Status != 422 || !p.Has("send-errors") {
			t.Errorf("no name: got %d", p.Status)
		}
		form.Set("new", "photos & more")
		made := b.Send(http.MethodPost, "/send/folder", form)
		p := b.Follow(made)
		if made.Status != 303 || p.Status != 200 || !strings.Contains(p.Body, ">/home/photos &amp; more/</bdi>") || !strings.Contains(p.Body, `value="Mine"`) {
			t.Fatalf("got %d, then %d:\n%s", made.Status, p.Status, p.Body)
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
		"a path":        func(f url.Values) { f.Set("item", "a//b") },
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
	for _, name := range []string{"raw/huge", "huge"} { // as long as they are sent, however slow the machine
		light.Files = append(light.Files, globustest.File{Path: "/photo51/" + name, Size: 1 << 50})
	}
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
	task, _, _ := strings.Cut(strings.TrimPrefix(sent.Header.Get("Location"), s.URL), "?")
	if sent.Status != 303 || !strings.Contains(b.Get(task).Body, `data-status="`+string(globus.TaskActive)+`"`) {
		t.Fatalf("got %d, to %q:\n%s", sent.Status, task, sent.Body)
	}
	other := b.Send(http.MethodPost, "/transfers", formOf(t, b.Get(to), "send-form")) // another submission
	if other.Status != 409 || other.Reason() != "conflict" || len(other.Links(".way")) != 2 || other.Links(".way")[0] != task {
		t.Errorf("got %d %s with %q, want a link to %s:\n%s", other.Status, other.Reason(), other.Links(".way"), task, other.Body)
	}

	// Another of the same collections: which of both has the same paths is not known.
	third := formOf(t, page, "send-form")
	third["submission_id"], third["item"] = formOf(t, b.Get(to), "send-form")["submission_id"], []string{"huge"}
	b.Send(http.MethodPost, "/transfers", third)
	other = b.Send(http.MethodPost, "/transfers", formOf(t, b.Get(to), "send-form"))
	if ways := other.Links(".way"); other.Status != 409 || len(ways) != 4 || !slices.Contains(ways, task) || !slices.Contains(ways, "/transfers") {
		t.Errorf("got %d %s with %q", other.Status, other.Reason(), ways)
	}

	from := url.Values{"from": {storage.ID}, "path": {"/home/"}, "item": {"notes.txt"}, "to": {workstation.ID}}
	if p := b.Get("/send?" + from.Encode()); p.Status != 403 || p.Reason() != "requirements" {
		t.Errorf("the source wants consent, which is not asked for before sending: got %d %s", p.Status, p.Reason())
	}
	s.Globus.Change(workstation.ID, func(c *globustest.Collection) { c.Offline = true })
	if p := b.Get(to); p.Status != 503 || p.Reason() != "own_computer_offline" || !strings.Contains(p.Body, `href="/send?from=`) {
		t.Errorf("it is off: got %d %s, want a way to send it somewhere else:\n%s", p.Status, p.Reason(), p.Body)
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
		{"nothing ticked", func(f url.Values) { f.Set("verify", "0"); f.Set("notify", "0") }, map[string]any{"verify_checksum": false, "notify_on_succeeded": false, "notify_on_failed": false, "notify_on_inactive": false}, false},
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

// People tick 500 files and more: on many pages of a list, in any order, of some names.
// No address holds them, so forms do, also when Globus requires something on the way, or
// when the session has ended.
func TestSendMany(t *testing.T) {
	t.Parallel()
	large, storage := globustest.Collection{ID: "0dc3a1f0-0000-4000-8000-000000000001", Name: "Large"}, place(t, "Example University Research")
	for i := range 1_000 { // 10,000 take the emulator longer to sort than the app waits, on a busy machine
		large.Files = append(large.Files, globustest.File{Path: fmt.Sprintf("/a\nb/run-%05d with a name%s", i, strings.Repeat(" as long as instruments give them", 5)), Size: int64(i)})
	}
	var sent submissions
	begun := time.Now() // and remains: what is sent is under way to the end
	s := routestest.Start(t, routestest.Options{Collections: []globustest.Collection{large, storage}, Transport: &sent, Now: func() time.Time { return begun }})
	b := s.Browser()
	b.SignIn("rosalind")
	ticked := func(p routestest.Page) int { return len(formOf(t, p, "browse-form")["item"]) }

	// Two, which an address holds, on two pages.
	p := b.Get("/files/" + large.ID + "?path=%2Fa%0Ab%2F")
	name := strings.TrimPrefix(large.Files[0].Path, "/a\nb/")
	p = b.Follow(press(t, b, p, "browse-form", `id="browse-next"`, name))
	p = b.Follow(press(t, b, p, "browse-form", `id="browse-first"`, strings.Replace(name, "00000", "00100", 1)))
	if p = b.Get(p.URL); ticked(p) != 2 || !strings.Contains(p.Body, `aria-label="`+name+`" checked`) || !p.Has("browse-elsewhere") {
		t.Fatalf("after a reload of %s %d are ticked", p.URL, ticked(p))
	}

	// 500, which none does. 100 of them are found by name, 100 are the largest.
	for range 2 {
		p = press(t, b, b.Follow(press(t, b, p, "browse-form", `id="browse-tick-all"`)), "browse-form", `id="browse-next"`)
	}
	p = b.Follow(press(t, b, p, "browse-form", `id="browse-tick-all"`))
	filter := func(name, sort string) {
		t.Helper()
		form := formOf(t, p, "browse-form")
		form["list"], form["name"], form["sort"] = []string{"1"}, []string{name}, []string{sort}
		p = b.Follow(b.Send(http.MethodPost, "/files/"+large.ID+"?path=%2Fa%0Ab%2F", form))
		p = press(t, b, p, "browse-form", `id="browse-tick-all"`)
	}
	filter("run-007", "")
	filter("", "largest")
	if n := ticked(p); p.Status != 200 || n != 500 || !strings.Contains(p.Body, "run-00999") || !strings.Contains(p.Body, ">500 ticked<") {
		t.Fatalf("got %d, %d are ticked", p.Status, n)
	}

	s.Globus.Lie(globustest.Lie{Endpoints: map[string]globustest.Fault{globustest.ListPath: {Status: 503}}})
	down := press(t, b, p, "browse-form", `id="browse-tick-all"`)
	s.Globus.Lie(globustest.Lie{})
	if down.Status != 503 || ticked(again(t, b, down)) != 500 {
		t.Errorf("with Globus down: got %d, and what is ticked is lost", down.Status)
	}

	// Where to: the collection wants consent, and then the form is sent again.
	p = press(t, b, p, "browse-form", `id="browse-send-to"`)
	search := formOf(t, p, "places-search")
	search.Set("q", "university research")
	p = b.Send(http.MethodPost, "/send", search)
	card := press(t, b, p, "places-search", "to="+storage.ID)
	if card.Status != 403 || card.Reason() != "requirements" || !card.Has(".send-again") {
		t.Fatalf("got %d %s", card.Status, card.Reason())
	}
	b.AtGlobus(b.Get(card.Link(".step-up")), "allow", "1")
	p = again(t, b, card)
	p = press(t, b, p, "send-form", "folder=%2Fhome%2F")
	making := formOf(t, p, "send-form")
	making.Set("new", "many")
	p = b.Send(http.MethodPost, "/send/folder", making)
	if n := len(formOf(t, p, "send-form")["item"]); n != 500 || !strings.Contains(p.Body, ">/home/many/</bdi>") {
		t.Fatalf("got %d with %d items:\n%s", p.Status, n, p.Body)
	}

	// Other files are chosen, and it comes back.
	p = press(t, b, p, "send-form", `formaction="/files/`)
	if n := ticked(p); n != 500 {
		t.Fatalf("got %d, %d are ticked", p.Status, n)
	}
	p = press(t, b, p, "browse-form", `id="browse-send-to"`)

	// The session ends in another tab, and Globus answers late.
	form := formOf(t, p, "send-form")
	b.Send(http.MethodPost, "/logout", b.Get("/account").Form())
	ended := b.Send(http.MethodPost, "/transfers", form)
	if ended.Status != 401 || !ended.Has(".send-again") {
		t.Fatalf("got %d %s", ended.Status, ended.Reason())
	}
	b.SignIn("rosalind")
	old := again(t, b, ended)
	if old.Reason() == "form_old" {
		old = again(t, b, old)
	}
	var doc struct{ DATA []map[string]any }
	if err := json.Unmarshal([]byte(sent[len(sent)-1]), &doc); err != nil || len(doc.DATA) != 500 || old.Status != 303 {
		t.Fatalf("got %d, %d items were sent, %v:\n%s", old.Status, len(doc.DATA), err, old.Body)
	}
	if p := b.Send(http.MethodPost, "/transfers", form); p.Status != 403 || p.Reason() != "form_old" {
		t.Errorf("with a form of the session before: got %d %s", p.Status, p.Reason())
	}
	conflict := formOf(t, p, "send-form")
	conflict["submission_id"], conflict["csrf_token"] = []string{"0dc3a1f0-0000-4000-8000-0000000000aa"}, b.Get("/account").Form()["csrf_token"]
	if p := b.Send(http.MethodPost, "/transfers", conflict); p.Status != 409 || !p.Has(".send-again") {
		t.Errorf("the same: got %d %s, want what is chosen back", p.Status, p.Reason())
	} else if p = again(t, b, p); len(formOf(t, p, "send-form")["item"]) != 500 {
		t.Errorf("what was chosen is lost: got %d:\n%s", p.Status, p.Body)
	}
}

// again sends the form of a problem again, as its button does.
func again(t *testing.T, b *routestest.Browser, p routestest.Page) routestest.Page {
	t.Helper()
	at := strings.Index(p.Body, "send-again")
	from := strings.LastIndex(p.Body[:max(at, 0)], "<form ")
	if at < 0 || from < 0 {
		t.Fatalf("%d %s offers no form again", p.Status, p.Reason())
	}
	form := strings.Replace(p.Body[from:], "<form ", `<form id="again" `, 1)
	action := regexp.MustCompile(` action="([^"]*)"`).FindStringSubmatch(form)
	return b.Send(http.MethodPost, html.UnescapeString(action[1]), formOf(t, routestest.Page{Body: form}, "again"))
}

// A transfer that has ended is sent again: with what its address holds, or with what
// Globus says that it has copied. If that may not be all, it is ticked in its folder.
func TestSentAgain(t *testing.T) {
	t.Parallel()
	light, workstation, shared := place(t, "Example Light"), place(t, "Workstation"), place(t, "Diffraction")
	s := routestest.Start(t, routestest.Options{Collections: []globustest.Collection{light, workstation, shared}})
	b := s.Browser()
	b.SignIn("rosalind")
	const yes, no = true, false
	tests := []struct {
		name   string
		what   components.Sending // from one of the collections to the workstation
		ended  bool               // it came to its end before it is sent again, and was not cancelled
		inHand bool               // the address holds what was sent
		want   []string           // the items that are chosen
		all    bool               // it leads to where they are sent, and not to their folder
	}{
		{"a file and a folder", components.Sending{From: light.ID, Path: "/photo51/", Items: []string{"exposure-01.tif", "raw/"}, Label: "A & b", Changed: yes, SkipVerify: yes}, yes, no, []string{"exposure-01.tif", "raw/"}, yes},
		{"some were there", components.Sending{From: light.ID, Path: "/photo51/", Items: []string{"exposure-02.tif", "exposure-01.tif"}, Changed: yes}, yes, no, []string{"exposure-02.tif"}, no},
		{"by its address", components.Sending{From: light.ID, Path: "/photo51/", Items: []string{"exposure-02.tif"}, NoMail: yes}, yes, yes, []string{"exposure-02.tif"}, yes},
		{"cancelled", components.Sending{From: shared.ID, Path: "/frames/", Items: []string{"good.tif", "damaged.tif"}, Label: "Half"}, no, no, nil, no},
		{"cancelled, by its address", components.Sending{From: shared.ID, Path: "/frames/", Items: []string{"good.tif"}}, no, yes, []string{"good.tif"}, yes},
		{"a whole collection", components.Sending{From: shared.ID, Path: "/", Items: []string{components.Everything}}, yes, no, []string{"damaged.tif", "good.tif"}, yes},
	}
	for _, test := range tests {
		test.what = test.what.Into(workstation.ID, "/home/rosalind/data/")
		page := b.Get(test.what.Route())
		sent := b.Send(http.MethodPost, "/transfers", formOf(t, page, "send-form"))
		address := strings.TrimPrefix(sent.Header.Get("Location"), s.URL)
		task, _, _ := strings.Cut(address, "?")
		if test.ended {
			s.Globus.PassTime(time.Hour)
		} else {
			b.Send(http.MethodPost, task+"/cancel", b.Get("/account").Form())
		}
		if !test.inHand {
			address = task
		}
		ended := b.Get(address)
		again := b.Get(ended.Link("#task-again"))
		to, err := url.Parse(again.Header.Get("Location"))
		if again.Status != 303 || err != nil {
			t.Fatalf("%s: got %d:\n%s", test.name, again.Status, ended.Body)
		}
		query := to.Query()
		if all := to.Path == "/send"; all != test.all {
			t.Errorf("%s: it leads to %s", test.name, to)
		}
		if got := query["item"]; !slices.Equal(got, test.want) || query.Get("to") != workstation.ID || query.Get("label") != test.what.Label || (query.Get("changed") == "1") != test.what.Changed || (query.Get("verify") == "0") != test.what.SkipVerify {
			t.Errorf("%s: it leads to %s, want %q", test.name, to, test.want)
		}
		if p := b.Follow(again); p.Status != 200 || p.Has("message") == test.all {
			t.Errorf("%s: got %d, with a message: %t", test.name, p.Status, p.Has("message"))
		}
	}
	if p := b.Get("/files/" + workstation.ID + "?path=/home/rosalind/data/"); !strings.Contains(p.Body, ">frames</bdi>") {
		t.Errorf("the whole collection has not arrived:\n%s", p.Body)
	}
}
