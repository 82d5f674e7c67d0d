// Package routes answers browsers: it signs people in and out, and shows them
// their pages. The table in this file is the map of the site.
package routes

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/justinas/nosurf"

	"example.org/portal/components"
	"example.org/portal/globus"
	"example.org/portal/routes/session"
	"example.org/portal/static"
)

// A Config is what an app needs to know of the world around it. All of it is
// required but Policy, Version, Metrics and Now.
type Config struct {
	// PublicURL is where browsers reach the app, path included. It alone
	// decides links, cookies and what counts as this site; the Host header and
	// X-Forwarded-* decide nothing.
	PublicURL *url.URL // from ParsePublicURL

	Globus *globus.Client // signs people in

	// SessionStore and SessionLifetime are as in session.Config. Audience
	// keeps the sessions of one registration from being those of another.
	SessionStore    string
	SessionLifetime time.Duration
	Audience        string

	Policy  globus.Policy // who may enter; the zero value is anybody
	Version string        // for the footer; may be empty

	Metrics *Metrics         // what it counts in; nil means that nobody reads them
	Log     *slog.Logger     // where the app logs to
	Now     func() time.Time // nil means time.Now
}

// CheckSessionStore is session.CheckStore.
func CheckSessionStore(store string) error { return session.CheckStore(store) }

// An App is the whole site, as an http.Handler.
type App struct {
	site     components.Site
	origin   string // scheme and host of PublicURL
	cookies  cookieNames
	globus   *globus.Client
	policy   globus.Policy   // of the whole app
	policies []globus.Policy // of routes
	sessions *session.Manager
	answers  answers
	csrf     *nosurf.CSRFHandler
	pages    *http.ServeMux
	handler  http.Handler
	metrics  *Metrics
	lifetime time.Duration // of a session at most
	log      *slog.Logger
	now      func() time.Time
	draining atomic.Bool

	asking     asking // about what the policy is decided from
	background sync.WaitGroup
}

// New opens the session store and returns the app. Close it in the end.
func New(cfg Config) (*App, error) {
	base := cfg.PublicURL.Path
	files := static.New()
	asset := func(name string) string { return base + "/static/" + files.Path(name) }
	origin := cfg.PublicURL.Scheme + "://" + cfg.PublicURL.Host
	home := cfg.PublicURL.String() + "/"
	a := &App{
		site: components.Site{
			PublicURL:  cfg.PublicURL.String(),
			BasePath:   base,
			Scopes:     cfg.Globus.Scopes(),
			Version:    cfg.Version,
			Stylesheet: asset("app.css"),
			Htmx:       asset("htmx.min.js"),
			Script:     asset("app.js"),
			Icon:       asset("icon.svg"),

			GlobusLogoutURL: cfg.Globus.LogoutURL(home, components.AppName),
			IdentitiesURL:   cfg.Globus.IdentitiesURL(home, components.AppName),
			ConsentsURL:     cfg.Globus.ConsentsURL(home, components.AppName),
		},
		origin:  origin,
		cookies: newCookieNames(cfg.PublicURL),
		globus:  cfg.Globus,
		policy:  cfg.Policy,
		answers: answers{kept: map[string]*answer{}, from: map[string]int{}},
		metrics: cfg.Metrics,

		lifetime: cfg.SessionLifetime,

		log: slog.New(visitLog{cfg.Log.Handler()}),
		now: cfg.Now,
	}
	if a.metrics == nil {
		a.metrics = NewMetrics("")
	}
	if a.now == nil {
		a.now = time.Now
	}
	var err error
	a.sessions, err = session.Open(session.Config{
		Store:    cfg.SessionStore,
		Lifetime: cfg.SessionLifetime,
		Cookie:   *a.cookies.cookie(a.cookies.name("session"), "", 0),
		Audience: cfg.Audience,
		Refresh:  a.refresh,
		Revoke:   a.revoke,
		Observe:  a.metrics.storeCall,
		Log:      a.log,
		Now:      cfg.Now,
	})
	if err != nil {
		return nil, fmt.Errorf("the session store: %w", err)
	}
	a.handler = a.routes(files)
	return a, nil
}

// Drain makes /readyz say that nobody else should be sent here: the app is
// about to stop. All requests are answered as before.
func (a *App) Drain() { a.draining.Store(true) }

// Close closes the session store. Nothing may be in flight any more.
func (a *App) Close() error {
	a.background.Wait()
	return a.sessions.Close()
}

// ServeHTTP answers everything under PublicURL, and what supervisors ask.
func (a *App) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.handler.ServeHTTP(w, r) }

// routes is the table: one line a route. To add a page, add its line here, its
// handler beside the others, and its component in components/.
func (a *App) routes(files http.Handler) http.Handler {
	base := a.site.BasePath

	a.pages = http.NewServeMux()
	handle := func(pattern string, h handlerFunc) {
		method, path, _ := strings.Cut(pattern, " ")
		a.pages.Handle(method+" "+base+path, a.catch(h))
	}
	handle("GET /{$}", a.home)
	handle("GET /user", a.userCard)
	handle("GET /visitor", a.showVisitor)
	handle("GET /transfers", a.signedIn(a.transfers))
	handle("GET /browse/{id}", a.signedIn(a.browse))
	handle("POST /tokens/show", a.signedIn(a.showToken))
	handle("POST /tokens/refresh", a.signedIn(a.refreshToken))
	handle("GET /login", a.login)
	handle("POST /logout", a.logout)
	handle("GET /signed-out", a.signedOutPage)

	site := http.NewServeMux()
	site.Handle("/", a.protect(http.HandlerFunc(a.dispatch)))
	site.Handle("GET "+base+"/static/", http.StripPrefix(base+"/static", files))
	if base == "" { // they are asked for at the root of a host alone
		site.HandleFunc("GET /favicon.ico", a.favicon)
		site.HandleFunc("GET /robots.txt", a.robots)
	}
	site.HandleFunc("GET /livez", a.livez)
	site.HandleFunc("GET /readyz", a.readyz)
	return a.outermost(a.record(site))
}
