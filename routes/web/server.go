// Package web answers browsers: it finds the page for a request, keeps what a
// request may send within its limits, and sends pages, fragments, JSON, redirects
// and problems.
//
// What a page needs of it:
//
//	site.HandleFunc("GET /samples", s.samples)          // a route; see Route for its options
//	func (s *site) samples(w http.ResponseWriter, r *http.Request) error
//	return web.Show(w, r, "Samples", fragment)          // a fragment, in a page of its own if needed
//	paging := web.Paging(r, 20)                         // which part of a long list
//	return web.ShowPage(w, r, page)                     // a whole page
//	return web.ShowInvalid(w, r, "Samples", errs, form) // a form that has to be corrected
//	return web.JSON(w, r, value)                        // JSON
//	err := web.ReadJSON(r, &value)                      // JSON that was sent
//	return web.Redirect(w, r, "/samples")               // another page of the app
//	return &web.Problem{Status: 404, Heading: "There is no such sample"}
//	web.Flash(w, r, "Sample deleted.")                  // a message on the next page
//	site.Go("sweep", func(ctx context.Context) error {…}) // work beside the requests
//
// A request passes through ServeHTTP (server.go), which adds the security headers
// (headers.go) and writes the log line (log.go); pages (dispatch.go), which checks
// the size of the head (limits.go), makes the CSRF token (csrf.go) and runs the
// middleware of package auth; and its route (route.go), which asks whether the
// person may go on, reads the body (body.go), verifies the CSRF token, and calls
// the handler. An error that the handler returns becomes a page in problem.go, in
// the words of explain.go.
package web

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/justinas/nosurf"

	"example.org/portal/components"
	"example.org/portal/globus"
	"example.org/portal/static"
)

// A Config is what a Server needs to know. All fields are required except Ready,
// Version, Metrics and Now.
type Config struct {
	// PublicURL is where browsers reach the app, path included, as
	// settings.ParsePublicURL returns it. It alone decides links, cookies and what
	// counts as this site; the Host header and X-Forwarded-* decide nothing.
	PublicURL *url.URL

	Globus *globus.Client // whose pages people are sent to, and whose scopes are shown

	// Ready returns an error if the app cannot serve, and which session store it uses.
	// Nil means that it always can.
	Ready func(r *http.Request) (store string, err error)

	CSRFAge time.Duration    // how long a browser keeps its CSRF token: as long as a session
	Version string           // for the footer; may be empty
	Metrics *Metrics         // nil means that nobody reads them
	Log     *slog.Logger     // where the app logs to
	Now     func() time.Time // nil means time.Now
}

// A Server finds the route for a request and answers it. Make one with New.
type Server struct {
	components.Site
	Cookies Cookies
	Metrics *Metrics
	Log     *slog.Logger
	Now     func() time.Time

	host       string // of PublicURL, port included
	origin     string // scheme and host of PublicURL
	ready      func(r *http.Request) (store string, err error)
	routes     *http.ServeMux // of *route
	patterns   []string       // of the routes
	checks     []Check
	middleware func(HandlerFunc) HandlerFunc
	csrf       *nosurf.CSRFHandler // makes tokens
	verifier   *nosurf.CSRFHandler // verifies them
	handler    http.Handler
	draining   atomic.Bool
	background background
}

// New returns a server without any page.
func New(cfg Config) *Server {
	base := cfg.PublicURL.Path
	files := static.New()
	asset := func(name string) string {
		hashed, ok := files.Path(name)
		if !ok {
			cfg.Log.Error("there is no such file in static/, or the program was not built since", "name", name)
			return base + "/static/" + name
		}
		return base + "/static/" + hashed
	}
	home := cfg.PublicURL.String() + "/"
	s := &Server{
		Site: components.Site{
			PublicURL:  cfg.PublicURL.String(),
			BasePath:   base,
			Scopes:     cfg.Globus.Scopes(),
			Version:    cfg.Version,
			Files:      asset,
			Stylesheet: asset("app.css"),
			Htmx:       asset("htmx.min.js"),
			Script:     asset("app.js"),
			Icon:       asset("icon.svg"),

			GlobusLogoutURL: cfg.Globus.LogoutURL(home, components.ShortName),
			IdentitiesURL:   cfg.Globus.IdentitiesURL(home, components.ShortName),
			ConsentsURL:     cfg.Globus.ConsentsURL(home, components.ShortName),
		},
		Cookies: newCookies(cfg.PublicURL),
		Metrics: cfg.Metrics,
		Log:     slog.New(requestLog{cfg.Log.Handler()}),
		Now:     cfg.Now,
		host:    cfg.PublicURL.Host,
		origin:  cfg.PublicURL.Scheme + "://" + cfg.PublicURL.Host,
		ready:   cfg.Ready,
		routes:  http.NewServeMux(),
	}
	s.background.ctx, s.background.stop = context.WithCancel(context.Background())
	if s.Metrics == nil {
		s.Metrics = NewMetrics(nil)
	}
	if s.Now == nil {
		s.Now = time.Now
	}
	s.middleware = func(next HandlerFunc) HandlerFunc { return next }
	s.useCSRF(cfg.CSRFAge)

	mux := http.NewServeMux()
	mux.Handle("/", http.HandlerFunc(s.pages))
	mux.Handle("GET "+base+"/static/", http.StripPrefix(base+"/static", files))
	if base == "" { // browsers and robots ask for them at the root of a host only
		mux.HandleFunc("GET /favicon.ico", s.favicon)
		mux.HandleFunc("GET /robots.txt", s.robots)
	}
	mux.HandleFunc("GET /livez", s.livez)
	mux.HandleFunc("GET /readyz", s.readyz)
	s.handler = linger(s.securityHeaders(s.logRequests(mux)))
	return s
}

// Use wraps m around every page, problems included. It is for package auth, which loads
// the session there.
func (s *Server) Use(m func(next HandlerFunc) HandlerFunc) { s.middleware = m }

// ServeHTTP answers everything under PublicURL, and the requests of supervisors, such
// as /livez.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// Drain makes /readyz say that no more requests should be sent here, because the
// app is about to stop, and tells the work in the background to end. All requests
// are answered as before.
func (s *Server) Drain() {
	s.draining.Store(true)
	s.background.stop()
}

// Absolute returns the URL of a local path; "" stands for the home page.
func (s *Server) Absolute(path string) string {
	if path = s.LocalPath(path); path == "" {
		path = s.Path("/")
	}
	return s.origin + path
}

// secure reports whether browsers reach the app by https.
func (s *Server) secure() bool { return strings.HasPrefix(s.origin, "https:") }
