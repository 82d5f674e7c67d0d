package routes

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"net/http"

	"example.org/portal/components"
	"example.org/portal/globus"
	"example.org/portal/routes/session"
)

// stepUp redeems the code of somebody who went to Globus once more while they
// were signed in, and merges the new tokens, and how they authenticated, into
// their session by one compare-and-swap. A session that ended meanwhile stays
// ended; if the store fails, nothing is changed.
func (a *App) stepUp(r *http.Request, code string, t attempt) (*session.Session, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), maxSignIn)
	defer cancel()
	r = r.WithContext(ctx)
	login, err := a.globus.Exchange(ctx, code, t.Attempt)
	if err != nil {
		return nil, err
	}
	s, err := a.mergeLogin(r, login, t)
	if err != nil {
		a.discard(r, login)
		return nil, err
	}
	a.log.InfoContext(ctx, "stepped up", "session", s.Tag())
	return s, nil
}

// mergeLogin merges a login into the session that r's browser has.
func (a *App) mergeLogin(r *http.Request, login *globus.Login, t attempt) (*session.Session, error) {
	ctx := r.Context()
	if err := a.useUserInfo(ctx, login); err != nil {
		return nil, err
	}
	s, err := a.sessions.Peek(r)
	if err != nil {
		return nil, err
	}
	if s == nil || !a.now().Before(s.Deadline) {
		return nil, session.ErrGone
	}
	if login.Identity.Subject != t.StepUp || s.Identity.Subject != t.StepUp {
		return nil, otherPerson(login, s)
	}
	facts, _ := a.gather(ctx, globus.Facts{}, a.questions(), login.Identity, a.tokensOf(login.Tokens)) // what fails is asked when a policy needs it
	err = a.sessions.Update(ctx, s, func(rec *session.Record) {
		replaced := maps.Clone(rec.Tokens)
		maps.Copy(rec.Tokens, login.Tokens)
		rec.Replace(replaced)
		rec.Identity, rec.Facts = login.Identity, newer(rec.Facts, facts)
	})
	if err != nil {
		return nil, err
	}
	return s, nil
}

// otherPerson is the error for somebody who came back from Globus in the place
// of the person of s.
func otherPerson(login *globus.Login, s *session.Session) error {
	return &httpError{
		status: http.StatusForbidden, reason: "other_person", heading: "You signed in at Globus as someone else",
		message: "What was asked there was for the person who is signed in here. Nothing was changed.",
		facts: []components.Fact{
			{Label: "At Globus you signed in as", Value: called(&login.Identity)},
			{Label: "Here you are signed in as", Value: called(&s.Identity)},
		},
		cause: errOther,
	}
}

// called is what somebody recognizes an identity of theirs by.
func called(id *globus.Identity) string { return cmp.Or(id.Username, id.Name, id.Subject) }

// stepUpFailed says what the error of a callback is to someone who was signed
// in before, and still is.
func (a *App) stepUpFailed(r *http.Request, t attempt, err error) error {
	e := *a.asHTTPError(r, err)
	e.cause = cmp.Or(e.cause, err)
	said, _ := errors.AsType[*globus.Error](err)
	switch {
	case errors.Is(err, session.ErrGone):
		return &httpError{
			status: http.StatusUnauthorized, reason: "signed_out", heading: "Your session ended meanwhile", message: "Nobody is signed in here. Log in again to go on.",
			loginURL: a.site.LoginURL(t.Next), cause: err,
		}
	case errors.Is(err, errOther): // Globus remembers the other one, and would let them pass as they are
		e.loginURL = a.site.OtherLoginURL(t.Next)
		return &e
	case said != nil && isDenial(said.Code):
		e.reason, e.heading, e.message = "denied", "Globus did not get what it asked for", "You, or Globus, said no. Nothing was changed: you are signed in as before."
	case !isStoreError(err):
		e.reason, e.heading, e.message = "step_up_failed", "Globus could not complete this", "Nothing was changed: you are signed in as before. Please try again in a moment."
	}
	e.loginURL, e.retry = "", cmp.Or(a.localPath(t.Next), a.site.Path("/"))
	return &e
}
