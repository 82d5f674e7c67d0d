// Package routestest is for tests of pages: a whole site on a real listener with
// an emulated Globus beside it, a browser without JavaScript, and Chromium.
//
// A test of a page, in whatever package the page is:
//
//	func TestSamples(t *testing.T) {
//		b := routestest.Start(t, routestest.Options{}).Browser()
//		b.SignIn("rosalind")
//		if p := b.Get("/samples"); p.Status != 200 || !p.Has("samples") {
//			t.Errorf("got %d:\n%s", p.Status, p.Body)
//		}
//	}
//
// In Chromium, with JavaScript (call Main in TestMain):
//
//	b := routestest.Start(t, routestest.Options{PublicURL: "http://localhost:PORT"}).Person(t).Tab()
//	b.SignIn()
//	b.GoTo("/samples")
//	b.Click("#sample-add")
//	b.Shows("#sample-1")
//
// Tests assert on ids, statuses, reasons and attributes rather than on
// sentences, so that they hold when somebody writes better ones.
package routestest

import (
	"cmp"
	"crypto/rand"
	"crypto/rsa"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"example.org/portal/globus"
	"example.org/portal/globus/globustest"
	"example.org/portal/routes"
	"example.org/portal/routes/settings"
	"example.org/portal/routes/web"
)

// ClientID and ClientSecret are those of the app at the emulated Globus.
const (
	ClientID     = "c11e0000-0000-4000-8000-000000000000"
	ClientSecret = "canary-client-secret+/="
)

// Options vary a site; the zero value is the usual one.
type Options struct {
	PublicURL    string                  // where browsers reach it, PORT standing for the port that it listens on; "" is http://127.0.0.1:PORT
	Dir          string                  // of its session store; "" is a new one
	SessionStore string                  // as the setting SESSION_STORE; "" is a SQLite file in Dir
	Database     string                  // as the setting DATABASE; "" is a new SQLite file in Dir
	Migrations   fs.FS                   // as in routes.Config; nil means those of the site
	Globus       *globustest.Server      // nil starts one, unless there is a Provider
	Provider     string                  // base URL of a real OpenID provider, and of services, in the place of Globus; "" is none
	People       []globustest.Person     // who can sign in there; nil means those of the demo, and globustest.SubOnly
	Collections  []globustest.Collection // what it has; nil means those of the demo, and globustest.SubOnly
	Policy       globus.Policy           // who may enter; the zero value is anybody
	Scopes       []string                // what the app asks for, as the setting GLOBUS_SCOPES; nil is globus.DefaultScopes
	Now          func() time.Time        // the clock of both; nil is time.Now. See Clock
	Transport    http.RoundTripper       // from the app to Globus; nil is the usual one
	TextLog      bool                    // log as on a terminal, instead of JSON
	Server       *httptest.Server        // serves the app, not started yet; nil is a usual one
}

// A Site is the whole app on a real listener, with an emulated Globus beside it.
type Site struct {
	T        testing.TB         // the test that it was started for
	URL      string             // PUBLIC_URL
	Server   *httptest.Server   // serves the app
	App      *routes.App        // the app
	Client   *globus.Client     // with which the app calls Globus
	Globus   *globustest.Server // where people sign in; nil if there is a Provider
	Provider string             // as in Options
	Dir      string             // where the app keeps its files
	Log      *Log               // what the app has logged so far
	Metrics  *httptest.Server   // serves METRICS_LISTEN

	mistakes sync.Map // that the pages were found to have, see Mistakes
}

// Issuer returns the base URL of where people sign in.
func (s *Site) Issuer() string {
	if s.Provider != "" {
		return s.Provider
	}
	return s.Globus.URL
}

// SigningKey makes the emulators of all tests share a key, which is slow to make.
var SigningKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

// Start starts a site. It stops with the test.
func Start(t testing.TB, o Options) *Site {
	t.Helper()
	server := o.Server
	if server == nil {
		server = httptest.NewUnstartedServer(nil)
	}
	s := &Site{T: t, Server: server, Globus: o.Globus, Provider: o.Provider, Dir: o.Dir, Log: &Log{}}
	_, port, _ := net.SplitHostPort(server.Listener.Addr().String())
	s.URL = strings.ReplaceAll(cmp.Or(o.PublicURL, "http://127.0.0.1:PORT"), "PORT", port)
	if s.Dir == "" {
		s.Dir = t.TempDir()
	}
	if s.Globus == nil && s.Provider == "" {
		people := o.People
		if people == nil {
			people = append(globustest.DemoPeople(), globustest.SubOnly())
		}
		s.Globus = globustest.NewServer(globustest.Config{Key: SigningKey(), Strict: true, People: people, Collections: o.Collections, Now: o.Now})
		t.Cleanup(s.Globus.Close)
	}
	redirectURI := strings.TrimSuffix(s.URL, "/") + "/login"
	if s.Globus != nil {
		s.Globus.Register(globustest.Client{ID: ClientID, Secret: ClientSecret, Name: "Test portal", RedirectURIs: []string{redirectURI}})
	}

	scopes := slices.Clone(o.Scopes)
	if scopes == nil {
		scopes = globus.DefaultScopes()
	}
	metrics := web.NewMetrics(map[string]string{"revision": "4041c0b9e1d2"})
	s.Metrics = httptest.NewServer(metrics.Handler())
	t.Cleanup(s.Metrics.Close)
	var err error
	s.Client, err = globus.New(globus.Config{
		ClientID: ClientID, ClientSecret: ClientSecret, RedirectURL: redirectURI, Issuer: s.Issuer(), TransferURL: s.Issuer() + globustest.TransferPath,
		GroupsURL: s.Issuer() + globustest.GroupsPath, Now: o.Now, Scopes: append(scopes, o.Policy.Scopes().Texts()...),
		Observe: metrics.GlobusCall, Transport: o.Transport,
	})
	if err != nil {
		t.Fatal(err)
	}
	public, err := settings.ParsePublicURL(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	opts := &slog.HandlerOptions{Level: slog.LevelDebug}
	var handler slog.Handler = slog.NewJSONHandler(s.Log, opts)
	if o.TextLog {
		handler = slog.NewTextHandler(s.Log, opts)
	}
	s.App, err = routes.New(routes.Config{
		PublicURL: public, Globus: s.Client, SessionStore: cmp.Or(o.SessionStore, "sqlite:"+filepath.Join(s.Dir, "sessions.db")),
		Database: cmp.Or(o.Database, "sqlite:"+filepath.Join(s.Dir, "app.db")), Migrations: o.Migrations,
		Policy: o.Policy, SessionLifetime: 7 * 24 * time.Hour, Audience: s.Issuer() + " " + ClientID,
		Metrics: metrics, Log: slog.New(handler), Now: o.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	server.Config.Handler = s.App
	server.Config.ErrorLog = slog.NewLogLogger(handler, slog.LevelWarn)
	server.Start()
	t.Cleanup(func() {
		server.Close()
		if err := s.App.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}
