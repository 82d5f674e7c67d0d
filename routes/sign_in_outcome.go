package routes

import (
	"context"
	"errors"
	"net/http"

	"example.org/portal/globus"
	"example.org/portal/routes/session"
)

// noteSignIn notes that someone signed in.
func (a *App) noteSignIn(ctx context.Context, s *session.Session) {
	a.metrics.signIn("ok", "")
	a.log.InfoContext(ctx, "signed in", "session", s.Tag())
}

// notSignedIn notes why a sign-in ended with nobody signed in, and returns err.
func (a *App) notSignedIn(r *http.Request, err error) error {
	outcome, reason := signInOutcome(err)
	a.metrics.signIn(outcome, reason)
	a.log.WarnContext(r.Context(), "sign-in "+outcome, "reason", err)
	return err
}

// Errors of a sign-in that signInOutcome tells apart.
var (
	errNoAttempt = errors.New("callback without an attempt of this browser")
	errNoCookies = errors.New("callback without any cookie")
	errBusy      = errors.New("too many sign-ins under way")
	errOther     = errors.New("somebody else signed in than the session's person")
)

// signInOutcome says what kept someone from being signed in: they, or we,
// refused it, or something failed. Of the reasons there are only so many.
func signInOutcome(err error) (outcome, reason string) {
	if _, ok := errors.AsType[*refusal](err); ok {
		return "refused", "policy"
	}
	if e, ok := errors.AsType[*globus.Error](err); ok {
		switch {
		case e.Call != "authorize":
			return "failed", string(e.Reason)
		case isDenial(e.Code):
			return "refused", e.Code
		}
		return "failed", "authorize"
	}
	switch e, ok := errors.AsType[*httpError](err); {
	case errors.Is(err, errNoAttempt):
		return "refused", "link"
	case errors.Is(err, errNoCookies):
		return "refused", "cookies"
	case errors.Is(err, errOther):
		return "refused", "other_person"
	case errors.Is(err, errBusy):
		return "failed", "busy"
	case isStoreError(err):
		return "failed", "store"
	case errors.Is(err, session.ErrTooLarge), errors.Is(err, session.ErrGone):
		return "failed", "session"
	case errors.Is(err, context.Canceled):
		return "failed", "hung_up"
	case ok && e.status == http.StatusBadRequest:
		return "refused", "link"
	}
	return "failed", "internal"
}

// isDenial reports whether an OAuth error is the person's, or Globus's, no.
func isDenial(code string) bool {
	switch code {
	case "access_denied", "login_required", "consent_required", "interaction_required":
		return true
	}
	return false
}
