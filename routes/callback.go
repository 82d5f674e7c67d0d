package routes

import (
	"errors"
	"net/http"
	"net/url"

	"example.org/portal/globus"
	"example.org/portal/routes/session"
)

// callback finishes the attempt that Globus's answer in q belongs to. Nothing
// is asked of Globus, or done to a session, before it is known to.
func (a *App) callback(w http.ResponseWriter, r *http.Request, q url.Values) error {
	state := q.Get("state")
	t, ok := a.attempt(r, state)
	if !ok {
		return a.noAttempt(w, r)
	}
	if a.answers.busy() {
		return &httpError{
			status: http.StatusServiceUnavailable, reason: "busy", heading: "Many people are signing in just now",
			message: "Reload this page in a moment to go on.", cause: errBusy,
		}
	}
	a.spendAttempt(w, state)
	// RFC 9207. Globus sends none so far; one that is sent must be Globus's.
	if q.Has("iss") && q.Get("iss") != a.globus.Issuer() {
		return a.refuseLogin(errors.New("iss is not Globus Auth"), "wrong_issuer", "That answer does not come from Globus", "Nobody was signed in by it.")
	}
	if q.Has("error") {
		return a.stepUpFailed(r, t, a.globusRefused(q.Get("error")))
	}
	got := a.answers.once(r.Context(), t.Attempt, func() (*session.Session, error) { return a.signIn(r, q.Get("code"), t) })
	if toldNothing(got.err, t) {
		return a.begin(w, r, attempt{Next: t.Next, Asked: true}) // where a step up came from, it is asked for again
	}
	if got.err != nil {
		return a.stepUpFailed(r, t, a.loginFailed(r, got.err, t))
	}
	a.sessions.SetCookie(w, got.session)
	visitedBy(r, got.session)
	a.csrf.RegenerateToken(w, r)
	return redirect(w, a.absolute(t.Next))
}

// noAttempt answers a callback that this browser did not begin, or has
// finished: one that was bookmarked, sent again, forged, or left too long.
func (a *App) noAttempt(w http.ResponseWriter, r *http.Request) error {
	s, err := a.load(w, r)
	if err != nil {
		return err
	}
	if s != nil {
		a.notSignedIn(r, errNoAttempt) // by this, but they are
		return redirect(w, a.absolute(""))
	}
	return a.refuseLogin(errNoAttempt, "link_used", "That sign-in link was used already or has expired", "It works once, for ten minutes, and only in the browser that began. Nobody was signed in by it.")
}

// refuseLogin is the error for a link to /login that signs nobody in.
func (a *App) refuseLogin(cause error, reason, heading, message string) error {
	return &httpError{
		status: http.StatusBadRequest, reason: reason, heading: heading, message: message,
		loginURL: a.site.LoginURL(""), cause: cause,
	}
}

// globusRefused answers a callback that brings an OAuth error. Only its code
// is believed, and what the person reads is ours.
func (a *App) globusRefused(code string) error {
	e := &httpError{
		status: http.StatusServiceUnavailable, reason: "globus_error", heading: "Globus could not sign you in",
		message:  "Globus answered with an error. Nobody was signed in. Please try again; if it happens again, tell the people who run this site, with the reference below.",
		loginURL: a.site.LoginURL(""),
		cause:    &globus.Error{Call: "authorize", Reason: globus.Refused, Code: globus.ErrorCode(code)},
	}
	if isDenial(code) {
		e.status, e.reason, e.heading = http.StatusForbidden, "denied", "Globus did not sign you in"
		e.message = "You, or Globus, said no. Nothing was changed. You can try again, or go on without signing in."
	}
	return e
}

// loginFailed adds to an error the way to try again.
func (a *App) loginFailed(r *http.Request, err error, t attempt) error {
	if no, ok := errors.AsType[*refusal](err); ok {
		own := *no // several may wait for one outcome
		own.next = t.Next
		return &own
	}
	e := *a.asHTTPError(r, err)
	e.loginURL = a.site.LoginURL("")
	e.cause = err
	switch {
	case errors.Is(err, session.ErrTooLarge), errors.Is(err, session.ErrGone):
		e.status, e.reason, e.heading = http.StatusServiceUnavailable, "not_kept", "Globus could not sign you in"
		e.message = "What Globus sent cannot be kept here: it is too much, or has expired already. Please tell the people who run this site, with the reference below."
	case isStoreError(err):
		e.message = "This site could not write down that you signed in, so you are not. Please try again in a moment."
	}
	return &e
}
