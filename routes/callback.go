package routes

import (
	"cmp"
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
	t, fresh := a.attempt(r, state)
	if !fresh {
		return a.noAttempt(w, r, t.Next)
	}
	if a.answers.busy(visitOf(r).client) {
		return &httpError{ // the attempt stays good
			status: http.StatusServiceUnavailable, reason: "busy", heading: "Many people are signing in just now",
			message: "Reload this page in a moment to go on.", cause: errBusy,
		}
	}
	a.spendAttempt(w, state)
	// RFC 9207. Globus sends none so far; one that is sent must be Globus's.
	if q.Has("iss") && q.Get("iss") != a.globus.Issuer() {
		return a.refuseLogin(errors.New("iss is not Globus Auth"), t.Next, "wrong_issuer", "That answer does not come from Globus", "Nobody was signed in by it.")
	}
	if q.Has("error") {
		return a.callbackFailed(r, a.globusRefused(q.Get("error")), t)
	}
	redeem := a.signIn
	if t.StepUp != "" {
		redeem = a.stepUp
	}
	got := a.answers.once(r.Context(), visitOf(r).client, t.Attempt, func() (*session.Session, error) { return redeem(r, q.Get("code"), t) })
	if needsPrompt(got.err, t) {
		return a.begin(w, r, attempt{Next: t.Next, Prompt: true})
	}
	if got.err != nil {
		return a.callbackFailed(r, got.err, t)
	}
	visitedBy(r, got.session)
	if t.StepUp == "" {
		a.sessions.SetCookie(w, got.session)
		a.csrf.RegenerateToken(w, r) // a form that is open in another tab is another session's
	}
	return redirect(w, a.absolute(t.Next))
}

// callbackFailed adds to an error where to go on.
func (a *App) callbackFailed(r *http.Request, err error, t attempt) error {
	if t.StepUp != "" {
		return a.stepUpFailed(r, t, err)
	}
	return a.loginFailed(r, err, t)
}

// noAttempt answers a callback that this browser did not begin, or has
// finished: one that was bookmarked, sent again, forged, or left too long.
// next is where they were going, if that is known.
func (a *App) noAttempt(w http.ResponseWriter, r *http.Request, next string) error {
	s, err := a.load(w, r)
	if err != nil {
		return err
	}
	if s != nil {
		a.notSignedIn(r, errNoAttempt) // by this, but they are
		return redirect(w, a.absolute(next))
	}
	if len(r.Cookies()) == 0 {
		return a.refuseLogin(errNoCookies, next, "cookies_blocked", "Your browser keeps no cookies for this site", "Without them nobody can sign in. Allow cookies for this site in your browser's settings, and begin again.")
	}
	return a.refuseLogin(errNoAttempt, next, "link_used", "That sign-in link was used already or has expired", "It works once, for ten minutes, and only in the browser that began. Nobody was signed in by it.")
}

// refuseLogin is the error for a link to /login that signs nobody in.
func (a *App) refuseLogin(cause error, next, reason, heading, message string) error {
	return &httpError{
		status: http.StatusBadRequest, reason: reason, heading: heading, message: message,
		loginURL: a.site.LoginURL(next), cause: cause,
	}
}

// globusRefused answers a callback that brings an OAuth error. Only its code
// is believed, and what the person reads is ours.
func (a *App) globusRefused(code string) error {
	e := &httpError{
		status: http.StatusServiceUnavailable, reason: "globus_error", heading: "Globus could not sign you in",
		message: "Globus answered with an error. Nobody was signed in. Please try again; if it happens again, tell the people who run this site, with the reference below.",
		cause:   &globus.Error{Call: "authorize", Reason: globus.Refused, Code: globus.ErrorCode(code)},
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
	e.loginURL = a.site.LoginURL(t.Next)
	e.cause = cmp.Or(e.cause, err)
	switch {
	case errors.Is(err, session.ErrTooLarge), errors.Is(err, session.ErrGone):
		e.status, e.reason, e.heading = http.StatusServiceUnavailable, "not_kept", "Globus could not sign you in"
		e.message = "What Globus sent cannot be kept here: it is too much, or has expired already. Please tell the people who run this site, with the reference below."
	case isStoreError(err):
		e.message = "This site could not write down that you signed in, so you are not. Please try again in a moment."
	}
	return &e
}
