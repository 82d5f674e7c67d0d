package routes

import (
	"cmp"
	"errors"
	"net/http"
	"net/url"

	"example.org/portal/components"
	"example.org/portal/globus"
	"example.org/portal/routes/session"
)

// A sessionFunc answers a request of someone who is signed in.
type sessionFunc func(w http.ResponseWriter, r *http.Request, s *session.Session) error

// signedIn admits to h only those who are signed in.
func (a *App) signedIn(h sessionFunc) handlerFunc {
	return func(w http.ResponseWriter, r *http.Request) error {
		s, err := a.admit(w, r)
		if err != nil {
			return err
		}
		if s == nil {
			return a.noSession(w, r)
		}
		err = h(w, r, s)
		if errors.Is(err, session.ErrGone) || a.revokedMeanwhile(r, err) {
			// It ended while h was at work. The cookie may be a new one by now.
			return a.noSession(w, r)
		}
		return err
	}
}

// revokedMeanwhile reports whether Globus did not accept a token because its
// person signed out while it was on its way.
func (a *App) revokedMeanwhile(r *http.Request, err error) bool {
	e, ok := errors.AsType[*globus.Error](err)
	if !ok || e.Status != http.StatusUnauthorized {
		return false
	}
	s, err := a.sessions.Peek(r)
	return s == nil && err == nil
}

// noSession answers a request that needs a session and has none. Someone who
// opens a page is sent to sign in and comes back to it. A request from within
// a page never is: a poll that followed a redirect would sign a person in
// again, unseen, right after they signed out in another tab, and whatever was
// typed would be lost. It gets a link instead.
func (a *App) noSession(w http.ResponseWriter, r *http.Request) error {
	here := a.localPath(r.URL.RequestURI())
	if isPrefetch(r) {
		return refusePrefetch(w)
	}
	switch {
	case r.Method == http.MethodGet && isNavigation(r) && !a.signedOut(r):
		return redirect(w, a.site.LoginURL(here))
	case r.Method == http.MethodGet && isNavigation(r):
		// By the Back button, perhaps: Globus would let them in again, unasked.
		return &httpError{
			status: http.StatusUnauthorized, reason: "signed_out", heading: "You are signed out here",
			message: "Log in to see this page.", loginURL: a.site.LoginURL(here), cause: errors.New("signed out"),
		}
	}
	visitedBy(r, nil)
	login, sent := a.site.LoginURL(a.currentPath(r)), r.Method == http.MethodPost
	if wantsFragment(r) {
		besideForm(w, r)
		return write(w, r, http.StatusUnauthorized, components.SessionEnded(login, sent))
	}
	e := &httpError{
		status: http.StatusUnauthorized, reason: "session_ended", heading: "Your session has ended",
		message: "Log in again to go on.", loginURL: login, cause: errors.New("no session"),
	}
	if sent {
		e.message = "Nothing was done. Log in again in another tab, then come back and send this again: what you typed is kept here."
		e.form = formAgain(r)
	}
	return e
}

// currentPath returns the path of the page from within which r was sent, or "".
func (a *App) currentPath(r *http.Request) string {
	u, err := url.Parse(cmp.Or(r.Header.Get("HX-Current-URL"), r.Referer()))
	if err != nil || !u.IsAbs() {
		return ""
	}
	return a.localPath(u.RequestURI())
}
