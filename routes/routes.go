// Package routes is the site: the table of its routes, and one file for the pages
// about each subject. To add a page, add its line to the table, its handler in a
// file beside the others, and its component in components/.
//
// # How a request travels
//
// main.serve listens; http.Server calls web.Server.ServeHTTP, which adds the
// security headers and writes the log line. Server.pages refuses requests that another
// site made and addresses that are too long; auth's middleware loads the session; the route
// of the table asks its handler's Allow (auth.Required, auth.Require) whether the
// person may go on, reads the body, verifies the CSRF token, and calls the method
// of App that the table names. The method calls Globus with auth.Token, and returns
// web.Show, web.ShowPage, web.JSON, web.Redirect, or an error. If the error says that
// Globus requires something of the person first, the middleware answers with a card
// about that. Server.fail answers any other error with a page, a fragment or JSON.
//
// # Words
//
//   - attempt: one sign-in under way, kept in a cookie of the browser
//   - callback: the request by which Globus sends the browser back to /login
//   - session: what the app keeps about a person who is signed in; its record is
//     what the store has of it, sealed with a key that only the browser holds
//   - policy: who may enter the app, or use a route; facts: what it is decided from
//   - requirements: what Globus requires of a person first, such as consent
//   - step-up: going to Globus once more, to satisfy requirements, while signed in
//   - resource server: a service that takes access tokens, such as Transfer
//   - grant: what the person has allowed; a refresh token stands for it
//   - problem: an error that people may read, with a reason for the log and tests
//   - page, fragment: a whole HTML document, and a part that htmx puts into one
//   - visitor: what the header of a page knows about the person
//   - collection, task: where files are at Globus, and a transfer or deletion there
package routes

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"example.org/portal/globus"
	"example.org/portal/routes/auth"
	"example.org/portal/routes/database"
	"example.org/portal/routes/search"
	"example.org/portal/routes/web"
)

// A Config is what the site needs to know. All fields are required except Policy,
// Version, Migrations, Metrics and Now.
type Config struct {
	PublicURL *url.URL       // where browsers reach the site, as in web.Config
	Globus    *globus.Client // signs people in

	// SessionStore, SessionLifetime and Audience are as in auth.Config.
	SessionStore    string
	SessionLifetime time.Duration
	Audience        string

	// Database is where the site's own data is, as database.Open takes it. It is
	// opened once there is a migration. Migrations are the files that make its tables;
	// nil means those in the folder routes/migrations.
	Database   string
	Migrations fs.FS

	Policy  globus.Policy // who may enter; the zero value is anybody
	Version string        // for the footer; may be empty

	Metrics *web.Metrics     // nil means that nobody reads them
	Log     *slog.Logger     // where the site logs to
	Now     func() time.Time // nil means time.Now
}

// An App is the whole site, as an http.Handler. Its methods are the handlers of the
// pages.
type App struct {
	*web.Server
	Auth   *auth.Auth
	DB     *sql.DB // the site's own data; nil as long as there is no migration
	globus *globus.Client
}

//go:embed migrations
var embedded embed.FS

// Migrations returns the files in routes/migrations, as they were when the program was
// built.
func Migrations() fs.FS {
	files, _ := fs.Sub(embedded, "migrations") // cannot fail: it is a valid path
	return files
}

// New opens the session store and returns the site. Close it in the end.
func New(cfg Config) (*App, error) {
	a := &App{globus: cfg.Globus}
	a.Server = web.New(web.Config{
		PublicURL: cfg.PublicURL,
		Globus:    cfg.Globus,
		Ready:     func(r *http.Request) (store string, err error) { return a.Auth.Ready(r) },
		CSRFAge:   cfg.SessionLifetime,
		Version:   cfg.Version,
		Metrics:   cfg.Metrics,
		Log:       cfg.Log,
		Now:       cfg.Now,
	})
	var err error
	a.Auth, err = auth.New(auth.Config{
		Site:            a.Server,
		Globus:          cfg.Globus,
		SessionStore:    cfg.SessionStore,
		SessionLifetime: cfg.SessionLifetime,
		Audience:        cfg.Audience,
		Policy:          cfg.Policy,
	})
	if err != nil {
		return nil, err
	}
	if a.DB, err = openDatabase(cfg); err != nil {
		return nil, errors.Join(fmt.Errorf("the database: %w", err), a.Auth.Close())
	}
	a.routes()
	return a, nil
}

// Checks returns what portal -check does for the pages of the site. It opens neither the
// session store nor the database.
func Checks(client *globus.Client) ([]web.Check, error) {
	a, err := New(Config{
		PublicURL: &url.URL{Scheme: "http", Host: "localhost"}, Globus: client, Log: slog.New(slog.DiscardHandler),
		SessionStore: "memory:", SessionLifetime: time.Hour, Migrations: embed.FS{},
	})
	if err != nil {
		return nil, err
	}
	return a.Server.Checks(), a.Close()
}

// openDatabase returns nil if there is no migration.
func openDatabase(cfg Config) (*sql.DB, error) {
	migrations := cfg.Migrations
	if migrations == nil {
		migrations = Migrations()
	}
	names, err := database.Names(migrations)
	if len(names) == 0 || err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), maxMigration)
	defer cancel()
	return database.Open(ctx, cfg.Database, migrations, cfg.Log)
}

// maxMigration is how long the app may take to open the database and apply migrations.
const maxMigration = 10 * time.Minute

// Close waits for work in the background, see Go, and closes the session store and
// the database. No request may be under way any more.
func (a *App) Close() error {
	a.Stop()
	err := a.Auth.Close()
	if a.DB != nil {
		err = errors.Join(err, a.DB.Close())
	}
	return err
}

// routes is the table: one line a route.
func (a *App) routes() {
	a.HandleFunc("GET /{$}", a.home)
	a.HandleFunc("GET /user", a.userCard)
	a.Handle("GET /account", a.Auth.Required(a.account))
	a.Handle("GET /lab", a.Auth.Require(Lab, a.lab))
	a.Handle("GET /transfers", a.Auth.Required(a.transfers))
	a.Handle("GET /transfers/{id}", a.Auth.Required(a.task))
	a.Handle("GET /transfers/{id}/again", a.Auth.Required(a.sendAgain))
	a.Handle("POST /transfers/{id}/cancel", a.Auth.Required(a.cancelTask))
	a.Handle("GET /files", a.Auth.Required(a.files))
	a.Handle("GET /files/{id}", a.Auth.Required(a.browse))
	a.Handle("POST /files/{id}", a.Auth.Required(a.browse), web.MaxBody(manyItems))
	a.Handle("GET /send", a.Auth.Required(a.send))
	a.Handle("POST /send", a.Auth.Required(a.send), web.MaxBody(manyItems))
	a.Handle("POST /send/folder", a.Auth.Required(a.makeFolder), web.MaxBody(manyItems))
	a.Handle("POST /transfers", a.Auth.Required(a.submit), web.MaxBody(manyItems))
	a.HandleFunc("GET /browse/{id}", a.oldBrowse)
	a.Handle("POST /tokens/show", a.Auth.Required(a.showToken))
	a.Handle("POST /tokens/refresh", a.Auth.Required(a.refreshToken))
	search.AddRoutes(a.Server, a.Auth, a.globus, data)

	// Who is signed in.
	a.HandleFunc("GET /login", a.Auth.Login)
	a.HandleFunc("GET /logout", a.Auth.LogoutPage)
	a.Handle("POST /logout", a.Auth.Logout())
	a.HandleFunc("GET /signed-out", a.Auth.SignedOutPage)
	a.HandleFunc("GET /visitor", a.Auth.Visitor)
}
