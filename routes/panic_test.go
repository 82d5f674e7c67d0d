package routes_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync"
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
	var broken atomic.Bool
	transport := answering(func(r *http.Request) (*http.Response, error) {
		if broken.Load() && r.URL.Path == globustest.IntrospectPath {
			panic("canary-value")
		}
		return http.DefaultTransport.RoundTrip(r)
	})
	s := start(t, options{policy: domains("example.edu"), now: c.now, transport: transport})
	b := s.browser()
	b.enter("/login", as("rosalind"))

	broken.Store(true)
	c.pass(61 * time.Minute)
	if p := b.get("/user"); p.status != http.StatusOK {
		t.Errorf("got %d, want what was last known:\n%s", p.status, p.body)
	}
	await(t, "the log says where it was", func() bool { return strings.Contains(s.log.String(), "panic_test.go") })
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

// TestPanicInBackground: so does what panics once the page is answered.
func TestPanicInBackground(t *testing.T) {
	var c clock
	var broken atomic.Bool
	var once sync.Once
	answered := make(chan struct{})
	transport := answering(func(r *http.Request) (*http.Response, error) {
		resp, err := http.DefaultTransport.RoundTrip(r)
		if r.URL.Path == globustest.IntrospectPath && c.ahead.Load() > 0 {
			once.Do(func() { <-answered; broken.Store(true) }) // the time is asked next, to note when that was
		}
		return resp, err
	})
	s := start(t, options{policy: domains("example.edu"), transport: transport, now: func() time.Time {
		if broken.Load() {
			panic("canary-value")
		}
		return c.now()
	}})
	b := s.browser()
	b.enter("/login", as("rosalind"))
	c.pass(61 * time.Minute)
	p := b.get("/user")
	close(answered)
	s.app.Idle()
	broken.Store(false)
	if again := b.get("/user"); p.status != http.StatusOK || again.status != http.StatusOK {
		t.Errorf("got %d and %d, want what was last known", p.status, again.status)
	}
	if got := s.log.String(); !strings.Contains(got, "facts.go") || strings.Contains(got, "canary") {
		t.Errorf("want where it was, and no value, in the log:\n%s", got)
	}
}

// An answering transport does what the function does.
type answering func(*http.Request) (*http.Response, error)

func (f answering) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
