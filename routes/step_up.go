package routes

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"net/http"
	"strings"

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

// goOn makes of rec, a sign-in that was begun for up, what the session of r's
// browser becomes by it: as old as it was, with all its tokens that rec has none
// in the place of. It must be the same person's. If the session's time is up
// meanwhile, rec is a new one, and does not go on; who has signed out stays so.
func (a *App) goOn(r *http.Request, up *stepUp, rec *session.Record) (goesOn bool, err error) {
	old, err := a.sessions.Peek(r)
	if err != nil {
		return false, err
	}
	if old != nil && !a.now().Before(old.Deadline) {
		old = nil
	}
	if old == nil && a.signedOut(r) {
		return false, session.ErrGone
	}
	if rec.Identity.Subject != up.Subject || old != nil && old.Identity.Subject != up.Subject {
		return false, a.refuseOther(rec, old)
	}
	if old != nil {
		fresh := rec.Tokens
		rec.Tokens = maps.Clone(old.Tokens)
		maps.Copy(rec.Tokens, fresh)
		rec.Began, rec.Met, rec.Facts = old.Began, old.Met, old.Facts
	}
	rec.Meet(up.Asked, a.now())
	return old != nil, nil
}

// refuseOther is the error for somebody who came back from Globus in the place
// of the person of old, which is nil if nobody is signed in any more.
func (a *App) refuseOther(rec *session.Record, old *session.Session) error {
	e := &httpError{
		status: http.StatusForbidden, reason: "other_person", heading: "Somebody else came back from Globus",
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

// carryOver puts into s what its predecessor got after s was made of it, such as
// a token that was refreshed just then: of old, all that it held to the last,
// what fresh is not in the place of.
func (a *App) carryOver(ctx context.Context, s *session.Session, fresh, old globus.Tokens) {
	later := old.Without(s.Tokens)
	maps.DeleteFunc(later, func(server string, _ globus.Token) bool {
		_, replaced := fresh[server]
		return replaced || strings.HasPrefix(server, "replaced ")
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
	case errors.Is(err, session.ErrGone):
		return &httpError{
			status: http.StatusUnauthorized, reason: "signed_out", heading: "You signed out meanwhile", message: "Nobody is signed in here.",
			loginURL: a.site.LoginURL(t.Next), cause: err,
		}
	case errors.Is(err, errOther): // Globus remembers the other one, and would pass them straight through
		e.loginURL = a.site.OtherLoginURL("")
		return &e
	case said != nil && isDenial(said.Code):
		e.reason, e.heading, e.message = "denied", "Globus did not get what it asked for", "You, or Globus, said no. Nothing was changed: whoever was signed in here still is."
	case e.status == http.StatusForbidden:
		return err // which has words of its own
	default:
		e.reason, e.heading, e.message = "step_up_failed", "Globus could not complete this", "Nothing was changed: whoever was signed in here still is. Please try again in a moment."
	}
	e.loginURL, e.retry = "", cmp.Or(a.localPath(t.Next), a.site.Path("/"))
	return &e
}
