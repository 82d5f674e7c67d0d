package auth

import (
	"net/http"
	"net/url"

	"example.org/portal/globus"
	"example.org/portal/routes/session"
	"example.org/portal/routes/web"
)

// callback completes the attempt that Globus's answer in q belongs to. Before the
// attempt is found, Globus is not asked and no session is changed.
func (a *Auth) callback(w http.ResponseWriter, r *http.Request, q url.Values) error {
	state := q.Get("state")
	t, fresh := a.attempt(r, state)
	if !fresh {
		return a.noAttempt(w, r, t.Next)
	}
	if a.outcomes.busy(web.Client(r)) {
		return a.loginFailed(r, errBusy, t) // the attempt stays good
	}
	a.clearAttempt(w, state)
	// RFC 9207. Globus sends none so far; one that is sent must be Globus's.
	if q.Has("iss") && q.Get("iss") != a.globus.Issuer() {
		return a.loginFailed(r, errWrongIssuer, t)
	}
	if q.Has("error") {
		// Only the code is believed, and what the person reads is ours.
		return a.loginFailed(r, &globus.Error{Call: "authorize", Reason: globus.Refused, Code: globus.ErrorCode(q.Get("error"))}, t)
	}
	redeem := a.signIn
	if t.StepUp != "" {
		redeem = a.stepUp
	}
	got := a.outcomes.once(r.Context(), web.Client(r), t.Attempt, func() (*session.Session, error) { return redeem(r, q.Get("code"), t) })
	if needsPrompt(got.err, t) {
		return a.begin(w, r, attempt{Next: t.Next, Prompt: true})
	}
	if got.err != nil {
		return a.loginFailed(r, got.err, t)
	}
	a.setSession(r, got.session)
	if t.StepUp == "" {
		a.sessions.SetCookie(w, got.session)
		a.site.RenewCSRFToken(w, r) // a form that is open in another tab is another session's
	}
	return web.RedirectURL(w, a.site.Absolute(t.Next))
}

// noAttempt answers a callback that this browser did not begin, or has completed:
// a link that was bookmarked, sent again, forged, or left for too long. next is
// where the person was going, if that is known.
func (a *Auth) noAttempt(w http.ResponseWriter, r *http.Request, next string) error {
	s, err := a.current(r)
	if err != nil {
		return err
	}
	cause := errNoAttempt
	if s == nil && len(r.Cookies()) == 0 {
		cause = errNoCookies
	}
	failed := a.loginFailed(r, cause, attempt{Next: next})
	if s != nil { // they are signed in, though not by this
		return web.RedirectURL(w, a.site.Absolute(next))
	}
	return failed
}

// loginFailed logs and counts why a callback signed nobody in, and returns the
// problem.
func (a *Auth) loginFailed(r *http.Request, err error, t attempt) error {
	problem := a.explainLogin(err, t.Next)
	if t.StepUp != "" {
		problem = a.explainStepUp(err, t.Next)
	}
	a.noteFailure(r, problem)
	return problem
}
