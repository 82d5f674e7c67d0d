package routes_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/a-h/templ"

	"example.org/portal/globus/globustest"
)

// TestPanic: whatever panics, the answer is a whole one with every header, the
// connection serves on, and the log has where it was, but no value.
func TestPanic(t *testing.T) {
	var broken atomic.Bool
	s := start(t, options{now: func() time.Time {
		if broken.Load() {
			panic("canary-value")
		}
		return time.Now()
	}})
	half := templ.ComponentFunc(func(_ context.Context, w io.Writer) error {
		_, _ = io.WriteString(w, "<p>half-a-page")
		panic("canary-value")
	})
	s.app.Handle("GET /handler", func(http.ResponseWriter, *http.Request) error { panic("canary-value") })
	s.app.Handle("GET /runtime", func(_ http.ResponseWriter, r *http.Request) error {
		words := strings.Fields("canary-value")
		words[len(r.Host)] = "beyond"
		return nil
	})
	s.app.Handle("GET /component", func(w http.ResponseWriter, r *http.Request) error { return s.app.Show(w, r, half) })
	// The header of the page, that of the error page too, needs the time.
	s.app.Handle("GET /everywhere", func(http.ResponseWriter, *http.Request) error { broken.Store(true); panic("canary-value") })

	b := s.browser()
	b.signIn("rosalind")
	fine := b.get("/nowhere")
	tests := []struct {
		name    string
		path    string
		headers []string
		want    string
	}{
		{"a handler", "/handler", nil, "</html>"},
		{"the runtime", "/runtime", nil, "</html>"},
		{"a component", "/component", nil, "</html>"},
		{"a component, for htmx", "/component", htmx, "Something went wrong here"},
		{"the error page too", "/everywhere", nil, "Something went wrong here"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			defer broken.Store(false)
			s.log.forget()
			p := b.get(test.path, test.headers...)
			if p.status != http.StatusInternalServerError || !strings.Contains(p.body, test.want) || strings.Contains(p.body, "half-a-page") {
				t.Errorf("got %d, want 500 and %q:\n%s", p.status, test.want, p.body)
			}
			for name := range fine.header {
				if p.header.Get(name) == "" {
					t.Errorf("it lacks the header %s", name)
				}
			}
			if !strings.Contains(s.log.String(), "panic_test.go") || strings.Contains(s.log.String()+p.body, "canary-value") {
				t.Errorf("want where it was, and no value, in the log:\n%s", s.log)
			}
			broken.Store(false)
			var conn httptrace.GotConnInfo
			traced := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{GotConn: func(c httptrace.GotConnInfo) { conn = c }})
			if next, err := b.try(traced, http.MethodGet, "/", nil); err != nil || !conn.Reused || !strings.Contains(next.body, "Rosalind") {
				t.Errorf("got %v; the connection was used again: %v; signed in still: %v", err, conn.Reused, strings.Contains(next.body, "Rosalind"))
			}
		})
	}
}

// TestPanicBesideRequests: what panics in a goroutine beside a request, where
// net/http does not recover, ends neither the process nor what is known.
func TestPanicBesideRequests(t *testing.T) {
	var c clock
	transport := &panicking{next: http.DefaultTransport}
	s := start(t, options{policy: domains("example.edu"), now: c.now, transport: transport})
	b := s.browser()
	b.enter("/login", as("rosalind"))

	transport.path.Store(globustest.IntrospectPath)
	c.pass(61 * time.Minute)
	if p := b.get("/user"); p.status != http.StatusOK {
		t.Errorf("got %d, want what was last known:\n%s", p.status, p.body)
	}
	await(t, "the log says where it was", func() bool { return strings.Contains(s.log.String(), "panicking).RoundTrip") })
	if p := s.browser().enter("/login", as("ada")); p.status != http.StatusInternalServerError {
		t.Errorf("somebody else: got %d, want 500:\n%s", p.status, p.body)
	}
	if p := b.get("/user"); p.status != http.StatusOK {
		t.Errorf("afterwards: got %d:\n%s", p.status, p.body)
	}
	if strings.Contains(s.log.String(), "canary") {
		t.Errorf("want no value in the log:\n%s", s.log)
	}
}

// A panicking transport has calls of one path panic.
type panicking struct {
	next http.RoundTripper
	path atomic.Value
}

func (p *panicking) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Path == p.path.Load() {
		panic("canary-value")
	}
	return p.next.RoundTrip(r)
}
