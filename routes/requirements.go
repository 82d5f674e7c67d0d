package routes

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"

	"example.org/portal/components"
	"example.org/portal/globus"
	"example.org/portal/routes/session"
)

// A stepUp is why someone who is signed in is sent to Globus once more: a
// service wants more of them before it does what was asked.
type stepUp struct {
	Subject string              // who is signed in; nobody else may come back
	Asked   globus.Requirements // without its words
}

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
	if r.Method == http.MethodGet && isNavigation(r) && !met {
		return a.startStepUp(w, r, s, want, a.here(r))
	}
	visitOf(r).err = err
	card := components.Required{Site: a.site, Requirements: want, Again: met, URL: a.here(r)}
	if met {
		card.URL = a.site.AskAgainURL(card.URL)
	}
	if r.Method == http.MethodPost {
		// The page that it was sent from may want nothing by itself.
		if err := a.sessions.Update(r.Context(), s, func(rec *session.Record) { rec.Wanted = want }); err != nil {
			return err
		}
		card.URL, card.Form = a.site.AskAgainURL(a.currentPath(r)), formAgain(r)
	}
	if !wantsFragment(r) {
		return write(w, r, http.StatusForbidden, components.RequiredPage(a.page(r, card.Heading()), card))
	}
	besideForm(w, r)
	return write(w, r, http.StatusForbidden, components.RequiredCard(card))
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
	if s.Wanted != nil {
		return a.startStepUp(w, r, s, s.Wanted, next)
	}
	if len(s.Met) > 0 {
		err := a.sessions.Update(r.Context(), s, func(rec *session.Record) { rec.Met = nil })
		if err != nil && !errors.Is(err, session.ErrGone) {
			return err
		}
	}
	return redirect(w, a.absolute(next)) // where it is found out what is asked
}

// startStepUp sends the browser to Globus with what is wanted of s's person, to
// come back to next.
func (a *App) startStepUp(w http.ResponseWriter, r *http.Request, s *session.Session, want *globus.Requirements, next string) error {
	asked := *want
	asked.Code, asked.Message, asked.SessionMessage = "", "", "" // nobody reads them in the cookie
	t := attempt{
		Attempt: globus.NewAttempt(), Next: next, Begun: a.now(),
		StepUp: &stepUp{Subject: s.Identity.Subject, Asked: asked},
	}
	err := a.keepAttempt(w, r, t)
	if errors.Is(err, errAttemptTooLarge) {
		return &httpError{
			status: http.StatusForbidden, heading: "Globus wants more than this site can ask for",
			message: "What it wants of you first is too much for one request. Please tell the people who run this site, with the reference below.",
			cause:   err,
		}
	}
	if err != nil {
		return err
	}
	opts := append(want.AuthCodeOptions(), a.scopesWith(s, want.Scopes).AuthCodeOption())
	return redirect(w, a.globus.AuthCodeURL(t.Attempt, opts...))
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

// goOn makes of rec, a sign-in that was begun for up, what the session of r's
// browser becomes by it: as old as it was, with all its tokens that rec has none
// in the place of. It must be the same person's. If the session has ended
// meanwhile, rec is a new one.
func (a *App) goOn(r *http.Request, up *stepUp, rec *session.Record) error {
	old, err := a.sessions.Peek(r)
	if err != nil {
		return err
	}
	if old != nil && !a.now().Before(old.Deadline) {
		old = nil
	}
	if rec.Identity.Subject != up.Subject || old != nil && old.Identity.Subject != up.Subject {
		return a.refuseOther(rec, old)
	}
	if old != nil {
		fresh := rec.Tokens
		rec.Tokens = maps.Clone(old.Tokens)
		maps.Copy(rec.Tokens, fresh)
		rec.Began, rec.Met, rec.Facts = old.Began, old.Met, old.Facts
	}
	rec.Meet(up.Asked, a.now())
	return nil
}

// refuseOther is the error for somebody who came back from Globus in the place
// of the person of old, which is nil if nobody is signed in any more.
func (a *App) refuseOther(rec *session.Record, old *session.Session) error {
	e := &httpError{
		status: http.StatusForbidden, heading: "Somebody else came back from Globus",
		message: "What was asked there was for the person who is signed in here. Nothing was changed.",
		cause:   errOther,
		facts:   []components.Fact{{Label: "At Globus you signed in as", Value: called(&rec.Identity)}},
	}
	if old != nil {
		e.facts = append(e.facts, components.Fact{Label: "Here you are signed in as", Value: called(&old.Identity)})
	}
	return e
}

// called is what somebody recognizes an identity of theirs by.
func called(id *globus.Identity) string { return cmp.Or(id.Username, id.Name, id.Subject) }

// carryOver puts into s the tokens that its predecessor, having got them
// after s was made of it, held to the last: old, but for those that fresh is in
// the place of.
func (a *App) carryOver(ctx context.Context, s *session.Session, fresh, old globus.Tokens) {
	later := old.Without(s.Tokens)
	maps.DeleteFunc(later, func(server string, _ globus.Token) bool {
		_, replaced := fresh[server]
		return replaced
	})
	if len(later) == 0 {
		return
	}
	err := a.sessions.Update(ctx, s, func(rec *session.Record) {
		for server := range later {
			rec.Tokens[server] = old[server]
		}
	})
	if err != nil {
		a.log.ErrorContext(ctx, "tokens not carried over", "reason", err)
	}
}

// stepUpFailed says what the error of a callback is to someone who was signed
// in before, and still is.
func (a *App) stepUpFailed(r *http.Request, t attempt, err error) error {
	if t.StepUp == nil {
		return err
	}
	e := *a.asHTTPError(r, err)
	said, _ := errors.AsType[*globus.Error](err)
	switch {
	case errors.Is(err, errOther): // Globus remembers the other one, and would pass them straight through
		e.loginURL = a.site.OtherLoginURL("")
		return &e
	case said != nil && isDenial(said.Code):
		e.heading, e.message = "Globus did not get what it asked for", "You, or Globus, said no. Nothing was changed: whoever was signed in here still is."
	case e.status == http.StatusForbidden:
		return err // which has words of its own
	default:
		e.heading, e.message = "That came to nothing at Globus", "Nothing was changed: whoever was signed in here still is. Please try again in a moment."
	}
	e.loginURL, e.retry = "", cmp.Or(a.localPath(t.Next), a.site.Path("/"))
	return &e
}
