package web_test

import (
	"context"
	"errors"
	"html"
	"io"
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/a-h/templ"

	"example.org/portal/routes/routestest"
	"example.org/portal/routes/web"
)

// says reports whether the page says message, in the place for it.
func says(p routestest.Page, message string) bool {
	return strings.Contains(p.Body, `<p id="message" class="message" role="status"><bdi>`+html.EscapeString(message)+"</bdi></p>")
}

// TestFlash: a message is shown once, by the next page that a person sees, whatever
// that page is.
func TestFlash(t *testing.T) {
	t.Parallel()
	s := routestest.StartWithProbes(t, routestest.Options{})
	s.App.HandleFunc("GET /probe/unrendered", func(w http.ResponseWriter, r *http.Request) error {
		web.NewPage(r, "Unrendered")
		return web.ShowPage(w, r, templ.ComponentFunc(func(context.Context, io.Writer) error { return errors.New("unrendered") }))
	})
	tests := []struct {
		name       string
		to         string
		wantStatus int
		wantRoute  string
	}{
		{"a page", "/probe/tasks", 200, "/probe/tasks"},
		{"a fragment's own page", "/user", 200, "/user"},
		{"after another redirect", "/signed-out", 200, "/"},
		{"a problem", "/no/such/page", 404, "/no/such/page"},
		{"a page that cannot be rendered", "/probe/unrendered", 500, "/probe/unrendered"},
		{"somebody else's page", "//evil.example/", 200, "/"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			b := s.Browser()
			b.SignIn("rosalind")
			p := b.Follow(b.Get("/probe/message?to=" + test.to))
			if p.Status != test.wantStatus || p.URL != s.URL+test.wantRoute || !says(p, routestest.ProbeMessage) {
				t.Errorf("got %d at %s, want %d at %s, with the message:\n%s", p.Status, p.URL, test.wantStatus, test.wantRoute, p.Body)
			}
			if p = b.Get("/"); p.Has("message") {
				t.Error("the message is shown twice")
			}
		})
	}
}

// TestFlashIsNotLost: what shows no message leaves it to the next page.
func TestFlashIsNotLost(t *testing.T) {
	t.Parallel()
	s := routestest.StartWithProbes(t, routestest.Options{})
	s.App.HandleFunc("GET /probe/fails", func(_ http.ResponseWriter, r *http.Request) error {
		web.NewPage(r, "Fails")
		return errors.New("after the page was begun")
	})
	s.App.HandleFunc("GET /probe/json", func(w http.ResponseWriter, r *http.Request) error {
		return web.JSON(w, r, map[string]string{})
	})
	const newer = "Sample added."
	s.App.HandleFunc("GET /probe/newer", func(w http.ResponseWriter, r *http.Request) error {
		web.Flash(w, r, newer)
		return web.Show(w, r, "Newer", templ.Raw("<p>Newer</p>"))
	})
	tests := []struct {
		name    string
		path    string
		headers []string
		want    string
	}{
		{"a fragment", "/user", routestest.Htmx, routestest.ProbeMessage},
		{"a fragment of a problem", "/no/such/page", routestest.Htmx, routestest.ProbeMessage},
		{"the same, after the page was begun", "/probe/fails", routestest.Htmx, routestest.ProbeMessage},
		{"JSON", "/probe/json", nil, routestest.ProbeMessage},
		{"a problem as JSON", "/probe/fails", []string{"Accept", "application/json"}, routestest.ProbeMessage},
		{"being sent to sign in", "/probe/tasks", nil, routestest.ProbeMessage},
		{"a page that brings another", "/probe/newer", nil, newer},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			b := s.Browser()
			b.Get("/probe/message")
			b.Get(test.path, test.headers...)
			if p := b.Get("/"); !says(p, test.want) {
				t.Errorf("want the message %q on the next page:\n%s", test.want, p.Body)
			}
			if p := b.Get("/"); p.Has("message") {
				t.Error("the message is shown twice")
			}
		})
	}
}

// TestFlashAfterHtmx: htmx loads the page that shows the message, instead of putting
// some of it in the place of a form.
func TestFlashAfterHtmx(t *testing.T) {
	t.Parallel()
	s := routestest.StartWithProbes(t, routestest.Options{})
	b := s.Browser()
	p := b.Get("/probe/message?to=/user", routestest.Htmx...)
	if p.Status != http.StatusOK || p.Header.Get("HX-Redirect") != s.URL+"/user" || p.Body != "" {
		t.Errorf("got %d, to %q:\n%s", p.Status, p.Header.Get("HX-Redirect"), p.Body)
	}
	if p := b.Get("/user"); !says(p, routestest.ProbeMessage) {
		t.Errorf("want the message:\n%s", p.Body)
	}
}

// TestFlashLimits: a long message is cut between two letters, and what somebody else
// put into the cookie is no message, or is escaped.
func TestFlashLimits(t *testing.T) {
	t.Parallel()
	s := routestest.Start(t, routestest.Options{})
	s.App.HandleFunc("GET /probe/long", func(w http.ResponseWriter, r *http.Request) error {
		web.Flash(w, r, "x"+strings.Repeat("é", 2000))
		return web.Redirect(w, r, "/")
	})
	b := s.Browser()
	p := b.Follow(b.Get("/probe/long"))
	if !utf8.ValidString(p.Body) || !says(p, "x"+strings.Repeat("é", 499)) {
		t.Errorf("want 999 bytes of the message:\n%s", p.Body)
	}
	name, _ := b.Cookie("csrf")
	name = strings.Replace(name, "csrf", "message", 1)
	for _, value := range []string{"not base64", "////", "_w", strings.Repeat("eHh4", 1000), ""} { // _w is a byte that is no text
		if p := s.Browser().Get("/", "Cookie", name+"="+value); p.Status != http.StatusOK || p.Has("message") {
			t.Errorf("%.20q: got %d, want a page without a message", value, p.Status)
		}
	}
	if p := s.Browser().Get("/", "Cookie", name+"=PGI-"); !says(p, "<b>") {
		t.Errorf("want <b>, escaped:\n%s", p.Body)
	}
}
