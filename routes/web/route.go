package web

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// A HandlerFunc answers a request, or returns an error and has written nothing.
// The error becomes a page, a fragment or JSON, see Problem.
type HandlerFunc func(w http.ResponseWriter, r *http.Request) error

// Allow lets everybody go on.
func (HandlerFunc) Allow(http.ResponseWriter, *http.Request) (bool, error) { return true, nil }

// Serve calls h.
func (h HandlerFunc) Serve(w http.ResponseWriter, r *http.Request) error { return h(w, r) }

// A Handler is a HandlerFunc that first decides who may go on. Package auth makes
// them: auth.Required, auth.Require.
type Handler interface {
	// Allow reports whether r may go on. It is called before the body is read. If
	// it returns false, it has answered; its error becomes a page like that of a
	// HandlerFunc.
	Allow(w http.ResponseWriter, r *http.Request) (bool, error)

	// Serve answers r, as a HandlerFunc does.
	Serve(w http.ResponseWriter, r *http.Request) error
}

// An Option changes what one route accepts.
type Option func(*route)

// MaxBody lets a request bring a body of up to n bytes. Without it that is DefaultMaxBody.
// The time to send it grows with n: 10 s and a second for each 256 KiB.
func MaxBody(n int64) Option { return func(rt *route) { rt.maxBody = n } }

// Accept lets a request bring a body of these media types, such as
// "application/json" or "text/*", instead of a form's.
func Accept(types ...string) Option { return func(rt *route) { rt.accept = types } }

// AllowSource adds exceptions to the content security policy of this route: each of
// them is a directive and its sources, as in "img-src https://tiles.example.org". A
// fragment is under the policy of the page that it comes into.
func AllowSource(exceptions ...string) Option {
	return func(rt *route) { rt.csp = cspWith(exceptions) }
}

// A route answers the requests of one pattern.
type route struct {
	site    *Server
	handler Handler
	maxBody int64
	accept  []string
	csp     string // "" is the site's
}

// Handle adds a route. pattern is a method and a path, as for http.ServeMux, without
// the path of PUBLIC_URL.
func (s *Server) Handle(pattern string, h Handler, options ...Option) {
	rt := &route{site: s, handler: h, maxBody: DefaultMaxBody, accept: formTypes}
	for _, option := range options {
		option(rt)
	}
	method, path, _ := strings.Cut(pattern, " ")
	s.routes.Handle(method+" "+s.BasePath+path, rt)
	s.patterns = append(s.patterns, pattern)
}

// Routes returns the patterns of the site's routes, in the order of the table.
func (s *Server) Routes() []string { return slices.Clone(s.patterns) }

// HasRoute reports whether a route answers a request of this method for path, as a
// browser sees it.
func (s *Server) HasRoute(method, path string) bool {
	_, pattern := s.routes.Handler(&http.Request{Method: method, Host: s.host, URL: &url.URL{Path: path}})
	return pattern != ""
}

// HandleFunc adds a route that is for everybody.
func (s *Server) HandleFunc(pattern string, h HandlerFunc, options ...Option) {
	s.Handle(pattern, h, options...)
}

// ServeHTTP keeps the error in r's state, because http.ServeMux passes none on.
func (rt *route) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	state := stateOf(r)
	state.maxBody, state.pattern = rt.maxBody, r.Pattern
	state.result = rt.answer(w, r)
	if state.result != nil && state.answer.status != 0 {
		state.result = lateError{state.result}
	}
}

// A lateError is an error that a handler returned after it had begun to answer. It
// cannot become a page.
type lateError struct{ error }

func (rt *route) answer(w http.ResponseWriter, r *http.Request) error {
	if rt.csp != "" {
		w.Header().Set("Content-Security-Policy", rt.csp)
		if strings.Contains(rt.csp, "frame-ancestors http") {
			w.Header().Del("X-Frame-Options") // it knows no exceptions
		}
	}
	if ok, err := rt.handler.Allow(w, r); !ok || err != nil {
		return err
	}
	if !isRead(r) {
		if err := rt.readBody(w, r); err != nil {
			return err
		}
		if err := rt.site.verifyCSRF(r); err != nil {
			return err
		}
		defer removeFiles(r)
	}
	return rt.handler.Serve(w, r)
}

// removeFiles deletes the temporary files of a multipart form. net/http deletes
// only those of the *http.Request that it made, and r is a copy with another context.
func removeFiles(r *http.Request) {
	if r.MultipartForm != nil {
		_ = r.MultipartForm.RemoveAll()
	}
}

// minRate is the rate, in bytes per second, at which a body has to arrive.
const minRate = 256 << 10

// extendDeadlines gives the client time to send a body of n bytes. The server's
// own timeouts are for small ones.
func extendDeadlines(w http.ResponseWriter, n int64) {
	if n <= DefaultMaxBody {
		return
	}
	read := time.Now().Add(10*time.Second + time.Duration(n/minRate)*time.Second)
	c := http.NewResponseController(w)
	_ = c.SetReadDeadline(read) // a writer without deadlines has no timeouts either
	_ = c.SetWriteDeadline(read.Add(30 * time.Second))
}
