package routes

import (
	"errors"
	"net/http"
	"net/url"

	"example.org/portal/components"
	"example.org/portal/routes/session"
)

// A sessionFunc answers a request of someone who is signed in.
type sessionFunc func(w http.ResponseWriter, r *http.Request, s *session.Session) error

// signedIn admits to h only those who are signed in.
func (a *App) signedIn(h sessionFunc) handlerFunc {
	return func(w http.ResponseWriter, r *http.Request) error {
		s, err := a.sessions.Load(w, r)
		if err != nil {
			return err
		}
		if s == nil {
			return a.noSession(w, r)
		}
		err = h(w, r, s)
		if errors.Is(err, session.ErrGone) {
			// It ended while h was at work. The cookie may be a new one by now.
			return a.noSession(w, r)
		}
		return err
	}
}

// noSession answers a request that needs a session and has none. Someone who
// opens a page is sent to sign in and comes back to it. A request from within
// a page never is: a poll that followed a redirect would sign a person in
// again, unseen, right after they signed out in another tab, and whatever was
// typed would be lost. It gets a link instead.
func (a *App) noSession(w http.ResponseWriter, r *http.Request) error {
	if r.Method == http.MethodGet && isNavigation(r) {
		return redirect(w, a.site.LoginURL(a.localPath(r.URL.RequestURI())))
	}
	var next string
	if u, err := url.Parse(r.Header.Get("HX-Current-URL")); err == nil && u.IsAbs() {
		next = a.localPath(u.RequestURI())
	}
	if wantsFragment(r) {
		return a.show(w, r, http.StatusUnauthorized, "", components.SessionEnded(a.site.LoginURL(next)))
	}
	return &httpError{
		status: http.StatusUnauthorized, heading: "Your session has ended",
		message: "Log in again to go on.", loginURL: a.site.LoginURL(next), cause: errors.New("no session"),
	}
}
