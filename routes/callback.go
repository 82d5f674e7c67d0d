package routes

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"example.org/portal/globus"
	"example.org/portal/routes/session"
)

const (
	maxSignIn   = 10 * time.Second // exchanging the code and saving the session
	maxUserInfo = 3 * time.Second  // of that, for what the ID token tells as well
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
			status: http.StatusServiceUnavailable, heading: "Many people are signing in just now",
			message: "Reload this page in a moment to go on.", cause: errBusy,
		}
	}
	a.spendAttempt(w, state)
	// RFC 9207. Globus sends none so far; one that is sent must be Globus's.
	if q.Has("iss") && q.Get("iss") != a.globus.Issuer() {
		return a.refuseLogin(errors.New("iss is not Globus Auth"), "That answer does not come from Globus", "Nobody was signed in by it.")
	}
	if q.Has("error") {
		return a.stepUpFailed(r, t, a.globusRefused(q.Get("error")))
	}
	got := a.answers.once(r.Context(), t.Attempt, func() (*session.Session, error) { return a.signIn(r, q.Get("code"), t) })
	if toldNothing(got.err, t) {
		return a.begin(w, r, attempt{Next: t.Next, Asked: true, StepUp: t.StepUp}, globus.PromptLogin())
	}
	if got.err != nil {
		return a.stepUpFailed(r, t, a.loginFailed(r, got.err, t))
	}
	a.sessions.SetCookie(w, got.session)
	visitedBy(r, got.session)
	a.csrf.RegenerateToken(w, r)
	return redirect(w, a.absolute(t.Next))
}

// signIn redeems the code and saves the new session; only then does it end the
// session that the browser had. It goes on if the browser hangs up, for a code
// cannot be redeemed again.
func (a *App) signIn(r *http.Request, code string, t attempt) (*session.Session, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), maxSignIn)
	defer cancel()
	login, err := a.globus.Exchange(ctx, code, t.Attempt)
	if err != nil {
		return nil, err
	}
	s, goesOn, err := a.newSession(r.WithContext(ctx), login, t)
	if err != nil {
		a.discard(r, login.Tokens)
		return nil, err
	}
	old := a.endOld(r.WithContext(ctx))
	if goesOn && len(old) == 0 { // they signed out meanwhile, and stay so
		tokens, _ := a.sessions.End(ctx, s) // it is tried again by itself
		a.revoke(ctx, tokens)
		return nil, session.ErrGone
	}
	a.noteSignIn(ctx, s)
	if t.StepUp != nil {
		a.carryOver(ctx, s, login.Tokens, old)
	}
	a.revoke(ctx, old.Without(s.Tokens)) // those that only it held
	return s, nil
}

// newSession makes a session of a login that may be one, and says whether it goes on
// from the one that r's browser has.
func (a *App) newSession(r *http.Request, login *globus.Login, t attempt) (s *session.Session, goesOn bool, err error) {
	if err := a.freshen(r.Context(), login); err != nil {
		return nil, false, err
	}
	rec := session.Record{Identity: login.Identity, Tokens: login.Tokens, Began: a.now()}
	if t.StepUp != nil {
		if goesOn, err = a.goOn(r, t.StepUp, &rec); err != nil {
			return nil, false, err
		}
	}
	if err := a.examine(r.Context(), login.Tokens, &rec); err != nil {
		return nil, false, err
	}
	s, err = a.sessions.SignIn(r.Context(), rec)
	return s, goesOn, err
}

// freshen takes what userinfo says about the person in place of the ID token's
// claims. It may fail, for those name the person already; it may not be about
// somebody else.
func (a *App) freshen(ctx context.Context, login *globus.Login) error {
	token, ok := login.Tokens[globus.AuthServer]
	if !ok {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, maxUserInfo)
	defer cancel()
	id, err := a.globus.UserInfo(ctx, token.AccessToken)
	if err != nil {
		a.log.LogAttrs(ctx, slog.LevelWarn, "userinfo not used", why(err)...)
		return nil
	}
	if id.Subject != login.Identity.Subject {
		return &globus.Error{Call: "userinfo", Reason: globus.BadUserInfo, Detail: "sub is not that of the ID token"}
	}
	login.Identity = id.Or(login.Identity)
	return nil
}

// discard revokes the tokens of a sign-in that came to nothing here, after
// Exchange accepted them (what it refuses, it revokes itself), but for those that
// the browser's own session holds: Globus may give the same out again.
func (a *App) discard(r *http.Request, tokens globus.Tokens) {
	if own, _ := a.sessions.Peek(r.WithContext(context.WithoutCancel(r.Context()))); own != nil {
		tokens = tokens.Without(own.Tokens)
	}
	a.revoke(r.Context(), tokens)
}

// endOld ends the session that r's browser had before, if any, and returns the
// tokens that it held to the last. What fails is logged: the new session stands.
func (a *App) endOld(r *http.Request) globus.Tokens {
	old, err := a.sessions.SignOut(r)
	if err != nil {
		a.log.ErrorContext(r.Context(), "old session not ended yet", "reason", err)
	}
	return old
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
	return a.refuseLogin(errNoAttempt, "That sign-in link was used already or has expired", "It works once, for ten minutes, and only in the browser that began. Nobody was signed in by it.")
}

// refuseLogin is the error for a link to /login that signs nobody in.
func (a *App) refuseLogin(cause error, heading, message string) error {
	return &httpError{
		status: http.StatusBadRequest, heading: heading, message: message,
		loginURL: a.site.LoginURL(""), cause: cause,
	}
}

// globusRefused answers a callback that brings an OAuth error. Only its code
// is believed, and what the person reads is ours.
func (a *App) globusRefused(code string) error {
	e := &httpError{
		status: http.StatusServiceUnavailable, heading: "Globus could not sign you in",
		message:  "Globus answered with an error. Nobody was signed in. Please try again; if it happens again, tell the people who run this site, with the reference below.",
		loginURL: a.site.LoginURL(""),
		cause:    &globus.Error{Call: "authorize", Reason: globus.Refused, Code: globus.ErrorCode(code)},
	}
	if isDenial(code) {
		e.status, e.heading = http.StatusForbidden, "Globus did not sign you in"
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
		e.status, e.heading = http.StatusServiceUnavailable, "Globus could not sign you in"
		e.message = "What Globus sent cannot be kept here: it is too much, or has expired already. Please tell the people who run this site, with the reference below."
	case isStoreError(err):
		e.message = "This site could not write down that you signed in, so you are not. Please try again in a moment."
	}
	return &e
}
