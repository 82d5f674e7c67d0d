package routes

import (
	"net/http"

	"github.com/a-h/templ"

	"example.org/portal/globus"
	"example.org/portal/routes/session"
)

// Handle adds a page, to see what becomes of one that none of the app's is like.
func (a *App) Handle(pattern string, h func(http.ResponseWriter, *http.Request) error) {
	a.pages.Handle(pattern, a.catch(h))
}

// HandleSignedIn adds a page for those who are signed in.
func (a *App) HandleSignedIn(pattern string, h func(http.ResponseWriter, *http.Request) error) {
	a.pages.Handle(pattern, a.catch(a.signedIn(func(w http.ResponseWriter, r *http.Request, _ *session.Session) error { return h(w, r) })))
}

// Show is what such a page may answer with: a fragment.
func (a *App) Show(w http.ResponseWriter, r *http.Request, fragment templ.Component) error {
	return a.show(w, r, http.StatusOK, "Test", fragment)
}

// Require adds a page that demands more of people than the app does.
func (a *App) Require(pattern string, p globus.Policy) {
	a.pages.Handle(pattern, a.catch(a.signedIn(a.require(p, func(w http.ResponseWriter, _ *http.Request, _ *session.Session) error {
		plain(w, http.StatusOK, "You are in")
		return nil
	}))))
}

// Idle waits for what goes on in the background.
func (a *App) Idle() { a.background.Wait() }
