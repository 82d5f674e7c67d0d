package routes

import (
	"cmp"
	"errors"
	"maps"
	"net/http"
	"slices"

	"example.org/portal/components"
	"example.org/portal/globus"
	"example.org/portal/routes/session"
)

// askFor answers a request that a service wants more for, which came to err. It
// is the one place for that: a handler just returns the error. Who opens a page
// goes to Globus and comes back to the page, which reads again. A request from
// within a page gets a card with a link to do so. A form is never sent again by
// itself. And who has just done what is asked is asked no more than once.
func (a *App) askFor(w http.ResponseWriter, r *http.Request, s *session.Session, want *globus.Requirements, err error) error {
	if isPrefetch(r) {
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	met := s.HasMet(want, a.now())
	reaches := a.reachesFarther(want.Scopes)
	if r.Method == http.MethodGet && isNavigation(r) && !met && !reaches {
		return a.startStepUp(w, r, s, want, a.here(r))
	}
	visitOf(r).err = err
	card := components.Required{Site: a.site, Requirements: want, Again: met, URL: a.here(r)}
	if met && !reaches {
		card.URL = a.site.AskAgainURL(card.URL)
	}
	if r.Method == http.MethodPost || reaches {
		// The page to come back to may want nothing by itself.
		if err := a.sessions.Update(r.Context(), s, func(rec *session.Record) { rec.Wanted = want }); err != nil {
			return err
		}
		card.URL = a.site.AskAgainURL(card.URL)
	}
	if r.Method == http.MethodPost {
		card.URL, card.Form = a.site.AskAgainURL(a.currentPath(r)), formAgain(r)
	}
	if !wantsFragment(r) {
		return write(w, r, http.StatusForbidden, components.RequiredPage(a.page(r, card.Heading()), card))
	}
	besideForm(w, r)
	return write(w, r, http.StatusForbidden, components.RequiredCard(card))
}

// reachesFarther reports whether scopes are for more than the app asks people for
// by itself. A service may want what its own scope depends on; for others, a link
// to a page is not enough: the person reads what it is, and clicks.
func (a *App) reachesFarther(scopes globus.Scopes) bool {
	own, err := globus.ParseScopes(a.globus.Scopes()...)
	return slices.ContainsFunc(scopes, func(s globus.Scope) bool {
		return err != nil || !slices.ContainsFunc(own, func(o globus.Scope) bool { return o.Name == s.Name })
	})
}

// here is the path to come back to for what r asked for; without its query if
// that is too much.
func (a *App) here(r *http.Request) string {
	if path := a.localPath(r.URL.RequestURI()); path != "" {
		return path
	}
	return cmp.Or(a.localPath(r.URL.EscapedPath()), a.site.Path("/"))
}

// askAgain sends someone to Globus once more who was told that they have done
// what is asked, and wants to try again; or whose form was refused.
func (a *App) askAgain(w http.ResponseWriter, r *http.Request, s *session.Session, next string) error {
	want := s.Wanted
	if want != nil || len(s.Met) > 0 {
		err := a.sessions.Update(r.Context(), s, func(rec *session.Record) {
			rec.Wanted = nil // once
			if want == nil {
				rec.Met = nil
			}
		})
		if err != nil && !errors.Is(err, session.ErrGone) {
			return err
		}
	}
	if want != nil {
		return a.startStepUp(w, r, s, want, next)
	}
	return redirect(w, a.absolute(next)) // where it is found out what is asked
}

// startStepUp sends the browser to Globus with what is wanted of s's person, to
// come back to next.
func (a *App) startStepUp(w http.ResponseWriter, r *http.Request, s *session.Session, want *globus.Requirements, next string) error {
	asked := *want
	asked.Code, asked.Message, asked.SessionMessage = "", "", "" // nobody reads them in the cookie
	t := attempt{Next: next, StepUp: &stepUp{Subject: s.Identity.Subject, Asked: asked}}
	opts := append(want.AuthCodeOptions(), a.scopesWith(s, want.Scopes).AuthCodeOption())
	err := a.toGlobus(w, r, t, opts)
	if errors.Is(err, errAttemptTooLarge) {
		return &httpError{
			status: http.StatusForbidden, reason: "requirements_too_large", heading: "Globus wants more than this site can ask for",
			message: "What it wants of you first is too much for one request. Please tell the people who run this site, with the reference below.",
			cause:   err,
		}
	}
	return err
}

// scopesWith returns more beside all that the app asks for, and that s holds
// already: the new tokens are to be good for no less than the old ones.
func (a *App) scopesWith(s *session.Session, more globus.Scopes) globus.Scopes {
	lists := [][]string{a.globus.Scopes()}
	for _, server := range slices.Sorted(maps.Keys(s.Tokens)) {
		lists = append(lists, s.Tokens[server].Scopes)
	}
	var all globus.Scopes
	for _, list := range lists {
		if scopes, err := globus.ParseScopes(list...); err == nil {
			all = all.Merge(scopes)
		}
	}
	return all.Merge(more)
}
