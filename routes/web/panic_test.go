package web_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/a-h/templ"

	"example.org/portal/globus"
	"example.org/portal/globus/globustest"
	"example.org/portal/routes/routestest"
	"example.org/portal/routes/web"
)

// TestPanic: whatever panics, the answer is a whole one with every header, the
// connection serves on, and the log has where it was, but no value.
func TestPanic(t *testing.T) {
	t.Parallel()
	s := routestest.Start(t, routestest.Options{})
	half := templ.ComponentFunc(func(_ context.Context, w io.Writer) error {
		_, _ = io.WriteString(w, "<p>half-a-page")
		panic("canary-value")
	})
	s.App.HandleFunc("GET /probe/handler", func(http.ResponseWriter, *http.Request) error { panic("canary-value") })
	s.App.HandleFunc("GET /probe/runtime", func(_ http.ResponseWriter, r *http.Request) error {
		words := strings.Fields("canary-value")
		words[len(r.Host)] = "beyond"
		return nil
	})
	s.App.HandleFunc("GET /probe/component", func(w http.ResponseWriter, r *http.Request) error { return web.Show(w, r, "Test", half) })

	b := s.Browser()
	b.SignIn("rosalind")
	fine := b.Get("/nowhere")
	tests := []struct {
		name    string
		path    string
		headers []string
		reason  string // of the page
	}{
		{"a handler", "/probe/handler", nil, "internal"},
		{"the runtime", "/probe/runtime", nil, "internal"},
		{"a component", "/probe/component", nil, "internal"},
		{"a component, for htmx", "/probe/component", routestest.Htmx, "internal"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s.Log.Forget()
			p := b.Get(test.path, test.headers...)
			if p.Status != http.StatusInternalServerError || p.Reason() != test.reason || p.Body == "" || strings.Contains(p.Body, "half-a-page") {
				t.Errorf("got %d %s, want 500 %s:\n%s", p.Status, p.Reason(), test.reason, p.Body)
			}
			if whole := strings.Contains(p.Body, "</html>"); whole != (test.headers == nil) {
				t.Errorf("a whole page: %t:\n%s", whole, p.Body)
			}
			for name := range fine.Header {
				if p.Header.Get(name) == "" {
					t.Errorf("it lacks the header %s", name)
				}
			}
			if !strings.Contains(s.Log.String(), "panic_test.go") || strings.Contains(s.Log.String()+p.Body, "canary-value") {
				t.Errorf("want where it was, and no value, in the log:\n%s", s.Log)
			}
			if p.Header.Get("Connection") == "close" {
				t.Error("the connection is given up")
			}
			if next := b.Get("/"); !strings.Contains(next.Body, "Rosalind") {
				t.Errorf("not signed in any more: %d\n%s", next.Status, next.Body)
			}
		})
	}
}

// TestPanicBesideRequests: what panics in a goroutine beside a request, where
// net/http does not recover, ends neither the process nor what is known.
func TestPanicBesideRequests(t *testing.T) {
	t.Parallel()
	var c routestest.Clock
	var broken atomic.Bool
	transport := answering(func(r *http.Request) (*http.Response, error) {
		if broken.Load() && r.URL.Path == globustest.MyGroupsPath {
			panic("canary-value")
		}
		return http.DefaultTransport.RoundTrip(r)
	})
	s := routestest.Start(t, routestest.Options{Policy: globus.Policy{Groups: []string{globustest.DemoLab}}, Now: c.Now, Transport: transport})
	b := s.Browser()
	b.Enter("/login", routestest.As("rosalind"))

	broken.Store(true)
	c.Pass(6 * time.Minute)
	if p := b.Get("/user"); p.Status != http.StatusOK {
		t.Errorf("got %d, want what was last known:\n%s", p.Status, p.Body)
	}
	routestest.Await(t, "the log says where it was", func() bool { return strings.Contains(s.Log.String(), "panic_test.go") })
	if p := s.Browser().Enter("/login", routestest.As("ada")); p.Status != http.StatusInternalServerError {
		t.Errorf("somebody else: got %d, want 500:\n%s", p.Status, p.Body)
	}
	if p := b.Get("/user"); p.Status != http.StatusOK {
		t.Errorf("afterwards: got %d:\n%s", p.Status, p.Body)
	}
	if strings.Contains(s.Log.String(), "canary") {
		t.Errorf("want no value in the log:\n%s", s.Log)
	}
}

// An answering transport does what the function does.
type answering func(*http.Request) (*http.Response, error)

func (f answering) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
