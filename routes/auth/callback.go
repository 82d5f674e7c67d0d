package auth

import (
	"errors"
	"net/http"
	"net/url"

	"example.org/portal/globus"
	"example.org/portal/routes/session"
	"example.org/portal/routes/web"
)

// callback completes the attempt that the state in q belongs to. Unless this
// browser began that attempt, it asks Globus nothing and changes no session.
func (a *Auth) callback(w http.ResponseWriter, r *http.Request, q url.Values) error {
	t, fresh := a.attempt(r, q.Get("state"))
	if !fresh {
		return a.unmatchedCallback(w, r, t.Next)
	}
	s, err := a.redeemOnce(r, q, t)
	if errors.Is(err, errBusy) {
		return a.loginFailed(r, err, t) // the attempt stays, for a reload
	}
	a.clearAttempt(w, t.State)
	if needsPrompt(err, t) {
		return a.beginSignIn(w, r, attempt{Next: t.Next, Prompt: true})
	}
	if err != nil {
		return a.loginFailed(r, err, t)
	}
	a.setSession(r, s)
	if t.StepUp == "" {
		a.sessions.SetCookie(w, s)
		a.site.RenewCSRFToken(w, r) // a form that is open in another tab belongs to another session
	}
	return web.RedirectURL(w, a.site.Absolute(t.Next))
}

// redeemOnce returns the session that the callback yields. A callback that comes
// again gets the same session or error.
func (a *Auth) redeemOnce(r *http.Request, q url.Values, t attempt) (*session.Session, error) {
	// RFC 9207: Globus sends no iss so far; one that is present must be right.
	if q.Has("iss") && q.Get("iss") != a.globus.Issuer() {
		return nil, errWrongIssuer
	}
	if q.Has("error") {
		// error_description is ignored: anybody can write a link with one.
		return nil, &globus.Error{Call: "authorize", Reason: globus.Refused, Code: globus.ErrorCode(q.Get("error"))}
	}
	return a.outcomes.once(r.Context(), web.Client(r), t.Attempt, func() (*session.Session, error) {
		return a.redeem(r, q.Get("code"), t)
	})
}

// unmatchedCallback answers a callback that matches no attempt of this browser: it
// was bookmarked, completed already, forged, or is too old. next is where the
// person was going; "" if that is not known.
func (a *Auth) unmatchedCallback(w http.ResponseWriter, r *http.Request, next string) error {
	s, err := a.current(r)
	if err != nil {
		return err
	}
	cause := errNoAttempt
	if s == nil && len(r.Cookies()) == 0 {
		cause = errNoCookies
	}
	failed := a.loginFailed(r, cause, attempt{Next: next})
	if s != nil { // an earlier sign-in holds
		return web.RedirectURL(w, a.site.Absolute(next))
	}
	return failed
}

// loginFailed logs and counts a callback that failed, and returns the problem.
func (a *Auth) loginFailed(r *http.Request, err error, t attempt) error {
	problem := a.explainLogin(err, t.Next)
	if t.StepUp != "" {
		problem = a.explainStepUp(err, t.Next)
	}
	a.recordFailure(r, problem)
	return problem
}
