package routes_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"example.org/portal/globus"
	"example.org/portal/routes/routestest"
)

// TestBrowserBeamline: what the recipes make is used in Chromium, with and
// without JavaScript.
func TestBrowserBeamline(t *testing.T) {
	csv := filepath.Join(t.TempDir(), "samples.csv")
	if err := os.WriteFile(csv, samplesFile(30, 100<<10), 0o600); err != nil { // 3 MB
		t.Fatal(err)
	}
	for _, name := range []string{"with JavaScript", "without JavaScript"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := routestest.Start(t, routestest.Options{PublicURL: "http://localhost:PORT"})
			p := s.Person(t)
			p.NoScript = name == "without JavaScript"
			b := p.Tab()
			b.Expect("status of 422")
			b.Expect("status of 403")
			b.SignIn()
			b.Click(`.site-navigation [href="/samples"]`)
			b.At(s.URL + "/samples")
			b.Shows(`.site-navigation [aria-current="page"][href="/samples"]`)

			// A name that is refused stays in the form; what is wrong with it has the focus.
			long := strings.Repeat("DNA", 50)
			b.Run(fmt.Sprintf(`document.getElementById("sample-name").value = %q`, long))
			b.Click("#sample button")
			b.Shows("#sample-errors", `#sample-name[aria-invalid="true"]`, "#sample-name-error bdi")
			b.Settled()
			for js, want := range map[string]string{
				"document.activeElement.id":                                                  "sample-errors",
				`document.getElementById("sample-name").value`:                               long,
				`document.getElementById("sample-name").getAttribute("aria-describedby")`:    "sample-name-error",
				`String(document.querySelectorAll("#sample, #sample-errors, #main").length)`: "3",
			} {
				routestest.Await(t, js+" is "+want, func() bool { return b.Holds(fmt.Sprintf("%s === %q", js, want)) })
			}
			if !p.NoScript {
				looker(t, b)("sample-refused")
			}
			b.Click("#sample-errors a")
			b.Do(chromedp.Evaluate[chromedp.Void](`document.getElementById("sample-name").value = ""`), chromedp.SendKeys("#sample-name", "DNA\r"))
			b.Shows("#message", "#samples li")

			// The button for curators comes when Globus says that she is one.
			if b.Holds(`document.querySelector("#samples li button") !== null`) {
				t.Error("there is a button before Globus was asked")
			}
			b.Click("#samples-all")
			b.Click(".step-up")
			b.Click(`[name="allow"]`)
			b.At(s.URL + "/samples/all")
			b.Click("#samples li button")
			b.Shows("#message")
			b.At(s.URL + "/samples")
			if b.Holds(`document.querySelector("#samples li") !== null`) {
				t.Error("the sample is still there")
			}
			deleted := map[bool]string{true: "POST", false: "DELETE"}[p.NoScript]
			if n := len(requests(s, deleted, "/samples/{id}")); n != 1 {
				t.Errorf("got %d requests to delete by %s, want 1", n, deleted)
			}

			b.GoTo("/samples/csv")
			b.Do(chromedp.SetUploadFiles("#import-file", []string{csv}))
			b.Click("#import button")
			b.Shows("#message")
			b.Click("#samples-next")
			b.At(s.URL + "/samples?offset=20")
			routestest.Await(t, "the second page has 10 samples", func() bool { return b.Holds(`document.querySelectorAll("#samples li").length === 10`) })

			// She signs out in another tab, and the form here keeps what is in it.
			b.Do(chromedp.SendKeys("#sample-name", "RNA"))
			other := p.Tab()
			other.GoTo("/")
			other.Click("#logout")
			other.Shows("#signed-out")
			b.Front()
			b.Click("#sample button")
			b.Shows(`[data-reason="session_ended"] .login`)
			if !b.Holds(`[...document.querySelectorAll("[name=name]")].some((e) => e.value === "RNA")`) {
				t.Error("what was typed is lost")
			}
			b.StoresNothing()
		})
	}
}

// requests returns the log lines of requests of a method that a route answered whose
// pattern begins so.
func requests(s *routestest.Site, method, route string) (all []routestest.LogLine) {
	for _, line := range s.LogLines("request") {
		if pattern, _ := line["route"].(string); line["method"] == method && strings.HasPrefix(pattern, route) {
			all = append(all, line)
		}
	}
	return all
}

// samplesFile returns a CSV file of n lines of about size bytes.
func samplesFile(n, size int) []byte {
	notes := strings.Repeat("x", size)
	var text strings.Builder
	for i := range n {
		fmt.Fprintf(&text, "sample %d,%s\n", i, notes)
	}
	return []byte(text.String())
}

// TestBeamlineFile: a file of 200 MB comes in, and the memory for it does not grow with it.
func TestBeamlineFile(t *testing.T) {
	s := routestest.Start(t, routestest.Options{})
	b := s.Browser()
	form := b.SignIn("rosalind").Form()
	line := samplesFile(1, 1<<20)
	var lines []io.Reader
	for range 200 {
		lines = append(lines, bytes.NewReader(line))
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	p := b.Follow(b.Upload("/samples/csv", form, "file", io.MultiReader(lines...)))
	runtime.ReadMemStats(&after)
	if p.Status != http.StatusOK || !strings.Contains(p.Body, "200") || !p.Has("message") || !p.Has("samples-next") {
		t.Errorf("got %d:\n%s", p.Status, p.Body)
	}
	if grown := int64(after.HeapSys-before.HeapSys) >> 20; grown > 100 {
		t.Errorf("the heap grew by %d MB", grown)
	}
	for name, file := range map[string]string{"no CSV": "\"", "nothing": ""} {
		p := b.Upload("/samples/csv", form, "file", strings.NewReader(file))
		if want := map[string]int{"no CSV": 422, "nothing": 303}[name]; p.Status != want {
			t.Errorf("%s: got %d, want %d:\n%s", name, p.Status, want, p.Body)
		}
	}
	if p := b.Send(http.MethodPost, "/samples/csv", form); p.Status != http.StatusBadRequest || p.Reason() != "form_unreadable" {
		t.Errorf("no file: got %d:\n%s", p.Status, p.Body)
	}
}

// TestBeamlineScripts: JSON in and out; who may delete; and the other recipes.
func TestBeamlineScripts(t *testing.T) {
	s := routestest.Start(t, routestest.Options{Scopes: append(globus.DefaultScopes(), globus.GroupsScope)})
	hers, his := s.Browser(), s.Browser()
	form := hers.SignIn("rosalind")
	other := his.SignIn("markup")
	his.Send(http.MethodPost, "/samples", other.Form("name", "Ribosome"))
	list := func(b *routestest.Browser) string {
		return strings.TrimSpace(b.Get("/samples", "Accept", "application/json").Body)
	}
	if got := list(s.Browser()); !strings.Contains(got, `"session_ended"`) {
		t.Errorf("signed out: got %s", got)
	}
	all := list(his)
	id, _, _ := strings.Cut(strings.TrimPrefix(all, `[{"id":"`), `"`)
	if list(hers) != all || len(id) < 20 { // a curator, whom Globus was asked about
		t.Fatalf("he sees %s, she %s", all, list(hers))
	}
	put := func(b *routestest.Browser, token, body string) routestest.Page {
		return b.SendBody(http.MethodPut, "/samples/"+id, "application/json", strings.NewReader(body), "X-CSRF-Token", token)
	}
	for _, test := range []struct {
		name string
		page routestest.Page
		want int
	}{
		{"no JSON", put(his, other.Token(), "{"), 400},
		{"not his", put(hers, form.Token(), `{"name":"x"}`), 404},
		{"no token", put(his, "", `{"name":"x"}`), 403},
		{"his", put(his, other.Token(), `{"name":"Polymerase"}`), 200},
	} {
		if test.page.Status != test.want || !strings.Contains(test.page.Header.Get("Content-Type"), "json") {
			t.Errorf("%s: got %d, want %d:\n%s", test.name, test.page.Status, test.want, test.page.Body)
		}
	}
	if got := list(his); !strings.Contains(got, "Polymerase") {
		t.Errorf("got %s", got)
	}

	remove := func(b *routestest.Browser, token string) routestest.Page {
		return b.Send(http.MethodDelete, "/samples/"+id, nil, append([]string{"Origin", s.URL, "X-CSRF-Token", token}, routestest.Htmx...)...)
	}
	if p := remove(his, other.Token()); p.Status != http.StatusForbidden || p.Reason() != "policy" || p.Header.Get("HX-Reswap") != "beforebegin" {
		t.Errorf("by who is no curator: got %d:\n%s", p.Status, p.Body)
	}
	if p := remove(hers, ""); p.Status != http.StatusForbidden || p.Reason() != "form_old" {
		t.Errorf("without a token: got %d:\n%s", p.Status, p.Body)
	}
	if p := remove(hers, form.Token()); p.Status != http.StatusOK || p.Header.Get("HX-Redirect") != s.URL+"/samples" || list(his) != "[]" {
		t.Errorf("by a curator: got %d:\n%s", p.Status, p.Body)
	}
	if p := remove(hers, form.Token()); p.Status != http.StatusNotFound {
		t.Errorf("again: got %d:\n%s", p.Status, p.Body)
	}

	p := s.Browser().Get("/map")
	if p.Status != http.StatusOK || !strings.Contains(p.Header.Get("Content-Security-Policy"), "img-src 'self' https://tiles.example.org;") {
		t.Errorf("got %d, %s", p.Status, p.Header.Get("Content-Security-Policy"))
	}
	_, script, _ := strings.Cut(p.Body[strings.Index(p.Body, `id="map"`):], `src="`)
	script, _, _ = strings.Cut(script, `"`)
	if p := s.Browser().Get(script); p.Status != http.StatusOK || !strings.Contains(p.Header.Get("Cache-Control"), "immutable") {
		t.Errorf("%s: got %d, %s", script, p.Status, p.Header.Get("Cache-Control"))
	}
	if p := hers.Get("/groups"); p.Status != http.StatusOK || !strings.Contains(p.Body, "Example Lab") {
		t.Errorf("got %d:\n%s", p.Status, p.Body)
	}
	routestest.Await(t, "the samples are counted", func() bool { return len(s.LogLines("samples counted")) == 1 })
}
