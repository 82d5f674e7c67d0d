package auth

import (
	"errors"
	"net/http"

	"example.org/portal/components"
	"example.org/portal/globus"
	"example.org/portal/routes/web"
)

// required is the web.Handler of a route for people who are signed in.
type required struct {
	auth    *Auth
	policy  globus.Policy // in addition to the app's; the zero value allows anybody
	handler HandlerFunc
}

// Allow implements web.Handler.
func (h required) Allow(w http.ResponseWriter, r *http.Request) (bool, error) {
	s, err := h.auth.Session(r)
	if err != nil {
		return false, err
	}
	if s == nil {
		return false, h.auth.noSession(w, r)
	}
	return true, h.auth.check(r, s, h.policy)
}

// Serve implements web.Handler.
func (h required) Serve(w http.ResponseWriter, r *http.Request) error {
	s, _ := h.auth.current(r) // Allow has checked that there is one
	return h.handler(w, r, s)
}

// noSession answers a request that needs a session and has none. It redirects a
// navigation to sign in and come back. A request from within a page gets a link
// instead: a poll that followed a redirect would sign a person in again, unseen,
// right after they signed out in another tab, and a form would lose what was typed.
func (a *Auth) noSession(w http.ResponseWriter, r *http.Request) error {
	here := a.site.Here(r)
	if web.IsPrefetch(r) {
		return web.RefusePrefetch(w)
	}
	navigation := r.Method == http.MethodGet && web.IsNavigation(r)
	switch {
	case navigation && !a.signedOut(r):
		return web.RedirectURL(w, a.site.LoginURL(here))
	case navigation:
		// A redirect would sign them in again without a click, perhaps by the Back
		// button, because Globus remembers them.
		return &web.Problem{
			Status: http.StatusUnauthorized, Reason: "signed_out", Heading: "You are signed out here",
			Message: "Log in to see this page.", LoginURL: a.site.LoginURL(here), Cause: errors.New("signed out"),
		}
	}
	login, sent := a.site.LoginURL(a.site.From(r)), r.Method != http.MethodGet && r.Method != http.MethodHead
	if web.WantsFragment(r) {
		web.BesideForm(w, r)
		return web.ShowStatus(w, r, http.StatusUnauthorized, "", components.SessionEnded(login, sent))
	}
	p := &web.Problem{
		Status: http.StatusUnauthorized, Reason: "session_ended", Heading: "Your session has ended",
		Message: "Log in again to continue.", LoginURL: login, Cause: errors.New("no session"),
	}
	if !sent {
		return p
	}
	p.Message = "Nothing was done. Log in again in another tab, then go back and send this again."
	if p.Form = web.FormAgain(w, r); p.Form != nil {
		p.Message = "Nothing was done. Log in again in another tab, then come back and send this again: what you typed is kept here."
	}
	return p
}
